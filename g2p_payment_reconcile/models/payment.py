from decimal import Decimal
from typing import NamedTuple

from odoo import _, api, fields, models
from odoo.tools import format_datetime

from odoo.addons.g2p_payment_hub.client.outcomes import OutcomeStatus
from odoo.addons.g2p_payment_hub.models.columns import Columns, tell_written
from odoo.addons.g2p_payment_hub.models.payment_guard import GUARDED
from odoo.addons.g2p_payment_hub.models.roles import LOOKERS

from .verdict import Doubt, contradictions, judge, kind, said_again, was_held, word, words

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
# What an outcome writes: field to its new value, of the row `told` or of the payment itself.
_WRITTEN = {
    "state": "told.state",
    "status": "told.status",
    "status_is_final": "told.final",
    "amount_paid": "told.amount_paid",
    "payment_datetime": "told.paid_at",
    "remote_reference": "told.remote_reference",
    "remote_status": "told.remote_status",
    "failure_code": "told.failure_code",
    "failure_reason": "told.failure_reason",
    "failure_type": "told.failure_type",
    "remote_fee": "told.fee",
    "remote_commission": "told.commission",
    "last_words": "coalesce(told.last_words, payment.last_words)",
}
_MOMENTS = ("status_datetime", "write_uid", "write_date")


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
                doubtful += self._contradiction_rows(fact, said, bool(source), answered)
                last_words[fact["id"]] = "\n".join(words(said))
                continue
            row, doubts = self._outcome_row(fact, said, whole)
            row["last_words"] = "\n".join(words(said)) if answered else None
            rows.append(row)
            doubtful += doubts
        changed = self._write_outcomes(rows)
        self._record_outcomes(mine, rows)
        if answered:
            self._remember(mine, last_words)
        Exceptions = self.env["g2p.payment.exception"]
        doubtful += self._stranger_rows(told, source) if source else []
        self._name_results(doubtful)
        raised = Exceptions._raise(doubtful)
        final = [row["id"] for row in rows if row["final"]]
        if changed:
            changed._on_results_written([*_WRITTEN, *_MOMENTS])
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

    def _contradiction_rows(self, fact, said, by_system=True, answered=False):
        """List what speaks against a final result, apart from what was known when the result was decided, and
        what a person has, or has had, in front.

        What the payment system (`by_system`) said last is known; a document tells of bookings, each of
        which is news. What the payment system says again in an answer (`answered`), after it had taken it
        back, is new.
        """
        last_words = (fact["last_words"] or "").splitlines()
        known = {*(fact["known"] or "").splitlines(), *(last_words if by_system else ())}
        again = said_again(said, last_words) if answered else []
        news = [outcome for outcome in said if word(outcome) not in known or outcome in again]
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
        if verdict.status == "failed" and was_held(fact["last_words"]):
            # Called done before: that it failed after all is for a person.
            verdict = verdict._replace(status=None, doubt=Doubt.CONTRADICTORY)
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
    def _name_results(self, rows):
        """Put before the sentence of each exception about a payment that has its result since when, by whom
        and why it has that: what speaks against it is judged by people who do not know."""
        results = self._results_in_words({row["payment_id"] for row in rows if row.get("payment_id")})
        for row in rows:
            if row.get("payment_id") in results:
                row["summary"] = f"{results[row['payment_id']]} {row['summary']}"

    @api.model
    def _results_in_words(self, payments):
        """Map the ids of those of these payments whose final result people gave them to a sentence."""
        self.env.flush_all()
        self.env.cr.execute(
            """
            SELECT DISTINCT ON (payment.id) payment.id, payment.status, event.happened_at, event.why,
                   coalesce(decision.proposed_by_id, event.user_id) AS first_id,
                   decision.confirmed_by_id AS second_id, decision.reason
              FROM g2p_payment AS payment
              JOIN g2p_payment_event AS event ON event.payment_id = payment.id
                                             AND event.to_state = payment.status
                                             AND event.from_state IS DISTINCT FROM event.to_state
              LEFT JOIN g2p_payment_exception AS decision ON decision.event_id = event.id
             WHERE payment.id = ANY(%s) AND payment.status_is_final
               AND (decision.id IS NOT NULL OR payment.failure_type = 'not_sent')
             ORDER BY payment.id, event.id DESC
            """,
            [list(payments)],
        )
        return {fact["id"]: self._result_in_words(fact) for fact in self.env.cr.dictfetchall()}

    @api.model
    def _result_in_words(self, fact):
        people = self.env["res.users"].sudo().browse(filter(None, (fact["first_id"], fact["second_id"])))
        return _(
            "%(people)s gave it the result %(status)s on %(date)s: %(reason)s",
            people=", ".join(people.mapped("name")),
            status=dict(self._fields["status"]._description_selection(self.env)).get(fact["status"]),
            date=format_datetime(self.env, fact["happened_at"], tz="UTC", dt_format="yyyy-MM-dd HH:mm 'UTC'"),
            reason=(fact["reason"] or fact["why"] or "").rstrip(".") + ".",
        )

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
        """Write the outcomes in one UPDATE and return the payments that changed by it.

        A final result does not move: PostgreSQL is told so once more.
        """
        if not rows:
            return self.browse()
        self.env.flush_all()
        self.env.cr.execute(
            f"""
            UPDATE g2p_payment AS payment
               SET {", ".join(f"{name} = {new}" for name, new in _WRITTEN.items())},
                   status_datetime = CASE WHEN payment.status IS DISTINCT FROM told.status
                                            OR payment.remote_status IS DISTINCT FROM told.remote_status
                                          THEN %s ELSE payment.status_datetime END,
                   write_uid = %s,
                   write_date = %s
              FROM unnest({_COLUMNS.arrays}) AS told ({_COLUMNS.names})
             WHERE payment.id = told.id
               -- invariant: final-stays-final
               AND payment.status_is_final IS NOT TRUE
               AND ({", ".join(f"payment.{name}" for name in _WRITTEN)})
                   IS DISTINCT FROM ({", ".join(_WRITTEN.values())})
            RETURNING payment.id
            """,  # only names of this file's own columns
            [fields.Datetime.now(), self.env.uid, fields.Datetime.now(), *_COLUMNS.of(rows)],
        )
        changed = self.browse(payment for (payment,) in self.env.cr.fetchall())
        tell_written(changed, [*_WRITTEN, *_MOMENTS])
        return changed

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
            tell_written(self.browse(changed), ["last_words"])

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
                        "amount_paid": row["amount_paid"] or Decimal(0),
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
    return fact["status"] == "failed" and outcome.status in (OutcomeStatus.WAITING, OutcomeStatus.HELD)


def _utc(moment):
    return moment.replace(tzinfo=None) if moment else None
