from odoo.tests import tagged

from .common import PaymentHubCase


@tagged("post_install", "-at_install")
class TestStops(PaymentHubCase):
    """What OpenG2P takes back between approval and sending is not paid, and the sentence says which."""

    def _merge(self, source, target):
        """What Odoo's own wizard does; it moves every reference past the ORM."""
        self.env.flush_all()
        self.env["base.partner.merge.automatic.wizard"]._merge((source + target).ids, target)
        self.env.invalidate_all()

    def _stopped(self, batch, *words):
        """Nothing leaves, and the batch says why; a person can correct it from there."""
        before = self.hub.uploads
        self._send(batch)
        self.assertEqual((self.hub.uploads, batch.batch_state), (before, "approved"))
        for word in words:
            self.assertIn(word, batch.check_result)
        batch.with_user(self.finance_user)._reject("Stopped")
        batch.with_user(self.manager_user).action_back_to_draft()
        for word in words:
            self.assertIn(word, batch.check_result, "whoever corrects it sees it too")

    def test_archived_program(self):
        batch = self._approved()
        self.program.active = False
        self._stopped(batch, "program", self.program.name, "archived")

    def test_ended_program(self):
        batch = self._approved()
        self.program.with_context(active_ids=self.program.ids).end_program()
        self.assertEqual(self.program.state, "ended")
        self._stopped(batch, "program", self.program.name, "has ended")

    def test_program_that_goes_on_again(self):
        batch = self._approved()
        program = self.program.with_context(active_ids=self.program.ids)
        program.end_program()
        program.reactivate_program()
        self._send(batch)
        self.assertEqual(batch.batch_state, "sent")

    def test_an_ended_program_prepares_nothing(self):
        self._entitle()
        self.program.with_context(active_ids=self.program.ids).end_program()
        self.assertFalse(self._prepare())
        self.assertIn("has ended", self._message(self.said))

    def test_archived_registrant(self):
        batch = self._approved(2)
        payment = batch.payment_ids[0]
        payment.partner_id.active = False
        self._stopped(batch, payment.name, "archived")

    def test_merged_in_the_same_batch(self):
        batch = self._approved(2)
        first, second = batch.payment_ids
        self._merge(first.partner_id, second.partner_id)
        self.assertEqual(first.partner_id, second.partner_id)
        self._stopped(batch, first.name, second.name, "merged")

    def test_merged_with_one_that_was_paid_in_another_batch(self):
        self.manager.batch_size = 1
        paid, waiting = self._approved(2)
        self._send(paid)
        for source, target in ((waiting, paid), (paid, waiting)):
            with self.subTest(kept=target.payment_ids.name):
                savepoint = self.env.cr.savepoint(flush=True)
                self._merge(source.payment_ids.partner_id, target.payment_ids.partner_id)
                self._stopped(waiting, waiting.payment_ids.name, paid.payment_ids.name, "merged")
                savepoint.close(rollback=True)
                self.env.invalidate_all()

    def test_merged_with_one_that_is_not_prepared_yet(self):
        batch = self._approved()
        other = self._entitle(phone="+27713809999")
        self._merge(batch.payment_ids.partner_id, other.partner_id)
        self._stopped(batch, batch.payment_ids.name, other.code, "merged")

    def test_a_merge_is_over_once_one_entitlement_is_cancelled(self):
        batch = self._approved()
        other = self._entitle(phone="+27713809999")
        self._merge(other.partner_id, batch.payment_ids.partner_id)
        other.state = "cancelled"
        self._send(batch)
        self.assertEqual(batch.batch_state, "sent")

    def test_merged_with_nobody_of_the_cycle(self):
        batch = self._approved()
        partner = batch.payment_ids.partner_id
        self._merge(partner, self.env["res.partner"].create({"name": "The same", "is_registrant": True}))
        self._send(batch)
        self.assertEqual(batch.batch_state, "sent")

    def test_two_entitlements_of_one_person_from_the_start(self):
        """They were seen when they were approved."""
        first = self._entitle()
        first.copy({"state": "approved", "initial_amount": 50, "code": "another"})
        batch = self._prepare()
        self._approve(batch)
        self._send(batch)
        self.assertEqual((len(batch.payment_ids), batch.batch_state), (2, "sent"))

    def test_one_question_for_all_payments(self):
        few, many = self._approved(2), self._approved(30)
        counts = []
        for batch in (few, many):
            self.env.flush_all()
            self.env.invalidate_all()
            batch.payment_ids.mapped("name")
            before = self.env.cr.sql_log_count
            batch.payment_ids._stops()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(*counts)

    def test_registrant_of_an_entitlement_that_was_given_to_another(self):
        entitlement = self._entitle()
        self.assertEqual(entitlement.registrant_number, entitlement.partner_id.id)
        other = self.env["res.partner"].create({"name": "Other", "is_registrant": True})
        entitlement.partner_id = other
        self.assertEqual(entitlement.registrant_number, other.id)
