"""The cases of an upload: what the hub takes, and what it refuses."""

from decimal import Decimal

import pytest
from hub_bench import ALL_DONE, IMPORTED, LATER, PAID, altered, batch_of, instructions_for, payees

from g2p_payment_hub.client import csv_file, raw_json, signature
from g2p_payment_hub.client.errors import OutcomeUnknown, Reason, Refused
from g2p_payment_hub.client.instructions import BatchFile, Payer


class TestSubmission:
    def test_case_01_three_rows(self, bench):
        batch, references = batch_of(payees(3))
        receipt = bench.submit(batch)
        (known,) = bench.hub.batches()
        assert (receipt.reference, receipt.poll_after) == (known["batch_id"], 120)
        bench.hub.clock(advance=ALL_DONE)
        told = bench.told(receipt, references)
        assert {reference: told[reference].amount for reference in references} == {
            entry["request_id"]: Decimal(entry["amount"]) for entry in bench.hub.ledger()
        }
        assert {one.status for one in told.values()} == {PAID}
        assert {one.currency for one in told.values()} == {"USD"}

    @pytest.mark.parametrize("rows", [1, 12])
    def test_case_02_json(self, bench, rows):
        """No name of ours to find it by; its rows, and nothing else, tell that it is there."""
        payer = Payer(identifier_type="MSISDN", identifier="123456789")
        instructions = instructions_for(payees(rows))
        content = raw_json.render(instructions, payer, "mojaloop")
        batch = BatchFile(filename="B1-x.csv", correlation_id="11-22-33", content=content)
        references = [one.reference for one in instructions]
        receipt = bench.submit(batch, raw_json=True)
        bench.hub.clock(advance=IMPORTED)
        with pytest.raises(OutcomeUnknown):
            bench.find(batch, references, raw_json=True)
        bench.hub.clock(advance=ALL_DONE)
        assert bench.find(batch, references, raw_json=True).reference == receipt.reference
        assert set(bench.statuses(receipt, references).values()) == {PAID}
        assert len(bench.hub.ledger()) == rows

    @pytest.mark.parametrize("signed", [None, "", "bm9uZQ=="])
    def test_case_03_no_signature(self, bench, signed):
        error = bench.error(batch_of(payees(3))[0], kind=altered(X_SIGNATURE=signed))
        assert (type(error), error.reason) == (Refused, Reason.SIGNATURE)
        assert bench.hub.batches() == []

    def test_case_04_signature_over_other_data(self, bench):
        for header in ("X-CorrelationID", "Platform-TenantId"):
            error = bench.error(batch_of(payees(3))[0], kind=altered(**{header: "wakanda"}))
            assert (type(error), error.reason) == (Refused, Reason.SIGNATURE)
            assert "InvalidJsonWebSignature" in error.detail
        assert bench.hub.batches() == []

    def test_case_05_line_ends(self, bench):
        """The text that is approved is the text that both sides sign: any other does not leave."""
        batch, _references = batch_of(payees(3))
        windows = batch.model_copy(update={"content": batch.content.replace("\n", "\r\n") + "\r\n"})
        error = bench.error(windows)
        assert (type(error), error.reason) == (Refused, Reason.FILE)
        assert bench.uploads() == 0
        normal = windows.model_copy(update={"content": signature.normalised(windows.content)})
        assert normal == batch
        assert bench.submit(normal)

    @pytest.mark.parametrize("word", ["type", "raw", ""])
    def test_case_06_type_of_another_kind(self, bench, word):
        error = bench.error(batch_of(payees(3))[0], kind=altered(Type=word))
        assert (type(error), error.reason) == (Refused, Reason.CONFIGURATION)
        assert "File not uploaded" in error.detail
        assert bench.hub.batches() == []

    def test_case_07_column_that_the_hub_does_not_know(self, bench):
        batch, _references = batch_of(payees(3))
        content = batch.content.replace("payment_mode", "paymentmode")
        error = bench.error(batch.model_copy(update={"content": content}))
        assert (type(error), error.reason) == (Refused, Reason.FILE)
        assert "Invalid file structure" in error.detail

    def test_case_08_size(self, bench):
        batch, _references = batch_of(payees(1))
        full = batch.content + "x" * (csv_file.MAX_BYTES - len(batch.content))
        error = bench.error(batch.model_copy(update={"content": full + "x"}))
        assert (type(error), error.reason) == (Refused, Reason.FILE)
        assert "File too big" in error.detail
        assert bench.submit(batch.model_copy(update={"content": full}))
        assert len(bench.hub.batches()) == 1

    def test_case_09_rows_that_the_hub_cannot_read(self, bench):
        """It answers 200 with nothing, whatever it did; only asking tells that there is no batch."""
        batch, references = batch_of(payees(3))
        broken = batch.model_copy(update={"content": batch.content.replace(",10,USD", ",abc,USD")})
        error = bench.error(broken)
        assert (type(error), error.reason) == (OutcomeUnknown, Reason.NOT_UNDERSTOOD)
        bench.hub.clock(advance=LATER)
        assert bench.find(broken, references) is None

    def test_case_10_header_that_is_missing(self, bench):
        batch, references = batch_of(payees(3))
        error = bench.error(batch, kind=altered(Purpose=None))
        assert (type(error), error.reason) == (OutcomeUnknown, Reason.SERVER_ERROR)
        assert "Purpose" in error.detail
        bench.hub.clock(advance=LATER)
        assert bench.find(batch, references) is None

    def test_case_11_tenant_that_the_hub_does_not_know(self, bench):
        batch, references = batch_of(payees(3))
        unknown = {"tenant": "nowhere"}
        error = bench.error(batch, credentials=unknown)
        assert (type(error), error.reason) == (OutcomeUnknown, Reason.TENANT)
        for ask in (bench.find, bench.told):
            subject = batch if ask == bench.find else bench.submit(batch)
            with pytest.raises(Refused) as caught:
                ask(subject, references, credentials=unknown)
            assert caught.value.reason is Reason.TENANT

    def test_case_11_tenant_of_another(self, bench):
        """Another tenant's operations app answers, and knows nothing: that is no proof."""
        receipt, references = bench.accepted(payees(3))
        assert bench.statuses(receipt, references, credentials={"tenant": "wakanda"}) == {}
