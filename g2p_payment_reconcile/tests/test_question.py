from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from odoo.addons.g2p_payment_hub.tests.common_rights import RolesCase

from ..models.payment_batch_task import DECIDE
from .common import FAILED, PAID, DecisionCase


class QuestionCase(DecisionCase):
    def _question(self, payments, user=None, reason="The payee called and has not been paid"):
        wizard = self.env["g2p.payment.question.wizard"].with_user(user or self.manager_user)
        wizard = Form(wizard.with_context(default_payment_ids=payments.ids))
        wizard.reason = reason
        wizard.save().action_question()
        self.env.flush_all()
        self.env.invalidate_all()

    def _final(self, status=PAID):
        batch = self._sent()
        self._say(batch.payment_ids, status, remote_reference="r1")
        return batch


@tagged("post_install", "-at_install")
class TestQuestion(QuestionCase):
    """A person doubts a final result: it is decided like everything else that does not fit."""

    def test_never_paid_and_paid_again_after_two_people_said_so(self):
        batch = self._final()
        payment = batch.payment_ids
        self._question(payment)
        one = self._exceptions(batch)
        self.assertEqual((one.type, one.our_status, payment.status), ("questioned", "paid", "paid"))
        self.assertIn("The payee called", payment.attention)
        self.assertEqual(batch.batch_state, "sent")
        decide = self.env.ref(DECIDE)
        self.assertIn(decide, batch.activity_ids.activity_type_id)
        self.assertFalse(self._prepare())
        self._decide(one, "declare_failed")
        self.assertEqual(
            (payment.status, payment.amount_paid, payment.payment_datetime), ("failed", 0, False)
        )
        self.assertFalse(payment.returned_at, "it never left")
        self.assertEqual(self._prepare().payment_ids.entitlement_id, payment.entitlement_id)
        self.assertEqual(self.env["g2p.payment.event"]._first_broken(batch), 0)

    def test_what_the_payment_system_repeats_was_known(self):
        batch = self._final()
        self._question(batch.payment_ids)
        one = self._exceptions(batch)
        self._decide(one, "declare_failed")
        self._say(batch.payment_ids, PAID, remote_reference="r1")
        self.assertEqual((self._exceptions(batch), batch.batch_state), (one, "done"))

    def test_failed_and_paid_after_all(self):
        batch = self._final(FAILED)
        self._question(batch.payment_ids, reason="The bank shows the booking")
        self.assertFalse(self._prepare(), "nobody is paid again meanwhile")
        self._decide(self._exceptions(batch), "declare_paid")
        self.assertEqual((batch.payment_ids.status, batch.payment_ids.amount_paid), ("paid", 100))

    def test_kept_as_it_is_and_questioned_again(self):
        batch = self._final()
        for number in (1, 2):
            self._question(batch.payment_ids)
            self._propose(self._exceptions(batch)[-1], "keep_as_is", "The bank says that it was paid")
            self.assertEqual((len(self._exceptions(batch)), batch.payment_ids.attention), (number, False))
        self.assertEqual((batch.payment_ids.status, batch.batch_state), ("paid", "done"))

    def test_what_was_taken_out_of_its_batch_calls_those_of_that_batch(self):
        batch, aside = self._aside()
        self.assertEqual((aside.status, aside.batch_id.id), ("failed", False))
        self._question(aside, reason="The payee says that the money came")
        self.assertEqual(aside.exception_ids.batch_id, batch)
        self.assertIn(self.env.ref(DECIDE), batch.activity_ids.activity_type_id)

    def test_only_final_results_of_gateways_once_at_a_time_and_with_a_reason(self):
        batch = self._sent()
        with self.assertRaisesRegex(UserError, "no final result yet"):
            self._question(batch.payment_ids)
        self._say(batch.payment_ids, PAID, remote_reference="r1")
        with self.assertRaisesRegex(UserError, "Give a reason"):
            self._question(batch.payment_ids, reason="  ")
        self._question(batch.payment_ids)
        with self.assertRaisesRegex(UserError, "in front of a person already"):
            self._question(batch.payment_ids)
        other = self._payment_of_another_manager(self._entitle(1), status="paid", status_is_final=True)
        with self.assertRaisesRegex(UserError, "not paid through a gateway"):
            self._question(other)


@tagged("post_install", "-at_install")
class TestQuestionRights(QuestionCase, RolesCase):
    def test_who(self):
        self._only(
            {"manager", "finance", "admin"},
            lambda batch, user: self._question(batch.payment_ids, user),
            self._final,
        )

    def test_without_the_wizard(self):
        self._only(
            {"manager", "finance", "admin"},
            lambda batch, user: batch.payment_ids.with_user(user)._question("because"),
            self._final,
        )

    def test_not_that_of_another_company(self):
        payment = self._final().payment_ids
        company = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = self._user("elsewhere", "g2p_programs.g2p_finance_validator")
        stranger.write({"company_ids": [(6, 0, company.ids)], "company_id": company.id})
        with self.assertRaises(AccessError):
            payment.with_user(stranger)._question("because")
