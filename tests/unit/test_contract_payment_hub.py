"""Payment Hub EE as we understand it, acted out: our client against the simulator's process.

The cases are those that a client of ph-ee-bulk-processor v1.13.1 and ph-ee-operations-app v1.20.2 has to get
right; each test is named after its number. What a case asks of the models is tested with them: one upload at
a time (14), when to ask again and when to give up (15, 16, 20, 21, 24), approval and states (1, 17, 18), and
callbacks (25), which the client has no part in but to say where they may go.

The hub's clock stands still, and each test moves it: nothing here waits for the hub.
"""

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from loopback import unused_port
from process import HubSimulator

from g2p_payment_hub.client import csv_file, raw_json, signature
from g2p_payment_hub.client.auth import Credentials, TokenCache
from g2p_payment_hub.client.errors import GatewayError, NotSent, OutcomeUnknown, Reason, Refused
from g2p_payment_hub.client.http import HttpLimits
from g2p_payment_hub.client.instructions import BatchFile, Instruction, Payer
from g2p_payment_hub.client.outcomes import OutcomeStatus
from g2p_payment_hub.client.payment_hub import PaymentHub
from g2p_payment_hub.client.references import derived_reference
from g2p_payment_hub.client.settings import HubSettings

PAID, FAILED, WAITING, SUSPECT = (
    OutcomeStatus.PAID,
    OutcomeStatus.FAILED,
    OutcomeStatus.WAITING,
    OutcomeStatus.SUSPECT,
)
IMPORTED, ALL_DONE, LATER = 11, 60, 400
TIMES = ("--import-lag", 10, "--start-delay", 10, "--processing", 10, "--row-time", 10)
OTHER_TIMES = ("--repair", 100, "--slow", 200, "--late", 300)
OTHER_HUB = ("--redis-guard", "--importer", "older", "--request-file", "kept", "--authorization", "off")


class Bench:
    """A hub, our client for it, and a batch of the rows that a test wants."""

    def __init__(self, hub):
        self.hub = hub
        self.tokens = TokenCache()
        self.since = datetime.now(timezone.utc)

    def settings(self, **changes):
        info = self.hub.info
        credentials = {
            "tenant": info["tenant"],
            "username": info["username"],
            "password": info["password"],
            **changes.pop("credentials", {}),
        }
        values = {
            "bulk_url": info["bulk_url"],
            "operations_url": info["operations_url"],
            "signing_key": Path(info["client_private_key_file"]).read_text(),
            "hub_certificate": Path(info["hub_certificate_file"]).read_text(),
            "ca_bundle": Path(info["ca_file"]).read_text(),
            "limits": HttpLimits(connect=5, read=5, total=10),
            **changes,
        }
        return HubSettings(credentials=Credentials(**credentials), **values)

    def client(self, kind=PaymentHub, **changes):
        return kind(self.settings(**changes), self.tokens)

    def submit(self, batch, **changes):
        with self.client(**changes) as client:
            return client.submit(batch)

    def error(self, batch, **changes):
        with pytest.raises(GatewayError) as caught:
            self.submit(batch, **changes)
        return caught.value

    def find(self, batch, references, **changes):
        with self.client(**changes) as client:
            return client.find(batch, references, self.since)

    def told(self, receipt, references, **changes):
        """{reference: Outcome}; of rows that are told twice, the last."""
        with self.client(**changes) as client:
            pages = list(client.outcomes(receipt.reference, references))
        return {outcome.reference: outcome for page in pages for outcome in page}

    def statuses(self, receipt, references, **changes):
        """{reference: status} of our rows; nothing for one that the hub says nothing of."""
        told = self.told(receipt, references, **changes)
        return {reference: told[reference].status for reference in references if reference in told}

    def accepted(self, rows, mode="mojaloop", **changes):
        """A batch of these payees: (receipt, references), everything done at the hub."""
        batch, references = batch_of(rows, mode)
        receipt = self.submit(batch, payment_mode=mode, **changes)
        self.hub.clock(advance=ALL_DONE)
        return receipt, references

    def uploads(self):
        return len(self.hub.requests("batchtransactions"))


