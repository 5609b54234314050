import logging
import time
from contextlib import contextmanager

from psycopg2 import OperationalError

from odoo import SUPERUSER_ID, _, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.modules import module
from odoo.tools import config

from odoo.addons.queue_job.exception import RetryableJobError

from ..client.errors import GatewayError, NotSent, OutcomeUnknown, Reason, Refused
from ..client.instructions import Payer, digest

_logger = logging.getLogger(__name__)

APPROVERS = ("g2p_programs.g2p_finance_validator", "g2p_registry_base.group_g2p_admin")
MAKERS = ("g2p_programs.g2p_program_manager", "g2p_registry_base.group_g2p_admin")

# draft -> to_approve -> approved -> sending -> sent -> done
#   ^         |            |          |  |  |
#   |<- rejected <---------+          |  |  +-> unknown -> sent | approved (two people)
#   |<- refused <---------------------+  +-> approved (nothing had left)
#   +-> cancelled (from every state in which nothing can have left)
NEXT = {
    "draft": {"to_approve", "cancelled"},
    "to_approve": {"approved", "rejected", "draft", "cancelled"},
    "approved": {"sending", "rejected", "draft"},
    "sending": {"sent", "refused", "unknown", "approved"},
    "unknown": {"sent", "approved"},
    "sent": {"done"},
    "rejected": {"draft", "cancelled"},
    "refused": {"draft", "cancelled"},
    "done": set(),
    "cancelled": set(),
}
# What people may not write on a batch of a gateway, whatever rights OpenG2P gives them on the model.
GUARDED = {
    "name",
    "cycle_id",
    "external_batch_ref",
    "batch_has_started",
    "batch_has_completed",
    "payment_ids",
    "stats_issued_transactions",
    "stats_issued_amount",
    "stats_sent_transactions",
    "stats_sent_amount",
    "stats_paid_transactions",
    "stats_paid_amount",
    "stats_failed_transactions",
    "stats_failed_amount",
    "stats_datetime",
    "tag_id",
    "gateway_id",
    "company_id",
    "batch_state",
    "batch_currency_id",
    "payer_identifier_type",
    "payer_identifier",
    "note",
    "prepared_by_id",
    "maker_ids",
    "approved_by_id",
    "approved_at",
    "sent_by_id",
    "reject_reason",
    "check_result",
    "frozen_content",
    "frozen_digest",
    "submission_ids",
    "event_ids",
    "event_head",
    "closed_loop_confirmed_by_id",
}


