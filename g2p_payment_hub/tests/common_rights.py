"""Users of each role, who may do some things and are turned away from others."""

from odoo.exceptions import AccessError

from .common import PaymentHubCase

ROLES = {
    "plain": (),
    "manager": ("g2p_programs.g2p_program_manager",),
    "finance": ("g2p_programs.g2p_finance_validator",),
    "validator": ("g2p_programs.g2p_program_validator",),
    "approver": ("g2p_programs.g2p_program_cycle_approver",),
    "registrar": ("g2p_registry_base.group_g2p_registrar",),
    "admin": ("g2p_registry_base.group_g2p_admin",),
    "gateway_admin": ("g2p_payment_hub.group_gateway_admin",),
}


class RolesCase(PaymentHubCase):
    """A user for each role."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {
            role: cls._user(f"role_{role}", "base.group_allow_export", *groups)
            for role, groups in ROLES.items()
        }

    def _only(self, allowed, act, make=None):
        """`act(what make() gave, as each user)` works for these roles, and is denied to every other."""
        for role, user in self.users.items():
            with self.subTest(role), self.env.cr.savepoint() as savepoint:
                subject = make() if make else None
                self.env.flush_all()
                self.env.invalidate_all()
                if role in allowed:
                    act(subject, user)
                else:
                    with self.assertRaises(AccessError):
                        act(subject, user)
                savepoint.rollback()


class RightsCase(RolesCase):
    """Two entitlements that wait to be prepared, and a secret in each field for one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gateway.write(
            {
                "phee_client_secret": "client-secret-value",
                "phee_header_name": "X-API-KEY",
                "phee_header_value": "header-secret-value",
            }
        )
        cls._entitle(2)

    def _approved(self):
        batch = self._prepare()
        self._approve(batch)
        return batch

    def _sent(self):
        batch = self._approved()
        self._send(batch)
        return batch
