"""Statements and result files: what is matched, what is left to people, and who may do what."""

import base64
from datetime import timedelta
from unittest.mock import patch

from psycopg2.errors import CheckViolation, UniqueViolation

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, HttpCase, tagged
from odoo.tools import mute_logger

from odoo.addons.g2p_payment_hub.tests.common import PaymentHubCase
from odoo.addons.g2p_payment_hub.tests.test_rights import RightsCase
from odoo.addons.queue_job.tests.common import trap_jobs

from ..models import payment_evidence
from .common import EXCEPTION, FAILED, PAID, SUSPECT, DecisionCase

# Opens the first of the list, and presses Apply and Ok.
APPLY_ON_THE_SCREEN = """
(async () => {
    const there = async (selector) => {
        for (let turn = 0; turn < 300; turn++) {
            const found = document.querySelector(selector);
            if (found) { return found; }
            await new Promise((resolve) => setTimeout(resolve, 100));
        }
        throw new Error(`there is no ${selector}`);
    };
    try {
        (await there(".o_list_view .o_data_row .o_data_cell[name=name]")).click();
        await there(".o_form_view .o_field_widget[name=line_ids] .o_data_row");
        (await there("button[name=action_apply]")).click();
        (await there(".modal .btn-primary")).click();
        await there(".o_form_view .o_field_widget[name=applied_by_id]");
        console.log("test successful");
    } catch (error) {
        console.error(String(error));
    }
})();
"""
EVIDENCE = "g2p.payment.evidence"
MAPPING = "g2p.payment.evidence.mapping"
UPLOAD = "g2p.payment.evidence.upload.wizard"
HEADER = "ref,tx,to,amount,currency,status,day,code,why"


