"""What applying evidence does to the payments that its lines are about; the preview and applying ask here."""

from datetime import datetime, time, timezone
from decimal import Decimal

from odoo import models

from odoo.addons.g2p_payment_hub.client.outcomes import FailureType, Outcome, OutcomeStatus
from odoo.addons.g2p_payment_hub.models.columns import tell_written

from .payment_evidence_match import ASKS
from .payment_evidence_twice import BOOKED, TELLS_STATES

# Only these say something that can be applied: what waits is told again later. It counts beside one of them:
# what failed once and is under way again under another number has not failed.
SAYING = ("paid", "failed", "returned")
# UTC; the same day from Hawaii to Tonga.
MIDDAY = time(10)
_STATUS = {
    "paid": OutcomeStatus.PAID,
    "failed": OutcomeStatus.FAILED,
    "returned": OutcomeStatus.FAILED,
    "waiting": OutcomeStatus.WAITING,
}


class PaymentEvidence(models.Model):
    _inherit = "g2p.payment.evidence"

    def _foresee(self):
        """Writes on each line what applying would do; on those that are matched, by the code that does it."""
        self.env.cr.execute(
            f"UPDATE g2p_payment_evidence_line SET effect = 'question' "
            f"WHERE evidence_id = %s AND {ASKS} RETURNING id",
            [self.id, list(SAYING)],
        )
        self._tell_effects()
        effects = {}
        for batch in self._batches():
            for fact, said, extra in self._told_of(batch):
                effects[fact["id"]] = self._effect(fact, said, extra)
        if not effects:
            return
        self.env.cr.execute(
            """
            UPDATE g2p_payment_evidence_line AS line SET effect = told.effect
              FROM unnest(%s::int[], %s::varchar[]) AS told (payment_id, effect)
             WHERE line.evidence_id = %s AND line.payment_id = told.payment_id AND line.match = 'matched'
               AND line.status = ANY(%s)
            RETURNING line.id
            """,
            [list(effects), list(effects.values()), self.id, list(SAYING)],
        )
        self._tell_effects()

    def _tell_effects(self):
        """Tell the ORM of the lines that the last statement has returned."""
        lines = self.env["g2p.payment.evidence.line"].browse(line for (line,) in self.env.cr.fetchall())
        tell_written(lines, ["effect"])

    def _effect(self, fact, said, extra):
        Payment = self.env["g2p.payment"]
        if fact["final"]:
            return (
                "question" if extra or Payment._contradiction_rows(fact, said, by_system=False) else "agrees"
            )
        row, doubts = Payment._outcome_row(fact, said)
        if doubts or not row["status"]:
            return "question"
        return "pays" if row["status"] == "paid" else "fails"

    def _told_of(self, batch):
        """[(facts, outcomes, outcomes of further bookings: see `_outcomes`)] for each payment of the batch
        that lines say something of."""
        lines = self._saying_lines(batch)
        names = [told[0]["name"] for told in lines.values()]
        facts = self.env["g2p.payment"].browse(lines.keys())._facts(names)
        return [(fact, *self._outcomes(fact, lines[fact["id"]])) for fact in facts]

    def _saying_lines(self, batch):
        """Payment id to what this file says of it, after what files of the same source said before; the
        amounts are exact."""
        self.env.cr.execute(
            """
            SELECT line.id, line.named, line.repeated, line.payment_id, payment.name, line.status,
                   line.amount::text AS amount, line.currency,
                   line.remote_reference, line.remote_status, line.reason_code, line.reason,
                   line.failure_type, line.happened_on, line.fingerprint
              FROM g2p_payment_evidence_line AS line
              JOIN g2p_payment_evidence AS evidence ON evidence.id = line.evidence_id
              JOIN g2p_payment AS payment ON payment.id = line.payment_id
             WHERE line.match = 'matched' AND line.status <> 'fee'
               AND (evidence.id = %s
                    OR (line.status = ANY(%s) AND evidence.state = 'applied'
                        AND evidence.gateway_id = %s AND evidence.source = %s))
               AND line.payment_id IN (SELECT payment_id FROM g2p_payment_evidence_line
                                        WHERE evidence_id = %s AND batch_id = %s AND match = 'matched'
                                          AND status = ANY(%s))
             ORDER BY line.id
            """,
            [self.id, list(SAYING), self.gateway_id.id, self.source, self.id, batch.id, list(SAYING)],
        )
        lines = {}
        for line in self.env.cr.dictfetchall():
            lines.setdefault(line["payment_id"], []).append(line)
        return lines

    def _outcomes(self, fact, lines):
        """(outcomes, those of further bookings of a final result without a reference to tell them from).

        The first booking is the transaction that the payment's own remote reference names, whatever the bank
        calls it; another booking is another payment. So it is with the first return and those after it. Where
        the mapping says that the file calls transactions as the payment system does, each is itself.
        """
        if self.mapping_id.same_references and all(line["named"] is not False for line in lines):
            return [_outcome(fact, line, line["remote_reference"] or "") for line in lines], []
        known = fact["remote_reference"] or ""
        bookings = [(line["status"], _booking(line, self.format)) for line in lines]
        first = {"paid": known} if ("paid", known) in bookings else {}
        for status, booking in bookings:
            first.setdefault(status, booking)
        said, extra = [], []
        for line, (status, booking) in zip(lines, bookings, strict=True):
            further = status in BOOKED and booking != first[status]
            outcome = _outcome(fact, line, booking if further else known)
            paid_again = further and status == "paid"
            (extra if paid_again and fact["final"] and not known else said).append(outcome)
        return said, extra


def _booking(line, kind):
    """What tells one transaction of a source from another: the bank's number where that names it."""
    theirs = line["remote_reference"] or ""
    if line["named"] is False:
        # With what the bank wrote, for people to find it again.
        own = f"{theirs} #{line['fingerprint'][:8]}" if theirs else line["fingerprint"]
        theirs = f"{own}/{line['id']}" if line["repeated"] else own
        return "" if kind == TELLS_STATES else theirs
    return theirs or ("" if kind == TELLS_STATES else line["fingerprint"])


def _outcome(fact, line, remote_reference):
    """As the payment system would have said it. What was paid without an amount, or failed with another one
    than was approved, is doubtful."""
    amount = None if line["amount"] is None else Decimal(line["amount"])
    status = _STATUS[line["status"]]
    if line["status"] == "paid" and (amount is None or not line["currency"]):
        status = OutcomeStatus.SUSPECT
    if line["status"] == "failed" and amount is not None:
        approved = (fact["amount"], fact["currency"])
        if (amount, line["currency"] or fact["currency"]) != approved:
            status = OutcomeStatus.SUSPECT
    return Outcome(
        reference=fact["name"],
        status=status,
        amount=amount,
        currency=line["currency"] or "",
        remote_reference=remote_reference,
        remote_status=(line["remote_status"] or "")[:64],
        reason_code=(line["reason_code"] or "")[:64],
        reason=line["reason"] or "",
        failure_type=FailureType(line["failure_type"]) if line["failure_type"] else None,
        completed_at=line["happened_on"] and datetime.combine(line["happened_on"], MIDDAY, timezone.utc),
    )
