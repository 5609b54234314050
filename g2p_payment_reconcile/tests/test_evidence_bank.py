"""Evidence that comes from banks: ZIP archives, MT940, charges, sums, and records that cannot be read."""

import base64
import io
import zipfile

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..evidence.lines import EvidenceError, EvidenceLine, Fault, FaultKind, Problem
from .common import EXCEPTION
from .common_evidence import EVIDENCE, UPLOAD, EvidenceCase


@tagged("post_install", "-at_install")
class TestBankFiles(EvidenceCase):
    def _zip(self, **members):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name.replace("_", "."), content)
        return packed.getvalue()

    def _upload_zip(self, content, mapping=False):
        """The action of the wizard."""
        wizard = (
            self.env[UPLOAD]
            .with_user(self.first)
            .create(
                {
                    "gateway_id": self.gateway.id,
                    "mapping_id": mapping and mapping.id,
                    "file": base64.b64encode(content),
                    "filename": "bank.zip",
                }
            )
        )
        return wizard.action_upload()

    def _mt940(self, *entries):
        """Entries of (reference, mark, amount, type)."""
        day = self.today.strftime("%y%m%d")
        texts = [
            f":61:{day}{day[2:]}{mark}{amount}{kind}NONREF//B{number}\n:86:/EREF/{reference}/NAME/Amina\n"
            for number, (reference, mark, amount, kind) in enumerate(entries)
        ]
        head = f":20:S1\n:25:1\n:28C:1/1\n:60F:C{day}USD1000,00\n"
        return (head + "".join(texts) + f":62F:C{day}USD800,00\n-").encode()

    def _charged(self, reference, amount, own):
        return (
            self._camt((reference, amount, "DBIT", own))
            .decode()
            .replace(
                "<BkTxCd/>",
                "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>CHRG</SubFmlyCd></Fmly></Domn></BkTxCd>",
            )
        )

    def test_zip_with_one_statement_opens_it(self):
        batch = self._sent()
        content = self._camt((batch.payment_ids.name, "100.00", "DBIT", "b1"))
        action = self._upload_zip(self._zip(statement_xml=content))
        evidence = self.env[EVIDENCE].browse(action["res_id"])
        self.assertEqual((evidence.name, evidence.format), ("statement.xml", "camt_053"))
        self.assertEqual(self._told(evidence), [("matched", "reference", "pays")])
        with self.assertRaisesRegex(UserError, "uploaded this very file already"):
            self._upload(content, mapping=False)

    def test_zip_reads_each_file_and_names_the_others(self):
        batch = self._sent(2)
        first, second = batch.payment_ids
        action = self._upload_zip(
            self._zip(
                statement_xml=self._camt((first.name, "100.00", "DBIT", "b1")),
                result_csv=self._csv(self._row(second)),
                letter_pdf=b"%PDF-1.7",
            ),
            self.mapping,
        )
        self.assertEqual(action["tag"], "display_notification")
        self.assertIn("letter.pdf was not taken", action["params"]["message"])
        evidence = self.env[EVIDENCE].search(action["params"]["next"].get("domain") or [])
        self.assertEqual(set(evidence.mapped("format")), {"camt_053", "csv"})
        self.assertEqual(evidence.line_ids.payment_id, batch.payment_ids)

    def test_zip_of_nothing_to_read_says_why(self):
        with self.assertRaisesRegex(UserError, "letter.pdf was not taken.*no bank message"):
            self._upload_zip(self._zip(letter_pdf=b"%PDF-1.7"))
        with self.assertRaisesRegex(UserError, "another archive"):
            self._upload_zip(self._zip(inner_zip=self._zip(a_xml=b"<a/>")))
        with self.assertRaisesRegex(UserError, "damaged"):
            self._upload_zip(self._zip(a_xml=b"<a/>")[:40])

    def test_every_problem_has_a_sentence(self):
        evidence = self.env[EVIDENCE]
        for problem in Problem:
            of_line = evidence._line_sentence(EvidenceLine(number=1, problem=problem, problem_detail="x"))
            self.assertTrue(of_line or evidence._file_sentence(EvidenceError(problem, 1, "x")), problem)
        for kind in FaultKind:
            fault = Fault(kind=kind, element="Amt", parent="Ntry", line=7)
            line = EvidenceLine(number=1, problem=Problem.SCHEMA, fault=fault)
            self.assertIn("Line 7 of the file", self.env[EVIDENCE]._line_sentence(line), kind)
            self.assertIn("<Amt>", self.env[EVIDENCE]._line_sentence(line), kind)

    def test_mt940_pays_and_a_reversed_debit_is_a_return(self):
        batch = self._sent(2)
        paid, back = batch.payment_ids
        evidence = self._upload(
            self._mt940(
                (paid.name, "D", "100,00", "NTRF"),
                (back.name, "D", "100,00", "NTRF"),
                (back.name, "RD", "100,00", "NTRF"),
                (paid.name, "D", "0,25", "NCHG"),
            ),
            mapping=False,
        )
        self.assertEqual((evidence.format, evidence.accounts), ("mt940", "1"))
        self.assertEqual(evidence.line_ids.sorted("id").mapped("status"), ["paid", "paid", "returned", "fee"])
        self._apply(evidence)
        self.assertEqual((paid.status, paid.attention, paid.amount_paid), ("paid", False, 100))
        self.assertEqual((back.status, self._exceptions(batch).type), (False, "returned"))

    def test_a_bad_record_among_good_holds_its_payment_only(self):
        batch = self._sent(3)
        first, bad, last = batch.payment_ids
        entries = [(payment.name, "100.00", "DBIT", f"b{payment.id}") for payment in batch.payment_ids]
        content = self._camt(*entries).decode()
        place = content.index("<CdtDbtInd>DBIT", content.index(first.name))
        content = content[:place] + content[place:].replace("<CdtDbtInd>DBIT", "<CdtDbtInd>BOTH", 1)
        evidence = self._upload(content.encode(), mapping=False)
        self.assertEqual([told[2] for told in self._told(evidence)], ["pays", "question", "pays"])
        why = evidence.line_ids.sorted("id")[1].why
        self.assertIn("<CdtDbtInd>", why)
        self.assertIn("CRDT, DBIT", why)
        self.assertNotIn("__", why)
        self._apply(evidence)
        self.assertEqual((first.status, bad.status, last.status), ("paid", False, "paid"))
        self.assertTrue(bad.attention)

    def test_a_charge_for_a_payment_is_no_second_payment(self):
        batch = self._sent()
        payment = batch.payment_ids
        self._apply(self._upload(self._camt((payment.name, "100.00", "DBIT", "b1")), mapping=False))
        charge = self._upload(self._charged(payment.name, "0.25", "b2").encode(), mapping=False)
        self.assertEqual(self._told(charge), [("matched", "reference", "none")])
        self.assertEqual(charge.line_ids.payment_id, payment)
        self._apply(charge)
        self.assertEqual((payment.status, payment.attention), ("paid", False))
        self.assertFalse(self._exceptions(batch))

    def test_a_charge_as_high_as_its_payment_is_a_question(self):
        batch = self._sent()
        charge = self._upload(self._charged(batch.payment_ids.name, "100.00", "b2").encode(), mapping=False)
        self.assertEqual(self._told(charge), [("unknown", False, "question")])
        self._apply(charge)
        self.assertFalse(batch.payment_ids.status)
        self.assertTrue(batch.payment_ids.attention)

    def test_a_charge_of_the_account_is_nobodys(self):
        before = self.env[EXCEPTION].search_count([])
        content = self._charged("NOTPROVIDED", "12.00", "b3").encode()
        self._apply(self._upload(content, mapping=False))
        self.assertEqual(self.env[EXCEPTION].search_count([]), before)

    def _collective(self, payments, own="c1", kind="notification"):
        """One entry for all of them, with their details, or as a statement without."""
        details = "".join(
            f"<TxDtls><Refs><EndToEndId>{payment.name}</EndToEndId></Refs><AmtDtls><TxAmt>"
            '<Amt Ccy="USD">100.00</Amt></TxAmt></AmtDtls></TxDtls>'
            for payment in payments
        )
        make = self._notification if kind == "notification" else self._camt
        content = make(("x", f"{100 * len(payments)}.00", "DBIT", own)).decode()
        start, end = content.index("<NtryDtls>"), content.index("</NtryDtls>") + len("</NtryDtls>")
        told = f"<NtryDtls>{details}</NtryDtls>" if kind == "notification" else ""
        return (content[:start] + told + content[end:]).encode()

    def test_a_sum_that_follows_its_details_is_no_stranger(self):
        batch = self._sent(2)
        self._apply(self._upload(self._collective(batch.payment_ids), mapping=False))
        self.assertEqual(set(batch.payment_ids.mapped("status")), {"paid"})
        before = self.env[EXCEPTION].search_count([])
        statement = self._upload(self._collective(batch.payment_ids, kind="statement"), mapping=False)
        self.assertEqual(self._told(statement), [("duplicate", "sum", "none")])
        self._apply(statement)
        self.assertEqual(self.env[EXCEPTION].search_count([]), before)

    def test_a_second_sum_or_another_booking_is_a_question(self):
        batch = self._sent(2)
        self._apply(self._upload(self._collective(batch.payment_ids), mapping=False))
        other = self._upload(self._collective(batch.payment_ids, own="c9", kind="statement"), mapping=False)
        self.assertEqual(self._told(other), [("unknown", False, "question")], "the bank calls it otherwise")
        self._apply(self._upload(self._collective(batch.payment_ids, kind="statement"), mapping=False))
        again = self._collective(batch.payment_ids, kind="statement").replace(
            b"<RvslInd>false</RvslInd>", b""
        )
        again = again.replace(b"<AcctSvcrRef>c1</AcctSvcrRef>", b"")
        again = self._upload(again, mapping=False)
        self.assertEqual(self._told(again), [("unknown", False, "question")], "one explains one")

    def _bare(self, amount, told=""):
        """A statement with one booking without reference, payee and number; `told` in its text."""
        content = self._camt(("NOTPROVIDED", amount, "DBIT", "x")).decode()
        content = content.replace("<AcctSvcrRef>x</AcctSvcrRef>", "")
        text = f"<RmtInf><Ustrd>{told}</Ustrd></RmtInf>" if told else ""
        return content.replace("</Refs>", f"</Refs>{text}").encode()

    def test_a_booking_whose_text_names_a_payment_is_no_sum(self):
        batch = self._sent(2)
        first, second = batch.payment_ids
        self._apply(self._upload(self._notification((first.name, "100.00", "DBIT", "b1")), mapping=False))
        evidence = self._upload(self._bare("100.00", f"GRANT {second.name}"), mapping=False)
        self.assertEqual(self._told(evidence), [("matched", "reference", "pays")])
        self.assertEqual(evidence.line_ids.payment_id, second)

    def test_a_second_statement_is_no_sum_of_the_first(self):
        batch = self._sent()
        payment = batch.payment_ids
        self._apply(self._upload(self._camt((payment.name, "100.00", "DBIT", "b1")), mapping=False))
        evidence = self._upload(self._bare("100.00"), mapping=False)
        self.assertEqual(self._told(evidence), [("unknown", False, "question")])

    def test_a_rejected_message_names_its_batch(self):
        batch = self._sent()
        content = (
            self._pain((batch.payment_ids.name, "ACSC", "", ""))
            .decode()
            .replace("<OrgnlPmtInfId>1", "<OrgnlPmtInfId>" + batch.name)
        )
        start, end = content.index("<TxInfAndSts>"), content.index("</TxInfAndSts>") + len("</TxInfAndSts>")
        content = content[:start] + "<PmtInfSts>RJCT</PmtInfSts>" + content[end:]
        evidence = self._upload(content.encode(), mapping=False)
        self.assertIn(batch.name, evidence.line_ids.why)
        self.assertEqual((evidence.line_ids.batch_id, evidence.line_ids.effect), (batch, "question"))
        self._apply(evidence)
        self.assertFalse(batch.payment_ids.status)
        self.assertEqual(self._exceptions(batch).type, "stranger")