class EvidenceCase(DecisionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mapping = cls._mapping()
        cls.today = fields.Date.today()

    @classmethod
    def _mapping(cls, **values):
        return cls.env[MAPPING].create(
            {
                "name": "Hub's result file",
                "gateway_id": cls.gateway.id,
                "reference_column": "ref",
                "remote_reference_column": "tx",
                "payee_column": "to",
                "amount_column": "amount",
                "currency_column": "currency",
                "status_column": "status",
                "date_column": "day",
                "reason_code_column": "code",
                "reason_column": "why",
                "paid_words": "Done",
                "failed_words": "Rejected",
                "returned_words": "Returned",
                "waiting_words": "Open",
                **values,
            }
        )

    def _row(
        self,
        payment=None,
        status="Done",
        reference=None,
        tx="",
        to="",
        amount="100.00",
        currency="USD",
        day=None,
        code="",
        why="",
    ):
        reference = payment.name if payment and reference is None else reference or ""
        return f"{reference},{tx},{to},{amount},{currency},{status},{day or self.today},{code},{why}"

    def _csv(self, *rows):
        return "\n".join([HEADER, *rows]).encode()

    def _upload(self, content, user=None, mapping=True, name="statement.csv", gateway=None):
        """What the wizard does."""
        gateway = gateway or self.gateway
        wizard = (
            self.env[UPLOAD]
            .with_user(user or self.first)
            .create(
                {
                    "gateway_id": gateway.id,
                    "mapping_id": self.mapping.id if mapping is True else mapping and mapping.id,
                    "file": base64.b64encode(content),
                    "filename": name,
                }
            )
        )
        evidence = self.env[EVIDENCE].browse(wizard.action_upload()["res_id"])
        self.env.flush_all()
        self.env.invalidate_all()
        return evidence

    def _read(self, *rows, **values):
        return self._upload(self._csv(*rows), **values)

    def _apply(self, evidence, user=None):
        """What the button does, with what the page shows."""
        as_seen = evidence.with_user(user or self.second).with_context(preview=evidence.preview)
        result = as_seen.action_apply()
        self.env.flush_all()
        self.env.invalidate_all()
        return result

    def _told(self, evidence):
        return [(line.match, line.basis, line.effect) for line in evidence.line_ids.sorted("id")]

    def _facts(self, batch):
        names = ("state", "status", "status_is_final", "amount_paid", "failure_reason", "attention")
        return batch.payment_ids.sorted("id").read(names) + batch.read(["batch_state", "stats_paid_amount"])

    def _camt(self, *entries):
        """A bank statement; entries of (reference, amount, indicator, bank's number)."""
        texts = [
            f'<Ntry><Amt Ccy="USD">{amount}</Amt><CdtDbtInd>{indicator}</CdtDbtInd>'
            f"<RvslInd>{'true' if indicator == 'CRDT' else 'false'}</RvslInd><Sts>BOOK</Sts>"
            f"<BookgDt><Dt>{self.today}</Dt></BookgDt><AcctSvcrRef>{own}</AcctSvcrRef><BkTxCd/><NtryDtls>"
            f"<TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>"
            for reference, amount, indicator, own in entries
        ]
        return self._bank_message(
            "camt.053.001.02",
            "BkToCstmrStmt",
            "<Stmt><Id>1</Id><CreDtTm>2026-01-01T00:00:00</CreDtTm><Acct><Id><Othr><Id>1</Id></Othr></Id></Acct>"
            + "".join(texts)
            + "</Stmt>",
        )

    def _pain(self, *transactions):
        """A status report; transactions of (reference, status, reason code, amount)."""
        texts = [
            f"<TxInfAndSts><OrgnlEndToEndId>{reference}</OrgnlEndToEndId><TxSts>{status}</TxSts>"
            + (f"<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>" if code else "")
            + (
                f'<OrgnlTxRef><Amt><InstdAmt Ccy="USD">{amount}</InstdAmt></Amt></OrgnlTxRef>'
                if amount
                else ""
            )
            + "</TxInfAndSts>"
            for reference, status, code, amount in transactions
        ]
        return self._bank_message(
            "pain.002.001.03",
            "CstmrPmtStsRpt",
            "<OrgnlGrpInfAndSts><OrgnlMsgId>1</OrgnlMsgId><OrgnlMsgNmId>pain.001</OrgnlMsgNmId>"
            "</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>1</OrgnlPmtInfId>"
            + "".join(texts)
            + "</OrgnlPmtInfAndSts>",
        )

    def _bank_message(self, kind, root, content):
        head = "<GrpHdr><MsgId>1</MsgId><CreDtTm>2026-01-01T00:00:00</CreDtTm></GrpHdr>"
        namespace = f"urn:iso:std:iso:20022:tech:xsd:{kind}"
        return f'<Document xmlns="{namespace}"><{root}>{head}{content}</{root}></Document>'.encode()


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
        self.assertTrue(silent.attention, "said to be paid, but not how much")
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
        """Closed loop: the hub's word is a doubt for each, and the bank's statement is the result."""
        batch = self._sent(2)
        self._say(batch.payment_ids, SUSPECT, remote_reference="hub", reason_code="closed_loop")
        paid, other = batch.payment_ids
        self.assertTrue(paid.attention and other.attention)
        self._apply(
            self._upload(
                self._camt((paid.name, "100.00", "DBIT", "b1"), (other.name, "100.01", "DBIT", "b2")),
                mapping=False,
            )
        )
        self.assertEqual((paid.status, paid.attention), ("paid", False))
        self.assertEqual(paid.remote_reference, "hub", "what the hub calls it stays known")
        self.assertFalse(other.status)
        self.assertTrue(other.attention)
        self._say(paid, PAID, remote_reference="hub")
        self.assertFalse(paid.attention, "the hub says the same of the same transaction")

    def test_a_failure_does_not_overrule_the_hub_that_calls_it_completed(self):
        batch = self._sent()
        self._say(batch.payment_ids, SUSPECT, remote_reference="hub", reason_code="closed_loop")
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

    def test_money_that_came_in_is_no_exception(self):
        before = self.env[EXCEPTION].search_count([])
        mapping = self._mapping(name="Bank", status_column=False, paid_words=False, failed_words=False)
        evidence = self._upload(self._csv(self._row(amount="500.00")), mapping=mapping)
        self.assertEqual(evidence.line_ids.status, "other")
        self._apply(evidence)
        self.assertEqual(self.env[EXCEPTION].search_count([]), before)

    def test_a_payment_that_was_not_sent_is_not_paid(self):
        """A reference out of our own database proves nothing was paid before it was sent."""
        self._entitle(1)
        batch = self._prepare()
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
        self._entitle(1)
        batch = self._prepare()
        self._approve(batch)
        self._apply(self._read(self._row(batch.payment_ids)))
        self._send(batch)
        self.assertEqual((self.hub.uploads, batch.batch_state), (0, "approved"))
        self.assertIn("may have been paid already", batch.last_answer or batch.message_ids[0].body)

    def test_what_was_given_up_and_paid_after_all_is_not_paid_again(self):
        self._entitle(1)
        batch = self._prepare()
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
        self.assertEqual(self._told(evidence), [("matched", "reference", "pays"), ("unknown", False, "none")])
        self.assertIn("Splendid", evidence.line_ids.sorted("id")[1].why)
        self._apply(evidence)
        self.assertEqual((good.status, bad.status), ("paid", False))

    def test_a_reference_has_to_be_the_same_to_the_letter(self):
        batch = self._sent()
        evidence = self._read(self._row(reference=batch.payment_ids.name[:-1]))
        self.assertEqual(evidence.line_ids.match, "unknown")


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
                self._apply(self._read(self._row(payment, tx="b1")))
                self.assertEqual((payment.status, payment.attention), ("paid", False))
                later = self._read(self._row(payment, tx="b2"))
                self.assertEqual(self._told(later), [("matched", "reference", "question")])
                self._apply(later)
                self.assertEqual(payment.status, "paid")
                open_ones = self._exceptions(batch).filtered(lambda one: one.state == "open")
                self.assertEqual(open_ones.type, "twice")
                self.assertEqual(open_ones.their_reference, "b2")

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
        self._sql("UPDATE g2p_payment SET gateway_id = %s WHERE id = %s", other.id, first.id)
        self.assertEqual(self._read(self._line(second)).line_ids.match, "unknown")

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


@tagged("post_install", "-at_install")
class TestPreview(EvidenceCase):
    def test_the_preview_is_what_applying_does(self):
        """Whatever was told before: the effect that is shown is the one that comes."""
        batch = self._sent(8)
        payments = batch.payment_ids
        self.hub.tell(payments[0], PAID, remote_reference="h0")
        self.hub.tell(payments[1], FAILED, remote_reference="h1", reason="no")
        self.hub.tell(payments[2], SUSPECT, remote_reference="h2")
        self.hub.tell(payments[3], SUSPECT, remote_reference="h3")
        self._pull(batch)
        rows = [self._row(payments[number], tx=f"b{number}") for number in (0, 1, 2, 4)]
        rows += [self._row(payments[number], "Rejected", tx=f"b{number}") for number in (3, 5)]
        rows += [self._row(payments[6], amount="1"), self._row(payments[7], "Returned")]
        evidence = self._read(*rows)
        shown = {line.payment_id: line.effect for line in evidence.line_ids}
        before = {payment: payment.status for payment in payments}
        raised = {payment: len(payment.exception_ids) for payment in payments}
        self._apply(evidence)
        for payment, effect in shown.items():
            came = "agrees"
            if not before[payment] and payment.status:
                came = {"paid": "pays", "failed": "fails"}[payment.status]
            elif len(payment.exception_ids) > raised[payment] or payment.attention:
                came = "question"
            self.assertEqual(effect, came, payment.name)
        self.assertEqual(set(shown.values()), {"agrees", "pays", "fails", "question"})

    def test_totals(self):
        batch = self._sent(2)
        evidence = self._read(
            self._row(batch.payment_ids[0], amount="100.00"), self._row(reference="x", amount="0.10")
        )
        self.assertIn("100.00 USD", evidence.totals)
        self.assertIn("0.10 USD", evidence.totals)
        self.assertEqual(
            (evidence.line_count, evidence.matched_count, evidence.unknown_count, evidence.duplicate_count),
            (2, 1, 1, 0),
        )

    def test_hostile_texts_are_only_texts(self):
        evidence = self._read(self._row(reference="x", currency="<B>", why="<script>"), name="<b>.csv")
        self.assertIn("&lt;B&gt;", evidence.totals)
        self.assertNotIn("<B>", evidence.totals)

    def test_files_that_cannot_be_read_are_said_and_leave_nothing(self):
        before = self.env[EVIDENCE].search_count([])
        for content, mapping, sentence in (
            (b"", False, "not an XML file"),
            (b"<Document/>", False, "another kind"),
            (b"<!DOCTYPE a [<!ENTITY a 'b'>]><a>&a;</a>", False, "document type"),
            (b"a,b\n1,2", True, "line 1.*no column ref"),
            (HEADER.encode() + b"\nR1,\xff", True, "Line 2 has letters"),
            (HEADER.encode() + b'\nR1,"x', True, "Line 2 is not CSV"),
            (HEADER.encode(), True, "nothing in this file"),
        ):
            with self.subTest(sentence), self.assertRaisesRegex(UserError, f"(?i){sentence}"):
                with self.env.cr.savepoint():
                    self._upload(content, mapping=mapping)
        self.assertEqual(self.env[EVIDENCE].search_count([]), before)

    def test_screens_open(self):
        evidence = self._read(self._row(self._sent().payment_ids))
        for user in (self.first, self.manager_user):
            Form(evidence.with_user(user))
            Form(evidence.line_ids.with_user(user))
            Form(evidence.line_ids.payment_id.with_user(user))
        Form(self.env[UPLOAD].with_user(self.first))

    def test_a_job_that_died_is_not_the_end(self):
        batch = self._sent()
        evidence = self._read(self._row(batch.payment_ids))
        with patch.object(payment_evidence, "SYNC_LINES", 0), trap_jobs() as jobs:
            self._apply(evidence)
            evidence.with_user(self.second).action_match_again()
            self.assertEqual((evidence.state, evidence.applied_by_id.id), ("matched", False))
            jobs.perform_enqueued_jobs()
        self.assertEqual((evidence.state, batch.payment_ids.status), ("matched", False))

    def test_what_is_large_is_read_and_applied_by_jobs(self):
        batch = self._sent()
        with patch.object(payment_evidence, "SYNC_BYTES", 10), trap_jobs() as jobs:
            evidence = self._read(self._row(batch.payment_ids))
            self.assertEqual(evidence.state, "draft")
            jobs.perform_enqueued_jobs()
        self.assertEqual(evidence.state, "matched")
        with patch.object(payment_evidence, "SYNC_LINES", 0), trap_jobs() as jobs:
            self._apply(evidence)
            self.assertEqual((evidence.state, batch.payment_ids.status), ("applying", False))
            with self.assertRaisesRegex(UserError, "Only evidence in preview"):
                self._apply(evidence, self.third)
            jobs.perform_enqueued_jobs()
            jobs.perform_enqueued_jobs()
        self.env.invalidate_all()
        self.assertEqual((evidence.state, evidence.applied_by_id), ("applied", self.second))
        self.assertEqual(batch.payment_ids.status, "paid")

    def test_a_job_that_cannot_read_the_file_says_so(self):
        with patch.object(payment_evidence, "SYNC_BYTES", 10), trap_jobs() as jobs:
            evidence = self._upload(b"a,b\n1,2,3,4,5,6,7")
            jobs.perform_enqueued_jobs()
        self.assertEqual(evidence.state, "discarded")
        self.assertIn("no column", evidence.read_problem)

    def test_a_page_that_shows_an_older_preview_applies_nothing(self):
        batch = self._sent(phone="+27713800001")
        evidence = self._read(self._row(to=batch.payment_ids.account_number))
        on_the_page = evidence.preview
        self._sent(phone="+27713800001")
        evidence.with_user(self.third).action_match_again()
        for preview in (on_the_page, False):
            with self.assertRaisesRegex(UserError, "changed since you opened it"):
                evidence.with_user(self.second).with_context(preview=preview).action_apply()
        self.assertFalse(batch.payment_ids.status)

    def test_texts_of_any_length(self):
        long = "x" * 30_000
        evidence = self._read(self._row(reference=long, tx=long, to=long, currency=long, code=long, why=long))
        self._apply(evidence)
        self.assertEqual(evidence.state, "applied")

    def test_a_job_applies_nothing_that_was_not_seen(self):
        batch = self._sent(phone="+27713800001")
        payment = batch.payment_ids
        evidence = self._read(self._row(to=payment.account_number))
        with patch.object(payment_evidence, "SYNC_LINES", 0), trap_jobs() as jobs:
            self._apply(evidence)
            self._sent(phone="+27713800001")
            jobs.perform_enqueued_jobs()
        self.assertEqual((evidence.state, evidence.applied_by_id.id), ("matched", False))
        self.assertFalse(payment.status)

    def test_a_batch_that_somebody_works_on_is_left_alone(self):
        batch = self._sent()
        evidence = self._read(self._row(batch.payment_ids))
        busy = UserError("Somebody else is working on this batch right now.")
        with patch.object(type(batch), "_lock", side_effect=busy):
            with self.assertRaisesRegex(UserError, "Somebody else"):
                self._apply(evidence)
        self.assertEqual((evidence.state, batch.payment_ids.status), ("matched", False))

    def test_as_many_statements_for_many_lines_as_for_few(self):
        counts = []
        for size in (5, 60):
            batch = self._sent(size)
            rows = [self._row(payment, tx=payment.name) for payment in batch.payment_ids]
            rows += [self._row(reference=f"x{size}-{number}") for number in range(size)]
            content = self._csv(*rows)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            evidence = self._upload(content)
            self._apply(evidence)
            counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(batch.batch_state, "done")
        self.assertLessEqual(counts[1], counts[0] + 4, counts)


@tagged("post_install", "-at_install")
class TestMapping(EvidenceCase):
    def test_it_is_tried_on_a_sample(self):
        form = Form(self.mapping)
        form.sample = base64.b64encode(
            self._csv(self._row(reference="<b>R1"), self._row(reference="R2", status="Splendid"))
        )
        self.assertIn("&lt;b&gt;R1", form.sample_result)
        self.assertIn("Paid", form.sample_result)
        self.assertIn("does not say what this status means: Splendid", form.sample_result)
        form.status_column = "nonsense"
        self.assertIn("no column nonsense", form.sample_result)

    def test_a_word_means_one_thing(self):
        with self.assertRaisesRegex(ValidationError, "two things"):
            self.mapping.failed_words = "rejected, DONE"

    def test_the_signs_differ(self):
        with self.assertRaisesRegex(ValidationError, "same sign"):
            self.mapping.write({"decimal_sign": ",", "thousands_sign": "comma"})

    def test_a_status_has_its_words(self):
        with self.assertRaisesRegex(ValidationError, "which words"):
            self.mapping.write({"paid_words": False, "failed_words": False})

    def test_a_banks_statement_in_another_dialect(self):
        batch = self._sent(amount=1234)
        mapping = self._mapping(
            name="Bank",
            delimiter="semicolon",
            encoding="cp1252",
            decimal_sign=",",
            thousands_sign="point",
            date_format="%d.%m.%Y",
            skip_lines=1,
            reference_column="Zweck",
            remote_reference_column=False,
            payee_column=False,
            amount_column="Betrag",
            currency_column=False,
            currency_id=self.env.ref("base.USD").id,
            status_column=False,
            paid_words=False,
            failed_words=False,
            returned_words=False,
            waiting_words=False,
            date_column="Tag",
            reason_code_column=False,
            reason_column=False,
        )
        text = f"Bänk\nTag;Zweck;Betrag\n{self.today:%d.%m.%Y};{batch.payment_ids.name};-1.234,00"
        self._apply(self._upload(text.encode("cp1252"), mapping=mapping))
        self.assertEqual((batch.payment_ids.status, batch.payment_ids.amount_paid), ("paid", 1234))


@tagged("post_install", "-at_install")
class TestEvidenceRights(EvidenceCase, RightsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Those that the tests of the other add-on prepare.
        cls.env["g2p.entitlement"].search([("cycle_id", "=", cls.cycle.id)]).state = "cancelled"

    def _sent(self, count=1, **values):
        """That of the tests of evidence: with entitlements of its own."""
        return PaymentHubCase._sent(self, count, **values)

    def test_who_may_upload(self):
        def upload(number, user):
            self._read(self._row(reference=f"R{number}"), user=user)

        self._only(("finance", "admin"), upload, make=iter(range(100)).__next__)

    def test_who_may_apply_and_discard(self):
        numbers = iter(range(100))

        def make():
            return self._read(self._row(reference=f"R{next(numbers)}"), user=self.third)

        for act in (
            lambda one, user: one.with_user(user).with_context(preview=one.preview).action_apply(),
            lambda one, user: one.with_user(user).action_discard(),
            lambda one, user: one.with_user(user).action_match_again(),
        ):
            self._only(("finance", "admin"), act, make)

    def test_who_may_look(self):
        evidence = self._read(self._row(reference="R"))

        def look(_nothing, user):
            evidence.with_user(user).read(["name", "totals"])
            evidence.with_user(user).line_ids.read(["why", "amount"])

        self._only(("finance", "admin", "manager"), look)

    def test_the_file_is_for_those_who_see_payment_files(self):
        evidence = self._read(self._row(reference="R"))

        def look(_nothing, user):
            evidence.with_user(user).read(["file"])
            evidence.with_user(user).line_ids.read(["raw", "payee"])

        self._only(("finance", "admin"), look)

    def test_nobody_writes_makes_or_deletes_them(self):
        evidence = self._read(self._row(self._sent().payment_ids))
        line = evidence.line_ids
        for act in (
            lambda user: evidence.with_user(user).write({"uploaded_by_id": self.third.id}),
            lambda user: evidence.with_user(user).write({"state": "applied", "applied_by_id": user.id}),
            lambda user: evidence.with_user(user).copy(),
            lambda user: evidence.with_user(user).unlink(),
            lambda user: line.with_user(user).write({"match": "matched", "effect": "pays"}),
            lambda user: line.with_user(user).copy(),
            lambda user: line.with_user(user).unlink(),
            lambda user: (
                self.env[EVIDENCE]
                .with_user(user)
                .create({"name": "x", "gateway_id": self.gateway.id, "digest": "x"})
            ),
            lambda user: (
                self.env["g2p.payment.evidence.line"]
                .with_user(user)
                .create({"evidence_id": evidence.id, "number": 9})
            ),
        ):
            self._only((), lambda _nothing, user, act=act: act(user))

    def test_evidence_is_never_deleted(self):
        with self.assertRaisesRegex(UserError, "never deleted"):
            self._read(self._row(reference="R")).sudo().unlink()

    def test_who_may_change_a_mapping(self):
        def change(_nothing, user):
            self.mapping.with_user(user).paid_words = "Rejected, Done"

        self.mapping.failed_words = "Nope"
        self._only(("admin", "gateway_admin"), change)

    def test_what_paid_means_is_in_the_chatter_when_it_changes(self):
        self.env.flush_all()
        self.cr.precommit.run()
        self.mapping.paid_words = "Done, Settled"
        self.env.flush_all()
        self.cr.precommit.run()
        self.assertTrue(self.mapping.message_ids.tracking_value_ids)

    def test_the_superuser_is_nobody(self):
        evidence = self._read(self._row(reference="R"))
        for act in (evidence.action_apply, evidence.action_discard):
            with self.assertRaisesRegex(AccessError, "superuser"):
                act()
        with self.assertRaisesRegex(AccessError, "superuser"):
            self.env[EVIDENCE]._upload(self.gateway, self.mapping, "x", b"x")

    @mute_logger("odoo.sql_db")
    def test_postgresql_asks_for_two_people_as_well(self):
        evidence = self._read(self._row(reference="R"))
        for applier in (self.first.id, None):
            with self.assertRaises(CheckViolation), self.env.cr.savepoint():
                self._sql(
                    "UPDATE g2p_payment_evidence SET state = 'applied', applied_by_id = %s WHERE id = %s",
                    applier,
                    evidence.id,
                )

    def test_nobody_uploads_for_a_gateway_of_another_company(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        gateway = self._gateway(name="Elsewhere", company_id=company.id)
        mapping = self._mapping(gateway_id=gateway.id)
        with self.assertRaises(AccessError):
            self.env[EVIDENCE].with_user(self.first)._upload(gateway, mapping, "x", self._csv(self._row()))
        evidence = self._read(self._row(reference="R"))
        self._sql("UPDATE g2p_payment_evidence SET company_id = %s", company.id)
        self._sql("UPDATE g2p_payment_evidence_line SET company_id = %s", company.id)
        self.assertFalse(self.env[EVIDENCE].with_user(self.second).search([]))
        with self.assertRaises(AccessError):
            evidence.with_user(self.second).action_apply()

    def test_the_mapping_is_this_gateways(self):
        other = self._gateway(name="Other")
        with self.assertRaisesRegex(UserError, "another gateway's"):
            self._upload(self._csv(self._row()), gateway=other)

    def test_applied_evidence_is_not_discarded(self):
        evidence = self._read(self._row(reference="R"))
        self._apply(evidence)
        with self.assertRaisesRegex(UserError, "cannot become"):
            evidence.with_user(self.second).action_discard()
        with self.assertRaisesRegex(UserError, "Only evidence in preview"):
            self._apply(evidence, self.third)


@tagged("post_install", "-at_install")
class TestEvidenceOnTheScreen(EvidenceCase, HttpCase):
    def test_the_page_says_which_preview_it_shows(self):
        batch = self._sent()
        evidence = self._read(self._row(batch.payment_ids))
        self.browser_js(
            "/web#action=g2p_payment_reconcile.payment_evidence_action",
            APPLY_ON_THE_SCREEN,
            login=self.second.login,
            timeout=120,
        )
        self.env.invalidate_all()
        self.assertEqual((evidence.state, evidence.applied_by_id), ("applied", self.second))
        self.assertEqual(batch.payment_ids.status, "paid")
