from datetime import datetime, timezone

from odoo import _, fields, models
from odoo.exceptions import UserError

from ..client import keys
from ..client.connection_manager import EnrollmentState

# The key of the request under way, among the gateway's secrets. No field has this name, so nothing reads it.
NEXT_KEY = "mojaloop_next_key"
# The longest name of an organization that a certificate has room for (RFC 5280, ub-organization-name).
_ORGANIZATION = 64


class PaymentGateway(models.Model):
    """The client certificate: its key is made here and leaves in no form, the hub's operator signs.

    A key is committed before its request can leave, because that takes another button.
    """

    _inherit = "g2p.payment.gateway"

    mojaloop_request = fields.Text(
        "Request (CSR)",
        readonly=True,
        copy=False,
        help="The request for the next client certificate. Its key is kept here; the one in use stays in use "
        "until the signed certificate has arrived.",
    )
    mojaloop_enrollment_id = fields.Char(
        "Request at the Manager",
        readonly=True,
        copy=False,
        help="The number that the Connection Manager gave the request.",
    )

    def action_mojaloop_generate_request(self):
        """A new key, and the request for its certificate, beside the ones in use. Nothing leaves."""
        self._mojaloop_check_trusted()
        if not self.mojaloop_dfsp_id:
            raise UserError(_("The gateway lacks its DFSP ID. Fill it in, then generate."))
        if self._mojaloop_step("certificate").state == "requested":
            raise UserError(
                _(
                    "A request is with the Connection Manager already, and its key would be lost. Fetch its "
                    "certificate, or give it up first."
                )
            )
        key = keys.new_key()
        self.env["g2p.payment.gateway.secret"]._keep(self, NEXT_KEY, key)
        self.write(
            {
                "mojaloop_request": keys.request(
                    key, self.mojaloop_dfsp_id, self.company_id.name[:_ORGANIZATION]
                ),
                "mojaloop_enrollment_id": False,
            }
        )
        said = _("A new key and its request are ready. Press Send Request.")
        return self._mojaloop_told({"certificate": ("todo", said)})

    def action_mojaloop_send_request(self):
        """May be repeated: the Connection Manager is asked first whether it has this request."""
        self._mojaloop_check_trusted()
        request = self.mojaloop_request
        if not request:
            raise UserError(_("There is no request. Press Generate Key and Request first."))
        return self._mojaloop_exchange(
            ["certificate"], lambda manager: manager.enroll(request), self._mojaloop_enrolled
        )

    def action_mojaloop_fetch_certificate(self):
        self._mojaloop_check_trusted()
        enrollment_id = self.mojaloop_enrollment_id
        if not enrollment_id:
            raise UserError(_("The Connection Manager has no request of ours. Press Send Request first."))
        return self._mojaloop_exchange(
            ["certificate"], lambda manager: manager.enrollment(enrollment_id), self._mojaloop_enrolled
        )

    def action_mojaloop_give_up_request(self):
        """Forgets request and key; what is signed for them later cannot be used."""
        self._mojaloop_check_trusted()
        self._mojaloop_forget_request()
        said = _("The request was given up. Generate another one when it is needed.")
        state = "done" if self.mojaloop_client_certificate else "todo"
        return self._mojaloop_told({"certificate": (state, said)})

    def _mojaloop_enrolled(self, enrollment):
        """What became of the request, as the Connection Manager says."""
        if self.mojaloop_enrollment_id != enrollment.enrollment_id:
            self.mojaloop_enrollment_id = enrollment.enrollment_id
        return {"certificate": self._mojaloop_came_of(enrollment)}

    def _mojaloop_came_of(self, enrollment):
        if enrollment.state is EnrollmentState.WAITING:
            return "requested", _("The hub's operator has to sign it. Press Fetch Signed Certificate then.")
        if enrollment.state is EnrollmentState.INVALID:
            self._mojaloop_forget_request()
            return "refused", _(
                "The hub refuses the request. Ask its operator why, then generate another one."
            )
        why_not = self._mojaloop_why_not_usable(enrollment.certificate)
        if why_not:
            return "refused", why_not
        self._mojaloop_swap(enrollment.certificate)
        until = fields.Date.to_string(self.mojaloop_certificate_until)
        return "done", _("The signed certificate is in use from the next request on, until %s.", until)

    def _mojaloop_why_not_usable(self, certificate):
        """A sentence; empty when the certificate may take the place of the one in use."""
        key = self._secrets().get(NEXT_KEY, "")
        try:
            ours = keys.is_pair(certificate, key)
            facts = keys.facts(certificate)
        except ValueError:
            return _(
                "What was signed, or its key, cannot be read. Ask the hub's operator, or generate another "
                "request."
            )
        if not ours:
            return _(
                "The certificate is not for the key of our request, so it is not used. Ask the hub's "
                "operator, or generate another request."
            )
        now = datetime.now(timezone.utc)
        if facts.not_after <= now:
            return _("The certificate is over already, so it is not used. Generate another request.")
        if facts.not_before > now:
            return _(
                "The certificate is good only from %s (UTC) on, so it is not used yet. Fetch it again then, "
                "or have the clock of this server checked.",
                f"{facts.not_before:%Y-%m-%d %H:%M}",
            )
        return ""

    def _mojaloop_swap(self, certificate):
        """Certificate and key change together, in one transaction. Clients are made for each run, so nothing
        has to be started anew."""
        key = self._secrets()[NEXT_KEY]
        self.env["g2p.payment.gateway.secret"]._keep(self, "mojaloop_client_key", key)
        self.mojaloop_client_certificate = certificate
        self.invalidate_recordset(["mojaloop_client_key"])
        self._mojaloop_forget_request()
        self._message_log(
            body=_(
                "New client certificate: serial %(serial)s, until %(until)s.",
                serial=keys.facts(certificate).serial,
                until=self.mojaloop_certificate_until,
            )
        )

    def _mojaloop_forget_request(self):
        self.env["g2p.payment.gateway.secret"]._keep(self, NEXT_KEY, False)
        self.write({"mojaloop_request": False, "mojaloop_enrollment_id": False})
