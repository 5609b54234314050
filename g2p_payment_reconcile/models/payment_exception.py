import hashlib
import json
from decimal import Decimal

from odoo import SUPERUSER_ID, _, api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.g2p_payment_hub.models.payment_batch import APPROVERS

# open -> closed (what moves no money) ;  open -> proposed -> closed (a second person) ;  proposed -> open
# (sent back) ;  closed -> open (taken back, or the payment system says it again after it had settled it)
NEXT = {
    "open": {"proposed", "closed"},
    "proposed": {"open", "closed"},
    "closed": {"open"},
}
# What a person may decide about each type. Whether it fits the payment is asked in `_why_not`.
DECISIONS = {
    "suspect": ("declare_paid", "declare_failed", "keep_as_is"),
    "contradictory": ("declare_paid", "declare_failed", "keep_as_is"),
    "twice": ("declare_paid", "declare_failed", "keep_as_is"),
    "money": ("accept_difference", "declare_paid", "declare_failed", "keep_as_is"),
    "late": ("declare_paid", "reverse", "keep_as_is"),
    "returned": ("reverse", "keep_as_is"),
    "silent": ("declare_paid", "declare_failed", "keep_as_is"),
    "stranger": ("declare_paid", "declare_failed", "keep_as_is"),
    "evidence_differs": ("accept_difference", "declare_paid", "declare_failed", "reverse", "keep_as_is"),
}
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
    our_status = fields.Char(readonly=True)
    our_amount = fields.Monetary(
        "Approved Amount", readonly=True, currency_field="our_currency_id", help="What was approved."
    )
    our_currency_id = fields.Many2one("res.currency", "Approved Currency", readonly=True)
    our_reference = fields.Char(
        "Recorded Reference", readonly=True, help="The other side's reference that our result came from."
    )
    their_status = fields.Char(readonly=True, help="What their word means to us.")
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

    # What people do

    def _propose(self, decision, reason, attachments=None):
        """A person decides; where money is concerned, a second one has to confirm.

        `attachments` are the evidence, copied so that nobody changes it afterwards.
        """
        self._check_decider()
        self._lock()
        reason = " ".join((reason or "").split())
        if not reason:
            raise UserError(_("Give a reason: the second person and the auditor have to know how you know."))
        for exception in self:
            exception._expect("open")
            blocked = exception._why_not(decision, attachments)
            if blocked:
                raise UserError(blocked)
            exception._take_evidence(attachments)
            two_people = exception._needs_two_people(decision)
            exception._advance(
                "proposed" if two_people else "closed",
                decision=decision,
                reason=reason,
                two_people=two_people,
                proposed_by_id=self.env.uid,
                proposed_at=fields.Datetime.now(),
                confirmed_by_id=False,
                taken_back_by_id=False,
                taken_back_at=False,
            )
            if two_people:
                exception._note(_("Decided, to be confirmed by a second person: %s", exception._decided()))
            else:
                exception._carry_out()

    def action_confirm(self):
        """The second of two people agrees, and the decision takes effect."""
        self._check_decider()
        self._lock()
        for exception in self:
            blocked = exception._why_not_confirm()
            if blocked:
                raise UserError(blocked)
            blocked = exception._why_not(exception.decision, exception.attachment_ids)
            if blocked:
                raise UserError(blocked)
            exception._advance("closed", confirmed_by_id=self.env.uid)
            exception._carry_out()

    def action_send_back(self):
        """The second person does not agree, or the first has thought again."""
        self._check_decider()
        self._lock()
        for exception in self:
            exception._expect("proposed")
            said = exception._decided()
            exception._advance("open", **exception._undecided())
            exception._note(_("Sent back, nothing was changed: %s", said))

    def action_take_back(self):
        """Another person takes a decision back: the payment is as it was, and needs attention again."""
        self._check_decider()
        self._lock()
        for exception in self:
            blocked = exception._why_not_take_back()
            if blocked:
                raise UserError(blocked)
            why = _("Taken back: %s", exception._decided())
            exception._advance(
                "open",
                **exception._undecided(),
                taken_back_by_id=self.env.uid,
                taken_back_at=fields.Datetime.now(),
            )
            if exception.payment_before:
                before = exception.payment_id._result_from_text(exception.payment_before)
                exception.payment_id._decide(before, why, exception.batch_id)
                exception.sudo().write({"payment_before": False, "event_id": False})
            else:
                exception._note(why)
            exception._refresh_attention(exception)
            exception.batch_id._settle()

    @api.depends("state", "proposed_by_id", "confirmed_by_id")
    @api.depends_context("uid")
    def _compute_blocked_reasons(self):
        for exception in self:
            exception.confirm_blocked_reason = (
                exception.state == "proposed" and exception._why_not_confirm()
            ) or False
            exception.take_back_blocked_reason = (
                exception.state == "closed" and exception._why_not_take_back()
            ) or False

    def _why_not_confirm(self):
        if self.state != "proposed":
            return _("There is nothing to confirm here. Reload the page.")
        if self.proposed_by_id == self.env.user:
            return _("You decided this yourself, so another finance validator must confirm.")
        return False

    def _why_not_take_back(self):
        if self.state != "closed" or self.decision == "settled":
            return _("There is no decision of a person here to take back.")
        if (self.confirmed_by_id or self.proposed_by_id) == self.env.user:
            return _("You closed this yourself, so another finance validator must take it back.")
        later = [
            ("payment_id", "=", self.payment_id.id),
            ("state", "=", "closed"),
            ("event_id.number", ">", self.event_id.number),
        ]
        if self.payment_before and self.sudo().search_count(later, limit=1):
            return _("This payment was decided again later. Take that decision back first.")
        return False

    def _why_not(self, decision, attachments):
        """Why this cannot be decided so; False when nothing is in the way."""
        labels = dict(self._fields["decision"]._description_selection(self.env))
        if decision not in DECISIONS[self.type]:
            return _(
                "%(exception)s: this cannot be decided as: %(decision)s.",
                exception=self.summary,
                decision=labels.get(decision, decision),
            )
        status = self.payment_id.status
        if decision != "keep_as_is" and not self.payment_id:
            return _("There is no payment of ours to decide about. Keep it as it is, and say what you found.")
        if decision == "declare_paid":
            if status == "paid":
                return _("This payment is paid already. Keep it as it is.")
            if not attachments:
                return _("Attach the evidence, for example the bank's letter or statement.")
        if decision == "declare_failed" and status:
            return _("This payment has its final result. Reverse it, or keep it as it is.")
        if decision == "accept_difference":
            return self._why_not_accept(status)
        if decision == "reverse" and status != "paid" and self.type != "returned":
            return _("Only a payment that is paid can be reversed.")
        if decision == "reverse" and status == "failed":
            return _("This payment has failed already. Keep it as it is.")
        return False

    def _why_not_accept(self, status):
        if status == "failed":
            return _("This payment has failed. Declare it paid, or keep it as it is.")
        if self.their_currency != self.payment_id.payment_currency_id.name or self.their_amount <= 0:
            return _(
                "The other side names no amount in the approved currency, so there is no difference to "
                "accept."
            )
        return False

    def _needs_two_people(self, decision):
        """Where money is concerned. To keep a result concerns it as well where that lets the entitlement be
        paid again although somebody said paid."""
        if not self.payment_id:
            return False
        return decision != "keep_as_is" or (self.payment_id.status != "paid" and self.type != "silent")

    def _carry_out(self):
        """What the decision means for the payment, and for its batch."""
        payment, decided = self.payment_id, self._decided()
        values = payment._decided_values(self) if payment else {}
        moved = {"decided_at": fields.Datetime.now(), "payment_before": False, "event_id": False}
        if values:
            moved["payment_before"] = payment._result_as_text()
            payment._decide(values, decided, self.batch_id, self._evidence_digest())
            moved["event_id"] = payment.sudo().event_ids.sorted("number")[-1].id
        else:
            self._note(decided)
        self.sudo().write(moved)
        self._refresh_attention(self)
        if self.batch_id:
            self.batch_id._settle()

    def _undecided(self):
        return {
            "decision": False,
            "reason": False,
            "two_people": False,
            "proposed_by_id": False,
            "proposed_at": False,
            "confirmed_by_id": False,
            "decided_at": False,
        }

    def _decided(self):
        """The decision in a sentence, for the audit trail."""
        labels = dict(self._fields["decision"]._description_selection(self.env))
        people = self.proposed_by_id + self.confirmed_by_id
        return _(
            "%(decision)s (%(people)s): %(reason)s",
            decision=labels[self.decision],
            people=", ".join(people.mapped("name")),
            reason=self.reason,
        )

    def _take_evidence(self, attachments):
        """Copies, which hang on the exception: with its rights, out of the reach of who sent them."""
        if not attachments:
            return
        # Searched, so that nobody gets hold of files that they may not see.
        if self.env["ir.attachment"].search_count([("id", "in", attachments.ids)]) != len(attachments):
            raise AccessError(_("You may not see all of these files. Upload the evidence yourself."))
        copies = self.env["ir.attachment"].sudo()
        for attachment in attachments.sudo():
            copies += attachment.copy({"res_model": self._name, "res_id": self.id, "res_field": False})
        self.sudo().attachment_ids = [fields.Command.set(copies.ids)]

    def _evidence_digest(self):
        """SHA-256 over the evidence, so that the audit trail names what was seen."""
        if not self.attachment_ids:
            return False
        whole = hashlib.sha256()
        for attachment in self.sudo().attachment_ids.sorted("id"):
            whole.update(attachment.raw or b"")
        return whole.hexdigest()

    def _note(self, why):
        """What people did about it, without a change of the payment."""
        self._message_log(body=why)
        if self.batch_id:
            status = self.payment_id.status or self.payment_id.state or self.batch_id.batch_state
            self.batch_id._record(
                [
                    {
                        "payment_id": self.payment_id.id,
                        "submission_id": self.submission_id.id,
                        "from_state": status,
                        "to_state": status,
                        "why": why,
                        "digest": self._evidence_digest(),
                        "remote_reference": self.their_reference,
                    }
                ]
            )

    def _check_decider(self):
        if not any(self.env.user.has_group(group) for group in APPROVERS):
            raise AccessError(_("Only a finance validator may decide this."))
        if self.env.uid == SUPERUSER_ID:
            raise AccessError(
                _("The superuser cannot decide: it is nobody in particular. Log in as yourself.")
            )
        self.read(["state"])  # of one's own companies

    def _lock(self):
        """One after the other with the job that asks for results, and of two people the second is told so."""
        self.batch_id._lock()
        self.env.cr.execute(
            "SELECT id FROM g2p_payment_exception WHERE id = ANY(%s) FOR UPDATE SKIP LOCKED", [self.ids]
        )
        if self.env.cr.rowcount != len(self):
            raise UserError(_("Somebody else is deciding this right now. Reload the page in a minute."))
        self.invalidate_recordset()
        self.payment_id.invalidate_recordset()

    def _expect(self, state):
        if self.state != state:
            raise UserError(_("Somebody else was faster. Reload the page to see what was decided."))

    def _advance(self, state, **values):
        """The one place where people change `state`; a move that is not in NEXT is a fault in the code."""
        self.ensure_one()
        if state not in NEXT[self.state]:
            raise ValueError(f"exception {self.id}: {self.state} cannot become {state}")
        self.sudo().write({"state": state, **values})


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
