from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.g2p_payment_hub.models import payment_batch_guard, payment_guard

from .common import MojaloopCase

ROLES = {
    "plain": (),
    "manager": ("g2p_programs.g2p_program_manager",),
    "finance": ("g2p_programs.g2p_finance_validator",),
    "validator": ("g2p_programs.g2p_program_validator",),
    "admin": ("g2p_registry_base.group_g2p_admin",),
    "gateway_admin": ("g2p_payment_hub.group_gateway_admin",),
}


@tagged("post_install", "-at_install")
class TestRights(MojaloopCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {role: cls._user(f"role_{role}", *groups) for role, groups in ROLES.items()}

    def _sent(self):
        batch = self._approved()
        self._send(batch)
        return batch

    def test_transfers_are_written_by_nobody(self):
        transfer = self._transfers(self._sent())
        for role, user in self.users.items():
            as_user = transfer.with_user(user)
            for act in (
                lambda one=as_user: one.write({"state": "committed"}),
                lambda one=as_user: one.copy({"transfer_id": "other", "attempt": 2}),
                lambda one=as_user: one.unlink(),
                lambda one=as_user: one.create({"payment_id": transfer.payment_id.id}),
            ):
                with self.subTest(role), self.assertRaises(AccessError), self.env.cr.savepoint():
                    act()
        with self.assertRaises(UserError):
            transfer.sudo().unlink()

    def test_who_sees_them(self):
        transfer = self._transfers(self._sent())
        for role, user in self.users.items():
            with self.subTest(role):
                if role in ("plain", "gateway_admin"):
                    with self.assertRaises(AccessError):
                        transfer.with_user(user).read(["state"])
                else:
                    transfer.with_user(user).read(["state"])
        for name in ("order", "body", "payee_name"):
            transfer.with_user(self.finance_user).read([name])
            with self.assertRaises(AccessError):
                transfer.with_user(self.manager_user).read([name])

    def test_who_is_shown_the_way_to_verifications(self):
        registrar = self._user("role_registrar", "g2p_registry_base.group_g2p_registrar")
        form = self.env.ref("g2p_programs.view_payment_batch_form").id
        for user in (*self.users.values(), registrar):
            access = self.env["ir.model.access"].with_user(user)
            if not access.check("g2p.payment.batch", "read", raise_exception=False):
                continue
            may = access.check("g2p.payee.verification", "read", raise_exception=False)
            shown = self.env["g2p.payment.batch"].with_user(user).get_view(form, "form")["arch"]
            with self.subTest(user.login):
                self.assertEqual("action_open_verifications" in shown, may)

    def test_who_resumes(self):
        self.scheme.faults["27713800000", "transfer"] = "4001"
        batch = self._sent()
        self._pay(batch)
        for role, user in self.users.items():
            if role in ("finance", "admin"):
                continue
            with self.subTest(role), self.assertRaises(AccessError), self.env.cr.savepoint():
                batch.with_user(user).action_resume_paying()
        with self.assertRaises(AccessError):
            batch.submission_ids.with_user(self.finance_user).write({"paused_reason": False})
        self.assertTrue(batch.mojaloop_paused_reason)
        batch.with_user(self.finance_user).action_resume_paying()
        self.assertFalse(batch.mojaloop_paused_reason)

    def test_every_field_is_guarded(self):
        for model, guarded in (
            ("g2p.payment", payment_guard.GUARDED),
            ("g2p.payment.batch", payment_batch_guard.GUARDED),
        ):
            ours = {
                name
                for name, field in self.env[model]._fields.items()
                if field.store and "g2p_mojaloop_connector" in (field._modules or ())
            }
            self.assertLessEqual(ours, guarded)

    def test_another_company_sees_nothing(self):
        transfer = self._transfers(self._sent())
        other = self.env["res.company"].create({"name": "Other"})
        finance = self._user("other_finance", "g2p_programs.g2p_finance_validator")
        finance.write({"company_ids": [Command.set(other.ids)], "company_id": other.id})
        self.assertFalse(transfer.with_user(finance).search([("id", "=", transfer.id)]))