class Altered(PaymentHub):
    """A client with a fault: `changes` go over its headers, None takes one away."""

    changes = {}

    def _upload_headers(self, batch):
        headers = {**super()._upload_headers(batch), **self.changes}
        return {name: value for name, value in headers.items() if value is not None}


def altered(**changes):
    changes = {name.replace("_", "-"): value for name, value in changes.items()}
    return type("Altered", (Altered,), {"changes": changes})


def instructions_for(payees, program=1):
    return [
        Instruction(
            reference=derived_reference(program, payee, number),
            payee_identifier_type="MSISDN",
            payee_identifier=payee,
            amount=Decimal(10 + number),
            currency="USD",
            note="May 2026",
        )
        for number, payee in enumerate(payees)
    ]


def payees(count, *special):
    """Payees that are paid, and then those with a meaning of their own (see the simulator's README)."""
    return [f"277{number:05}9999" for number in range(count)] + [f"2772000{ending}" for ending in special]


def batch_of(rows, mode="mojaloop", name="B1-0a1b2c3d4e5f.csv", program=1):
    """(BatchFile, references) of payees, or of a text; another program has other references."""
    if isinstance(rows, str):
        return BatchFile(filename=name, correlation_id="11-22-33", content=rows), []
    instructions = instructions_for(rows, program)
    content = csv_file.render(instructions, Payer(identifier_type="MSISDN", identifier="123456789"), mode)
    batch = BatchFile(filename=name, correlation_id="11-22-33", content=content)
    return batch, [one.reference for one in instructions]


def some_rows(count):
    return [(f"r-{number}", payee, 10) for number, payee in enumerate(payees(count))]


def file_of(rows):
    """A file of (reference, payee, amount) rows that our client would not make."""
    lines = [
        f"{number},{reference},mojaloop,MSISDN,123456789,MSISDN,{payee},{amount},USD,note"
        for number, (reference, payee, amount) in enumerate(rows)
    ]
    return "\n".join([csv_file.HEADER, *lines])


@pytest.fixture(scope="module")
def processes():
    running = {}
    yield running
    for process in running.values():
        process.__exit__()


@pytest.fixture
def bench_with(processes):
    """Makes a Bench whose hub was started with these options."""

    def make(*options):
        if options not in processes:
            processes[options] = HubSimulator(*TIMES, *OTHER_TIMES, *options).start()
        hub = processes[options]
        hub.faults()
        hub.reset()
        hub.clock(freeze=True)
        return Bench(hub)

    return make


@pytest.fixture
def bench(bench_with):
    return bench_with()


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


