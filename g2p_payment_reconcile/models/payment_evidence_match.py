"""What the lines of evidence are about, and making it so."""

import hashlib
import json
from collections import Counter
from datetime import datetime, time, timezone
from decimal import Decimal

from markupsafe import Markup

from odoo import _, fields, models

from odoo.addons.g2p_payment_hub.client.outcomes import FailureType, Outcome, OutcomeStatus
from odoo.addons.g2p_payment_hub.models.payment import GUARDED

from .payment import Learnt
from .payment_evidence_mapping import _table
from .verdict import Doubt

# Nobody writes these on a payment either.
GUARDED.add("evidence_line_ids")
_MATCH_COLUMNS = (
    ("id", "int"),
    ("match", "varchar"),
    ("basis", "varchar"),
    ("payment_id", "int"),
    ("batch_id", "int"),
    ("effect", "varchar"),
    ("why", "varchar"),
)
_NAMED = 5  # candidates in a sentence
# Only these say something that can be applied: what waits is told again later.
_SAYING = ("paid", "failed", "returned")
# Records of states, not of bookings: that one is told again does not mean that it happened again.
_TELLS_STATES = "pain_002"
# An account number or a line's payee without what people and banks put between the characters.
_PLAIN = "upper(regexp_replace({}, '[^0-9A-Za-z]', '', 'g'))"
_NOON = time(12)


