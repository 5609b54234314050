import json
import uuid
from datetime import timedelta

from odoo import api, fields, models

from odoo.addons.g2p_payment_hub.models.columns import tell_written
from odoo.addons.g2p_payment_hub.models.payment_stops import STOP

from ..client import orders, results
from ..client.ids import transfer_ids
from .mojaloop_transfer import MAX_ATTEMPTS, NEXT

# A worker that has not written down what came of its transfers by then is taken for dead.
LEASE = timedelta(minutes=15)
# To whom and for what a transfer is.
_OWED = """
              FROM g2p_payment AS payment
              JOIN g2p_entitlement AS entitlement ON entitlement.id = payment.entitlement_id
              JOIN g2p_cycle AS cycle ON cycle.id = entitlement.cycle_id
              JOIN g2p_program AS program ON program.id = cycle.program_id
              JOIN res_partner AS beneficiary ON beneficiary.id = entitlement.partner_id
              LEFT JOIN res_currency AS currency ON currency.id = payment.payment_currency_id
             WHERE payment.id = transfer.payment_id
"""
# What OpenG2P has taken back or changed since it was sent is not begun: a batch may be paused for days.
STILL_WANTED = f"""
    EXISTS (SELECT {_OWED}
               AND ({STOP}) IS NULL
               AND beneficiary.id = payment.partner_id
               AND entitlement.state IN ('approved', 'expired') AND cycle.state <> 'cancelled'
               AND abs(entitlement.initial_amount - (transfer."order"::jsonb ->> 'amount')::numeric)
                   < coalesce(currency.rounding, 0.01))
"""
# The moment has come and nobody is busy with it; or these times lie so much further ahead than they are ever
# set that the clock was set back since.
IS_DUE = """
    coalesce(transfer.next_at <= %(now)s OR transfer.next_at > %(longest_wait)s, true)
    AND coalesce(transfer.lease_until < %(now)s OR transfer.lease_until > %(longest_lease)s, true)
"""
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


def due_times():
    """The parameters of IS_DUE."""
    now = fields.Datetime.now()
    longest_wait = now + 2 * timedelta(seconds=max(results.WAITS))
    return {"now": now, "longest_wait": longest_wait, "longest_lease": now + 2 * LEASE}


class MojaloopTransfer(models.Model):
    """What the paying job does with transfers, all in sets: it claims some that are due, for one run alone,
    and writes down what came of them."""

    _inherit = "g2p.mojaloop.transfer"

    def _tasks(self, terms, may_send):
        return [one._task(terms, orders.Order.model_validate_json(one.order), may_send) for one in self]

    def _task(self, terms, order, may_send):
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
            may_send=may_send,
            error=(self.error_step or "", self.error_code or "", self.error_description or ""),
        )

    @api.model
    def _claim(self, submission, states, heard, limit):
        """Takes up to `limit` transfers that are due, for this run alone; (their rows, the lease)."""
        lease = uuid.uuid4().hex
        self.env.flush_all()
        self.env.cr.execute(
            f"""
            SELECT id FROM g2p_mojaloop_transfer AS transfer
             WHERE submission_id = %(submission)s AND state = ANY(%(states)s)
               AND coalesce(heard, false) = %(heard)s
               AND decided IS NULL
               AND {IS_DUE}
               AND (state <> 'waiting' OR {STILL_WANTED})
             ORDER BY id LIMIT %(limit)s
               FOR UPDATE SKIP LOCKED
            """,  # pylint: disable=sql-injection  # a text of this file
            {
                "submission": submission.id,
                "states": list(states),
                "heard": heard,
                "limit": limit,
                **due_times(),
            },
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
                [lease, fields.Datetime.now() + LEASE, claimed.ids],
            )
            tell_written(claimed, ["lease", "lease_until", "turn"])
        return claimed, lease

    @api.model
    def _count_taken_back(self, submission):
        """Count a submission's transfers that wait and are not begun any more, by what stops them."""
        self.env.flush_all()
        self.env.cr.execute(
            f"""
            SELECT coalesce((SELECT {STOP} {_OWED}), 'changed') AS stop, count(*)
              FROM g2p_mojaloop_transfer AS transfer
             WHERE submission_id = %s AND state = 'waiting' AND decided IS NULL AND NOT {STILL_WANTED}
             GROUP BY 1 ORDER BY 1
            """,  # pylint: disable=sql-injection  # texts of this file
            [submission.id],
        )
        return dict(self.env.cr.fetchall())

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
            """,  # only names of this file's own columns
            [fields.Datetime.now(), json.dumps(rows, default=str), lease],
        )
        written = {row[0] for row in self.env.cr.fetchall()}
        tell_written(self.browse(written), [*_NOW, *_QUOTE, *_FACTS, "lease_until", "write_date"])
        return written
