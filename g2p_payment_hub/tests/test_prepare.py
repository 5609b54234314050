from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.queue_job.exception import RetryableJobError

from ..client import csv_file
from ..client.references import former_reference, is_well_formed
from ..models.payment_manager_prepare import LAST_FORMER
from .common import PaymentHubCase


@tagged("post_install", "-at_install")
class TestPrepare(PaymentHubCase):
    def test_prepare_makes_payments_and_a_batch_to_approve(self):
        entitlements = self._entitle(3, amount=120)
        batch = self._prepare()
        self.assertEqual(batch.batch_state, "to_approve", batch.check_result)
        payments = batch.payment_ids
        self.assertEqual(payments.entitlement_id, entitlements)
        self.assertEqual(payments.mapped("amount_issued"), [120, 120, 120])
        self.assertEqual(
            set(payments.mapped("account_number")), {"27713800000", "27713800001", "27713800002"}
        )
        self.assertEqual(payments.payment_currency_id.name, "USD")
        self.assertEqual(set(payments.mapped("state")), {"issued"})
        self.assertFalse(any(payments.mapped("status")))
        self.assertEqual(payments.batch_id, batch)
        self.assertEqual((batch.payment_count, batch.amount_total), (3, 360))
        self.assertEqual((batch.stats_issued_transactions, batch.stats_issued_amount), (3, 360))
        self.assertEqual(batch.prepared_by_id, self.manager_user)
        self.assertEqual(
            self._message(self.said),
            "Payments prepared: 3, in batches: 1. A finance validator can approve them now.",
        )

    def test_whole_road(self):
        batch = self._sent(3)
        self.assertEqual(batch.batch_state, "sent")
        self.assertEqual(batch.submission_ids.state, "accepted")
        self.assertEqual(self.hub.uploads, 1)

    def test_payments_are_a_snapshot(self):
        entitlement = self._entitle(amount=120)
        payment = self._prepare().payment_ids
        entitlement.initial_amount = 999
        entitlement.partner_id.phone_number_ids = [Command.create({"phone_no": "+27713899999"})]
        self.program.journal_id.currency_id = self.env.ref("base.EUR")
        self.env.flush_all()
        self.env.invalidate_all()
        instruction = payment._instruction("")
        self.assertEqual(instruction.payee_identifier, "27713800000")
        self.assertEqual((str(instruction.amount), instruction.currency), ("120.00", "USD"))

    def test_references_are_unique_and_fit_every_payment_system(self):
        self._entitle(5)
        references = self._prepare().payment_ids.mapped("name")
        self.assertEqual(len(set(references)), 5)
        for reference in references:
            self.assertRegex(reference, r"\A[A-Za-z0-9-]{1,24}\Z")

    def test_entitlements_of_before_the_upgrade_keep_the_former_kind(self):
        """A backup from before it, restored, gives a payment that was sent the name that the hub knows."""
        old = self._entitle(1)
        self.env["ir.config_parameter"].set_param(LAST_FORMER, old.id)
        new = self._entitle(1)
        self._prepare()
        root = self.gateway._reference_key()
        former = former_reference(root, "payment", old.id, old.code, 0)
        self.assertEqual(old.payment_ids.name, former)
        self.assertTrue(is_well_formed(new.payment_ids.name))

    def test_references_are_derived_and_not_drawn(self):
        entitlement = self._entitle()
        with self.env.cr.savepoint() as savepoint:
            first = self._prepare().payment_ids.name
            savepoint.rollback()
        self.env.invalidate_all()
        self.assertEqual(self._prepare().payment_ids.name, first)
        self.assertEqual(entitlement.payment_ids.name, first)

    def test_who_gets_the_id_of_another_after_a_restored_backup_is_somebody_else(self):
        """The payment system knows the other's payment by its reference, and would call this one paid."""
        entitlement = self._entitle()
        with self.env.cr.savepoint() as savepoint:
            first = self._prepare().payment_ids.name
            savepoint.rollback()
        self._sql("UPDATE g2p_entitlement SET code = 'made after the restore' WHERE id = %s", entitlement.id)
        self.assertNotEqual(self._prepare().payment_ids.name, first)

    def test_second_prepare_makes_nothing_and_says_so(self):
        entitlements = self._entitle(3)
        self._prepare()
        self.assertFalse(self._prepare())
        self.assertEqual(len(entitlements.payment_ids), 3)
        self.assertEqual(
            self._message(self.said),
            "There is nothing to prepare: every approved entitlement has its payment already.",
        )

    def test_only_failed_payments_are_prepared_again(self):
        entitlements = self._entitle(3)
        first = self._prepare().payment_ids
        self._fail(first[1])
        again = self._prepare().payment_ids
        self.assertEqual(again.entitlement_id, first[1].entitlement_id)
        self.assertNotIn(again.name, first.mapped("name"))
        self.assertEqual(len(entitlements.payment_ids), 4)
        self.assertEqual(first[1].status, "failed")

    def test_failed_payment_about_which_there_is_doubt_is_not_prepared_again(self):
        self._entitle()
        payment = self._prepare().payment_ids
        self._fail(payment)
        payment.sudo().attention = "The payment system now says paid."
        self.assertFalse(self._prepare())

    def test_references_stay_unique_when_payments_of_other_managers_come_and_go(self):
        entitlement = self._entitle()
        other = self._payment_of_another_manager(entitlement, status="failed")
        first = self._prepare().payment_ids
        self._fail(first)
        other.unlink()
        second = self._prepare().payment_ids
        self.assertEqual(second.entitlement_id, entitlement)
        self.assertNotEqual(second.name, first.name)

    def test_live_payment_of_another_manager_blocks(self):
        with_live, with_failed = self._entitle(2)
        self._payment_of_another_manager(with_live)
        self._payment_of_another_manager(with_failed, status="failed")
        self.assertEqual(self._prepare().payment_ids.entitlement_id, with_failed)

    def test_only_approved_entitlements_are_prepared(self):
        approved, draft = self._entitle(2)
        draft.state = "draft"
        self.assertEqual(self._prepare().payment_ids.entitlement_id, approved)

    def test_no_entitlement_is_approved(self):
        self._entitle(2).state = "pending_validation"
        self.assertFalse(self._prepare())
        self.assertIn("Approve the entitlements first", self._message(self.said))

    def test_cycle_is_not_approved(self):
        self._entitle()
        self.cycle.state = "to_approve"
        self.assertFalse(self._prepare())
        self.assertIn("The cycle is not approved", self._message(self.said))

    def test_the_manager_of_another_program_pays_nobody(self):
        """OpenG2P offers it all the same; it would pay in the currency of its own program."""
        theirs = self._program("Other")
        theirs.payment_managers = [Command.set(self.program.payment_managers.ids)]
        cycle = self._cycle(theirs, "Their Cycle")
        self._entitle(cycle=cycle)
        with self.assertRaisesRegex(UserError, "belongs to the program Zq Cash"):
            cycle.with_user(self.manager_user).prepare_payment()

    def test_nobody_is_paid_by_another_company_than_the_programs(self):
        """A program can be given to another company after its manager was chosen, or its batch prepared."""
        company = self.env["res.company"].create({"name": "Elsewhere"})
        self.manager_user.company_ids += company
        self._entitle()
        batch = self._prepare()
        self.program.company_id = company
        with self.assertRaisesRegex(UserError, "belongs to another company"):
            self._approve(batch)
        batch.with_user(self.manager_user).action_cancel()
        with self.assertRaisesRegex(UserError, "belongs to another company"):
            self._prepare()

    def test_cycle_is_locked(self):
        self._entitle()
        self.cycle.write({"locked": True, "locked_reason": "Copying beneficiaries."})
        self.assertFalse(self._prepare())
        self.assertIn("Copying beneficiaries.", self._message(self.said))

    def test_chosen_entitlements_only(self):
        entitlements = self._entitle(3)
        manager = self.manager.with_user(self.manager_user)
        manager.prepare_payments(self.cycle.with_user(self.manager_user), entitlements[:1])
        self.assertEqual(len(entitlements[:1].payment_ids), 1)
        self.assertFalse(entitlements[1:].payment_ids)

    def test_look_alikes_travel_in_different_batches(self):
        self._entitle(3, phone="+27713800000")
        batches = self._prepared(1, phone="+27713800000", amount=200)
        self.assertEqual(batches.mapped("payment_count"), [2, 1, 1])
        for batch in batches:
            amounts = batch.payment_ids.mapped("amount_issued")
            self.assertEqual(len(set(amounts)), len(amounts))
        self.assertEqual(set(batches.mapped("batch_state")), {"to_approve"})

    def test_batch_size(self):
        self.manager.batch_size = 2
        entitlements = self._entitle(5)
        batches = self._prepare()
        self.assertEqual(batches.mapped("payment_count"), [2, 2, 1])
        self.assertEqual(batches.payment_ids.entitlement_id, entitlements)
        self.assertEqual(len(set(batches.mapped("name"))), 3)

    def test_no_file_is_larger_than_the_hub_takes(self):
        self.gateway.phee_payment_mode = "closedloop"
        self.manager.write({"payee_field": "email", "payee_identifier_type": "EMAIL", "batch_size": 5000})
        entitlements = self._entitle(800)
        for number, partner in enumerate(entitlements.partner_id):
            partner.email = f"{number:04d}{'x' * 48}@pay.example"
        batches = self._prepare()
        self.assertEqual(sum(batches.mapped("payment_count")), 800)
        sizes = [len(batch._render().encode()) for batch in batches]
        self.assertEqual(len(sizes), 2)
        self.assertLessEqual(max(sizes), csv_file.MAX_BYTES)
        self.assertGreater(max(sizes), 0.9 * csv_file.MAX_BYTES)

    def test_one_monstrous_registrant_does_not_keep_the_others_waiting(self):
        self.manager.write({"payee_field": "email"})
        entitlements = self._entitle(2)
        entitlements[0].partner_id.email = "x" * 200_000 + "@pay.example"
        entitlements[1].partner_id.email = "b@pay.example"
        batches = self._prepare()
        self.assertEqual(batches.payment_ids.entitlement_id, entitlements)
        self.assertIn("too long", entitlements[0].payment_ids.check_problem)
        self.assertFalse(entitlements[1].payment_ids.check_problem)

    def test_queries_do_not_grow_with_entitlements(self):
        def queries(count):
            cycle = self._cycle(self.program, name=f"Cycle of {count}")
            self._entitle(count, cycle=cycle)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.manager.with_user(self.manager_user).prepare_payments(cycle.with_user(self.manager_user))
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        queries(5)  # whatever is cached at first
        few, many = queries(20), queries(200)
        # Odoo inserts 100 rows at a time.
        self.assertLess(many - few, 15, f"{few} queries for 20 entitlements, {many} for 200")

    def test_large_cycle_is_prepared_by_one_job_however_often_pressed(self):
        entitlements = self._entitle(3)
        with patch.object(type(self.manager), "MAX_ENTITLEMENTS_FOR_SYNC_PREPARE", 2):
            for _press in range(3):
                self.assertFalse(self._prepare())
                self.assertIn("3 payments are being prepared in the background", self._message(self.said))
        job = self._preparing()
        self.assertEqual(len(job), 1)
        self.assertEqual(job.channel, "root.g2p_payment_prepare")
        self._run(job)
        self._run(job)
        self.assertEqual(len(entitlements.payment_ids), 3)
        self.assertEqual(entitlements.payment_ids.batch_id.prepared_by_id, self.manager_user)
        said = " ".join(self.cycle.message_ids.mapped("body"))
        self.assertIn("Payments prepared: 3, in batches: 1.", said)

    def _job_of_a_large_cycle(self):
        self._entitle(3)
        with patch.object(type(self.manager), "MAX_ENTITLEMENTS_FOR_SYNC_PREPARE", 2):
            self._prepare()
        return self._preparing()

    def test_a_job_comes_back_when_somebody_else_prepares_the_cycle(self):
        job = self._job_of_a_large_cycle()
        busy = patch.object(type(self.manager), "_lock", side_effect=UserError("Try again in a minute."))
        with busy, self.assertRaises(RetryableJobError):
            self._run(job)
        self._run(job)
        self.assertTrue(self.cycle.payment_batch_ids)

    @mute_logger("odoo.addons.g2p_payment_hub.models.payment_manager_prepare")
    def test_a_job_that_prepared_nothing_says_so_on_the_cycle(self):
        """Nobody else would: whoever pressed the button has gone on."""
        for error, sentence in (
            (UserError("It belongs to another program."), "another program"),
            (KeyError("x"), "error of this server: KeyError"),
        ):
            with self.subTest(sentence), self.env.cr.savepoint() as savepoint:
                job = self._job_of_a_large_cycle()
                with patch.object(type(self.manager), "_payment_values", side_effect=error):
                    self._run(job)
                said = " ".join(self.cycle.message_ids.mapped("body"))
                self.assertIn("No payments were prepared", said)
                self.assertIn(sentence, said)
                savepoint.rollback()

    def test_who_has_no_e_mail_address_prepares_a_large_cycle(self):
        self.manager_user.partner_id.email = False
        self._run(self._job_of_a_large_cycle())
        self.assertEqual(self.cycle.payment_batch_ids.payment_count, 3)

    def _preparing(self):
        return self.env["queue.job"].search([("method_name", "=", "_prepare_job")], order="id")

    def test_a_job_for_others_of_the_cycle_is_a_job_of_its_own(self):
        """Those of whom people are told that they are being prepared are prepared."""
        some, others = self._entitle(2, phone=None), self._entitle(2, amount=50)
        manager = self.manager.with_user(self.manager_user)
        with patch.object(type(self.manager), "MAX_ENTITLEMENTS_FOR_SYNC_PREPARE", 1):
            for entitlements in (some, others):
                said = manager.prepare_payments(self.cycle.with_user(self.manager_user), entitlements)
                self.assertIn("2 payments are being prepared", self._message(said))
        jobs = self._preparing()
        self.assertEqual(len(jobs), 2)
        for job in jobs:
            self._run(job)
        self.assertEqual(len((some + others).payment_ids), 4)

    def test_finance_user_may_not_prepare(self):
        self._entitle()
        with self.assertRaises(AccessError):
            self.manager.with_user(self.finance_user).prepare_payments(self.cycle)

    @mute_logger("odoo.sql_db")
    def test_database_refuses_a_second_live_payment(self):
        self._entitle()
        payment = self._prepare().payment_ids
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            payment.sudo().copy({"name": "another", "gateway_id": payment.gateway_id.id})
            self.env.flush_all()

    @mute_logger("odoo.sql_db")
    def test_database_refuses_a_reference_twice(self):
        first, second = self._entitle(2)
        self._prepare()
        self._fail(second.payment_ids)
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            second.payment_ids.sudo().name = first.payment_ids.name
            self.env.flush_all()

    def test_installing_beside_duplicate_payments_of_other_managers(self):
        entitlement = self._entitle()
        for _time in range(2):
            self._payment_of_another_manager(entitlement, name="the same")
        self._sql("DROP INDEX g2p_payment_one_live_per_entitlement; DROP INDEX g2p_payment_unique_reference;")
        self.env["g2p.payment"].init()
        self._sql("SELECT indexname FROM pg_indexes WHERE tablename = 'g2p_payment'")
        indexes = {name for (name,) in self.env.cr.fetchall()}
        self.assertLessEqual(
            {"g2p_payment_one_live_per_entitlement", "g2p_payment_unique_reference"}, indexes
        )


