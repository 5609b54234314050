import base64

from markupsafe import Markup

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from odoo.addons.queue_job.exception import RetryableJobError

from ..client.instructions import Payer
from .roles import MAKERS, has_role

# draft -> to_approve -> approved -> sending -> sent -> done
#   ^         |            |          |  |  |
#   |<- rejected <---------+          |  |  +-> unknown -> sent | approved (two people)
#   |<- refused <---------------------+  +-> approved (nothing had left)
#   +-> cancelled (also from to_approve, rejected and refused)
# done -> sent when something comes up that a person has to decide;  refused, approved -> sent when the
# payment system turns out to have accepted an attempt that it had refused, or that was declared missing
NEXT = {
    "draft": {"to_approve", "cancelled"},
    "to_approve": {"approved", "rejected", "draft", "cancelled"},
    "approved": {"sending", "rejected", "draft", "sent"},
    "sending": {"sent", "refused", "unknown", "approved"},
    "unknown": {"sent", "approved", "refused"},
    "sent": {"done"},
    "rejected": {"draft", "cancelled"},
    "refused": {"draft", "cancelled", "sent"},
    "done": {"sent"},
    "cancelled": set(),
}


class PaymentBatch(models.Model):
    """A batch of a gateway: checked, approved by a second person, frozen, and sent once."""

    _name = "g2p.payment.batch"
    _inherit = ["g2p.payment.batch", "g2p.payment.task.mixin"]
    _no_user_defaults = True

    gateway_id = fields.Many2one(
        "g2p.payment.gateway",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        copy=False,
        help="The gateway through which this batch goes; empty for other payment managers.",
    )
    gateway_state = fields.Selection(related="gateway_id.state")
    company_id = fields.Many2one("res.company", readonly=True, copy=False)
    batch_state = fields.Selection(
        [
            ("draft", "Draft"),
            ("to_approve", "To Approve"),
            ("approved", "Approved"),
            ("sending", "Sending"),
            ("sent", "Sent"),
            ("done", "Done"),
            ("rejected", "Rejected"),
            ("refused", "Refused"),
            ("unknown", "Unknown"),
            ("cancelled", "Cancelled"),
        ],
        readonly=True,
        copy=False,
        index=True,
        help="Sent: the payment system has accepted the batch; nobody is paid yet. Refused: it said no. "
        "Unknown: nobody knows whether it arrived, so it must not be sent again. Done: each payment has "
        "its final result.",
    )
    batch_currency_id = fields.Many2one("res.currency", "Currency", readonly=True, copy=False)
    payer_identifier_type = fields.Char(readonly=True, copy=False)
    payer_identifier = fields.Char("Payer", readonly=True, copy=False, help="The account that pays.")
    note = fields.Char(readonly=True, copy=False, help="Travels with each payment.")
    prepared_by_id = fields.Many2one("res.users", "Prepared by", readonly=True, copy=False)
    maker_ids = fields.Many2many(
        "res.users",
        "g2p_payment_batch_maker_rel",
        "batch_id",
        "user_id",
        "Makers",
        readonly=True,
        copy=False,
        help="Everybody who prepared or changed this batch. None of them can approve it.",
    )
    approved_by_id = fields.Many2one("res.users", "Approved by", readonly=True, copy=False)
    approved_at = fields.Datetime("Approved on", readonly=True, copy=False)
    sent_by_id = fields.Many2one("res.users", "Sent by", readonly=True, copy=False)
    reject_reason = fields.Char("Reason", readonly=True, copy=False)
    check_result = fields.Text(
        "Problems", readonly=True, copy=False, help="What has to be mended before approval."
    )
    frozen_content = fields.Text(
        readonly=True,
        copy=False,
        groups="g2p_payment_hub.group_payment_file",
        help="The file as it was approved.",
    )
    frozen_file = fields.Binary(
        "File as Approved",
        compute="_compute_frozen_file",
        groups="g2p_payment_hub.group_payment_file",
        exportable=False,
    )
    frozen_filename = fields.Char(compute="_compute_frozen_filename")
    frozen_digest = fields.Char(
        "SHA-256", readonly=True, copy=False, help="Fingerprint of the file as it was approved."
    )
    event_ids = fields.One2many("g2p.payment.event", "batch_id", "Audit Trail", readonly=True)
    event_head = fields.Char(readonly=True, copy=False, help="Hash of the last event of the audit trail.")
    submission_ids = fields.One2many("g2p.payment.submission", "batch_id", "Submissions", readonly=True)
    blocked_reason = fields.Char(
        compute="_compute_blocked_reason", help="Why you cannot take the next step with this batch."
    )
    can_approve = fields.Boolean(compute="_compute_blocked_reason")
    unknown_reason = fields.Char(compute="_compute_answers")
    last_answer = fields.Char(compute="_compute_answers", help="What came of the last attempt to send.")

    _sql_constraints = [
        (
            "approver_is_not_preparer",
            "check(approved_by_id is null or approved_by_id <> prepared_by_id)",
            "Who prepared a batch cannot approve it. Ask another finance user.",
        ),
    ]

    @api.depends("frozen_content")
    def _compute_frozen_file(self):
        for batch in self:
            batch.frozen_file = batch.frozen_content and base64.b64encode(batch.frozen_content.encode())

    @api.depends("name")
    def _compute_frozen_filename(self):
        for batch in self:
            batch.frozen_filename = f"{(batch.name or '').replace('/', '-')}.txt"

    @api.depends("submission_ids.state", "submission_ids.answer")
    def _compute_answers(self):
        for batch in self:
            newest_first = batch.sudo().submission_ids.sorted("attempt", reverse=True)
            batch.last_answer = newest_first[:1].answer
            batch.unknown_reason = newest_first.filtered(lambda one: one.state == "unknown")[:1].answer

    @api.depends("batch_state", "maker_ids", "check_result")
    @api.depends_context("uid")
    def _compute_blocked_reason(self):
        for batch in self:
            batch.blocked_reason = batch._why_not_next()
            batch.can_approve = batch.batch_state == "to_approve" and not batch.blocked_reason

    def _why_not_next(self):
        """Why this user cannot take the batch's next step; False when nothing is in the way."""
        if self.batch_state in ("draft", "rejected", "refused") and not has_role(self.env, MAKERS):
            return _("A program manager corrects this batch and requests its approval.")
        if self.batch_state == "to_approve":
            return self._why_not_approve()
        if self.batch_state == "approved":
            return self._why_not_send()
        if self.batch_state == "sending":
            return _("The batch is on its way. The result appears here by itself.")
        return False

    def _drafts(self):
        return self.filtered(lambda batch: batch.batch_state == "draft")

    @api.model
    def get_empty_list_help(self, help_message):
        return Markup('<p class="o_view_nocontent_smiling_face">%s</p><p>%s</p>') % (
            _("No payment batch yet"),
            _("Approve a cycle and its entitlements, then press Prepare Payments on the cycle."),
        )

    # The states

    def _advance(self, state, why, **values):
        """The one place where `batch_state` changes. UserError when the move is not in NEXT."""
        labels = dict(self._fields["batch_state"]._description_selection(self.env))
        for batch in self:
            if state not in NEXT[batch.batch_state]:
                raise UserError(
                    _(
                        "%(batch)s is %(from)s and cannot become %(to)s. Reload the page to see what "
                        "happened.",
                        batch=batch.name,
                        to=labels[state],
                        **{"from": labels[batch.batch_state]},
                    )
                )
        before = {batch: batch.batch_state for batch in self}
        # Rights are checked by the caller; people have no write access to these fields (see GUARDED).
        self.sudo().write({"batch_state": state, **values})
        for batch in self:
            batch._message_log(body=f"{labels[state]}: {why}")
            batch._record([{"from_state": before[batch], "to_state": state, "why": why}])
            batch.sudo()._call_who_is_next(state, why)

    def _record(self, rows):
        """Adds to the audit trail; `rows` as for g2p.payment.event."""
        facts = {"digest": self.frozen_digest, "remote_reference": self.external_batch_ref}
        self.env["g2p.payment.event"]._record(self, [{**facts, **row} for row in rows])

    def action_verify_events(self):
        """Say whether the audit trail of this batch is whole and fits its records, and write that down."""
        self.ensure_one()
        self.read(["name"])  # of one's own companies
        return self.env["g2p.payment.audit.check"]._verify(self)._said(self.name)

    def _lock(self):
        """Claims the rows, so that of two people who press at once the second is told so."""
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT id FROM g2p_payment_batch WHERE id = ANY(%s) FOR UPDATE SKIP LOCKED", [self.ids]
        )
        if self.env.cr.rowcount != len(self):
            raise UserError(_("Somebody else is working on this batch right now. Try again in a minute."))
        self.invalidate_recordset(["batch_state"])

    def _lock_in_job(self):
        """`_lock` for a job: it comes back a little later instead of failing."""
        try:
            self._lock()
        except UserError as error:
            raise RetryableJobError(str(error), seconds=10, ignore_retry=True) from error

    # What travels

    def _payer(self):
        return Payer(identifier_type=self.payer_identifier_type or "", identifier=self.payer_identifier or "")

    def _render(self):
        return self.gateway_id._render(self.payment_ids._instructions(self.note), self._payer())

    # What is opened from it

    def action_open_unknown(self):
        """The attempt of which nobody knows the outcome, with what can be done about it."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": _("Did %s arrive?", self.name),
            "res_model": "g2p.payment.submission",
            "view_mode": "form",
            "res_id": self.submission_ids.filtered(lambda one: one.state == "unknown")[:1].id,
        }

    def action_open_payments(self):
        return self._open_payments(_("Payments of %s", self.name), [])

    def action_open_failed(self):
        return self._open_payments(_("Failed Payments of %s", self.name), [("status", "=", "failed")])

    def _open_payments(self, name, domain):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": "g2p.payment",
            "view_mode": "tree,form",
            "domain": [("batch_id", "=", self.id), *domain],
            "context": {"create": False},
        }

    def action_open(self):
        """From the list on the cycle, where OpenG2P opens a window without buttons."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "view_mode": "form",
            "res_id": self.id,
        }
