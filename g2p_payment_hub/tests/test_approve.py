import base64
import hashlib

from psycopg2 import IntegrityError

from odoo import SUPERUSER_ID, Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..client import csv_file
from .common import PaymentHubCase


@tagged("post_install", "-at_install")
class TestFourEyes(PaymentHubCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.both_user = cls._user(
            "both", "g2p_programs.g2p_program_manager", "g2p_programs.g2p_finance_validator"
        )
        cls.admin_user = cls._user("admin", "g2p_registry_base.group_g2p_admin")
        cls._entitle(2)

    def _denied(self, batch, user, why):
        with self.assertRaisesRegex(AccessError, why):
            self._approve(batch, user)
        self.assertEqual(batch.batch_state, "to_approve")
        self.assertFalse(batch.frozen_digest)
        self.assertEqual((batch.with_user(user).can_approve, batch.approved_by_id.id), (False, False))
        self.assertRegex(batch.with_user(user).blocked_reason, why)

    def test_another_finance_user_approves(self):
        batch = self._prepare(self.both_user)
        self.assertTrue(batch.with_user(self.finance_user).can_approve)
        self.assertFalse(batch.with_user(self.finance_user).blocked_reason)
        self._approve(batch)
        self.assertEqual(batch.batch_state, "approved")
        self.assertEqual(batch.approved_by_id, self.finance_user)
        self.assertTrue(batch.approved_at)

    def test_what_has_changed_since_the_page_was_opened_is_not_approved(self):
        batch = self._prepare()
        page = batch.with_user(self.finance_user).with_context(seen=batch.to_approve_digest)
        maker = batch.with_user(self.manager_user)
        maker.action_back_to_draft()
        maker.action_request_approval()
        with self.assertRaisesRegex(UserError, "changed since you opened it"):
            page.action_approve()
        page = page.with_context(seen=batch.to_approve_digest)
        self.gateway.phee_payment_mode = "gsma"
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "changed since you opened it"):
            page.action_approve()
        page.with_context(seen=batch.to_approve_digest).action_approve()
        self.assertEqual(batch.batch_state, "approved")

    def test_who_prepared_cannot_approve(self):
        self._denied(self._prepare(self.both_user), self.both_user, "another finance user must approve")

    def test_an_administrator_who_prepared_cannot_approve(self):
        self._denied(self._prepare(self.admin_user), self.admin_user, "another finance user must approve")

    def test_superuser_mode_opens_no_way_round(self):
        batch = self._prepare(self.both_user)
        with self.assertRaisesRegex(AccessError, "another finance user must approve"):
            batch.with_user(self.both_user).sudo().action_approve()
        self._denied(batch, self.env["res.users"].browse(SUPERUSER_ID), "Log in as yourself")

    def test_who_changed_it_cannot_approve(self):
        for change in ("action_back_to_draft", "action_refresh_payees", "action_set_problems_aside"):
            with self.subTest(change), self.env.cr.savepoint() as savepoint:
                batch = self._prepare()
                if change != "action_back_to_draft":
                    batch.with_user(self.manager_user).action_back_to_draft()
                getattr(batch.with_user(self.both_user), change)()
                if batch.batch_state == "draft":
                    batch.with_user(self.manager_user).action_request_approval()
                self._denied(batch, self.both_user, "You prepared or changed this batch")
                savepoint.rollback()

    def test_program_manager_cannot_approve(self):
        batch = self._prepare()
        self._denied(
            batch,
            self._user("pm2", "g2p_programs.g2p_program_manager"),
            "A finance validator approves|Only a finance validator",
        )

    @mute_logger("odoo.sql_db")
    def test_database_refuses_a_preparer_who_approves(self):
        batch = self._prepare()
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self._sql("UPDATE g2p_payment_batch SET approved_by_id = prepared_by_id WHERE id = %s", batch.id)

    def test_only_a_batch_to_approve_is_approved(self):
        batch = self._prepare()
        batch.with_user(self.manager_user).action_back_to_draft()
        with self.assertRaisesRegex(UserError, "moved on"):
            self._approve(batch)
        batch.with_user(self.manager_user).action_request_approval()
        self._approve(batch)
        with self.assertRaisesRegex(UserError, "moved on"):
            self._approve(batch)

    def test_several_batches_are_approved_at_once_or_none(self):
        self.manager.batch_size = 1
        batches = self._prepare()
        self.cycle.env.flush_all()
        batches[1].payment_ids.entitlement_id.state = "cancelled"
        with self.assertRaisesRegex(UserError, "no longer approved"), self.env.cr.savepoint():
            self._approve(batches)
        self.assertEqual(set(batches.mapped("batch_state")), {"to_approve"})
        batches[1].payment_ids.entitlement_id.state = "approved"
        self._approve(batches)
        self.assertEqual(set(batches.mapped("batch_state")), {"approved"})


