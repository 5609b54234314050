"""Statements and result files: what is matched by reference."""

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from ..models.payment_evidence import APPLY, DECIDE
from .common import EXCEPTION, FAILED, HELD, PAID
from .common_evidence import EvidenceCase


@tagged("post_install", "-at_install")
class TestByReference(EvidenceCase):
    def test_nothing_changes_before_a_second_person_has_applied_it(self):
        batch = self._sent(3)
        paid, failed, _open = batch.payment_ids
        before = self._facts(batch)
        evidence = self._read(
            self._row(paid, tx="t1"), self._row(failed, "Rejected", tx="t2", code="AC04", why="closed")
        )
        self.assertEqual(evidence.state, "matched")
        self.assertEqual(
            self._told(evidence), [("matched", "reference", "pays"), ("matched", "reference", "fails")]
        )
        self.assertEqual(self._facts(batch), before)
        with self.assertRaisesRegex(UserError, "You uploaded this file"):
            self._apply(evidence, self.first)
        self.assertEqual(self._facts(batch), before)
        self._apply(evidence)
        self.assertEqual((evidence.state, evidence.applied_by_id), ("applied", self.second))
        self.assertEqual((paid.state, paid.status, paid.status_is_final), ("reconciled", "paid", True))
        self.assertEqual((paid.amount_paid, paid.payment_datetime.date()), (100, self.today))
        for zone in ("Pacific/Honolulu", "Pacific/Tongatapu"):
            there = fields.Datetime.context_timestamp(paid.with_context(tz=zone), paid.payment_datetime)
            self.assertEqual(there.date(), self.today, zone)
        self.assertEqual((failed.status, failed.failure_type), ("failed", "account_closed"))
        self.assertEqual((failed.failure_code, failed.failure_reason), ("AC04", "closed"))
        self.assertEqual(batch.batch_state, "sent", "one payment is still open")
        self.assertEqual((batch.stats_paid_transactions, batch.stats_failed_transactions), (1, 1))
        run = batch.reconciliation_ids
        self.assertEqual((run.origin, run.evidence_id, run.user_id), ("evidence", evidence, self.second))
        self.assertEqual((run.paid_count, run.paid_amount, run.became_final_count), (1, 100, 2))
        event = paid.event_ids.sorted("number")[-1]
        self.assertEqual((event.to_state, event.user_id), ("paid", self.second))
        applied = batch.event_ids.filtered(lambda one: one.digest == evidence.digest)
        self.assertIn(self.first.name, applied.why)
        self.assertFalse(batch.event_ids._first_broken(batch))
        self.assertEqual(paid.evidence_line_ids.evidence_id, evidence)

    def test_whoever_can_apply_it_is_called_until_somebody_has(self):
        batch = self._sent()
        evidence = self._read(self._row(batch.payment_ids))
        people = self.first + self.second + self.third
        self.assertEqual(evidence._called(APPLY) & people, people - evidence.uploaded_by_id)
        self._apply(evidence)
        self.assertFalse(evidence._called(APPLY))
        other = self._read(self._row(reference="x"))
        self.assertTrue(other._called(APPLY))
        other.with_user(self.second).action_discard()
        self.assertFalse(other._called(APPLY))

    def test_a_batch_is_done_when_the_statement_tells_of_each_payment(self):
        batch = self._sent(2)
        self._apply(self._upload(self._camt(*self._entries(batch.payment_ids)), mapping=False))
        self.assertEqual(set(batch.payment_ids.mapped("status")), {"paid"})
        self.assertEqual((batch.batch_state, batch.stats_paid_amount), ("done", 200))

    def _entries(self, payments):
        return [(payment.name, "100.00", "DBIT", f"bank-{number}") for number, payment in enumerate(payments)]

    def test_a_status_report(self):
        batch = self._sent(4)
        paid, failed, silent, waiting = batch.payment_ids
        evidence = self._upload(
            self._pain(
                (paid.name, "ACSC", "", "100.00"),
                (failed.name, "RJCT", "AM04", ""),
                (silent.name, "ACSC", "", ""),
                (waiting.name, "PDNG", "", "100.00"),
            ),
            mapping=False,
        )
        self.assertEqual(evidence.format, "pain_002")
        self.assertEqual([told[2] for told in self._told(evidence)], ["pays", "fails", "question", "none"])
        self._apply(evidence)
        self.assertEqual((paid.status, failed.status), ("paid", "failed"))
        self.assertEqual(failed.failure_type, "insufficient_funds")
        self.assertEqual((silent.status, waiting.status), (False, False))
        self.assertEqual(silent.exception_ids.type, "suspect", "said to be paid, but not how much")
        self.assertFalse(waiting.attention)

    def test_other_money_is_never_paid(self):
        batch = self._sent(3)
        less, other, small = batch.payment_ids
        evidence = self._read(
            self._row(less, amount="99.99"),
            self._row(other, currency="EUR"),
            self._row(small, "Rejected", amount="1.00"),
        )
        self.assertEqual({told[2] for told in self._told(evidence)}, {"question"})
        self._apply(evidence)
        for payment in batch.payment_ids:
            self.assertEqual((payment.status, payment.amount_paid), (False, 0))
            self.assertTrue(payment.attention)
        types = [payment.exception_ids.type for payment in (less, other, small)]
        self.assertEqual(types, ["money", "money", "suspect"])
        self.assertEqual(less.exception_ids.their_amount, 99.99)
        self.assertFalse(self._prepare(), "nobody is paid again on a doubt")

    def test_held_for_the_statement(self):
        """Closed loop: the hub's word leaves each open, and the bank's statement is the result."""
        batch = self._sent(2)
        self._say(batch.payment_ids, HELD, remote_reference="hub", reason_code="closed_loop")
        paid, other = batch.payment_ids
        self.assertFalse(paid.attention or other.attention or batch._has_statement())
        self._apply(
            self._upload(
                self._camt((paid.name, "100.00", "DBIT", "b1"), (other.name, "100.01", "DBIT", "b2")),
                mapping=False,
            )
        )
        self.assertTrue(batch._has_statement())
        self.assertEqual((paid.status, paid.attention), ("paid", False))
        self.assertEqual(paid.remote_reference, "hub", "what the hub calls it stays known")
        self.assertFalse(other.status)
        self.assertTrue(other.attention)
        self._say(paid, PAID, remote_reference="hub")
        self.assertFalse(paid.attention, "the hub says the same of the same transaction")

    def test_a_failure_does_not_overrule_the_hub_that_calls_it_completed(self):
        batch = self._sent()
        self._say(batch.payment_ids, HELD, remote_reference="hub", reason_code="closed_loop")
        evidence = self._read(self._row(batch.payment_ids, "Rejected"))
        self.assertEqual(self._told(evidence)[0][2], "question")
        self._apply(evidence)
        self.assertFalse(batch.payment_ids.status, "people decide the exception")
        self.assertTrue(batch.payment_ids.attention)

    def test_final_never_moves(self):
        batch = self._sent(3)
        failed, paid, agreed = batch.payment_ids
        self.hub.tell(failed, FAILED, remote_reference="h1", reason="no")
        self.hub.tell(paid, PAID, remote_reference="h2")
        self.hub.tell(agreed, PAID, remote_reference="h3")
        self._pull(batch)
        self.assertEqual(batch.batch_state, "done")
        evidence = self._read(
            self._row(failed, tx="b1"), self._row(paid, "Rejected", tx="b2"), self._row(agreed, tx="b3")
        )
        self.assertEqual([told[2] for told in self._told(evidence)], ["question", "question", "agrees"])
        self._apply(evidence)
        self.assertEqual((failed.status, paid.status, agreed.status), ("failed", "paid", "paid"))
        self.assertTrue(failed.attention and paid.attention)
        self.assertFalse(agreed.attention)
        self.assertEqual(batch.batch_state, "sent", "open again")
        self.assertFalse(self._prepare())

    def test_a_return_reopens_nothing_by_itself(self):
        batch = self._sent()
        payment = batch.payment_ids
        self._apply(self._upload(self._camt((payment.name, "100.00", "DBIT", "b1")), mapping=False))
        self.assertEqual(payment.status, "paid")
        back = self._upload(self._camt((payment.name, "100.00", "CRDT", "b2")), mapping=False)
        self.assertEqual(back.line_ids.status, "returned")
        self._apply(back)
        self.assertEqual(payment.status, "paid")
        self.assertEqual(self._exceptions(batch).type, "returned")
        self.assertFalse(self._prepare())

    def test_paid_and_returned_in_one_statement(self):
        batch = self._sent()
        name = batch.payment_ids.name
        content = self._camt((name, "100.00", "DBIT", "b1"), (name, "100.00", "CRDT", "b2"))
        self._apply(self._upload(content, mapping=False))
        self.assertFalse(batch.payment_ids.status)
        self.assertEqual(self._exceptions(batch).type, "returned")

    def test_what_was_never_sent_is_an_exception(self):
        batch = self._sent()
        evidence = self._read(self._row(reference="somebody-else", amount="7.00", to="+99"))
        self.assertEqual(self._told(evidence), [("unknown", False, "question")])
        self.assertIn("never sent", evidence.line_ids.why)
        before = self._facts(batch)
        self._apply(evidence)
        self.assertEqual(self._facts(batch), before)
        stranger = self.env[EXCEPTION].search([("reference", "=", "somebody-else")])
        self.assertEqual((stranger.type, stranger.gateway_id), ("stranger", self.gateway))
        self.assertEqual((stranger.their_amount, stranger.their_currency), (7, "USD"))
        self.assertIn("statement.csv, line 2", stranger.summary)

    def test_who_applied_it_is_called_until_what_belongs_to_no_batch_is_decided(self):
        evidence = self._read(self._row(reference="somebody-else"), self._row(reference="another"))
        self._apply(evidence)
        one, other = strangers = self.env[EXCEPTION].search([("evidence_id", "=", evidence.id)])
        self.assertEqual((strangers.batch_id.ids, strangers.user_id), ([], self.second))
        self.assertEqual(evidence._called(DECIDE), self.second)
        self.assertEqual(self.env[EXCEPTION].search(evidence.action_open_exceptions()["domain"]), strangers)
        self._propose(one, "keep_as_is", "The bank's fees", user=self.third)
        self.assertEqual(evidence._called(DECIDE), self.second)
        self._propose(other, "keep_as_is", "The rent", user=self.third)
        self.assertFalse(evidence._called(DECIDE))
        self._undo(other, "take_back", self.first)
        self.assertEqual(evidence._called(DECIDE), self.second)

    def test_money_that_came_in_is_no_exception(self):
        before = self.env[EXCEPTION].search_count([])
        mapping = self._mapping(
            name="Bank", status_column=False, paid_words=False, failed_words=False, paid_sign="negative"
        )
        evidence = self._upload(self._csv(self._row(amount="500.00")), mapping=mapping)
        self.assertEqual(evidence.line_ids.status, "other")
        self._apply(evidence)
        self.assertEqual(self.env[EXCEPTION].search_count([]), before)

    def test_a_payment_that_was_not_sent_is_not_paid(self):
        """A reference out of our own database proves nothing was paid before it was sent."""
        batch = self._prepared(1)
        evidence = self._read(self._row(batch.payment_ids))
        self.assertEqual(self._told(evidence), [("unknown", False, "question")])
        self.assertIn("nobody knows yet that it was sent", evidence.line_ids.why)
        self._apply(evidence)
        self.assertEqual((batch.payment_ids.status, batch.batch_state), (False, "to_approve"))
        self.assertEqual(batch.payment_ids.exception_ids.type, "stranger")
        self.assertTrue(batch.payment_ids.attention)
        self.assertTrue(batch.activity_ids, "somebody is called")

    def test_what_a_statement_shows_as_paid_is_not_sent_after_that(self):
        """As when a backup was restored that had forgotten that it was sent."""
        batch = self._approved(1)
        self._apply(self._read(self._row(batch.payment_ids)))
        self._send(batch)
        self.assertEqual((self.hub.uploads, batch.batch_state), (0, "approved"))
        self.assertIn("may have been paid already", batch.last_answer or batch.message_ids[0].body)

    def test_what_was_given_up_and_paid_after_all_is_not_paid_again(self):
        batch = self._prepared(1)
        payment = batch.payment_ids
        batch.with_user(self.manager_user).action_cancel()
        self.assertEqual(payment.status, "failed")
        self._apply(self._read(self._row(payment, tx="t1")))
        self.assertEqual(payment.status, "failed")
        self.assertTrue(payment.attention)
        self.assertFalse(self._prepare())

    def test_another_gateways_payment_is_not_this_gateways(self):
        other = self._gateway(name="Other")
        mapping = self._mapping(gateway_id=other.id)
        batch = self._sent()
        evidence = self._upload(self._csv(self._row(batch.payment_ids)), gateway=other, mapping=mapping)
        self.assertEqual(self._told(evidence), [("unknown", False, "question")])
        self.assertIn("another gateway", evidence.line_ids.why)

    def test_lines_that_cannot_be_read_are_kept_and_the_others_are_applied(self):
        batch = self._sent(2)
        good, bad = batch.payment_ids
        evidence = self._read(self._row(good), self._row(bad, "Splendid"))
        self.assertEqual(
            self._told(evidence), [("matched", "reference", "pays"), ("unknown", False, "question")]
        )
        self.assertIn("Splendid", evidence.line_ids.sorted("id")[1].why)
        self._apply(evidence)
        self.assertEqual((good.status, bad.status), ("paid", False))

    def test_a_reference_has_to_be_the_same_to_the_letter(self):
        batch = self._sent()
        evidence = self._read(self._row(reference=batch.payment_ids.name[:-1]))
        self.assertEqual(evidence.line_ids.match, "unknown")
