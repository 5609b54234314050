import contextlib
from datetime import timedelta
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..client.errors import NotSent, OutcomeUnknown, Reason, Refused
from ..client.payment_hub import _FILENAME
from .common import PaymentHubCase

QUIET = mute_logger("odoo.addons.g2p_payment_hub.models.payment_batch_sending")


class SendCase(PaymentHubCase):
    def _press(self, batch):
        """Finance presses Send; the job waits in the queue."""
        return batch.with_user(self.finance_user).send_payment()

    def _nothing_sends_again(self, batch):
        """Neither the button nor a job nor a clock."""
        uploads, state = self.hub.uploads, batch.batch_state
        self._send(batch)
        for job in self._jobs(batch):
            self._run(job)
        batch.with_user(self.finance_user)._send()
        self.env["g2p.payment.submission"]._cron_look_up()
        self.env["g2p.payment.batch"].with_context(queue_job__no_delay=True)._cron_queue_forgotten()
        self.assertEqual((self.hub.uploads, batch.batch_state), (uploads, state))


@tagged("post_install", "-at_install")
class TestSend(SendCase):
    def test_accepted(self):
        batch = self._sent(2)
        submission = batch.submission_ids
        self.assertEqual((batch.batch_state, submission.state), ("sent", "accepted"))
        self.assertEqual((batch.external_batch_ref, submission.remote_reference), ("remote-1", "remote-1"))
        self.assertEqual((batch.sent_by_id, batch.batch_has_started), (self.finance_user, True))
        self.assertEqual(set(batch.payment_ids.mapped("state")), {"sent"})
        self.assertFalse(any(batch.payment_ids.mapped("status")), "accepted is not paid")
        self.assertEqual((batch.stats_sent_transactions, batch.stats_sent_amount), (2, 200))
        self.assertEqual((batch.stats_paid_transactions, batch.amount_paid_total), (0, 0))
        self.assertEqual((submission.attempt, submission.poll_after), (1, 30))
        self.assertFalse(submission.lease_until)
        self._nothing_sends_again(batch)

    def test_what_travels_is_what_is_written_down(self):
        batch = self._sent()
        sent, submission = self.hub.received[0], batch.submission_ids
        self.assertEqual((sent.filename, sent.correlation_id), (submission.filename, submission.key))
        self.assertEqual((sent.content, sent.digest), (batch.frozen_content, submission.digest))
        self.assertRegex(submission.filename, r"\APB-\d+-\d+-[0-9a-f]{12}\.csv\Z")

    def test_its_file_has_a_plain_name_whatever_batches_are_called(self):
        self.env.ref("g2p_payment_hub.sequence_payment_batch").prefix = "Löhne & Co/%(year)s/" + "x" * 200
        batch = self._approved()
        self._send(batch)
        self.assertIn("Löhne", batch.name)
        self.assertTrue(_FILENAME.fullmatch(batch.submission_ids.filename))

    def test_written_down_before_anything_leaves(self):
        batch = self._approved()
        seen = []

        def submit(_hub, _batch_file):
            seen.extend(batch.submission_ids.mapped(lambda one: (one.state, one.digest)))
            raise OutcomeUnknown(Reason.TIMEOUT)

        with patch.object(type(self.hub), "submit", submit):
            self._send(batch)
        self.assertEqual(seen, [("in_flight", batch.frozen_digest)])

    def test_not_sent_may_be_sent_again_as_another_attempt(self):
        batch = self._approved()
        self.hub.reply = NotSent(Reason.UNREACHABLE, "connection refused")
        self._send(batch)
        first = batch.submission_ids
        self.assertEqual((batch.batch_state, first.state), ("approved", "not_sent"))
        self.assertIn("cannot be reached", first.answer)
        self.assertFalse(batch.batch_has_started)
        self.assertEqual(batch.payment_ids.state, "issued")

        self.hub.reply = None
        self._send(batch)
        second = batch.submission_ids - first
        self.assertEqual((batch.batch_state, second.state, second.attempt), ("sent", "accepted", 2))
        self.assertNotEqual(second.key, first.key)
        self.assertNotEqual(second.filename, first.filename)
        self.assertEqual(second.digest, first.digest)
        self.assertEqual(self.hub.uploads, 2)
        self.assertEqual(len(self.hub.received), 1)

    def test_refused_is_corrected_and_approved_again(self):
        batch = self._approved()
        self.hub.reply = Refused(Reason.SIGNATURE, "HTTP 400 InvalidJsonWebSignature")
        self._send(batch)
        self.assertEqual((batch.batch_state, batch.submission_ids.state), ("refused", "refused"))
        self.assertIn("refuses the signature", batch.last_answer)
        self._nothing_sends_again(batch)

        self.hub.reply = None
        batch.with_user(self.manager_user).action_back_to_draft()
        batch.with_user(self.manager_user).action_request_approval()
        self._approve(batch)
        self._send(batch)
        self.assertEqual(batch.batch_state, "sent")
        self.assertEqual(sorted(batch.submission_ids.mapped("attempt")), [1, 2])

    def test_refused_batch_can_be_cancelled(self):
        batch = self._approved()
        self.hub.reply = Refused(Reason.FILE)
        self._send(batch)
        batch.with_user(self.manager_user).action_cancel()
        self.assertEqual(self._prepare().payment_ids.entitlement_id, batch.payment_ids.entitlement_id)

    def test_unknown_is_never_sent_again(self):
        batch = self._approved()
        self.hub.lose_reply = OutcomeUnknown(Reason.TIMEOUT)
        self._send(batch)
        self.assertEqual((batch.batch_state, batch.submission_ids.state), ("unknown", "unknown"))
        self.assertIn("did not answer in time", batch.unknown_reason)
        self.assertEqual(len(self.hub.received), 1, "it had arrived")
        self.assertEqual(batch.payment_ids.state, "issued")
        self._nothing_sends_again(batch)
        self.assertFalse(self._prepare(), "its entitlements are not prepared a second time")

    def test_unknown_calls_the_approver(self):
        batch = self._approved()
        self.hub.lose_reply = OutcomeUnknown(Reason.CONNECTION_LOST)
        sender = self._user("finance2", "g2p_programs.g2p_finance_validator")
        self._send(batch, sender)
        activity = batch.activity_ids
        self.assertEqual((len(activity), activity.user_id), (1, self.finance_user))
        self.assertIn(batch.name, activity.summary)
        self.assertIn(batch.submission_ids.filename, activity.note)

    @QUIET
    def test_any_unexpected_error_is_unknown(self):
        for error in (KeyError("x"), ValueError("x"), UserError("x"), OSError("x")):
            with self.subTest(type(error).__name__), self.env.cr.savepoint() as savepoint:
                batch = self._approved()
                self.hub.lose_reply = error
                self._send(batch)
                self.assertEqual((batch.batch_state, batch.submission_ids.state), ("unknown", "unknown"))
                self.assertTrue(batch.unknown_reason)
                self._nothing_sends_again(batch)
                savepoint.rollback()

    def test_a_worker_that_dies_while_sending(self):
        batch = self._approved()
        self._press(batch)
        self.hub.lose_reply = SystemExit()
        with contextlib.suppress(SystemExit):  # Odoo's assertRaises would undo what was written down
            self._run(self._jobs(batch))
        self.assertEqual(len(self.hub.received), 1)
        self.hub.lose_reply = None
        submission = batch.submission_ids
        self.assertEqual((batch.batch_state, submission.state), ("sending", "in_flight"))
        self._nothing_sends_again(batch)

        self._sql(
            "UPDATE g2p_payment_submission SET lease_until = %s WHERE id = %s",
            fields.Datetime.now() - timedelta(seconds=1),
            submission.id,
        )
        self.env["g2p.payment.submission"]._cron_look_up()
        self.assertEqual((batch.batch_state, submission.state), ("unknown", "unknown"))
        self.assertIn("died", batch.unknown_reason)
        self.assertEqual(batch.activity_ids.user_id, self.finance_user)
        self._nothing_sends_again(batch)
        self.assertEqual(self.hub.uploads, 1)

    def test_the_clock_that_finds_dead_workers_is_wound_up(self):
        cron = self.env.ref("g2p_payment_hub.cron_look_up")
        batch = self._approved()
        self._press(batch)
        submission, _answer = batch.sudo()._begin_sending(batch._look_before_sending())
        submission.lease_until = fields.Datetime.now() - timedelta(seconds=1)
        cron.ir_actions_server_id.run()
        self.assertEqual(batch.batch_state, "unknown")
        self.assertTrue(cron.active)

    def test_a_worker_that_died_before_the_clock_was_set_back(self):
        batch = self._approved()
        self._press(batch)
        submission, _answer = batch.sudo()._begin_sending(batch._look_before_sending())
        submission.lease_until = fields.Datetime.now() + timedelta(days=365)
        self.env["g2p.payment.submission"]._cron_look_up()
        self.assertEqual(batch.batch_state, "unknown")

    def test_an_answer_that_comes_after_all(self):
        """The clock was quicker than a slow answer: what is known now counts."""
        batch = self._approved()

        def submit(hub, _batch_file):
            batch.submission_ids.sudo().lease_until = fields.Datetime.now() - timedelta(seconds=1)
            self.env["g2p.payment.submission"]._cron_look_up()
            self.assertEqual(batch.batch_state, "unknown")
            return real_submit(hub, _batch_file)

        real_submit = type(self.hub).submit
        with patch.object(type(self.hub), "submit", submit):
            self._send(batch)
        self.assertEqual((batch.batch_state, batch.submission_ids.state), ("sent", "accepted"))

    def test_a_cancelled_entitlement_is_not_sent(self):
        batch = self._approved()
        batch.payment_ids.entitlement_id.state = "cancelled"
        self._send(batch)
        self.assertEqual((batch.batch_state, self.hub.uploads), ("approved", 0))
        self.assertIn("no longer approved", batch.check_result)

    def test_an_entitlement_of_another_amount_is_not_sent(self):
        batch = self._approved()
        batch.payment_ids.entitlement_id.with_user(self.manager_user).initial_amount = 10
        self._send(batch)
        self.assertEqual((batch.batch_state, self.hub.uploads), ("approved", 0))
        self.assertIn("amount of the entitlement", batch.check_result)

    def test_an_entitlement_of_another_beneficiary_is_not_sent(self):
        batch = self._approved()
        payment = batch.payment_ids
        payment.entitlement_id.with_user(self.manager_user).partner_id = payment.partner_id.copy()
        self._send(batch)
        self.assertEqual((batch.batch_state, self.hub.uploads), ("approved", 0))
        self.assertIn("beneficiary of the entitlement", batch.check_result)

    def test_what_was_sent_names_whom_it_was_prepared_for(self):
        batch = self._sent()
        payment = batch.payment_ids
        before = payment.partner_id
        payment.entitlement_id.with_user(self.manager_user).partner_id = before.copy()
        self.assertEqual(payment.partner_id, before)
        with self.assertRaises(AccessError):
            payment.with_user(self.manager_user).partner_id = payment.entitlement_id.partner_id
        other = self._payment_of_another_manager(self._entitle()[0])
        other.entitlement_id.partner_id = before
        self.assertEqual(other.partner_id, before)

    def test_a_disabled_beneficiary_is_not_paid(self):
        batch = self._approved()
        batch.payment_ids.partner_id.disabled = "2026-01-01 00:00:00"
        self._send(batch)
        self.assertEqual((batch.batch_state, self.hub.uploads), ("approved", 0))
        self.assertIn("is disabled", batch.check_result)

    def test_nothing_is_sent_for_the_first_time_once_the_cycle_is_distributed(self):
        batch = self._approved()
        self._sql("UPDATE g2p_cycle SET state = 'distributed' WHERE id = %s", self.cycle.id)
        self._send(batch)
        self.assertEqual((batch.batch_state, self.hub.uploads), ("approved", 0))
        self.assertIn("cycle is no longer approved", batch.check_result)

    def test_a_batch_of_a_cancelled_cycle_is_not_sent(self):
        """OpenG2P cancels cycles with their program, and leaves their entitlements approved."""
        batch = self._approved()
        self.cycle.state = "cancelled"
        self._send(batch)
        self.assertEqual((batch.batch_state, self.hub.uploads), ("approved", 0))
        self.assertIn("cycle is no longer approved", batch.check_result)
        batch.with_user(self.manager_user).action_back_to_draft()
        batch.with_user(self.manager_user).action_cancel()

    def test_an_entitlement_that_expired_meanwhile_is_sent(self):
        batch = self._approved()
        batch.payment_ids.entitlement_id.state = "expired"
        self._send(batch)
        self.assertEqual((batch.batch_state, self.hub.uploads), ("sent", 1))

    def test_job_run_twice_uploads_once(self):
        batch = self._approved()
        self._press(batch)
        job = self._jobs(batch)
        self._run(job)
        self._run(job)
        self.assertEqual(self.hub.uploads, 1)

    def test_one_job_however_often_pressed(self):
        batch = self._approved()
        self._press(batch)
        for _press in range(2):
            said = self._message(self._press(batch))
            self.assertIn("Nothing was sent", said)
            self.assertIn("Sending: 1.", said)
        self.env["g2p.payment.batch"]._cron_queue_forgotten()
        job = self._jobs(batch)
        self.assertEqual(len(job), 1)
        self.assertEqual((job.channel, job.user_id), ("root.g2p_payment_send", self.finance_user))
        self.assertEqual(self.hub.uploads, 0)

    def test_a_job_for_each_batch(self):
        self.manager.batch_size = 1
        batches = self._approved(3)
        self.assertEqual(self._message(self._press(batches)), "Batches being sent: 3.")
        for batch in batches:
            self._run(self._jobs(batch))
        self.assertEqual(set(batches.mapped("batch_state")), {"sent"})
        self.assertEqual(len(self.hub.received), 3)

    def test_a_batch_whose_job_somebody_deleted(self):
        batch = self._approved()
        self._press(batch)
        self._jobs(batch).sudo().unlink()
        self.env["g2p.payment.batch"]._cron_queue_forgotten()
        job = self._jobs(batch)
        self.assertEqual(job.user_id, self.finance_user)
        self._run(job)
        self.assertEqual((batch.batch_state, self.hub.uploads), ("sent", 1))

    def test_archived_gateway_sends_nothing(self):
        batch = self._approved()
        self.gateway.active = False
        self._send(batch)
        self.assertEqual((batch.batch_state, self.hub.uploads), ("approved", 0))

    def test_disabled_gateway_sends_nothing(self):
        batch = self._approved()
        self.gateway.state = "disabled"
        self._send(batch)
        self.assertEqual((batch.batch_state, batch.submission_ids.state), ("approved", "not_sent"))
        self.assertIn("is disabled", batch.submission_ids.answer)
        self.assertEqual(self.hub.uploads, 0)

    def test_settings_that_cannot_be_used_send_nothing(self):
        batch = self._approved()
        broken = patch.object(
            type(self.gateway), "_client", side_effect=UserError("The settings cannot be used.")
        )
        with broken:
            self._send(batch)
        self.assertEqual((batch.batch_state, batch.submission_ids.state), ("approved", "not_sent"))
        self.assertIn("The settings cannot be used.", batch.submission_ids.answer)

    @QUIET
    def test_an_error_of_ours_while_the_payment_system_is_asked(self):
        """Or the batch would stay on its way for ever, and its job would fail again and again."""
        batch = self._approved()
        self.hub.hidden = KeyError("x")
        self._send(batch)
        self.assertEqual((batch.batch_state, self.hub.uploads), ("approved", 0))
        self.assertIn("error of this server: KeyError", batch.last_answer)

    @QUIET
    def test_an_error_of_ours_before_anything_left(self):
        batch = self._approved()
        broken = patch.object(type(self.env["g2p.payment.submission"]), "_open", side_effect=KeyError("x"))
        with broken:
            self._send(batch)
        self.assertEqual((batch.batch_state, self.hub.uploads), ("approved", 0))
        self._send(batch)
        self.assertEqual((batch.batch_state, self.hub.uploads), ("sent", 1))

    def test_a_batch_not_approved_is_not_sent(self):
        batch = self._prepared()
        said = self._message(self._press(batch))
        self.assertIn("Nothing was sent: no batch is approved and waiting.", said)
        self.assertIn("To Approve: 1.", said)
        self.assertFalse(self._jobs(batch))

    @mute_logger("odoo.sql_db")
    def test_database_refuses_a_second_live_submission(self):
        batch = self._sent()
        for state in ("in_flight", "unknown", "accepted"):
            with self.subTest(state), self.assertRaises(IntegrityError), self.env.cr.savepoint():
                self._sql("UPDATE g2p_payment_submission SET state = %s WHERE batch_id = %s", state, batch.id)
                batch.submission_ids.sudo().copy({"key": "other", "filename": "other.csv", "attempt": 2})
                self.env.flush_all()

    @mute_logger("odoo.sql_db")
    def test_database_refuses_a_key_twice(self):
        batch = self._sent()
        self._sql("UPDATE g2p_payment_submission SET state = 'not_sent' WHERE batch_id = %s", batch.id)
        for same, other in (("key", "filename"), ("filename", "key")):
            with self.subTest(same), self.assertRaises(IntegrityError), self.env.cr.savepoint():
                batch.submission_ids.sudo().copy({same: batch.submission_ids[same], other: "other"})
                self.env.flush_all()


