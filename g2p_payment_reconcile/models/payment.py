from decimal import Decimal
from typing import NamedTuple

from odoo import _, api, fields, models

from odoo.addons.g2p_payment_hub.client.outcomes import OutcomeStatus
from odoo.addons.g2p_payment_hub.models.columns import Columns
from odoo.addons.g2p_payment_hub.models.payment_guard import GUARDED
from odoo.addons.g2p_payment_hub.models.roles import LOOKERS

from .verdict import Doubt, contradictions, judge, kind, said_again, word, words

# Nobody writes these on a payment either.
GUARDED.update({"evidence_line_ids", "exception_ids", "last_words", "returned_at", "returned_amount"})
# The batch of a payment, and of one that was set aside the one in which it stood: there its trail goes on.
BATCH_OF = """coalesce(payment.batch_id, (SELECT batch_id FROM g2p_payment_event
                                           WHERE payment_id = payment.id ORDER BY id LIMIT 1))"""
_COLUMNS = Columns(
    id="int",
    state="varchar",
    status="varchar",
    final="boolean",
    amount_paid="numeric",
    paid_at="timestamp",
    remote_reference="varchar",
    remote_status="varchar",
    failure_code="varchar",
    failure_reason="varchar",
    failure_type="varchar",
    fee="numeric",
    commission="numeric",
    last_words="text",
)


