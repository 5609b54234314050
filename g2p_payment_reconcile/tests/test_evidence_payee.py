"""Lines without our reference."""

from datetime import timedelta

from odoo.tests import tagged

from .common import FAILED, PAID
from .common_evidence import EvidenceCase


@tagged("post_install", "-at_install")
class TestByPayee(EvidenceCase):
    """A line without our reference: only where nothing else can be meant."""

    def _payee(self, payment):
        return payment.account_number

    def _line(self, payment, **values):
        values = {"reference": "", "to": self._payee(payment), **values}
        return self._row(**values)

    def test_the_only_payment_that_fits(self):
        batch = self._sent(2)
        payment, other = batch.payment_ids
        evidence = self._read(
            self._line(payment, to=f" {self._payee(payment)[:4]} {self._payee(payment)[4:]}")
        )
        self.assertEqual(self._told(evidence), [("matched", "payee", "pays")])
        self.assertEqual((evidence.line_ids.payment_id, evidence.payee_count), (payment, 1))
        self._apply(evidence)
        self.assertEqual((payment.status, other.status), ("paid", False))

    def test_what_does_not_fit(self):
        batch = self._sent()
        payment = batch.payment_ids
        for name, values in (
            ("amount", {"amount": "100.01"}),
            ("currency", {"currency": "EUR"}),
            ("payee", {"to": self._payee(payment) + "1"}),
            ("nobody", {"to": "+"}),
            ("before it was sent", {"day": self.today - timedelta(days=3)}),
            ("too late", {"day": self.today + timedelta(days=8)}),
            ("failed", {"status": "Rejected"}),
            ("returned", {"status": "Returned"}),
            ("another reference", {"reference": "theirs"}),
        ):
            with self.subTest(name):
                evidence = self._read(self._line(payment, **values), name=f"{name}.csv")
                self.assertEqual(evidence.line_ids.match, "unknown")
                self.assertFalse(evidence.line_ids.payment_id)

    def test_a_line_without_a_day_is_not_guessed(self):
        batch = self._sent()
        row = self._line(batch.payment_ids).replace(str(self.today), "")
        self.assertEqual(self._read(row).line_ids.match, "unknown")

    def test_switched_off(self):
        self.gateway.evidence_days = 0
        batch = self._sent()
        self.assertEqual(self._read(self._line(batch.payment_ids)).line_ids.match, "unknown")

    def _same_payee_twice(self):
        """Two payments of the same amount to one payee, in two batches."""
        first = self._sent(phone="+27713800001")
        second = self._sent(phone="+27713800001")
        self.assertEqual(*(first + second).payment_ids.mapped("account_number"))
        return first.payment_ids, second.payment_ids

    def test_two_candidates_are_named_and_not_guessed(self):
        first, second = self._same_payee_twice()
        line = self._read(self._line(first)).line_ids
        self.assertEqual((line.match, line.payment_id.id), ("unknown", False))
        self.assertIn(first.name, line.why)
        self.assertIn(second.name, line.why)

    def test_an_old_payment_that_is_still_open_is_a_candidate_too(self):
        first, second = self._same_payee_twice()
        first.batch_id.submission_ids.started_at -= timedelta(days=40)
        self.assertEqual(self._read(self._line(second)).line_ids.match, "unknown")

    def test_a_payment_that_is_over_is_a_candidate_while_the_line_may_be_its_own(self):
        first, second = self._same_payee_twice()
        self._say(first, PAID, remote_reference="h1")
        self.assertEqual(self._read(self._line(second)).line_ids.match, "unknown")
        first.batch_id.submission_ids.started_at -= timedelta(days=40)
        line = self._read(self._line(second, tx="b2")).line_ids
        self.assertEqual((line.match, line.payment_id), ("matched", second))

    def test_a_payment_through_another_gateway_is_a_candidate_too(self):
        first, second = self._same_payee_twice()
        other = self._gateway(name="Other")
        # PostgreSQL refuses it at the end of the transaction, so that is not reached.
        with self.env.cr.savepoint() as savepoint:
            self._sql("UPDATE g2p_payment SET gateway_id = %s WHERE id = %s", other.id, first.id)
            self.assertEqual(self._read(self._line(second)).line_ids.match, "unknown")
            savepoint.rollback()

    def test_only_a_payment_of_another_gateway(self):
        batch = self._sent()
        other = self._gateway(name="Other")
        mapping = self._mapping(gateway_id=other.id)
        evidence = self._upload(self._csv(self._line(batch.payment_ids)), gateway=other, mapping=mapping)
        self.assertEqual(evidence.line_ids.match, "unknown")

    def test_two_lines_for_one_payment(self):
        batch = self._sent()
        payment = batch.payment_ids
        evidence = self._read(self._line(payment, tx="b1"), self._line(payment, tx="b2"))
        self.assertEqual([told[0] for told in self._told(evidence)], ["unknown", "unknown"])

    def test_a_line_for_a_payment_that_another_line_names(self):
        batch = self._sent()
        payment = batch.payment_ids
        evidence = self._read(self._line(payment, tx="b1"), self._row(payment, tx="b2"))
        self.assertEqual([told[0] for told in self._told(evidence)], ["unknown", "matched"])

    def test_a_payment_that_is_over_is_not_paid_by_payee(self):
        batch = self._sent()
        self._say(batch.payment_ids, FAILED, reason="no")
        line = self._read(self._line(batch.payment_ids)).line_ids
        self.assertEqual(line.match, "unknown")
        self.assertIn("has its result already", line.why)

    def test_what_changed_since_the_preview_is_shown_before_anything_is_applied(self):
        batch = self._sent(phone="+27713800001")
        evidence = self._read(self._line(batch.payment_ids))
        self.assertEqual(evidence.line_ids.match, "matched")
        self._sent(phone="+27713800001")
        self.assertIn("changed", self._message(self._apply(evidence)))
        self.assertEqual((evidence.state, evidence.line_ids.match), ("matched", "unknown"))
        self.assertFalse(batch.payment_ids.status)
