from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.tests import Form, tagged

from odoo.addons.g2p_payment_hub.models import payment_batch_guard, payment_guard
from odoo.addons.g2p_payment_hub.tests.common_rights import ROLES, RolesCase

from .common import EXCEPTION, DecisionCase

DECIDE = {"finance", "admin"}
SEE = set(ROLES) - {"plain", "gateway_admin"}


@tagged("post_install", "-at_install")
class TestDecisionRights(DecisionCase, RolesCase):
    """Who may decide, confirm, send back and take back; everybody else is turned away, whatever they send."""

    def _open(self):
        return self._doubtful()[1]

    def _proposed(self):
        one = self._open()
        self._propose(one, "declare_failed")
        return one

    def _closed(self):
        one = self._open()
        self._decide(one, "declare_failed")
        return one

    def test_decide(self):
        self._only(DECIDE, lambda one, user: self._propose(one, "declare_failed", user=user), self._open)

    def test_decide_without_the_wizard(self):
        """A method that begins with an underscore cannot be called from outside, and checks all the same."""
        self._only(
            DECIDE, lambda one, user: one.with_user(user)._propose("keep_as_is", "because"), self._open
        )

    def test_confirm(self):
        self._only(DECIDE, lambda one, user: one.with_user(user).action_confirm(), self._proposed)

    def test_send_back(self):
        self._only(DECIDE, lambda one, user: self._undo(one, "send_back", user), self._proposed)

    def test_take_back(self):
        self._only(DECIDE, lambda one, user: self._undo(one, "take_back", user), self._closed)

    def test_undo_without_the_wizard(self):
        self._only(DECIDE, lambda one, user: one.with_user(user)._send_back("because"), self._proposed)
        self._only(DECIDE, lambda one, user: one.with_user(user)._take_back("because"), self._closed)

    def test_see(self):
        self._only(SEE, lambda one, user: one.with_user(user).read(), self._open)
        self._only(SEE, lambda one, user: one.batch_id.reconciliation_ids.with_user(user).read(), self._open)
        self._only(
            SEE, lambda one, user: one.batch_id.with_user(user).read(["open_exception_count"]), self._open
        )

    def test_check_now(self):
        self._only(
            {"manager", "finance", "admin"},
            lambda one, user: one.batch_id.with_user(user).action_check_now(),
            self._open,
        )

    def test_forms_open_for_those_who_see(self):
        one = self._closed()
        for role in ("manager", "finance", "admin"):
            Form(one.with_user(self.users[role]))
            Form(one.batch_id.reconciliation_ids[0].with_user(self.users[role]))

    def test_nothing_is_written_over_rpc(self):
        one = self._open()
        values = {
            "state": "closed",
            "decision": "keep_as_is",
            "confirmed_by_id": self.second.id,
            "two_people": False,
            "attachment_ids": [Command.clear()],
            "payment_before": "{}",
            "known": "x",
        }
        for role, user in self.users.items():
            for context in ({}, {"su": True, "uid": 1}):
                forged = one.with_user(user).with_context(**context)
                for name, value in values.items():
                    with self.subTest(f"{role} {name}"), self.assertRaises(AccessError):
                        forged.write({name: value})

    def test_the_payment_and_the_batch_are_not_written_by_this_way(self):
        one = self._open()
        for role in ("manager", "finance", "admin"):
            user = self.users[role]
            for record, names in (
                (one.payment_id, ("attention", "returned_at", "returned_amount", "exception_ids")),
                (one.batch_id, ("exception_ids", "reconciliation_ids")),
            ):
                for name in names:
                    value = record._fields[name].convert_to_write(record[name], record)
                    with self.subTest(f"{role} {name}"), self.assertRaises(AccessError):
                        record.with_user(user).write({name: value})

    def test_what_is_added_to_payments_and_batches_is_guarded(self):
        self.assertLessEqual(
            {"exception_ids", "last_words", "returned_at", "returned_amount"}, payment_guard.GUARDED
        )
        self.assertLessEqual({"exception_ids", "reconciliation_ids"}, payment_batch_guard.GUARDED)

    def test_other_companies_see_and_decide_nothing(self):
        one = self._open()
        run = one.batch_id.reconciliation_ids
        company = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = self._user("elsewhere", "g2p_programs.g2p_finance_validator")
        stranger.write({"company_ids": [Command.set(company.ids)], "company_id": company.id})
        for record in (one, run):
            self.assertFalse(record.with_user(stranger).search([("id", "in", record.ids)]))
        with self.assertRaises(AccessError):
            self._propose(one, "declare_failed", user=stranger)
        with self.assertRaises(AccessError):
            one.with_user(stranger).action_confirm()

    def test_filters(self):
        one = self._proposed()
        exceptions = self.env[EXCEPTION]
        waiting = [("state", "=", "proposed"), ("proposed_by_id", "!=", self.first.id)]
        self.assertFalse(exceptions.with_user(self.first).search(waiting))
        waiting[1] = ("proposed_by_id", "!=", self.second.id)
        self.assertEqual(exceptions.with_user(self.second).search(waiting), one)

    def test_calls_that_were_taken_are_seen_by_nobody(self):
        for user in self.users.values():
            with self.assertRaises(AccessError):
                self.env["g2p.payment.callback.seen"].with_user(user).search([])
            with self.assertRaises(AccessError):
                self.env["g2p.payment.callback.seen"].with_user(user).create(
                    {"gateway_id": self.gateway.id, "digest": "x", "seen_at": fields.Datetime.now()}
                )
