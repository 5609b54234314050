"""Lines that name a payment of ours as a bank writes it."""

from odoo.tests import tagged

from odoo.addons.g2p_payment_hub.client.references import former_reference, is_well_formed

from .common_evidence import EvidenceCase


@tagged("post_install", "-at_install")
class TestSpelling(EvidenceCase):
    def _rename(self, payment, name):
        """As it was named before references had one case."""
        self._sql("UPDATE g2p_payment SET name = %s WHERE id = %s", name, payment.id)
        self.env.invalidate_all()
        return payment

    def _former(self, count=1):
        batch = self._sent(count)
        for payment in batch.payment_ids:
            self._rename(payment, former_reference("test", payment.id))
        return batch

    def _quoted(self, text, **values):
        return self._row(reference='"' + text.replace('"', '""') + '"', **values)

    def test_new_payments_have_references_that_banks_carry(self):
        batch = self._prepared(2)
        for payment in batch.payment_ids:
            self.assertTrue(is_well_formed(payment.name), payment.name)

    def test_any_writing_with_the_approved_amount_is_the_payment(self):
        writings = [
            lambda name, wrap=wrap, write=write: wrap.format(write(name))
            for wrap in ("{}", '="{}"', "'{}", "PAYMENT {} MARCH", "EREF+{}SVWZ+RENT")
            for write in (str.upper, str.lower, lambda name: f"{name[:7]}\n {name[7:]}", "-".join)
        ]
        for batch in (self._sent(len(writings)), self._former(len(writings))):
            payments = batch.payment_ids
            rows = [write(payment.name) for write, payment in zip(writings, payments, strict=True)]
            evidence = self._read(*map(self._quoted, rows))
            self.assertEqual(set(self._told(evidence)), {("matched", "reference", "pays")})
            self.assertEqual(evidence.line_ids.sorted("id").mapped("payment_id"), payments)
            self._apply(evidence)
            self.assertEqual(set(payments.mapped("status")), {"paid"})

    def test_reference_in_free_text_of_a_statement_is_found(self):
        batch = self._former(3)
        refs = "<Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>"
        names = batch.payment_ids.mapped("name")
        texts = (
            f"<RmtInf><Ustrd>CASH {names[0][:12]}</Ustrd><Ustrd>{names[0][12:]} AID</Ustrd></RmtInf>",
            "<RmtInf><Strd><CdtrRefInf><Ref>" + names[1].upper() + "</Ref></CdtrRefInf></Strd></RmtInf>",
            f"<AddtlTxInf>/ROC/{names[2]}//</AddtlTxInf>",
        )
        content = self._camt(*((f"NONREF{number}", "100.00", "DBIT", f"b{number}") for number in range(3)))
        for number, text in enumerate(texts):
            old = f"<Refs><EndToEndId>NONREF{number}</EndToEndId></Refs>".encode()
            content = content.replace(old, (refs + text).encode())
        evidence = self._upload(content, mapping=False)
        self.assertEqual(evidence.line_ids.sorted("id").mapped("payment_id"), batch.payment_ids)
        self._apply(evidence)
        self.assertEqual(set(batch.payment_ids.mapped("status")), {"paid"})

    def test_other_amount_in_another_spelling_is_a_doubt(self):
        batch = self._former()
        payment = batch.payment_ids
        for row in (
            self._row(reference=payment.name.upper(), amount="99.00"),
            self._row(reference=payment.name.upper(), amount="", status="Rejected"),
        ):
            evidence = self._read(row)
            self.assertEqual(self._told(evidence), [("unknown", False, "question")])
            self.assertEqual(evidence.line_ids.candidate_ids, payment)
            self._apply(evidence)
            self.assertFalse(payment.status)
            self.assertTrue(payment.attention)
        self.assertEqual(set(payment.exception_ids.mapped("type")), {"suspect"})
        self.assertFalse(self._prepare())

    def test_ambiguous_spelling_is_a_doubt_on_each_payment(self):
        batch = self._former(2)
        first, second = batch.payment_ids
        self._rename(second, first.name.swapcase())
        evidence = self._read(self._row(reference=first.name.lower()))
        line = evidence.line_ids
        self.assertEqual((line.match, line.payment_id.id, line.effect), ("unknown", False, "question"))
        self.assertEqual(line.candidate_ids, first + second)
        self._apply(evidence)
        for payment in (first, second):
            self.assertEqual((payment.status, payment.exception_ids.type), (False, "suspect"))
            self.assertIn(first.name, payment.attention)
        self.assertTrue(batch.activity_ids, "somebody is called")
        exact = self._read(self._row(first))
        self.assertEqual((exact.line_ids.match, exact.line_ids.payment_id), ("matched", first))

    def test_ambiguous_failed_payments_are_not_prepared_again(self):
        batch = self._former(2)
        first, second = batch.payment_ids
        self._rename(second, first.name.swapcase())
        self._apply(self._read(self._row(first, "Rejected"), self._row(second, "Rejected")))
        self.assertEqual((first.status, second.status), ("failed", "failed"))
        self._apply(self._read(self._row(reference=first.name.upper())))
        self.assertTrue(first.attention and second.attention)
        self.assertFalse(self._prepare())
        self.assertEqual((first.status, second.status), ("failed", "failed"))

    def test_slip_in_a_reference_is_a_doubt_and_no_match(self):
        batch = self._sent()
        payment = batch.payment_ids
        for number, reference in enumerate((payment.name[:-3], payment.name[:5] + "7" + payment.name[6:])):
            if reference == payment.name:
                continue
            evidence = self._read(self._row(reference=reference, tx=f"b{number}"))
            self.assertEqual(self._told(evidence), [("unknown", False, "question")])
            self.assertIn("almost", evidence.line_ids.why)
            self._apply(evidence)
            self.assertEqual((payment.status, payment.exception_ids[0].type), (False, "suspect"))
        self.assertFalse(self._prepare())

    def test_doubt_ends_with_the_result_to_the_letter(self):
        batch = self._sent()
        payment = batch.payment_ids
        self._apply(self._read(self._row(reference=payment.name[:-2])))
        self.assertTrue(payment.attention)
        self._apply(self._read(self._row(payment, tx="b1")))
        self.assertEqual((payment.status, payment.attention), ("paid", False))
        self.assertEqual(payment.exception_ids.decision, "settled")

    def test_doubt_told_once_more_is_no_other_exception(self):
        batch = self._sent()
        row = self._row(reference=batch.payment_ids.name[:-2], tx="b1")
        self._apply(self._read(row))
        self._apply(self._read(row, self._row(reference="x")))
        self.assertEqual(len(batch.payment_ids.exception_ids), 1)

    def test_payment_of_another_gateway_is_not_free_to_be_paid_again(self):
        other = self._gateway(name="Other")
        mapping = self._mapping(gateway_id=other.id)
        batch = self._sent()
        payment = batch.payment_ids
        self._apply(self._read(self._row(payment, "Rejected")))
        self._apply(self._upload(self._csv(self._row(payment)), gateway=other, mapping=mapping))
        self.assertTrue(payment.attention)
        self.assertFalse(self._prepare())

    def test_line_that_cannot_be_read_is_a_doubt_on_what_it_spells(self):
        batch = self._former()
        evidence = self._read(self._row(reference=batch.payment_ids.name.upper(), status="Splendid"))
        self.assertEqual(self._told(evidence), [("unknown", False, "question")])
        self._apply(evidence)
        self.assertTrue(batch.payment_ids.attention)

    def test_payee_of_a_payment_in_doubt_is_not_guessed(self):
        batch = self._sent()
        payment = batch.payment_ids
        evidence = self._read(
            self._row(reference=payment.name[:-1], tx="b1"),
            self._row(reference="", to=payment.account_number, tx="b2"),
        )
        self.assertEqual({told[0] for told in self._told(evidence)}, {"unknown"})
