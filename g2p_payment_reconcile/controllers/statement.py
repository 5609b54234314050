from odoo import http
from odoo.http import content_disposition, request

from ..models.payment_statement_file import KINDS


class StatementController(http.Controller):
    @http.route(
        "/g2p_payment/statement/<int:batch_id>/<string:kind>", type="http", auth="user", methods=["GET"]
    )
    def download(self, batch_id, kind):
        """The statement of a batch as a file, for those who may see it."""
        batch = request.env["g2p.payment.batch"].browse(batch_id).exists()
        if not batch or kind not in KINDS:
            return request.not_found()
        name, content_type, content = batch._statement_file(kind)
        return request.make_response(
            content,
            [
                ("Content-Type", content_type),
                ("Content-Disposition", content_disposition(name)),
                ("Cache-Control", "no-store"),
                ("X-Content-Type-Options", "nosniff"),
            ],
        )
