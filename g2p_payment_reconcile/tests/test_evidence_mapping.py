"""How a gateway's CSV files are read."""

import base64

from odoo.exceptions import ValidationError
from odoo.tests import Form, tagged

from .common_evidence import EvidenceCase


@tagged("post_install", "-at_install")
class TestMapping(EvidenceCase):
    def test_it_is_tried_on_a_sample(self):
        form = Form(self.mapping)
        form.sample = base64.b64encode(
            self._csv(self._row(reference="<b>R1"), self._row(reference="R2", status="Splendid"))
        )
        self.assertIn("&lt;b&gt;R1", form.sample_result)
        self.assertIn("Paid", form.sample_result)
        self.assertIn("does not say what this status means: Splendid", form.sample_result)
        form.status_column = "nonsense"
        self.assertIn("no column nonsense", form.sample_result)

    def test_a_word_means_one_thing(self):
        with self.assertRaisesRegex(ValidationError, "two things"):
            self.mapping.failed_words = "rejected, DONE"

    def test_the_signs_differ(self):
        with self.assertRaisesRegex(ValidationError, "same sign"):
            self.mapping.write({"decimal_sign": ",", "thousands_sign": "comma"})

    def test_a_status_has_its_words(self):
        with self.assertRaisesRegex(ValidationError, "which words"):
            self.mapping.write({"paid_words": False, "failed_words": False})

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
