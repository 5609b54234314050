import contextlib
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.queue_job.tests.common import trap_jobs

from ..client.errors import NotSent, OutcomeUnknown, Reason, Refused
from .common import LedgerHub, PaymentHubCase


class RecoveryCase(PaymentHubCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.second_user = cls._user("finance2", "g2p_programs.g2p_finance_validator")

    def _lost(self, arrived):
        """A batch whose upload ended without an answer."""
        error = OutcomeUnknown(Reason.TIMEOUT)
        self.hub.lose_reply, self.hub.reply = (error, None) if arrived else (None, error)
        batch = self._sent()
        self.hub.lose_reply = self.hub.reply = None
        self.assertEqual(batch.batch_state, "unknown")
        return batch

    def _look_up(self, batch):
        """The scheduled action, when a look-up is due."""
        batch.submission_ids.next_look_up_at = fields.Datetime.now() - timedelta(seconds=1)
        with trap_jobs() as jobs:
            self.env.ref("g2p_payment_hub.cron_look_up").ir_actions_server_id.run()
            jobs.assert_jobs_count(1)
            jobs.perform_enqueued_jobs()

    def _after_the_waiting_time(self, batch):
        batch.submission_ids.started_at -= timedelta(minutes=self.gateway.recovery_minutes + 1)
        self._look_up(batch)

    def _declare(self, submission, user, reason="The hub's operator found no trace."):
        wizard = self.env["g2p.payment.submission.declare.wizard"].with_user(user)
        wizard.create({"submission_id": submission.id, "reason": reason}).action_declare()

    def _declared_missing(self, arrived):
        batch = self._lost(arrived)
        self.hub.hidden = True
        self._after_the_waiting_time(batch)
        self._declare(batch.submission_ids, self.finance_user)
        batch.submission_ids.with_user(self.second_user).action_confirm_not_received()
        self.hub.hidden = False
        return batch

    def _prepared_for_another_gateway(self, batch):
        """The batch was declared missing, cannot be sent as it was, and is paid through another gateway now;
        (the new batch, that gateway's hub)."""
        self.gateway.phee_purpose = "Another purpose"
        return self._prepared_again(batch)

    def _prepared_again(self, batch):
        """Cancels it, and prepares its payments for another gateway; as `_prepared_for_another_gateway`."""
        batch.with_user(self.manager_user).action_back_to_draft()
        batch.with_user(self.manager_user).action_cancel()
        other, hubs = self._gateway(name="Other Hub"), {self.gateway: self.hub}
        hubs[other] = LedgerHub()
        self._start(patch.object(type(other), "_client", lambda gateway, *_batch: hubs[gateway]))
        self.manager.gateway_id = other
        again = self._prepare()
        self._approve(again)
        return again, hubs[other]


@tagged("post_install", "-at_install")
class TestRecovery(RecoveryCase):
    def test_what_arrived_is_adopted(self):
        batch = self._lost(arrived=True)
        self._look_up(batch)
        self.assertEqual((batch.batch_state, batch.external_batch_ref), ("sent", "remote-1"))
        self.assertEqual(batch.submission_ids.state, "accepted")
        self.assertEqual(batch.payment_ids.state, "sent")
        self.assertFalse(batch.activity_ids, "nobody is asked any more")
        self.assertEqual(self.hub.uploads, 1)

    def test_no_trace_changes_nothing_by_itself(self):
        batch = self._lost(arrived=False)
        self._after_the_waiting_time(batch)
        self.assertEqual(batch.batch_state, "unknown")
        self.assertIn("no trace", batch.submission_ids.look_up_answer)
        self.assertGreater(batch.submission_ids.next_look_up_at, fields.Datetime.now())
        self.assertEqual(self.hub.uploads, 1)

    @mute_logger("odoo.addons.g2p_payment_hub.models.payment_recovery")
    def test_an_error_of_ours_while_it_is_looked_up_is_said(self):
        batch = self._lost(arrived=False)
        self.hub.hidden = KeyError("x")
        self._after_the_waiting_time(batch)
        self.assertIn("error of this server: KeyError", batch.submission_ids.look_up_answer)
        self.assertFalse(batch.submission_ids.no_trace)

    def test_a_clock_that_is_set_back_stops_no_look_up(self):
        batch = self._lost(arrived=True)
        batch.submission_ids.next_look_up_at = fields.Datetime.now() + timedelta(days=365)
        with trap_jobs() as jobs:
            self.env.ref("g2p_payment_hub.cron_look_up").ir_actions_server_id.run()
            jobs.assert_jobs_count(1)

    def test_what_was_decided_while_it_was_unknown_keeps_its_result(self):
        batch = self._lost(arrived=True)
        self._result(batch.payment_ids, "paid", state="reconciled")
        self._look_up(batch)
        self.assertEqual((batch.batch_state, batch.payment_ids.state), ("sent", "reconciled"))

    def test_the_superuser_declares_nothing(self):
        batch = self._lost(arrived=False)
        self._after_the_waiting_time(batch)
        with self.assertRaisesRegex(UserError, "nobody in particular"):
            self._declare(batch.submission_ids, self.env.ref("base.user_root"))

    def test_a_payment_system_that_cannot_tell_has_not_said_no(self):
        batch = self._lost(arrived=False)
        self.hub.hidden = OutcomeUnknown(Reason.SERVER_ERROR)
        self._after_the_waiting_time(batch)
        self.assertFalse(batch.submission_ids.no_trace)
        with self.assertRaises(UserError):
            self._declare(batch.submission_ids, self.finance_user)

    def test_two_people_declare_it_missing_and_only_then_it_is_sent_again(self):
        batch = self._lost(arrived=False)
        self._after_the_waiting_time(batch)
        submission = batch.submission_ids
        self._declare(submission, self.finance_user)
        self.assertEqual(batch.batch_state, "unknown")
        with self.assertRaisesRegex(UserError, "another finance validator"):
            submission.with_user(self.finance_user).action_confirm_not_received()
        submission.with_user(self.second_user).action_confirm_not_received()
        self.assertEqual((submission.state, batch.batch_state), ("not_received", "approved"))
        self._send(batch)
        second = batch.submission_ids - submission
        self.assertEqual((second.attempt, second.state, batch.batch_state), (2, "accepted", "sent"))
        self.assertNotEqual((second.key, second.filename), (submission.key, submission.filename))
        self.assertEqual([one.filename for one in self.hub.received], [second.filename])

    def test_not_before_the_waiting_time(self):
        batch = self._lost(arrived=False)
        self._look_up(batch)
        with self.assertRaisesRegex(UserError, "may still show"):
            self._declare(batch.submission_ids, self.finance_user)

    def test_not_on_a_stale_look_up(self):
        batch = self._lost(arrived=False)
        self._after_the_waiting_time(batch)
        submission = batch.submission_ids
        self._declare(submission, self.finance_user)
        submission.started_at -= timedelta(days=1)
        submission.last_look_up_at -= timedelta(hours=2)
        with self.assertRaisesRegex(UserError, "too old"):
            submission.with_user(self.second_user).action_confirm_not_received()

    def test_not_without_a_reason_and_not_by_others(self):
        batch = self._lost(arrived=False)
        self._after_the_waiting_time(batch)
        with self.assertRaises(UserError):
            self._declare(batch.submission_ids, self.finance_user, reason="  ")
        with self.assertRaises(UserError):
            self._declare(batch.submission_ids, self.manager_user)
        with self.assertRaises(UserError):
            batch.submission_ids.with_user(self.manager_user).action_confirm_not_received()

    def test_a_declaration_can_be_taken_back(self):
        batch = self._lost(arrived=False)
        self._after_the_waiting_time(batch)
        submission = batch.submission_ids
        self._declare(submission, self.finance_user)
        submission.with_user(self.second_user).action_withdraw_declaration()
        with self.assertRaisesRegex(UserError, "Nobody has declared"):
            submission.with_user(self.second_user).action_confirm_not_received()

    def test_what_was_confirmed_is_not_taken_back(self):
        submission = self._declared_missing(arrived=False).submission_ids
        with self.assertRaises(UserError):
            submission.with_user(self.second_user).action_withdraw_declaration()
        self.assertEqual(submission.declared_by_id, self.finance_user)

    def test_declared_missing_but_arrived_after_all(self):
        """The hub shows it too late for the people, and in time for the look before sending."""
        batch = self._lost(arrived=True)
        self.hub.hidden = True
        self._after_the_waiting_time(batch)
        self._declare(batch.submission_ids, self.finance_user)
        batch.submission_ids.with_user(self.second_user).action_confirm_not_received()
        self.hub.hidden = False
        self._send(batch)
        self.assertEqual((batch.batch_state, batch.external_batch_ref), ("sent", "remote-1"))
        self.assertEqual(self.hub.uploads, 1, "it was not sent a second time")

    def test_look_up_now_where_nothing_is_asked(self):
        batch = self._sent()
        for state, words in (("accepted", "Check Now"), ("not_sent", "never left")):
            batch.submission_ids.state = state
            with trap_jobs() as jobs:
                said = batch.submission_ids.with_user(self.finance_user).action_look_up()
                jobs.assert_jobs_count(0)
            self.assertEqual(said["params"]["type"], "warning")
            self.assertIn(words, self._message(said))

    def test_what_cannot_be_told_says_who_asks_about_what(self):
        batch = self._lost(arrived=True)
        self.hub.hidden = OutcomeUnknown(Reason.AMBIGUOUS, "remote-1, remote-2")
        self._look_up(batch)
        submission = batch.submission_ids
        said = submission.look_up_answer
        facts = ("remote-1, remote-2", self.gateway.name, self.finance_user.name, submission.filename)
        for fact in (*facts, batch.payment_ids.name):
            self.assertIn(fact, said)

    def test_what_was_declared_missing_is_only_sent_again_as_it_is(self):
        batch = self._declared_missing(arrived=False)
        with self.assertRaisesRegex(UserError, "as it is"):
            batch.with_user(self.finance_user)._reject("other payees")
        with self.assertRaisesRegex(UserError, "as it is"):
            batch.with_user(self.manager_user).action_back_to_draft()
        self.assertEqual(batch.batch_state, "approved")

    def test_what_was_declared_missing_and_cannot_be_sent_as_it_is_may_be_mended(self):
        """Or one entitlement that was cancelled meanwhile would hold up all the others for ever."""
        self._entitle(phone="+27713809999")
        batch = self._declared_missing(arrived=False)
        gone, kept = batch.payment_ids
        gone.entitlement_id.state = "cancelled"
        self._send(batch)
        self.assertIn("no longer approved", batch.check_result)
        batch.with_user(self.finance_user)._reject("one is not entitled any more")
        batch.with_user(self.manager_user).action_back_to_draft()
        batch.with_user(self.manager_user).action_set_problems_aside()
        self._approve(batch)
        self._send(batch)
        self.assertEqual((batch.batch_state, batch.payment_ids), ("sent", kept))

    def test_what_was_taken_out_is_looked_for_before_it_is_sent_in_another_batch(self):
        """The attempt that was declared missing arrived after all, with everybody in it."""
        self._entitle(phone="+27713809999")
        batch = self._declared_missing(arrived=True)
        gone = batch.payment_ids[0]
        gone.entitlement_id.state = "cancelled"
        batch.with_user(self.finance_user)._reject("one is not entitled any more")
        batch.with_user(self.manager_user).action_back_to_draft()
        batch.with_user(self.manager_user).action_set_problems_aside()
        gone.entitlement_id.state = "approved"
        other = self._prepare()
        self._approve(batch + other)
        self._send(batch + other)
        self.assertEqual(set((batch + other).mapped("batch_state")), {"approved"})
        self.assertEqual(self.hub.uploads, 1, "nobody is paid a second time")

    def test_a_doubt_that_was_settled_no_longer_keeps_the_batch(self):
        batch = self._approved()
        batch.payment_ids.entitlement_id.state = "cancelled"
        self._send(batch)
        self.assertTrue(batch.with_user(self.finance_user).blocked_reason)
        batch.payment_ids.entitlement_id.state = "approved"
        batch.invalidate_recordset()
        self.assertFalse(batch.with_user(self.finance_user).blocked_reason)
        self._send(batch)
        self.assertEqual((batch.batch_state, batch.check_result), ("sent", False))

    def test_another_file_of_this_batch_at_the_payment_system_is_for_a_person(self):
        batch = self._declared_missing(arrived=True)
        batch.submission_ids.digest = "0" * 64
        self._send(batch)
        self.assertEqual((batch.batch_state, self.hub.uploads), ("approved", 1))
        said = batch.submission_ids.sorted("attempt")[-1].answer
        for word in ("remote-1", batch.payment_ids.name, self.finance_user.name, "does not show yet"):
            self.assertIn(word, said)

    def test_a_worker_that_comes_back_after_its_lease_sends_nothing(self):
        batch = self._approved()
        open_ = type(batch.submission_ids)._open

        def held_up(submissions, batch):
            submission = open_(submissions, batch)
            submission.lease_until = fields.Datetime.now() + timedelta(minutes=1)
            return submission

        with patch.object(type(batch.submission_ids), "_open", held_up):
            self._send(batch)
        self.assertEqual((batch.batch_state, batch.submission_ids.state), ("approved", "not_sent"))
        self.assertEqual(self.hub.uploads, 0)

    def test_a_worker_that_dies_while_asking_has_begun_nothing(self):
        batch = self._approved()
        batch.with_user(self.finance_user).send_payment()
        self.hub.hidden = SystemExit()
        with contextlib.suppress(SystemExit):  # Odoo's assertRaises would undo what was written down
            self._run(self._jobs(batch))
        self.assertEqual(batch.batch_state, "sending")
        self.assertFalse(batch.submission_ids, "nobody has to find out what became of it")
        self.hub.hidden = False
        self._run(self._jobs(batch))
        self.assertEqual((batch.batch_state, self.hub.uploads), ("sent", 1))

    def test_a_look_of_long_ago_is_not_good_for_a_later_attempt(self):
        """A worker asks and is held up, while another sends in vain and a third sends again."""
        batch = self._approved()
        batch.with_user(self.finance_user).send_payment()
        old_look = batch.sudo()._look_before_sending()
        self.hub.reply = NotSent(Reason.UNREACHABLE)
        self._run(self._jobs(batch))
        batch.with_user(self.finance_user).send_payment()
        submission, answer = batch.sudo()._begin_sending(old_look)
        self.assertFalse(submission, answer)
        self.assertEqual(batch.batch_state, "sending")

    def test_who_pressed_send_may_have_left_meanwhile(self):
        batch = self._approved()
        batch.with_user(self.finance_user).send_payment()
        groups = "groups_id" if "groups_id" in self.finance_user._fields else "group_ids"  # as of Odoo 19
        self.finance_user[groups] -= self.env.ref("g2p_programs.g2p_finance_validator")
        self._run(self._jobs(batch))
        self.assertEqual((batch.batch_state, self.hub.uploads), ("sent", 1))

    def test_references_do_not_hang_on_what_everybody_may_write(self):
        """OpenG2P lets users write system parameters, and a restored copy has another UUID."""
        batch = self._approved()
        upcoming = self.env["g2p.payment.submission"]._upcoming(batch)
        self.env["ir.config_parameter"].sudo().set_param("database.uuid", "another")
        again = self.env["g2p.payment.submission"]._upcoming(batch)
        self.assertEqual((again.key, again.filename), (upcoming.key, upcoming.filename))
        self.assertFalse(self.env["g2p.payment.event"]._first_broken(batch))
        batch.with_user(self.finance_user)._reject("again")
        batch.with_user(self.manager_user).action_cancel()
        number, _last = self.manager._earlier(batch.payment_ids.entitlement_id).popitem()[1]
        self.assertEqual(number, 1)

    def test_a_worker_taken_for_dead_that_knows_ends_the_doubt(self):
        batch = self._lost(arrived=False)
        batch.submission_ids._close("not_sent", "nothing had left")
        self.assertEqual((batch.batch_state, batch.submission_ids.state), ("approved", "not_sent"))

    def test_nobody_changes_whom_to_ask_while_it_is_unknown(self):
        batch = self._lost(arrived=True)
        for name in ("phee_tenant", "phee_bulk_url", "phee_operations_url"):
            with self.assertRaisesRegex(UserError, "after that"):
                self.gateway.write({name: "https://other.example"})
        self.gateway.write({"phee_tenant": self.gateway.phee_tenant, "name": "Another name"})
        self._look_up(batch)
        self.assertEqual(batch.batch_state, "sent")
        self._fail(batch.payment_ids)
        self.gateway.write({"phee_tenant": "other"})

    def test_what_was_declared_missing_is_sent_again_once_the_settings_are_put_back(self):
        batch = self._declared_missing(arrived=False)
        self.gateway.phee_institution = "social"
        self._send(batch)
        self.assertEqual((batch.batch_state, len(batch.submission_ids)), ("approved", 1))
        self.gateway.phee_institution = False
        batch.invalidate_recordset()
        self._send(batch)
        self.assertEqual((batch.batch_state, len(self.hub.received)), ("sent", 1))

    def test_who_may_have_what_was_declared_missing_is_asked_before_it_is_sent_elsewhere(self):
        """Only the address to which batches go may be mended meanwhile, and the batch is approved again."""
        batch = self._declared_missing(arrived=True)
        for name in ("phee_tenant", "phee_operations_url"):
            with self.subTest(name), self.assertRaisesRegex(UserError, "after that"):
                self.gateway.write({name: "https://other.example"})
        self.gateway.phee_bulk_url = "https://other.example"
        batch.with_user(self.finance_user)._reject("another address")
        batch.with_user(self.manager_user).action_back_to_draft()
        batch.with_user(self.manager_user).action_request_approval()
        with self.assertRaisesRegex(UserError, "after that"):
            self.gateway.phee_tenant = "other"
        self._approve(batch)
        self._send(batch)
        self.assertEqual((batch.batch_state, batch.external_batch_ref), ("sent", "remote-1"))
        self.assertEqual(self.hub.uploads, 1, "nobody is paid a second time")

    def test_a_restored_backup_finds_what_was_sent_already(self):
        batch = self._approved()
        with self.env.cr.savepoint() as backup:
            self._send(batch)
            self.assertEqual(batch.batch_state, "sent")
            backup.rollback()
        batch.invalidate_recordset()
        self.assertEqual(batch.batch_state, "approved")
        self._send(batch)
        self.assertEqual((batch.batch_state, batch.external_batch_ref), ("sent", "remote-1"))
        self.assertEqual(self.hub.uploads, 1)

    def test_a_restored_backup_in_which_it_is_cancelled_and_prepared_again(self):
        """What had left looks as if it had not; the payment system knows better."""
        batch = self._approved(2)
        with self.env.cr.savepoint() as backup:
            self._send(batch)
            backup.rollback()
        batch.invalidate_recordset()
        batch.with_user(self.manager_user).action_back_to_draft()
        batch.with_user(self.manager_user).action_cancel()
        again = self._prepare()
        self._approve(again)
        self._send(again)
        self.assertEqual((again.batch_state, again.submission_ids.state), ("approved", "not_sent"))
        self.assertIn("remote-1", again.submission_ids.answer)
        self.assertEqual(self.hub.uploads, 1, "nobody is paid a second time")

    def test_declared_missing_then_refused_then_cancelled_but_arrived_after_all(self):
        batch = self._declared_missing(arrived=True)
        self.hub.hidden, self.hub.reply = True, Refused(Reason.FILE)
        self._send(batch)
        self.hub.hidden, self.hub.reply = False, None
        batch.with_user(self.manager_user).action_cancel()
        again = self._prepare()
        self._approve(again)
        self._send(again)
        self.assertEqual((again.batch_state, again.submission_ids.state), ("approved", "not_sent"))
        self.assertEqual(len(self.hub.received), 1)

    def test_declared_missing_then_prepared_again_while_the_hub_shows_its_file_only(self):
        """The file of the batch that was cancelled is there, and its rows are not yet."""
        batch = self._declared_missing(arrived=True)
        self.gateway.phee_purpose = "Another purpose"
        batch.with_user(self.manager_user).action_back_to_draft()
        batch.with_user(self.manager_user).action_cancel()
        again = self._prepare()
        self._approve(again)
        self.hub.no_rows_yet = True
        self._send(again)
        self.assertEqual((again.batch_state, self.hub.uploads), ("approved", 1), "nobody is paid twice")
        self.assertIn("remote-1", again.submission_ids.answer)

    def test_declared_missing_then_paid_elsewhere_but_arrived_after_all(self):
        """The gateway to which it was sent is asked as well."""
        again, other_hub = self._prepared_for_another_gateway(self._declared_missing(arrived=True))
        self._send(again)
        self.assertEqual((again.batch_state, other_hub.uploads), ("approved", 0), "nobody is paid twice")
        self.assertIn("remote-1", again.submission_ids.answer)

    def test_refused_then_paid_elsewhere_but_arrived_after_all(self):
        """Something between us and the first payment system said no after that had said yes."""
        self.hub.lose_reply = Refused(Reason.FILE, "HTTP 413")
        batch = self._sent()
        self.assertEqual((batch.batch_state, self.hub.uploads), ("refused", 1))
        again, other_hub = self._prepared_again(batch)
        self._send(again)
        self.assertEqual((again.batch_state, other_hub.uploads), ("approved", 0), "nobody is paid twice")
        self.assertIn("remote-1", again.submission_ids.answer)

    def test_refused_then_paid_elsewhere(self):
        self.hub.reply = Refused(Reason.FILE, "HTTP 413")
        again, other_hub = self._prepared_again(self._sent())
        self._send(again)
        self.assertEqual((again.batch_state, other_hub.uploads), ("sent", 1))

    def test_declared_missing_then_paid_elsewhere(self):
        again, other_hub = self._prepared_for_another_gateway(self._declared_missing(arrived=False))
        self.hub.hidden = NotSent(Reason.UNREACHABLE)
        self._send(again)
        self.assertEqual((again.batch_state, other_hub.uploads), ("approved", 0))
        self.assertIn("Test Hub", again.submission_ids.answer, "which of the two could not be asked")
        self.hub.hidden = False
        self._send(again)
        self.assertEqual((again.batch_state, other_hub.uploads), ("sent", 1))

    def test_what_was_cancelled_and_never_left_is_sent_in_another_batch(self):
        self._entitle()
        self._prepare().with_user(self.manager_user).action_cancel()
        batch = self._prepare()
        self._approve(batch)
        self._send(batch)
        self.assertEqual(batch.batch_state, "sent")

    def test_nothing_is_sent_while_the_payment_system_cannot_be_asked(self):
        self.hub.hidden = NotSent(Reason.UNREACHABLE)
        batch = self._sent()
        self.assertEqual((batch.batch_state, batch.submission_ids.state), ("approved", "not_sent"))
        self.assertEqual(self.hub.uploads, 0)