@tagged("post_install", "-at_install")
class TestSendButtons(SendCase):
    """OpenG2P's buttons, on a cycle, on a batch, and with other payment managers beside ours."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin_user = cls._user("admin", "g2p_registry_base.group_g2p_admin")

    def _default_manager(self):
        """The program's manager becomes OpenG2P's default one, which must not get hold of our batches."""
        default = self.env["g2p.program.payment.manager.default"].create(
            {"name": "Default", "program_id": self.program.id}
        )
        wrapper = self.env["g2p.program.payment.manager"].create(
            {"program_id": self.program.id, "manager_ref_id": f"{default._name},{default.id}"}
        )
        self.program.payment_managers = [Command.set(wrapper.ids)]
        return default

    def test_cycle_with_batches_in_all_states(self):
        self.manager.batch_size = 1
        states = dict(self.env["g2p.payment.batch"]._fields["batch_state"]._description_selection(self.env))
        batches = self._prepared(len(states) + 1)
        self._approve(batches[:2])
        rest = [state for state in states if state != "approved"]
        for batch, state in zip(batches[2:], rest, strict=True):
            batch.sudo().batch_state = state
        action = self.cycle.with_user(self.admin_user).send_payment()
        said = self._message(action)
        self.assertTrue(said.startswith("Batches being sent: 2."), said)
        for state in rest:
            self.assertIn(f"{states[state]}: 1.", said)
        self.assertNotIn("Approved:", said)
        self.assertEqual([len(self._jobs(batch)) for batch in batches], [1, 1, *[0] * len(rest)])

    def test_cycle_without_batches(self):
        action = self.cycle.with_user(self.admin_user).send_payment()
        self.assertEqual(self._message(action), "There is no batch to send. Prepare payments first.")

    def test_another_payment_manager_does_not_get_our_batches_from_the_cycle(self):
        batch = self._approved()
        self._default_manager()
        with self.assertRaisesRegex(UserError, "payment manager is now another one"):
            self.cycle.with_user(self.admin_user).send_payment()
        self.assertFalse(self._jobs(batch))

    def test_another_payment_manager_does_not_get_our_batches_one_by_one(self):
        batch = self._approved()
        default = self._default_manager()
        taken = patch.object(type(default), "send_payments", side_effect=AssertionError("got hold of it"))
        with taken:
            self._send(batch)
        self.assertEqual((batch.batch_state, len(self.hub.received)), ("sent", 1))

    def test_batches_of_other_managers_go_their_own_way(self):
        ours = self._approved()
        default = self._default_manager()
        theirs = self.env["g2p.payment.batch"].create({"name": "theirs", "cycle_id": self.cycle.id})
        with patch.object(type(default), "send_payments", autospec=True) as send_payments:
            (ours + theirs).with_user(self.admin_user).send_payment()
        self.assertEqual(send_payments.call_args.args[1], theirs)
        self.assertEqual(len(self._jobs(ours)), 1)

    def test_a_single_payment_is_not_sent_without_its_batch(self):
        payment = self._approved().payment_ids
        with self.assertRaisesRegex(UserError, "sent with its batch"):
            payment.with_user(self.finance_user).send_payment()