class TestLostAnswers:
    LOSSES = [
        ({"fault": "accept_then_drop"}, Reason.CONNECTION_LOST),
        ({"fault": "slow", "seconds": 3}, Reason.TIMEOUT),
        ({"fault": "half_body"}, Reason.CONNECTION_LOST),
        ({"fault": "slow_drip", "seconds": 0.1}, Reason.TIMEOUT),
        ({"fault": "accept_then_answer", "status": 502, "body": "<html>"}, Reason.SERVER_ERROR),
        ({"fault": "accept_then_answer"}, Reason.TENANT),
        ({"fault": "invalid_json"}, Reason.FORGED),
        ({"fault": "bad_signature"}, Reason.FORGED),
        ({"fault": "no_signature"}, Reason.FORGED),
    ]
    IMPATIENT = HttpLimits(connect=2, read=0.5, total=1)

    @pytest.mark.parametrize(("fault", "reason"), LOSSES)
    def test_case_12_accepted_all_the_same(self, bench, fault, reason):
        batch, references = batch_of(payees(3))
        bench.hub.faults({**fault, "path": "batchtransactions"})
        error = bench.error(batch, limits=self.IMPATIENT)
        assert (type(error), error.reason) == (OutcomeUnknown, reason)
        assert bench.find(batch, references) is None  # not reported yet: who asks has to wait
        bench.hub.clock(advance=IMPORTED)
        receipt = bench.find(batch, references)
        assert receipt.reference == bench.hub.batches()[0]["batch_id"]
        bench.hub.clock(advance=ALL_DONE)
        assert set(bench.statuses(receipt, references).values()) == {PAID}
        assert (bench.uploads(), len(bench.hub.ledger())) == (1, 3)

    @pytest.mark.parametrize("mode", ["mojaloop", "gsma", "closedloop"])
    def test_case_12_split_and_so_without_its_name(self, bench, mode):
        """Rows name their sub-batches; the receipt has to name the batch."""
        bench.submit(batch_of(payees(12), mode, name="B2-0a1b2c3d4e5f.csv", program=2)[0], payment_mode=mode)
        batch, references = batch_of(payees(12), mode)
        bench.hub.faults({"fault": "accept_then_drop", "path": "batchtransactions"})
        assert isinstance(bench.error(batch, payment_mode=mode), OutcomeUnknown)
        bench.hub.clock(advance=ALL_DONE)
        ours = next(one for one in bench.hub.batches() if one["file_name"] == batch.filename)
        receipt = bench.find(batch, references, payment_mode=mode)
        assert receipt.reference == ours["batch_id"]
        found = bench.statuses(receipt, references, payment_mode=mode, trust_closed_loop=True)
        assert found == dict.fromkeys(references, PAID)

    def test_case_12_while_it_is_being_split(self, bench):
        """Neither name nor rows: it must not be called lost in this moment."""
        batch, references = batch_of(payees(12))
        bench.hub.plan(rows={"*": "never_appears"})
        bench.hub.faults({"fault": "accept_then_drop", "path": "batchtransactions"})
        bench.error(batch)
        bench.hub.clock(advance=ALL_DONE)
        with pytest.raises(OutcomeUnknown) as caught:
            bench.find(batch, references)
        assert caught.value.reason is Reason.AMBIGUOUS
        assert bench.hub.batches()[0]["batch_id"] in caught.value.detail

    def test_case_12_slcb_shows_no_rows(self, bench):
        batch, references = batch_of(payees(12), "slcb")
        bench.hub.faults({"fault": "accept_then_drop", "path": "batchtransactions"})
        bench.error(batch, payment_mode="slcb")
        bench.hub.clock(advance=LATER)
        assert len(bench.hub.ledger()) == 12
        with pytest.raises(OutcomeUnknown):
            bench.find(batch, references, payment_mode="slcb")

    def test_case_12_by_its_correlation_id(self, bench_with):
        bench = bench_with(*OTHER_HUB)
        batch, references = batch_of(payees(12))
        receipt = bench.submit(batch.model_copy(update={"filename": "renamed.csv"}))
        bench.hub.clock(advance=IMPORTED)
        assert bench.find(batch, references).reference == receipt.reference

    def test_case_12_waiting_for_its_authorization(self, bench):
        bench.hub.plan(batches={"11-22-33": {"authorization": "hold"}})
        batch, references = batch_of(payees(12))
        receipt = bench.submit(batch)
        bench.hub.clock(advance=LATER)
        assert bench.find(batch, references).reference == receipt.reference
        assert bench.statuses(receipt, references) == {}

    def test_case_13_never_arrived(self, bench):
        batch, references = batch_of(payees(3))
        bench.submit(batch_of(payees(8), name="B2-0a1b2c3d4e5f.csv", program=2)[0])
        bench.hub.faults({"fault": "drop_before", "path": "batchtransactions"})
        error = bench.error(batch)
        assert (type(error), error.reason) == (OutcomeUnknown, Reason.CONNECTION_LOST)
        for _turn in range(3):
            bench.hub.clock(advance=ALL_DONE)
            assert bench.find(batch, references) is None
        bench.submit(batch)
        bench.hub.clock(advance=ALL_DONE)
        assert len(bench.hub.ledger()) == 11

    @pytest.mark.parametrize("fault", ["empty_500", "html_500", "bad_gateway", "unavailable", "hang"])
    def test_case_13_answered_by_something_in_between(self, bench, fault):
        batch, references = batch_of(payees(3))
        bench.hub.faults({"fault": fault, "path": "batchtransactions", "seconds": 2})
        assert isinstance(bench.error(batch, limits=self.IMPATIENT), OutcomeUnknown)
        bench.hub.clock(advance=LATER)
        assert bench.find(batch, references) is None

    def test_not_sent_and_refused_leave_nothing_behind(self, bench):
        batch, references = batch_of(payees(3))
        bench.hub.faults({"fault": "rate_limited", "path": "batchtransactions"})
        assert isinstance(bench.error(batch), NotSent)
        bench.hub.faults({"fault": "redirect", "status": 307, "path": "batchtransactions"})
        assert isinstance(bench.error(batch), Refused)
        assert isinstance(bench.error(batch, bulk_url=f"https://127.0.0.1:{unused_port()}"), NotSent)
        assert isinstance(bench.error(batch, ca_bundle=""), NotSent)
        bench.hub.clock(advance=LATER)
        assert bench.find(batch, references) is None
        assert bench.hub.batches() == []

    def test_case_14_the_same_file_twice(self, bench):
        """The hub pays both; the client sends one, and calls two an alarm."""
        batch, references = batch_of(payees(3))
        receipts = {bench.submit(batch).reference, bench.submit(batch).reference}
        bench.hub.clock(advance=ALL_DONE)
        assert len(receipts) == 2 and len(bench.hub.ledger()) == 6
        with pytest.raises(OutcomeUnknown) as caught:
            bench.find(batch, references)
        assert caught.value.reason is Reason.AMBIGUOUS
        assert all(one in caught.value.detail for one in receipts)

    def test_case_14_twice_where_the_hub_remembers(self, bench_with):
        """There the second batch's rows never appear; that they are paid in the first is not its success."""
        bench = bench_with(*OTHER_HUB)
        batch, references = batch_of(payees(3))
        bench.submit(batch)
        second = bench.submit(batch)
        bench.hub.clock(advance=LATER)
        assert len(bench.hub.ledger()) == 3
        assert bench.statuses(second, references) == {}

    @pytest.mark.parametrize("fault", ["empty_500", "bad_gateway", "rate_limited", "expired_token"])
    @pytest.mark.parametrize("path", ["/batches", "/transfers", "/batch/detail"])
    def test_a_hub_that_cannot_tell_never_says_no(self, bench, fault, path):
        batch, references = batch_of(payees(12))
        bench.submit(batch)
        bench.hub.clock(advance=ALL_DONE)
        bench.hub.faults({"fault": fault, "path": path, "count": None})
        with pytest.raises(GatewayError):
            bench.find(batch, references)


