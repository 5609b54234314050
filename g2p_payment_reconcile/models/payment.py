from odoo import _, api, fields, models

from odoo.addons.g2p_payment_hub.client.outcomes import FailureType

from .verdict import Doubt, contradicts, judge

_COLUMNS = (
    ("id", "int"),
    ("state", "varchar"),
    ("status", "varchar"),
    ("final", "boolean"),
    ("amount_paid", "numeric"),
    ("paid_at", "timestamp"),
    ("remote_reference", "varchar"),
    ("remote_status", "varchar"),
    ("failure_code", "varchar"),
    ("failure_reason", "varchar"),
    ("failure_type", "varchar"),
    ("attention", "varchar"),
)


class Payment(models.Model):
    _inherit = "g2p.payment"

    def _apply_outcomes(self, outcomes, whole=True):
        """Writes what the payment system tells of these payments, in two statements however many they are.

        Final results never move; what speaks against one becomes `attention`, and its entitlement is not
        prepared again. The same outcomes, in any order and number, give the same result. Unless they are the
        `whole` answer nothing fails: that it was paid after all may stand on a page that did not come.
        Returns how many payments became final.
        """
        told = {}
        for outcome in outcomes:
            told.setdefault(outcome.reference, []).append(outcome)
        mine = self.filtered(lambda payment: payment.name in told)
        final = mine.filtered("status_is_final")
        still_open = mine - final
        final._note_contradictions(told)
        before = still_open._statuses()
        rows = [payment._outcome_row(told[payment.name], whole) for payment in still_open]
        still_open._write_outcomes(rows)
        still_open._record_changes(before)
        return sum(row["final"] for row in rows)

    def _note_contradictions(self, told):
        for payment in self:
            against = contradicts(
                told[payment.name],
                payment.status,
                payment._amount(),
                payment.payment_currency_id.name or "",
                payment.remote_reference or "",
            )
            if against and not payment.attention:
                payment.sudo().attention = self._doubt_sentence(against.doubt, against.outcome)

    def _outcome_row(self, outcomes, whole=True):
        verdict = judge(outcomes, self._amount(), self.payment_currency_id.name or "")
        if verdict.status == "failed" and (self.attention or not whole):
            # That it was paid has been said before, or may stand where the answer broke off.
            verdict = verdict._replace(status=None)
        outcome = verdict.outcome
        attention = self._doubt_sentence(verdict.doubt, outcome) if verdict.doubt else self.attention
        paid, failed = verdict.status == "paid", verdict.status == "failed"
        completed_at = outcome.completed_at.replace(tzinfo=None) if outcome.completed_at else None
        return {
            "id": self.id,
            "state": "reconciled" if verdict.status else "sent",
            "status": verdict.status,
            "final": bool(verdict.status),
            "amount_paid": outcome.amount if paid else None,
            "paid_at": completed_at if paid else None,
            "remote_reference": outcome.remote_reference or None,
            "remote_status": outcome.remote_status or None,
            "failure_code": (outcome.reason_code or None) if failed else None,
            "failure_reason": (outcome.reason or outcome.reason_code or _("No reason given"))
            if failed
            else None,
            "failure_type": (outcome.failure_type or FailureType.OTHER).value if failed else None,
            "attention": None if paid else attention or None,
        }

    def _write_outcomes(self, rows):
        """One UPDATE. That a final result does not move is said to PostgreSQL once more."""
        if not rows:
            return
        self.env.flush_all()
        arrays = ", ".join(f"%s::{column_type}[]" for _name, column_type in _COLUMNS)
        names = ", ".join(name for name, _type in _COLUMNS)
        self.env.cr.execute(
            f"""
            UPDATE g2p_payment AS payment
               SET state = told.state,
                   status = told.status,
                   status_is_final = told.final,
                   status_datetime = CASE WHEN payment.status IS DISTINCT FROM told.status
                                            OR payment.remote_status IS DISTINCT FROM told.remote_status
                                          THEN %s ELSE payment.status_datetime END,
                   amount_paid = told.amount_paid,
                   payment_datetime = told.paid_at,
                   remote_reference = told.remote_reference,
                   remote_status = told.remote_status,
                   failure_code = told.failure_code,
                   failure_reason = told.failure_reason,
                   failure_type = told.failure_type,
                   attention = told.attention,
                   write_uid = %s,
                   write_date = %s
              FROM unnest({arrays}) AS told ({names})
             WHERE payment.id = told.id
               AND payment.status_is_final IS NOT TRUE
            """,  # pylint: disable=sql-injection  # only names of this file's own columns
            [
                fields.Datetime.now(),
                self.env.uid,
                fields.Datetime.now(),
                *([row[name] for row in rows] for name, _type in _COLUMNS),
            ],
        )
        self.invalidate_recordset(flush=False)

    @api.model
    def _doubt_sentence(self, doubt, outcome):
        sentence = {
            Doubt.SUSPECT: _("It is doubtful whether this was paid. Ask the payment system for evidence."),
            Doubt.CONTRADICTORY: _("The payment system says both paid and failed. Ask it which is true."),
            Doubt.TWICE: _("The payment system shows more than one payment for this. Ask it to check."),
            Doubt.MONEY: _(
                "The payment system paid another amount or currency than approved. Ask it to check."
            ),
            Doubt.LATE: _(
                "The payment system now says the opposite of its final result. Ask it which is true."
            ),
        }[doubt]
        facts = " ".join(
            str(fact)
            for fact in (
                outcome.remote_status,
                outcome.amount,
                outcome.currency,
                outcome.reason_code,
                outcome.reason,
            )
            if fact
        )
        return f"{sentence} ({facts})" if facts else sentence
