"""The statement as Odoo's report engine prints it."""

import io
from decimal import Decimal

from odoo.exceptions import AccessError
from odoo.tests import BaseCase, tagged
from odoo.tools.pdf import PdfFileReader

from ..models.payment_statement_file import REPORT
from ..models.statement_files import Section
from ..models.statement_paper import tables
from .common import SUSPECT
from .common_reissue import StatementCase

MANY = 110


@tagged("post_install", "-at_install")
class TestPaper(StatementCase):
    def _pages(self, batches, user=None):
        """The text of each page, with one blank wherever there are any."""
        report = self.env["ir.actions.report"].with_user(user or self.finance_user)
        content, kind = report.with_context(force_report_rendering=True)._render_qweb_pdf(REPORT, batches.ids)
        self.assertEqual((kind, content[:5]), ("pdf", b"%PDF-"))
        reader = PdfFileReader(io.BytesIO(content), strict=False)
        pages = [reader.getPage(number).extract_text() for number in range(reader.numPages)]
        return [" ".join(text.split()) for text in pages]

    def _long_story(self):
        """A batch of several pages: one failed, one was declared paid by two people, the others are paid."""
        self._entitle_others(MANY - 2)
        batch = self._sent()
        failed, doubt, *paid = batch.payment_ids.sorted("id")
        failed.partner_id.name = "Ağaç Ñandú O'Brien & Sons <Ltd>"
        self._pays(paid)
        self._fails(failed)
        self.hub.tell(doubt, SUSPECT, remote_reference="r9")
        self._pull(batch)
        self._decides(doubt.exception_ids, "declare_paid")
        return batch, failed

    def test_what_the_auditor_reads(self):
        batch, failed = self._long_story()
        pages = self._pages(batch)
        text = " ".join(pages)
        for fact in (
            "All 110 11,000.00 10,900.00",
            "Failed 1 100.00 0.00",
            f"SHA-256 of the file {batch.frozen_digest}",
            f"whole: 119 events, the last has the hash {batch.event_head}",
            f"Prepared by {self.manager_user.name}",
            f"Approved by {self.finance_user.name}",
            f"Sent by {self.finance_user.name}",
            f"{failed.name} {failed.partner_id.name} {failed.account_number} 100.00 0.00 Failed",
            "Declare Paid Letter of the bank",
        ):
            self.assertIn(fact, text)
        self.assertGreater(len(pages), 3)
        for number, page in enumerate(pages, start=1):
            self.assertTrue(
                page.endswith(f"{batch.name} {batch.frozen_digest} {number} / {len(pages)}"), page
            )
        with_payments = 0
        for page in pages:
            here = [
                payment
                for payment in batch.payment_ids
                if f"{payment.name} {payment.partner_id.name}" in page
            ]
            with_payments += len(here)
            if here:
                self.assertIn("Reference Beneficiary Payee identifier Amount approved", page)
        self.assertEqual(with_payments, MANY, "each payment is there once")

    def test_each_batch_is_a_document_of_its_own(self):
        self._entitle_others(MANY - 2)
        first, second = self._sent(), self._sent_again()
        pages = self._pages(first + second)
        feet = [[batch.name in page for page in pages] for batch in (first, second)]
        self.assertEqual([sum(foot) for foot in feet], [len(pages) - 2, 2])
        self.assertEqual([page[-5:] for page in pages[-2:]], ["1 / 2", "2 / 2"])

    def _sent_again(self):
        self._entitle_others(1)
        batch = self._prepare()
        self._approve(batch)
        self._send(batch)
        return batch

    def test_who_may(self):
        batch = self._sent()
        with self.assertRaises(AccessError):
            self._pages(batch, self.users["registrar"])


@tagged("post_install", "-at_install")
class TestTables(BaseCase):
    def test_every_row_is_on_one_page_under_its_headings(self):
        rows = [[f"R{number}", "word " * (number % 90), Decimal(number)] for number in range(500)]
        parts = tables(Section("Payments", ["Reference", "Why", "Amount"], rows))
        self.assertEqual([row for part in parts for row in part.rows], rows)
        self.assertEqual({tuple(part.columns) for part in parts}, {("Reference", "Why", "Amount")})
        self.assertEqual(parts[1].title, f"Payments (2 / {len(parts)})")
        longest = max(len(part.rows) for part in parts)
        self.assertLess(min(len(part.rows) for part in parts), longest, "long texts take room")

    def test_a_row_that_is_longer_than_a_page(self):
        parts = tables(Section("Payments", ["Why"], [["x"], ["word " * 9_000], ["y"]]))
        self.assertEqual([len(part.rows) for part in parts], [1, 1, 1])

    def test_amounts_are_never_cut(self):
        amount = Decimal("12345678901234.567")
        section = Section("Money", ["Paid", "Who", "Why"], [[amount, "w" * 300, "y" * 300]])
        (part,) = tables(section)
        self.assertGreaterEqual(part.widths[0] * 150 / 100, len(f"{amount:,}"))
        self.assertAlmostEqual(sum(part.widths), 100, 1)

    def test_nothing(self):
        (part,) = tables(Section("Re-issues", ["Failed payment"], []))
        self.assertEqual((part.title, part.rows), ("Re-issues", []))
