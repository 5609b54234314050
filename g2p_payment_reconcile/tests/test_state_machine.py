"""Whatever people, clocks, the network and dying workers do, in any order: nobody is paid twice, nothing is
lost, and what we say is what the payment system's ledger says.

G2P_EXAMPLES is the number of stories to try; without it a few that are always the same.
"""

import os
import random
from collections import Counter
from contextlib import contextmanager, nullcontext, suppress
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.g2p_payment_hub.client import csv_file
from odoo.addons.g2p_payment_hub.client.calls import Call
from odoo.addons.g2p_payment_hub.client.errors import NotSent, OutcomeUnknown, Reason, Refused
from odoo.addons.g2p_payment_hub.client.outcomes import Outcome, OutcomeStatus, Receipt
from odoo.addons.g2p_payment_hub.tests.common import PaymentHubCase
from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.tests.common import trap_jobs

GIVEN = os.environ.get("G2P_EXAMPLES")
LOGGERS = ("odoo.addons.g2p_payment_hub.models.payment_batch_sending", "odoo.sql_db")


class Killed(BaseException):
    """The worker dies here; nobody catches it."""


class Hub:
    """A payment system with a ledger. What it accepts it shows after a while, and pays or fails; what it says
    can be late, broken off, repeated and in any order, but is true.

    `fault` is what becomes of the next upload. `fates`: reference to a list with None (not decided), "paid"
    or "failed" for each time that it came. `forgotten`: the files that came in a time which a restored backup
    undid on our side.
    """

    def __init__(self):
        self.accepted, self.shown, self.fates, self.money = {}, {}, {}, {}
        self.forgotten = set()
        self.fault, self.breaks_off = "", False

    def catch_up(self):
        self.shown = dict(self.accepted)

    def forgotten_references(self):
        return {
            row.reference
            for reference, file in self.accepted.items()
            if reference in self.forgotten
            for row in csv_file.parse(file.content)
        }

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        pass

    def submit(self, file):
        fault, self.fault = self.fault, ""
        before = {
            "unreachable": NotSent(Reason.UNREACHABLE),
            "refuses": Refused(Reason.FILE),
            "lost before": OutcomeUnknown(Reason.CONNECTION_LOST),
            "killed before": Killed(),
        }
        after = {"lost after": OutcomeUnknown(Reason.TIMEOUT), "killed after": Killed()}
        if fault in before:
            raise before[fault]
        reference = f"remote-{len(self.accepted) + 1}"
        self.accepted[reference] = file
        for row in csv_file.parse(file.content):
            # Paid again when it comes again, as the real one does.
            self.fates.setdefault(row.reference, []).append(None)
            self.money[row.reference] = (row.amount, row.currency)
        if fault in after:
            raise after[fault]
        return Receipt(reference=reference, poll_after=30)

    def find(self, file, references, since, others=()):
        for reference, one in self.shown.items():
            rows = {row.reference for row in csv_file.parse(one.content)}
            if one.filename == file.filename or rows & set(references):
                return Receipt(reference=reference)
        return None

    def outcomes(self, reference, references, ended=(), failed=()):
        told = []
        for row in csv_file.parse(self.accepted[reference].content):
            amount, currency = self.money[row.reference]
            for number, fate in enumerate(self.fates[row.reference]):
                told.append(
                    Outcome(
                        reference=row.reference,
                        status=OutcomeStatus(fate or "waiting"),
                        amount=amount,
                        currency=currency,
                        remote_reference=f"{row.reference}-{number}",
                        reason_code="PayeeNotFound" if fate == "failed" else "",
                    )
                )
        told = told + random.sample(told, len(told))
        yield told[: len(told) // 2]
        if self.breaks_off:
            raise OutcomeUnknown(Reason.SERVER_ERROR)
        yield told[len(told) // 2 :]


class Story(RuleBasedStateMachine):
    """One program, its people, and everything that can happen."""

    def __init__(self, case):
        super().__init__()
        self.case, self.env = case, case.env
        self.savepoint = self.env.cr.savepoint()
        self.hub = case.hub = Hub()
        self.kill_at = None  # commits from now on until the worker dies
        self.finals = {}
        self.phones = 0
        random.seed(0)

    def teardown(self):
        try:
            self.come_to_rest()
        finally:
            self.savepoint.rollback()
            self.savepoint.close(rollback=False)

    @initialize(data=st.data())
    def begin(self, data):
        self._entitle(100)
        self.prepare(data)
        self._as(self.case.finance_user, self._batches("to_approve"), "action_approve")

    @rule(data=st.data())
    def step(self, data):
        """One rule, because Hypothesis leaves some of several out of each story."""
        possible = [action for action, states in self.ACTIONS if not states or self._batches(*states)]
        getattr(self, data.draw(st.sampled_from(possible), label="next"))(data)

    # Each with the states of which a batch has to be in one. What stands first, and more than once, comes
    # more often.
    ACTIONS = (
        ("send", ("approved",)),
        ("send", ("approved",)),
        ("send", ("approved",)),
        ("approve", ("to_approve",)),
        ("approve", ("to_approve",)),
        ("a_backup_is_restored", ("approved",)),
        ("two_people_declare_it_missing", ("unknown",)),
        ("poll", ("sent",)),
        ("decide", ("sent", "unknown")),
        ("an_hour_passes", ("sending", "unknown", "sent")),
        ("jobs_run_again", ("sending", "sent", "unknown", "approved", "refused", "done")),
        ("callback", ("sending", "unknown", "sent", "done")),
        ("edit", ("to_approve", "approved", "rejected", "refused")),
        ("cancel", ("draft", "to_approve", "rejected", "refused", "approved", "unknown", "sent")),
        ("reject", ("to_approve", "approved")),
        ("prepare", ()),
    )

    # What people do

    def prepare(self, data):
        """With some who are newly entitled, or none."""
        for _number in range(data.draw(st.integers(0, 2), label="new entitlements")):
            self._entitle(50 * data.draw(st.integers(1, 3), label="times 50"))
        self.case._prepare()

    def _entitle(self, amount):
        self.phones += 1
        self.case._entitle(1, amount=amount, phone=f"+27713{self.phones:06d}")

    def _states_of(self, wanted):
        return next(states for action, states in self.ACTIONS if action == wanted)

    def _choose(self, data, *states):
        return data.draw(st.sampled_from(self._batches(*states)))

    def _batches(self, *states):
        domain = [("cycle_id", "=", self.case.cycle.id), ("batch_state", "in", states)]
        return self.env["g2p.payment.batch"].search(domain, order="id")

    def _as(self, user, batch, method, *arguments):
        """Presses a button; people may be told no."""
        with suppress(UserError), self.env.cr.savepoint():
            getattr(batch.with_user(user), method)(*arguments)

    def edit(self, data):
        batch = self._choose(data, *self._states_of("edit"))
        self._as(self.case.manager_user, batch, "action_back_to_draft")
        if batch.batch_state == "draft":
            self.phones += 1
            number = batch.payment_ids[:1].partner_id.phone_number_ids
            number.write({"phone_no": f"+27713{self.phones:06d}"})
            self._as(self.case.manager_user, batch, "action_refresh_payees")

    def approve(self, data):
        self._as(self.case.finance_user, self._choose(data, "to_approve"), "action_approve")

    def reject(self, data):
        self._as(self.case.second_user, self._choose(data, "to_approve", "approved"), "_reject", "wrong list")

    def cancel(self, data):
        batch = self._choose(data, *self._states_of("cancel"))
        self._as(self.case.manager_user, batch, "action_cancel")

    # Workers

    FAULTS = ("lost after", "", "killed after", "lost before", "killed before", "refuses", "unreachable")

    def send(self, data):
        self._as(self.case.finance_user, self._choose(data, "approved"), "send_payment")
        self.hub.fault = data.draw(st.sampled_from(self.FAULTS), label="fault")
        self.jobs_run_again(data)
        self.hub.fault = ""

    def a_backup_is_restored(self, data):
        """It is from before the upload, which the payment system has."""
        batch, before = self._choose(data, "approved"), set(self.hub.accepted)
        with self.env.cr.savepoint() as backup:
            self._as(self.case.finance_user, batch, "send_payment")
            self._work()
            backup.rollback()
        self.env.invalidate_all()
        self.hub.catch_up()
        self.hub.forgotten |= set(self.hub.accepted) - before

    def jobs_run_again(self, data):
        """The queue's jobs run at least once."""
        self.kill_at = self._draw_kill(data)
        self._work()
        self.kill_at = None

    def _draw_kill(self, data):
        """Mostly never."""
        return data.draw(st.sampled_from([None] * 6 + [1, 2, 3, 4, 5, 6]), label="kill at")

    def _work(self):
        for batch in self._batches("sending", "sent", "unknown", "approved", "refused", "done"):
            if batch.sent_by_id:
                with self._worker():
                    batch.with_user(batch.sent_by_id)._send()

    @contextmanager
    def _worker(self):
        """Dies, or finds another at work and comes back later."""
        try:
            yield
        except (Killed, RetryableJobError):
            self.env.invalidate_all()

    def checkpoint(self):
        if self.kill_at is None:
            return
        self.kill_at -= 1
        if self.kill_at == 0:
            self.kill_at = None
            raise Killed

    @contextmanager
    def own_transaction(self, batch):
        """As in production, with a savepoint for a transaction."""
        with self.env.cr.savepoint():
            yield batch
            self.env.flush_all()
            self.checkpoint()
        self.checkpoint()

    # Time

    def an_hour_passes(self, data):
        """The hub shows what it has, sooner or later; leases end; what is due is done."""
        if data.draw(st.booleans(), label="hub catches up"):
            self.hub.catch_up()
        self._an_hour_passes()

    def _an_hour_passes(self):
        self.case._sql(
            "UPDATE g2p_payment_submission SET started_at = started_at - interval '1 hour',"
            " lease_until = lease_until - interval '1 hour',"
            " next_look_up_at = next_look_up_at - interval '1 hour',"
            " next_poll_at = next_poll_at - interval '1 hour',"
            " polling_until = polling_until - interval '1 hour'"
        )
        self._scheduled("g2p_payment_hub.cron_look_up")

    def _scheduled(self, name):
        """A scheduled action and its jobs; what a job was doing is undone when its worker dies."""
        with trap_jobs() as jobs:
            self.env.ref(name).ir_actions_server_id.run()
            with self._worker(), self._transaction_of_the_job(name):
                jobs.perform_enqueued_jobs()
                self.checkpoint()

    def _transaction_of_the_job(self, name):
        """Pulls write in transactions of their own."""
        return nullcontext() if "pull" in name else self.env.cr.savepoint()

    def two_people_declare_it_missing(self, data):
        """They have asked the operator, who sees everything."""
        self._declare(self._choose(data, "unknown"))

    def _declare(self, batch):
        self.hub.catch_up()
        self._an_hour_passes()
        submission = batch.submission_ids.filtered(lambda one: one.state == "unknown")
        if submission:
            self._as(self.case.finance_user, submission, "_declare", "no such file")
            self._as(self.case.second_user, submission, "action_confirm_not_received")

    # The payment system

    def decide(self, data):
        for fates in self.hub.fates.values():
            fate = data.draw(st.sampled_from([None, "paid", "failed"]), label="fate")
            fates[:] = [one or fate for one in fates]

    def poll(self, data):
        self.hub.breaks_off, self.kill_at = (
            data.draw(st.booleans(), label="breaks off"),
            self._draw_kill(data),
        )
        self._poll()
        self.hub.breaks_off, self.kill_at = False, None

    def _poll(self):
        self.case._sql("UPDATE g2p_payment_submission SET next_poll_at = now() - interval '1 minute'")
        self._scheduled("g2p_payment_reconcile.cron_pull_outcomes")

    def callback(self, data):
        forged = data.draw(st.booleans(), label="forged")
        for submission in self._choose(data, *self._states_of("callback")).submission_ids:
            key, token = submission._callback_url().split("/")[-2:]
            call = Call("POST", "", {}, b"")
            submission._hear_of_news(key, "0" * 64 if forged else token, call)

    # What has to be true at every moment

    def _payments(self):
        self.env.invalidate_all()
        return self.env["g2p.payment"].search([("cycle_id", "=", self.case.cycle.id)])

    @invariant()
    def nobody_is_paid_twice(self):
        live = Counter()
        for payment in self._payments():
            live[payment.entitlement_id] += sum(
                one != "failed" for one in self.hub.fates.get(payment.name, ())
            )
        assert not any(count > 1 for count in live.values()), live

    @invariant()
    def what_we_say_is_what_the_ledger_says(self):
        forgotten = self.hub.forgotten_references()
        for payment in self._payments():
            fates = self.hub.fates.get(payment.name, [])
            if payment.status == "paid":
                assert fates == ["paid"] and payment._amount() == self.hub.money[payment.name][0]
            if payment.status == "failed" and payment.name not in forgotten:
                assert set(fates) <= {"failed"}, (payment.name, fates, payment.failure_reason)

    @invariant()
    def final_never_moves(self):
        for payment in self._payments():
            if payment.status_is_final:
                assert self.finals.setdefault(payment.id, payment.status) == payment.status
            else:
                assert payment.id not in self.finals

    @invariant()
    def what_left_was_approved_by_another(self):
        for reference, file in self.hub.accepted.items():
            submission = self.env["g2p.payment.submission"].search([("filename", "=", file.filename)])
            if reference in self.hub.forgotten and not submission:
                continue
            batch = submission.batch_id
            assert submission.digest == file.digest
            if batch.batch_state in ("sent", "done", "unknown", "sending"):
                assert batch.frozen_digest == file.digest
                assert batch.approved_by_id and batch.approved_by_id not in batch.maker_ids

    @invariant()
    def the_record_is_whole(self):
        for batch in self._batches(*dict(self.env["g2p.payment.batch"]._fields["batch_state"].selection)):
            assert not self.env["g2p.payment.event"]._first_broken(batch)
            moves = batch.event_ids.filtered(lambda one: not one.payment_id and not one.submission_id)
            assert moves.sorted("number")[-1:].to_state in (False, batch.batch_state)
            paid = batch.payment_ids.filtered(lambda payment: payment.status == "paid")
            assert batch.stats_paid_transactions == len(paid)
            assert batch.stats_paid_amount == sum(paid.mapped("amount_paid"))

    # In the end

    def come_to_rest(self):
        """People and clocks go on until nothing moves any more: every attempt has ended, and everything that
        left has its result."""
        self.hub.fault, self.kill_at, self.hub.breaks_off = "", None, False
        for _turn in range(4):
            self._work()
            for batch in self._batches("unknown"):
                self._declare(batch)
            self.hub.catch_up()
            self._an_hour_passes()
        for fates in self.hub.fates.values():
            fates[:] = [one or "paid" for one in fates]
        self._poll()
        self.nobody_is_paid_twice()
        self.what_we_say_is_what_the_ledger_says()
        self.the_record_is_whole()
        assert not self._batches("sending", "unknown", "sent")
        ours = {payment.name for payment in self._payments() if payment.status == "paid"}
        theirs = {name for name, fates in self.hub.fates.items() if "paid" in fates}
        assert ours <= theirs and theirs - ours <= self.hub.forgotten_references()


@tagged("post_install", "-at_install")
class TestStateMachine(PaymentHubCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.second_user = cls._user("finance2", "g2p_programs.g2p_finance_validator")
        cls.gateway.callback_base_url = "https://payments.example"

    @mute_logger(*LOGGERS)
    def test_any_story(self):
        told = {}

        def story():
            told["story"] = Story(self)
            return told["story"]

        own = patch.object(
            type(self.env["g2p.payment.batch"]),
            "_own_transaction",
            lambda batch: told["story"].own_transaction(batch),
        )
        with own:
            run_state_machine_as_test(
                story,
                settings=settings(
                    max_examples=int(GIVEN or 40),
                    stateful_step_count=25,
                    derandomize=not GIVEN,
                    # Making a failing story shorter takes minutes.
                    phases=[Phase.generate, *([Phase.shrink] if GIVEN else [])],
                    deadline=None,
                    database=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
