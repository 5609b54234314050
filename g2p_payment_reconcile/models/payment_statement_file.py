from odoo import models

from .statement_files import to_csv, to_xlsx
from .statement_paper import is_amount, shown, tables

REPORT = "g2p_payment_reconcile.payment_batch_statement"
KINDS = {
    "csv": (to_csv, "text/csv; charset=utf-8"),
    "xlsx": (to_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}


class PaymentBatch(models.Model):
    """The statement of a batch as a file: printed, or for a spreadsheet."""

    _inherit = "g2p.payment.batch"

    def action_statement_pdf(self):
        self._check_may_see_statement()
        return self.env.ref("g2p_payment_reconcile.payment_batch_statement_report").report_action(self)

    def action_statement_csv(self):
        return self._download("csv")

    def action_statement_xlsx(self):
        return self._download("xlsx")

    def _download(self, kind):
        self.ensure_one()
        self._check_may_see_statement()
        return {
            "type": "ir.actions.act_url",
            "url": f"/g2p_payment/statement/{self.id}/{kind}",
            "target": "self",
        }

    def _statement_file(self, kind):
        """(file name, content type, content) of the statement as a file of one of KINDS."""
        write, content_type = KINDS[kind]
        name = f"statement-{self.name.replace('/', '-')}.{kind}"
        return name, content_type, write(self._statement())


class PaymentBatchStatement(models.AbstractModel):
    """Odoo's report engine asks here, also for whoever types the address of the report."""

    _name = "report.g2p_payment_reconcile.payment_batch_statement"
    _description = "Statement of a Payment Batch"

    def _get_report_values(self, docids, data=None):
        batches = self.env["g2p.payment.batch"].browse(docids)
        return {
            "doc_ids": docids,
            "doc_model": batches._name,
            "docs": batches,
            "tables": {
                batch.id: [table for section in batch._statement() for table in tables(section)]
                for batch in batches
            },
            "shown": shown,
            "is_amount": is_amount,
        }
