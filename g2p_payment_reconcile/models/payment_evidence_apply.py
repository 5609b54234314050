"""Makes what the preview of evidence shows so."""

import logging
from datetime import datetime
from decimal import Decimal

from psycopg2 import OperationalError

from odoo import _, models
from odoo.exceptions import UserError

from odoo.addons.g2p_payment_hub.models.roles import APPROVERS

from .payment import BATCH_OF, Learnt
from .payment_evidence import DECIDE
from .payment_evidence_effect import MIDDAY, SAYING
from .payment_evidence_match import ASKS
from .verdict import Doubt

_logger = logging.getLogger(__name__)

_NAMED = 20  # lines in a sentence


class PaymentEvidence(models.Model):
    _inherit = "g2p.payment.evidence"

    def _batches(self):
        """Those whose payments the lines are about, or may be."""
        self.env.cr.execute(
            """
            SELECT batch_id FROM g2p_payment_evidence_line WHERE evidence_id = %s AND batch_id IS NOT NULL
             UNION
            SELECT payment.batch_id
              FROM g2p_payment_evidence_line AS line
              JOIN g2p_payment_evidence_line_candidate AS candidate ON candidate.line_id = line.id
              JOIN g2p_payment AS payment ON payment.id = candidate.payment_id
             WHERE line.evidence_id = %s AND payment.batch_id IS NOT NULL
             ORDER BY batch_id
            """,
            [self.id, self.id],
        )
        return self.env["g2p.payment.batch"].browse(batch for (batch,) in self.env.cr.fetchall())

    def _still_as_seen(self):
        """Matches once more; whether each line is still what the preview showed."""
        seen = self.preview
        self._match()
        return self.preview == seen

    def _apply_in_job(self):
        if self.state != "applying":
            return _("Nothing to do: the file is not waiting to be applied.")
        self._batches()._lock_in_job()
        why_not = _("Nothing was applied: payments have changed since the preview. Look at it again.")
        if self._still_as_seen():
            why_not = self._why_not_applied()
        if why_not:
            self._advance("matched", applied_by_id=False, applied_at=False)
            self._message_log(body=why_not)
        return self.name

    def _why_not_applied(self):
        """Applies it; an error takes all of it back, and is said to those who can apply it again."""
        try:
            with self.env.cr.savepoint():
                self._apply()
            return False
        except OperationalError:
            raise  # another transaction was in the way: queue_job comes back
        except UserError as error:
            return _("Nothing was applied. %s", error)
        except Exception as error:  # pylint: disable=broad-except  # or it would be applied for ever
            _logger.exception("evidence %s: applying ended in an error", self.id)
            return _("Nothing was applied, because of an error of this server: %s", type(error).__name__)

    def _apply(self):
        """Everything that the preview shows, in one transaction; the batches are locked by the caller."""
        if self.state == "matched":
            self._advance("applied", **self._applied_by_me())
        else:
            self._advance("applied")
        for batch in self._batches():
            self._apply_to(batch)
        self._raise_strangers()
        self._log_what_was_said()

    def _log_what_was_said(self):
        """What the person who applied it had in front, beside the figures."""
        if self.account_warning:
            self._message_log(body=self.account_warning)
        if self.unreadable_count:
            unreadable = self.line_ids.search(
                [("evidence_id", "=", self.id), ("problem", "!=", False)], order="id", limit=_NAMED
            )
            self._message_log(
                body=_(
                    "%(count)s lines could not be read, and nothing was applied for them. The first are the "
                    "lines %(numbers)s.",
                    count=self.unreadable_count,
                    numbers=", ".join(str(line.number) for line in unreadable),
                )
            )

    def _apply_to(self, batch):
        told = self._told_of(batch)
        if not told:
            return
        state = batch.batch_state
        why = _("%(file)s, uploaded by %(user)s, is applied.", file=self.name, user=self.uploaded_by_id.name)
        batch._record([{"from_state": state, "to_state": state, "why": why, "digest": self.digest}])
        payments = self.env["g2p.payment"].browse(fact["id"] for fact, _said, _extra in told)
        outcomes = [one for _fact, said, _extra in told for one in said]
        further = [one for _fact, _said, extra in told for one in extra]
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
                batch, outcomes + further, learnt, origin="evidence", whole=True, evidence_id=self.id
            )
        batch._settle()

    def _raise_strangers(self):
        """What is said of payments that cannot be named with certainty, or were not sent, becomes exceptions;
        each payment of ours that is named, or may be, needs attention."""
        self.env.cr.execute(
            f"""
            SELECT line.number, line.reference, line.why, line.status, line.amount::text AS amount,
                   line.currency, line.remote_status, line.remote_reference, line.reason_code, line.reason,
                   line.happened_on, line.fingerprint, line.named, line.repeated, line.id,
                   payment.id AS payment_id, coalesce({BATCH_OF}, line.batch_id) AS batch_id,
                   candidate.payment_id IS NOT NULL AS in_doubt
              FROM (SELECT * FROM g2p_payment_evidence_line WHERE evidence_id = %s AND {ASKS}) AS line
              LEFT JOIN g2p_payment_evidence_line_candidate AS candidate ON candidate.line_id = line.id
              LEFT JOIN g2p_payment AS payment ON payment.id = coalesce(candidate.payment_id, line.payment_id)
             ORDER BY line.id, payment.id
            """,
            [self.id, list(SAYING)],
        )
        rows = [self._stranger_row(line) for line in self.env.cr.dictfetchall()]
        for batch in self.env["g2p.payment.exception"]._raise(rows).batch_id:
            batch._settle()
        self._call_for_decisions()

    def _call_for_decisions(self):
        """Who applied it sees to the exceptions that belong to no batch."""
        for evidence in self:
            # Of two people who decide the last ones at once, the second comes back and sees that none is
            # left.
            self.env.cr.execute("UPDATE g2p_payment_evidence SET id = id WHERE id = %s", [evidence.id])
            left = [("evidence_id", "=", evidence.id), ("batch_id", "=", False), ("state", "!=", "closed")]
            nobody = self.env["res.users"]
            owners = evidence._who_still(evidence.applied_by_id, APPROVERS) or evidence._finance_users()
            evidence._keep_called(
                DECIDE,
                owners if self.env["g2p.payment.exception"].sudo().search_count(left, limit=1) else nobody,
                _("Decide the exceptions of %s", evidence.name),
                _("Lines of this file are about payments that nobody sent. Open Exceptions on the file."),
            )

    def action_open_exceptions(self):
        self.ensure_one()
        of_file = ["|", ("evidence_id", "=", self.id), ("reconciliation_id.evidence_id", "=", self.id)]
        return self.env["g2p.payment.exception"]._list_of(self, of_file)

    def _stranger_row(self, line):
        return {
            "type": "suspect" if line["in_doubt"] else "stranger",
            "summary": _(
                "%(file)s, line %(line)s: %(why)s", file=self.name, line=line["number"], why=line["why"]
            ),
            "gateway_id": self.gateway_id.id,
            "evidence_id": self.id,
            "payment_id": line["payment_id"],
            "batch_id": line["batch_id"],
            "reference": line["reference"],
            "their_status": line["status"] in SAYING and line["status"],
            "their_word": line["remote_status"],
            "their_amount": line["amount"] and Decimal(line["amount"]),
            "their_currency": line["currency"],
            "their_reference": _their_reference(line),
            "their_code": line["reason_code"],
            "their_reason": line["reason"],
            "their_at": line["happened_on"] and datetime.combine(line["happened_on"], MIDDAY),
        }


def _their_reference(line):
    """What tells it from another: the bank's number, or what stands for it where the bank has none."""
    if line["named"] is not False and line["remote_reference"]:
        return line["remote_reference"]
    known = line["fingerprint"][:12]
    return f"{known}/{line['id']}" if line["repeated"] else known