class PaymentEvidence(models.Model):
    _inherit = "g2p.payment.evidence"

    # Matching

    def _match(self):
        """Says for each line what it is about, in a number of statements that does not grow with the lines.

        First what was read before, then by reference, then by payee and amount. What is not certain is never
        guessed: it stays unknown, with its candidates named.
        """
        self.ensure_one()
        self.env.flush_all()
        matches = {}
        self._match_unusable(matches)
        self._match_duplicates(matches)
        self._match_references(matches)
        self._match_payees(matches)
        self._write_matches(matches)
        self._foresee()
        self._count()

    def _match_unusable(self, matches):
        """Lines that cannot be read, and those about no payment."""
        self.env.cr.execute(
            "SELECT id, problem FROM g2p_payment_evidence_line WHERE evidence_id = %s AND "
            "(problem IS NOT NULL OR status = 'other')",
            [self.id],
        )
        for line, problem in self.env.cr.fetchall():
            matches[line] = _unknown(line, problem or _("Money that came in, and no return of a payment."))

    def _match_duplicates(self, matches):
        """The very same lines, of this file or of one that was applied, unless they were unknown then."""
        self.env.cr.execute(
            """
            SELECT DISTINCT ON (line.id) line.id, before.number, evidence.name, evidence.id = line.evidence_id
              FROM g2p_payment_evidence_line AS line
              JOIN g2p_payment_evidence_line AS before
                ON before.fingerprint = line.fingerprint AND before.gateway_id = line.gateway_id
              JOIN g2p_payment_evidence AS evidence
                ON evidence.id = before.evidence_id
             WHERE line.evidence_id = %s AND before.id <> line.id
               AND ((evidence.state = 'applied' AND before.match = 'matched')
                    OR (evidence.id = line.evidence_id AND before.id < line.id))
             ORDER BY line.id, before.id
            """,
            [self.id],
        )
        for line, number, name, in_this_file in self.env.cr.fetchall():
            if line in matches:
                continue
            why = _("This line was applied already: line %(number)s of %(name)s.", number=number, name=name)
            if in_this_file:
                why = _("This is line %s once more.", number)
            matches[line] = _row(line, "duplicate", why=why)

    def _match_references(self, matches):
        """Lines that name a reference of ours, exactly."""
        self.env.cr.execute(
            """
            SELECT line.id, payment.id, payment.batch_id, payment.gateway_id = line.gateway_id,
                   payment.status_is_final IS TRUE
                   OR (payment.state = 'sent' AND batch.batch_state IN ('sent', 'done')),
                   batch.name
              FROM g2p_payment_evidence_line AS line
              LEFT JOIN g2p_payment AS payment
                ON payment.name = line.reference AND payment.gateway_id IS NOT NULL
               AND payment.company_id = line.company_id
              LEFT JOIN g2p_payment_batch AS batch ON batch.id = payment.batch_id
             WHERE line.evidence_id = %s AND line.reference IS NOT NULL
            """,
            [self.id],
        )
        for line, payment, batch, same_gateway, was_sent, batch_name in self.env.cr.fetchall():
            if line in matches:
                continue
            if payment and same_gateway and was_sent:
                why = _("The line names this payment's reference.")
                matches[line] = _row(line, "matched", "reference", payment, batch, why)
            elif payment and same_gateway:
                why = _(
                    "This payment is in batch %s, of which nobody knows yet that it was sent. Look into this "
                    "at once.",
                    batch_name,
                )
                matches[line] = {**_unknown(line, why), "payment_id": payment}
            elif payment:
                matches[line] = _unknown(line, _("This reference went through another gateway."))
            else:
                matches[line] = _unknown(line, _("We never sent this reference."))

    def _match_payees(self, matches):
        """Lines without a reference: where of all payments that were sent only one fits, it is that."""
        open_lines = [line for line in self._payee_lines() if line not in matches]
        candidates = self._payee_candidates(open_lines)
        taken = Counter(row["payment_id"] for row in matches.values() if row["payment_id"])
        taken.update(found[0]["payment"] for found in candidates.values() if len(found) == 1)
        for line in open_lines:
            matches[line] = self._payee_match(line, candidates.get(line, []), taken)
        self.env.cr.execute("SELECT id FROM g2p_payment_evidence_line WHERE evidence_id = %s", [self.id])
        for (line,) in self.env.cr.fetchall():
            matches.setdefault(line, _unknown(line, _("The line names no reference.")))

    def _payee_lines(self):
        """Ids of the lines that say all that is needed."""
        if not self.gateway_id.sudo().evidence_days:
            return []
        self.env.cr.execute(
            f"""
            SELECT id FROM g2p_payment_evidence_line
             WHERE evidence_id = %s AND status = 'paid' AND reference IS NULL AND problem IS NULL
               AND amount > 0 AND currency IS NOT NULL AND happened_on IS NOT NULL
               AND {_PLAIN.format("payee")} <> ''
             ORDER BY id
            """,  # pylint: disable=sql-injection  # only an expression of this file
            [self.id],
        )
        return [line for (line,) in self.env.cr.fetchall()]

    def _payee_candidates(self, lines):
        """For each line the payments that it may be about, whatever their gateway: sent before it, to that
        payee, of that amount and currency. Those that are over count while the line is near enough to be
        theirs, those that are open always."""
        self.env.cr.execute(
            f"""
            SELECT line.id AS line, payment.id AS payment, payment.name, payment.batch_id AS batch,
                   payment.gateway_id = line.gateway_id AS same_gateway,
                   payment.state = 'sent' AND payment.status_is_final IS NOT TRUE AS open,
                   line.happened_on <= submission.started_at::date + %s AS near
              FROM g2p_payment_evidence_line AS line
              JOIN g2p_payment AS payment
                ON {_PLAIN.format("payment.account_number")} = {_PLAIN.format("line.payee")}
               AND payment.amount_issued = line.amount
               AND payment.company_id = line.company_id
              JOIN res_currency AS currency
                ON currency.id = payment.payment_currency_id AND currency.name = line.currency
              JOIN g2p_payment_submission AS submission
                ON submission.batch_id = payment.batch_id AND submission.state = 'accepted'
             WHERE line.id = ANY(%s)
               AND submission.started_at::date - 1 <= line.happened_on
               AND (payment.status_is_final IS NOT TRUE
                    OR line.happened_on <= submission.started_at::date + %s)
             ORDER BY line.id, payment.id
            """,  # pylint: disable=sql-injection  # only expressions of this file
            [self.gateway_id.sudo().evidence_days, lines, self.gateway_id.sudo().evidence_days],
        )
        candidates = {}
        for row in self.env.cr.dictfetchall():
            candidates.setdefault(row["line"], []).append(row)
        return candidates

    def _payee_match(self, line, candidates, taken):
        """`taken`: how many lines of this file may be about each payment."""
        names = ", ".join(one["name"] for one in candidates[:_NAMED])
        if not candidates:
            return _unknown(line, _("No payment of this amount was sent to this payee lately."))
        if len(candidates) > 1:
            why = _(
                "It may be about any of %(count)s payments: %(names)s.", count=len(candidates), names=names
            )
            return _unknown(line, why)
        (one,) = candidates
        if taken[one["payment"]] > 1:
            return _unknown(line, _("Another line of this file may be about the same payment: %s.", names))
        if not one["same_gateway"]:
            return _unknown(line, _("Only a payment through another gateway fits: %s.", names))
        if not one["open"]:
            return _unknown(line, _("The only payment that fits has its result already: %s.", names))
        if not one["near"]:
            return _unknown(line, _("The only payment that fits was sent too long before: %s.", names))
        why = _("The line names no reference. Of all payments that were sent only this one fits.")
        return _row(line, "matched", "payee", one["payment"], one["batch"], why)

    def _write_matches(self, matches):
        arrays = ", ".join(f"%s::{column_type}[]" for _name, column_type in _MATCH_COLUMNS)
        names = ", ".join(name for name, _type in _MATCH_COLUMNS)
        sets = ", ".join(f"{name} = told.{name}" for name, _type in _MATCH_COLUMNS[1:])
        rows = list(matches.values())
        self.env.cr.execute(
            f"""
            UPDATE g2p_payment_evidence_line AS line SET {sets}
              FROM unnest({arrays}) AS told ({names}) WHERE line.id = told.id
            """,  # pylint: disable=sql-injection  # only names of this file's own columns
            [[row[name] for row in rows] for name, _type in _MATCH_COLUMNS],
        )
        self.env["g2p.payment.evidence.line"].invalidate_model()

    # What applying does

    def _foresee(self):
        """Writes on each line what applying would do; on those that are matched, by the code that does it."""
        self.env.cr.execute(
            "UPDATE g2p_payment_evidence_line SET effect = 'question' "
            "WHERE evidence_id = %s AND match = 'unknown' AND status = ANY(%s)",
            [self.id, list(_SAYING)],
        )
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
            """,
            [list(effects), list(effects.values()), self.id, list(_SAYING)],
        )
        self.env["g2p.payment.evidence.line"].invalidate_model()

    def _effect(self, fact, said, extra):
        Payment = self.env["g2p.payment"]
        if fact["final"]:
            return "question" if extra or Payment._contradiction_rows(fact, said) else "agrees"
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
            SELECT line.payment_id, payment.name, line.status, line.amount::text AS amount, line.currency,
                   line.remote_reference, line.remote_status, line.reason_code, line.reason,
                   line.failure_type, line.happened_on, line.fingerprint
              FROM g2p_payment_evidence_line AS line
              JOIN g2p_payment_evidence AS evidence ON evidence.id = line.evidence_id
              JOIN g2p_payment AS payment ON payment.id = line.payment_id
             WHERE line.match = 'matched' AND line.status = ANY(%s)
               AND (evidence.id = %s
                    OR (evidence.state = 'applied' AND evidence.gateway_id = %s AND evidence.source = %s))
               AND line.payment_id IN (SELECT payment_id FROM g2p_payment_evidence_line
                                        WHERE evidence_id = %s AND batch_id = %s AND match = 'matched'
                                          AND status = ANY(%s))
             ORDER BY line.id
            """,
            [list(_SAYING), self.id, self.gateway_id.id, self.source, self.id, batch.id, list(_SAYING)],
        )
        lines = {}
        for line in self.env.cr.dictfetchall():
            lines.setdefault(line["payment_id"], []).append(line)
        return lines

    def _outcomes(self, fact, lines):
        """(outcomes, those of further bookings of a final result without a reference to tell them from).

        The first booking is the transaction that the payment's own remote reference names, whatever the bank
        calls it; another booking is another payment. Where the mapping says that the file calls transactions
        as the payment system does, each is itself.
        """
        if self.mapping_id.same_references:
            return [_outcome(fact, line, line["remote_reference"] or "") for line in lines], []
        known = fact["remote_reference"] or ""
        bookings = [_booking(line, self.format) for line in lines if line["status"] == "paid"]
        first = known if known in bookings else next(iter(bookings), "")
        said, extra = [], []
        for line in lines:
            booking = _booking(line, self.format)
            further = line["status"] == "paid" and booking != first
            outcome = _outcome(fact, line, booking if further else known)
            (extra if further and fact["final"] and not known else said).append(outcome)
        return said, extra

    # Applying

    def _batches(self):
        """Those whose payments the lines are about."""
        self.env.cr.execute(
            "SELECT DISTINCT batch_id FROM g2p_payment_evidence_line "
            "WHERE evidence_id = %s AND batch_id IS NOT NULL ORDER BY batch_id",
            [self.id],
        )
        return self.env["g2p.payment.batch"].browse(batch for (batch,) in self.env.cr.fetchall())

    def _still_as_seen(self):
        """Matches once more; whether each line is still what the preview showed."""
        seen = self.preview
        self._match()
        return self.preview == seen

    def _shown(self):
        """Fingerprint of what the lines are taken to be about, and of what applying does."""
        self.env.cr.execute(
            "SELECT id, match, basis, payment_id, effect FROM g2p_payment_evidence_line "
            "WHERE evidence_id = %s ORDER BY id",
            [self.id],
        )
        return hashlib.sha256(json.dumps(self.env.cr.fetchall()).encode()).hexdigest()

    def _apply_in_job(self):
        if self.state != "applying":
            return _("Nothing to do: the file is not waiting to be applied.")
        self._batches()._lock_in_job()
        if not self._still_as_seen():
            self._advance("matched", applied_by_id=False, applied_at=False)
            self._message_log(
                body=_("Nothing was applied: payments have changed since the preview. Look at it again.")
            )
            return self.name
        self._apply()
        return self.name

    def _apply(self):
        """Everything that the preview shows, in one transaction; the batches are locked by the caller."""
        if self.state == "matched":
            self._advance("applied", **self._applied_by_me())
        else:
            self._advance("applied")
        for batch in self._batches():
            self._apply_to(batch)
        self._raise_strangers()

    def _apply_to(self, batch):
        told = self._told_of(batch)
        if not told:
            return
        state = batch.batch_state
        why = _("%(file)s, uploaded by %(user)s, is applied.", file=self.name, user=self.uploaded_by_id.name)
        batch._record([{"from_state": state, "to_state": state, "why": why, "digest": self.digest}])
        payments = self.env["g2p.payment"].browse(fact["id"] for fact, _said, _extra in told)
        outcomes = [one for _fact, said, _extra in told for one in said]
        learnt = payments._apply_outcomes(outcomes)
        payments._heed_decision()
        twice = [
            payments._exception_row(fact, Doubt.TWICE, one, said + extra)
            for fact, said, extra in told
            for one in extra
        ]
        learnt = learnt.plus(Learnt(0, self.env["g2p.payment.exception"]._raise(twice), 0))
        if learnt:
            self.env["g2p.payment.reconciliation"]._write_down(
                batch, outcomes, learnt, origin="evidence", whole=True, evidence_id=self.id
            )
        batch._settle()

    def _raise_strangers(self):
        """What is said of payments that cannot be named with certainty, or were not sent, becomes exceptions;
        a payment of ours that is named needs attention."""
        self.env.cr.execute(
            """
            SELECT line.number, line.reference, line.why, line.status, line.amount::text AS amount,
                   line.currency, line.remote_status, line.remote_reference, line.reason_code, line.reason,
                   line.happened_on, line.fingerprint, line.payment_id, payment.batch_id
              FROM g2p_payment_evidence_line AS line
              LEFT JOIN g2p_payment AS payment ON payment.id = line.payment_id
             WHERE line.evidence_id = %s AND line.match = 'unknown' AND line.status = ANY(%s)
             ORDER BY line.id
            """,
            [self.id, list(_SAYING)],
        )
        raised = self.env["g2p.payment.exception"]._raise(
            [
                {
                    "type": "stranger",
                    "summary": _(
                        "%(file)s, line %(line)s: %(why)s",
                        file=self.name,
                        line=line["number"],
                        why=line["why"],
                    ),
                    "gateway_id": self.gateway_id.id,
                    "payment_id": line["payment_id"],
                    "batch_id": line["batch_id"],
                    "reference": line["reference"],
                    "their_status": line["status"],
                    "their_word": line["remote_status"],
                    "their_amount": line["amount"] and Decimal(line["amount"]),
                    "their_currency": line["currency"],
                    # Where the bank names none, equal payments to different payees stay apart by this.
                    "their_reference": line["remote_reference"] or line["fingerprint"][:12],
                    "their_code": line["reason_code"],
                    "their_reason": line["reason"],
                    "their_at": line["happened_on"] and datetime.combine(line["happened_on"], _NOON),
                }
                for line in self.env.cr.dictfetchall()
            ]
        )
        for batch in raised.batch_id:
            batch._settle()

    # Figures

    def _count(self):
        self.env.cr.execute(
            """
            UPDATE g2p_payment_evidence AS evidence
               SET preview = %s, matched_count = counted.matched, payee_count = counted.payee,
                   duplicate_count = counted.duplicate, unknown_count = counted.unknown,
                   question_count = counted.question
              FROM (SELECT count(*) FILTER (WHERE match = 'matched') AS matched,
                           count(*) FILTER (WHERE basis = 'payee') AS payee,
                           count(*) FILTER (WHERE match = 'duplicate') AS duplicate,
                           count(*) FILTER (WHERE match = 'unknown') AS unknown,
                           count(*) FILTER (WHERE effect = 'question') AS question
                      FROM g2p_payment_evidence_line WHERE evidence_id = %s) AS counted
             WHERE evidence.id = %s
            """,
            [self._shown(), self.id, self.id],
        )
        self.invalidate_recordset()

    def _compute_totals(self):
        """A row for each thing that happens to lines, in each currency; the sums are PostgreSQL's."""
        line = self.env["g2p.payment.evidence.line"]
        labels = {
            name: dict(line._fields[name]._description_selection(self.env))
            for name in ("match", "basis", "effect", "status")
        }
        head = (_("Match"), _("Matched by"), _("The Lines say"), _("Applying does"), _("Lines"), _("Sum"))
        for evidence in self:
            self.env.cr.execute(
                """
                SELECT match, basis, status, effect, count(*), coalesce(sum(amount), 0)::text, currency
                  FROM g2p_payment_evidence_line WHERE evidence_id = %s
                 GROUP BY match, basis, status, effect, currency
                 ORDER BY match, basis DESC, status, effect, currency
                """,
                [evidence.id],
            )
            rows = [
                (
                    labels["match"].get(match, ""),
                    labels["basis"].get(basis, ""),
                    labels["status"].get(status) or _("Cannot be read"),
                    labels["effect"].get(effect, ""),
                    count,
                    f"{amount} {currency or ''}".strip(),
                )
                for match, basis, status, effect, count, amount, currency in self.env.cr.fetchall()
            ]
            evidence.totals = _table(head, rows) if rows else Markup("")


