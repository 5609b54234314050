from decimal import Decimal

from odoo import _, fields, models
from odoo.tools import float_repr

from odoo.addons.g2p_payment_hub.models.roles import LOOKERS, check_role

from .statement_files import Section


class PaymentBatch(models.Model):
    """The statement of a batch for the auditor: what was approved, by whom, what became of each payment,
    what did not fit and who decided what."""

    _inherit = "g2p.payment.batch"

    def _check_may_see_statement(self):
        """It names every payee."""
        check_role(
            self.env,
            LOOKERS,
            _("Only finance users, program managers and administrators see the statement of a batch."),
        )
        self.read(["name"])  # of one's own companies

    def _statement(self):
        """The statement as sections of text and exact amounts."""
        self.ensure_one()
        self._check_may_see_statement()
        payments = self.payment_ids.sorted("id") + self._taken_out()
        return [
            self._statement_facts(),
            self._statement_totals(payments),
            self._statement_failures(payments),
            self._statement_returns(payments),
            self._statement_exceptions(payments),
            self._statement_reissues(payments),
            self._statement_reconciliations(),
            self._statement_trail(),
            self._statement_payments(payments),
        ]

    def _statement_facts(self):
        batch = self.sudo()  # finance sees no cycles, but the name of this one
        accepted = batch._accepted_submission()
        facts = [
            (_("Batch"), self.name),
            (_("Program"), batch.cycle_id.program_id.name),
            (_("Cycle"), batch.cycle_id.name),
            (_("Company"), self.company_id.name),
            (_("Gateway"), self.gateway_id.name),
            (_("Gateway state"), _label(self.gateway_id, "state")),
            (_("Currency"), self.batch_currency_id.name),
            (_("State of the batch"), _label(self, "batch_state")),
            (_("Payer"), f"{self.payer_identifier_type or ''} {self.payer_identifier or ''}".strip()),
            (_("Prepared by"), batch.prepared_by_id.name),
            (_("Prepared on"), self._moment(self.create_date)),
            (_("Prepared or changed by"), ", ".join(batch.maker_ids.mapped("name"))),
            (_("Approved by"), batch.approved_by_id.name),
            (_("Approved on"), self._moment(self.approved_at)),
            (_("Sent by"), batch.sent_by_id.name),
            (_("Sent on"), self._moment(accepted.started_at)),
            (_("Accepted on"), self._moment(accepted.ended_at)),
            (_("Payment system's reference"), self.external_batch_ref),
            (_("File"), accepted.filename),
            (_("SHA-256 of the file"), self.frozen_digest),
            (_("Last asked on"), self._moment(accepted.last_polled_at)),
            *self._trail_facts(),
            (_("Printed by"), self.env.user.name),
            (_("Printed on"), self._moment(fields.Datetime.now())),
            (_("Times are in"), self.env.user.tz or "UTC"),
        ]
        return Section(_("Batch"), [_("Fact"), _("Value")], [[name, value or ""] for name, value in facts])

    def _trail_facts(self):
        """The head of the audit trail on paper: whoever holds it can tell later whether it was rewritten."""
        of_batch = [("batch_id", "=", self.id)]
        last = self.env["g2p.payment.event"].sudo().search(of_batch, order="number desc", limit=1)
        anchor = self.env["g2p.payment.audit.anchor"].sudo().search([], limit=1)
        return [
            (_("Audit trail"), self._trail_sentence()),
            (_("Last event"), _("No. %(number)s", number=last.number) if last else ""),
            (_("Time of the last event"), self._moment(last.happened_at)),
            (_("Hash of the last event"), last.hash),
            (
                _("Last anchor of all trails"),
                _(
                    "No. %(number)s of %(when)s, hash %(hash)s",
                    number=anchor.number,
                    when=self._moment(anchor.happened_at),
                    hash=anchor.hash,
                )
                if anchor
                else "",
            ),
        ]

    def _trail_sentence(self):
        trail = next(self.env["g2p.payment.event"].sudo()._trails(self))
        if trail.broken:
            return _("BROKEN at event %s: it was changed, or something is missing.", trail.broken)
        differences = self.env["g2p.payment.event"].sudo()._differences(self)
        if differences.count:
            return _(
                "whole: %(count)s events, but %(differing)s facts DIFFER from it: %(first)s",
                count=trail.count,
                differing=differences.count,
                first=differences.sentences[0],
            )
        return _(
            "whole: %(count)s events, the last has the hash %(hash)s", count=trail.count, hash=self.event_head
        )

    def _taken_out(self):
        """Payments that stood in this batch, were taken out before it was sent, and seem to be paid all the
        same: they stand in no other batch's statement."""
        return self.env["g2p.payment"].search(
            [
                ("batch_id", "=", False),
                ("event_ids.batch_id", "=", self.id),
                "|",
                ("status", "=", "paid"),
                ("attention", "!=", False),
            ],
            order="id",
        )

    def _statement_totals(self, payments):
        """Every payment is in one line; the lines add up to what was approved. What was taken out of the
        batch was not approved, and has a line of its own below, where there is something to say of it."""
        mine = payments & self.payment_ids
        of_outcome = mine.grouped(lambda payment: payment._outcome())
        rows = [
            [label, *self._sums(of_outcome.get(outcome, mine.browse()))]
            for outcome, label in _outcome_labels().items()
        ]
        rows.append([_("All"), *self._sums(mine)])
        if payments != mine:
            rows.append([_("Taken out of the batch before it was sent"), *self._sums(payments - mine)])
        columns = [
            _("Outcome"),
            _("Payments"),
            _("Amount approved"),
            _("Amount paid"),
            _("Amount returned"),
            _("Fees"),
        ]
        return Section(_("Totals"), columns, rows)

    def _sums(self, payments):
        zero = self._money(0)
        return [
            len(payments),
            sum((payment._amount() for payment in payments), zero),
            sum((self._paid(payment) for payment in payments), zero),
            sum((self._money(payment.returned_amount) for payment in payments), zero),
            sum((self._money(payment.remote_fee) for payment in payments), zero),
        ]

    def _paid(self, payment):
        return self._money(payment.amount_paid if payment.status == "paid" else 0)

    def _statement_failures(self, payments):
        """Why payments failed, most frequent first, and what to do about it."""
        failed = payments.filtered(lambda payment: payment._outcome() == "failed")
        rows = [
            [
                _label(same[0], "failure_type"),
                len(same),
                sum((payment._amount() for payment in same), self._money(0)),
                same[0].failure_advice,
            ]
            for same in failed.grouped("failure_type").values()
        ]
        columns = [_("Failure"), _("Payments"), _("Amount approved"), _("What to do")]
        return Section(_("Failures"), columns, sorted(rows, key=lambda row: (-row[1], row[0])))

    def _statement_returns(self, payments):
        """Money that was paid and came back, as people have decided."""
        columns = [
            _("Reference"),
            _("Beneficiary"),
            _("Amount approved"),
            _("Amount returned"),
            _("Returned on"),
            _("Reason"),
        ]
        rows = [
            [
                payment.name,
                payment.partner_id.name or "",
                payment._amount(),
                self._money(payment.returned_amount),
                self._moment(payment.returned_at),
                payment.failure_reason or "",
            ]
            for payment in payments.filtered("returned_at")
        ]
        return Section(_("Returned"), columns, rows)

    def _statement_payments(self, payments):
        labels = _outcome_labels()
        columns = [
            _("Reference"),
            _("Beneficiary"),
            _("Payee identifier"),
            _("Amount approved"),
            _("Amount paid"),
            _("Outcome"),
            _("Paid on"),
            _("Payment system's reference"),
            _("Fee"),
            _("Failure"),
            _("Reason"),
            _("Needs attention"),
        ]
        rows = [
            [
                payment.name,
                payment.partner_id.name or "",
                payment.account_number or "",
                payment._amount(),
                self._paid(payment),
                labels[payment._outcome()],
                self._moment(payment.payment_datetime),
                payment.remote_reference or "",
                self._money(payment.remote_fee),
                _label(payment, "failure_type"),
                payment.failure_reason or "",
                payment.attention or "",
            ]
            for payment in payments
        ]
        return Section(_("Payments"), columns, rows)

    def _statement_exceptions(self, payments):
        """Also those about a payment of this batch that came up in the answer about another."""
        columns = [
            _("First seen"),
            _("Reference"),
            _("Kind"),
            _("What does not fit"),
            _("State"),
            _("Decision"),
            _("Reason"),
            _("Decided by"),
            _("Confirmed by"),
            _("Closed on"),
            _("Evidence"),
        ]
        rows = [
            [
                self._moment(exception.first_seen_at),
                exception.reference or exception.payment_id.name or "",
                _label(exception, "type"),
                exception.summary,
                _label(exception, "state"),
                _label(exception, "decision"),
                exception.reason or "",
                exception.proposed_by_id.name or "",
                exception.confirmed_by_id.name or "",
                self._moment(exception.decided_at),
                ", ".join(exception.sudo().attachment_ids.mapped("name")),
            ]
            for exception in (self.exception_ids | payments.exception_ids).sorted("id")
        ]
        return Section(_("Exceptions and Decisions"), columns, rows)

    def _statement_reissues(self, payments):
        """In both directions: whose place these payments take, and which took theirs."""
        columns = [
            _("Failed payment"),
            _("of batch"),
            _("Issued again as"),
            _("in batch"),
            _("Amount"),
            _("Outcome"),
        ]
        labels = _outcome_labels()
        again = payments.reissue_ids + payments.filtered("reissue_of_id")
        rows = [
            [
                payment.reissue_of_id.name,
                payment.reissue_of_id.batch_id.name or "",
                payment.name,
                payment.batch_id.name or "",
                payment._amount(),
                labels[payment._outcome()],
            ]
            for payment in again.sorted("id")
        ]
        return Section(_("Re-issues"), columns, rows)

    def _statement_reconciliations(self):
        columns = [
            _("Reconciliation"),
            _("When"),
            _("Source"),
            _("File"),
            _("New results"),
            _("New exceptions"),
            _("Their paid"),
            _("Difference"),
        ]
        rows = [
            [
                run.name,
                self._moment(run.happened_at),
                _label(run, "origin"),
                run.evidence_id.name or "",
                run.became_final_count,
                run.exception_count,
                self._money(run.their_paid_amount),
                self._money(run.difference_amount),
            ]
            for run in self.reconciliation_ids.sorted("id")
        ]
        return Section(_("Reconciliations"), columns, rows)

    def _statement_trail(self):
        """What happened to the batch and its submissions; what happened to a payment stands there."""
        columns = [_("No."), _("When"), _("Who"), _("From"), _("To"), _("Why")]
        events = self.env["g2p.payment.event"].search(
            [("batch_id", "=", self.id), ("payment_id", "=", False)], order="number"
        )
        rows = [
            [
                event.number,
                self._moment(event.happened_at),
                event.user_id.name,
                event.from_label or "",
                event.to_label or "",
                event.why or "",
            ]
            for event in events
        ]
        return Section(_("What Happened"), columns, rows)

    def _money(self, amount):
        digits = self.batch_currency_id.decimal_places if self.batch_currency_id else 2
        return Decimal(float_repr(amount or 0.0, digits))

    def _moment(self, moment):
        if not moment:
            return ""
        return fields.Datetime.context_timestamp(self, moment).strftime("%Y-%m-%d %H:%M:%S")


class Payment(models.Model):
    _inherit = "g2p.payment"

    def _outcome(self):
        """One of `_outcome_labels`, as in the payment analysis."""
        if self.attention:
            return "unresolved"
        if self.status:
            return self.status
        if self.batch_id.batch_state == "unknown":
            return "unresolved"
        return "not_sent" if self.state == "issued" else "waiting"


def _outcome_labels():
    return {
        "paid": _("Paid"),
        "failed": _("Failed"),
        "waiting": _("Waiting for a result"),
        "unresolved": _("Unresolved: in front of a person"),
        "not_sent": _("Not sent yet"),
    }


def _label(record, name):
    """The words for a selection's value, empty when there is none."""
    labels = dict(record._fields[name]._description_selection(record.env))
    return labels.get(record[name], "")
