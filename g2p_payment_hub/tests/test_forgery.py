from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..models import payment_batch_guard, payment_guard
from .common_rights import RightsCase

# Who may write them is OpenG2P's or Odoo's business, and they say nothing about money.
UNGUARDED = {
    "id",
    "create_uid",
    "create_date",
    "write_uid",
    "write_date",
    "message_main_attachment_id",
}


@tagged("post_install", "-at_install")
class TestForgery(RightsCase):
    """OpenG2P lets program managers and finance users write payments and batches: not those of a gateway,
    whatever they send over RPC."""

    FORGERS = ("manager", "finance", "admin")
    CONTEXTS = (
        {},
        {"su": True, "uid": 1},
        {"tracking_disable": True, "install_mode": True, "active_test": False},
    )

    def _forgers(self, record):
        for role in self.FORGERS:
            for context in self.CONTEXTS:
                yield role, record.with_user(self.users[role]).with_context(**context)

    def _denied(self, act, error=AccessError):
        with self.assertRaises(error), self.env.cr.savepoint():
            act()
            self.env.flush_all()

    def _stored_fields(self, model):
        """Names of the columns and relations of OpenG2P's model and ours."""
        ours = {"g2p_programs", "g2p_payment_hub", "g2p_payment_reconcile"}
        return {
            name
            for name, field in self.env[model]._fields.items()
            if field.store and ours & set(field._modules or ()) and name not in UNGUARDED
        }

    def test_every_field_is_guarded(self):
        self.assertLessEqual(self._stored_fields("g2p.payment"), payment_guard.GUARDED)
        self.assertLessEqual(self._stored_fields("g2p.payment.batch"), payment_batch_guard.GUARDED)

    def _same_value(self, record, name):
        return record._fields[name].convert_to_write(record[name], record)

    def test_payments_are_not_written(self):
        one = self._prepare().payment_ids[0]
        for role, forged in self._forgers(one):
            for name in payment_guard.GUARDED:
                with self.subTest(f"{role} {name}"):
                    self._denied(
                        lambda forged=forged, name=name: forged.write({name: self._same_value(one, name)})
                    )

    def test_batches_are_not_written(self):
        batch = self._prepare()
        for role, forged in self._forgers(batch):
            for name in payment_batch_guard.GUARDED:
                with self.subTest(f"{role} {name}"):
                    self._denied(
                        lambda forged=forged, name=name: forged.write({name: self._same_value(batch, name)})
                    )

    def test_not_by_way_of_the_other_side(self):
        """One2many and many2many commands of records that they may write."""
        batch = self._prepare()
        one = batch.payment_ids[0]
        update = Command.update(one.id, {"amount_issued": 900})
        for _role, forged in self._forgers(one.entitlement_id):
            self._denied(lambda forged=forged: forged.write({"payment_ids": [update]}))
        for _role, forged in self._forgers(batch):
            self._denied(lambda forged=forged: forged.write({"payment_ids": [update]}))
        for role in ("manager", "admin"):
            cycle = self.cycle.with_user(self.users[role])
            approve = Command.update(batch.id, {"batch_state": "approved"})
            self._denied(lambda cycle=cycle, approve=approve: cycle.write({"payment_batch_ids": [approve]}))

    def test_payments_and_batches_are_not_made(self):
        batch = self._prepare()
        self._fail(batch.payment_ids)
        entitlement = batch.payment_ids[0].entitlement_id
        values = {"entitlement_id": entitlement.id, "amount_issued": 1, "name": "forged"}
        for role, payments in self._forgers(self.env["g2p.payment"]):
            batches = self.env["g2p.payment.batch"].with_env(payments.env)
            gateway, state = {"gateway_id": self.gateway.id}, {"batch_state": "approved"}
            with self.subTest(role):
                self._denied(lambda payments=payments: payments.create({**values, **gateway}))
                self._denied(lambda payments=payments: payments.create({**values, "batch_id": batch.id}))
                self._denied(
                    lambda payments=payments: payments.with_context(
                        default_gateway_id=self.gateway.id, default_batch_id=batch.id
                    ).create(values)
                )
                self._denied(lambda batches=batches: batches.create({"name": "forged", **gateway}))
                self._denied(lambda batches=batches: batches.create({"name": "forged", **state}))
                self._denied(
                    lambda batches=batches: batches.with_context(
                        default_gateway_id=self.gateway.id, default_batch_state="approved"
                    ).create({"name": "forged"})
                )

    def test_payments_of_other_managers_do_not_become_ours(self):
        batch = self._prepare()
        other = self._payment_of_another_manager(self._entitle())
        other_batch = self.env["g2p.payment.batch"].create({"name": "other", "cycle_id": self.cycle.id})
        for _role, forged in self._forgers(other):
            self._denied(lambda forged=forged: forged.write({"gateway_id": self.gateway.id}))
            self._denied(lambda forged=forged: forged.write({"batch_id": batch.id}))
            in_the_place = {"reissue_of_id": batch.payment_ids[0].id}
            self._denied(lambda forged=forged, values=in_the_place: forged.write(values))
        for _role, forged in self._forgers(other_batch):
            self._denied(lambda forged=forged: forged.write({"gateway_id": self.gateway.id}))
            self._denied(lambda forged=forged: forged.write({"batch_state": "approved"}))

    def test_our_payments_do_not_get_into_batches_of_other_managers(self):
        """There they would be sent a second time."""
        ours = self._prepare().payment_ids
        other_batch = self.env["g2p.payment.batch"].create({"name": "other", "cycle_id": self.cycle.id})
        for _role, forged in self._forgers(other_batch):
            self._denied(lambda forged=forged: forged.write({"payment_ids": [Command.set(ours.ids)]}))
            self._denied(
                lambda forged=forged: forged.create(
                    {"name": "forged", "payment_ids": [Command.link(ours[0].id)]}
                )
            )
        for role in self.FORGERS:
            other_payment = self._payment_of_another_manager(self._entitle(), batch_id=other_batch.id)
            other_payment.with_user(self.users[role]).write({"account_number": "as before"})
            other_batch.with_user(self.users[role]).write({"external_batch_ref": "as before"})

    def test_openg2ps_wizard_takes_none_of_ours(self):
        batch = self._prepare()
        aside = batch.payment_ids[0]
        aside.sudo().account_number = False
        batch.with_user(self.manager_user).action_back_to_draft()
        batch.with_user(self.manager_user).action_set_problems_aside()
        self.assertFalse(aside.batch_id)
        wizard = (
            self.env["g2p.assign.payments.batch.wizard"]
            .with_user(self.users["manager"])
            .with_context(active_ids=aside.ids)
        )
        self._denied(lambda: wizard.create({}).assign_payment())

    def test_nothing_is_copied_or_deleted(self):
        batch = self._prepare()
        for role, forged in self._forgers(batch.payment_ids[0]):
            with self.subTest(role):
                self._denied(forged.copy)
                self._denied(lambda forged=forged: forged.copy({"gateway_id": False, "batch_id": False}))
                self._denied(forged.unlink, UserError)
        for role, forged in self._forgers(batch):
            with self.subTest(role):
                self._denied(forged.copy, UserError)
                self._denied(forged.unlink, UserError)
        self._denied(batch.payment_ids.sudo().unlink, UserError)
        self._denied(batch.sudo().unlink, UserError)

    def test_submissions_are_written_by_nobody(self):
        submission = self._sent().submission_ids
        values = {"batch_id": submission.batch_id.id, "gateway_id": self.gateway.id, "state": "accepted"}
        values.update(attempt=9, key="forged", filename="forged", digest="0", started_at="2026-01-01")
        for user in self.users.values():
            forged = submission.with_user(user).with_context(su=True)
            self._denied(lambda forged=forged: forged.create(values))
            self._denied(lambda forged=forged: forged.write({"state": "not_received"}))
            self._denied(forged.copy)
            self._denied(forged.unlink)
