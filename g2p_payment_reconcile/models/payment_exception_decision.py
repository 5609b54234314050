import hashlib

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.g2p_payment_hub.models.roles import APPROVERS, check_role

# open -> closed (what moves no money) ;  open -> proposed -> closed (a second person) ;  proposed -> open
# (sent back) ;  closed -> open (taken back, or the payment system says it again after it had settled it)
NEXT = {
    "open": {"proposed", "closed"},
    "proposed": {"open", "closed"},
    "closed": {"open"},
}
# What a person may decide about each type. Whether it fits the payment is asked in `_why_not`.
DECISIONS = {
    "suspect": ("declare_paid", "declare_failed", "reverse", "keep_as_is"),
    "contradictory": ("declare_paid", "declare_failed", "reverse", "keep_as_is"),
    "twice": ("declare_paid", "declare_failed", "reverse", "keep_as_is"),
    "money": ("accept_difference", "declare_paid", "declare_failed", "reverse", "keep_as_is"),
    "late": ("declare_paid", "reverse", "keep_as_is"),
    "returned": ("reverse", "keep_as_is"),
    "silent": ("declare_paid", "declare_failed", "keep_as_is"),
    "stranger": ("declare_paid", "declare_failed", "reverse", "keep_as_is"),
    "questioned": ("declare_paid", "declare_failed", "reverse", "keep_as_is"),
}
# Where something may count as paid that never left: nothing came back then.
_NEVER_PAID = ("suspect", "questioned")


class PaymentException(models.Model):
    """What people decide about an exception: one proposes, a second confirms where money is concerned, and
    another can take it back."""

    _inherit = "g2p.payment.exception"

    def _propose(self, decision, reason, attachments=None):
        """A person decides; where money is concerned, a second one has to confirm.

        `attachments` are the evidence, copied so that nobody changes it afterwards.
        """
        self._check_decider()
        self._lock()
        reason = self._in_one_line(reason)
        for exception in self:
            exception._expect("open")
            blocked = exception._why_not(decision, attachments) or exception._why_not_beside(decision)
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
                exception._call_for_decisions()
            else:
                exception._carry_out()

    def action_confirm(self):
        """The second of two people agrees, and the decision takes effect."""
        self._check_decider()
        self._lock()
        for exception in self:
            so_already = exception._is_so_already()
            blocked = exception._why_not_confirm() or (
                not so_already and exception._why_not(exception.decision, exception.attachment_ids)
            )
            if blocked:
                raise UserError(blocked)
            exception._advance("closed", confirmed_by_id=self.env.uid)
            exception._carry_out(moves=not so_already)

    def _send_back(self, reason):
        """The second person does not agree, or the first has thought again."""
        self._check_decider()
        self._lock()
        reason = self._in_one_line(reason)
        for exception in self:
            exception._expect("proposed")
            said = exception._decided()
            exception._advance("open", **exception._undecided())
            why = _("Sent back, nothing was changed: %(reason)s (%(said)s)", reason=reason, said=said)
            exception._note(why)
            exception._call_for_decisions()

    def _take_back(self, reason):
        """Another person takes a decision back: the payment is as it was, and needs attention again."""
        self._check_decider()
        self._lock()
        reason = self._in_one_line(reason)
        for exception in self:
            blocked = exception._why_not_take_back()
            if blocked:
                raise UserError(blocked)
            why = _("Taken back: %(reason)s (%(said)s)", reason=reason, said=exception._decided())
            exception._advance(
                "open",
                **exception._undecided(),
                taken_back_by_id=self.env.uid,
                taken_back_at=fields.Datetime.now(),
            )
            if exception.payment_before:
                exception.payment_id._put_back(exception.payment_before, why, exception.batch_id)
                exception.sudo().write({"payment_before": False, "event_id": False})
            else:
                exception._note(why)
            exception._refresh_attention(exception)
            exception._settle_batches()

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
        # invariant: second-person-decides
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
            ("event_id.id", ">", self.event_id.id),
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
        if decision == "declare_failed":
            return self._why_not_failed(status)
        if decision == "accept_difference":
            return self._why_not_accept(status)
        if decision == "reverse":
            return self._why_not_reverse(status)
        return False

    def _why_not_beside(self, decision):
        """What waits to be confirmed was decided with the result in front as it is now; another decision
        would move that before it is confirmed."""
        waiting = self._others_of_payment(("state", "=", "proposed"), ("decision", "!=", "keep_as_is"))
        if decision == "keep_as_is" or set(waiting.mapped("decision")) <= {decision}:
            return False
        labels = dict(self._fields["decision"]._description_selection(self.env))
        return _(
            "Another decision about this payment waits for a second person: %(decision)s, by %(user)s. Have "
            "it confirmed or sent back first.",
            decision=labels[waiting[0].decision],
            user=waiting[0].proposed_by_id.name,
        )

    def _is_so_already(self):
        """Whether people have decided another exception of the payment alike, and that stands."""
        result = {"declare_paid": "paid", "declare_failed": "failed"}.get(self.decision)
        alike = ("decision", "=", self.decision), ("state", "=", "closed"), ("event_id", "!=", False)
        return bool(result) and self.payment_id.status == result and bool(self._others_of_payment(*alike))

    def _others_of_payment(self, *domain):
        """Whoever may see them."""
        of_payment = [("payment_id", "=", self.payment_id.id), ("payment_id", "!=", False)]
        return self.sudo().search([*of_payment, ("id", "!=", self.id), *domain])

    def _why_not_failed(self, status):
        if status == "failed":
            return _("This payment has failed already. Keep it as it is.")
        if status and self.type not in _NEVER_PAID:
            return _("This payment is paid. Reverse it, or keep it as it is.")
        return False

    def _why_not_reverse(self, status):
        if status != "paid" and self.type != "returned":
            return _("Only a payment that is paid can be reversed.")
        if status == "failed":
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

    def _carry_out(self, moves=True):
        """What the decision means for the payment, unless that is so already, and for its batch."""
        payment, decided = self.payment_id, self._decided()
        values = payment._decided_values(self) if payment and moves else {}
        moved = {"decided_at": fields.Datetime.now(), "payment_before": False, "event_id": False}
        if values:
            moved["payment_before"] = payment._result_as_text()
            payment._decide(values, decided, self.batch_id, self._evidence_digest())
            moved["event_id"] = payment.sudo().event_ids.sorted("id")[-1].id
        else:
            self._note(decided)
        self.sudo().write(moved)
        self._refresh_attention(self)
        self._settle_batches()

    def _settle_batches(self):
        """A payment can turn up in another batch's answer: its own one changes as well."""
        for batch in self.batch_id | self.payment_id.batch_id.filtered("gateway_id"):
            batch._settle()
        self.sudo().evidence_id._call_for_decisions()

    def _call_for_decisions(self):
        for batch in self.batch_id:
            batch._call_for_decisions()

    @api.model
    def _in_one_line(self, reason):
        reason = " ".join((reason or "").split())
        if not reason:
            raise UserError(_("Give a reason: the other person and the auditor have to know how you know."))
        return reason

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
        if not all(attachment.raw for attachment in attachments.sudo()):
            raise UserError(_("There is nothing in one of these files. Attach the file itself, not a link."))
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
        check_role(self.env, APPROVERS, _("Only a finance validator may decide this."))
        self.env.user._check_somebody()
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
