from odoo import models

from .payment_statement_file import REPORT
from .statement_paper import numbered


class IrActionsReport(models.Model):
    _inherit = "ir.actions.report"

    def _render_qweb_pdf_prepare_streams(self, report_ref, data, res_ids=None):
        """Each statement is a document of its own, with batch, fingerprint and page number on each page.
        (Debian's wkhtmltopdf prints one at a time only.)"""
        if not res_ids or self._get_report(report_ref).report_name != REPORT:
            return super()._render_qweb_pdf_prepare_streams(report_ref, data, res_ids)
        streams = {}
        for batch in self.env["g2p.payment.batch"].browse(dict.fromkeys(res_ids)):
            streams.update(super()._render_qweb_pdf_prepare_streams(report_ref, data, batch.ids))
            foot = f"{batch.name}   {batch.frozen_digest or ''}"
            streams[batch.id]["stream"] = numbered(streams[batch.id]["stream"], foot)
        return streams
