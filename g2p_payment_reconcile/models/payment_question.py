from collections import Counter

from odoo import _, models
from odoo.exceptions import UserError

from odoo.addons.g2p_payment_hub.models.roles import LOOKERS, check_role


class Payment(models.Model):
    """A person doubts a final result, as after a call of the payee or a file that should not have been
    applied. Nothing changes by that, but that people have to decide."""

    _inherit = "g2p.payment"

    def _question(self, reason):
        """An exception for each of these payments; `reason` is how the person knows."""
        check_role(
            self.env,
            LOOKERS,
            _("Only finance users, program managers and administrators question a result."),
        )
        self.read(["name"])  # of one's own companies
        Exceptions = self.env["g2p.payment.exception"]
        reason = Exceptions._in_one_line(reason)
        for payment in self:
            blocked = payment._why_not_question()
            if blocked:
                raise UserError(_("%(payment)s: %(why)s", payment=payment.name, why=blocked))
        facts = self._facts(self.mapped("name"))
        # Those of a payment that was taken out of its batch as well: there its people are called.
        batches = self.env["g2p.payment.batch"].browse({fact["batch_id"] for fact in facts} - {None})
        batches._lock()
        before = Counter(
            self.sudo().exception_ids.filtered(lambda one: one.type == "questioned").payment_id.ids
        )
        summary = _("%(user)s questions this result: %(reason)s", user=self.env.user.name, reason=reason)
        Exceptions._raise(
            [
                {
                    "type": "questioned",
                    "summary": summary,
                    "gateway_id": fact["gateway_id"],
                    "payment_id": fact["id"],
                    "batch_id": fact["batch_id"],
                    "reference": fact["name"],
                    # Who doubts has heard it: that it is repeated afterwards is nothing new.
                    "known": fact["last_words"],
                    "again": before[fact["id"]],
                }
                for fact in facts
            ]
        )
        for batch in batches:
            batch._settle()

    def _why_not_question(self):
        """Why nobody can question the result; False when nothing is in the way."""
        if not self.gateway_id:
            return _("It was not paid through a gateway, so there is nothing to ask here.")
        if not self.status_is_final:
            return _("It has no final result yet. Press Check Now on its batch.")
        if self.attention:
            return _("It is in front of a person already: open its exceptions.")
        return False
