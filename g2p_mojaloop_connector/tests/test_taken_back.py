from odoo import fields
from odoo.tests import tagged

from .common_paying import FIRST, PayingCase

SECOND = "27713800001"


@tagged("post_install", "-at_install")
class TestTakenBack(PayingCase):
    """OpenG2P takes back what was sent and has not begun: a batch that is paused begins days later."""

    def _paused(self, count=2):
        self.scheme.faults[FIRST, "transfer"] = "4001"
        batch = self._paid(count, runs=2)
        self.assertTrue(batch.mojaloop_paused_reason)
        self._expire(batch)
        self._pay(batch)
        self.scheme.faults.clear()
        return batch

    def _go_on(self, batch):
        batch.with_user(self.finance_user).action_resume_paying()
        self._pay(batch)

    def _goes_on_without(self, batch):
        """The first payment is not begun, and the batch says so."""
        self._go_on(batch)
        self.assertEqual(self.scheme.paid(), [(SECOND, "100")])
        self.assertIn("1 payments are not begun", batch.mojaloop_run_answer)

    def _first(self, batch):
        return batch.payment_ids.filtered(lambda payment: payment.account_number == FIRST)

    def test_an_entitlement(self):
        batch = self._paused()
        self._first(batch).entitlement_id.state = "cancelled"
        self._goes_on_without(batch)
        self.assertFalse(self.env["g2p.payment.submission"]._due_submissions())

    def test_a_beneficiary_is_disabled(self):
        batch = self._paused()
        self._first(batch).partner_id.disabled = fields.Datetime.now()
        self._goes_on_without(batch)

    def test_another_beneficiary(self):
        batch = self._paused()
        first, second = batch.payment_ids.sorted("account_number")
        first.entitlement_id.partner_id = second.partner_id
        self._goes_on_without(batch)

    def test_a_beneficiary_is_archived(self):
        batch = self._paused()
        self._first(batch).partner_id.active = False
        self._goes_on_without(batch)
        self.assertIn("the beneficiary was archived: 1", batch.mojaloop_run_answer)

    def _merged(self, batch):
        """As Odoo's own wizard does it, past the ORM."""
        first, second = batch.payment_ids.sorted("account_number").partner_id
        self.env.flush_all()
        self.env["base.partner.merge.automatic.wizard"]._merge((first + second).ids, second)
        self.env.invalidate_all()

    def test_merged_with_one_that_is_paid(self):
        batch = self._paused()
        self._merged(batch)
        self._goes_on_without(batch)
        self.assertIn("merged with another", batch.mojaloop_run_answer)

    def test_merged_before_either_is_begun(self):
        batch = self._approved(2)
        self._send(batch)
        self._merged(batch)
        self._pay(batch)
        self.assertFalse(self.scheme.paid())
        self.assertIn("2 payments are not begun", batch.mojaloop_run_answer)

    def test_the_program(self):
        for name, taken, back in (("active", False, True), ("state", "ended", "active")):
            with self.subTest(name):
                self.scheme.ledger.clear()
                self.cycle = self._cycle(self.program, f"Cycle {name}")
                batch = self._approved(cycle=self.cycle)
                self._send(batch)
                self.program[name] = taken
                self._pay(batch)
                self.assertFalse(self.scheme.paid())
                self.assertIn("the program", batch.mojaloop_run_answer)
                self.program[name] = back
                self._pay(batch)
                self.assertEqual(self.scheme.paid(), [(FIRST, "100")])

    def test_an_amount(self):
        batch = self._paused()
        entitlement = self._first(batch).entitlement_id
        entitlement.initial_amount = 50
        self._goes_on_without(batch)
        entitlement.initial_amount = 100
        self._pay(batch)
        self.assertEqual(self.scheme.paid(), [(FIRST, "100"), (SECOND, "100")])

    def test_a_cycle(self):
        batch = self._paused(1)
        self.cycle.state = "cancelled"
        self._go_on(batch)
        self.assertFalse(self.scheme.paid())
        self.cycle.state = "approved"
        self._pay(batch)
        self.assertEqual(self.scheme.paid(), [(FIRST, "100")])
        self.assertFalse(batch.mojaloop_run_answer)

    def test_a_cycle_that_is_merely_over(self):
        for state in ("distributed", "ended"):
            self.scheme.ledger.clear()
            self.cycle = self._cycle(self.program, f"Cycle that is {state}")
            batch = self._approved(cycle=self.cycle)
            self._send(batch)
            # Past the add-on that does not let a cycle end while payments are open, where there is one.
            self._sql("UPDATE g2p_cycle SET state = %s WHERE id = %s", state, self.cycle.id)
            self._pay(batch)
            self.assertEqual(self.scheme.paid(), [(FIRST, "100")])

    def test_what_has_left_is_asked_for_all_the_same(self):
        self.scheme.lose_replies.add(FIRST)
        batch = self._paid()
        self.cycle.state = "cancelled"
        self._pay(batch)
        self.assertEqual(self._transfers(batch).state, "committed")