class Learnt(NamedTuple):
    """What outcomes brought: how many payments became final, the exceptions that are new, how many doubts
    ended."""

    final: int
    raised: models.Model
    settled: int

    def plus(self, other):
        return Learnt(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    def __bool__(self):
        return bool(self.final or self.raised or self.settled)


class Payment(models.Model):
    """What the payment system tells of payments is judged and written down, in sets."""

    _inherit = "g2p.payment"

    exception_ids = fields.One2many("g2p.payment.exception", "payment_id", "Exceptions", readonly=True)
    evidence_line_ids = fields.One2many(
        "g2p.payment.evidence.line",
        "payment_id",
        "Evidence",
        readonly=True,
        groups=LOOKERS,
        help="Lines of statements and result files about this payment.",
    )
    returned_at = fields.Datetime(
        "Returned on", readonly=True, copy=False, help="When the money came back after it had been paid."
    )
    returned_amount = fields.Monetary(
        readonly=True,
        copy=False,
        currency_field="payment_currency_id",
        help="What had been paid and came back.",
    )
    last_words = fields.Text(
        readonly=True,
        copy=False,
        groups="base.group_no_one",
        help="What the payment system said of it when it last answered in full.",
    )

    def _apply_outcomes(self, outcomes, whole=True, source=None):
        """Writes what the payment system tells of these payments: a page of any size, in a number of
        statements that does not grow with it. Returns a `Learnt`.

        Final results never move; what speaks against one, what does not fit, and what was never sent become
        exceptions. The same outcomes, in any order and number, give the same result. Unless they are the
        `whole` answer nothing fails: that it was paid after all may stand on a page that did not come.
        `source` are columns for the exceptions of references that are not among these payments: `gateway_id`,
        `batch_id`, `submission_id`; without it they are passed over. Only the payment system's answers have
        one.
        """
        told = {}
        for outcome in outcomes:
            told.setdefault(outcome.reference, []).append(outcome)
        mine = self._facts(list(told))
        answered = source and whole
        rows, doubtful, last_words = [], [], {}
        for fact in mine:
            said = told.pop(fact["name"])
            if fact["final"]:
                doubtful += self._contradiction_rows(fact, said, answered)
                last_words[fact["id"]] = "\n".join(words(said))
                continue
            row, doubts = self._outcome_row(fact, said, whole)
            row["last_words"] = "\n".join(words(said)) if answered else None
            rows.append(row)
            doubtful += doubts
        self._write_outcomes(rows)
        self._record_outcomes(mine, rows)
        if answered:
            self._remember(mine, last_words)
        Exceptions = self.env["g2p.payment.exception"]
        raised = Exceptions._raise(doubtful + (self._stranger_rows(told, source) if source else []))
        final = [row["id"] for row in rows if row["final"]]
        return Learnt(len(final), raised, Exceptions._settle_told(self.browse(final)))

    def _facts(self, references):
        """What is written down of those of these payments, by dicts; read without a record for each."""
        self.env.flush_all()
        self.env.cr.execute(
            f"""
            SELECT payment.id, payment.name, {BATCH_OF} AS batch_id, payment.gateway_id, payment.state,
                   payment.status, payment.status_is_final AS final, payment.amount_issued::text AS amount,
                   payment.remote_reference, payment.last_words, currency.name AS currency,
                   currency.decimal_places AS digits, of_payment.doubt, of_payment.known, of_payment.decided
              FROM g2p_payment AS payment
              LEFT JOIN res_currency AS currency ON currency.id = payment.payment_currency_id
              LEFT JOIN (
                   SELECT payment_id, bool_or(state <> 'closed' AND type <> 'silent') AS doubt,
                          string_agg(known, E'\\n') FILTER (WHERE decision IS DISTINCT FROM 'settled')
                              AS known,
                          count(*) FILTER (WHERE state = 'closed') AS decided
                     FROM g2p_payment_exception WHERE payment_id = ANY(%s) GROUP BY payment_id
                   ) AS of_payment ON of_payment.payment_id = payment.id
             WHERE payment.id = ANY(%s) AND payment.name = ANY(%s)
             ORDER BY payment.id
            """,  # only an expression of this file
            [self.ids, self.ids, references],
        )
        facts = self.env.cr.dictfetchall()
        for fact in facts:
            digits = 2 if fact["digits"] is None else fact["digits"]
            fact["amount"] = Decimal(fact["amount"]).quantize(Decimal(1).scaleb(-digits))
            fact["currency"] = fact["currency"] or ""
        return facts

    def _contradiction_rows(self, fact, said, answered=False):
        """What speaks against a final result, apart from what a person has, or has had, in front.

        What the payment system says again in an answer (`answered`), after it had taken it back, is new.
        """
        known = set((fact["known"] or "").splitlines())
        again = said_again(said, (fact["last_words"] or "").splitlines()) if answered else []
        news = [one for one in said if word(one) not in known or one in again]
        against = contradictions(
            news, fact["status"], fact["amount"], fact["currency"], fact["remote_reference"] or ""
        )
        return [
            {
                **self._exception_row(fact, doubt, outcome, said),
                "again": fact["decided"] if word(outcome) in known else 0,
            }
            for doubt, outcome in against
        ]

    def _outcome_row(self, fact, said, whole=True):
        """(columns to be written, rows of exceptions) for a payment that is still open."""
        verdict = judge(said, fact["amount"], fact["currency"])
        outcome, status = verdict.outcome, verdict.status
        if status == "failed" and (fact["doubt"] or not whole):
            # That it was paid has been said before, or may stand where the answer broke off.
            status = None
        paid, failed = status == "paid", status == "failed"
        row = {
            "id": fact["id"],
            "state": "reconciled" if status else "sent",
            "status": status,
            "final": bool(status),
            "amount_paid": outcome.amount if paid else None,
            "paid_at": _utc(outcome.completed_at) if paid else None,
            "remote_reference": outcome.remote_reference or None,
            "remote_status": outcome.remote_status or None,
            "failure_code": (outcome.reason_code or None) if failed else None,
            "failure_reason": (outcome.reason or outcome.reason_code or _("No reason given"))
            if failed
            else None,
            "failure_type": (outcome.failure_type.value if outcome.failure_type else "other")
            if failed
            else None,
            "fee": outcome.fee,
            "commission": outcome.commission,
        }
        if not verdict.doubt:
            return row, []
        return row, [self._exception_row(fact, verdict.doubt, verdict.about or outcome, said)]

    def _exception_row(self, fact, doubt, outcome, said):
        return {
            **self._their_side(doubt, outcome),
            "payment_id": fact["id"],
            "batch_id": fact["batch_id"],
            "gateway_id": fact["gateway_id"],
            "known": "\n".join(words(said)),
        }

    def _stranger_rows(self, told, source):
        """Each thing that was said of a reference that was not asked for. It may be a payment that was given
        up, or is in another batch: then that one needs attention, unless it is final and nothing speaks
        against it.
        """
        elsewhere = self.sudo().search(
            [("name", "in", list(told)), ("gateway_id", "=", source["gateway_id"])]
        )
        known = {fact["name"]: fact for fact in elsewhere._facts(list(told))}
        rows = []
        for reference, said in told.items():
            fact = known.get(reference, {})
            strange = [one for one in said if _is_strange(one, fact)]
            found = [
                {
                    **self._their_side("stranger", outcome),
                    "payment_id": fact.get("id"),
                    "known": "\n".join(words(said)),
                }
                for outcome in strange
            ]
            if fact.get("final"):
                found += self._contradiction_rows(fact, said)
            # Those who see to the batch of a payment decide about it, wherever it came up.
            own = {"batch_id": fact["batch_id"]} if fact.get("batch_id") else {}
            rows += [{**row, **source, **own} for row in found]
        return rows

    @api.model
    def _their_side(self, doubt, outcome):
        """The columns of an exception that an outcome fills."""
        return {
            "type": doubt.value if isinstance(doubt, Doubt) else doubt,
            "summary": self._doubt_sentence(doubt, outcome),
            "reference": outcome.reference,
            "their_status": kind(outcome),
            "their_word": outcome.remote_status,
            "their_amount": outcome.amount,
            "their_currency": outcome.currency,
            "their_reference": outcome.remote_reference,
            "their_code": outcome.reason_code,
            "their_reason": outcome.reason,
            "their_at": _utc(outcome.completed_at),
        }

    def _write_outcomes(self, rows):
        """One UPDATE. That a final result does not move is said to PostgreSQL once more."""
        if not rows:
            return
        self.env.flush_all()
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
                   remote_fee = told.fee,
                   remote_commission = told.commission,
                   last_words = coalesce(told.last_words, payment.last_words),
                   write_uid = %s,
                   write_date = %s
              FROM unnest({_COLUMNS.arrays}) AS told ({_COLUMNS.names})
             WHERE payment.id = told.id
               AND payment.status_is_final IS NOT TRUE
            """,  # only names of this file's own columns
            [fields.Datetime.now(), self.env.uid, fields.Datetime.now(), *_COLUMNS.of(rows)],
        )
        self.env["g2p.payment"].invalidate_model(flush=False)

    def _remember(self, facts, last_words):
        """What was said of the payments that are final, where that is not what was said the last time."""
        before = {fact["id"]: fact["last_words"] for fact in facts}
        changed = {payment: said for payment, said in last_words.items() if said != before[payment]}
        if changed:
            self.env.cr.execute(
                "UPDATE g2p_payment AS payment SET last_words = told.last_words "
                "FROM unnest(%s::int[], %s::text[]) AS told (id, last_words) WHERE payment.id = told.id",
                [list(changed), list(changed.values())],
            )
            self.env["g2p.payment"].invalidate_model(["last_words"], flush=False)

    def _record_outcomes(self, facts, rows):
        """Adds to the audit trail of each batch what changed."""
        before = {fact["id"]: fact for fact in facts}
        changes = {}
        for row in rows:
            fact = before[row["id"]]
            old, new = fact["status"] or fact["state"], row["status"] or row["state"]
            if old != new:
                changes.setdefault(fact["batch_id"], []).append(
                    {
                        "payment_id": row["id"],
                        "from_state": old,
                        "to_state": new,
                        "why": row["failure_reason"] or row["remote_status"],
                        "remote_reference": row["remote_reference"],
                    }
                )
        for batch, events in changes.items():
            self.env["g2p.payment.batch"].browse(batch)._record(events)

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
            Doubt.RETURNED: _("The payment system says that this was paid, and that the money came back."),
            "stranger": _("The payment system shows a payment that this batch did not ask for."),
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


def _is_strange(outcome, fact):
    """Whether nobody expected to be told this, of a payment that is elsewhere (`fact`), or nowhere."""
    if not fact.get("final"):
        return True
    # What is paid, or failed with a word against it, is not strange but contradicted.
    return fact["status"] == "failed" and outcome.status is OutcomeStatus.WAITING


def _utc(moment):
    return moment.replace(tzinfo=None) if moment else None