@tagged("post_install", "-at_install")
class TestPayeeIdentifier(PaymentHubCase):
    def _payee(self, payee_field, partner, **values):
        """By which identifier this manager would pay this registrant."""
        self.manager.write({"payee_field": payee_field, **values})
        return self.manager.with_user(self.manager_user)._payee_identifiers(partner).get(partner.id, "")

    def _registrant(self, **values):
        return self.env["res.partner"].create({"name": "Amina", "is_registrant": True, **values})

    def test_newest_phone_number_that_is_enabled(self):
        partner = self._registrant(
            phone_number_ids=[
                Command.create({"phone_no": "+27713800001"}),
                Command.create({"phone_no": "+27713800002"}),
                Command.create({"phone_no": "+27713800003", "disabled": fields.Datetime.now()}),
            ]
        )
        self.assertEqual(self._payee("phone", partner), "27713800002")

    def test_no_phone_number(self):
        self.assertEqual(self._payee("phone", self._registrant(phone="+27713800001")), "")

    def test_first_bank_account_by_sequence(self):
        partner = self._registrant(
            bank_ids=[
                Command.create({"acc_number": "222 222", "sequence": 2}),
                Command.create({"acc_number": "111 111", "sequence": 1}),
            ]
        )
        self.assertEqual(self._payee("bank_account", partner), "111111")

    def _account(self, number, country, bic):
        bank = self.env["res.bank"].create({"name": bic, "bic": bic, "country": self.env.ref(country).id})
        return Command.create({"acc_number": number, "bank_id": bank.id, "sequence": 1})

    def test_iban_of_the_first_account(self):
        partner = self._registrant(bank_ids=[self._account("532013000", "base.de", "37040044")])
        self.assertEqual(self._payee("iban", partner), "DE89370400440532013000")

    def test_iban_that_openg2p_cannot_compute_is_a_payee_without_identifier(self):
        partner = self._registrant(bank_ids=[self._account("1000123", "base.et", "CBETETAA")])
        with self.assertRaises(Exception):  # noqa: B017  # schwifty's, or the stand-in's
            partner.bank_ids.mapped("iban")
        self.assertEqual(self._payee("iban", partner), "")

    def test_email(self):
        self.assertEqual(
            self._payee("email", self._registrant(email="amina@pay.example")), "amina@pay.example"
        )
        self.assertEqual(self._payee("email", self._registrant()), "")

    def _identified(self, **values):
        id_type = self.env["g2p.id.type"].create({"name": "National ID of a test"})
        other_type = self.env["g2p.id.type"].create({"name": "Ration card of a test"})
        partner = self._registrant(
            reg_ids=[
                Command.create({"id_type": other_type.id, "value": "R-1"}),
                Command.create({"id_type": id_type.id, "value": " N-7 ", **values}),
            ]
        )
        return self._payee("reg_id", partner, payee_id_type_id=id_type.id)

    def test_registrant_id(self):
        tomorrow = fields.Date.add(fields.Date.today(), days=1)
        self.assertEqual(self._identified(status="valid", expiry_date=tomorrow), "N-7")

    def test_registrant_id_without_status_or_date(self):
        self.assertEqual(self._identified(), "N-7")

    def test_expired_registrant_id(self):
        yesterday = fields.Date.subtract(fields.Date.today(), days=1)
        self.assertEqual(self._identified(expiry_date=yesterday), "")

    def test_invalid_registrant_id(self):
        self.assertEqual(self._identified(status="invalid"), "")
