from odoo.tests import tagged

from .common import PAID
from .common_evidence import EvidenceCase


@tagged("post_install", "-at_install")
class TestNamed(EvidenceCase):
    """Whatever has become of a payment that a line names, the line is not passed over."""

    def test_one_that_was_set_aside_and_paid_after_all_is_not_paid_again(self):
        batch, aside = self._aside()
        evidence = self._read(self._row(aside, tx="t1"))
        self.assertEqual(self._told(evidence), [("matched", "reference", "question")])
        self._apply(evidence)
        self.assertEqual((aside.status, aside.exception_ids.type), ("failed", "late"))
        self.assertFalse(self._prepare())
        self.assertEqual(aside.exception_ids.batch_id, batch)
        self.assertTrue(batch.activity_ids, "somebody is called")
        self._decide(aside.exception_ids, "declare_paid")
        self.assertEqual(aside.status, "paid")
        self.assertEqual(self.env["g2p.payment.event"]._first_broken(batch), 0)

    def test_one_that_was_set_aside_and_did_not_leave_agrees(self):
        _batch, aside = self._aside()
        evidence = self._read(self._row(aside, "Rejected", tx="t1"))
        self.assertEqual(self._told(evidence), [("matched", "reference", "agrees")])
        self._apply(evidence)
        self.assertFalse(aside.exception_ids)

    def test_what_failed_once_and_is_under_way_again_has_not_failed(self):
        """A hub's result file with two transactions for one payment."""
        self.mapping.same_references = True
        batch = self._sent(2)
        again, failed = batch.payment_ids
        evidence = self._read(
            self._row(again, "Rejected", tx="t1"),
            self._row(again, "Open", tx="t2"),
            self._row(failed, "Rejected", tx="t3"),
            self._row(failed, "Open", tx="t3"),
        )
        effects = [line.effect for line in evidence.line_ids.sorted("id")]
        self.assertEqual(effects, ["question", "none", "fails", "none"])
        self._apply(evidence)
        self.assertEqual((again.status, failed.status), (False, "failed"))
        self.assertEqual(self._prepare().payment_ids.entitlement_id, failed.entitlement_id)

    def test_money_that_came_in_under_its_reference_is_looked_into(self):
        """Not every bank marks a return as one, and a CSV statement only has signs."""
        batch = self._sent(2)
        first, second = batch.payment_ids
        mapping = self._mapping(
            name="Bank", status_column=False, paid_words=False, failed_words=False, paid_sign="negative"
        )
        rows = [self._row(first, amount="-100.00", tx="b1"), self._row(second, amount="-100.00", tx="b2")]
        self._apply(self._upload(self._csv(*rows), mapping=mapping))
        self.assertEqual(batch.batch_state, "done")
        in_csv = self._upload(self._csv(self._row(first, tx="b3")), mapping=mapping)
        in_camt = self._camt((second.name, "100.00", "CRDT", "b4")).replace(
            b"<RvslInd>true", b"<RvslInd>false"
        )
        for evidence, payment in ((in_csv, first), (self._upload(in_camt, mapping=False), second)):
            self.assertEqual(evidence.line_ids.status, "other")
            self.assertEqual(self._told(evidence), [("unknown", False, "question")])
            self._apply(evidence)
            self.assertEqual((payment.status, payment.exception_ids.type), ("paid", "stranger"))
            self.assertIn("left or came back", payment.attention)
            self._decide(payment.exception_ids, "reverse")
            self.assertEqual((payment.status, payment.failure_type), ("failed", "returned"))

    def test_a_second_booking_is_in_the_figures(self):
        for known in ("", "hub"):
            batch = self._sent()
            if known:
                self._say(batch.payment_ids, PAID, remote_reference=known)
            self._apply(self._read(self._row(batch.payment_ids, tx="b1")))
            later = self._read(self._row(batch.payment_ids, tx="b2"))
            self._apply(later)
            run = later.reconciliation_ids
            self.assertEqual((run.their_paid_count, run.their_paid_amount), (2, 200))
            self.assertEqual((run.difference_count, run.difference_amount), (1, 100))
