"""A program with its people, made and driven through Odoo's RPC as users would: for the demo and for tests.

world = World(odoo, admin_password, hub.addresses)
entitlements = world.entitle(["27713800001", "27713800002"])
world.press(world.program_manager, "g2p.cycle", world.cycle, "prepare_payment")
"""

import dataclasses
import datetime
import pathlib
import secrets

ROLES = {
    "program_manager": ("Program manager", ("g2p_programs.g2p_program_manager",)),
    "finance": ("Finance validator", ("g2p_programs.g2p_finance_validator",)),
    "second_finance": ("Second finance validator", ("g2p_programs.g2p_finance_validator",)),
    "gateway_admin": ("Gateway administrator", ("g2p_payment_hub.group_gateway_admin",)),
}
_CHUNK = 500


@dataclasses.dataclass
class Person:
    role: str
    login: str
    password: str
    client: object


class World:
    """Makes a program paying through the hub, or Mojaloop's connector, at `addresses` (as those print them
    that stand for it).

    `name` is the program's, and `suffix` keeps the log-ins of several worlds in one database apart.
    """

    def __init__(self, odoo, admin_password, addresses, name="Zakat Pilot", suffix="", **gateway):
        self.odoo = odoo
        self.admin = odoo.login("admin", admin_password)
        # As README's installation says; 17.0 comes with it switched off.
        self.admin.execute_kw("ir.config_parameter", "set_param", ["mail.restrict.template.rendering", "1"])
        self.people = {key: self.add_person(key + suffix, *role) for key, role in ROLES.items()}
        self.gateway = self._gateway(addresses, gateway)
        self.program = self._program(name)
        self.manager = self._manager()
        self.cycle = self.add_cycle("Cycle 1")

    @property
    def program_manager(self):
        return self.people["program_manager"].client

    @property
    def finance(self):
        return self.people["finance"].client

    @property
    def second_finance(self):
        return self.people["second_finance"].client

    def add_person(self, login, name, groups):
        groups_field = "group_ids" if self._has_field("res.users", "group_ids") else "groups_id"
        password = secrets.token_urlsafe(9)
        group_ids = [self.admin.ref(group) for group in ("base.group_user", *groups)]
        self.admin.create(
            "res.users",
            {"name": name, "login": login, "password": password, groups_field: [(6, 0, group_ids)]},
        )
        return Person(name, login, password, self.odoo.login(login, password))

    def _has_field(self, model, name):
        return name in self.admin.execute_kw(model, "fields_get", [[name]])

    def _gateway(self, addresses, values):
        make = _mojaloop_gateway if "connector_url" in addresses else _payment_hub_gateway
        client = self.people["gateway_admin"].client
        return client.create("g2p.payment.gateway", {"state": "test", **make(addresses), **values})

    def _program(self, name):
        journal = self.admin.create(
            "account.journal",
            {
                "name": f"{name} Disbursement",
                "code": secrets.token_hex(2).upper(),
                "type": "bank",
                "beneficiary_disb": True,
                "currency_id": self.admin.search("res.currency", [("name", "=", "USD")])[0],
            },
        )
        return self.admin.create("g2p.program", {"name": name, "journal_id": journal})

    def _manager(self):
        """As the program form does: the manager, and the wrapper that replaces the default one."""
        client = self.program_manager
        manager = client.create(
            "g2p.program.payment.manager.hub",
            {
                "name": "Payment Hub",
                "program_id": self.program,
                "gateway_id": self.gateway,
                "payer_identifier": "123456789",
            },
        )
        reference = f"g2p.program.payment.manager.hub,{manager}"
        wrapper = self.admin.create(
            "g2p.program.payment.manager", {"program_id": self.program, "manager_ref_id": reference}
        )
        client.write("g2p.program", [self.program], {"payment_managers": [(6, 0, [wrapper])]})
        return manager

    def add_cycle(self, name):
        today = datetime.date.today()
        return self.admin.create(
            "g2p.cycle",
            {
                "name": name,
                "program_id": self.program,
                "start_date": str(today),
                "end_date": str(today + datetime.timedelta(days=30)),
                "state": "approved",
            },
        )

    def entitle(self, phones, cycle=None):
        """A registrant with an approved entitlement for each phone number (digits); the entitlements' ids."""
        made = []
        for start in range(0, len(phones), _CHUNK):
            part = phones[start : start + _CHUNK]
            partners = self.admin.create(
                "res.partner",
                [
                    {
                        "name": f"Household {start + number + 1:05d}",
                        "is_registrant": True,
                        "phone_number_ids": [(0, 0, {"phone_no": f"+{phone}"})] if phone else [],
                    }
                    for number, phone in enumerate(part)
                ],
            )
            made += self.admin.create(
                "g2p.entitlement",
                [
                    {
                        "partner_id": partner,
                        "cycle_id": cycle or self.cycle,
                        "initial_amount": 100,
                        "state": "approved",
                        "is_cash_entitlement": True,
                    }
                    for partner in partners
                ],
            )
        return made

    # What people do

    def prepare(self, cycle=None):
        return said(self.program_manager.button("g2p.cycle", [cycle or self.cycle], "prepare_payment"))

    def approve(self, batches):
        self.finance.button("g2p.payment.batch", batches, "action_approve")

    def send(self, batches):
        return [said(self.finance.button("g2p.payment.batch", [one], "send_payment")) for one in batches]

    def decide(self, exceptions, decision, reason):
        """One finance user decides, the other confirms."""
        wizard = self.finance.create(
            "g2p.payment.exception.decide.wizard",
            {"exception_ids": [(6, 0, exceptions)], "decision": decision, "reason": reason},
        )
        self.finance.button("g2p.payment.exception.decide.wizard", [wizard], "action_decide")
        self.second_finance.button("g2p.payment.exception", exceptions, "action_confirm")

    def take_back(self, exceptions, reason):
        """Another finance user than who confirmed takes a decision back."""
        model = "g2p.payment.exception.undo.wizard"
        values = {"exception_ids": [(6, 0, exceptions)], "step": "take_back", "reason": reason}
        self.finance.button(model, [self.finance.create(model, values)], "action_undo")

    def reissue(self, cycle=None):
        """Issues again what the wizard on the cycle proposes."""
        action = self.program_manager.button("g2p.cycle", [cycle or self.cycle], "action_reissue_failed")
        wizard = action["res_id"]
        model = "g2p.payment.reissue.wizard"
        (proposed,) = self.program_manager.read(model, [wizard], ["chosen_count"])
        if not proposed["chosen_count"]:
            return "nothing failed that could be paid as it is"
        return said(self.program_manager.button(model, [wizard], "action_reissue"))

    def batches(self, *states, cycle=None):
        domain = [("cycle_id", "=", cycle or self.cycle)]
        if states:
            domain.append(("batch_state", "in", list(states)))
        return self.admin.search("g2p.payment.batch", domain, order="id")

    def payments(self, *fields, cycle=None):
        return self.admin.search_read(
            "g2p.payment", [("cycle_id", "=", cycle or self.cycle)], ["name", *fields], order="id"
        )


def _payment_hub_gateway(addresses):
    read = lambda name: pathlib.Path(addresses[name]).read_text()  # noqa: E731
    return {
        "name": "National Payment Hub",
        "phee_bulk_url": addresses["bulk_url"],
        "phee_operations_url": addresses["operations_url"],
        "phee_tenant": addresses["tenant"],
        "phee_username": addresses["username"],
        "phee_password": addresses["password"],
        "phee_signing_key": read("client_private_key_file"),
        "phee_hub_certificate": read("hub_certificate_file"),
        "phee_ca_bundle": read("ca_file"),
    }


def _mojaloop_gateway(addresses):
    return {
        "name": "National Switch",
        "provider": "mojaloop",
        "mojaloop_url": addresses["connector_url"],
        "mojaloop_dfsp_id": addresses["dfsp"],
        "mojaloop_payer_name": "Treasury",
        "mojaloop_step_timeout": addresses["step_seconds"],
    }


def said(action):
    """The message that a person reads after pressing a button, or None."""
    return action["params"]["message"] if isinstance(action, dict) and action.get("params") else None
