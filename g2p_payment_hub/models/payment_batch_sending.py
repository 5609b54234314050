import logging
import time
from contextlib import contextmanager
from typing import NamedTuple

from psycopg2 import OperationalError

from odoo import _, api, models
from odoo.exceptions import UserError
from odoo.modules import module
from odoo.tools import config

from odoo.addons.queue_job.exception import RetryableJobError

from ..client.errors import GatewayError, NotSent, OutcomeUnknown, Refused
from ..client.instructions import digest
from ..client.outcomes import Receipt
from .payment_manager import MODEL
from .roles import APPROVERS, check_role, has_role

_logger = logging.getLogger(__name__)


class Look(NamedTuple):
    """What asking the payment system before an attempt brought: it has the batch already (`receipt`), it
    could not tell, or has payments that were given up (`why_not`, a sentence; `arrived`, which payments), or
    it shows no trace (neither)."""

    attempt: int
    receipt: Receipt | None = None
    why_not: str = ""
    arrived: tuple = ()


class PaymentBatch(models.Model):
    """An approved batch leaves once, whatever happens meanwhile."""

    _inherit = "g2p.payment.batch"

    def _why_not_send(self):
        if self.check_result and self._why_not_as_approved():
            return _("It cannot be sent as it is. Reject it, or take it back to draft.")
        if not has_role(self.env, APPROVERS):
            return _("A finance validator sends this batch.")
        return self._why_not_on_these_settings()

    def send_payment(self):
        """OpenG2P's Send button. A batch of a gateway goes through that gateway, whatever payment manager the
        program has by now."""
        hub = self.filtered("gateway_id")
        if not hub:
            return super().send_payment()
        others = self - hub
        if others:
            super(PaymentBatch, others).send_payment()
        return self.env[MODEL].send_payments(hub)

    def _queue_sending(self):
        """One job for each batch; the identity key keeps a second press from making a second job."""
        if not self:
            return
        check_role(self.env, APPROVERS, _("Only a finance validator may send a batch."))
        self._lock()
        for batch in self:
            why = _("Queued to be sent.")
            batch._advance("sending", why, sent_by_id=self.env.uid, check_result=False)
            batch._queue_job()

    def _queue_job(self):
        self.with_delay(
            identity_key=f"g2p_payment_hub.send.{self.id}.{len(self.submission_ids)}",
            description=_("Send %s", self.name),
        )._send()

    @api.model
    def _cron_queue_forgotten(self):
        """A batch that waits to be sent, whose job somebody deleted, gets it back; where there is one, the
        identity key makes this do nothing."""
        for batch in self.sudo().search([("batch_state", "=", "sending")]):
            if not batch._live_submission():
                batch.with_user(batch.sent_by_id)._queue_job()

    def _send(self):
        """The job: asks whether the payment system has this batch already, writes down what is about to
        leave, lets it leave once, writes down what came of it.

        Each has a transaction of its own: what is written down is there whatever dies, and nothing waits for
        the network with locks in its hands.
        """
        self.ensure_one()
        # Whoever pressed Send may have lost the group or the company since; it was approved and sent in time.
        self = self.sudo()
        with self._own_transaction() as batch:
            look = batch._look_before_sending()
        submission, answer = self._write_down_intent(look)
        if not submission:
            return answer
        # Only reads; a transaction that began later, so that it sees the intent.
        with self._own_transaction() as batch:
            ending, arguments = batch._transmit(submission.with_env(batch.env))
        return self._write_down_ending(submission, ending, arguments)

    def _write_down_intent(self, look):
        """`_begin_sending` on its own; when that fails nothing has left, and the batch can be sent again."""
        try:
            with self._own_transaction() as batch:
                submission, answer = batch._begin_sending(look)
            return self.env["g2p.payment.submission"].browse(submission.id), answer
        except (OperationalError, RetryableJobError):
            raise  # another transaction was in the way: queue_job comes back
        except Exception as error:  # pylint: disable=broad-except  # or the batch would stay "sending"
            _logger.exception("batch %s: sending could not begin", self.id)
            why_not = _("Nothing was sent, because of an error of this server: %s", type(error).__name__)
            with self._own_transaction() as batch:
                batch._advance("approved", why_not)
            return self.env["g2p.payment.submission"], why_not

    def _write_down_ending(self, submission, ending, arguments):
        def write(batch):
            ours = batch.env["g2p.payment.submission"].browse(submission.id)
            getattr(ours, ending)(*arguments)
            return ours.answer

        return self._write_down(write)

    def _write_down(self, write):
        """`write(this record)` in a transaction of its own, repeated when others are in the way: what came of
        something must not be forgotten."""
        for wait in (0.1, 0.5, 2, 5, None):
            try:
                with self._own_transaction() as batch:
                    return write(batch)
            except (OperationalError, RetryableJobError):
                if wait is None:
                    raise
                time.sleep(wait)

    @contextmanager
    def _own_transaction(self):
        """This record in a transaction that is committed at the end of the `with`, whatever becomes of ours.

        A queue job may not commit its own: that would give up its lock, and the job would be started again.
        Tests roll back everything, so there it is the test's own transaction."""
        if config["test_enable"] or module.current_test:
            yield self
            self.env.flush_all()
            return
        with self.env.registry.cursor() as cr:
            # invariant: intent-committed
            yield self.with_env(self.env(cr=cr))

    def _begin_sending(self, look):
        """(submission, False), or (nothing, what was written down instead of sending).

        Queue jobs run at least once: whoever finds an attempt written down already sends nothing."""
        self._lock_in_job()
        nothing = self.env["g2p.payment.submission"]
        if not self._waits_to_be_sent() or look.attempt != self._next_attempt():
            return nothing, _("Nothing to do: the batch is not waiting to be sent, or another worker has it.")
        why_not = self._why_not_as_approved()
        if why_not:
            self._advance("approved", why_not, check_result=why_not)
            return nothing, why_not
        submission = nothing._open(self)
        if look.receipt:
            submission._accept(look.receipt)
        elif look.why_not:
            submission._close("not_sent", look.why_not)
            self._note_arrived(look.arrived)
        else:
            return submission, False
        return nothing, submission.answer

    @api.model
    def _check_nothing_under_way(self):
        """Only we know that a batch may have left already: to other payment managers its payments look as if
        they had not been sent."""
        under_way = self.sudo().search([("batch_state", "in", ("sending", "unknown"))])
        if under_way:
            raise UserError(
                _(
                    "Nobody knows yet whether these batches left: %s. Find out before you uninstall.",
                    ", ".join(under_way.mapped("name")),
                )
            )

    def _waits_to_be_sent(self):
        # invariant: written-down-is-not-repeated
        return self.batch_state == "sending" and not self._live_submission()

    def _next_attempt(self):
        return len(self.submission_ids) + 1

    def _why_not_on_these_settings(self):
        """Which of the gateway's settings are no longer those that were approved; False when all are, and
        there still is a payment system behind them."""
        if self.gateway_id.sudo().gone_confirmed_by_id:
            return _(
                "Nothing is sent: two people decided that the payment system of %s is gone for good. Have "
                "the batch taken back and cancelled, and prepare its payments for another gateway.",
                self.gateway_id.name,
            )
        changed = self.gateway_id.sudo()._changed_since(self.approved_settings or {})
        if not changed:
            return False
        return _(
            "Nothing is sent: settings of the gateway changed since the approval: %s. Put them back, or "
            "reject the batch and have it approved again.",
            ", ".join(changed),
        )

    def _why_not_as_approved(self):
        """What changed since the approval and forbids sending; False when nothing did. An entitlement that
        has expired meanwhile was approved in time."""
        changed = self._why_not_on_these_settings()
        if changed:
            return changed
        if not self._is_as_approved():
            return _("Nothing was sent: the batch differs from what was approved.")
        # invariant: cycle-still-pays
        if not self._cycle_may_pay():
            return _("Nothing was sent: the cycle is no longer approved. Take the batch back and cancel it.")
        stopped = self.cycle_id._why_program_stopped()
        if stopped:
            return _("Nothing was sent: %s Take the batch back and cancel it.", stopped)
        return self._why_not_each()

    def _why_not_each(self):
        """Return why one of the payments is not to be paid any more, as it was approved; else False."""
        payable = ("approved", "expired")
        stops = self.sudo().payment_ids._stops()
        others = self.payment_ids._others_that_may_pay()
        for payment in self.sudo().payment_ids:
            settled = payment.attention or payment.status or payment.status_is_final
            doubtful = payment if settled else others.get(payment.entitlement_id, payment.browse())[:1]
            if doubtful:
                return _(
                    "Nothing was sent: for %(payment)s, the payment %(other)s of the same entitlement may "
                    "have been paid already. Find out, then send or reject this batch.",
                    payment=payment.name,
                    other=doubtful.name,
                )
            if payment.entitlement_id.state not in payable:
                return _(
                    "Nothing was sent: the entitlement of %s is no longer approved. Reject the batch.",
                    payment.name,
                )
            if not payment._is_still_due():
                return _(
                    "Nothing was sent: the amount of the entitlement of %s has changed since. Reject the "
                    "batch.",
                    payment.name,
                )
            if payment.partner_id != payment.entitlement_id.partner_id:
                return _(
                    "Nothing was sent: the beneficiary of the entitlement of %s has changed since. Reject "
                    "the batch.",
                    payment.name,
                )
            if payment in stops:
                return _(
                    "Nothing was sent, because of %(payment)s: %(why)s Reject the batch.",
                    payment=payment.name,
                    why=stops[payment],
                )
        return False

    def _is_as_approved(self):
        frozen = self.sudo().frozen_content or ""
        try:
            now = self._render()
        except ValueError:
            return False  # what was changed cannot even be written into a file
        # invariant: approved-is-sent
        return bool(frozen) and frozen == now and digest(frozen) == self.frozen_digest

    def _look_before_sending(self):
        """Only reads. A worker that dies meanwhile has begun nothing."""
        look = Look(attempt=self._next_attempt())
        if not self._waits_to_be_sent() or self._why_not_as_approved():
            return look  # `_begin_sending` says so
        try:
            # invariant: asked-before-sending
            receipt, arrived = self._find_at_payment_system()
            why_not = self._why_not_beside(arrived) if arrived else ""
            return look._replace(receipt=receipt, arrived=tuple(arrived), why_not=why_not)
        except (GatewayError, UserError) as error:
            why = self.gateway_id._explain(error) if isinstance(error, GatewayError) else str(error)
            return look._replace(
                why_not=_(
                    "Nothing was sent: the payment system could not say whether it has this batch already. "
                    "%s",
                    why,
                )
            )
        except (OperationalError, RetryableJobError):
            raise  # asked again by queue_job
        except Exception as error:  # pylint: disable=broad-except  # or the batch would stay "sending"
            _logger.exception("batch %s: looking for it ended in an error", self.id)
            return look._replace(
                why_not=_("Nothing was sent, because of an error of this server: %s", type(error).__name__)
            )

    def _transmit(self, submission):
        """Sends; (method of the submission, its arguments) that writes down what came of it."""
        gateway = self.gateway_id
        if not submission._has_time_to_send():
            return "_close", ("not_sent", _("Nothing was sent: this worker was held up for too long."))
        changed = self._why_not_on_these_settings()
        if changed:
            return "_close", ("not_sent", changed)
        try:
            return "_accept", (gateway._submit_or_say_why(submission),)
        except NotSent as error:
            return "_close", ("not_sent", gateway._explain(error))
        except Refused as error:
            return "_close", ("refused", gateway._explain(error))
        except OutcomeUnknown as error:
            # invariant: unknown-stays-unknown
            return "_close", ("unknown", gateway._explain(error))
        except Exception as error:  # pylint: disable=broad-except  # whatever it is, the file may have left
            _logger.exception("batch %s: sending ended in an error", self.id)
            why = _("An error of this server (%s) came while the file was leaving.", type(error).__name__)
            return "_close", ("unknown", why)

    def _live_submission(self):
        return self.sudo().submission_ids.filtered(
            lambda one: one.state in ("in_flight", "unknown", "accepted")
        )

    def _accepted_submission(self):
        """The attempt that the payment system took; PostgreSQL allows one."""
        return self.submission_ids.filtered(lambda one: one.state == "accepted")

    def _mark_sent(self, receipt):
        self._advance(
            "sent",
            _("The payment system has accepted the batch as %s.", receipt.reference),
            external_batch_ref=receipt.reference,
            batch_has_started=True,
        )
        # One that people decided while nobody knew keeps its result.
        self.payment_ids.filtered(lambda payment: not payment.status).sudo().write({"state": "sent"})
        self._refresh_statistics()
