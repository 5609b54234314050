from odoo import fields, models

# Days since a payment was accepted, or made when it never was.
_AGES = (("1", 1), ("3", 3), ("7", 7), ("30", 30))


class PaymentReport(models.Model):
    """Payments through gateways as figures: one row each, and nothing that says who the payee is."""

    _name = "g2p.payment.report"
    _description = "Payment Analysis"
    _auto = False
    _rec_name = "payment_id"
    _order = "issued_at desc"
    _depends = {
        "g2p.cycle": ["program_id"],
        "g2p.payment": [
            "amount_issued",
            "amount_paid",
            "attention",
            "batch_id",
            "company_id",
            "cycle_id",
            "failure_type",
            "gateway_id",
            "payment_currency_id",
            "reissue_of_id",
            "state",
            "status",
            "status_datetime",
            "status_is_final",
        ],
        "g2p.payment.batch": ["batch_state"],
        "g2p.payment.submission": ["batch_id", "ended_at", "state"],
    }

    payment_id = fields.Many2one("g2p.payment", readonly=True)
    batch_id = fields.Many2one("g2p.payment.batch", readonly=True)
    cycle_id = fields.Many2one("g2p.cycle", readonly=True)
    program_id = fields.Many2one("g2p.program", readonly=True)
    gateway_id = fields.Many2one("g2p.payment.gateway", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    issued_at = fields.Datetime("Prepared on", readonly=True)
    accepted_at = fields.Datetime(
        "Accepted on", readonly=True, help="When the payment system accepted the batch."
    )
    final_at = fields.Datetime("Final on", readonly=True, help="When its final result was learnt.")
    outcome = fields.Selection(
        [
            ("paid", "Paid"),
            ("failed", "Failed"),
            ("waiting", "Waiting"),
            ("unresolved", "Unresolved"),
            ("not_sent", "Not Sent yet"),
        ],
        readonly=True,
        help="Unresolved: a person has to decide, whatever the payment's status. Waiting: sent, without a "
        "result.",
    )
    failure_type = fields.Selection(selection="_failure_types", readonly=True)
    reissued = fields.Boolean("Re-issue", readonly=True, help="Made in the place of a payment that failed.")
    age = fields.Selection(
        [
            ("1", "Up to 1 day"),
            ("3", "2 to 3 days"),
            ("7", "4 to 7 days"),
            ("30", "8 to 30 days"),
            ("more", "More than 30 days"),
        ],
        readonly=True,
        help="How long a payment without a final result has been under way.",
    )
    days_to_final = fields.Float(
        readonly=True,
        group_operator="avg",
        help="From the acceptance of the batch to the final result.",
    )
    payments = fields.Integer("Number of Payments", readonly=True)
    amount_issued = fields.Monetary(readonly=True)
    amount_paid = fields.Monetary(readonly=True)
    amount_failed = fields.Monetary(readonly=True)
    amount_open = fields.Monetary(readonly=True, help="Neither paid nor failed.")

    def _failure_types(self):
        return self.env["g2p.payment"]._fields["failure_type"]._description_selection(self.env)

    @property
    def _table_query(self):
        days = "extract(epoch FROM now() AT TIME ZONE 'UTC' - coalesce(ended_at, issued_at)) / 86400"
        ages = " ".join(f"WHEN {days} <= {most} THEN '{key}'" for key, most in _AGES)
        return f"""
            SELECT id, id AS payment_id, batch_id, cycle_id, program_id, gateway_id, company_id, currency_id,
                   issued_at, ended_at AS accepted_at, final_at, outcome, failure_type, reissued,
                   CASE WHEN outcome IN ('paid', 'failed') THEN NULL {ages} ELSE 'more' END AS age,
                   extract(epoch FROM final_at - ended_at) / 86400 AS days_to_final,
                   1 AS payments,
                   amount_issued,
                   CASE status WHEN 'paid' THEN amount_paid ELSE 0 END AS amount_paid,
                   CASE status WHEN 'failed' THEN amount_issued ELSE 0 END AS amount_failed,
                   CASE WHEN status IS NULL THEN amount_issued ELSE 0 END AS amount_open
              FROM (
                SELECT payment.id, payment.batch_id, payment.cycle_id, cycle.program_id, payment.gateway_id,
                       payment.company_id, payment.payment_currency_id AS currency_id,
                       payment.create_date AS issued_at, submission.ended_at, payment.failure_type,
                       CASE WHEN payment.status_is_final THEN payment.status_datetime END AS final_at,
                       payment.reissue_of_id IS NOT NULL AS reissued,
                       payment.status, payment.amount_issued, payment.amount_paid,
                       CASE
                           WHEN payment.attention IS NOT NULL THEN 'unresolved'
                           WHEN payment.status IS NOT NULL THEN payment.status
                           WHEN batch.batch_state = 'unknown' THEN 'unresolved'
                           WHEN payment.state = 'issued' THEN 'not_sent'
                           ELSE 'waiting'
                       END AS outcome
                  FROM g2p_payment AS payment
                  JOIN g2p_cycle AS cycle ON cycle.id = payment.cycle_id
                  LEFT JOIN g2p_payment_batch AS batch ON batch.id = payment.batch_id
                  LEFT JOIN g2p_payment_submission AS submission
                    ON submission.batch_id = payment.batch_id AND submission.state = 'accepted'
                 WHERE payment.gateway_id IS NOT NULL
              ) AS of_payment
        """
