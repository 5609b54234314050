"""A program with a payment hub manager, and a hub that keeps a ledger, for the tests of the add-ons."""

from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from passlib.context import CryptContext

from odoo import Command, fields
from odoo.tests import TransactionCase, new_test_user

from odoo.addons.queue_job.job import Job

from ..client import csv_file
from ..client.errors import GatewayError
from ..client.outcomes import Outcome, Receipt

GATEWAY = "g2p.payment.gateway"
# Odoo's own 600,000 rounds for each of so many users take longer than the tests.
_QUICK_PASSWORDS = CryptContext(["pbkdf2_sha512"], pbkdf2_sha512__rounds=1)
_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SIGNING_KEY = _KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class LedgerHub:
    """Stands for the plain client in tests of the models, and is as strict as the hub about what it takes.

    `reply`: raised at the next upload. `lose_reply`: raised after the upload was accepted.
    `hidden`: uploads do not show up when they are looked for, or the error that looking for them raises.
    `no_rows_yet`: they show up by the names of their files only.
    `received` are the accepted uploads, `told` the outcomes of the next question. `breaks_off`: raised after
    them.
    """

    def __init__(self):
        self.received = []
        self.uploads = 0
        self.reply = None
        self.lose_reply = None
        self.told = []
        self.breaks_off = None
        self.hidden = False
        self.no_rows_yet = False

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        pass

    def submit(self, batch):
        self.uploads += 1
        csv_file.parse(batch.content)
        if self.reply is not None:
            raise self.reply
        self.received.append(batch)
        if self.lose_reply is not None:
            raise self.lose_reply
        return Receipt(reference=f"remote-{len(self.received)}", poll_after=30)

    def find(self, batch, references, since, others=()):
        """As the hub after its import lag: by file name, or by a row. `hidden`: what was received does not
        show up."""
        if isinstance(self.hidden, BaseException):
            raise self.hidden
        for number, one in enumerate([] if self.hidden else self.received, start=1):
            rows = set() if self.no_rows_yet else {row.reference for row in csv_file.parse(one.content)}
            if one.filename == batch.filename or rows & set(references):
                return Receipt(reference=f"remote-{number}")
        return None

    def shows(self, batch_id):
        return not self.hidden

    def outcomes(self, batch_id, references, ended=(), failed=()):
        if isinstance(self.told, GatewayError):
            raise self.told
        assert batch_id in {f"remote-{number}" for number in range(1, len(self.received) + 1)}
        yield from ([outcome] for outcome in self.told)
        if self.breaks_off is not None:
            raise self.breaks_off

    def tell(self, payment, status, **values):
        """The next questions are answered so for `payment`, with the money it was sent with."""
        sent = {one.reference: one for batch in self.received for one in csv_file.parse(batch.content)}
        one = sent[payment.name]
        values = {"amount": one.amount, "currency": one.currency, **values}
        self.told.append(Outcome(reference=payment.name, status=status, **values))


