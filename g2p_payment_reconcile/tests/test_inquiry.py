from lxml import html

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import Form, tagged

from .common_reissue import StatementCase

MAY = {"manager", "finance", "validator", "approver", "registrar", "admin"}


@tagged("post_install", "-at_install")
class TestInquiry(StatementCase):
    """One screen answers whether it was paid, when, through what, and how that is known."""

    def _ask(self, user=None, **asked):
        """The text of the answer."""
        inquiries = self.env["g2p.payment.inquiry"].with_user(user or self.finance_user)
        return html.fromstring(f"<div>{inquiries.create(asked).answer}</div>").text_content()

    def _assert_in_order(self, text, *expected):
        at = 0
        for one in expected:
            self.assertIn(one, text[at:])
            at += text[at:].index(one)

    def test_paid_as_the_payment_system_said(self):
        batch, paid, *_others = self._story()
        self._sql("UPDATE g2p_payment SET payment_datetime = '2026-03-01 08:00:00' WHERE id = %s", paid.id)
        self.finance_user.tz = "Asia/Kolkata"
        text = self._ask(reference=paid.name)
        self.assertIn("Yes: ", text)
        payee = f"{paid.partner_id.name}, MSISDN {paid.account_number}"
        self.assertIn(f"paid on 2026-03-01 13:30:00 through Test Hub to {payee}", text)
        self.assertIn("We know from the payment system", text)
        self.assertIn(f"its own reference is r-{paid.id}", text)
        self.assertIn("there: remote-1", text)
        self._assert_in_order(
            text,
            "Entitlement made",
            f"Payment {paid.name} prepared",
            f"Batch {batch.name}: Approved",
            f"Sending of batch {batch.name}: Accepted",
            f"Payment {paid.name}: Paid",
        )

    def test_whoever_the_entitlement_names_by_now(self):
        """Who was paid is found by their name, and who was not does not seem to be paid."""
        _batch, paid, *_others = self._story()
        before, new = paid.partner_id, paid.partner_id.copy({"name": "Somebody Else"})
        paid.entitlement_id.with_user(self.manager_user).partner_id = new
        for registrant in (before, new):
            text = self._ask(partner_id=registrant.id)
            self.assertIn(f"through Test Hub to {before.name}, MSISDN {paid.account_number}", text)

    def test_paid_by_decision_of_two_people(self):
        _batch, _paid, _failed, doubt, _waiting = self._story()
        text = self._ask(entitlement_id=doubt.entitlement_id.id)
        self.assertIn("Yes: ", text)
        people = f"{self.finance_user.name}, {self.users['finance'].name}"
        self.assertIn(f"We know by a decision of {people}", text)
        self.assertIn("Letter of the bank", text)
        self.assertIn("Evidence: Letter", text)

    def test_failed_and_issued_again(self):
        _batch, _paid, failed, *_others = self._story()
        again = failed.reissue_ids
        text = self._ask(partner_id=failed.partner_id.id)
        self.assertIn(f"Not yet: payment {again.name} has been prepared", text)
        self._assert_in_order(
            text,
            f"Payment {failed.name}: Failed",
            f"Payment {again.name} prepared, in the place of {failed.name}",
        )
        again.batch_id.with_user(self.manager_user).action_cancel()
        self.assertIn(f"No: payment {again.name} failed", self._ask(partner_id=failed.partner_id.id))

    def test_waiting_in_doubt_and_never_prepared(self):
        batch, paid, _failed, _doubt, waiting = self._story()
        self.assertIn("was sent in batch " + batch.name, self._ask(reference=waiting.name))
        paid.sudo().attention = "The payment system says both."
        self.assertIn("It is not certain", self._ask(reference=paid.name))
        other = self._entitle(phone="+27713899999")
        text = self._ask(reference=other.code)
        self.assertIn("no payment has been prepared. The entitlement is: Approved", text)

    def test_the_journal_has_no_currency(self):
        self.program.journal_id.currency_id = False
        payment = self._prepare().payment_ids[0]
        self.assertIn(f"Not yet: payment {payment.name}", self._ask(reference=payment.name))

    def test_by_every_name_it_has(self):
        _batch, paid, *_others = self._story()
        entitlement = paid.entitlement_id
        for reference in (paid.name, paid.remote_reference, entitlement.code, f"  {paid.name} "):
            self.assertIn("Yes: ", self._ask(reference=reference))
        for reference in ("nonsense", "%", paid.name[:8]):
            self.assertIn("Nothing is known", self._ask(reference=reference))
        self.assertNotIn("Nothing", self._ask())

    def test_what_people_typed_stays_text(self):
        _batch, paid, *_others = self._story()
        paid.partner_id.name = "<script>alert(1)</script>"
        answer = self.env["g2p.payment.inquiry"].create({"reference": paid.name}).answer
        self.assertNotIn("<script>", answer)
        self.assertIn("&lt;script&gt;", answer)

    def test_a_payment_of_another_manager(self):
        entitlement = self._entitle(phone="+27713899999")
        self._payment_of_another_manager(entitlement, status="paid", amount_paid=100)
        text = self._ask(entitlement_id=entitlement.id)
        self.assertIn("through another payment manager", text)
        self.assertIn("how that is known is not written down", text)

    def test_the_screen_answers_while_one_types(self):
        _batch, paid, *_others = self._story()
        with Form(self.env["g2p.payment.inquiry"].with_user(self.finance_user)) as form:
            form.reference = paid.name
            self.assertIn("Yes: ", form.answer)

    def test_the_buttons(self):
        _batch, paid, *_others = self._story()

        def press(record, user):
            action = record.with_user(user).action_payment_inquiry()
            return self.env[action["res_model"]].with_user(user).browse(action["res_id"]).answer

        for record in (paid.partner_id, paid.entitlement_id, paid):
            with self.subTest(record._name):
                self.assertIn("Yes: ", press(record, self.finance_user))
                self._only(MAY, lambda _none, user, record=record: press(record, user))

    def test_who_may(self):
        _batch, paid, *_others = self._story()
        self._only(MAY, lambda _none, user: self.assertIn("Yes: ", self._ask(user, reference=paid.name)))

    def test_nothing_of_other_companies(self):
        _batch, paid, *_others = self._story()
        company = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = self._user("stranger", "g2p_programs.g2p_finance_validator")
        stranger.write({"company_ids": [Command.set(company.ids)], "company_id": company.id})
        for asked in (
            {"reference": paid.name},
            {"entitlement_id": paid.entitlement_id.id},
            {"partner_id": paid.partner_id.id},
        ):
            try:
                self.assertIn("Nothing is known", self._ask(stranger, **asked))
            except AccessError:
                continue

    def test_it_changes_nothing(self):
        batch, paid, *_others = self._story()
        before = batch.read() + paid.read()
        self._ask(reference=paid.name)
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(batch.read() + paid.read(), before)

    def test_it_takes_as_many_statements_for_many_payments_in_the_batch_as_for_few(self):
        counts = []
        for size in (2, 40):
            self._entitle_others(size)
            batch = self._sent()
            self._pays(batch.payment_ids)
            self._pull(batch)
            one = batch.payment_ids[0].name
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._ask(reference=one)
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0] + 2, counts)