def _row(line, match, basis=None, payment=None, batch=None, why=None):
    return {
        "id": line,
        "match": match,
        "basis": basis,
        "payment_id": payment,
        "batch_id": batch,
        "effect": "none",
        "why": why,
    }


def _unknown(line, why):
    return _row(line, "unknown", why=why)


def _booking(line, kind):
    """What tells one transaction of a source from another."""
    if line["remote_reference"] or kind == _TELLS_STATES:
        return line["remote_reference"] or ""
    return line["fingerprint"]


def _outcome(fact, line, remote_reference):
    """As the payment system would have said it. What was paid without an amount, or failed with another one
    than was approved, is doubtful."""
    amount = None if line["amount"] is None else Decimal(line["amount"])
    status = {"paid": OutcomeStatus.PAID}.get(line["status"], OutcomeStatus.FAILED)
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
        completed_at=line["happened_on"] and datetime.combine(line["happened_on"], _NOON, timezone.utc),
    )


class Payment(models.Model):
    _inherit = "g2p.payment"

    evidence_line_ids = fields.One2many(
        "g2p.payment.evidence.line",
        "payment_id",
        "Evidence",
        readonly=True,
        groups="g2p_programs.g2p_finance_validator,g2p_programs.g2p_program_manager,"
        "g2p_registry_base.group_g2p_admin",
        help="Lines of statements and result files about this payment.",
    )


class PaymentReconciliation(models.Model):
    _inherit = "g2p.payment.reconciliation"

    evidence_id = fields.Many2one(
        "g2p.payment.evidence",
        readonly=True,
        ondelete="restrict",
        index="btree_not_null",
        help="The statement or result file that was read.",
    )
