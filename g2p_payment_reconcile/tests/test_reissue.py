from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from odoo.addons.g2p_payment_hub.client.outcomes import FailureType
from odoo.addons.queue_job.tests.common import trap_jobs

from .common import FAILED, SUSPECT
from .common_reissue import ReissueCase


@tagged("post_install", "-at_install")
class TestReissue(ReissueCase):
    """Failed payments are issued again by people who see what they do, and never beside a doubt."""

    def test_the_failed_ones_and_nobody_else(self):
        batch = self._sent()  # two, of RightsCase
        paid, failed = batch.payment_ids
        self._pays(paid)
        self._fails(failed)
        self._pull(batch)
        again = self._reissue(batch)
        self.assertEqual(again.batch_state, "to_approve")
        self.assertEqual(again.payment_ids.reissue_of_id, failed)
        self.assertEqual(again.payment_ids.entitlement_id, failed.entitlement_id)
        self.assertEqual(again.maker_ids, self.manager_user)
        self._approve(again)
        self._send(again)
        self._pays(again.payment_ids)
        self._pull(again)
        self.assertEqual((again.batch_state, again.payment_ids.status), ("done", "paid"))
        sent = [row.name for row in (batch + again).payment_ids if row.status == "paid"]
        self.assertEqual(len(sent), 2)

    def test_from_the_cycle_the_last_payment_of_each(self):
        batch = self._sent()
        self._fails(batch.payment_ids)
        self._pull(batch)
        again = self._reissue(self.cycle)
        again.with_user(self.manager_user).action_cancel()
        wizard = self._wizard(self.cycle)
        self.assertEqual(wizard.line_ids.payment_id, again.payment_ids)

    def test_the_preview_says_who_how_much_why_and_what_changed(self):
        batch = self._sent()
        mended, same = batch.payment_ids
        self._fails(mended, FailureType.PAYEE_UNKNOWN)
        self._fails(same, FailureType.PAYEE_UNKNOWN)
        self._pull(batch)
        before = mended.account_number
        mended.partner_id.phone_number_ids = [Command.create({"phone_no": "+27713899999"})]
        mended.entitlement_id.sudo().initial_amount = 120
        wizard = self._wizard(batch)
        line = self._line(wizard, mended)
        self.assertEqual((line.partner_id, line.amount), (mended.partner_id, 120))
        self.assertEqual((line.failure_type, line.failure_reason), ("payee_unknown", "no"))
        self.assertIn("Correct the payee's number", line.failure_advice)
        self.assertIn(f"Payee: {before}, now 27713899999.", line.changed)
        self.assertIn("Amount: ", line.changed)
        self.assertTrue(line.chosen, "it was mended")
        other = self._line(wizard, same)
        self.assertEqual((other.chosen, other.changed, other.same_data_may_work), (False, False, False))
        self.assertEqual((wizard.chosen_count, wizard.chosen_amount), (1, 120))
        wizard.action_reissue()
        self.assertEqual(mended.reissue_ids.account_number, "27713899999")
        self.assertFalse(same.reissue_ids)

    def test_the_entitlement_is_of_another_beneficiary_by_now(self):
        batch = self._sent()
        payment, other = batch.payment_ids
        before, new = payment.partner_id, other.partner_id
        self._fails(payment, FailureType.PAYEE_UNKNOWN)
        self._pull(batch)
        payment.entitlement_id.with_user(self.manager_user).partner_id = new
        before.disabled = fields.Datetime.now()
        wizard = self._wizard(batch)
        line = self._line(wizard, payment)
        self.assertIn(f"Beneficiary: {before.name}, now {new.name}.", line.changed)
        self.assertIn(f"now {other.account_number}.", line.changed)
        wizard.action_reissue()
        again = payment.reissue_ids
        self.assertEqual((again.partner_id, again.account_number), (new, other.account_number))

    def test_it_was_prepared_without_a_currency(self):
        journal = self.program.journal_id
        currency, journal.currency_id = journal.currency_id, False
        batch = self._prepare()[0]
        batch.with_user(self.manager_user).action_cancel()
        for now in (journal.currency_id, currency):
            journal.currency_id = now
            wizard = self._wizard(self.cycle)
            self.assertEqual(wizard.line_ids.payment_id, batch.payment_ids)
            self.assertEqual("Amount: " in wizard.line_ids[0].changed if now else False, bool(now))

    def test_the_same_data_is_proposed_only_where_it_may_work(self):
        batch = self._sent()
        first, second = batch.payment_ids
        self._fails(first, FailureType.INSUFFICIENT_FUNDS)
        self._fails(second, FailureType.REJECTED)
        self._pull(batch)
        wizard = self._wizard(batch)
        self.assertEqual(wizard.line_ids.filtered("chosen").payment_id, first)
        self._line(wizard, second).chosen = True  # a person may know better
        wizard.action_reissue()
        self.assertTrue(first.reissue_ids and second.reissue_ids)

    def test_what_came_back_is_issued_again_only_after_a_decision(self):
        batch = self._sent()
        paid, returned = batch.payment_ids
        self._pays(batch.payment_ids)
        self._pull(batch)
        self.hub.tell(returned, FAILED, failure_type=FailureType.RETURNED, remote_reference="r5")
        self._pull(batch)
        self.assertIn("came back", self._line(self._wizard(batch), returned).left_out)
        self.assertFalse(self._prepare())
        self._decides(returned.exception_ids, "reverse")
        line = self._line(self._wizard(batch), returned)
        self.assertEqual((line.failure_type, line.left_out, line.chosen), ("returned", False, False))
        line.chosen = True
        line.wizard_id.action_reissue()
        self.assertEqual(returned.reissue_ids.reissue_of_id, returned)
        self.assertFalse(paid.reissue_ids)

    def test_a_decision_is_not_taken_back_beside_a_new_payment(self):
        """Declared failed and issued again: it cannot become paid while the new one lives."""
        batch = self._sent()
        doubt = batch.payment_ids[0]
        self.hub.tell(doubt, SUSPECT, remote_reference="r1")
        self._pull(batch)
        self._decides(doubt.exception_ids, "declare_failed")
        wizard = self._wizard(batch)
        self._line(wizard, doubt).chosen = True
        wizard.action_reissue()
        again = doubt.reissue_ids.batch_id
        with self.assertRaisesRegex(UserError, doubt.reissue_ids.name), self.env.cr.savepoint():
            doubt.exception_ids.with_user(self.users["admin"])._take_back("by mistake")
        again.with_user(self.manager_user).action_cancel()
        doubt.exception_ids.with_user(self.users["admin"])._take_back("by mistake")
        self.assertEqual(doubt.status, False)
        self.assertFalse(self._prepare())

    def test_what_is_left_out_says_why(self):
        self._entitle_others(6)
        batch = self._sent()
        doubt, waiting, expired, cancelled, again, live, disabled, failed = batch.payment_ids
        disabled.partner_id.disabled = fields.Datetime.now()
        self.hub.tell(doubt, SUSPECT, reason_code="transactionFailed")
        self._fails(batch.payment_ids - doubt - waiting)
        self._pull(batch)
        (expired.entitlement_id + again.entitlement_id).sudo().write(
            {"valid_until": fields.Date.today() - timedelta(days=1)}
        )
        again.entitlement_id.sudo().valid_until = fields.Date.today()
        cancelled.entitlement_id.sudo().state = "cancelled"
        manager = self.manager.with_user(self.manager_user)
        manager._prepare_payments(self.cycle.with_user(self.manager_user), again.entitlement_id)
        self._payment_of_another_manager(live.entitlement_id)
        wizard = self._wizard(batch)
        for payment, word in (
            (doubt, "in doubt"),
            (waiting, "no final result"),
            (expired, "expired on"),
            (cancelled, "no longer approved"),
            (again, f"as {again.reissue_ids.name}"),
            (live, "Another payment"),
            (disabled, "beneficiary is disabled"),
        ):
            line = self._line(wizard, payment)
            self.assertIn(word, line.left_out)
            self.assertFalse(line.chosen)
        self.assertEqual((wizard.left_out_count, wizard.chosen_count), (7, 1))
        self.assertFalse(self._line(wizard, failed).left_out)

    def test_what_is_left_out_is_not_issued_whatever_is_sent_over_rpc(self):
        batch = self._sent()
        doubt, failed = batch.payment_ids
        self._fails(batch.payment_ids)
        self._pull(batch)
        doubt.sudo().attention = "paid after all?"
        wizard = self._wizard(batch)
        self._line(wizard, doubt).write({"left_out": False, "chosen": True})
        with self.assertRaisesRegex(UserError, doubt.name):
            wizard.action_reissue()
        self.assertFalse(doubt.reissue_ids + failed.reissue_ids)

    def test_a_late_paid_while_somebody_looks_at_the_preview(self):
        self._entitle_others(1)
        batch = self._sent()
        failed, other, _open = batch.payment_ids
        self._fails(failed + other)
        self._pull(batch)
        wizard = self._wizard(batch)
        self._pays(failed)
        self._pull(batch)
        self.assertTrue(failed.attention)
        with self.assertRaisesRegex(UserError, f"changed since.*{failed.name}"):
            wizard.action_reissue()
        self.assertFalse(batch.payment_ids.reissue_ids)
        self.assertEqual(self._reissue(batch).payment_ids.reissue_of_id, other)

    def test_two_wizards_make_one_payment(self):
        batch = self._sent()
        self._fails(batch.payment_ids)
        self._pull(batch)
        first, second = self._wizard(batch), self._wizard(batch, self.users["admin"])
        first.action_reissue()
        with self.assertRaisesRegex(UserError, "changed since"):
            second.action_reissue()
        self.assertEqual(len(batch.payment_ids.reissue_ids), 2)

    def test_the_same_rules_as_for_preparing(self):
        batch = self._sent()
        self._fails(batch.payment_ids)
        self._pull(batch)
        wizard = self._wizard(batch)
        self.cycle.write({"locked": True, "locked_reason": "being copied"})
        self.assertIn("locked", self._message(wizard.action_reissue()))
        self.cycle.write({"locked": False, "state": "ended"})
        self.assertIn("not approved", self._message(wizard.action_reissue()))
        self.assertFalse(batch.payment_ids.reissue_ids)

    def test_nothing_to_issue_again(self):
        batch = self._sent()
        self._pays(batch.payment_ids)
        self._pull(batch)
        with self.assertRaisesRegex(UserError, "nothing to issue again"):
            batch.with_user(self.manager_user).action_reissue_failed()

    def test_many_in_the_background(self):
        batch = self._sent()
        self._fails(batch.payment_ids)
        self._pull(batch)
        self.patch(type(self.manager), "MAX_ENTITLEMENTS_FOR_SYNC_PREPARE", 1)
        with trap_jobs() as jobs:
            self.assertIn("background", self._message(self._wizard(batch).action_reissue()))
            jobs.perform_enqueued_jobs()
        self.assertEqual(len(batch.payment_ids.reissue_ids), 2)

    def test_through_another_gateway(self):
        """What failed at one payment system may be paid through another; the preview says so."""
        batch = self._sent()
        self._fails(batch.payment_ids)
        self._pull(batch)
        self.manager.gateway_id = self._gateway(name="Second Hub")
        wizard = self._wizard(batch)
        self.assertIn("Gateway: Test Hub, now Second Hub.", wizard.line_ids[0].changed)
        wizard.action_reissue()
        self.assertEqual(batch.payment_ids.reissue_ids.gateway_id.name, "Second Hub")

    def test_the_preview_opens_on_the_screen(self):
        batch = self._sent()
        self._fails(batch.payment_ids)
        self._pull(batch)
        with Form(self._wizard(batch)) as form:
            self.assertEqual(form.chosen_count, 2)
            with form.line_ids.edit(0) as line:
                line.chosen = False
            self.assertEqual((form.chosen_count, form.chosen_amount), (1, 100))

    def test_the_preview_takes_as_many_statements_for_many_as_for_few(self):
        counts = []
        for size in (3, 40):
            self._entitle_others(size)
            batch = self._sent()
            self._fails(batch.payment_ids)
            self._pull(batch)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._wizard(batch)
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0] + 5, counts)

    def test_who_may(self):
        def failed():
            batch = self._sent()
            self._fails(batch.payment_ids)
            self._pull(batch)
            return batch

        may = {"manager", "admin"}
        self._only(may, lambda batch, user: self._wizard(batch, user).action_reissue(), failed)
        self._only(may, lambda batch, user: self._wizard(batch.cycle_id, user).action_reissue(), failed)
        self._only(
            may, lambda batch, user: self._wizard(batch.reconciliation_ids[:1], user).action_reissue(), failed
        )

        def press_what_another_opened(batch, user):
            line = {"payment_id": batch.payment_ids[0].id, "chosen": True}
            self.env["g2p.payment.reissue.wizard"].with_user(user).create(
                {"cycle_id": self.cycle.id, "line_ids": [Command.create(line)]}
            ).action_reissue()

        self._only(may, press_what_another_opened, failed)

    def test_nobody_looks_at_another_companys_payments_through_it(self):
        batch = self._sent()
        self._fails(batch.payment_ids)
        self._pull(batch)
        company = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = self._user("stranger", "g2p_programs.g2p_program_manager")
        stranger.write({"company_ids": [Command.set(company.ids)], "company_id": company.id})
        line = {"payment_id": batch.payment_ids[0].id, "chosen": True}
        wizards = self.env["g2p.payment.reissue.wizard"].with_user(stranger)
        for act in (
            lambda: wizards.create({"cycle_id": self.cycle.id, "line_ids": [Command.create(line)]}),
            batch.with_user(stranger).action_reissue_failed,
        ):
            with self.assertRaises(AccessError):
                act()
        with self.assertRaisesRegex(UserError, "nothing to issue again"):
            self.cycle.with_user(stranger).action_reissue_failed()

    def test_the_link_is_written_by_nobody(self):
        batch = self._sent()
        self._fails(batch.payment_ids)
        self._pull(batch)
        new = self._reissue(batch).payment_ids[0]
        for role in ("manager", "finance", "admin"):
            forged = new.with_user(self.users[role])
            for values in ({"reissue_of_id": False}, {"reissue_ids": [Command.clear()]}):
                with self.assertRaises(AccessError):
                    forged.write(values)
