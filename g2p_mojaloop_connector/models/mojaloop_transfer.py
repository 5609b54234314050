import json
import uuid
from datetime import timedelta, timezone
from decimal import Decimal

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from odoo.addons.g2p_payment_hub.client.outcomes import FailureType, Outcome, OutcomeStatus

from ..client import orders, results
from ..client.ids import transfer_ids
from ..client.results import FEE

# A worker that has not written down what came of its transfers by then is taken for dead.
LEASE = timedelta(minutes=15)
# waiting ------> transferring --> committed | failed | suspect | unknown
#   |  ^               |
#   |  +---------------+ (it surely did not leave)
#   +-> failed, or what the scheme says of an id that it knows already: committed | suspect | unknown
# unknown ------> committed | failed | suspect | waiting (the scheme never had it, and it was never posted)
NEXT = {
    "waiting": {"waiting", "transferring", "committed", "failed", "suspect", "unknown"},
    "transferring": {"waiting", "committed", "failed", "suspect", "unknown"},
    "unknown": {"unknown", "waiting", "committed", "failed", "suspect"},
    "committed": set(),
    "failed": set(),
    "suspect": set(),
}
# A payment is tried under this many ids at the most.
MAX_ATTEMPTS = 5
# It may have left, and the scheme has not said, or not proved, what became of it.
UNSETTLED = ("transferring", "unknown")
FINAL = ("committed", "failed", "suspect")
_STATUS = {
    "committed": OutcomeStatus.PAID,
    "failed": OutcomeStatus.FAILED,
    "suspect": OutcomeStatus.SUSPECT,
}
# What a quote says, with its type in PostgreSQL: all of it is of the last one.
_QUOTE = {
    "quote_id": "varchar",
    "payee_fsp": "varchar",
    "payee_name": "varchar",
    "transfer_amount": "varchar",
    "payee_amount": "varchar",
    "fee": "varchar",
    "commission": "varchar",
    "currency": "varchar",
    "condition": "varchar",
}
# What one step may learn. Nothing that was learnt is forgotten.
_FACTS = {
    "bulk_transfer_id": "varchar",
    "body": "text",
    "expires_at": "timestamp",
    "transfer_state": "varchar",
    "fulfilment": "varchar",
    "completed_at": "timestamp",
    "taken": "boolean",
}
# What is true of the last step only.
_NOW = {
    "state": "varchar",
    "tries": "integer",
    "asks": "integer",
    "heard": "boolean",
    "next_at": "timestamp",
    "error_step": "varchar",
    "error_code": "varchar",
    "error_description": "varchar",
    "failure_type": "varchar",
}


