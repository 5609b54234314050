"""Lines of evidence without a reference: matched by payee and amount where only one payment can be meant."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal

from odoo import _, models

from .payment_evidence_match import matched_row, unknown_row

_NAMED = 5  # candidates in a sentence
# An account number or a line's payee without what people and banks put between the characters.
_PLAIN = "upper(regexp_replace({}, '[^0-9A-Za-z]', '', 'g'))"
_A_DAY = timedelta(days=1)


class PaymentEvidence(models.Model):
    _inherit = "g2p.payment.evidence"

    def _match_payees(self, matches):
        """Lines without a reference: where of all payments that were sent only one fits, it is that."""
        open_lines = {line: said for line, said in self._payee_lines().items() if line not in matches}
        candidates = self._payee_candidates(open_lines)
        taken = Counter(row["payment_id"] for row in matches.values() if row["payment_id"])
        taken.update(payment for row in matches.values() for payment in row["candidates"])
        taken.update(found[0]["payment"] for found in candidates.values() if len(found) == 1)
        for line in open_lines:
            matches[line] = self._payee_match(line, candidates[line], taken)
        self.env.cr.execute("SELECT id FROM g2p_payment_evidence_line WHERE evidence_id = %s", [self.id])
        for (line,) in self.env.cr.fetchall():
            matches.setdefault(line, unknown_row(line, _("The line names no reference.")))

    def _payee_lines(self):
        """Those that say all that is needed: id to (payee, amount, currency) and the day."""
        if not self.gateway_id.sudo().evidence_days:
            return {}
        payee = _PLAIN.format("payee")
        self.env.cr.execute(
            f"""
            SELECT id, {payee}, amount::text, currency, happened_on FROM g2p_payment_evidence_line
             WHERE evidence_id = %s AND status = 'paid' AND reference IS NULL AND problem IS NULL
               AND amount > 0 AND currency IS NOT NULL AND happened_on IS NOT NULL AND {payee} <> ''
             ORDER BY id
            """,  # only an expression of this file
            [self.id],
        )
        return {
            line: ((payee, Decimal(amount), currency), day)
            for line, payee, amount, currency, day in self.env.cr.fetchall()
        }

    def _payee_candidates(self, lines):
        """For each line the payments that it may be about, whatever their gateway: sent before it, to that
        payee, of that amount and currency. Those that are over count while the line is near enough to be
        theirs, those that are open always.

        The payments are found by their index and put beside the lines here: of lines that were just read
        PostgreSQL knows too little to join them well.
        """
        payee = _PLAIN.format("payment.account_number")
        self.env.cr.execute(
            f"""
            SELECT {payee} AS payee, payment.amount_issued::text AS amount, currency.name AS currency,
                   payment.id AS payment, payment.name, payment.batch_id AS batch,
                   payment.gateway_id = %s AS same_gateway, payment.status_is_final IS TRUE AS over,
                   payment.state = 'sent' AND payment.status_is_final IS NOT TRUE AS open,
                   submission.started_at::date AS sent_on
              FROM g2p_payment AS payment
              JOIN res_currency AS currency ON currency.id = payment.payment_currency_id
              JOIN g2p_payment_submission AS submission
                ON submission.batch_id = payment.batch_id AND submission.state = 'accepted'
             WHERE {payee} = ANY(%s) AND payment.gateway_id IS NOT NULL AND payment.company_id = %s
             ORDER BY payment.id
            """,  # only an expression of this file
            [
                self.gateway_id.id,
                list({payee for (payee, *_money), _day in lines.values()}),
                self.company_id.id,
            ],
        )
        payments = {}
        for row in self.env.cr.dictfetchall():
            key = row["payee"], Decimal(row["amount"]), row["currency"]
            payments.setdefault(key, []).append(row)
        days = timedelta(days=self.gateway_id.sudo().evidence_days)
        candidates = {}
        for line, (key, day) in lines.items():
            sent = [one for one in payments.get(key, ()) if one["sent_on"] - _A_DAY <= day]
            near = [{**one, "near": day <= one["sent_on"] + days} for one in sent]
            candidates[line] = [one for one in near if one["near"] or not one["over"]]
        return candidates

    def _payee_match(self, line, candidates, taken):
        """`taken`: how many lines of this file may be about each payment."""
        names = ", ".join(one["name"] for one in candidates[:_NAMED])
        if not candidates:
            return unknown_row(line, _("No payment of this amount was sent to this payee lately."))
        if len(candidates) > 1:
            why = _(
                "It may be about any of %(count)s payments: %(names)s.", count=len(candidates), names=names
            )
            return unknown_row(line, why)
        (one,) = candidates
        if taken[one["payment"]] > 1:
            return unknown_row(line, _("Another line of this file may be about the same payment: %s.", names))
        if not one["same_gateway"]:
            return unknown_row(line, _("Only a payment through another gateway fits: %s.", names))
        if not one["open"]:
            return unknown_row(line, _("The only payment that fits has its result already: %s.", names))
        if not one["near"]:
            return unknown_row(line, _("The only payment that fits was sent too long before: %s.", names))
        why = _("The line names no reference. Of all payments that were sent only this one fits.")
        return matched_row(line, "matched", "payee", one["payment"], one["batch"], why)


class Payment(models.Model):
    _inherit = "g2p.payment"

    def init(self):
        """By which the payments to a payee are found among all that were ever sent."""
        super().init()
        payee = _PLAIN.format("account_number")
        self.env.cr.execute(  # pylint: disable=sql-injection  # only an expression of this file
            f"""
            CREATE INDEX IF NOT EXISTS g2p_payment_plain_payee
                ON g2p_payment (({payee})) WHERE gateway_id IS NOT NULL
            """
        )