@tagged("post_install", "-at_install")
class TestApprove(PaymentHubCase):
    def _reject(self, batch, reason="Wrong month", user=None):
        self.env["g2p.payment.batch.reject.wizard"].with_user(user or self.finance_user).create(
            {"batch_ids": [Command.set(batch.ids)], "reason": reason}
        ).action_reject()

    def test_problems_that_appeared_since_the_check_stop_approval(self):
        entitlements = self._entitle(2)
        batch = self._prepare()
        entitlements[0].state = "cancelled"
        with self.assertRaisesRegex(UserError, "(?s)Problems appeared.*no longer approved"):
            self._approve(batch)

    def test_approval_freezes_the_file_and_its_fingerprint(self):
        batch = self._prepared(3, amount=120)
        self.assertFalse(batch.frozen_content or batch.frozen_digest)
        self._approve(batch)
        self.assertEqual(batch.frozen_digest, hashlib.sha256(batch.frozen_content.encode()).hexdigest())
        rows = csv_file.parse(batch.frozen_content)
        self.assertEqual([row.reference for row in rows], batch.payment_ids.sorted("id").mapped("name"))
        self.assertEqual([str(row.amount) for row in rows], ["120", "120", "120"])
        self.assertEqual({row.currency for row in rows}, {"USD"})
        self.assertIn(f",{batch.payer_identifier},", batch.frozen_content)
        self.assertTrue(any(batch.frozen_digest in body for body in batch.message_ids.mapped("body")))

    def test_what_was_approved_is_what_is_sent(self):
        batch = self._approved(3)
        frozen = batch.frozen_content
        self._send(batch)
        self.assertEqual(self.hub.received[0].content, frozen)
        self.assertEqual(batch.submission_ids.digest, batch.frozen_digest)

    def test_reject_with_reason_and_approve_after_correction(self):
        batch = self._prepared()
        self._reject(batch)
        self.assertEqual((batch.batch_state, batch.reject_reason), ("rejected", "Wrong month"))
        self.assertTrue(any("Wrong month" in body for body in batch.message_ids.mapped("body")))
        with self.assertRaises(UserError):
            self._approve(batch)
        batch.with_user(self.manager_user).action_back_to_draft()
        batch.with_user(self.manager_user).action_request_approval()
        self._approve(batch)
        self.assertEqual((batch.batch_state, batch.reject_reason), ("approved", False))

    def test_rejecting_an_approved_batch_takes_the_approval_back(self):
        batch = self._approved()
        self._reject(batch)
        self.assertEqual(batch.batch_state, "rejected")
        self.assertFalse(
            batch.approved_by_id or batch.approved_at or batch.frozen_content or batch.frozen_digest
        )
        self._send(batch)
        self.assertEqual(self.hub.uploads, 0)

    def test_back_to_draft_takes_the_approval_back(self):
        batch = self._approved()
        batch.with_user(self.manager_user).action_back_to_draft()
        self.assertEqual(batch.batch_state, "draft")
        self.assertFalse(
            batch.approved_by_id or batch.approved_at or batch.frozen_content or batch.frozen_digest
        )

    def test_a_reason_is_asked_for(self):
        batch = self._prepared()
        with self.assertRaisesRegex(UserError, "reason"):
            self._reject(batch, reason="  ")

    def test_program_manager_rejects_nothing(self):
        batch = self._prepared()
        with self.assertRaises(AccessError):
            self._reject(batch, user=self.manager_user)
        with self.assertRaises(AccessError):
            batch.with_user(self.manager_user)._reject("Wrong month")

    def test_any_change_of_a_payment_after_approval_stops_the_send(self):
        self._entitle(2)
        tampering = {
            "another payee": "UPDATE g2p_payment SET account_number = '27700000000' WHERE id = %s",
            "another amount": "UPDATE g2p_payment SET amount_issued = 999 WHERE id = %s",
            "an amount that cannot travel": "UPDATE g2p_payment SET amount_issued = 0.5 WHERE id = %s",
            "another type": "UPDATE g2p_payment SET payee_identifier_type = 'ALIAS' WHERE id = %s",
            "another currency": "UPDATE g2p_payment SET payment_currency_id = "
            "(SELECT id FROM res_currency WHERE name = 'EUR') WHERE id = %s",
            "another reference": "UPDATE g2p_payment SET name = 'other' WHERE id = %s",
            "a payment less": "DELETE FROM g2p_payment_g2p_payment_batch_rel WHERE g2p_payment_id = %s",
            "another payer": "UPDATE g2p_payment_batch SET payer_identifier = '666' WHERE id = "
            "(SELECT batch_id FROM g2p_payment WHERE id = %s)",
            "another file": "UPDATE g2p_payment_batch SET frozen_content = replace(frozen_content, "
            "',100,', ',900,')"
            " WHERE id = (SELECT batch_id FROM g2p_payment WHERE id = %s)",
            "no file": "UPDATE g2p_payment_batch SET frozen_content = NULL, frozen_digest = NULL"
            " WHERE id = (SELECT batch_id FROM g2p_payment WHERE id = %s)",
        }
        for name, statement in tampering.items():
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                batch = self._prepare()
                self._approve(batch)
                self._sql(statement, batch.payment_ids[0].id)
                self.assertEqual(self.env.cr.rowcount, 1)
                self._send(batch)
                self.assertEqual(self.hub.uploads, 0)
                self.assertEqual(batch.batch_state, "approved")
                self.assertFalse(batch.submission_ids)
                said = " ".join(batch.message_ids.mapped("body"))
                self.assertIn("differs from what was approved", said)
                savepoint.rollback()

    def test_a_foreign_payment_smuggled_in_stops_the_send(self):
        batch = self._approved()
        entitlement = self._entitle(phone="+27713809999")
        stranger = self._payment_of_another_manager(entitlement, account_number="27713809999")
        self._sql("INSERT INTO g2p_payment_g2p_payment_batch_rel VALUES (%s, %s)", batch.id, stranger.id)
        self._send(batch)
        self.assertEqual(self.hub.uploads, 0)

    def test_cancelled_batch_releases_its_entitlements(self):
        entitlements = self._entitle(2)
        batch = self._prepare()
        batch.with_user(self.manager_user).action_cancel()
        self.assertEqual(batch.batch_state, "cancelled")
        self.assertEqual(set(batch.payment_ids.mapped("status")), {"failed"})
        self.assertEqual(set(entitlements.mapped("state")), {"approved"})
        again = self._prepare()
        self.assertEqual(again.payment_ids.entitlement_id, entitlements)
        self._approve(again)
        self._send(again)
        self.assertEqual(len(self.hub.received), 1)

    def test_nothing_is_cancelled_that_may_have_left(self):
        batch = self._prepared()
        for state in ("approved", "sending", "sent", "unknown", "done"):
            batch.sudo().batch_state = state
            with self.subTest(state), self.assertRaisesRegex(UserError, "cannot become Cancelled"):
                batch.with_user(self.manager_user).action_cancel()
            self.assertFalse(batch.payment_ids.status)

    def test_nothing_goes_back_to_draft_that_may_have_left(self):
        batch = self._prepared()
        for state in ("sending", "sent", "unknown", "done", "cancelled"):
            batch.sudo().batch_state = state
            with self.subTest(state), self.assertRaisesRegex(UserError, "cannot become Draft"):
                batch.with_user(self.manager_user).action_back_to_draft()

    def test_finance_user_cancels_nothing(self):
        batch = self._prepared()
        with self.assertRaises(AccessError):
            batch.with_user(self.finance_user).action_cancel()
        with self.assertRaises(AccessError):
            batch.with_user(self.finance_user).action_back_to_draft()

    def test_finance_downloads_what_it_approved(self):
        batch = self._prepared()
        self.assertFalse(batch.with_user(self.finance_user).frozen_file)
        self._approve(batch)
        mine = batch.with_user(self.finance_user)
        self.assertEqual(base64.b64decode(mine.frozen_file).decode(), batch.frozen_content)
        gateway_admin = self._user(
            "keys", "g2p_payment_hub.group_gateway_admin", "g2p_programs.g2p_program_manager"
        )
        with self.assertRaises(AccessError):
            batch.with_user(gateway_admin).read(["frozen_file"])

    def test_cancelling_leaves_a_payment_paid_that_is_paid(self):
        """As two people may have decided on the evidence of a bank's statement."""
        batch = self._prepared(2)
        paid, other = batch.payment_ids
        self._result(paid, "paid", state="reconciled")
        with self.assertRaisesRegex(UserError, f"{paid.name}.*has its result already"):
            self._approve(batch)
        self._reject(batch)
        batch.with_user(self.manager_user).action_cancel()
        self.assertEqual((paid.status, other.status), ("paid", "failed"))
        self.assertEqual(self._prepare().payment_ids.entitlement_id, other.entitlement_id)

    def test_setting_aside_leaves_a_payment_paid_that_is_paid(self):
        batch = self._prepared(2)
        paid, other = batch.payment_ids
        self._result(paid, "paid", state="reconciled")
        batch.with_user(self.manager_user).action_back_to_draft()
        batch.with_user(self.manager_user).action_set_problems_aside()
        self.assertEqual((paid.status, batch.payment_ids, batch.batch_state), ("paid", other, "to_approve"))
        self.assertFalse(paid.check_problem)
        self.assertFalse(self._prepare())
