from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ..client.errors import NotSent, OutcomeUnknown, Reason
from ..models.payment_gateway_gone import GUARDED
from ..models.payment_task import CONFIRM_GONE
from .common import GATEWAY
from .test_recovery import RecoveryCase
from .test_rights import ROLES, RightsCase


def declare_gone(gateway, user, reason="The server was dismantled; nothing left the account."):
    wizard = gateway.env["g2p.payment.gateway.gone.wizard"].with_user(user)
    wizard.create({"gateway_id": gateway.id, "reason": reason}).action_declare()


@tagged("post_install", "-at_install")
class TestGatewayGone(RecoveryCase):
    """A payment system that is switched off for good keeps nobody's money for ever."""

    def _gone(self, answers=False):
        self.gateway.state = "disabled"
        declare_gone(self.gateway, self.finance_user)
        self.gateway.with_user(self.second_user).action_confirm_gone()
        self.hub.hidden = False if answers else NotSent(Reason.NAME_NOT_FOUND)

    def test_what_was_declared_missing_is_paid_through_another_gateway(self):
        batch = self._declared_missing(arrived=False)
        self._gone()
        again, other_hub = self._prepared_again(batch)
        self._send(again)
        self.assertEqual((again.batch_state, other_hub.uploads), ("sent", 1))

    def test_one_person_is_not_enough(self):
        batch = self._declared_missing(arrived=False)
        self.gateway.state = "disabled"
        declare_gone(self.gateway, self.finance_user)
        with self.assertRaisesRegex(UserError, "another finance validator"):
            self.gateway.with_user(self.finance_user).action_confirm_gone()
        self.hub.hidden = NotSent(Reason.NAME_NOT_FOUND)
        with self.assertRaisesRegex(UserError, "as it is"):
            batch.with_user(self.manager_user).action_back_to_draft()
        self.gateway.phee_purpose = "Another purpose"
        again, other_hub = self._prepared_again(batch)
        self._send(again)
        self.assertEqual((again.batch_state, other_hub.uploads), ("approved", 0))

    def test_while_it_answers_its_answer_counts(self):
        batch = self._declared_missing(arrived=True)
        self._gone(answers=True)
        again, other_hub = self._prepared_again(batch)
        self._send(again)
        self.assertEqual((again.batch_state, other_hub.uploads), ("approved", 0), "nobody is paid twice")
        self.assertIn("remote-1", again.last_answer)

    def test_an_answer_that_is_not_clear_counts(self):
        batch = self._declared_missing(arrived=True)
        self._gone()
        self.hub.hidden = OutcomeUnknown(Reason.AMBIGUOUS, "remote-1, remote-2")
        again, other_hub = self._prepared_again(batch)
        self._send(again)
        self.assertEqual((again.batch_state, other_hub.uploads), ("approved", 0))

    def test_what_is_unknown_is_declared_missing_without_a_look_up(self):
        batch = self._lost(arrived=False)
        submission = batch.submission_ids
        with self.assertRaisesRegex(UserError, "may still show"):
            self._declare(submission, self.finance_user)
        self._gone()
        self._declare(submission, self.finance_user, "Not on the account's statement")
        with self.assertRaisesRegex(UserError, "another finance validator"):
            submission.with_user(self.finance_user).action_confirm_not_received()
        submission.with_user(self.second_user).action_confirm_not_received()
        self.assertEqual(batch.batch_state, "approved")
        again, other_hub = self._prepared_again(batch)
        self._send(again)
        self.assertEqual((again.batch_state, other_hub.uploads), ("sent", 1))

    def test_nothing_is_sent_through_it(self):
        batch = self._declared_missing(arrived=False)
        self._gone(answers=True)
        with self.assertRaisesRegex(UserError, "gone for good"):
            self.gateway.state = "test"
        self.assertIn("gone for good", batch.with_user(self.finance_user).blocked_reason)
        self._sql("UPDATE g2p_payment_gateway SET state = 'test' WHERE id = %s", self.gateway.id)
        self._send(batch)
        self.assertEqual((batch.batch_state, len(self.hub.received)), ("approved", 0))
        self.assertIn("gone for good", batch.check_result)

    def test_taken_back_it_is_asked_again(self):
        batch = self._declared_missing(arrived=False)
        self._gone()
        again, other_hub = self._prepared_again(batch)
        self.gateway.with_user(self.finance_user).action_withdraw_gone()
        self._send(again)
        self.assertEqual((again.batch_state, other_hub.uploads), ("approved", 0))
        self.gateway.state = "test"

    def test_the_audit_trail_says_who_and_why(self):
        batch = self._declared_missing(arrived=False)
        self._gone()
        event = batch.event_ids.sorted("number")[-1]
        self.assertEqual(event.user_id, self.second_user)
        for word in (self.finance_user.name, self.second_user.name, "dismantled", "gone for good"):
            self.assertIn(word, event.why)
        self.gateway.with_user(self.finance_user).action_withdraw_gone()
        self.assertIn("taken back", batch.event_ids.sorted("number")[-1].why)
        self.assertFalse(self.env["g2p.payment.event"]._first_broken(batch))

    def test_the_second_person_is_called(self):
        self.gateway.state = "disabled"
        declare_gone(self.gateway, self.finance_user, "<dismantled>")
        self.assertIn(self.second_user, self.gateway._called(CONFIRM_GONE))
        self.assertNotIn(self.finance_user, self.gateway._called(CONFIRM_GONE))
        self.assertIn("&lt;dismantled&gt;", self.gateway.activity_ids[0].note)
        self.gateway.with_user(self.second_user).action_confirm_gone()
        self.assertFalse(self.gateway.activity_ids)

    def test_not_while_it_is_in_use(self):
        with self.assertRaisesRegex(UserError, "in use"):
            declare_gone(self.gateway, self.finance_user)
        self.gateway.active = False
        declare_gone(self.gateway, self.finance_user)
        self.gateway.active = True
        with self.assertRaisesRegex(UserError, "in use"):
            self.gateway.with_user(self.second_user).action_confirm_gone()

    def test_not_while_a_batch_is_being_sent(self):
        self._entitle()
        batch = self._prepare()
        self._approve(batch)
        batch.with_user(self.finance_user).send_payment()
        batch.sudo()._begin_sending(batch.sudo()._look_before_sending())
        self.gateway.state = "disabled"
        with self.assertRaisesRegex(UserError, "being sent"):
            declare_gone(self.gateway, self.finance_user)

    def test_a_reason_is_asked_for(self):
        self.gateway.state = "disabled"
        with self.assertRaisesRegex(UserError, "Give a reason"):
            declare_gone(self.gateway, self.finance_user, "  ")

    def test_the_superuser_is_nobody_in_particular(self):
        self.gateway.state = "disabled"
        with self.assertRaisesRegex(UserError, "nobody in particular"):
            declare_gone(self.gateway, self.env.ref("base.user_root"))

    def test_the_screens(self):
        self._declared_missing(arrived=False)
        self._gone()
        for user in (self.finance_user, self.manager_user):
            form = Form(self.gateway.with_user(user))
            self.assertEqual(form.gone_confirmed_by_id, self.second_user)


