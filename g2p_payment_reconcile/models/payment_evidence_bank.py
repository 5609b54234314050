"""Lines that only bank messages have: charges, sums of what was told one by one, and rejected batches."""

from collections import Counter
from decimal import Decimal

from odoo import _, models

from .payment_evidence_match import matched_row, unknown_row

# SQL: a record about all payments of a message at once.
_WHOLE_BATCH = "line.raw ~ '^<([^ >:]+:)?Orgnl(Grp|Pmt)Inf'"


class PaymentEvidence(models.Model):
    _inherit = "g2p.payment.evidence"

    def _match_fees(self, matches, named, facts):
        """Put a charge beside the payment that it names: it is no second payment of it. A charge without a
        payment is nobody's. A charge as high as its payment may be the payment itself."""
        self.env.cr.execute(
            """
            SELECT id, amount::text FROM g2p_payment_evidence_line WHERE evidence_id = %s AND status = 'fee'
            """,
            [self.id],
        )
        for line, amount in self.env.cr.fetchall():
            if line not in matches:
                ours = [facts[payment] for payment in sorted(named[line].all)]
                ours = [fact for fact in ours if fact["gateway_id"] == self.gateway_id.id]
                matches[line] = self._fee_row(line, amount, ours)

    def _fee_row(self, line, amount, ours):
        """Return what a charge is about; `ours` are the facts of the payments that it names."""
        as_high = [fact for fact in ours if amount is None or Decimal(amount) >= Decimal(fact["amount"])]
        if as_high:
            why = _("The bank calls this a charge, but it is as much as the payment itself. Ask the bank.")
            return unknown_row(line, why, [fact["id"] for fact in as_high])
        if len(ours) == 1:
            (fact,) = ours
            why = _("A charge of the bank for this payment. It is no payment.")
            return matched_row(line, "matched", "reference", fact["id"], fact["batch_id"], why)
        return unknown_row(line, _("A charge of the bank. It is no payment."))

    def _match_sums(self, matches, named):
        """Say of a booking without details that its payments were told one by one by another file, as when
        the statement follows the notification. Each collective booking explains one sum. A booking whose text
        names a payment is that payment's, and no sum."""
        told = self._told_entries()
        for line, money, own_reference in self._sum_lines():
            if line in matches or named[line].all:
                continue
            entry = next((entry for entry in told.get(money, []) if _same(entry[0], own_reference)), None)
            if entry is None:
                continue
            told[money].remove(entry)
            why = _(
                "The sum of %(count)s lines of %(name)s, which was applied.", count=entry[1], name=entry[2]
            )
            matches[line] = matched_row(line, "duplicate", "sum", why=why)

    def _sum_lines(self):
        """[(line, (day, currency, amount), the bank's reference)] of bookings that name nobody."""
        self.env.cr.execute(
            """
            SELECT id, happened_on, currency, amount::text, remote_reference FROM g2p_payment_evidence_line
             WHERE evidence_id = %s AND status = 'paid' AND reference IS NULL AND payee IS NULL
               AND happened_on IS NOT NULL AND amount > 0 AND currency IS NOT NULL
             ORDER BY id
            """,
            [self.id],
        )
        return [
            (line, (day, currency, Decimal(amount)), reference)
            for line, day, currency, amount, reference in self.env.cr.fetchall()
        ]

    def _told_entries(self):
        """(day, currency, amount) to the collective bookings of applied files, without those that explain a
        sum already: [(the bank's reference, number of lines, file)]. Files of the same source tell each
        booking once: there a sum is another booking."""
        days = list({day for _line, (day, _currency, _amount), _reference in self._sum_lines()})
        self.env.cr.execute(
            """
            SELECT line.happened_on, line.currency, sum(line.amount)::text, line.entry_reference, count(*),
                   evidence.name
              FROM g2p_payment_evidence_line AS line
              JOIN g2p_payment_evidence AS evidence ON evidence.id = line.evidence_id
             WHERE evidence.gateway_id = %s AND evidence.state = 'applied' AND evidence.source <> %s
               AND line.happened_on = ANY(%s) AND line.entry_number > 0
             GROUP BY evidence.id, line.entry_number, line.happened_on, line.currency, line.entry_reference
            HAVING bool_and(line.status = 'paid' AND line.payment_id IS NOT NULL)
             ORDER BY evidence.id, line.entry_number
            """,
            [self.gateway_id.id, self.source, days],
        )
        told = {}
        for day, currency, amount, reference, count, name in self.env.cr.fetchall():
            told.setdefault((day, currency, Decimal(amount)), []).append((reference, count, name))
        for money, times in self._explained_sums(days).items():
            told[money] = told.get(money, [])[times:]
        return told

    def _explained_sums(self, days):
        """How many sums of applied files were explained already; a sum that two statements show is one."""
        self.env.cr.execute(
            """
            SELECT DISTINCT ON (line.fingerprint) line.happened_on, line.currency, line.amount::text
              FROM g2p_payment_evidence_line AS line
              JOIN g2p_payment_evidence AS evidence ON evidence.id = line.evidence_id
             WHERE line.gateway_id = %s AND evidence.state = 'applied' AND line.basis = 'sum'
               AND line.happened_on = ANY(%s) AND evidence.id <> %s
               AND line.fingerprint NOT IN (SELECT fingerprint FROM g2p_payment_evidence_line
                                             WHERE evidence_id = %s)
            """,
            [self.gateway_id.id, days, self.id, self.id],
        )
        return Counter((day, currency, Decimal(amount)) for day, currency, amount in self.env.cr.fetchall())

    def _match_batches(self, matches):
        """Name the batch of a report about a whole message: its payments are not named one by one."""
        self.env.cr.execute(
            f"""
            SELECT line.id, batch.id, batch.name
              FROM g2p_payment_evidence_line AS line
              LEFT JOIN LATERAL (
                   SELECT batch.id, batch.name FROM g2p_payment_batch AS batch
                     LEFT JOIN g2p_payment_submission AS submission ON submission.batch_id = batch.id
                    WHERE line.reference IN (batch.name, submission.key, submission.remote_reference)
                      AND batch.gateway_id = line.gateway_id
                    LIMIT 1) AS batch ON true
             WHERE line.evidence_id = %s AND line.problem IS NULL AND {_WHOLE_BATCH}
            """,  # only an expression of this file
            [self.id],
        )
        for line, batch, name in self.env.cr.fetchall():
            if line in matches:
                continue
            why = _("This is about a whole message, whose payments it does not name. Ask which batch it was.")
            if batch:
                why = _(
                    "This is about batch %s as a whole, and names none of its payments. Look into it before "
                    "anything is paid again.",
                    name,
                )
            matches[line] = {**unknown_row(line, why), "batch_id": batch}


def _same(reference, other):
    """Banks that give a booking a number give it in both files."""
    return not reference or not other or reference == other
