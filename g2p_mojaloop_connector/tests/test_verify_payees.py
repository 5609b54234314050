import runpy
from pathlib import Path
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.g2p_payment_hub.client.errors import NotSent, Reason
from odoo.addons.queue_job.exception import RetryableJobError

from ..models import payee_verification
from .common import TIMEOUT, MojaloopCase

FIRST = "27713800000"


@tagged("post_install", "-at_install")
class TestVerifyPayees(MojaloopCase):
    def _verified(self, count=1, user=None):
        batch = self._prepared(count)
        batch.with_user(user or self.manager_user).with_context(
            queue_job__no_delay=True
        ).action_verify_payees()
        return batch

    def test_no_money_moves_and_the_evidence_is_kept(self):
        self.scheme.names[FIRST] = "PAYEE 0"
        batch = self._verified()
        one = batch.payment_ids.mojaloop_verification_id
        self.assertEqual((one.state, one.told_name, one.our_name), ("found", "PAYEE 0", "Payee 0"))
        self.assertEqual((one.score, one.name_differs, one.payee_fsp), (100, False, "payeefsp"))
        self.assertTrue(one.checked_at)
        self.assertEqual((batch.payee_verification_count, batch.payee_doubt_count), (1, 0))
        self.assertEqual(self.scheme.requests, [("GET", f"/parties/MSISDN/{FIRST}")])

    def test_defaults_that_somebody_keeps_verify_nobody(self):
        for name, value in (("state", "found"), ("decision", "same"), ("told_name", "Payee 0")):
            self.env["ir.default"].set("g2p.payee.verification", name, value, user_id=self.manager_user.id)
        self.scheme.faults[FIRST, "lookup"] = "3204"
        one = self._verified().payment_ids.mojaloop_verification_id
        self.assertEqual((one.state, one.decision, one.told_name), ("not_found", False, False))

    def test_names_that_differ_are_for_a_person(self):
        self.scheme.names[FIRST] = "Somebody Else"
        batch = self._verified()
        one = batch.payment_ids.mojaloop_verification_id
        self.assertTrue(one.name_differs)
        self.assertEqual((batch.payee_doubt_count, batch.batch_state), (1, "to_approve"))
        one.with_user(self.finance_user).action_same_person()
        self.assertEqual((one.decision, one.decided_by_id), ("same", self.finance_user))
        batch.invalidate_recordset()
        self.assertEqual(batch.payee_doubt_count, 0)
        one.with_user(self.finance_user).action_other_person()
        batch.invalidate_recordset()
        self.assertEqual(batch.payee_doubt_count, 1)

    def test_nobody_has_the_number(self):
        self.scheme.faults[FIRST, "lookup"] = "3204"
        batch = self._verified()
        self.assertEqual(batch.payment_ids.mojaloop_verification_id.state, "not_found")
        self.assertEqual(batch.payee_doubt_count, 1)

    def test_no_answer_is_no_verdict(self):
        for number, fault in enumerate((TIMEOUT, NotSent(Reason.UNREACHABLE))):
            self.scheme.faults[f"2771380000{number}", "lookup"] = fault
        batch = self._verified(2)
        found = batch.payment_ids.mojaloop_verification_id
        self.assertEqual(found.mapped("state"), ["no_answer"] * 2)
        self.assertEqual(batch.payee_doubt_count, 0)
        self.scheme.faults.clear()
        batch.with_context(queue_job__no_delay=True).action_verify_payees()
        self.assertEqual(batch.payment_ids.mojaloop_verification_id.mapped("state"), ["found"] * 2)
        self.assertEqual(len(batch.payment_ids.mojaloop_verification_ids), 4, "the evidence of before stays")

    def test_what_there_was_no_time_for_is_looked_up_in_another_job(self):
        batch = self._prepared(3)
        batch.with_user(self.manager_user).action_verify_payees()
        found = batch.payment_ids.mojaloop_verification_id
        for seconds, state in ((-1, "waiting"), (30, "found")):
            job = self.env["queue.job"].search([("method_name", "=", "_look_up"), ("state", "=", "pending")])
            job.state = "started"
            with patch.object(payee_verification, "SECONDS", seconds):
                self._run(job)
            job.state = "done"
            self.assertEqual(set(found.mapped("state")), {state})

    def test_what_waits_in_vain_is_asked_for_anew(self):
        """Somebody has deleted its job."""
        batch = self._prepared()
        batch.with_user(self.manager_user).action_verify_payees()
        jobs = [("method_name", "=", "_look_up"), ("state", "=", "pending")]
        batch.with_user(self.manager_user).action_verify_payees()
        self.assertEqual(self.env["queue.job"].search_count(jobs), 1)
        self.env["queue.job"].search(jobs).unlink()
        batch.with_user(self.manager_user).action_verify_payees()
        self._run(self.env["queue.job"].search(jobs))
        self.assertEqual(batch.payment_ids.mojaloop_verification_ids.state, "found")

    def test_another_number_is_another_payee(self):
        batch = self._verified(2)
        payment = batch.payment_ids.filtered(lambda one: one.account_number == FIRST)
        self.assertEqual(batch.payee_verification_count, 2)
        payment.partner_id.phone_number_ids.phone_no = "27713899999"
        batch.with_user(self.manager_user).action_back_to_draft()
        batch.with_user(self.manager_user).action_refresh_payees()
        batch.invalidate_recordset()
        self.assertEqual((payment.account_number, batch.payee_verification_count), ("27713899999", 1))
        self.assertFalse(payment.mojaloop_verification_id)
        batch.with_user(self.manager_user).with_context(queue_job__no_delay=True).action_verify_payees()
        batch.invalidate_recordset()
        self.assertEqual(batch.payee_verification_count, 2)

    def test_an_error_is_one_payees_alone(self):
        self.scheme.faults[FIRST, "lookup"] = RuntimeError("of ours")
        with mute_logger("odoo.addons.g2p_mojaloop_connector.models.payee_verification"):
            batch = self._verified(2)
        found = batch.payment_ids.mojaloop_verification_id
        self.assertEqual(sorted(found.mapped("state")), ["found", "no_answer"])

    def test_no_answer_is_told_in_a_sentence(self):
        self.scheme.faults[FIRST, "lookup"] = NotSent(Reason.UNREACHABLE)
        one = self._verified().payment_ids.mojaloop_verification_id
        self.assertIn("cannot be reached", one.error)

    def test_what_is_no_number_is_told_in_a_sentence(self):
        batch = self._prepared()
        self._sql("UPDATE g2p_payment SET account_number = '12' WHERE batch_id = %s", batch.id)
        batch.with_user(self.manager_user).with_context(queue_job__no_delay=True).action_verify_payees()
        one = batch.payment_ids.mojaloop_verification_id
        self.assertEqual(one.state, "not_found")
        self.assertIn("phone number is not one", one.error)
        self.assertFalse(self.scheme.requests)

    def test_not_while_a_batch_is_paid(self):
        """A connector of npm's mixes up look-ups and payments under way at the same time."""
        batch = self._prepared()
        batch.with_user(self.manager_user).action_verify_payees()
        found = batch.payment_ids.mojaloop_verification_id
        with self._connector_is_busy(), self.assertRaises(RetryableJobError):
            found._look_up()
        self.assertEqual(self.scheme.requests, [])
        found._look_up()
        self.assertEqual(found.state, "found")

    def test_the_threshold_decides_what_differs(self):
        self.scheme.names[FIRST] = "Payee Null"
        self.gateway.mojaloop_name_threshold = 50
        self.assertFalse(self._verified().payment_ids.mojaloop_verification_id.name_differs)

    def test_names_that_differ_by_a_vowel_sign_are_for_a_person(self):
        self.scheme.names[FIRST] = "सोमा देवी"
        batch = self._prepared()
        batch.payment_ids.partner_id.name = "सीमा देवी"
        batch.with_user(self.manager_user).with_context(queue_job__no_delay=True).action_verify_payees()
        self.assertTrue(batch.payment_ids.mojaloop_verification_id.name_differs)

    def test_no_threshold_takes_an_unreadable_name_for_the_same(self):
        self.gateway.mojaloop_name_threshold = 0
        self.scheme.names[FIRST] = "????"
        verification = self._verified().payment_ids.mojaloop_verification_id
        self.assertEqual((verification.score, verification.name_differs), (0, True))

    def test_names_compared_without_vowels_before_the_upgrade(self):
        verification = self._verified().payment_ids.mojaloop_verification_id
        verification.sudo().write(
            {"our_name": "सीमा", "told_name": "सोमा", "score": 100, "name_differs": False}
        )
        (script,) = Path(__file__).parent.parent.glob("migrations/*.1.3.0/post-names.py")
        self.env.flush_all()
        runpy.run_path(str(script))["migrate"](self.env.cr, "17.0.1.2.0")
        self.env.invalidate_all()
        self.assertLess(verification.score, 80)
        self.assertTrue(verification.is_doubtful)

    def test_there_is_nothing_to_decide_where_names_agree(self):
        self.scheme.names[FIRST] = "Payee 0"
        one = self._verified().payment_ids.mojaloop_verification_id
        with self.assertRaisesRegex(UserError, "nothing to decide"):
            one.with_user(self.finance_user).action_same_person()

    def test_roles(self):
        batch = self._verified(user=self.finance_user)
        one = batch.payment_ids.mojaloop_verification_id
        one.sudo().name_differs = True
        for user in (self._user("plain"), self._user("gw", "g2p_payment_hub.group_gateway_admin")):
            for act in (
                lambda user=user: batch.with_user(user).action_verify_payees(),
                lambda user=user: one.with_user(user).action_same_person(),
                lambda user=user: one.with_user(user).read(["told_name"]),
            ):
                with self.assertRaises(AccessError):
                    act()
        for user in (self.finance_user, self.manager_user):
            for act in (
                lambda user=user: one.with_user(user).write({"decision": "same"}),
                lambda user=user: one.with_user(user).create({"partner_id": one.partner_id.id}),
                lambda user=user: one.with_user(user).unlink(),
            ):
                with self.assertRaises(AccessError):
                    act()

    def test_not_through_payment_hub(self):
        self.manager.gateway_id = self.payment_hub
        batch = self._prepared()
        self.assertFalse(batch.can_verify_payees)
        with self.assertRaisesRegex(UserError, "Only gateways of a Mojaloop connector"):
            batch.with_user(self.manager_user).action_verify_payees()

    def test_registrants(self):
        partners = self._entitle(2).partner_id
        wizard = (
            self.env["g2p.payee.verify.wizard"]
            .with_user(self.manager_user)
            .with_context(active_model="res.partner", active_ids=partners.ids, queue_job__no_delay=True)
            .create({"manager_id": self.manager.id})
        )
        action = wizard.action_verify()
        found = self.env["g2p.payee.verification"].search(action["domain"])
        self.assertEqual((found.partner_id, set(found.mapped("state"))), (partners, {"found"}))
        self.assertFalse(found.payment_id)

    def test_registrants_without_an_identifier(self):
        partners = self._entitle(phone="").partner_id
        wizard = self.env["g2p.payee.verify.wizard"].create(
            {"manager_id": self.manager.id, "partner_ids": [(6, 0, partners.ids)]}
        )
        with self.assertRaisesRegex(UserError, "no identifier"):
            wizard.with_user(self.manager_user).action_verify()
