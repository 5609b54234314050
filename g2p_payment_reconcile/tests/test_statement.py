import csv
import io
import zipfile
from decimal import Decimal

from lxml import etree

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import BaseCase, HttpCase, tagged

from odoo.addons.g2p_payment_hub.client.outcomes import FailureType, OutcomeStatus

from ..models.statement_files import Section, guarded, to_csv, to_xlsx
from .common_reissue import StatementCase

_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def amounts(*texts):
    """Approved, paid, returned, fees; 0.00 for those that are not given."""
    return [Decimal(text) for text in (*texts, *["0.00"] * (4 - len(texts)))]


def csv_rows(content):
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def sheets(content):
    """The cells of a spreadsheet: a list of rows for each sheet, (type, text) for each cell."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        strings = ["".join(item.itertext()) for item in etree.fromstring(book.read("xl/sharedStrings.xml"))]
        names = sorted(name for name in book.namelist() if name.startswith("xl/worksheets/sheet"))
        return [_sheet(etree.fromstring(book.read(name)), strings) for name in names]


def _sheet(root, strings):
    rows = []
    for row in root.iter(f"{_SHEET}row"):
        cells = []
        for cell in row:
            if cell.find(f"{_SHEET}f") is not None:
                raise AssertionError("a formula")
            value = cell.findtext(f"{_SHEET}v")
            text = cell.get("t") == "s"
            cells.append(("text", strings[int(value)]) if text else ("number", Decimal(value)))
        rows.append(cells)
    return rows


@tagged("post_install", "-at_install")
class TestStatement(StatementCase):
    """What finance hands to the auditor."""

    def test_totals_add_up_to_what_was_approved(self):
        batch, *_payments = self._story()
        self.assertEqual(
            self._sections(batch)["totals"].rows,
            [
                ["Paid", 2, *amounts("200.00", "200.00")],
                ["Failed", 1, *amounts("100.00")],
                ["Waiting for a result", 1, *amounts("100.00")],
                ["Unresolved: in front of a person", 0, *amounts()],
                ["Not sent yet", 0, *amounts()],
                ["All", 4, *amounts("400.00", "200.00")],
            ],
        )

    def test_fees_and_what_came_back(self):
        batch = self._sent()
        kept, returned = batch.payment_ids
        self.hub.tell(kept, OutcomeStatus.PAID, remote_reference="r1", fee=Decimal("1.25"))
        self.hub.tell(returned, OutcomeStatus.PAID, remote_reference="r2", fee=Decimal("0.75"))
        self._pull(batch)
        self.hub.told.clear()
        back = {"failure_type": FailureType.RETURNED, "amount": Decimal("97.50")}
        self.hub.tell(returned, OutcomeStatus.FAILED, remote_reference="r2", **back)
        self._pull(batch)
        self._decides(returned.exception_ids, "reverse")
        sections = self._sections(batch)
        rows = {row[0]: row[1:] for row in sections["totals"].rows}
        self.assertEqual(rows["Paid"], [1, *amounts("100.00", "100.00", "0.00", "1.25")])
        self.assertEqual(rows["Failed"], [1, *amounts("100.00", "0.00", "97.50", "0.75")])
        self.assertEqual(rows["All"], [2, *amounts("200.00", "100.00", "97.50", "2.00")])
        (row,) = sections["returns"].rows
        self.assertEqual((row[0], row[2:4]), (returned.name, amounts("100.00", "97.50")[:2]))
        self.assertEqual(batch.fee_total, 2, "as on the page of the batch")

    def test_who_and_when_and_the_fingerprint(self):
        batch, *_payments = self._story()
        facts = dict(self._sections(batch)["facts"].rows)
        self.assertEqual(facts["SHA-256 of the file"], batch.frozen_digest)
        self.assertEqual(
            (facts["Prepared by"], facts["Approved by"], facts["Sent by"]),
            (self.manager_user.name, self.finance_user.name, self.finance_user.name),
        )
        self.assertEqual((facts["Batch"], facts["Cycle"]), (batch.name, self.cycle.name))
        for moment in ("Prepared on", "Approved on", "Sent on", "Accepted on", "Printed on"):
            self.assertTrue(facts[moment], moment)
        self.assertIn("whole", facts["Audit trail"])
        self.assertIn(batch.event_head, facts["Audit trail"])

    def test_the_head_of_the_trail_can_be_verified_later(self):
        batch, *_payments = self._story()
        anchor = self.env["g2p.payment.audit.anchor"]._make()
        facts = dict(self._sections(batch)["facts"].rows)
        number, digest = facts["Last event"].removeprefix("No. "), facts["Hash of the last event"]
        self.assertTrue(facts["Time of the last event"])
        wizard = self.env["g2p.payment.audit.verify.wizard"].with_user(self.finance_user)
        wizard = wizard.create({"number": int(number), "hash": digest})
        wizard.action_verify()
        self.assertEqual(wizard.found, "yes")
        self.assertIn(f"No. {anchor.number} of ", facts["Last anchor of all trails"])
        self.assertIn(anchor.hash, facts["Last anchor of all trails"])

    def test_a_payment_that_differs_from_the_trail_is_said(self):
        batch, paid, *_payments = self._story()
        self._sql("UPDATE g2p_payment SET amount_paid = 7 WHERE id = %s", paid.id)
        sentence = dict(self._sections(batch)["facts"].rows)["Audit trail"]
        self.assertIn("1 facts DIFFER", sentence)
        self.assertIn(paid.name, sentence)

    def test_a_broken_audit_trail_is_said(self):
        batch, *_payments = self._story()
        self._sql("UPDATE g2p_payment_event SET why = 'x' WHERE batch_id = %s AND number = 2", batch.id)
        self.assertIn("BROKEN at event 2", dict(self._sections(batch)["facts"].rows)["Audit trail"])

    def test_times_are_the_readers(self):
        batch, *_payments = self._story()
        self._sql("UPDATE g2p_payment_batch SET approved_at = '2026-03-01 22:30:00' WHERE id = %s", batch.id)
        self.finance_user.tz = "Asia/Kolkata"
        facts = dict(self._sections(batch)["facts"].rows)
        self.assertEqual(
            (facts["Approved on"], facts["Times are in"]), ("2026-03-02 04:00:00", "Asia/Kolkata")
        )

    def test_what_came_up_in_the_answer_about_another_batch(self):
        """A decision about a payment stands in the statement of its batch, wherever it came up."""
        batch = self._sent()
        self._entitle_others(1)
        other = self._prepare()
        self._approve(other)
        self._send(other)
        payment = batch.payment_ids[0]
        self._fails(payment)
        self._pull(batch)
        self.hub.tell(payment, OutcomeStatus.PAID, remote_reference="r1")
        self._pull(other)
        self._decides(payment.exception_ids, "declare_paid")
        (row,) = self._sections(batch)["exceptions"].rows
        self.assertEqual((row[1], row[5]), (payment.name, "Declare Paid"))
        self.assertFalse(self._sections(other)["exceptions"].rows)

    def test_payments_exceptions_and_reissues(self):
        batch, paid, failed, doubt, waiting = self._story()
        sections = self._sections(batch)
        rows = {row[0]: row for row in sections["payments"].rows}
        self.assertEqual(list(rows), [one.name for one in (paid, failed, doubt, waiting)])
        self.assertEqual(rows[paid.name][3:6], [Decimal("100.00"), Decimal("100.00"), "Paid"])
        self.assertEqual(rows[failed.name][9:11], ["Technical", "no"])
        self.assertEqual(
            [row[:3] for row in sections["failures"].rows], [["Technical", 1, Decimal("100.00")]]
        )
        ((*_facts, decision, reason, decided, confirmed, closed, evidence),) = sections["exceptions"].rows
        self.assertEqual((decision, reason, evidence), ("Declare Paid", "Letter of the bank", "Letter"))
        self.assertEqual((decided, confirmed), (self.finance_user.name, self.users["finance"].name))
        self.assertTrue(closed)
        again = failed.reissue_ids
        self.assertEqual(
            sections["reissues"].rows,
            [[failed.name, batch.name, again.name, again.batch_id.name, Decimal("100.00"), "Not sent yet"]],
        )
        self.assertEqual(self._sections(again.batch_id)["reissues"].rows, sections["reissues"].rows)
        self.assertEqual([row[2:6] for row in sections["runs"].rows], [["Payment System", "", 2, 1]])
        self.assertIn("Approved", [row[4] for row in sections["trail"].rows])

    def test_printed(self):
        batch, paid, *_payments = self._story()
        report = self.env["ir.actions.report"].with_user(self.finance_user)
        html, kind = report._render_qweb_html("g2p_payment_reconcile.payment_batch_statement", batch.ids)
        text = html.decode()
        self.assertEqual(kind, "html")
        for expected in (batch.name, batch.frozen_digest, paid.name, "400.00", "Letter of the bank"):
            self.assertIn(expected, text)

    def test_currencies_with_other_digits(self):
        batch, *_payments = self._story()
        for code, expected in (("JPY", "100"), ("KWD", "100.000")):
            currency = self.env["res.currency"].with_context(active_test=False).search([("name", "=", code)])
            self._sql(
                "UPDATE g2p_payment_batch SET batch_currency_id = %s WHERE id = %s", currency.id, batch.id
            )
            self._sql(
                "UPDATE g2p_payment SET payment_currency_id = %s WHERE batch_id = %s", currency.id, batch.id
            )
            _name, _kind, content = batch.with_user(self.finance_user)._statement_file("csv")
            paid = next(row for row in csv_rows(content) if row[:1] == ["All"])
            self.assertEqual(paid[3], f"{Decimal(expected) * 2}")

    def test_files_hold_the_same_as_the_statement(self):
        batch, *_payments = self._story()
        sections = batch.with_user(self.finance_user)._statement()
        name, _kind, content = batch.with_user(self.finance_user)._statement_file("csv")
        self.assertEqual(name, f"statement-{batch.name.replace('/', '-')}.csv")
        rows = csv_rows(content)
        for section in sections:
            start = rows.index([section.title])
            self.assertEqual(rows[start + 1], section.columns)
            shown = rows[start + 2 : start + 2 + len(section.rows)]
            if section is not sections[0]:  # which says when it was printed
                self.assertEqual(shown, [[str(cell) for cell in row] for row in section.rows])
        _name, _kind, content = batch.with_user(self.finance_user)._statement_file("xlsx")
        book = sheets(content)
        self.assertEqual(len(book), len(sections))
        self.assertEqual(book[1][-1][2:4], [("number", Decimal(400)), ("number", Decimal(200))])

    def test_what_looks_like_a_formula_is_text(self):
        batch, paid, *_payments = self._story()
        paid.partner_id.name = '=HYPERLINK("http://x.example","click")'
        for kind in ("csv", "xlsx"):
            _name, _kind, content = batch.with_user(self.finance_user)._statement_file(kind)
            cells = (
                [cell for row in csv_rows(content) for cell in row]
                if kind == "csv"
                else [cell for sheet in sheets(content) for row in sheet for _type, cell in row]
            )
            self.assertIn(f"'{paid.partner_id.name}", cells)
            self.assertNotIn(paid.partner_id.name, cells)

    def test_who_may(self):
        batch = self._sent()
        may = {"finance", "manager", "admin"}
        for method in ("action_statement_csv", "action_statement_xlsx", "action_statement_pdf", "_statement"):
            self._only(may, lambda _none, user, method=method: getattr(batch.with_user(user), method)())
        report = self.env["ir.actions.report"]
        self._only(
            may,
            lambda _none, user: report.with_user(user)._render_qweb_html(
                "g2p_payment_reconcile.payment_batch_statement", batch.ids
            ),
        )

    def test_not_of_another_company(self):
        batch = self._sent()
        company = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = self._user("stranger", "g2p_programs.g2p_finance_validator")
        stranger.write({"company_ids": [Command.set(company.ids)], "company_id": company.id})
        with self.assertRaises(AccessError):
            batch.with_user(stranger)._statement()


@tagged("post_install", "-at_install")
class TestFiles(BaseCase):
    def test_guarded(self):
        for text in ("=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", " =1"):
            self.assertEqual(guarded(text), f"'{text}")
        for cell in ("27713800001", "a=b", "", Decimal("-1.50"), 7):
            self.assertEqual(guarded(cell), cell)

    def test_amounts_are_exact(self):
        amounts = [Decimal("0.10"), Decimal("-12345678901.23"), Decimal("100"), Decimal("1.005")]
        section = Section("Money", ["Amount"], [[amount] for amount in amounts])
        self.assertEqual([Decimal(row[0]) for row in csv_rows(to_csv([section]))[2:]], amounts)
        self.assertEqual(
            [row[0] for row in sheets(to_xlsx([section]))[0][1:]], [("number", one) for one in amounts]
        )


@tagged("post_install", "-at_install")
class TestDownload(StatementCase, HttpCase):
    def _get(self, login, batch, kind):
        self.authenticate(login, login)
        return self.url_open(f"/g2p_payment/statement/{batch.id}/{kind}")

    def test_download(self):
        batch, paid, *_payments = self._story()
        for kind in ("csv", "xlsx"):
            answer = self._get(self.finance_user.login, batch, kind)
            self.assertEqual(answer.status_code, 200)
            self.assertIn(
                f"statement-{batch.name.replace('/', '-')}.{kind}", answer.headers["Content-Disposition"]
            )
            self.assertEqual(answer.headers["Cache-Control"], "no-store")
        self.assertIn(paid.name, self._get(self.finance_user.login, batch, "csv").text)

    def test_nothing_for_others(self):
        batch, paid, *_payments = self._story()
        for role in ("plain", "registrar", "validator", "gateway_admin"):
            for kind in ("csv", "xlsx"):
                answer = self._get(self.users[role].login, batch, kind)
                self.assertEqual(answer.status_code, 403, role)
                self.assertNotIn(paid.name, answer.text)
        self.logout()
        answer = self.url_open(f"/g2p_payment/statement/{batch.id}/csv", allow_redirects=False)
        self.assertEqual(answer.status_code, 303)

    def test_nothing_that_is_not_there(self):
        batch, *_payments = self._story()
        self.assertEqual(self._get(self.finance_user.login, batch, "pdf").status_code, 404)
        self.assertEqual(self.url_open("/g2p_payment/statement/999999999/csv").status_code, 404)
