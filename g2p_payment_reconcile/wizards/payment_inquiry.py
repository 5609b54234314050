from typing import NamedTuple

from odoo import _, api, fields, models

from ..models.cycle import money

_MOST_ENTITLEMENTS = 20


class Entry(NamedTuple):
    """One line of the timeline: when (UTC), what happened, who did it or said so, and more about it."""

    when: object
    what: str
    who: str = ""
    more: str = ""


class PaymentInquiry(models.TransientModel):
    """Was this paid, when, through what, and how do we know: asked by beneficiary, entitlement or reference.

    Only reads, and only what the person who asks may see.
    """

    _name = "g2p.payment.inquiry"
    _description = "Payment Inquiry"
    _rec_name = "reference"

    partner_id = fields.Many2one(
        "res.partner", "Beneficiary", domain=[("is_registrant", "=", True)], help="Whose payments."
    )
    entitlement_id = fields.Many2one("g2p.entitlement", help="What was to be paid.")
    reference = fields.Char(
        help="Our reference of a payment, the payment system's, or the code or number of an entitlement."
    )
    answer = fields.Html(compute="_compute_answer", sanitize=False)

    @api.depends("partner_id", "entitlement_id", "reference")
    def _compute_answer(self):
        for inquiry in self:
            inquiry.answer = inquiry._answer()

    @api.model
    def _open_for(self, **asked):
        """The action that shows the answer; `asked` are values of this model."""
        return {
            "type": "ir.actions.act_window",
            "name": _("Payment Inquiry"),
            "res_model": self._name,
            "view_mode": "form",
            "res_id": self.create(asked).id,
        }

    def _answer(self):
        if not (self.partner_id or self.entitlement_id or (self.reference or "").strip()):
            return False
        found = self._entitlements()
        chapters = [self._chapter(entitlement) for entitlement in found[:_MOST_ENTITLEMENTS]]
        return self.env["ir.qweb"]._render(
            "g2p_payment_reconcile.payment_inquiry_answer",
            {"chapters": chapters, "more": len(found) > _MOST_ENTITLEMENTS, "moment": self._moment},
        )

    def _entitlements(self):
        """What the question is about, newest first. OpenG2P has no company rule on entitlements."""
        domain = [("company_id", "in", [False, *self.env.companies.ids])]
        if self.partner_id:
            registrant = self.partner_id._origin.id
            domain += ["|", ("partner_id", "=", registrant), ("payment_ids.partner_id", "=", registrant)]
        if self.entitlement_id:
            domain.append(("id", "=", self.entitlement_id._origin.id))
        reference = (self.reference or "").strip()
        if reference:
            named = ["|", ("name", "=", reference), ("remote_reference", "=", reference)]
            payments = self.env["g2p.payment"].search(named)
            domain += ["|", "|", ("id", "in", payments.entitlement_id.ids)]
            domain += [("code", "=", reference), ("ern", "=", reference)]
        return self.env["g2p.entitlement"].search(domain, order="id desc", limit=_MOST_ENTITLEMENTS + 1)

    def _chapter(self, entitlement):
        """What the template shows of one entitlement."""
        payments = self.env["g2p.payment"].search([("entitlement_id", "=", entitlement.id)], order="id")
        verdict, sentences = self._verdict(entitlement, payments)
        cycle = entitlement.sudo().cycle_id  # finance sees no cycles, but the names of this one
        return {
            "title": _(
                "%(amount)s for %(name)s, %(program)s, %(cycle)s",
                amount=money(entitlement.initial_amount, entitlement.currency_id),
                name=entitlement.partner_id.name,
                program=cycle.program_id.name,
                cycle=cycle.name,
            ),
            "code": entitlement.code,
            "verdict": verdict,
            "sentences": sentences,
            "timeline": self._timeline(entitlement, payments),
        }

    # Was it paid, and how do we know

    def _verdict(self, entitlement, payments):
        """(a colour's name, sentences)"""
        doubtful = payments.filtered("attention")
        paid = payments.filtered(lambda one: one.status == "paid")
        live = payments.filtered(lambda one: not one.status)
        if doubtful:
            return "warning", [
                _("It is not certain. A person has to decide about %s:", ", ".join(doubtful.mapped("name"))),
                *doubtful.mapped("attention"),
            ]
        if paid:
            return "success", [
                sentence for one in paid for sentence in (self._paid(one), self._how_known(one))
            ]
        if live:
            return "info", [self._not_yet(one) for one in live]
        if payments:
            last = payments[-1:]
            return "danger", [
                _(
                    "No: payment %(payment)s failed. %(reason)s",
                    payment=last.name,
                    reason=last.failure_reason or "",
                ),
                last.failure_advice or "",
            ]
        states = dict(entitlement._fields["state"]._description_selection(self.env))
        return "secondary", [
            _("No: no payment has been prepared. The entitlement is: %s.", states.get(entitlement.state, ""))
        ]

    def _paid(self, payment):
        return _(
            "Yes: %(amount)s were paid on %(when)s through %(gateway)s to %(name)s, %(payee)s, as payment "
            "%(payment)s.",
            name=payment.partner_id.name,
            amount=money(payment.amount_paid, payment.currency_id),
            when=self._moment(payment.payment_datetime) or _("a day that was not told"),
            gateway=payment.gateway_id.name or _("another payment manager"),
            payee=" ".join(filter(None, (payment.payee_identifier_type, payment.account_number))),
            payment=payment.name,
        )

    def _how_known(self, payment):
        decided = payment.exception_ids.filtered(
            lambda one: one.state == "closed" and one.decision in ("declare_paid", "accept_difference")
        ).sorted("decided_at")[-1:]
        if decided:
            return _(
                "We know by a decision of %(people)s on %(when)s: %(reason)s Evidence: %(evidence)s.",
                people=", ".join((decided.proposed_by_id + decided.confirmed_by_id).mapped("name")),
                when=self._moment(decided.decided_at),
                reason=decided.reason,
                evidence=", ".join(decided.sudo().attachment_ids.mapped("name")) or _("none"),
            )
        line = self._evidence(payment).filtered(lambda one: one.effect == "pays")[-1:]
        if line:
            return _(
                "We know from %(file)s, line %(line)s: uploaded by %(uploader)s on %(uploaded)s, applied by "
                "%(applier)s on %(applied)s.",
                file=line.evidence_id.name,
                line=line.number,
                uploader=line.evidence_id.uploaded_by_id.name,
                uploaded=self._moment(line.evidence_id.uploaded_at),
                applier=line.evidence_id.applied_by_id.name,
                applied=self._moment(line.evidence_id.applied_at),
            )
        if not payment.gateway_id:
            return _("It is marked as paid; how that is known is not written down.")
        return _(
            "We know from the payment system, which said so on %(when)s for our reference, amount and "
            "currency; its own reference is %(remote)s, its word: %(word)s. The batch is %(batch)s, there: "
            "%(there)s.",
            when=self._moment(payment.status_datetime),
            remote=payment.remote_reference or _("not told"),
            word=payment.remote_status or _("paid"),
            batch=payment.batch_id.name or "",
            there=payment.batch_id.external_batch_ref or "",
        )

    def _evidence(self, payment):
        """The applied lines about it, oldest first; who may see the payment may know the file that told."""
        return (
            self.env["g2p.payment.evidence.line"]
            .sudo()
            .search([("payment_id", "=", payment.id), ("evidence_id.state", "=", "applied")], order="id")
        )

    def _not_yet(self, payment):
        batch = payment.batch_id
        if payment.state == "issued":
            states = dict(batch._fields["batch_state"]._description_selection(self.env))
            return _(
                "Not yet: payment %(payment)s has been prepared; its batch %(batch)s is: %(state)s.",
                payment=payment.name,
                batch=batch.name or _("none"),
                state=states.get(batch.batch_state, _("not sent")),
            )
        return _(
            "Not yet: payment %(payment)s was sent in batch %(batch)s and has no result. The payment system "
            "was last asked on %(asked)s, and is asked again on %(next)s.",
            payment=payment.name,
            batch=batch.name or _("none"),
            asked=self._moment(batch.last_polled_at) or _("no day yet"),
            next=self._moment(batch.next_poll_at) or _("no day set"),
        )

    # The timeline

    def _timeline(self, entitlement, payments):
        entries = [Entry(entitlement.create_date, _("Entitlement made"), entitlement.create_uid.name)]
        if entitlement.date_approved:
            entries.append(
                Entry(fields.Datetime.to_datetime(entitlement.date_approved), _("Entitlement approved"))
            )
        # One payment after the other, so that what happened in the same second stays in order.
        events = self._events(payments)
        for payment in payments:
            mine = events.filtered(
                lambda event, payment=payment: (
                    payment == event.payment_id
                    or (not event.payment_id and event.batch_id == payment.batch_id)
                )
            )
            entries += [*self._of_payment(payment), *self._of_events(mine), *self._of_batch(payment.batch_id)]
        return sorted((entry for entry in entries if entry.when), key=lambda entry: entry.when)

    def _of_payment(self, payment):
        gateway = payment.gateway_id.name or ""
        again = payment.reissue_of_id.name
        return [
            Entry(
                payment.issuance_date or payment.create_date,
                _(
                    "Payment %(payment)s prepared, in the place of %(failed)s",
                    payment=payment.name,
                    failed=again,
                )
                if again
                else _("Payment %s prepared", payment.name),
                payment.create_uid.name,
                _(
                    "batch %(batch)s, to %(payee)s",
                    batch=payment.batch_id.name or _("none"),
                    payee=payment.account_number or "",
                ),
            ),
            Entry(payment.payment_datetime, _("Day of payment, as the payment system says"), gateway),
            Entry(payment.returned_at, _("The money came back"), gateway),
            *map(self._of_evidence_line, self._evidence(payment)),
        ]

    def _of_evidence_line(self, line):
        evidence = line.evidence_id
        what = _("Evidence %(file)s, line %(line)s", file=evidence.name, line=line.number)
        return Entry(evidence.applied_at, what, evidence.applied_by_id.name, line.why)

    def _of_batch(self, batch):
        accepted = batch._accepted_submission()
        return [
            Entry(
                accepted.last_polled_at,
                _("Payment system asked, last time"),
                batch.gateway_id.name,
                accepted.poll_answer,
            ),
            *map(self._of_reconciliation, batch.reconciliation_ids),
        ]

    def _of_reconciliation(self, run):
        sources = dict(run._fields["origin"]._description_selection(self.env))
        brought = _(
            "%(results)s new results, %(exceptions)s new exceptions",
            results=run.became_final_count,
            exceptions=run.exception_count,
        )
        return Entry(run.happened_at, _("Reconciliation %s", run.name), sources[run.origin], brought)

    def _events(self, payments):
        """Of the payments themselves, and of their batches as wholes."""
        of_batches = ["&", ("payment_id", "=", False), ("batch_id", "in", payments.batch_id.ids)]
        return self.env["g2p.payment.event"].search(
            ["|", ("payment_id", "in", payments.ids), *of_batches], order="batch_id, number"
        )

    def _of_events(self, events):
        for event in events:
            if event.payment_id:
                what = _("Payment %s", event.payment_id.name)
            elif event.submission_id:
                what = _("Sending of batch %s", event.batch_id.name)
            else:
                what = _("Batch %s", event.batch_id.name)
            yield Entry(event.happened_at, f"{what}: {event.to_label or ''}", event.user_id.name, event.why)

    def _moment(self, moment):
        return fields.Datetime.context_timestamp(self, moment).strftime("%Y-%m-%d %H:%M:%S") if moment else ""


class Partner(models.Model):
    _inherit = "res.partner"

    def action_payment_inquiry(self):
        self.ensure_one()
        return self.env["g2p.payment.inquiry"]._open_for(partner_id=self.id)


class Entitlement(models.Model):
    _inherit = "g2p.entitlement"

    def action_payment_inquiry(self):
        self.ensure_one()
        return self.env["g2p.payment.inquiry"]._open_for(entitlement_id=self.id)


class Payment(models.Model):
    _inherit = "g2p.payment"

    def action_payment_inquiry(self):
        self.ensure_one()
        return self.env["g2p.payment.inquiry"]._open_for(entitlement_id=self.entitlement_id.id)