class PaymentHubCase(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={**cls.env.context, "tracking_disable": False, "no_reset_password": True})
        # Without it no gateway is set to Live; 17.0 comes with it switched off.
        cls.env["ir.config_parameter"].set_param("mail.restrict.template.rendering", "1")
        cls.manager_user = cls._user("pm", "g2p_programs.g2p_program_manager")
        cls.finance_user = cls._user("finance", "g2p_programs.g2p_finance_validator")
        cls.gateway = cls._gateway()
        cls.program = cls._program("Zq Cash")
        cls.manager = cls._manager(cls.program)
        cls.cycle = cls._cycle(cls.program)
        cls.hub = LedgerHub()

    def setUp(self):
        super().setUp()
        self.hub = LedgerHub()
        self._start(patch.object(type(self.env[GATEWAY]), "_client", lambda _gateway, *_batch: self.hub))
        self.addCleanup(self._commit)

    @classmethod
    def _commit(cls):
        """What PostgreSQL looks at when a transaction commits, which no test does."""
        cls.env.flush_all()
        cls.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cls.env.cr.execute("SET CONSTRAINTS ALL DEFERRED")

    def _start(self, patcher):
        """A patch that holds until the end of the test."""
        patcher.start()
        self.addCleanup(patcher.stop)

    @classmethod
    def _user(cls, login, *groups):
        quick = patch.object(type(cls.env["res.users"]), "_crypt_context", lambda _users: _QUICK_PASSWORDS)
        with quick:
            return new_test_user(
                cls.env, f"{login}@payment.test", groups=",".join(["base.group_user", *groups])
            )

    @classmethod
    def _gateway(cls, **values):
        return cls.env[GATEWAY].create(
            {
                "name": "Test Hub",
                "state": "test",
                "phee_bulk_url": "https://bulk.hub.example",
                "phee_operations_url": "https://operations.hub.example",
                "phee_tenant": "gorilla",
                "phee_username": "mifos",
                "phee_password": "secret-password",
                "phee_signing_key": SIGNING_KEY,
                "phee_payment_mode": "mojaloop",
                **values,
            }
        )

    @classmethod
    def _program(cls, name):
        program = cls.env["g2p.program"].create({"name": name})
        program.journal_id = cls.env["account.journal"].create(
            {
                "name": name,
                "code": name[:5].upper(),
                "type": "bank",
                "beneficiary_disb": True,
                "currency_id": cls.env.ref("base.USD").id,
            }
        )
        return program

    @classmethod
    def _manager(cls, program, **values):
        manager = cls.env["g2p.program.payment.manager.hub"].create(
            {
                "name": "Payment Hub",
                "program_id": program.id,
                "gateway_id": cls.gateway.id,
                "payer_identifier": "123456789",
                "payee_field": "phone",
                "payee_identifier_type": "MSISDN",
                "batch_size": 500,
                **values,
            }
        )
        wrapper = cls.env["g2p.program.payment.manager"].create(
            {"program_id": program.id, "manager_ref_id": f"{manager._name},{manager.id}"}
        )
        program.payment_managers = [Command.set(wrapper.ids)]
        return manager

    @classmethod
    def _cycle(cls, program, name="Cycle 1", **values):
        today = fields.Date.today()
        return cls.env["g2p.cycle"].create(
            {
                "name": name,
                "program_id": program.id,
                "start_date": today,
                "end_date": today,
                "state": "approved",
                **values,
            }
        )

    @classmethod
    def _entitle(cls, count=1, amount=100, cycle=None, phone=None):
        """`count` registrants with a phone number each, or none for "", and their approved entitlements."""
        phones = [f"+2771380{number:04d}" if phone is None else phone for number in range(count)]
        partners = cls.env["res.partner"].create(
            [
                {
                    "name": f"Payee {number}",
                    "is_registrant": True,
                    "phone_number_ids": [Command.create({"phone_no": phones[number]})]
                    if phones[number]
                    else [],
                }
                for number in range(count)
            ]
        )
        return cls.env["g2p.entitlement"].create(
            [
                {
                    "partner_id": partner.id,
                    "cycle_id": (cycle or cls.cycle).id,
                    "initial_amount": amount,
                    "state": "approved",
                    "is_cash_entitlement": True,
                }
                for partner in partners
            ]
        )

    @classmethod
    def _sql(cls, query, *parameters):
        """What a hand on the database does: no rule of ours is asked."""
        cls.env.flush_all()
        cls.env.cr.execute(query, parameters)
        cls.env.invalidate_all()

    @staticmethod
    def _message(action):
        """The sentence that a button shows."""
        return action["params"]["message"]

    @classmethod
    def _payment_of_another_manager(cls, entitlement, **values):
        """As one that was there before these add-ons, or came past them."""
        payments = cls.env["g2p.payment"]
        with patch.object(type(payments), "_check_not_paid_by_a_gateway", lambda payments: None):
            return payments.create(
                {
                    "name": f"other-{entitlement.id}",
                    "entitlement_id": entitlement.id,
                    "cycle_id": entitlement.cycle_id.id,
                    "amount_issued": entitlement.initial_amount,
                    **values,
                }
            )

    @classmethod
    def _result(cls, payments, status, **values):
        """Payments of any manager get a result, or lose it, as if the payment system had said so."""
        before = payments._statuses()
        payments.sudo().write({"status": status, "status_is_final": bool(status), **values})
        payments._record_changes(before)

    @classmethod
    def _fail(cls, payments):
        cls._result(payments, "failed")

    def _jobs(self, batch):
        """The queue's jobs that send this batch."""
        return self.env["queue.job"].search(
            [("identity_key", "=like", f"g2p_payment_hub.send.{batch.id}.%")], order="id"
        )

    def _run(self, job):
        """What the queue's worker does."""
        return Job.load(self.env, job.uuid).perform()

    def _prepare(self, user=None):
        """What the Prepare button does, as a program manager; returns the batches it made."""
        Batch = self.env["g2p.payment.batch"]
        before = Batch.search([("cycle_id", "=", self.cycle.id)])
        cycle = self.cycle.with_user(user or self.manager_user)
        self.said = cycle.prepare_payment()
        return Batch.search([("cycle_id", "=", self.cycle.id)], order="id") - before

    def _approve(self, batches, user=None):
        batches.with_user(user or self.finance_user).action_approve()

    def _send(self, batches, user=None):
        """What the Send button does, with the job run at once."""
        as_user = batches.with_user(user or self.finance_user).with_context(queue_job__no_delay=True)
        for batch in as_user:
            batch.send_payment()

    def _prepared(self, count=1, **values):
        """The batch of new entitlements; `values` as for `_entitle`."""
        self._entitle(count, **values)
        return self._prepare()

    def _approved(self, count=1, **values):
        batch = self._prepared(count, **values)
        self._approve(batch)
        return batch

    def _sent(self, count=1, **values):
        """A batch that the hub has accepted."""
        batch = self._approved(count, **values)
        self._send(batch)
        return batch
