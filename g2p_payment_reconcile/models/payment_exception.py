from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError


class PaymentException(models.Model):
    """What a person has to decide: one row for each thing that does not fit together, with the facts of both
    sides, and the decision. A payment needs attention, and is not paid again, while one of its is open."""

    _name = "g2p.payment.exception"
    _description = "Payment Exception"
    _inherit = ["mail.thread"]
    _mail_post_access = "read"
    _order = "id desc"
    _rec_name = "summary"

    type = fields.Selection(
        [
            ("suspect", "Doubtful"),
            ("contradictory", "Paid and Failed"),
            ("twice", "More than One Payment"),
            ("money", "Other Amount or Currency"),
            ("late", "Opposite of the Final Result"),
            ("returned", "Returned after It Was Paid"),
            ("silent", "No Result by the Deadline"),
            ("stranger", "Not Sent by Us"),
            ("questioned", "Questioned by a Person"),
        ],
        required=True,
        readonly=True,
        index=True,
        help="What does not fit together.",
    )
    state = fields.Selection(
        [("open", "To Decide"), ("proposed", "To Confirm"), ("closed", "Closed")],
        required=True,
        readonly=True,
        default="open",
        index=True,
        tracking=True,
        help="To Confirm: one person has decided, and a second has to agree before anything changes.",
    )
    summary = fields.Char(required=True, readonly=True, help="What is the matter, in a sentence.")
    next_step = fields.Char(
        compute="_compute_next_step", help="What is suggested to find out, and to decide."
    )
    gateway_id = fields.Many2one(
        "g2p.payment.gateway", required=True, readonly=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    payment_id = fields.Many2one(
        "g2p.payment", readonly=True, ondelete="restrict", index="btree_not_null", help="Empty for strangers."
    )
    partner_id = fields.Many2one("res.partner", "Beneficiary", related="payment_id.partner_id")
    batch_id = fields.Many2one(
        "g2p.payment.batch", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    reconciliation_id = fields.Many2one(
        "g2p.payment.reconciliation", readonly=True, ondelete="set null", index="btree_not_null"
    )
    evidence_id = fields.Many2one(
        "g2p.payment.evidence",
        "Found in",
        readonly=True,
        ondelete="restrict",
        index="btree_not_null",
        help="The statement or result file with the line that nobody could match.",
    )
    program_id = fields.Many2one("g2p.program", readonly=True, ondelete="restrict", index="btree_not_null")
    submission_id = fields.Many2one("g2p.payment.submission", readonly=True, ondelete="restrict")
    user_id = fields.Many2one(
        "res.users",
        "Owner",
        readonly=True,
        help="Who sees to it that this is decided: who approved the batch, or applied the file.",
    )
    reference = fields.Char(readonly=True, index=True, help="The reference that the other side names.")
    first_seen_at = fields.Datetime("First Seen", required=True, readonly=True)
    last_seen_at = fields.Datetime("Last Seen", required=True, readonly=True)
    times_seen = fields.Integer(required=True, readonly=True, default=1)

    # Both sides, when it was first seen.
    our_status = fields.Selection(
        [
            ("issued", "Issued"),
            ("sent", "Sent"),
            ("reconciled", "Reconciled"),
            ("paid", "Paid"),
            ("failed", "Failed"),
        ],
        readonly=True,
    )
    our_amount = fields.Monetary(
        "Approved Amount", readonly=True, currency_field="our_currency_id", help="What was approved."
    )
    our_currency_id = fields.Many2one("res.currency", "Approved Currency", readonly=True)
    our_reference = fields.Char(
        "Recorded Reference", readonly=True, help="The other side's reference that our result came from."
    )
    their_status = fields.Selection(
        [
            ("paid", "Paid"),
            ("failed", "Failed"),
            ("returned", "Returned"),
            ("waiting", "Waiting"),
            ("held", "Completed, without Proof"),
            ("suspect", "Doubtful"),
        ],
        readonly=True,
        help="What their word means to us.",
    )
    their_word = fields.Char(readonly=True, help="The status as the other side calls it.")
    their_amount = fields.Float(readonly=True, digits=(20, 4))
    their_currency = fields.Char(readonly=True)
    their_reference = fields.Char(readonly=True)
    their_code = fields.Char(readonly=True)
    their_reason = fields.Char(readonly=True)
    their_at = fields.Datetime("Their Date", readonly=True, help="When the other side says that it happened.")
    fingerprint = fields.Char(required=True, readonly=True, help="The same facts have the same fingerprint.")
    known = fields.Text(
        readonly=True, help="What was said of the payment when this came up, or when it was decided."
    )

    # The decision
    decision = fields.Selection(
        [
            ("declare_paid", "Declare Paid"),
            ("declare_failed", "Declare Failed"),
            ("accept_difference", "Accept the Difference"),
            ("reverse", "Reverse: the Money Came Back"),
            ("keep_as_is", "Keep as It Is"),
            ("settled", "Settled by the Payment System"),
        ],
        readonly=True,
        tracking=True,
        help="Declare paid: by evidence, which is attached. Declare failed: it was not paid, and can be. "
        "Accept: paid, with the amount that the other side names. Reverse: it was paid, and can be paid "
        "again. Keep: nothing changes, the result stands.",
    )
    reason = fields.Char(readonly=True, tracking=True, help="How those who decided know.")
    attachment_ids = fields.Many2many("ir.attachment", string="Evidence", readonly=True, copy=False)
    two_people = fields.Boolean(
        readonly=True, help="Money is concerned, so that a second person has to confirm."
    )
    proposed_by_id = fields.Many2one("res.users", "Decided by", readonly=True, tracking=True)
    proposed_at = fields.Datetime("Decided on", readonly=True)
    confirmed_by_id = fields.Many2one("res.users", "Confirmed by", readonly=True, tracking=True)
    decided_at = fields.Datetime("Closed on", readonly=True)
    taken_back_by_id = fields.Many2one("res.users", "Taken Back by", readonly=True, tracking=True)
    taken_back_at = fields.Datetime("Taken Back on", readonly=True)
    event_id = fields.Many2one(
        "g2p.payment.event",
        "Audit Event",
        readonly=True,
        ondelete="restrict",
        help="The event by which the decision moved the payment's result.",
    )
    payment_before = fields.Text(
        readonly=True, help="The payment's result before the decision, to take it back."
    )
    confirm_blocked_reason = fields.Char(compute="_compute_blocked_reasons")
    take_back_blocked_reason = fields.Char(compute="_compute_blocked_reasons")

    _sql_constraints = [
        (
            "two_people_decide",
            "check(state <> 'closed' or not coalesce(two_people, false) or (confirmed_by_id is not null "
            "and proposed_by_id is not null and confirmed_by_id <> proposed_by_id))",
            "Two people decide where money is concerned.",
        ),
        (
            "closed_by_a_decision",
            "check(state <> 'closed' or decision is not null)",
            "An exception is closed by a decision.",
        ),
    ]

    def init(self):
        """The same facts about the same payment are one exception, however often they are told."""
        self.env.cr.execute(
            """
            CREATE UNIQUE INDEX IF NOT EXISTS g2p_payment_exception_once
                ON g2p_payment_exception (gateway_id, coalesce(payment_id, 0), fingerprint)
            """
        )

    @api.model
    def _list_of(self, record, domain):
        """The window with a batch's or a file's exceptions."""
        return {
            "type": "ir.actions.act_window",
            "name": _("Exceptions of %s", record.name),
            "res_model": self._name,
            "view_mode": "tree,form",
            "domain": domain,
            "context": {"search_default_not_closed": 1},
        }

    @api.depends("type")
    def _compute_next_step(self):
        for exception in self:
            exception.next_step = self._next_steps().get(exception.type, False)

    @api.model
    def _next_steps(self):
        """One sentence for each type: what to find out, and what to decide then."""
        return {
            "suspect": _(
                "Ask the payment system, or the payee's bank, whether the payee has the money. Declare it "
                "paid with their letter, or failed."
            ),
            "contradictory": _(
                "Ask the payment system which of its two answers is true. Declare it paid or failed."
            ),
            "twice": _(
                "Ask the payment system whether it paid more than once, and to get back what is too much. "
                "Declare it paid once it is clear that one payment stands."
            ),
            "money": _(
                "Compare the amounts. Accept the difference if the payee is to keep it, or have it corrected "
                "and declare it paid."
            ),
            "late": _(
                "Ask the payment system which result is true. Correct ours, or keep it as it is. Until then "
                "nothing is paid again."
            ),
            "returned": _(
                "Make sure that the money is back on your account. Reverse: then the entitlement can be paid "
                "again."
            ),
            "silent": _(
                "Ask the payment system's operator about this reference. Declare it paid with evidence, or "
                "failed. Keep it as it is to go on waiting."
            ),
            "questioned": _(
                "Ask the payment system, or the payee's bank, what became of it. Declare it failed when it "
                "was never paid, paid with their letter, or keep it. Reverse it when the money came back."
            ),
            "stranger": _(
                "Find out who sent this. If it was paid from your account, have it investigated at once. "
                "Keep it as it is with what you found as the reason."
            ),
        }

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            raise AccessError(_("Exceptions come up by themselves. They are not made by people."))
        return super().create(vals_list)

    def unlink(self):  # pylint: disable=method-required-super
        # pylint: disable-next=no-raise-unlink  # `ondelete` would not stop an uninstallation
        raise UserError(_("An exception is never deleted. Decide it, and it is closed."))