@tagged("post_install", "-at_install")
class TestWhoDecides(RightsCase):
    def _disabled(self):
        self.gateway.state = "disabled"
        return self.gateway

    def _declared(self):
        declare_gone(self._disabled(), self.finance_user)
        return self.gateway

    def _denied(self, act):
        try:
            with self.env.cr.savepoint():
                act()
        except UserError as error:  # its sentence says who may
            raise AccessError(str(error)) from error

    def test_declare(self):
        self._only(
            {"finance", "admin"},
            lambda gateway, user: self._denied(lambda: declare_gone(gateway, user)),
            self._disabled,
        )

    def test_confirm(self):
        self._only(
            {"finance", "admin"},
            lambda gateway, user: self._denied(gateway.with_user(user).action_confirm_gone),
            self._declared,
        )

    def test_take_back(self):
        self._only(
            {"finance", "admin"},
            lambda gateway, user: gateway.with_user(user).action_withdraw_gone(),
            self._declared,
        )

    def test_nobody_writes_it(self):
        """Not even those who set up gateways."""
        values = {"gone_reason": "mine", "gone_at": "2026-01-01 00:00:00"}
        for user in self.users.values():
            values.update(gone_declared_by_id=user.id, gone_confirmed_by_id=self.finance_user.id)
            self.assertEqual(set(values), GUARDED)
            gateway = self.gateway.with_user(user)
            for name in GUARDED:
                # Without the first person PostgreSQL refuses the second.
                given = values if name == "gone_confirmed_by_id" else {name: values[name]}
                context = {f"default_{key}": value for key, value in given.items()}
                acts = (
                    lambda gateway=gateway, given=given: gateway.write(given),
                    lambda gateway=gateway, given=given: gateway.create({"name": "New", **given}),
                    lambda gateway=gateway, context=context: gateway.with_context(**context).create(
                        {"name": "New"}
                    ),
                )
                for act in acts:
                    with self.subTest(f"{user.login} {name}"), self.assertRaises(AccessError):
                        act()

    def test_it_is_not_copied(self):
        self._declared().with_user(self.users["finance"]).action_confirm_gone()
        self.assertFalse(self.gateway.copy().gone_declared_by_id)

    def test_not_in_another_company(self):
        self._disabled()
        company = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = self._user("stranger", *ROLES["finance"])
        stranger.write({"company_ids": [Command.set(company.ids)], "company_id": company.id})
        with self.assertRaises(AccessError):
            self.env[GATEWAY].browse(self.gateway.id).with_user(stranger)._declare_gone("mine")

    def test_postgresql_asks_for_two_people_as_well(self):
        for declared, confirmed in (("NULL", 2), (2, 2)):
            with self.assertRaises(IntegrityError), self.env.cr.savepoint(), mute_logger("odoo.sql_db"):
                self._sql(
                    f"UPDATE g2p_payment_gateway SET gone_declared_by_id = {declared},"
                    f" gone_confirmed_by_id = {confirmed}"
                )