class PaymentBatch(models.Model):
    """A batch of a gateway: checked, approved by a second person, frozen, and sent once."""

    _name = "g2p.payment.batch"
    _inherit = ["g2p.payment.batch", "mail.thread", "mail.activity.mixin"]

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
        "Batch State",
        readonly=True,
        copy=False,
        index=True,
        help="Sent: the payment system has accepted the batch; nobody is paid yet. Refused: it said no. "
        "Unknown: nobody knows whether it arrived, so it must not be sent again. Done: each payment has "
        "its final result.",
    )
    batch_currency_id = fields.Many2one("res.currency", "Currency", readonly=True, copy=False)
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
    frozen_digest = fields.Char(
        "SHA-256", readonly=True, copy=False, help="Fingerprint of the file as it was approved."
    )
    closed_loop_confirmed_by_id = fields.Many2one(
        "res.users",
        "Money Confirmed by",
        readonly=True,
        copy=False,
        help="Who said that the money moved, where the payment system's word is not enough.",
    )
    needs_confirmation = fields.Boolean(compute="_compute_needs_confirmation")
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

    @api.depends("payment_ids.amount_issued", "payment_ids.amount_paid", "payment_ids.status")
    def _compute_totals(self):
        sums = self.env["g2p.payment"]._read_group(
            [("batch_id", "in", self.ids)],
            ["batch_id"],
            ["__count", "amount_issued:sum"],
        )
        paid = self.env["g2p.payment"]._read_group(
            [("batch_id", "in", self.ids), ("status", "=", "paid")], ["batch_id"], ["amount_paid:sum"]
        )
        totals = {batch.id: (count, amount) for batch, count, amount in sums}
        paid = {batch.id: amount for batch, amount in paid}
        for batch in self:
            batch.payment_count, batch.amount_total = totals.get(batch.id, (0, 0.0))
            batch.amount_paid_total = paid.get(batch.id, 0.0)

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
        if self.batch_state in ("draft", "rejected", "refused") and not self._has_role(MAKERS):
            return _("A program manager corrects this batch and requests its approval.")
        if self.batch_state == "to_approve":
            return self._why_not_approve()
        if self.batch_state == "approved":
            return self._why_not_send()
        if self.batch_state == "sending":
            return _("The batch is on its way. The result appears here by itself.")
        return False

    def _why_not_send(self):
        if self.check_result:
            return _("It cannot be sent as it is. Reject it, or take it back to draft.")
        if not self._has_role(APPROVERS):
            return _("A finance validator sends this batch.")
        return False

    def _why_not_approve(self):
        if not self._has_role(APPROVERS):
            return _("A finance validator approves this batch.")
        if self.env.uid == SUPERUSER_ID:
            return _("The superuser cannot approve: it is nobody in particular. Log in as yourself.")
        if self.env.user in self.maker_ids:
            return _("You prepared or changed this batch, so another finance user must approve it.")
        return False

    def _has_role(self, groups):
        return any(self.env.user.has_group(group) for group in groups)

    def _drafts(self):
        return self.filtered(lambda batch: batch.batch_state == "draft")

    # Guards

    @api.model_create_multi
    def create(self, vals_list):
        batches = super().create(vals_list)
        # Looked at afterwards, because values also come from defaults in the context.
        if not self.env.su and any(one.gateway_id or one.batch_state for one in batches.sudo()):
            raise AccessError(_("Batches of a gateway are made by Prepare Payments on the cycle only."))
        batches._check_takes_no_payment_of_a_gateway()
        return batches

    def write(self, vals):
        if not self.env.su and (
            {"gateway_id", "batch_state"} & set(vals)
            or (GUARDED & set(vals) and any(self.mapped("gateway_id")))
        ):
            raise AccessError(
                _(
                    "A batch of a gateway cannot be edited: what was approved is what is sent. Use its "
                    "buttons."
                )
            )
        result = super().write(vals)
        if "payment_ids" in vals:
            self._check_takes_no_payment_of_a_gateway()
        return result

    def _check_takes_no_payment_of_a_gateway(self):
        """In a batch of another payment manager it would be sent a second time."""
        others = self.sudo().filtered(lambda batch: not batch.gateway_id)
        if not self.env.su and others.payment_ids.gateway_id:
            raise AccessError(_("A payment of a gateway cannot be put into another batch."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never_once_prepared(self):
        if self.filtered("gateway_id"):
            raise UserError(
                _("A batch of a gateway is never deleted. Cancel it, and its payments can be prepared again.")
            )

    def copy(self, default=None):
        """OpenG2P's copy shares the payments of the original."""
        if self.filtered("gateway_id"):
            raise UserError(
                _("A batch of a gateway cannot be copied. Prepare payments on the cycle instead.")
            )
        return super().copy(default)

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

    def _record(self, rows):
        """Adds to the audit trail; `rows` as for g2p.payment.event."""
        facts = {"digest": self.frozen_digest, "remote_reference": self.external_batch_ref}
        self.env["g2p.payment.event"]._record(self, [{**facts, **row} for row in rows])

    def action_verify_events(self):
        """Says whether the audit trail of this batch is whole, and where it is not."""
        self.ensure_one()
        broken = self.env["g2p.payment.event"]._first_broken(self)
        if broken:
            message = _(
                "The audit trail is broken at event %s: it was changed, or something is missing.", broken
            )
            return self.gateway_id._notification("danger", message)
        count = self.env["g2p.payment.event"].sudo().search_count([("batch_id", "=", self.id)])
        return self.gateway_id._notification("success", _("The audit trail is whole: %s events.", count))

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

    def _check_role(self, groups, sentence):
        if not self._has_role(groups):
            raise AccessError(sentence)

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

    # Check

    def action_request_approval(self):
        """Draft to To Approve, when the check finds nothing."""
        self._check_role(MAKERS, _("Only a program manager may request approval."))
        self._lock()
        self._request_approval()
        return self._drafts()._say_problems()

    def _say_problems(self):
        """Nothing when there are none; in any case the form shows what became of the batch."""
        if not self:
            return True
        manager = self.env["g2p.program.payment.manager.hub"]
        return manager._say("warning", _("There are problems to be mended first. The batch lists them."))

    def _request_approval(self):
        for batch in self:
            if not batch._check():
                batch._advance("to_approve", _("Checked and ready to approve."))

    def _check(self):
        """Everything that the payment system would reject, swallow or mangle, as a list of sentences; kept on
        the payments and, with the batch's own problems, on the batch."""
        self.ensure_one()
        by_payment = self._payment_problems()
        for payment, problems in by_payment.items():
            payment.sudo().check_problem = "\n".join(problems)
        clean = self.payment_ids.filtered("check_problem") - self.env["g2p.payment"].concat(*by_payment)
        clean.sudo().write({"check_problem": False})
        found = self._batch_problems()
        found += [
            f"{payment.partner_id.name}: {' '.join(problems)} ({payment.name})"
            for payment, problems in by_payment.items()
        ]
        self.sudo().check_result = "\n".join(found) or False
        return found

    def _payment_problems(self):
        """Payment to sentences, for the payments that have a problem."""
        payments = self.payment_ids
        by_reference = self.gateway_id._check_instructions(payments._instructions(self.note), self._payer())
        problems = {}
        for payment in payments:
            mine = list(by_reference.get(payment.name, ()))
            if payment.entitlement_id.state != "approved":
                mine.append(_("The entitlement is no longer approved. Set this payment aside."))
            if payment.payment_currency_id != self.batch_currency_id:
                mine.append(_("The currency differs from the batch's. Set this payment aside."))
            if mine:
                problems[payment] = mine
        return problems

    def _batch_problems(self):
        problems = self.gateway_id._check_ready() + self.gateway_id._check_payer(self._payer())
        if self.cycle_id.sudo().state != "approved":
            problems.append(_("The cycle is no longer approved. Cancel this batch."))
        if not self.payment_ids:
            problems.append(_("The batch has no payments. Cancel it."))
        if self.env["g2p.payment"].search([("batch_id", "=", self.id)]) != self.payment_ids.sorted(
            lambda payment: -payment.id
        ):
            problems.append(
                _("OpenG2P's two lists of this batch's payments differ. Cancel the batch and prepare again.")
            )
        return problems

    def action_refresh_payees(self):
        """Takes payees and payer from the registrants and the payment manager again, after they were "
        "mended."""
        self.ensure_one()
        self._check_role(MAKERS, _("Only a program manager may change a batch."))
        self._lock()
        self._expect("draft")
        manager = self._manager()
        self._made_by_me()
        self.sudo().write(manager._payer_values())
        payees = manager._payee_values(self.payment_ids.partner_id)
        for payment in self.payment_ids.sudo():
            payment._take_payee(payees[payment.partner_id.id])
        self._request_approval()
        return self._drafts()._say_problems()

    def _manager(self):
        manager = self.program_id.get_manager(self.program_id.MANAGER_PAYMENT)
        if (
            not manager
            or manager._name != "g2p.program.payment.manager.hub"
            or manager.gateway_id != self.gateway_id
        ):
            raise UserError(
                _(
                    "The program no longer pays through the gateway of this batch. Cancel it and prepare "
                    "again."
                )
            )
        return manager

    def action_set_problems_aside(self):
        """Takes the payments with problems out, so that the others need not wait. Prepare Payments makes
        new ones for their entitlements once the cause is mended."""
        self.ensure_one()
        self._check_role(MAKERS, _("Only a program manager may change a batch."))
        self._lock()
        self._expect("draft")
        self._made_by_me()
        self._check()
        aside = self.payment_ids.filtered("check_problem")
        for payment in aside:
            payment._give_up(_("Set aside: %s", payment.check_problem))
        aside.sudo().write({"batch_id": False})
        self.sudo().write({"payment_ids": [fields.Command.unlink(payment.id) for payment in aside]})
        self._message_log(body=_("%s payments with problems were set aside.", len(aside)))
        self._refresh_statistics()
        if self.payment_ids:
            self._request_approval()
        else:
            self._advance("cancelled", _("No payment is left."))

    def _expect(self, state):
        if self.batch_state != state:
            raise UserError(_("This batch has moved on meanwhile. Reload the page to see what happened."))

    def _made_by_me(self):
        self.sudo().write({"maker_ids": [fields.Command.link(self.env.uid)]})

    # Approve

    def action_approve(self):
        for batch in self:
            batch._approve()

    def _approve(self):
        self._check_role(APPROVERS, _("Only a finance validator may approve a batch."))
        self._lock()
        self._expect("to_approve")
        reason = self._why_not_approve()
        if reason:
            raise AccessError(reason)
        problems = self._check()
        if problems:
            raise UserError(
                _(
                    "Problems appeared since the batch was checked. Reject it to have them mended:\n%s",
                    "\n".join(problems[:20]),
                )
            )
        content = self._render()
        self._advance(
            "approved",
            _("SHA-256 of the file: %s", digest(content)),
            approved_by_id=self.env.uid,
            approved_at=fields.Datetime.now(),
            frozen_content=content,
            frozen_digest=digest(content),
            reject_reason=False,
        )

    def _payer(self):
        return Payer(identifier_type=self.payer_identifier_type or "", identifier=self.payer_identifier or "")

    def _render(self):
        return self.gateway_id._render(self.payment_ids._instructions(self.note), self._payer())

    def _reject(self, reason):
        self._check_role(APPROVERS, _("Only a finance validator may reject a batch."))
        if not (reason or "").strip():
            raise UserError(_("Give a reason: who prepared the batch has to know what to change."))
        self._lock()
        self._advance("rejected", reason, reject_reason=reason, **self._thawed())

    def _thawed(self):
        return {
            "approved_by_id": False,
            "approved_at": False,
            "frozen_content": False,
            "frozen_digest": False,
        }

    def action_back_to_draft(self):
        self._check_role(MAKERS, _("Only a program manager may take a batch back to draft."))
        self._lock()
        for batch in self:
            batch._made_by_me()
            batch._advance("draft", _("Taken back to be changed."), **batch._thawed())
            batch._check()

    def action_cancel(self):
        """Ends a batch that has not left. Its entitlements can be prepared again."""
        self._check_role(MAKERS, _("Only a program manager may cancel a batch."))
        self._lock()
        for batch in self:
            batch._advance("cancelled", _("Its entitlements can be prepared again."), **batch._thawed())
            batch.payment_ids._give_up(_("The batch was cancelled before it was sent."))
            batch._refresh_statistics()

    # Send

    def send_payment(self):
        """OpenG2P's Send button. A batch of a gateway goes through that gateway, whatever payment manager the
        program has by now."""
        hub = self.filtered("gateway_id")
        if not hub:
            return super().send_payment()
        others = self - hub
        if others:
            super(PaymentBatch, others).send_payment()
        return self.env["g2p.program.payment.manager.hub"].send_payments(hub)

    def _queue_sending(self):
        """One job for each batch; the identity key keeps a second press from making a second job."""
        if not self:
            return
        self._check_role(APPROVERS, _("Only a finance validator may send a batch."))
        self._lock()
        for batch in self:
            batch._advance("sending", _("Queued to be sent."), sent_by_id=self.env.uid)
            batch._queue_job()

    def _queue_job(self):
        self.with_delay(
            channel="root.g2p_payment_send",
            identity_key=f"g2p_payment_hub.send.{self.id}.{len(self.submission_ids)}",
            description=_("Send %s", self.name),
        )._send()

    @api.model
    def _cron_queue_forgotten(self):
        """A batch that waits to be sent, whose job somebody deleted, gets it back; where there is one, the
        identity key makes this do nothing."""
        for batch in self.sudo().search([("batch_state", "=", "sending")]):
            if not batch._live_submission():
                batch.with_user(batch.sent_by_id)._queue_job()

    def _send(self):
        """The job: writes down what is about to leave, lets it leave once, writes down what came of it.

        Each has a transaction of its own: what is written down is there whatever dies, and nothing waits for
        the network with locks in its hands.
        """
        self.ensure_one()
        submission, why_not = self._write_down_intent()
        if not submission:
            return why_not
        with (
            self._own_transaction() as batch
        ):  # only reads: a view of the database in which the intent is there
            ending, arguments = batch._transmit(submission.with_env(batch.env))
        return self._write_down_ending(submission, ending, arguments)

    def _write_down_intent(self):
        """`_begin_sending` on its own; when that fails nothing has left, and the batch can be sent again."""
        try:
            with self._own_transaction() as batch:
                submission, why_not = batch._begin_sending()
            return self.env["g2p.payment.submission"].browse(submission.id), why_not
        except (OperationalError, RetryableJobError):
            raise  # another transaction was in the way: queue_job comes back
        except Exception as error:  # pylint: disable=broad-except  # or the batch would stay "sending"
            _logger.exception("batch %s: sending could not begin", self.id)
            why_not = _("Nothing was sent, because of an error of this server: %s", type(error).__name__)
            with self._own_transaction() as batch:
                batch._advance("approved", why_not)
            return self.env["g2p.payment.submission"], why_not

    def _write_down_ending(self, submission, ending, arguments):
        """Repeated when other transactions are in the way: what came of it must not be forgotten."""
        for wait in (0.1, 0.5, 2, 5, None):
            try:
                with self._own_transaction() as batch:
                    ours = batch.env["g2p.payment.submission"].browse(submission.id)
                    getattr(ours, ending)(*arguments)
                    return ours.answer
            except OperationalError:
                if wait is None:
                    raise
                time.sleep(wait)

    @contextmanager
    def _own_transaction(self):
        """This record in a transaction that is committed at the end of the `with`, whatever becomes of ours.

        A queue job may not commit its own: that would give up its lock, and the job would be started again.
        Tests roll back everything, so there it is the test's own transaction."""
        if config["test_enable"] or module.current_test:
            yield self
            self.env.flush_all()
            return
        with self.env.registry.cursor() as cr:
            yield self.with_env(self.env(cr=cr))

    def _begin_sending(self):
        """(submission, False), or (False, why nothing is to be sent).

        Queue jobs run at least once: whoever finds an attempt written down already sends nothing."""
        self._lock_in_job()
        nothing = self.env["g2p.payment.submission"]
        if self.batch_state != "sending":
            return nothing, _("Nothing to do: the batch is not waiting to be sent.")
        if self._live_submission():
            return nothing, _("Nothing to do: another worker has this batch.")
        if not self._is_as_approved():
            why = _("Nothing was sent: the batch differs from what was approved.")
            self._advance("approved", why, check_result=why)
            return nothing, why
        return nothing._open(self), False

    def _is_as_approved(self):
        frozen = self.sudo().frozen_content or ""
        try:
            now = self._render()
        except ValueError:
            return False  # what was changed cannot even be written into a file
        return bool(frozen) and frozen == now and digest(frozen) == self.frozen_digest

    def _transmit(self, submission):
        """Sends; (method of the submission, its arguments) that writes down what came of it."""
        gateway = self.gateway_id
        try:
            there = self._find_at_payment_system()
        except (GatewayError, UserError) as error:
            why = gateway._explain(error) if isinstance(error, GatewayError) else str(error)
            return "_close", (
                "not_sent",
                _(
                    "Nothing was sent: the payment system could not say whether it has this batch already. "
                    "%s",
                    why,
                ),
            )
        if there:
            return "_accept", (there,)
        try:
            return "_accept", (gateway._submit_or_say_why(submission),)
        except NotSent as error:
            return "_close", ("not_sent", gateway._explain(error))
        except Refused as error:
            return "_close", ("refused", gateway._explain(error))
        except OutcomeUnknown as error:
            return "_close", ("unknown", gateway._explain(error))
        except Exception as error:  # pylint: disable=broad-except  # whatever it is, the file may have left
            _logger.exception("batch %s: sending ended in an error", self.id)
            why = _("An error of this server (%s) came while the file was leaving.", type(error).__name__)
            return "_close", ("unknown", why)

    def _find_at_payment_system(self):
        """The receipt of any attempt at this batch that the payment system knows already: after a backup was
        restored, or when what was declared missing has arrived after all."""
        problems = self.gateway_id._check_ready()
        if problems:
            raise NotSent(Reason.NOT_READY, " ".join(problems))
        for submission in self.submission_ids.sorted("attempt"):
            receipt = self.gateway_id._find_submission(submission)
            if receipt:
                return receipt
        return None

    @api.depends("batch_state", "closed_loop_confirmed_by_id", "gateway_id")
    def _compute_needs_confirmation(self):
        for batch in self:
            batch.needs_confirmation = (
                batch.batch_state == "sent"
                and not batch.closed_loop_confirmed_by_id
                and batch.gateway_id._confirms_payments()
            )

    def action_confirm_money(self):
        """A finance user other than the approver says that the money of this batch moved."""
        self.ensure_one()
        self._check_role(APPROVERS, _("Only a finance validator may confirm that the money moved."))
        self._lock()
        if not self.needs_confirmation:
            raise UserError(_("This batch needs no confirmation."))
        if self.env.user in self.maker_ids + self.approved_by_id:
            raise UserError(_("You prepared or approved this batch, so another finance user must confirm."))
        self.sudo().closed_loop_confirmed_by_id = self.env.uid
        why = _("Confirmed that the money moved.")
        self._message_log(body=why)
        self._record([{"from_state": self.batch_state, "to_state": self.batch_state, "why": why}])

    def _live_submission(self):
        return self.sudo().submission_ids.filtered(
            lambda one: one.state in ("in_flight", "unknown", "accepted")
        )

    def _mark_sent(self, receipt):
        self._advance(
            "sent",
            _("The payment system has accepted the batch as %s.", receipt.reference),
            external_batch_ref=receipt.reference,
            batch_has_started=True,
        )
        self.payment_ids.sudo().write({"state": "sent"})
        self._refresh_statistics()

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
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": _("Payments of %s", self.name),
            "res_model": "g2p.payment",
            "view_mode": "tree,form",
            "domain": [("batch_id", "=", self.id)],
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
