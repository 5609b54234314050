from odoo import _, fields, models
from odoo.exceptions import UserError

from .payment_manager import MODEL
from .roles import MAKERS, check_role


class PaymentBatch(models.Model):
    """What has to be right before approval, and how a program manager mends what is not."""

    _inherit = "g2p.payment.batch"

    def action_request_approval(self):
        """Draft to To Approve, when the check finds nothing."""
        check_role(self.env, MAKERS, _("Only a program manager may request approval."))
        self._lock()
        self._request_approval()
        return self._drafts()._say_problems()

    def _say_problems(self):
        """Nothing when there are none; in any case the form shows what became of the batch."""
        if not self:
            return True
        said = _("There are problems to be mended first. The batch lists them.")
        return self.env[MODEL]._say("warning", said)

    def _request_approval(self):
        for batch in self:
            if not batch._check():
                batch._advance("to_approve", _("Checked and ready to approve."))

    def _check(self):
        """Everything that the payment system would reject, swallow or mangle, as a list of sentences; kept on
        the payments and, with the batch's own problems, on the batch."""
        self.ensure_one()
        instructions = self.payment_ids._instructions(self.note)
        by_payment = self._payment_problems(instructions)
        self.payment_ids._write_sentences("check_problem", by_payment)
        self.payment_ids._write_sentences("adjustment", self._payment_adjustments(instructions))
        found = self._batch_problems()
        found += [
            f"{payment.partner_id.name}: {' '.join(problems)} ({payment.name})"
            for payment, problems in by_payment.items()
        ]
        self.sudo().check_result = "\n".join(found) or False
        return found

    def _problems_without_names(self):
        """After `_check`, for errors: what is raised is also logged."""
        of_payments = self.payment_ids.filtered("check_problem")
        return [
            *self._batch_problems(),
            *(f"{payment.name}: {payment.check_problem}" for payment in of_payments),
        ]

    def _payment_adjustments(self, instructions):
        """Payment to sentences, for the payments that travel otherwise than they are written."""
        by_reference = self.gateway_id._adjustments(instructions)
        return {
            payment: by_reference[payment.name]
            for payment in self.payment_ids
            if payment.name in by_reference
        }

    def _payment_problems(self, instructions):
        """Payment to sentences, for the payments that have a problem."""
        by_reference = self.gateway_id._check_instructions(instructions, self._payer())
        others = self.payment_ids._others_that_may_pay()
        stops = self.payment_ids._stops()
        problems = {}
        for payment in self.payment_ids:
            mine = list(by_reference.get(payment.name, ()))
            if payment.entitlement_id.state != "approved":
                mine.append(_("The entitlement is no longer approved. Set this payment aside."))
            if not payment._is_still_due():
                mine.append(_("The amount of the entitlement has changed since. Set this payment aside."))
            if payment.partner_id != payment.entitlement_id.partner_id:
                mine.append(
                    _("The beneficiary of the entitlement has changed since. Set this payment aside.")
                )
            if payment in stops:
                mine.append(_("%s Set this payment aside.", stops[payment]))
            if payment.status:
                mine.append(_("It has its result already. Set this payment aside."))
            if payment.entitlement_id in others:
                mine.append(
                    _(
                        "Another payment of this entitlement, %s, may pay or have paid it. Set this payment "
                        "aside.",
                        others[payment.entitlement_id][0].name,
                    )
                )
            if payment.payment_currency_id != self.batch_currency_id:
                mine.append(_("The currency differs from the batch's. Set this payment aside."))
            if mine:
                problems[payment] = mine
        return problems

    def _batch_problems(self):
        problems = self.gateway_id._check_ready() + self.gateway_id._check_payer(self._payer())
        if not self._cycle_may_pay():
            problems.append(_("The cycle is no longer approved. Cancel this batch."))
        stopped = self.cycle_id._why_program_stopped()
        if stopped:
            problems.append(_("%s Cancel this batch, or have the program go on.", stopped))
        if not self.gateway_id._is_of_company(self.cycle_id.sudo().program_id.company_id):
            problems.append(_("The program belongs to another company than the gateway. Cancel this batch."))
        if not self.payment_ids:
            problems.append(_("The batch has no payments. Cancel it."))
        if self.env["g2p.payment"].search([("batch_id", "=", self.id)]) != self.payment_ids.sorted(
            lambda payment: -payment.id
        ):
            problems.append(
                _("OpenG2P's two lists of this batch's payments differ. Cancel the batch and prepare again.")
            )
        return problems

    def _cycle_may_pay(self):
        again = all(payment.reissue_of_id for payment in self.payment_ids)
        return self.cycle_id.sudo()._may_pay(again)

    def action_refresh_payees(self):
        """Takes payees and payer from the registrants and the payment manager again, after they were
        mended."""
        self.ensure_one()
        check_role(self.env, MAKERS, _("Only a program manager may change a batch."))
        self._lock()
        self._expect("draft")
        manager = self._manager()
        self._made_by_me()
        self.sudo().write(manager._payer_values())
        payees = manager._payee_values(self.payment_ids.partner_id)
        for payment in self.payment_ids.sudo():
            payment._take_payee(payees[payment.partner_id.id])
        self._request_approval()
        return self._drafts()._say_problems()

    def _manager(self):
        manager = self.cycle_id._hub_manager()
        if manager.gateway_id != self.gateway_id:
            raise UserError(
                _(
                    "The program no longer pays through the gateway of this batch. Cancel it and prepare "
                    "again."
                )
            )
        manager._check_program(self.cycle_id)
        return manager

    def action_set_problems_aside(self):
        """Takes the payments with problems out, so that the others need not wait. Prepare Payments makes
        new ones for their entitlements once the cause is mended."""
        self.ensure_one()
        check_role(self.env, MAKERS, _("Only a program manager may change a batch."))
        self._lock()
        self._expect("draft")
        self._made_by_me()
        self._check()
        aside = self.payment_ids.filtered("check_problem")
        for payment in aside:
            payment._give_up(_("Set aside: %s", payment.check_problem))
        aside.sudo().write({"batch_id": False, "check_problem": False})
        self.sudo().write({"payment_ids": [fields.Command.unlink(payment.id) for payment in aside]})
        self._message_log(body=_("%s payments with problems were set aside.", len(aside)))
        self._refresh_statistics()
        if self.payment_ids:
            self._request_approval()
        else:
            self._advance("cancelled", _("No payment is left."))

    def _expect(self, state):
        if self.batch_state != state:
            raise UserError(_("This batch has moved on meanwhile. Reload the page to see what happened."))

    def _made_by_me(self):
        self.sudo().write({"maker_ids": [fields.Command.link(self.env.uid)]})