class TestStatus:
    def test_case_15_nothing_to_see_yet(self, bench):
        """The hub's own word is COMPLETED for a batch of no rows."""
        batch, references = batch_of(payees(12))
        receipt = bench.submit(batch)
        assert bench.statuses(receipt, references) == {}
        bench.hub.clock(advance=IMPORTED)
        assert bench.statuses(receipt, references) == {}
        seen = 0
        for _turn in range(6):
            bench.hub.clock(advance=5)
            statuses = bench.statuses(receipt, references)
            assert len(statuses) >= seen and set(statuses.values()) <= {WAITING, PAID}
            paid = {reference for reference, status in statuses.items() if status is PAID}
            assert paid <= {entry["request_id"] for entry in bench.hub.ledger()}
            seen = len(statuses)
        assert 0 < seen <= 12

    def test_case_16_half_way(self, bench):
        """The hub's own word is Failed while rows are on their way."""
        batch, references = batch_of(payees(12))
        receipt = bench.submit(batch)
        bench.hub.clock(advance=36)
        statuses = list(bench.statuses(receipt, references).values())
        assert PAID in statuses and WAITING in statuses and FAILED not in statuses
        bench.hub.clock(advance=ALL_DONE)
        assert bench.statuses(receipt, references) == dict.fromkeys(references, PAID)

    def test_case_17_some_fail(self, bench):
        receipt, references = bench.accepted(payees(10, "0404", "0402"))
        told = bench.told(receipt, references)
        assert [told[reference].status for reference in references] == [PAID] * 10 + [FAILED] * 2
        codes = [told[reference].reason_code for reference in references[10:]]
        assert codes == ["PayeeNotFound", "PayerInsufficientBalance"]
        assert all(told[reference].reason for reference in references[10:])
        assert {entry["request_id"] for entry in bench.hub.ledger()} == set(references[:10])

    @pytest.mark.parametrize("ending", ["0600", "0601", "0602", "0603", "0604", "0605"])
    def test_case_17_failed_and_called_completed(self, bench, ending):
        receipt, references = bench.accepted(payees(1, ending))
        assert bench.statuses(receipt, references) == dict(zip(references, [PAID, SUSPECT], strict=True))
        trusting = bench.statuses(receipt, references, verify_completed=False)[references[1]]
        assert trusting is (SUSPECT if ending == "0600" else PAID)
        assert len(bench.hub.ledger()) == 1

    def test_case_18_duplicate_of_an_unsplit_batch(self, bench):
        rows = some_rows(2)
        batch, _none = batch_of(file_of([*rows, ("again", *rows[0][1:])]))
        receipt = bench.submit(batch)
        bench.hub.clock(advance=ALL_DONE)
        told = bench.told(receipt, ["r-0", "r-1", "again"])
        assert [told[name].status for name in ("r-0", "r-1", "again")] == [PAID, PAID, FAILED]
        assert told["again"].reason == "Duplicate transaction."

    def test_case_18_duplicate_of_a_split_batch(self, bench):
        """Listed nowhere with the batch."""
        rows = some_rows(12)
        batch, _none = batch_of(file_of([*rows, ("again", *rows[0][1:])]))
        receipt = bench.submit(batch)
        bench.hub.clock(advance=ALL_DONE)
        names = [row[0] for row in rows]
        assert bench.statuses(receipt, [*names, "again"]) == {**dict.fromkeys(names, PAID), "again": FAILED}

    def test_case_18_duplicate_under_a_name_of_its_own(self, bench_with):
        """Older importers give it one: it stays open, and is nobody's failure."""
        bench = bench_with(*OTHER_HUB)
        rows = some_rows(12)
        batch, _none = batch_of(file_of([*rows, ("again", *rows[0][1:])]))
        receipt = bench.submit(batch)
        bench.hub.clock(advance=ALL_DONE)
        names = [row[0] for row in rows]
        assert bench.statuses(receipt, [*names, "again"]) == dict.fromkeys(names, PAID)

    def test_case_18_we_never_make_one(self):
        rows = [*instructions_for(payees(1)), *instructions_for(payees(1))]
        rows[1] = rows[1].model_copy(update={"reference": "another"})
        with pytest.raises(ValueError):
            csv_file.render(rows, Payer(), "mojaloop")

    def test_case_19_decimal_amount(self, bench):
        """Never ends at the hub; so it never leaves us."""
        (one,) = instructions_for(payees(1))
        decimal = one.model_copy(update={"amount": Decimal("10.50")})
        assert csv_file.problems(decimal) == [csv_file.Problem.AMOUNT_DECIMALS]
        batch, _none = batch_of(file_of([*some_rows(5), ("decimal", "27713800001", "10.50")]))
        receipt = bench.submit(batch)
        bench.hub.clock(advance=LATER)
        statuses = bench.statuses(receipt, [f"r-{number}" for number in range(5)] + ["decimal"])
        assert "decimal" not in statuses

    def test_case_20_payment_mode_that_the_hub_does_not_know(self, bench):
        receipt, references = bench.accepted(payees(3), "carrierpigeon")
        bench.hub.clock(advance=LATER)
        assert bench.statuses(receipt, references) == {}
        assert bench.hub.ledger() == []

    def test_case_21_not_authorized(self, bench):
        """The hub's own word is COMPLETED for ever."""
        bench.hub.plan(batches={"11-22-33": {"authorization": "N"}})
        receipt, references = bench.accepted(payees(3))
        bench.hub.clock(advance=LATER)
        assert bench.statuses(receipt, references) == {}
        assert bench.hub.ledger() == []

    def test_accepted_and_never_heard_of_again(self, bench):
        bench.hub.plan(batches={"11-22-33": {"start": "never"}})
        receipt, references = bench.accepted(payees(3))
        bench.hub.clock(advance=LATER)
        assert bench.statuses(receipt, references) == {}

    @pytest.mark.parametrize("rows", [3, 12])
    def test_case_22_closed_loop(self, bench, rows):
        """COMPLETED is what the hub calls these rows, whether or not anybody was paid."""
        bench.hub.plan(rows={"*": {"like": "paid", "pays": None}})
        receipt, references = bench.accepted(payees(rows), "closedloop")
        assert bench.hub.ledger() == []
        held = bench.told(receipt, references, payment_mode="closedloop")
        assert {held[reference].status for reference in references} == {SUSPECT}
        assert {held[reference].reason_code for reference in references} == {"closed_loop"}
        trusted = bench.statuses(receipt, references, payment_mode="closedloop", trust_closed_loop=True)
        assert trusted == dict.fromkeys(references, PAID)

    def test_case_22_quoted_keys(self, bench):
        receipt, references = bench.accepted(payees(7, "0671"))
        assert bench.statuses(receipt, references) == dict.fromkeys(references, PAID)

    def test_case_22_keys_that_nobody_knows(self, bench):
        receipt, references = bench.accepted(payees(2, "0672"))
        assert bench.statuses(receipt, references) == dict.fromkeys(references[:2], PAID)

    def test_case_23_tokens(self, bench):
        batch, references = batch_of(payees(3))
        receipt = bench.submit(batch)
        grants = []
        for seconds in (ALL_DONE, 601, 43_300):
            bench.hub.clock(advance=seconds)
            assert bench.statuses(receipt, references) == dict.fromkeys(references, PAID)
            answered = [entry["status"] for entry in bench.hub.requests("/oauth/token")]
            grants.append(answered[sum(map(len, grants)) :])
        assert grants == [[200], [200], [400, 200]]

    def test_case_23_wrong_password(self, bench):
        receipt, references = bench.accepted(payees(3))
        with pytest.raises(Refused) as caught:
            bench.told(receipt, references, credentials={"password": "wrong"})
        assert caught.value.reason is Reason.LOGIN
        assert len(bench.hub.requests("/oauth/token")) == 1

    @pytest.mark.parametrize(
        "fault", ["empty_500", "html_500", "bad_gateway", "unavailable", "rate_limited", "redirect", "hang"]
    )
    @pytest.mark.parametrize("path", ["/batch/detail", "/oauth/token"])
    def test_case_24_operations_app_away_for_a_moment(self, bench, fault, path):
        receipt, references = bench.accepted(payees(3))
        bench.hub.faults({"fault": fault, "path": path, "seconds": 2})
        with pytest.raises(GatewayError):
            bench.told(receipt, references, limits=TestLostAnswers.IMPATIENT)
        assert bench.statuses(receipt, references) == dict.fromkeys(references, PAID)

    @pytest.mark.parametrize("fault", ["slow_drip", "half_body", "oversized_body", "invalid_json"])
    def test_case_24_answers_that_are_none(self, bench, fault):
        receipt, references = bench.accepted(payees(3))
        bench.hub.faults({"fault": fault, "path": "/batch/detail"})
        with pytest.raises(OutcomeUnknown):
            bench.told(receipt, references, limits=HttpLimits(connect=2, read=2, total=1.5))

    def test_case_24_incident_that_is_repaired(self, bench):
        receipt, references = bench.accepted(payees(0, "0620", "0622"))
        assert bench.statuses(receipt, references) == dict.fromkeys(references, WAITING)
        bench.hub.clock(advance=LATER)
        assert bench.statuses(receipt, references) == dict(zip(references, [PAID, FAILED], strict=True))

    def test_case_25_a_callback_is_no_evidence(self, bench):
        """All that the client does is to say where it may go."""
        batch, references = batch_of(payees(0, "0610", "0610"))
        receipt = bench.submit(batch.model_copy(update={"callback_url": "http://127.0.0.1:9/news/token"}))
        bench.hub.clock(advance=ALL_DONE)
        bench.hub.send_callback(batch_id=receipt.reference, rate=100)
        assert set(bench.statuses(receipt, references).values()) == {WAITING}
        assert bench.hub.requests("batchtransactions")[0]["headers"]["X-CallbackURL"]


