import hashlib
import json
from decimal import Decimal

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError

# What the payment system's own clear word ends again: these are doubts, the others contradictions.
_SETTLED_BY_A_RESULT = ("suspect", "silent")
_COLUMNS = (
    ("type", "varchar"),
    ("summary", "varchar"),
    ("fingerprint", "varchar"),
    ("known", "text"),
    ("gateway_id", "int"),
    ("payment_id", "int"),
    ("batch_id", "int"),
    ("submission_id", "int"),
    ("reference", "varchar"),
    ("their_status", "varchar"),
    ("their_word", "varchar"),
    ("their_amount", "numeric"),
    ("their_currency", "varchar"),
    ("their_reference", "varchar"),
    ("their_code", "varchar"),
    ("their_reason", "varchar"),
    ("their_at", "timestamp"),
)


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
            ("evidence_differs", "Evidence Differs"),
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
    partner_id = fields.Many2one("res.partner", "Beneficiary", related="payment_id.entitlement_id.partner_id")
    batch_id = fields.Many2one(
        "g2p.payment.batch", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    reconciliation_id = fields.Many2one(
        "g2p.payment.reconciliation", readonly=True, ondelete="set null", index="btree_not_null"
    )
    program_id = fields.Many2one("g2p.program", readonly=True, ondelete="restrict", index="btree_not_null")
    submission_id = fields.Many2one("g2p.payment.submission", readonly=True, ondelete="restrict")
    user_id = fields.Many2one(
        "res.users",
        "Owner",
        readonly=True,
        help="Who sees to it that this is decided: who approved the batch.",
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
        help="Declare paid: by evidence, which is attached. Declare failed: it can be paid again. Accept: "
        "paid, with the amount that the other side names. Reverse: it was paid, and can be paid again. Keep: "
        "nothing changes, the result stands.",
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
            "stranger": _(
                "Find out who sent this. If it was paid from your account, have it investigated at once. "
                "Keep it as it is with what you found as the reason."
            ),
            "evidence_differs": _(
                "Compare the statement with what the payment system said. Decide by what the bank shows."
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

    # How they come up

    @api.model
    def _raise(self, rows):
        """Writes down what does not fit together; the exceptions that are new, or open again.

        `rows` are dicts with `type`, `summary`, `gateway_id`, and of these what is known: `payment_id`,
        `batch_id`, `submission_id`, `reference`, the `their_*` fields (`their_amount` a Decimal, `their_at`
        in UTC without a time zone), `known` (see `verdict.words`). Company, program, owner and our side are
        read from the payment and the batch. The same facts about the same payment make one exception, however
        often and from wherever they are told. A number of statements that does not grow with the rows.
        """
        rows = list({_key(row): row for row in map(_with_fingerprint, rows)}.values())
        if not rows:
            return self.browse()
        self.env.flush_all()
        arrays = ", ".join(f"%s::{column_type}[]" for _name, column_type in _COLUMNS)
        names = ", ".join(name for name, _type in _COLUMNS)
        told = [[_column(row.get(name)) for row in rows] for name, _type in _COLUMNS]
        now = fields.Datetime.now()
        again = self._reopen_settled(rows, now)
        self.env.cr.execute(
            f"""
            INSERT INTO g2p_payment_exception AS seen (
                {names}, state, company_id, program_id, user_id, our_status, our_amount, our_currency_id,
                our_reference, first_seen_at, last_seen_at, times_seen, create_uid, create_date, write_uid,
                write_date)
            SELECT told.*, 'open', gateway.company_id, cycle.program_id, batch.approved_by_id,
                   coalesce(payment.status, payment.state), payment.amount_issued,
                   payment.payment_currency_id, payment.remote_reference, %s, %s, 1, %s, %s, %s, %s
              FROM unnest({arrays}) AS told ({names})
              JOIN g2p_payment_gateway AS gateway ON gateway.id = told.gateway_id
              LEFT JOIN g2p_payment AS payment ON payment.id = told.payment_id
              LEFT JOIN g2p_payment_batch AS batch ON batch.id = told.batch_id
              LEFT JOIN g2p_cycle AS cycle ON cycle.id = coalesce(payment.cycle_id, batch.cycle_id)
                ON CONFLICT (gateway_id, coalesce(payment_id, 0), fingerprint) DO UPDATE
               SET last_seen_at = EXCLUDED.last_seen_at,
                   times_seen = seen.times_seen + 1,
                   known = CASE WHEN seen.state = 'closed' THEN seen.known ELSE EXCLUDED.known END
            RETURNING id, xmax = 0
            """,  # pylint: disable=sql-injection  # only names of this file's own columns
            [now, now, *(self.env.uid, now) * 2, *told],
        )
        new = self.browse([one for one, is_new in self.env.cr.fetchall() if is_new] + again)
        self.invalidate_model()
        self._refresh_attention(new)
        new._record_raised()
        return new

    @api.model
    def _reopen_settled(self, rows, now):
        """Ids of those that the payment system's own word had ended, and which it says again."""
        self.env.cr.execute(
            """
            UPDATE g2p_payment_exception AS settled
               SET state = 'open', decision = NULL, reason = NULL, decided_at = NULL, write_date = %s
              FROM unnest(%s::int[], %s::varchar[]) AS told (payment_id, fingerprint)
             WHERE settled.payment_id = told.payment_id AND settled.fingerprint = told.fingerprint
               AND settled.state = 'closed' AND settled.decision = 'settled'
            RETURNING settled.id
            """,
            [now, [row.get("payment_id") or None for row in rows], [row["fingerprint"] for row in rows]],
        )
        return [one for (one,) in self.env.cr.fetchall()]

    @api.model
    def _adopt(self):
        """Exceptions for payments that need attention without one: from before there were exceptions, or from
        an earlier installation of this add-on. Without one nobody could decide them."""
        self.env.flush_all()
        self.env.cr.execute(
            """
            SELECT id, name, batch_id, gateway_id, attention, status_is_final FROM g2p_payment AS payment
             WHERE attention IS NOT NULL AND gateway_id IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM g2p_payment_exception WHERE payment_id = payment.id)
            """
        )
        return self._raise(
            [
                {
                    "type": "late" if final else "suspect",
                    "summary": attention,
                    "gateway_id": gateway,
                    "payment_id": payment,
                    "batch_id": batch,
                    "reference": name,
                }
                for payment, name, batch, gateway, attention, final in self.env.cr.fetchall()
            ]
        )

    @api.model
    def _settle_told(self, payments):
        """Ends the doubts about payments whose result is final by now; returns how many.

        No joins here and below but with what is listed: in the middle of a transaction PostgreSQL knows
        nothing of the rows that were just added, and would go through all of them again and again.
        """
        now = fields.Datetime.now()
        self.env.cr.execute(
            """
            UPDATE g2p_payment_exception
               SET state = 'closed', decision = 'settled', decided_at = %s, write_date = %s,
                   reason = %s, two_people = FALSE, proposed_by_id = NULL, proposed_at = NULL
             WHERE payment_id = ANY(%s) AND state <> 'closed' AND type = ANY(%s)
            RETURNING id
            """,
            [now, now, _("The payment system has given its final result."), payments.ids]
            + [list(_SETTLED_BY_A_RESULT)],
        )
        settled = self.browse(one for (one,) in self.env.cr.fetchall())
        self.invalidate_model()
        self._refresh_attention(settled)
        return len(settled)

    @api.model
    def _refresh_attention(self, exceptions):
        """A payment needs attention while one of its exceptions is not closed, and says why."""
        if not exceptions:
            return
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT DISTINCT payment_id FROM g2p_payment_exception WHERE id = ANY(%s)", [exceptions.ids]
        )
        payments = [payment for (payment,) in self.env.cr.fetchall() if payment]
        self.env.cr.execute(
            """
            UPDATE g2p_payment AS payment
               SET attention = not_closed.summary
              FROM unnest(%s::int[]) AS touched (id)
              LEFT JOIN (SELECT DISTINCT ON (payment_id) payment_id, summary
                           FROM g2p_payment_exception
                          WHERE payment_id = ANY(%s) AND state <> 'closed'
                          ORDER BY payment_id, id) AS not_closed ON not_closed.payment_id = touched.id
             WHERE payment.id = touched.id
            """,
            [payments, payments],
        )
        self.env["g2p.payment"].invalidate_model(["attention"])

    def _record_raised(self):
        """In the audit trail of each batch; read by SQL because there may be many."""
        if not self:
            return
        self.env.cr.execute(
            """
            SELECT batch_id, submission_id, payment_id, our_status, summary, their_reference
              FROM g2p_payment_exception WHERE id = ANY(%s) AND batch_id IS NOT NULL ORDER BY batch_id, id
            """,
            [self.ids],
        )
        of_batch = {}
        for batch, submission, payment, status, summary, reference in self.env.cr.fetchall():
            of_batch.setdefault(batch, []).append(
                {
                    "submission_id": submission,
                    "payment_id": payment,
                    "from_state": status,
                    "to_state": status,
                    "why": summary,
                    "remote_reference": reference,
                }
            )
        for batch, rows in of_batch.items():
            self.env["g2p.payment.batch"].browse(batch)._record(rows)


def _with_fingerprint(row):
    amount = row.get("their_amount")
    facts = [
        row["type"],
        row.get("reference") if not row.get("payment_id") else "",
        row.get("their_status"),
        "" if amount is None else f"{Decimal(amount).normalize():f}",
        row.get("their_currency"),
        row.get("their_reference"),
    ]
    text = json.dumps([fact or "" for fact in facts])
    return {**row, "fingerprint": hashlib.sha256(text.encode()).hexdigest()}


def _column(value):
    return None if value is False or value == "" else value


def _key(row):
    return row["gateway_id"], row.get("payment_id") or 0, row["fingerprint"]
