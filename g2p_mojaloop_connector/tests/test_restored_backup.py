from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.g2p_payment_hub.client.errors import NotSent, Reason
from odoo.addons.g2p_payment_hub.client.outcomes import OutcomeStatus
from odoo.addons.queue_job.exception import RetryableJobError

from ..client.workers import Pace
from ..models import payment_gateway_connection, payment_gateway_hooks
from ..models.mojaloop_transfer import MAX_ATTEMPTS, attempt_ids
from .common import TIMEOUT
from .common_paying import FIRST, PayingCase


class RestoredCase(PayingCase):
    def _status(self, batch):
        return self._outcomes(batch)[batch.payment_ids.name].status


@tagged("post_install", "-at_install")
class TestSecondAttempt(RestoredCase):
    """Its first attempt was refused, and its second one paid."""

    def _paid_by_the_second(self):
        self.scheme.faults[FIRST, "transfer"] = "5001"
        batch = self._paid()
        self._expire(batch)
        self._pay(batch)
        first = self._transfers(batch)[0]
        self.scheme.states[first.transfer_id] = "ABORTED"
        self.scheme.faults.clear()
        self._pay(batch)
        self.assertEqual(self._transfers(batch).mapped("state"), ["failed", "committed"])
        return batch

    def _send_again(self, batch):
        self._send(batch)
        for _number in range(4):
            self._pay(batch)

    def test_from_before_it_was_sent(self):
        batch = self._paid_by_the_second()
        posts = len(self.scheme.posts)
        self._forget_sending(batch)
        self._send_again(batch)
        self.assertEqual(self._transfers(batch).mapped("state"), ["failed", "suspect"])
        self.assertEqual(self._status(batch), OutcomeStatus.SUSPECT)
        self.assertEqual((len(self.scheme.ledger), len(self.scheme.posts)), (1, posts))

    def test_from_before_it_was_quoted(self):
        """The scheme has quotes of ours that nobody remembers; the next turns have others."""
        self.scheme.faults[FIRST, "transfer"] = NotSent(Reason.UNREACHABLE)
        batch = self._paid(runs=2)
        self.scheme.faults.clear()
        self._forget_sending(batch)
        self._send_again(batch)
        self.assertFalse(batch.mojaloop_paused_reason)
        self.assertEqual(self._transfers(batch).state, "committed")
        self.assertEqual(self.scheme.paid(), [(FIRST, "100")])

    def test_from_while_the_first_was_under_way(self):
        batch = self._paid_by_the_second()
        posts = len(self.scheme.posts)
        first, second = self._transfers(batch)
        self._sql("DELETE FROM g2p_mojaloop_transfer WHERE id = %s", second.id)
        self._sql("UPDATE g2p_mojaloop_transfer SET state = 'unknown' WHERE id = %s", first.id)
        for _number in range(4):
            self._pay(batch)
        self.assertEqual(self._transfers(batch).mapped("state"), ["failed", "suspect"])
        self.assertEqual((len(self.scheme.ledger), len(self.scheme.posts)), (1, posts))

    def test_nor_is_its_entitlement_paid_again_when_it_was_given_up(self):
        """The scheme has kept nothing of the attempt that it refused."""
        batch = self._paid_by_the_second()
        first, second = self._transfers(batch).mapped("transfer_id")
        del self.scheme.states[first]
        self._forget_sending(batch)
        batch.with_user(self.finance_user)._reject("To be prepared anew.")
        batch.with_user(self.manager_user).action_cancel()
        again = self._prepare()
        self._approve(again)
        self._send(again)
        self.assertEqual(again.batch_state, "approved")
        self.assertIn(second, again.last_answer)
        self.assertEqual(list(self.scheme.ledger), [second])

    def test_it_does_not_fail_while_the_scheme_cannot_say_whether_there_was_another(self):
        batch = self._paid_by_the_second()
        second = self._transfers(batch)[1].transfer_id
        payee = self.scheme._payees.pop(second)
        self._forget_sending(batch)
        self.scheme.faults[None, "ask"] = TIMEOUT
        self._send_again(batch)
        self.assertEqual(self._status(batch), OutcomeStatus.WAITING)
        self.scheme.faults.clear()
        self.scheme._payees[second] = payee
        for _number in range(4):
            self._pay(batch)
        self.assertEqual(self._status(batch), OutcomeStatus.SUSPECT)
        self.assertEqual(len(self.scheme.ledger), 1)

    def test_the_scheme_names_the_reason_when_it_is_asked(self):
        batch = self._paid_by_the_second()
        second = self._transfers(batch)[1].transfer_id
        payee = self.scheme._payees.pop(second)
        self._forget_sending(batch)
        self.scheme.faults[FIRST, "ask"] = "5001"
        self._send_again(batch)
        self.scheme._payees[second] = payee
        self.assertEqual(self._status(batch), OutcomeStatus.SUSPECT)
        self.assertEqual(len(self.scheme.ledger), 1)
        self.assertEqual(list(self.scheme.ledger), [second])

    def test_what_was_refused_for_good_fails_and_nothing_is_sent(self):
        self.scheme.faults[FIRST, "state"] = "ABORTED"
        batch = self._paid()
        self.assertEqual(self._transfers(batch).state, "failed")
        self._forget_sending(batch)
        self.scheme.faults.clear()
        self._send_again(batch)
        self.assertEqual(self._transfers(batch).state, "failed")
        self.assertEqual(self._status(batch), OutcomeStatus.FAILED)
        self.assertEqual((len(self.scheme.posts), self.scheme.ledger), (1, {}))


