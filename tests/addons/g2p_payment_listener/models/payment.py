from odoo import api, fields, models


class Payment(models.Model):
    """Follows the results in the two ways that there are: a stored compute, and the hook."""

    _inherit = "g2p.payment"

    listener_result = fields.Char(compute="_compute_listener_result", store=True, help="In words.")

    @api.depends("status")
    def _compute_listener_result(self):
        for payment in self:
            payment.listener_result = payment.status or "open"

    def _on_results_written(self, field_names):
        result = super()._on_results_written(field_names)
        if "status" in field_names:
            self.env["g2p.payment.listener.note"].sudo().create({"payment_ids": [(6, 0, self.ids)]})
        return result
