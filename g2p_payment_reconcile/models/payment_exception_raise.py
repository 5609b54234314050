"""How exceptions come up, and how doubts end by themselves: in sets."""

import hashlib
import json
from decimal import Decimal

from odoo import _, api, fields, models

from odoo.addons.g2p_payment_hub.models.columns import Columns, tell_created, tell_written

# What the payment system's own clear word ends again: these are doubts, the others contradictions.
_SETTLED_BY_A_RESULT = ("suspect", "silent")
_COLUMNS = Columns(
    type="varchar",
    summary="varchar",
    fingerprint="varchar",
    known="text",
    gateway_id="int",
    payment_id="int",
    batch_id="int",
    submission_id="int",
    evidence_id="int",
    reference="varchar",
    their_status="varchar",
    their_word="varchar",
    their_amount="numeric",
    their_currency="varchar",
    their_reference="varchar",
    their_code="varchar",
    their_reason="varchar",
    their_at="timestamp",
)
# What else a new exception is given, and what changes on one that is told again.
_CREATED = (
    *_COLUMNS,
    *("state", "company_id", "program_id", "user_id", "our_status", "our_amount", "our_currency_id"),
    *("our_reference", "first_seen_at", "last_seen_at", "times_seen"),
)
_SEEN_AGAIN = ("last_seen_at", "times_seen", "known")
_SETTLED = (
    *("state", "decision", "decided_at", "write_date", "reason", "two_people", "proposed_by_id"),
    "proposed_at",
)