class _Slow(Pace):
    """Lets three through in time, and the next when it is over."""

    def wait(self):
        self.passed = getattr(self, "passed", 0) + 1
        if self.passed > 3:
            self._sleep(1.1)


@tagged("post_install", "-at_install")
class TestManyGivenUp(RestoredCase):
    """Payments that were given up are asked for before others of their entitlements are sent."""

    def setUp(self):
        super().setUp()
        self._start(patch.object(payment_gateway_hooks, "ASK_SECONDS", 1))
        self._start(patch.object(payment_gateway_connection, "Pace", _Slow))

    def _given_up(self, count):
        """(batch that was cancelled, approved batch with payments of the same entitlements)."""
        batch = self._prepared(count)
        batch.with_user(self.manager_user).action_cancel()
        again = self._prepare()
        self._approve(again)
        again.with_user(self.finance_user).send_payment()
        return batch, again

    def _run_until_sent(self, batch, runs):
        for _number in range(runs):
            try:
                return self._run(self._jobs(batch))
            except RetryableJobError:
                self.assertEqual(batch.batch_state, "sending")
        self.fail("not sent")

    def _asked(self):
        return [path for method, path in self.scheme.requests if path.startswith("/transfers/")]

    def test_they_are_asked_for_in_parts(self):
        _cancelled, batch = self._given_up(8)
        self._run_until_sent(batch, 4)
        self.assertEqual(batch.batch_state, "sent", batch.last_answer)
        asked = self._asked()
        attempts = 8 * MAX_ATTEMPTS
        self.assertEqual((len(asked), len(set(asked))), (attempts, attempts), "each of them once")

    def test_one_that_the_scheme_knows_in_the_last_part(self):
        cancelled, batch = self._given_up(8)
        last, *_others = attempt_ids(cancelled.payment_ids.sorted("id")[-1].name)
        self.scheme.states[last] = "RESERVED"
        self._run_until_sent(batch, 4)
        self.assertEqual(batch.batch_state, "approved")
        self.assertIn(last, batch.last_answer)
        self.assertFalse(self._transfers(batch))

    def test_one_that_people_decided_hides_no_other(self):
        cancelled, batch = self._given_up(2)
        decided, other = cancelled.payment_ids.sorted("id")
        for payment in (decided, other):
            self.scheme.states[attempt_ids(payment.name)[0]] = "RESERVED"

        def in_doubt(payments, told):
            return payments.filtered(lambda payment: payment != decided and payment.name in told)

        with patch.object(type(decided), "_in_doubt", in_doubt):
            self._run_until_sent(batch, 4)
        self.assertEqual(batch.batch_state, "approved", "nobody is paid twice")
        self.assertIn(other.name, batch.last_answer)
        self.assertFalse(self._transfers(batch))

    def test_what_was_said_is_kept_when_the_next_cannot_be_told(self):
        _cancelled, batch = self._given_up(2)
        original = payment_gateway_hooks.paying.is_known
        asked = []

        def is_known(connector, transfer_ids):
            asked.append(transfer_ids)
            self.scheme.faults = {(None, "ask"): TIMEOUT} if len(asked) == 2 else {}
            return original(connector, transfer_ids)

        with patch.object(payment_gateway_hooks.paying, "is_known", is_known):
            self._run(self._jobs(batch))
            self.assertEqual(batch.batch_state, "approved")
            self.assertIn("could not say whether it has this batch", batch.last_answer)
            batch.with_user(self.finance_user).send_payment()
            self._run(self._jobs(batch)[-1])
        self.assertEqual(batch.batch_state, "sent", batch.last_answer)
        self.assertEqual(asked, [asked[0], asked[1], asked[1]])

    def test_what_was_said_long_ago_or_by_another_scheme_does_not_count(self):
        cancelled, batch = self._given_up(1)
        self._run(self._jobs(batch))
        payment = cancelled.payment_ids
        asked = len(self._asked())
        self.assertEqual(self._look(payment), asked)
        for when in ("now() - interval '25 hours'", "now() + interval '1 year'"):
            self._sql(f"UPDATE g2p_payment SET mojaloop_unknown_at = {when}")
            asked += MAX_ATTEMPTS
            self.assertEqual(self._look(payment), asked)
        self._sql("UPDATE g2p_mojaloop_transfer SET state = 'committed'")
        self.gateway.mojaloop_url = "https://other.example"
        self.assertEqual(self._look(payment), asked + MAX_ATTEMPTS)

    def _look(self, payment):
        """How many questions there were when it has been looked for once more."""
        submission = self.env["g2p.payment.submission"]._upcoming(payment.batch_id)
        self.assertFalse(self.gateway._find_submission(submission, payment.mapped("name")))
        return len(self._asked())
