"""How a gateway's CSV files are read."""

import runpy
from pathlib import Path

from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, tagged

from ..evidence import csv_file
from .common_evidence import HEADER, MAPPING, EvidenceCase


@tagged("post_install", "-at_install")
class TestMapping(EvidenceCase):
    def test_a_word_means_one_thing(self):
        with self.assertRaisesRegex(ValidationError, "two things"):
            self.mapping.failed_words = "rejected, DONE"

    def test_the_signs_differ(self):
        with self.assertRaisesRegex(ValidationError, "same sign"):
            self.mapping.write({"decimal_sign": ",", "thousands_sign": "comma"})

    def test_a_status_has_its_words(self):
        with self.assertRaisesRegex(ValidationError, "which words"):
            self.mapping.write({"paid_words": False, "failed_words": False})

    def test_a_status_counts_more_than_a_minus(self):
        first, second = self._sent(2).payment_ids.sorted("id")
        mapping = self._mapping(
            name="Wallet",
            amount_column=False,
            debit_column="out",
            debit_sign="negative",
            credit_column="in",
            currency_column=False,
            currency_id=self.env.ref("base.USD").id,
            remote_reference_column=False,
            payee_column=False,
            reason_code_column=False,
            reason_column=False,
            date_column=False,
        )
        rows = [f"{first.name},,-100.00,Rejected", f"{second.name},,-100.00,Done", "X,100.00,,Done"]
        text = "\n".join(["ref,in,out,status", *rows])
        evidence = self._upload(text.encode(), mapping=mapping)
        self.assertEqual(evidence.line_ids.sorted("id").mapped("status"), ["failed", "paid", "other"])
        self._apply(evidence)
        self.assertEqual((first.status, second.status), ("failed", "paid"))

    def test_how_a_payment_is_told_must_be_said(self):
        for values, sentence in (
            ({"status_column": False}, "how the file tells"),
            ({"amount_column": False}, "column of the amount"),
            ({"direction_column": "dc"}, "which words mean"),
            ({"kind_column": "type"}, "which kinds"),
            ({"out_words": "D", "in_words": "c, d"}, "two things"),
            ({"other_words": "done"}, "two things"),
            ({"header": "none", "column_count": 9}, "ref has to be a number from 1 to 9"),
        ):
            with self.subTest(sentence), self.assertRaisesRegex(ValidationError, sentence):
                self.mapping.copy({"name": f"{sentence} {values}", **values})

    def test_an_own_date_format_is_checked_and_shown(self):
        with self.assertRaisesRegex(ValidationError, r"%d\.%m cannot be used.*%d\.%m\.%Y reads 31\.12\.2026"):
            self.mapping.write({"date_format": "other", "date_format_other": "%d.%m"})
        with Form(self.mapping) as form:
            form.date_format = "other"
            form.date_format_other = "%d %b %y %H:%M"
            self.assertEqual(form.date_example, "31 Dec 26 23:59")
        evidence = self._upload(self._csv(self._row(reference="R1", day="2 Mar 26 14:05")))
        self.assertEqual(str(evidence.line_ids.happened_on), "2026-03-02")

    def test_a_ready_made_mapping_is_copied_to_be_changed(self):
        admin = self._user("admin_of_gateways", "g2p_payment_hub.group_gateway_admin")
        ready_made = self.env.ref("g2p_payment_reconcile.csv_mapping_mpesa").with_user(admin)
        with self.assertRaisesRegex(UserError, "Use for a Gateway"):
            ready_made.paid_words = "Failed"
        with self.assertRaisesRegex(ValidationError, "Choose the gateway"):
            ready_made.copy()
        action = ready_made.action_use()
        form = Form(self.env[MAPPING].with_user(admin).with_context(**action["context"]))
        form.gateway_id = self.gateway
        copied = form.save()
        self.assertEqual(copied.paid_words, "Completed")
        self.assertEqual(
            copied._csv_mapping(), self.env.ref("g2p_payment_reconcile.csv_mapping_mpesa")._csv_mapping()
        )
        copied.paid_words = "Done"

    def test_an_upgrade_keeps_what_a_mapping_means(self):
        statement = self._mapping(
            name="Old statement",
            status_column=False,
            paid_words=False,
            failed_words=False,
            returned_words=False,
            waiting_words=False,
            paid_sign="negative",
        )
        content = f"{HEADER}\nR1,,,-100.00,USD,,,,\nR2,,,100.00,USD,,,,\nR3,,,--1,USD,,,,".encode()
        result_file = self._csv(self._row(reference="R1"), self._row(reference="R2", amount="-1.00"))
        before = [
            csv_file.read(content, statement._csv_mapping()),
            csv_file.read(result_file, self.mapping._csv_mapping()),
        ]
        # As the columns are before the script runs: nothing but defaults in those that are new.
        self.env.flush_all()
        self.env.cr.execute("UPDATE g2p_payment_evidence_mapping SET paid_sign = 'none'")
        self.env.cr.execute(
            "UPDATE ir_rule SET domain_force = '[(''company_id'', ''in'', company_ids)]' WHERE id = %s",
            [self.env.ref("g2p_payment_reconcile.payment_evidence_mapping_company_rule").id],
        )
        (script,) = Path(__file__).parent.parent.glob("migrations/*.1.3.0/post-csv-mappings.py")
        runpy.run_path(str(script))["migrate"](self.env.cr, "17.0.1.2.0")
        self.env.invalidate_all()
        after = [
            csv_file.read(content, statement._csv_mapping()),
            csv_file.read(result_file, self.mapping._csv_mapping()),
        ]
        self.assertEqual(after, before)
        self.assertEqual([line.status and line.status.value for line in after[0]], ["paid", "other", None])
        self.assertEqual([line.status and line.status.value for line in after[1]], ["paid", None])
        ready_made = self.env[MAPPING].with_user(self.first).search([("gateway_id", "=", False)])
        self.assertTrue(ready_made, "the rule lets people see those that came with the add-on")

    def test_a_banks_statement_in_another_dialect(self):
        batch = self._sent(amount=1234)
        mapping = self._mapping(
            name="Bank",
            delimiter="semicolon",
            encoding="cp1252",
            decimal_sign=",",
            thousands_sign="point",
            date_format="%d.%m.%Y",
            skip_lines=1,
            reference_column="Zweck",
            remote_reference_column=False,
            payee_column=False,
            amount_column="Betrag",
            paid_sign="negative",
            currency_column=False,
            currency_id=self.env.ref("base.USD").id,
            status_column=False,
            paid_words=False,
            failed_words=False,
            returned_words=False,
            waiting_words=False,
            date_column="Tag",
            reason_code_column=False,
            reason_column=False,
        )
        text = f"Bänk\nTag;Zweck;Betrag\n{self.today:%d.%m.%Y};{batch.payment_ids.name};-1.234,00"
        self._apply(self._upload(text.encode("cp1252"), mapping=mapping))
        self.assertEqual((batch.payment_ids.status, batch.payment_ids.amount_paid), ("paid", 1234))