class TestRows:
    """Outcomes that are nobody's case, and answers that are not quite the hub's."""

    @pytest.mark.parametrize(
        ("ending", "status"),
        [
            ("0408", SUSPECT),
            ("0409", SUSPECT),
            ("0599", FAILED),
            ("0610", WAITING),
            ("0611", WAITING),
            ("0612", WAITING),
            ("0613", WAITING),
            ("0621", WAITING),
            ("0641", WAITING),
            ("0660", PAID),
            ("0661", FAILED),
            ("0670", PAID),
        ],
    )
    def test_each(self, bench, ending, status):
        receipt, references = bench.accepted(payees(0, ending))
        assert bench.statuses(receipt, references) == {references[0]: status}

    @pytest.mark.parametrize("ending", ["0630", "0631"])
    def test_rows_that_never_appear(self, bench, ending):
        receipt, references = bench.accepted(payees(2, ending))
        assert bench.statuses(receipt, references) == dict.fromkeys(references[:2], PAID)

    @pytest.mark.parametrize("ending", ["0650", "0651", "0652"])
    def test_amount_and_currency_are_the_hub_s(self, bench, ending):
        receipt, references = bench.accepted(payees(0, ending))
        told = bench.told(receipt, references)[references[0]]
        expected = {"0650": (11, "USD"), "0651": (9, "USD"), "0652": (10, "XTS")}[ending]
        assert (told.amount, told.currency) == expected

    @pytest.mark.parametrize("fault", ["reorder", "duplicate_rows", "foreign_rows", "wrong_content_type"])
    def test_order_repetition_and_strangers_do_not_matter(self, bench, fault):
        receipt, references = bench.accepted(payees(10, "0404", "0610"))
        expected = bench.statuses(receipt, references)
        bench.hub.faults({"fault": fault, "path": "/batch/detail"})
        assert bench.statuses(receipt, references) == expected

    def test_half_a_page(self, bench):
        """What is missing is not failed; it is there the next time."""
        receipt, references = bench.accepted(payees(12))
        bench.hub.faults({"fault": "half_page", "path": "/batch/detail"})
        assert set(bench.statuses(receipt, references).values()) == {PAID}
        assert bench.statuses(receipt, references) == dict.fromkeys(references, PAID)

    def test_rows_of_two_batches_are_kept_apart(self, bench):
        one, ours = bench.accepted(payees(12))
        other, _none = batch_of(file_of([("theirs", "27720000404", 5)]), name="B2.csv")
        theirs = bench.submit(other)
        bench.hub.clock(advance=ALL_DONE)
        assert set(bench.told(one, ours)) == set(ours)
        assert set(bench.told(theirs, ["theirs"])) == {"theirs"}

    def test_an_earlier_attempt_s_rows(self, bench):
        """Paid then, and silent now: for a person. Failed then, and silent now: still open."""
        bench.accepted(payees(2, "0404"))
        batch, references = batch_of(payees(2, "0404"))
        bench.hub.plan(rows={reference: "never_appears" for reference in references[1:]})
        second = bench.submit(batch)
        bench.hub.clock(advance=ALL_DONE)
        assert bench.statuses(second, references) == {references[0]: PAID, references[1]: SUSPECT}

    def test_large_batch(self, bench):
        receipt, references = bench.accepted(payees(600))
        assert bench.statuses(receipt, references, verify_completed=False) == dict.fromkeys(references, PAID)


