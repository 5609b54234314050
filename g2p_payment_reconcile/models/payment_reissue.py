from odoo import _, fields, models

from odoo.addons.g2p_payment_hub.models.roles import MAKERS, check_role

from .cycle import money


class Payment(models.Model):
    """Which failed payments may be issued again, and what changed since."""

    _inherit = "g2p.payment"

    def _why_not_reissued(self):
        """Payment to the sentence that says what forbids another one in its place, where anything does."""
        today = fields.Date.context_today(self)
        others = self._others_that_may_pay()
        stops = self.sudo()._stops()
        reasons = {}
        # Whoever asks, every payment of the entitlement counts.
        for payment in self.sudo():
            entitlement = payment.entitlement_id
            expired = entitlement.state == "expired" or (
                entitlement.valid_until and entitlement.valid_until < today
            )
            again = payment.reissue_ids
            reason = (
                payment._why_unresolved()
                or (again and _("Issued again already, as %s.", again.name))
                or (expired and _("The entitlement expired on %s.", entitlement.valid_until))
                or (entitlement.state != "approved" and _("The entitlement is no longer approved."))
                or payment.cycle_id._why_program_stopped()
                or stops.get(payment)
                or (
                    entitlement in others
                    and _("Another payment of this entitlement, %s, may pay it.", others[entitlement][0].name)
                )
            )
            if reason:
                reasons[payment.with_env(self.env)] = reason
        return reasons

    def _why_unresolved(self):
        """Why it is not certain that this payment failed; False when it is."""
        if self.attention:
            return _("What became of it is in doubt: %s", self.attention)
        if self.status == "paid":
            return _("It is paid.")
        if self.status != "failed":
            return _("It has no final result yet.")
        return False

    def _changed_since(self, payees, manager):
        """Sentences that say what a new payment would have different; `payees` as of the payment manager's
        `_payee_values`."""
        partner = self.entitlement_id.partner_id
        payee = payees[partner.id]
        pairs = (
            (_("Beneficiary"), self.partner_id.name, partner.name),
            (_("Payee"), self.account_number, payee["account_number"]),
            (_("Kind of identifier"), self.payee_identifier_type, payee["payee_identifier_type"]),
            (_("Payee's bank"), self.payee_bank, payee["payee_bank"]),
            (
                _("Amount"),
                money(self.amount_issued, self.payment_currency_id),
                money(self.entitlement_id.initial_amount, manager.currency_id),
            ),
            (_("Gateway"), self.gateway_id.name, manager.gateway_id.name),
        )
        sentences, none = [], _("none")
        for what, before, now in pairs:
            if (before or "") != (now or ""):
                sentences.append(
                    _(
                        "%(what)s: %(before)s, now %(now)s.",
                        what=what,
                        before=before or none,
                        now=now or none,
                    )
                )
        return sentences


class PaymentBatch(models.Model):
    _inherit = "g2p.payment.batch"

    def action_reissue_failed(self):
        """Opens the preview of what can be issued again of this batch."""
        self.ensure_one()
        check_role(self.env, MAKERS, _("Only a program manager may issue payments again."))
        unpaid = [("batch_id", "=", self.id), ("state", "!=", "issued")]
        unpaid += ["|", ("status", "!=", "paid"), ("attention", "!=", False)]
        return self.env["g2p.payment.reissue.wizard"]._open(
            self.cycle_id, self.env["g2p.payment"].search(unpaid)
        )


class PaymentReconciliation(models.Model):
    _inherit = "g2p.payment.reconciliation"

    def action_reissue_failed(self):
        return self.batch_id.action_reissue_failed()


class Cycle(models.Model):
    _inherit = "g2p.cycle"

    def action_reissue_failed(self):
        """Opens the preview of what can be issued again of this cycle: the last payment of each entitlement
        that failed or is in doubt."""
        self.ensure_one()
        check_role(self.env, MAKERS, _("Only a program manager may issue payments again."))
        unpaid = [("cycle_id", "=", self.id), ("gateway_id", "!=", False), ("reissue_ids", "=", False)]
        unpaid += ["|", ("status", "=", "failed"), ("attention", "!=", False)]
        return self.env["g2p.payment.reissue.wizard"]._open(self, self.env["g2p.payment"].search(unpaid))
