"""Statements and result files: what is told twice, and what happened twice."""

from datetime import timedelta

from psycopg2.errors import UniqueViolation

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import EXCEPTION, PAID, SUSPECT
from .common_evidence import EvidenceCase


@tagged("post_install", "-at_install")
class TestTwice(EvidenceCase):
    def test_two_bookings_of_one_payment_in_one_file(self):
        batch = self._sent()
        evidence = self._read(self._row(batch.payment_ids, tx="b1"), self._row(batch.payment_ids, tx="b2"))
        self.assertEqual({told[2] for told in self._told(evidence)}, {"question"})
        self._apply(evidence)
        self.assertFalse(batch.payment_ids.status)
        self.assertEqual(self._exceptions(batch).type, "twice")

    def test_a_second_booking_in_a_later_file(self):
        for known in ("", "hub"):
            with self.subTest(known):
                batch = self._sent()
                payment = batch.payment_ids
                if known:
                    self._say(payment, SUSPECT, remote_reference=known, reason_code="closed_loop")
                self._apply(self._read(self._row(payment, tx=f"b1{known}")))
                self.assertEqual((payment.status, payment.attention), ("paid", False))
                later = self._read(self._row(payment, tx=f"b2{known}"))
                self.assertEqual(self._told(later), [("matched", "reference", "question")])
                self._apply(later)
                self.assertEqual(payment.status, "paid")
                open_ones = self._exceptions(batch).filtered(lambda one: one.state == "open")
                self.assertEqual(open_ones.type, "twice")
                self.assertEqual(open_ones.their_reference, f"b2{known}")

    def test_a_running_number_is_no_name_of_a_booking(self):
        """Many banks count the entries of each statement from one."""
        batch = self._sent()
        payment = batch.payment_ids

        def statement():
            told = self._camt((payment.name, "100.00", "DBIT", "x")).decode()
            told = told.replace("<AcctSvcrRef>x</AcctSvcrRef>", "")
            return told.replace("<Ntry>", "<Ntry><NtryRef>1</NtryRef>").encode()

        self._apply(self._upload(statement(), mapping=False))
        self.assertEqual(payment.status, "paid")
        self.today += timedelta(days=1)
        self._apply(self._upload(statement(), mapping=False))
        self.assertEqual(self._exceptions(batch).type, "twice")

    def test_a_second_return_in_a_later_file(self):
        """The bank paid it once more after it had come back, and it came back again."""
        batch = self._sent()
        payment = batch.payment_ids
        self._say(payment, PAID, remote_reference="hub")
        for indicator, own, decision in (("CRDT", "b2", "reverse"), ("DBIT", "b3", "declare_paid")):
            self._apply(self._upload(self._camt((payment.name, "100.00", indicator, own)), mapping=False))
            self._decide(self._exceptions(batch).filtered(lambda one: one.state == "open"), decision)
        self.assertEqual((payment.status, payment.attention), ("paid", False))
        # What a bank tells again under its own number is no other return.
        told = (payment.name, "100.00", "CRDT", "b2"), (payment.name, "100.00", "CRDT", "b4")
        self._apply(self._upload(self._camt(*told), mapping=False))
        again = self._exceptions(batch).filtered(lambda one: one.state == "open")
        self.assertEqual((again.type, again.their_reference), ("returned", "b4"))
        self.assertFalse(self._prepare())
        self._decide(again, "reverse")
        self.assertEqual((payment.status, payment.returned_amount), ("failed", 100))

    def test_the_same_lines_again_are_duplicates(self):
        batch = self._sent(2)
        first, second = batch.payment_ids
        self._apply(self._read(self._row(first, tx="b1")))
        again = self._read(self._row(first, tx="b1"), self._row(second, tx="b2"))
        self.assertEqual(self._told(again), [("duplicate", False, "none"), ("matched", "reference", "pays")])
        self.assertIn("statement.csv", again.line_ids.sorted("id")[0].why)
        self._apply(again)
        self.assertEqual(set(batch.payment_ids.mapped("status")), {"paid"})
        self.assertFalse(self._exceptions(batch))

    def test_a_line_that_the_bank_shows_twice_under_its_own_number(self):
        batch = self._sent()
        row = self._row(batch.payment_ids, tx="b1")
        evidence = self._read(row, row)
        self.assertEqual([told[0] for told in self._told(evidence)], ["matched", "duplicate"])

    def test_two_equal_bookings_without_a_number_are_two(self):
        batch = self._sent()
        row = self._row(batch.payment_ids)
        self._apply(self._read(row, row))
        self.assertFalse(batch.payment_ids.status)
        self.assertEqual(self._exceptions(batch).type, "twice")

    def test_another_kind_of_file_tells_of_the_same_transaction(self):
        batch = self._sent()
        payment = batch.payment_ids
        self._apply(self._read(self._row(payment, tx="h1")))
        statement = self._upload(self._camt((payment.name, "100.00", "DBIT", "b1")), mapping=False)
        self.assertEqual(self._told(statement), [("matched", "reference", "agrees")])
        self._apply(statement)
        self.assertFalse(payment.attention)

    def test_a_notification_and_then_the_statement_of_the_same_day(self):
        batch = self._sent(2)
        first, second = batch.payment_ids
        notified = self._upload(self._notification((first.name, "100.00", "DBIT", "n1")), mapping=False)
        self.assertEqual(notified.format, "camt_054")
        self._apply(notified)
        self.assertEqual(first.status, "paid")
        statement = self._camt(
            (first.name, "100.00", "DBIT", "b1"),
            (second.name, "100.00", "DBIT", "b2"),
        )
        stated = self._upload(statement, mapping=False)
        self.assertEqual([told[2] for told in self._told(stated)], ["agrees", "pays"])
        self._apply(stated)
        self.assertEqual(set(batch.payment_ids.mapped("status")), {"paid"})
        self.assertFalse(self._exceptions(batch), "one booking told twice is no second payment")

    def test_a_hubs_result_file_that_names_another_transaction(self):
        self.mapping.same_references = True
        batch = self._sent(2)
        same, other = batch.payment_ids
        self._say(same, PAID, remote_reference="h1")
        self._say(other, PAID, remote_reference="h2")
        evidence = self._read(self._row(same, tx="h1"), self._row(other, tx="h9"))
        self.assertEqual([told[2] for told in self._told(evidence)], ["agrees", "question"])
        self._apply(evidence)
        self.assertFalse(same.attention)
        self.assertEqual(other.exception_ids.type, "twice")

    def test_what_was_unknown_is_matched_when_it_can_be(self):
        row = self._row(reference="", to="+27713800009")
        self._apply(self._read(row))
        batch = self._sent(phone="+27713800009")
        again = self._read(row, self._row(reference="x"))
        self.assertEqual(again.line_ids.sorted("id")[0].payment_id, batch.payment_ids)

    def test_equal_payments_to_strangers_stay_apart(self):
        before = self.env[EXCEPTION].search_count([])
        rows = [self._row(reference="", to=f"+99{number}") for number in (1, 2, 2)]
        self._apply(self._read(*rows))
        self.assertEqual(self.env[EXCEPTION].search_count([]), before + 3)
        self._apply(self._read(*rows, self._row(reference="", to="+994")))
        self.assertEqual(self.env[EXCEPTION].search_count([]), before + 4, "each is told once")

    def test_a_status_that_is_reported_again_is_no_second_payment(self):
        batch = self._sent()
        name = batch.payment_ids.name
        self._apply(self._upload(self._pain((name, "ACSC", "", "100.00")), mapping=False))
        again = self._upload(
            self._pain((name, "ACSC", "", "100.00"), (name, "ACCP", "", "100.00")), mapping=False
        )
        self._apply(again)
        self.assertEqual((batch.payment_ids.status, batch.payment_ids.attention), ("paid", False))

    def test_the_same_file_twice_is_said(self):
        batch = self._sent()
        first = self._read(self._row(batch.payment_ids))
        with self.assertRaisesRegex(UserError, "uploaded this very file already"):
            self._read(self._row(batch.payment_ids), user=self.second)
        first.with_user(self.second).action_discard()
        self.assertEqual(first.state, "discarded")
        self.assertEqual(self._read(self._row(batch.payment_ids)).state, "matched")

    @mute_logger("odoo.sql_db")
    def test_postgresql_refuses_the_same_file_too(self):
        one = self._read(self._row(reference="x"))
        other = self._read(self._row(reference="y"))
        with self.assertRaises(UniqueViolation), self.env.cr.savepoint():
            self._sql("UPDATE g2p_payment_evidence SET digest = %s WHERE id = %s", one.digest, other.id)

    def test_what_only_waited_in_a_discarded_file_is_not_a_duplicate(self):
        batch = self._sent()
        self._read(self._row(batch.payment_ids), self._row(reference="x")).with_user(
            self.first
        ).action_discard()
        self.assertEqual(self._read(self._row(batch.payment_ids)).line_ids.match, "matched")
