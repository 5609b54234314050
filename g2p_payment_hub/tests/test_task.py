from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..client.errors import OutcomeUnknown, Reason, Refused
from ..models.payment_task import APPROVE, CONFIRM, FIND, MEND
from .common import PaymentHubCase


@tagged("post_install", "-at_install")
class TestTask(PaymentHubCase):
    """Whoever has to act finds it among their activities; nobody is called for what is over."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.second_user = cls._user("finance2", "g2p_programs.g2p_finance_validator")

    def _called(self, batches, task):
        """Of the people of this test."""
        return batches._called(task) & (self.manager_user + self.finance_user + self.second_user)

    def test_finance_is_called_once_for_a_cycle(self):
        self.manager.batch_size = 1
        batches = self._prepared(3)
        both = self.finance_user + self.second_user
        self.assertEqual(self._called(batches, APPROVE), both)
        self.assertEqual(self._called(batches[0], APPROVE), both, "with one batch for all of them")

        self._approve(batches[0])
        self.assertFalse(self._called(batches[0], APPROVE))
        self.assertEqual(self._called(batches[1], APPROVE), both, "the next one waits")

        self._approve(batches[1] + batches[2])
        self.assertFalse(self._called(batches, APPROVE))

    def test_nobody_is_called_to_approve_what_they_made(self):
        batch = self._prepared()
        batch.with_user(self.manager_user).action_back_to_draft()
        batch.sudo().maker_ids += self.second_user
        batch.with_user(self.manager_user).action_request_approval()
        self.assertEqual(self._called(batch, APPROVE), self.finance_user)

    def test_who_prepared_is_told_what_was_rejected_or_refused(self):
        batch = self._prepared()
        batch.with_user(self.finance_user)._reject("wrong <month>")
        self.assertEqual(self._called(batch, MEND), self.manager_user)
        self.assertIn("wrong &lt;month&gt;", batch.activity_ids.note)
        batch.with_user(self.manager_user).action_back_to_draft()
        self.assertFalse(self._called(batch, MEND))

        batch.with_user(self.manager_user).action_request_approval()
        self._approve(batch)
        self.hub.reply = Refused(Reason.FILE)
        self._send(batch)
        self.assertEqual(batch.batch_state, "refused")
        self.assertEqual(self._called(batch, MEND), self.manager_user)

    @mute_logger("odoo.addons.g2p_payment_hub.models.payment_task")
    def test_a_message_that_cannot_be_sent_keeps_nothing_from_being_written_down(self):
        self.hub.reply = OutcomeUnknown(Reason.TIMEOUT)
        batches = type(self.env["g2p.payment.batch"])
        broken = patch.object(batches, "activity_schedule", side_effect=ValueError)
        with broken:
            batch = self._sent()
        self.assertEqual((batch.batch_state, batch.submission_ids.state), ("unknown", "unknown"))
        self.assertFalse(batch.activity_ids)

    @mute_logger("odoo.addons.g2p_payment_hub.models.payment_task")
    def test_who_cannot_be_told_finds_the_task_all_the_same(self):
        broken = patch.object(type(self.env["mail.activity"]), "action_notify", side_effect=ValueError)
        self._entitle()
        with broken:
            batch = self._prepare()
        self.assertEqual(self._called(batch, APPROVE), self.finance_user + self.second_user)

    def test_who_has_no_e_mail_address_calls_all_the_same(self):
        self.manager_user.partner_id.email = False
        self.finance_user.partner_id.email = False
        self._entitle()
        batch = self._prepare()
        self.assertEqual(self._called(batch, APPROVE), self.finance_user + self.second_user)

    def test_all_of_finance_is_called_when_the_approver_has_left(self):
        batch = self._approved()
        batch.with_user(self.second_user).send_payment()
        self.finance_user.active = False
        self.hub.reply = OutcomeUnknown(Reason.TIMEOUT)
        batch.with_user(self.second_user)._send()
        self.assertEqual(batch.batch_state, "unknown")
        self.assertEqual(self._called(batch, FIND), self.second_user)

    def test_all_of_finance_is_called_when_the_approver_has_another_job(self):
        self.hub.reply = OutcomeUnknown(Reason.TIMEOUT)
        self._entitle()
        batch = self._prepare()
        self._approve(batch)
        self._take_role(self.finance_user, "g2p_programs.g2p_finance_validator")
        self._send(batch, self.second_user)
        self.assertEqual(self._called(batch, FIND), self.second_user)

    def test_a_program_manager_is_called_when_who_prepared_has_left(self):
        other = self._user("pm2", "g2p_programs.g2p_program_manager")
        self._entitle()
        batch = self._prepare()
        self.manager_user.active = False
        batch.with_user(self.finance_user)._reject("wrong month")
        self.assertIn(other, batch._called(MEND))
        self.assertNotIn(self.manager_user, batch._called(MEND))

    def test_while_nobody_knows_there_is_somebody_who_has_to_find_out(self):
        """Whoever was called first may leave, or tick it off."""
        self.hub.reply = OutcomeUnknown(Reason.TIMEOUT)
        batch = self._sent()
        self.finance_user.active = False
        batch.submission_ids._look_up()
        self.assertEqual(self._called(batch, FIND), self.second_user)
        batch.activity_ids.unlink()
        batch.submission_ids._look_up()
        self.assertEqual(self._called(batch, FIND), self.second_user)

    def _take_role(self, user, role):
        groups = "groups_id" if "groups_id" in user._fields else "group_ids"  # as of Odoo 19
        user[groups] -= self.env.ref(role)

    def test_the_second_person_is_called_to_confirm(self):
        self.hub.reply = OutcomeUnknown(Reason.TIMEOUT)
        batch = self._sent()
        self.assertEqual(self._called(batch, FIND), self.finance_user)
        submission = batch.submission_ids
        self._sql("UPDATE g2p_payment_submission SET started_at = started_at - interval '2 hours'")
        submission._look_up()

        submission.with_user(self.finance_user)._declare("no such file")
        self.assertEqual(self._called(batch, CONFIRM), self.second_user)
        submission.with_user(self.finance_user).action_withdraw_declaration()
        self.assertFalse(self._called(batch, CONFIRM))

        submission.with_user(self.finance_user)._declare("no such file")
        submission.with_user(self.second_user).action_confirm_not_received()
        self.assertEqual(batch.batch_state, "approved")
        self.assertFalse(batch.activity_ids)
