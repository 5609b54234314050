from odoo import fields, models

# SQL: the bank's reference without what is added between its characters.
NUMBER = "upper(regexp_replace({}, '[[:punct:][:space:]]', '', 'g'))"


class PaymentEvidenceLine(models.Model):
    """One line of a statement or result file: what it says, and what it is taken to be about."""

    _name = "g2p.payment.evidence.line"
    _description = "Line of Payment Evidence"
    _order = "evidence_id desc, id"
    _rec_name = "number"

    evidence_id = fields.Many2one(
        "g2p.payment.evidence", required=True, readonly=True, ondelete="cascade", index=True
    )
    gateway_id = fields.Many2one("g2p.payment.gateway", required=True, readonly=True, ondelete="restrict")
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    number = fields.Integer("Line", readonly=True, help="Of a CSV file the line, of a message the record.")
    reference = fields.Char(readonly=True, index=True, help="The reference that we gave the payment.")
    remote_reference = fields.Char("Their Reference", readonly=True, help="The bank's or hub's own number.")
    payee = fields.Char(
        readonly=True, groups="g2p_payment_hub.group_payment_file", help="Account or phone number."
    )
    payee_name = fields.Char("Payee's Name", readonly=True)
    amount = fields.Monetary(readonly=True, currency_field="currency_id")
    currency_id = fields.Many2one("res.currency", readonly=True)
    currency = fields.Char("Their Currency", readonly=True)
    status = fields.Selection(
        [
            ("paid", "Paid"),
            ("failed", "Failed"),
            ("returned", "Returned"),
            ("waiting", "Waiting"),
            ("fee", "Charge"),
            ("other", "Not a Payment"),
        ],
        readonly=True,
        help="What the line says. Not a payment: for example money that came in. Empty: it cannot be read.",
    )
    remote_status = fields.Char("Their Status", readonly=True, help="The word of the file.")
    happened_on = fields.Date("Date", readonly=True)
    reason_code = fields.Char(readonly=True)
    reason = fields.Char(readonly=True)
    failure_type = fields.Char(readonly=True)
    free_text = fields.Text(
        "Further Text",
        readonly=True,
        groups="g2p_payment_hub.group_payment_file",
        help="All else in the line in which banks put references. Our reference is looked for in it, however "
        "it is spelled.",
    )
    entry_number = fields.Integer(readonly=True, help="The bank's entry of this file in which it stands.")
    entry_reference = fields.Char(readonly=True, help="What the bank calls the entry in which it stands.")
    raw = fields.Text("As It Stands in the File", readonly=True, groups="g2p_payment_hub.group_payment_file")
    statement = fields.Char(readonly=True, help="The bank's name of the statement, where it has one.")
    fingerprint = fields.Char(readonly=True, index=True, help="The same line of two files has the same.")
    named = fields.Boolean(
        "Told Apart",
        readonly=True,
        help="Their reference names one booking: it is no filler, and no other booking has it.",
    )
    repeated = fields.Boolean(
        readonly=True,
        help="It says the same as a line that was applied before, and nothing tells the two bookings apart.",
    )
    problem = fields.Char(readonly=True, help="Why the line cannot be read.")

    match = fields.Selection(
        [("matched", "Matched"), ("duplicate", "Duplicate"), ("unknown", "Unknown")],
        readonly=True,
        index=True,
        help="Duplicate: this very line, or the lines of which it is the sum, was read before. Unknown: it "
        "is about no payment that could be named with certainty.",
    )
    basis = fields.Selection(
        [("reference", "By Reference"), ("payee", "By Payee and Amount"), ("sum", "Sum of Other Lines")],
        "Matched by",
        readonly=True,
        help="By payee and amount: the line names no reference, and of all payments that were sent only this "
        "one fits. Look at it twice.",
    )
    payment_id = fields.Many2one("g2p.payment", readonly=True, ondelete="restrict", index="btree_not_null")
    candidate_ids = fields.Many2many(
        "g2p.payment",
        "g2p_payment_evidence_line_candidate",
        "line_id",
        "payment_id",
        "May Be About",
        readonly=True,
        help="Payments that the line may mean. Each of them waits for a person, and is not paid again.",
    )
    partner_id = fields.Many2one("res.partner", "Beneficiary", related="payment_id.partner_id")
    batch_id = fields.Many2one(
        "g2p.payment.batch", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    effect = fields.Selection(
        [
            ("pays", "Becomes Paid"),
            ("fails", "Becomes Failed"),
            ("agrees", "Agrees"),
            ("question", "To Decide"),
            ("none", "Nothing"),
        ],
        readonly=True,
        help="What applying does. Agrees: the payment has this result already. To decide: something does not "
        "fit, and becomes an exception for people to decide.",
    )
    why = fields.Char(readonly=True, help="What the match rests on, or why there is none.")

    def init(self):
        """Lines with the bank's own number of a booking are found by it."""
        self.env.cr.execute(  # pylint: disable=sql-injection  # only an expression of this file
            f"""
            CREATE INDEX IF NOT EXISTS g2p_payment_evidence_line_their_number
                ON g2p_payment_evidence_line (({NUMBER.format("remote_reference")}))
             WHERE remote_reference IS NOT NULL
            """
        )