class PaymentException(models.Model):
    _inherit = "g2p.payment.exception"

    @api.model
    def _raise(self, rows):
        """Writes down what does not fit together; the exceptions that are new, or open again.

        `rows` are dicts with `type`, `summary`, `gateway_id`, and of these what is known: `payment_id`,
        `batch_id`, `submission_id`, `evidence_id`, `reference`, the `their_*` fields (`their_amount` a
        Decimal, `their_at` in UTC without a time zone), `known` (see `verdict.words`), `again` (how many
        decisions it came after, where it is not the same as what they were about). Company, program, owner
        and our side are read from the payment, the batch and the evidence. The same facts about the same
        payment make one exception, however often and from wherever they are told. A number of statements
        that does not grow with the rows.
        """
        rows = list({_key(row): row for row in map(_with_fingerprint, rows)}.values())
        if not rows:
            return self.browse()
        self.env.flush_all()
        now = fields.Datetime.now()
        again = self._reopen_settled(rows, now)
        self.env.cr.execute(
            f"""
            INSERT INTO g2p_payment_exception AS seen (
                {_COLUMNS.names}, state, company_id, program_id, user_id, our_status, our_amount,
                our_currency_id, our_reference, first_seen_at, last_seen_at, times_seen, create_uid,
                create_date, write_uid, write_date)
            SELECT told.*, 'open', gateway.company_id, cycle.program_id,
                   coalesce(batch.approved_by_id, evidence.applied_by_id),
                   coalesce(payment.status, payment.state), payment.amount_issued,
                   payment.payment_currency_id, payment.remote_reference, %s, %s, 1, %s, %s, %s, %s
              FROM unnest({_COLUMNS.arrays}) AS told ({_COLUMNS.names})
              JOIN g2p_payment_gateway AS gateway ON gateway.id = told.gateway_id
              LEFT JOIN g2p_payment AS payment ON payment.id = told.payment_id
              LEFT JOIN g2p_payment_batch AS batch ON batch.id = told.batch_id
              LEFT JOIN g2p_payment_evidence AS evidence ON evidence.id = told.evidence_id
              LEFT JOIN g2p_cycle AS cycle ON cycle.id = coalesce(payment.cycle_id, batch.cycle_id)
                ON CONFLICT (gateway_id, coalesce(payment_id, 0), fingerprint) DO UPDATE
               SET last_seen_at = EXCLUDED.last_seen_at,
                   times_seen = seen.times_seen + 1,
                   known = CASE WHEN seen.state = 'closed' THEN seen.known ELSE EXCLUDED.known END
            RETURNING id, xmax = 0
            """,  # only names of this file's own columns
            [now, now, *(self.env.uid, now) * 2, *_COLUMNS.of(rows)],
        )
        seen = self.env.cr.fetchall()
        raised = self.browse(exception for exception, is_new in seen if is_new)
        self.invalidate_model()
        tell_created(raised, _CREATED)
        tell_written(self.browse(exception for exception, is_new in seen if not is_new), _SEEN_AGAIN)
        new = raised + again
        self._refresh_attention(new)
        new._record_raised()
        return new

    @api.model
    def _reopen_settled(self, rows, now):
        """Open those again that the payment system's own word had ended, and which it says again."""
        self.env.cr.execute(
            """
            UPDATE g2p_payment_exception AS settled
               SET state = 'open', decision = NULL, reason = NULL, decided_at = NULL, write_date = %s
              FROM unnest(%s::int[], %s::varchar[]) AS told (payment_id, fingerprint)
             WHERE settled.payment_id = told.payment_id AND settled.fingerprint = told.fingerprint
               AND settled.state = 'closed' AND settled.decision = 'settled'
            RETURNING settled.id
            """,
            [now, [row.get("payment_id") or None for row in rows], [row["fingerprint"] for row in rows]],
        )
        again = self.browse(exception for (exception,) in self.env.cr.fetchall())
        tell_written(again, ["state", "decision", "reason", "decided_at", "write_date"])
        return again

    @api.model
    def _adopt(self):
        """Raise exceptions for payments that need attention without one: from before there were exceptions,
        or from an earlier installation of this add-on. Without one nobody could decide them."""
        types = dict(self._fields["type"].selection)
        self.env.flush_all()
        self.env.cr.execute(
            """
            SELECT id, name, batch_id, gateway_id, attention, attention_type, status_is_final
              FROM g2p_payment AS payment
             WHERE attention IS NOT NULL AND gateway_id IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM g2p_payment_exception WHERE payment_id = payment.id)
            """
        )
        return self._raise(
            [
                {
                    "type": kept if kept in types else "late" if final else "suspect",
                    "summary": attention,
                    "gateway_id": gateway,
                    "payment_id": payment,
                    "batch_id": batch,
                    "reference": name,
                }
                for payment, name, batch, gateway, attention, kept, final in self.env.cr.fetchall()
            ]
        )

    @api.model
    def _settle_told(self, payments):
        """Ends the doubts about payments whose result is final by now; returns how many.

        No joins here and below but with what is listed: in the middle of a transaction PostgreSQL knows
        nothing of the rows that were just added, and would go through all of them again and again.
        """
        now = fields.Datetime.now()
        self.env.cr.execute(
            """
            UPDATE g2p_payment_exception
               SET state = 'closed', decision = 'settled', decided_at = %s, write_date = %s,
                   reason = %s, two_people = FALSE, proposed_by_id = NULL, proposed_at = NULL
             WHERE payment_id = ANY(%s) AND state <> 'closed' AND type = ANY(%s)
            RETURNING id
            """,
            [now, now, _("The payment system has given its final result."), payments.ids]
            + [list(_SETTLED_BY_A_RESULT)],
        )
        settled = self.browse(exception for (exception,) in self.env.cr.fetchall())
        tell_written(settled, _SETTLED)
        self._refresh_attention(settled)
        return len(settled)

    @api.model
    def _refresh_attention(self, exceptions):
        """A payment needs attention while one of its exceptions is not closed, and says why."""
        if not exceptions:
            return
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT DISTINCT payment_id FROM g2p_payment_exception WHERE id = ANY(%s)", [exceptions.ids]
        )
        payments = [payment for (payment,) in self.env.cr.fetchall() if payment]
        self.env.cr.execute(
            """
            UPDATE g2p_payment AS payment
               SET attention = not_closed.summary, attention_type = not_closed.type
              FROM unnest(%s::int[]) AS touched (id)
              LEFT JOIN (SELECT DISTINCT ON (payment_id) payment_id, summary, type
                           FROM g2p_payment_exception
                          WHERE payment_id = ANY(%s) AND state <> 'closed'
                          ORDER BY payment_id, id) AS not_closed ON not_closed.payment_id = touched.id
             WHERE payment.id = touched.id
               AND (payment.attention, payment.attention_type)
                   IS DISTINCT FROM (not_closed.summary, not_closed.type)
            RETURNING payment.id
            """,
            [payments, payments],
        )
        changed = self.env["g2p.payment"].browse(payment for (payment,) in self.env.cr.fetchall())
        tell_written(changed, ["attention", "attention_type"])
        if changed:
            changed._on_results_written(["attention", "attention_type"])

    def _record_raised(self):
        """In the audit trail of each batch; read by SQL because there may be many."""
        if not self:
            return
        self.env.cr.execute(
            """
            SELECT batch_id, submission_id, payment_id, our_status, summary, their_reference
              FROM g2p_payment_exception WHERE id = ANY(%s) AND batch_id IS NOT NULL ORDER BY batch_id, id
            """,
            [self.ids],
        )
        of_batch = {}
        for batch, submission, payment, status, summary, reference in self.env.cr.fetchall():
            of_batch.setdefault(batch, []).append(
                {
                    "submission_id": submission,
                    "payment_id": payment,
                    "from_state": status,
                    "to_state": status,
                    "why": summary,
                    "remote_reference": reference,
                }
            )
        for batch, rows in of_batch.items():
            self.env["g2p.payment.batch"].browse(batch)._record(rows)


def _with_fingerprint(row):
    amount = row.get("their_amount")
    facts = [
        row["type"],
        row.get("reference") if not row.get("payment_id") else "",
        row.get("their_status"),
        "" if amount is None else f"{Decimal(amount).normalize():f}",
        row.get("their_currency"),
        row.get("their_reference"),
    ]
    if row.get("again"):
        facts.append(str(row["again"]))
    text = json.dumps([fact or "" for fact in facts])
    return {**row, "fingerprint": hashlib.sha256(text.encode()).hexdigest()}


def _key(row):
    return row["gateway_id"], row.get("payment_id") or 0, row["fingerprint"]
