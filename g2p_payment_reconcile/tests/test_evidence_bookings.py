"""The same booking told once more, or another: what the bank's numbers are worth."""

from datetime import timedelta

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import EXCEPTION, PAID
from .common_evidence import EvidenceCase


@tagged("post_install", "-at_install")
class TestBookings(EvidenceCase):
    def _statement(self, *entries, name="2026-S-4711"):
        """A statement that has a name of its own."""
        return self._camt(*entries).replace(b"<Stmt><Id>1<", f"<Stmt><Id>{name}<".encode())

    def _applied(self, content, repeats=None):
        evidence = self._upload(content, mapping=False)
        if repeats:
            getattr(evidence.with_user(self.second), f"action_repeats_{repeats}")()
            self.env.invalidate_all()
        self._apply(evidence)
        self.assertEqual(evidence.state, "applied")
        return evidence

    def _open(self, batch):
        return self._exceptions(batch).filtered(lambda exception: exception.state == "open")

    def test_second_booking_of_one_day_under_a_filler_comes_up(self):
        fillers = ("NONREF", "not provided", "0101", "-", "0", "17")
        batch = self._sent(len(fillers))
        entries = [
            (payment.name, "100.00", "DBIT", own)
            for own, payment in zip(fillers, batch.payment_ids, strict=True)
        ]
        self._applied(self._statement(*entries, *entries))
        for own, payment in zip(fillers, batch.payment_ids, strict=True):
            self.assertEqual((payment.exception_ids.type, payment.status), ("twice", False), own)

    def test_second_booking_of_another_day_under_a_filler_comes_up(self):
        numbers = ("NONREF", "NOTPROVIDED", "0101", "3", "COLLECTIVE-9")
        batch = self._sent(len(numbers))
        entries = [
            (payment.name, "100.00", "DBIT", own)
            for own, payment in zip(numbers, batch.payment_ids, strict=True)
        ]
        self._applied(self._statement(*entries))
        self.assertEqual(set(batch.payment_ids.mapped("status")), {"paid"})
        self.today += timedelta(days=1)
        self._applied(self._statement(*entries, name="2026-S-4712"))
        for own, payment in zip(numbers, batch.payment_ids, strict=True):
            self.assertEqual((payment.exception_ids.type, payment.status), ("twice", "paid"), own)

    def test_second_return_under_a_filler_comes_up(self):
        batch = self._sent()
        payment = batch.payment_ids
        self._say(payment, PAID, remote_reference="hub")
        for indicator, decision in (("CRDT", "reverse"), ("DBIT", "declare_paid")):
            self._applied(self._statement((payment.name, "100.00", indicator, "NONREF")))
            self._decide(self._open(batch), decision)
        self.assertEqual((payment.status, payment.attention), ("paid", False))
        self.today += timedelta(days=1)
        self._applied(self._statement((payment.name, "100.00", "CRDT", "NONREF")))
        self.assertEqual(self._open(batch).type, "returned")
        self.assertFalse(self._prepare())

    def test_number_of_a_collective_booking_names_none_of_it(self):
        batch = self._sent(2)
        first, second = batch.payment_ids
        entries = [(payment.name, "100.00", "DBIT", "COLL-7") for payment in (first, second, second)]
        self._applied(self._statement(*entries))
        self.assertEqual((first.status, second.status), ("paid", False))
        self.assertEqual(second.exception_ids.type, "twice")
        self.assertFalse(first.exception_ids)

    def test_running_numbers_of_each_statement_name_nothing(self):
        batch = self._sent(3)
        names = batch.payment_ids.mapped("name")
        told = [(name, "100.00", "DBIT", f"{number}") for number, name in enumerate(names, 1)]
        self._applied(self._statement(*told))
        self.assertEqual(set(batch.payment_ids.mapped("status")), {"paid"})
        self.today += timedelta(days=1)
        self._applied(self._statement((names[2], "100.00", "DBIT", "1"), name="2026-S-4712"))
        self.assertEqual(batch.payment_ids[2].exception_ids.type, "twice")
        self.assertFalse((batch.payment_ids - batch.payment_ids[2]).exception_ids)

    def test_our_own_reference_where_the_banks_should_be_names_none(self):
        batch = self._sent()
        name = batch.payment_ids.name
        self._applied(self._statement((name, "100.00", "DBIT", name), (name, "100.00", "DBIT", name)))
        self.assertEqual(self._exceptions(batch).type, "twice")
        batch = self._sent()
        entry = ("NOTPROVIDED", "100.00", "DBIT", batch.payment_ids.name.lower())
        evidence = self._upload(self._statement(entry, entry, name="S-4713"), mapping=False)
        self.assertEqual(evidence.line_ids.payment_id, batch.payment_ids)
        evidence.with_user(self.second).action_repeats_again()
        self._apply(evidence)
        self.assertEqual(self._exceptions(batch).type, "twice")

    def test_statement_told_again_under_its_name_gives_nothing_new(self):
        batch = self._sent(2)
        entries = [(payment.name, "100.00", "DBIT", "NONREF") for payment in batch.payment_ids]
        self._applied(self._statement(*entries))
        again = self._applied(self._statement(*entries) + b"\n")
        self.assertEqual({told[0] for told in self._told(again)}, {"duplicate"})
        self.assertFalse(self._exceptions(batch))

    def test_file_of_the_very_same_lines_gives_nothing_new(self):
        batch = self._sent(2)
        rows = [self._row(payment, tx="-") for payment in batch.payment_ids]
        rows += [self._row("", status="Open", reference="theirs", tx="FT-1")]
        self._apply(self._read(*rows))
        again = self._upload(self._csv(*rows) + b"\n\n")
        self.assertEqual([told[0] for told in self._told(again)][:2], ["duplicate", "duplicate"])
        self._apply(again)
        self.assertFalse(self._exceptions(batch))

    def test_same_line_under_no_number_of_the_bank_is_asked_about(self):
        """A bank that gives a file for each booking, as of an order that was processed twice."""
        batch = self._sent()
        for ending, repeats in ((b"", False), (b"\n\n", "again")):
            evidence = self._upload(self._csv(self._row(batch.payment_ids)) + ending)
            self.assertEqual(evidence.repeated_count, bool(repeats))
            if repeats:
                evidence.with_user(self.second).action_repeats_again()
            self._apply(evidence)
        self.assertEqual(self._exceptions(batch).type, "twice")

    def test_doubt_that_was_decided_does_not_hide_a_second_booking(self):
        batch = self._sent()
        payment = batch.payment_ids
        row = self._row(reference=payment.name[:-1])
        self._apply(self._read(row))
        self._decide(self._open(batch), "declare_paid")
        again = self._read(row, self._row(reference="x"))
        self.assertEqual(again.repeated_count, 1)
        again.with_user(self.first).action_repeats_again()
        self._apply(again)
        self.assertEqual((self._open(batch).type, bool(payment.attention)), ("suspect", True))

    def test_overlap_with_the_banks_own_numbers_gives_nothing_new(self):
        batch = self._sent(3)
        told = [(payment.name, "100.00", "DBIT", f"FT-{payment.id}") for payment in batch.payment_ids]
        self._applied(self._statement(*told[:2]))
        later = self._applied(self._statement(*told, name="2026-S-4712"))
        self.assertEqual([line[0] for line in self._told(later)], ["duplicate", "duplicate", "matched"])
        self.assertFalse(self._exceptions(batch))

    def test_lines_that_repeat_others_wait_for_the_word_of_a_person(self):
        batch = self._sent(3)
        rows = [self._row(payment) for payment in batch.payment_ids]
        self._apply(self._read(*rows[:2]))
        for answer, matches, count in (("same", "duplicate", 2), ("again", "matched", 3)):
            later = self._read(*rows, self._row(reference=f"x-{answer}"))
            self.assertEqual(later.repeated_count, count)
            with self.assertRaisesRegex(UserError, "same bookings"):
                self._apply(later)
            with self.assertRaisesRegex(UserError, "Only a finance validator"):
                later.with_user(self.manager_user).action_repeats_same()
            getattr(later.with_user(self.first), f"action_repeats_{answer}")()
            self.env.invalidate_all()
            self.assertEqual({line.match for line in later.line_ids.sorted("id")[:2]}, {matches})
            self._apply(later)
            found = self._exceptions(batch)
            self.assertEqual(found.mapped("type"), [] if answer == "same" else ["twice"] * 3)
        self.assertEqual(set(batch.payment_ids.mapped("status")), {"paid"})

    def test_notification_of_a_second_booking_of_the_day_is_asked_about(self):
        """The whole batch was processed twice by the bank, which numbers nothing."""
        batch = self._sent(2)
        entries = [(payment.name, "100.00", "DBIT", "NONREF") for payment in batch.payment_ids]
        for name in ("N-4711", "N-4712"):
            content = self._notification(*entries).replace(b"<Ntfctn><Id>1<", f"<Ntfctn><Id>{name}<".encode())
            evidence = self._applied(content, repeats="again" if name == "N-4712" else None)
        self.assertEqual({told[2] for told in self._told(evidence)}, {"question"})
        self.assertEqual(self._exceptions(batch).mapped("type"), ["twice", "twice"])

    def test_equal_payments_to_strangers_under_a_filler_stay_apart(self):
        before = self.env[EXCEPTION].search_count([])
        self._apply(self._read(*[self._row(reference="theirs", tx="NONREF") for _number in range(2)]))
        self.assertEqual(self.env[EXCEPTION].search_count([]), before + 2)

    def test_filler_where_our_reference_should_be_looks_at_the_payee(self):
        fillers = ("NONREF", "Not provided", "000000", "N/A", "-", "UNKNOWN", "EREF+NOTPROVIDED")
        batch = self._sent(len(fillers))
        evidence = self._read(
            *(
                self._row(reference=filler, to=payment.account_number, tx=f"FT-{payment.id}")
                for filler, payment in zip(fillers, batch.payment_ids, strict=True)
            )
        )
        self.assertEqual(set(self._told(evidence)), {("matched", "payee", "pays")})
        self.assertFalse(any(evidence.line_ids.mapped("reference")))
        self._apply(evidence)
        self.assertEqual(set(batch.payment_ids.mapped("status")), {"paid"})
