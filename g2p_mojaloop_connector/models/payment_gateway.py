from odoo import _, fields, models

from odoo.addons.g2p_payment_hub.client.errors import NotSent, Reason

MOJALOOP = "mojaloop"


class PaymentGateway(models.Model):
    _inherit = "g2p.payment.gateway"

    provider = fields.Selection(
        selection_add=[(MOJALOOP, "Mojaloop connector")],
        ondelete={MOJALOOP: lambda gateways: gateways._leave_mojaloop()},
    )

    def _leave_mojaloop(self):
        """When this add-on is uninstalled: the gateways stay, because batches point at them, and can send
        nothing."""
        self.write({"provider": "payment_hub_ee", "state": "disabled"})

    def _check_settings(self):
        problems = super()._check_settings()
        if self.provider == MOJALOOP:
            problems.append(self._mojaloop_cannot_send())
        return problems

    def _submit(self, submission):
        if self.provider != MOJALOOP:
            return super()._submit(submission)
        raise NotSent(Reason.NOT_READY, self._mojaloop_cannot_send())

    def _mojaloop_cannot_send(self):
        return _(
            "This version cannot send through the Mojaloop connector yet: use a gateway of the kind "
            "Mifos Payment Hub EE, whose payment mode can be Mojaloop."
        )
