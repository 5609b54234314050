from collections import Counter
from decimal import Decimal

from odoo import _, api, fields, models
from odoo.exceptions import AccessError

from odoo.addons.g2p_payment_hub.models.columns import tell_written

from .verdict import kind, words

# What our payments are counted as, and which of their amounts is added up; each is one of the last four.
_OURS = {
    "approved": ("true", "amount_issued"),
    "accepted": ("state <> 'issued'", "amount_issued"),
    "paid": ("status = 'paid'", "amount_paid"),
    "failed": ("status = 'failed'", "amount_issued"),
    "waiting": ("status IS NULL AND attention IS NULL", "amount_issued"),
    "unresolved": ("status IS NULL AND attention IS NOT NULL", "amount_issued"),
}
# Those of them that are paid here, of what the other side speaks of.
_SAME = {"same": ("status = 'paid' AND name = ANY(%(references)s)", "amount_paid")}


class PaymentReconciliation(models.Model):
    """What one look at the other side brought, for one batch: both sides' figures at that moment, the
    difference, and what did not match. It is a record: the figures do not change afterwards."""

    _name = "g2p.payment.reconciliation"
    _description = "Payment Reconciliation"
    _inherit = ["mail.thread"]
    _mail_post_access = "read"
    _order = "id desc"
    _no_user_defaults = True

    name = fields.Char(required=True, readonly=True)
    origin = fields.Selection(
        [("pull", "Payment System"), ("evidence", "Evidence")],
        "Source",
        required=True,
        readonly=True,
        help="Whether the payment system was asked, or a statement or result file was read.",
    )
    whole = fields.Boolean("Whole Answer", readonly=True, help="Unset when the answer broke off.")
    happened_at = fields.Datetime("When", required=True, readonly=True, index=True)
    user_id = fields.Many2one("res.users", "Who", required=True, readonly=True)
    batch_id = fields.Many2one(
        "g2p.payment.batch", required=True, readonly=True, ondelete="restrict", index=True
    )
    submission_id = fields.Many2one("g2p.payment.submission", readonly=True, ondelete="restrict")
    evidence_id = fields.Many2one(
        "g2p.payment.evidence",
        readonly=True,
        ondelete="restrict",
        index="btree_not_null",
        help="The statement or result file that was read.",
    )
    gateway_id = fields.Many2one("g2p.payment.gateway", required=True, readonly=True, ondelete="restrict")
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    program_id = fields.Many2one("g2p.program", readonly=True, ondelete="restrict")
    currency_id = fields.Many2one("res.currency", readonly=True)
    exception_ids = fields.One2many(
        "g2p.payment.exception", "reconciliation_id", "Exceptions", readonly=True, help="Found in this look."
    )
    became_final_count = fields.Integer(
        "New Results", readonly=True, help="Payments that got their final result by this look."
    )
    exception_count = fields.Integer("New Exceptions", readonly=True)

    approved_count = fields.Integer("Approved", readonly=True)
    approved_amount = fields.Monetary(readonly=True)
    accepted_count = fields.Integer(
        "Accepted", readonly=True, help="Payments that the payment system has accepted."
    )
    accepted_amount = fields.Monetary(readonly=True)
    paid_count = fields.Integer("Paid", readonly=True)
    paid_amount = fields.Monetary(readonly=True)
    failed_count = fields.Integer("Failed", readonly=True)
    failed_amount = fields.Monetary(readonly=True)
    waiting_count = fields.Integer("Waiting", readonly=True)
    waiting_amount = fields.Monetary(readonly=True)
    unresolved_count = fields.Integer(
        "Waiting for a Person", readonly=True, help="Without a result, and in front of a person."
    )
    unresolved_amount = fields.Monetary(readonly=True)

    their_row_count = fields.Integer("Rows Seen", readonly=True)
    their_paid_count = fields.Integer("Their Paid", readonly=True)
    their_paid_amount = fields.Monetary(readonly=True)
    their_failed_count = fields.Integer("Their Failed", readonly=True)
    their_failed_amount = fields.Monetary(readonly=True)
    their_other_count = fields.Integer(
        "Their Other", readonly=True, help="Neither clearly paid nor failed, or without the batch's currency."
    )
    stranger_count = fields.Integer(
        "Not Sent by Us", readonly=True, help="References that the other side names and this batch does not."
    )
    stranger_amount = fields.Monetary(readonly=True, help="What the other side says was paid for them.")
    difference_count = fields.Integer(
        "Difference",
        readonly=True,
        help="Payments that the other side calls paid, less those of the same references that are written "
        "down as paid here.",
    )
    difference_amount = fields.Monetary(
        readonly=True,
        help="The amounts that the other side says it has paid, less what is written down as paid here for "
        "the same references.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            raise AccessError(_("Reconciliations are made by what is learnt, not by people."))
        return super().create(vals_list)

    @api.model
    def _write_down(self, batch, outcomes, learnt, **values):
        """The document of one look that brought something; `values` are columns such as `origin`.

        The sums are PostgreSQL's and Python's exact ones; a float is never added.
        """
        number = self.sudo().search_count([("batch_id", "=", batch.id)]) + 1
        run = self.sudo().create(
            {
                "name": f"{batch.name}/{number}",
                "happened_at": fields.Datetime.now(),
                "user_id": self.env.uid,
                "batch_id": batch.id,
                "gateway_id": batch.gateway_id.id,
                "company_id": batch.company_id.id,
                "program_id": batch.sudo().cycle_id.program_id.id,
                "currency_id": batch.batch_currency_id.id,
                "became_final_count": learnt.final,
                "exception_count": len(learnt.raised),
                **values,
            }
        )
        ours = self._sent_among(batch, {one.reference for one in outcomes})
        run._take_figures(_their_figures(outcomes, batch.batch_currency_id.name or "", ours))
        if learnt.raised:
            self.env.cr.execute(
                "UPDATE g2p_payment_exception SET reconciliation_id = %s WHERE id = ANY(%s)",
                [run.id, learnt.raised.ids],
            )
            tell_written(learnt.raised, ["reconciliation_id"])
        return run

    @api.model
    def _sent_among(self, batch, references):
        """Those of the references that the batch has."""
        self.env.cr.execute(
            "SELECT name FROM g2p_payment WHERE batch_id = %s AND name = ANY(%s)",
            [batch.id, list(references)],
        )
        return {name for (name,) in self.env.cr.fetchall()}

    def _take_figures(self, theirs):
        """`theirs`: see `_their_figures`."""
        counted = ", ".join(
            f"count(*) FILTER (WHERE {condition}) AS {name}_count, "
            f"coalesce(sum({amount}) FILTER (WHERE {condition}), 0) AS {name}_amount"
            for name, (condition, amount) in {**_OURS, **_SAME}.items()
        )
        taken = ", ".join(
            f"{name}_{figure} = ours.{name}_{figure}" for name in _OURS for figure in ("count", "amount")
        )
        self.env.flush_all()
        self.env.cr.execute(
            f"""
            UPDATE g2p_payment_reconciliation AS run
               SET {taken},
                   their_row_count = %(rows)s,
                   their_paid_count = %(paid)s, their_paid_amount = %(paid_amount)s,
                   their_failed_count = %(failed)s, their_failed_amount = %(failed_amount)s,
                   their_other_count = %(other)s,
                   stranger_count = %(strangers)s, stranger_amount = %(strangers_amount)s,
                   difference_count = %(paid)s - ours.same_count,
                   difference_amount = %(paid_amount)s - ours.same_amount
              FROM (SELECT {counted} FROM g2p_payment WHERE batch_id = %(batch)s) AS ours
             WHERE run.id = %(run)s
            """,  # only names and conditions of this file
            {**theirs, "batch": self.batch_id.id, "run": self.id},
        )
        figures = [
            f"{name}_{figure}"
            for name in (*_OURS, "their_paid", "their_failed", "stranger", "difference")
            for figure in ("count", "amount")
        ]
        tell_written(self, [*figures, "their_row_count", "their_other_count"])


def _their_figures(outcomes, currency, ours):
    """What the other side says, each thing that it said once, in the batch's currency. `ours`: the references
    that were sent; what is said of others is among the figures, and counted once more by itself."""
    counts, amounts, seen = Counter(), Counter(), set()
    for one in outcomes:
        said = (one.reference, *words([one]))
        if said in seen:
            continue
        seen.add(said)
        what = kind(one) if kind(one) in ("paid", "failed") else "other"
        if what == "paid" and one.currency != currency:
            what = "other"
        counts[what] += 1
        amounts[what] += one.amount or Decimal(0)
        if what == "paid" and one.reference not in ours:
            amounts["strangers"] += one.amount or Decimal(0)
    references = {one.reference for one in outcomes}
    return {
        "rows": len(outcomes),
        "paid": counts["paid"],
        "paid_amount": Decimal(amounts["paid"]),
        "failed": counts["failed"],
        "failed_amount": Decimal(amounts["failed"]),
        "other": counts["other"],
        "strangers": len(references - ours),
        "strangers_amount": Decimal(amounts["strangers"]),
        "references": list(references),
    }
