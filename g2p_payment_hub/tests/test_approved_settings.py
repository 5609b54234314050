from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..client.errors import OutcomeUnknown, Reason
from ..client.operations import Operations
from ..client.outcomes import OutcomeStatus
from ..client.payment_hub import PaymentHub
from ..models.payment_gateway_phee_hooks import PaymentGateway
from .common import SIGNING_KEY, PaymentHubCase

REAL_CLIENT = PaymentGateway._client
CLOSED_LOOP = {"phee_payment_mode": "closedloop", "phee_closed_loop_evidence": "statement"}
# What the next program of the same gateway may ask for.
CHANGES = {
    "state": "live",
    "phee_bulk_url": "https://bulk.other.example",
    "phee_operations_url": "https://operations.other.example",
    "phee_tenant": "rhino",
    "phee_payment_mode": "gsma",
    "phee_purpose": "Pensions",
    "phee_institution": "social",
    "phee_program": "cash",
    "phee_verify_completed": False,
    "phee_closed_loop_evidence": "trust",
    "phee_confirm_limit": 5000,
    "phee_format": "raw",
}


class ApprovedCase(PaymentHubCase):
    def _approved_before_settings_were_kept(self, batch):
        self._sql("UPDATE g2p_payment_batch SET approved_settings = NULL WHERE id = %s", batch.id)

    def _has_real_client(self):
        self._start(patch.object(type(self.gateway), "_client", REAL_CLIENT))


@tagged("post_install", "-at_install")
class TestWhatCountsAsPaid(ApprovedCase):
    """The real client decides, on a row as the hub's operations app tells it."""

    def _completed(self, batch, **variables):
        """What becomes of the batch's only payment when the hub calls it COMPLETED."""
        payment = batch.payment_ids
        row = {
            "clientCorrelationId": payment.name,
            "transactionId": "tx-1",
            "status": "COMPLETED",
            "amount": 100,
            "currency": "USD",
        }
        rows = patch.object(Operations, "batch_rows", lambda _hub, _batch: iter([[row]]))
        told = patch.object(Operations, "variables", lambda _hub, _transaction: variables)
        real = patch.object(type(self.gateway), "_client", REAL_CLIENT)
        with rows, told, real:
            pages = list(self.gateway._outcomes(batch.submission_ids, [payment.name]))
        return pages[0][0].status

    def test_completed_of_a_closed_loop_stays_open_whatever_the_gateway_is_set_to_next(self):
        self.gateway.write(CLOSED_LOOP)
        batch = self._sent()
        for change in ({"phee_payment_mode": "mojaloop"}, {"phee_closed_loop_evidence": "trust"}):
            with self.subTest(str(change)):
                self.gateway.write({**CLOSED_LOOP, **change})
                self.assertEqual(self._completed(batch, transferCode="1"), OutcomeStatus.HELD)

    def test_completed_is_verified_where_that_was_approved(self):
        batch = self._sent()
        self.gateway.phee_verify_completed = False
        self.assertEqual(self._completed(batch), OutcomeStatus.WAITING)
        self.assertEqual(self._completed(batch, transferCreateFailed="true"), OutcomeStatus.SUSPECT)
        self.assertEqual(self._completed(batch, transferCode="1"), OutcomeStatus.PAID)

    def test_completed_is_trusted_where_that_was_approved(self):
        self.gateway.write({**CLOSED_LOOP, "phee_closed_loop_evidence": "trust"})
        batch = self._sent()
        self.gateway.write(CLOSED_LOOP)
        self.assertEqual(self._completed(batch), OutcomeStatus.PAID)

    def test_the_money_is_confirmed_where_that_was_approved(self):
        self.gateway.write(
            {**CLOSED_LOOP, "phee_closed_loop_evidence": "operator", "phee_confirm_limit": 100}
        )
        batch = self._sent()
        self.gateway.phee_payment_mode = "mojaloop"
        self.assertEqual(self._completed(batch, transferCode="1"), OutcomeStatus.HELD)
        self.assertTrue(batch.needs_confirmation)
        batch.with_user(self._user("finance2", "g2p_programs.g2p_finance_validator")).action_confirm_money()
        self.assertEqual(self._completed(batch), OutcomeStatus.PAID)

    def test_nobody_confirms_where_a_statement_was_approved(self):
        self.gateway.write(CLOSED_LOOP)
        batch = self._sent()
        self.gateway.phee_closed_loop_evidence = "operator"
        self.assertFalse(batch.needs_confirmation)

    def test_a_lost_batch_is_looked_for_as_it_was_approved(self):
        self.gateway.write(CLOSED_LOOP)
        self.hub.reply = OutcomeUnknown(Reason.TIMEOUT)
        batch = self._sent()
        self.gateway.write({"phee_payment_mode": "mojaloop", "phee_format": "raw"})
        seen = []
        self._has_real_client()
        self._start(patch.object(PaymentHub, "find", lambda hub, *_arguments: seen.append(hub._settings)))
        self.gateway._find_submission(batch.submission_ids)
        self.assertEqual([(one.payment_mode, one.raw_json) for one in seen], [("closedloop", False)])

    def test_batches_approved_before_settings_were_kept_follow_the_gateway(self):
        batch = self._sent()
        self._approved_before_settings_were_kept(batch)
        self.assertEqual(self._completed(batch, transferCode="1"), OutcomeStatus.PAID)
        self.gateway.write(CLOSED_LOOP)
        self.assertEqual(self._completed(batch, transferCode="1"), OutcomeStatus.HELD)