class TestConnection:
    def checks(self, bench, **changes):
        with bench.client(**changes) as client:
            return {check.name: (check.ok, check.reason) for check in client.check_connection()}

    def test_all_is_well(self, bench):
        checks = self.checks(bench)
        assert [ok for ok, _reason in checks.values()] == [True, True]
        assert list(checks) == ["bulk", "operations"]
        assert bench.hub.batches() == []

    @pytest.mark.parametrize(
        ("changes", "bulk", "operations"),
        [
            ({"credentials": {"password": "wrong"}}, None, Reason.LOGIN),
            ({"credentials": {"client_id": "wrong"}}, None, Reason.LOGIN),
            ({"credentials": {"tenant": "nowhere"}}, None, Reason.TENANT),
            ({"ca_bundle": ""}, Reason.TLS, Reason.TLS),
            ({"bulk_url": "https://no-such-host.invalid"}, Reason.NAME_NOT_FOUND, None),
            ({"operations_url": f"https://127.0.0.1:{unused_port()}"}, None, Reason.UNREACHABLE),
        ],
    )
    def test_what_is_wrong_is_named(self, bench, changes, bulk, operations):
        checks = self.checks(bench, **changes)
        assert checks == {"bulk": (bulk is None, bulk), "operations": (operations is None, operations)}

    def test_addresses_the_wrong_way_round(self, bench):
        info = bench.hub.info
        checks = self.checks(bench, bulk_url=info["operations_url"], operations_url=info["bulk_url"])
        assert [ok for ok, _reason in checks.values()] == [False, False]

    def test_key_that_the_hub_does_not_know(self, bench):
        from known_answer import KEY

        with bench.client(signing_key=KEY) as client:
            bulk, _operations = client.check_connection()
        assert (bulk.ok, bulk.reason, bulk.detail) == (False, Reason.SIGNATURE, "InvalidPublicKeyConfigured")

    def test_hub_that_checks_no_signatures(self, bench_with):
        """It would answer every file with nothing, and lose it."""
        bench = bench_with("--no-jws")
        assert self.checks(bench)["bulk"] == (False, Reason.SIGNATURE)
        assert isinstance(bench.error(batch_of(payees(3))[0], hub_certificate=""), OutcomeUnknown)
        assert bench.hub.batches() == []

    def test_clocks_apart(self, bench):
        bench.hub.clock(freeze=False)
        assert self.checks(bench)["bulk"][0]
        bench.hub.clock(skew=600)
        assert self.checks(bench)["bulk"] == (False, Reason.CLOCK)

    def test_operations_app_that_asks_for_no_user(self, bench_with):
        bench = bench_with("--no-auth")
        assert self.checks(bench, credentials={"username": ""})["operations"][0]
        assert bench.hub.requests("/oauth/token") == []


def test_since_has_a_time_zone_and_any_will_do(bench):
    batch, references = batch_of(payees(3))
    receipt = bench.submit(batch)
    bench.hub.clock(advance=IMPORTED)
    for hours in (-11, 0, 13):
        bench.since = datetime.now(timezone(timedelta(hours=hours)))
        assert bench.find(batch, references).reference == receipt.reference