class MojaloopTransfer(models.Model):
    """One attempt at one payment: a transfer of the scheme, under an id of our own.

    The id is derived from payment and attempt and written down before the scheme first hears of it, so that
    whoever goes on after a crash uses the same. The body is written down, in the state Transferring, before
    it leaves; from then on the scheme is asked, and nothing else is sent under another id.
    """

    _name = "g2p.mojaloop.transfer"
    _description = "Mojaloop Transfer"
    _order = "id desc"
    _rec_name = "transfer_id"

    payment_id = fields.Many2one("g2p.payment", required=True, readonly=True, ondelete="restrict", index=True)
    submission_id = fields.Many2one(
        "g2p.payment.submission", required=True, readonly=True, ondelete="restrict", index=True
    )
    batch_id = fields.Many2one("g2p.payment.batch", related="submission_id.batch_id", store=True, index=True)
    gateway_id = fields.Many2one("g2p.payment.gateway", related="submission_id.gateway_id", store=True)
    company_id = fields.Many2one("res.company", related="submission_id.company_id", store=True)
    attempt = fields.Integer(
        required=True,
        readonly=True,
        help="A payment gets another attempt only when the scheme has ended the one before without moving "
        "money.",
    )
    transfer_id = fields.Char(
        "Transfer ID", required=True, readonly=True, help="Derived from payment and attempt."
    )
    order = fields.Text(
        required=True,
        readonly=True,
        groups="g2p_payment_hub.group_payment_file",
        help="The payment's line of the file as it was approved.",
    )
    state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("transferring", "Transferring"),
            ("unknown", "Unknown"),
            ("committed", "Committed"),
            ("failed", "Failed"),
            ("suspect", "Suspect"),
        ],
        required=True,
        readonly=True,
        default="waiting",
        index=True,
        help="Waiting: no money can have moved. Transferring: the transfer may have left. Unknown: the "
        "scheme is asked until it says what became of it. Committed: paid, with proof. Failed: ended without "
        "money. Suspect: the scheme says committed, and the proof does not fit: a person has to look.",
    )
    quote_id = fields.Char("Quote ID", readonly=True)
    payee_fsp = fields.Char("Payee's Institution", readonly=True)
    payee_name = fields.Char(
        readonly=True,
        groups="g2p_payment_hub.group_payment_file",
        help="The name that the payee's institution knows.",
    )
    transfer_amount = fields.Char(readonly=True, help="What leaves the payer, as the quote says.")
    payee_amount = fields.Char("Payee Receives", readonly=True, help="As the quote says.")
    currency = fields.Char(readonly=True, help="Of all amounts of the quote.")
    fee = fields.Char(readonly=True, help="What the payee's institution takes, as the quote says.")
    commission = fields.Char(readonly=True, help="What the payee's institution gives, as the quote says.")
    condition = fields.Char(readonly=True, help="The proof of payment has to match it.")
    bulk_transfer_id = fields.Char(
        "Bulk Transfer ID", readonly=True, index="btree_not_null", help="The bulk with which it left last."
    )
    body = fields.Text(
        readonly=True, groups="g2p_payment_hub.group_payment_file", help="What was sent, to the byte."
    )
    expires_at = fields.Datetime(readonly=True, help="After this the scheme does not carry it out any more.")
    transfer_state = fields.Char("State at the Scheme", readonly=True, help="The scheme's own word.")
    fulfilment = fields.Char(readonly=True, help="The proof of payment.")
    completed_at = fields.Datetime(readonly=True)
    error_step = fields.Char("Failed Step", readonly=True)
    error_code = fields.Char(readonly=True, help="The scheme's code.")
    error_description = fields.Char(readonly=True)
    failure_type = fields.Char(readonly=True)
    turn = fields.Integer(readonly=True, help="How often it was begun; each time with a quote of its own.")
    tries = fields.Integer(readonly=True, help="How often it failed before money could move.")
    asks = fields.Integer("Questions", readonly=True, help="How often the scheme was asked for it.")
    taken = fields.Boolean(
        "Id is Taken", readonly=True, help="The scheme has said that it has this id with another content."
    )
    heard = fields.Boolean(
        "No Heard Once",
        readonly=True,
        help="The scheme has said no. It counts when it says so again, with nothing else under way.",
    )
    next_at = fields.Datetime("Next Turn", readonly=True, help="Not before; empty: at once.")
    lease = fields.Char(readonly=True, help="The run that works on it.")
    lease_until = fields.Datetime(readonly=True, help="Until then a worker is taken to be busy with it.")

    _sql_constraints = [
        ("transfer_id_unique", "unique(transfer_id)", "This transfer exists already."),
        ("attempt_unique", "unique(payment_id, attempt)", "This attempt exists already."),
    ]

    def init(self):
        """PostgreSQL holds what no code may break: a payment has one transfer that can move money."""
        self.env.cr.execute(
            """
            CREATE UNIQUE INDEX IF NOT EXISTS g2p_mojaloop_transfer_one_live
                ON g2p_mojaloop_transfer (payment_id)
             WHERE state <> 'failed';
            CREATE INDEX IF NOT EXISTS g2p_mojaloop_transfer_due
                ON g2p_mojaloop_transfer (submission_id, next_at)
             WHERE state IN ('waiting', 'transferring', 'unknown')
            """
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(_("A transfer is never deleted: it is the record of what was sent."))

    # Attempts

    @api.model
    def _begin(self, submission):
        """The first attempt at each payment of the batch, as it was approved."""
        _terms, lines = orders.parse(submission._frozen_content())
        payments = {payment.name: payment for payment in submission.batch_id.sudo().payment_ids}
        self.sudo().create(
            [
                self._attempt_values(submission, payments[line.reference].id, line.reference, 1, line)
                for line in lines
            ]
        )
        # Some may have been decided while the batch was on its way.
        self._heed_decisions(submission.batch_id.payment_ids)

    @api.model
    def _begin_again(self, transfers):
        """The next attempt at payments whose last one ended without money, under an id of its own."""
        self.sudo().create(
            [
                {
                    **self._attempt_values(
                        one.submission_id, one.payment_id.id, one.payment_id.name, one.attempt + 1
                    ),
                    "order": one.order,
                    "next_at": fields.Datetime.now() + timedelta(seconds=results.WAITS[0]),
                }
                for one in transfers.sudo()
                if one.attempt < MAX_ATTEMPTS and not one.decided
            ]
        )

    @api.model
    def _attempt_values(self, submission, payment_id, reference, attempt, line=None):
        return {
            "submission_id": submission.id,
            "payment_id": payment_id,
            "attempt": attempt,
            "transfer_id": transfer_ids(reference, attempt).transfer_id,
            "order": line and line.model_dump_json(),
        }

    # What is told of them

    def _outcomes(self, references):
        """One Outcome for each payment: of its last attempt, and of any before it that moved money. Of the
        others what the scheme says against a decision of people."""
        wanted, last = set(references), {}
        for transfer in self.sorted("attempt"):
            last[transfer.payment_id] = transfer
        return [
            transfer._outcome()
            for transfer in self
            if transfer._contradicts_decision()
            or transfer.payment_id.name in wanted
            and (transfer == last[transfer.payment_id] or transfer.state in ("committed", "suspect"))
        ]

    def _outcome(self):
        failed = self.state == "failed"
        moved = self.state == "committed"
        return Outcome(
            reference=self.payment_id.name,
            status=_STATUS.get(self.state, OutcomeStatus.WAITING),
            amount=self._arrives(),
            currency=self.currency or "",
            remote_reference=self.transfer_id,
            remote_status=self.transfer_state or self.state,
            reason_code=(self.error_code or "") if failed else "",
            reason=self._reason() if failed else "",
            failure_type=(self.failure_type or FailureType.OTHER.value) if failed else None,
            fee=self._on_top() if moved else None,
            commission=_decimal(self.commission) if moved else None,
            completed_at=self.completed_at.replace(tzinfo=timezone.utc) if self.completed_at else None,
        )

    def _arrives(self):
        """What the payee gets; a quote that does not say it has it in its other amounts."""
        if self.payee_amount or not self.transfer_amount:
            return _decimal(self.payee_amount)
        return Decimal(self.transfer_amount) - Decimal(self.fee or 0) + Decimal(self.commission or 0)

    def _on_top(self):
        """What leaves beyond what arrives. Not every institution calls it a fee."""
        named = _decimal(self.fee)
        if not self.payee_amount:
            return named
        gap = Decimal(self.transfer_amount) - Decimal(self.payee_amount) + Decimal(self.commission or 0)
        return gap if gap > 0 else named

    def _reason(self):
        if self.error_code == FEE:
            return _("The fee is above the limit: %s", self.error_description)
        step = self._error_steps().get(self.error_step)
        said = self.error_description or self.error_code or self.transfer_state or ""
        return _("%(step)s: %(said)s", step=step, said=said) if step else said

    @api.model
    def _error_steps(self):
        return {
            "lookup": _("Looking the payee up"),
            "quote": _("Asking for a quote"),
            "transfer": _("Transfer"),
            "resend": _("Transfer"),
            "ask": _("Transfer"),
        }

    # What the paying job does with them: all in sets

    def _tasks(self, terms):
        return [one._task(terms, orders.Order.model_validate_json(one.order)) for one in self]

    def _task(self, terms, order):
        another = transfer_ids(order.reference, self.attempt + 1)
        return results.Task(
            id=self.id,
            state=self.state,
            transfer_id=self.transfer_id,
            turn=self.turn,
            tries=self.tries,
            asks=self.asks,
            taken=self.taken,
            heard=self.heard,
            order=order,
            terms=terms,
            next_id=another.transfer_id if self.attempt < MAX_ATTEMPTS else "",
            body=self.body or "",
            error=(self.error_step or "", self.error_code or "", self.error_description or ""),
        )

    @api.model
    def _claim(self, submission, states, heard, limit):
        """Takes up to `limit` transfers that are due, for this run alone; (their rows, the lease)."""
        now, lease = fields.Datetime.now(), uuid.uuid4().hex
        self.flush_model()
        self.env.cr.execute(
            """
            SELECT id FROM g2p_mojaloop_transfer
             WHERE submission_id = %s AND state = ANY(%s) AND coalesce(heard, false) = %s
               AND decided IS NULL
               AND (next_at IS NULL OR next_at <= %s)
               AND (lease_until IS NULL OR lease_until < %s)
             ORDER BY id LIMIT %s
               FOR UPDATE SKIP LOCKED
            """,
            [submission.id, list(states), heard, now, now, limit],
        )
        claimed = self.browse(row[0] for row in self.env.cr.fetchall())
        if claimed:
            self.env.cr.execute(
                """
                UPDATE g2p_mojaloop_transfer
                   SET lease = %s, lease_until = %s,
                       turn = coalesce(turn, 0) + CASE state WHEN 'waiting' THEN 1 ELSE 0 END
                 WHERE id = ANY(%s)
                """,
                [lease, now + LEASE, claimed.ids],
            )
            self.invalidate_model()
        return claimed, lease

    @api.model
    def _write_down(self, lease, rows):
        """Writes what came of claimed transfers, in one statement, and gives back all but those that may
        leave now.

        `rows`: dicts of `id`, `before` (the state when they were claimed) and columns of _NOW, _QUOTE and
        _FACTS. Returns the ids written: those whose lease another run has taken meanwhile are not, and what
        people have decided meanwhile may not leave. A proof that does not fit is for people; when they have
        decided without it, it stays unknown, so that the scheme is asked before somebody is paid again.
        """
        if not rows:
            return set()
        for row in rows:
            if row["state"] not in NEXT[row["before"]]:
                raise ValueError(f"transfer {row['id']}: {row['before']} cannot become {row['state']}")
        self.flush_model()
        types = {"id": "integer", "before": "varchar", **_NOW, **_QUOTE, **_FACTS}
        moves = [f"{name} = told.{name}" for name in _NOW if name != "state"]
        moves += [
            f"{name} = CASE WHEN told.quote_id IS NULL THEN transfer.{name} ELSE told.{name} END"
            for name in _QUOTE
        ]
        moves += [f"{name} = coalesce(told.{name}, transfer.{name})" for name in _FACTS]
        self.env.cr.execute(
            f"""
            UPDATE g2p_mojaloop_transfer AS transfer
               SET {", ".join(moves)},
                   state = CASE WHEN transfer.decided IS NOT NULL AND told.state = 'suspect'
                                THEN 'unknown' ELSE told.state END,
                   lease_until = CASE WHEN told.state = 'transferring' THEN transfer.lease_until END,
                   write_date = %s
              FROM jsonb_to_recordset(%s::jsonb)
                AS told ({", ".join(f"{name} {kind}" for name, kind in types.items())})
             WHERE transfer.id = told.id AND transfer.lease = %s AND transfer.state = told.before
               AND (transfer.decided IS NULL OR told.state <> 'transferring')
         RETURNING transfer.id
            """,  # pylint: disable=sql-injection  # only names of this file's own columns
            [fields.Datetime.now(), json.dumps(rows, default=str), lease],
        )
        written = {row[0] for row in self.env.cr.fetchall()}
        self.invalidate_model()
        return written


def _decimal(text):
    return Decimal(text) if text else None