@tagged("post_install", "-at_install")
class TestSentAsApproved(ApprovedCase):
    def _not_sent_because_of(self, batch, name):
        label = self.gateway._label(name)
        batch.invalidate_recordset()
        self.assertRegex(batch.with_user(self.finance_user).blocked_reason, label)
        self.hub.hidden = AssertionError("another payment system was asked")
        attempts = len(batch.submission_ids)
        self._send(batch)
        self.hub.hidden = False
        self.assertEqual((batch.batch_state, len(batch.submission_ids)), ("approved", attempts))
        self.assertRegex(batch.message_ids[0].body, f"changed since the approval: {label}")
        self.assertRegex(batch.check_result, label)

    def test_every_setting_that_finance_approved(self):
        approved = self._approved().approved_settings
        ours = {name for name in approved if name.startswith(("phee_", "state", "provider"))}
        self.assertEqual(set(CHANGES) | {"provider"}, ours, "other add-ons may add their own")
        for name, value in CHANGES.items():
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                batch = self._approved()
                self.gateway[name] = value
                self._not_sent_because_of(batch, name)
                self.assertEqual(self.hub.uploads, 0)
                savepoint.rollback()

    def test_settings_put_back(self):
        batch = self._approved()
        self.gateway.phee_tenant = "rhino"
        self._not_sent_because_of(batch, "phee_tenant")
        self.gateway.phee_tenant = "gorilla"
        batch.invalidate_recordset()
        self.assertFalse(batch.with_user(self.finance_user).blocked_reason)
        self._send(batch)
        self.assertEqual((batch.batch_state, self.hub.uploads), ("sent", 1))

    def test_rejected_and_approved_again(self):
        batch = self._approved()
        self.gateway.phee_tenant = "rhino"
        batch.with_user(self.finance_user)._reject("Another tenant")
        self.assertFalse(batch.approved_settings)
        batch.with_user(self.manager_user).action_back_to_draft()
        batch.with_user(self.manager_user).action_request_approval()
        self._approve(batch)
        self.assertEqual(batch.approved_settings["phee_tenant"], "rhino")
        self._send(batch)
        self.assertEqual((batch.batch_state, self.hub.uploads), ("sent", 1))

    def test_a_setting_that_changes_while_the_payment_system_is_asked(self):
        batch = self._approved()
        find = type(self.hub).find

        def slow(*arguments):
            self.gateway.phee_institution = "social"
            return find(*arguments)

        with patch.object(type(self.hub), "find", slow):
            self._send(batch)
        self.assertEqual((batch.batch_state, self.hub.uploads), ("approved", 0))
        self.assertFalse(batch.submission_ids)

    def test_a_setting_that_changes_between_the_attempt_and_the_upload(self):
        batch = self._approved()
        open_ = type(batch.submission_ids)._open

        def slow(submissions, batch):
            self.gateway.phee_institution = "social"
            return open_(submissions, batch)

        with patch.object(type(batch.submission_ids), "_open", slow):
            self._send(batch)
        self.assertEqual((batch.batch_state, batch.submission_ids.state), ("approved", "not_sent"))
        self.assertIn("Registering Institution", batch.submission_ids.answer)
        self.assertEqual(self.hub.uploads, 0)

    def test_what_does_not_decide_whom_it_pays_may_change(self):
        batch = self._approved()
        self.gateway.write({"phee_password": "renewed", "phee_read_timeout": 30, "phee_username": "other"})
        self._send(batch)
        self.assertEqual(batch.batch_state, "sent")

    def test_batches_approved_before_settings_were_kept_are_sent(self):
        batch = self._approved()
        self._approved_before_settings_were_kept(batch)
        self._send(batch)
        self.assertEqual(batch.batch_state, "sent")

    def test_people_read_what_they_approve(self):
        self._entitle()
        batch = self._prepare().with_user(self.finance_user)
        self.assertIn("Tenant: gorilla\n", batch.settings_text)
        self.assertIn("State: Test\n", batch.settings_text)
        self.assertIn("Payment Mode: Mojaloop\n", batch.settings_text)
        self.assertIn("Verify Completed Transfers: Yes\n", batch.settings_text)
        self._approve(batch)
        approved = batch.settings_text
        self.gateway.phee_tenant = "rhino"
        batch.invalidate_recordset()
        self.assertEqual(batch.settings_text, approved)
        said = batch.event_ids.sorted("number")[-1].why
        for line in approved.split("\n"):
            self.assertIn(line, said)

    def test_nothing_secret_is_kept_with_the_batch(self):
        self.gateway.write({"phee_header_name": "X-API-KEY", "phee_header_value": "k3y"})
        batch = self._approved()
        kept = f"{batch.approved_settings} {batch.settings_text} {batch.event_ids.mapped('why')}"
        for secret in ("secret-password", "k3y", SIGNING_KEY[:40], "KEPT"):
            self.assertNotIn(secret, kept)

    def test_an_accepted_batch_keeps_the_address_until_each_payment_is_final(self):
        batch = self._sent()
        for name in ("phee_tenant", "phee_operations_url", "phee_bulk_url"):
            with self.subTest(name), self.assertRaisesRegex(UserError, "after that"):
                self.gateway.write({name: "https://other.example"})
        self._fail(batch.payment_ids)
        self.gateway.write({"phee_tenant": "other"})
