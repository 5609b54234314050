from odoo import api, fields, models


class PaymentBatch(models.Model):
    """How many payments a batch has, and for how much money."""

    _inherit = "g2p.payment.batch"

    payment_count = fields.Integer("Number of Payments", compute="_compute_totals")
    amount_total = fields.Monetary(
        "Total", compute="_compute_totals", currency_field="batch_currency_id", help="What was prepared."
    )
    amount_paid_total = fields.Monetary(
        "Paid",
        compute="_compute_totals",
        currency_field="batch_currency_id",
        help="What the payment system says it has paid.",
    )
    fee_total = fields.Monetary(
        "Fees",
        compute="_compute_totals",
        currency_field="batch_currency_id",
        help="What the payment system charged on top of what it paid.",
    )
    commission_total = fields.Monetary(
        "Commissions",
        compute="_compute_totals",
        currency_field="batch_currency_id",
        help="What the payees' institutions gave back.",
    )

    @api.depends(
        "payment_ids.amount_issued",
        "payment_ids.amount_paid",
        "payment_ids.remote_fee",
        "payment_ids.remote_commission",
        "payment_ids.status",
    )
    def _compute_totals(self):
        sums = self.env["g2p.payment"]._read_group(
            [("batch_id", "in", self.ids)],
            ["batch_id"],
            ["__count", "amount_issued:sum", "remote_fee:sum", "remote_commission:sum"],
        )
        paid = self.env["g2p.payment"]._read_group(
            [("batch_id", "in", self.ids), ("status", "=", "paid")],
            ["batch_id"],
            ["amount_paid:sum"],
        )
        totals = {batch.id: figures for batch, *figures in sums}
        paid = {batch.id: amount for batch, amount in paid}
        for batch in self:
            # A fee that was charged stays so when the money comes back.
            figures = totals.get(batch.id, (0, 0.0, 0.0, 0.0))
            batch.payment_count, batch.amount_total, batch.fee_total, batch.commission_total = figures
            batch.amount_paid_total = paid.get(batch.id, 0.0)

    def _take_payments(self, payments):
        """Fills the second of the two links that OpenG2P keeps; `payment.batch_id` is the one that counts."""
        of_batch = payments.grouped("batch_id") if payments else {}
        for batch in self:
            mine = of_batch.get(batch, payments.browse())
            batch.sudo().write({"payment_ids": [fields.Command.set(mine.ids)]})
        self._refresh_statistics()

    def _refresh_statistics(self):
        """OpenG2P's figures on the batch, which nothing else fills."""
        rows = self.env["g2p.payment"]._read_group(
            [("batch_id", "in", self.ids)],
            ["batch_id", "state", "status"],
            ["__count", "amount_issued:sum", "amount_paid:sum"],
        )
        now = fields.Datetime.now()
        for batch in self.sudo():
            mine = [row[1:] for row in rows if row[0].id == batch.id]
            batch.write({**_statistics(mine), "stats_datetime": now})


def _statistics(rows):
    """OpenG2P's eight figures from (state, status, count, issued, paid) rows."""

    def figures(wanted, amount):
        chosen = [row for row in rows if wanted(row)]
        return sum(row[2] for row in chosen), sum(row[amount] or 0 for row in chosen)

    result = {}
    for name, wanted, amount in (
        ("issued", lambda row: True, 3),
        ("sent", lambda row: row[0] in ("sent", "reconciled"), 3),
        ("paid", lambda row: row[1] == "paid", 4),
        ("failed", lambda row: row[1] == "failed", 3),
    ):
        count, total = figures(wanted, amount)
        result[f"stats_{name}_transactions"] = count
        result[f"stats_{name}_amount"] = total
    return result
