from odoo import _, api, models

from ..client.errors import Reason


class PaymentGateway(models.Model):
    """What errors of the client mean, in words for people."""

    _inherit = "g2p.payment.gateway"

    @api.model
    def _explain(self, error):
        """One sentence for people: what an error of the client means, and what next."""
        sentence = self._explanations().get(error.reason, error.reason.value)
        return f"{sentence} ({error.detail})" if error.detail else sentence

    @api.model
    def _explanations(self):
        return {
            Reason.NAME_NOT_FOUND: _(
                "The address of the payment system is not known. Check the gateway's URL."
            ),
            Reason.UNREACHABLE: _("The payment system cannot be reached. Try again later."),
            Reason.TLS: _(
                "The payment system's certificate cannot be trusted. Check the gateway's CA bundle."
            ),
            Reason.BUSY: _("The payment system is busy. Try again later."),
            Reason.LOGIN: _("The payment system refuses user or password. Check the gateway's credentials."),
            Reason.TOKEN: _(
                "The payment system logs us in, and then does not accept the tokens that it gives. It is "
                "asked again by itself. If this goes on, ask its operator: its servers may disagree about "
                "the time or about their keys."
            ),
            Reason.TENANT: _(
                "The payment system does not know this tenant, or its engine did not answer. Check the "
                "tenant on the gateway, then ask the payment system's operator."
            ),
            Reason.SIGNATURE: _("The payment system refuses the signature. Check the gateway's signing key."),
            Reason.FILE: _(
                "The payment system refuses the file. Read what it says, correct the batch, and approve it "
                "again."
            ),
            Reason.CONFIGURATION: _("The payment system refuses the request. Check the gateway's settings."),
            Reason.NOT_READY: _(
                "The gateway is not ready, so nothing was sent. Complete its settings, then send again."
            ),
            Reason.REDIRECTED: _("The payment system sends us to another address. Check the gateway's URL."),
            Reason.TIMEOUT: _(
                "The payment system did not answer in time. If this goes on, ask its operator."
            ),
            Reason.CONNECTION_LOST: _(
                "The connection broke before an answer came. If this goes on, ask the payment system's "
                "operator."
            ),
            Reason.SERVER_ERROR: _(
                "The payment system reports an error of its own. If this goes on, ask its operator."
            ),
            Reason.NOT_UNDERSTOOD: _(
                "The payment system's answer cannot be understood. Check the gateway's URL: something else "
                "may answer there."
            ),
            Reason.TOO_LARGE: _(
                "The payment system's answer is too large. Check the gateway's URL: something else may "
                "answer there."
            ),
            Reason.FORGED: _(
                "The answer does not carry the payment system's signature. Check the hub certificate on the "
                "gateway before anything is sent again."
            ),
            Reason.AMBIGUOUS: _(
                "What the payment system shows does not tell whether it has this batch. Its operator has to "
                "say whether these are it."
            ),
            Reason.CLOCK: _(
                "The clocks of this server and of the payment system differ. Have the time service of this "
                "server checked."
            ),
        }
