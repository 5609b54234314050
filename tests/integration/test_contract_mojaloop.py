"""What was agreed with Mojaloop, case by case, through our client and Mojaloop's own scheme adapter.

The number of a case is in its name. The hub and the payees' banks are Mojaloop's Testing Toolkit, and what it
took is the ledger that counts; which payee goes how is in tests/simulators/mojaloop_peers/payees.py. Number
24 needs a newer adapter than npm has: here it is refused; the rest is in tests/unit/mojaloop/test_bulk.py.
"""

import contextlib
import http.client
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from urllib.parse import urlsplit

import plain_addons  # noqa: F401
import pytest
from peers import MojaloopPeers, payee, usual_payee

from odoo.addons.g2p_mojaloop_connector.client import grammar
from odoo.addons.g2p_mojaloop_connector.client.bodies import order_of
from odoo.addons.g2p_mojaloop_connector.client.bulk import BulkItem, bulk_ids
from odoo.addons.g2p_mojaloop_connector.client.catalogue import StepFailed, Verdict
from odoo.addons.g2p_mojaloop_connector.client.connector import Connector
from odoo.addons.g2p_mojaloop_connector.client.ids import transfer_ids
from odoo.addons.g2p_mojaloop_connector.client.parties import Party, Payee
from odoo.addons.g2p_mojaloop_connector.client.settings import ConnectorSettings, limits_for
from odoo.addons.g2p_mojaloop_connector.client.transfer_state import TransferState, state_of
from odoo.addons.g2p_payment_hub.client.errors import GatewayError, NotSent, OutcomeUnknown, Reason, Refused
from odoo.addons.g2p_payment_hub.client.http import HttpLimits
from odoo.addons.g2p_payment_hub.client.instructions import Instruction
from odoo.addons.g2p_payment_hub.client.outcomes import SAME_DATA_MAY_WORK, FailureType

STEP_SECONDS = 2
EXPIRY_SECONDS = 6
GRACE = timedelta(seconds=2)


def now():
    return datetime.now(timezone.utc)


def settings_for(peers, **changes):
    values = {
        "url": peers.info["connector_url"],
        "dfsp_id": peers.info["dfsp"],
        "payer": Party(id_type="ACCOUNT_ID", id_value="12345", display_name="José & Co"),
        "step_timeout": STEP_SECONDS,
        "limits": limits_for(STEP_SECONDS, two_phase=True),
        "expiry_seconds": EXPIRY_SECONDS,
        **changes,
    }
    return ConnectorSettings(**values)


@pytest.fixture
def connector(peers):
    with Connector(settings_for(peers)) as connector:
        yield connector


@pytest.fixture
def two_phase(peers):
    """The same adapter, which waits until its quote is accepted."""
    with Connector(settings_for(peers, two_phase=True)) as connector:
        yield connector


class Payment:
    """One attempt at a payment, step by step; `state` is what is known by now."""

    def __init__(self, connector, identifier, attempt=1, **changes):
        self.connector = connector
        values = {"amount": Decimal(100), "currency": "USD", "payee_identifier_type": "MSISDN", **changes}
        asked = Instruction(reference=f"P{identifier}", payee_identifier=identifier, **values)
        self.instruction, self.changes = grammar.normalised(asked)
        self.ids = transfer_ids(self.instruction.reference, attempt)

    def offered(self):
        self.payee, self.quote = self.connector.offer(self.instruction, self.ids, now())
        return self

    def sent(self):
        """Offered, written down and sent."""
        self.offered()
        self.body = self.connector.transfer_body(self.quote, now())
        return self.told(self.connector.transfer, self.body)

    def asked(self):
        return self.told(self.connector.ask, self.quote.transfer_id)

    def resent(self):
        return self.told(self.connector.resend, self.body)

    def told(self, method, argument):
        try:
            self.said = method(argument)
        except (StepFailed, GatewayError) as error:
            self.said = error
        return self

    @property
    def state(self):
        return state_of(self.said, order_of(self.body), now(), GRACE)


def failure_of(payment, kind=StepFailed):
    """The error with which it ends before any transfer."""
    with pytest.raises(kind) as caught:
        payment.offered()
    return caught.value


def posted(peers, resource):
    return [row["body"] for row in peers.requests("post", f"/{resource}")]


def transfer_ids_at(peers):
    return [body["transferId"] for body in posted(peers, "transfers")]


def test_01_a_valid_payment_is_paid(peers, connector):
    payment = Payment(connector, usual_payee()).sent()
    assert payment.state is TransferState.PAID
    assert transfer_ids_at(peers) == [payment.ids.transfer_id]
    row = peers.payments()[payment.ids.transfer_id]
    assert (row["amount"], row["currency"], row["payee"]) == ("100", "USD", usual_payee())


class Test02Amounts:
    @pytest.mark.parametrize(
        ("amount", "sent"),
        [("100.00", "100"), ("1.10", "1.1"), ("0.10", "0.1"), ("1E+2", "100"), ("4.35", "4.35")],
    )
    def test_02_one_way_to_write_them(self, peers, connector, amount, sent):
        payment = Payment(connector, usual_payee(), amount=Decimal(amount)).sent()
        assert payment.state is TransferState.PAID
        assert posted(peers, "quotes")[0]["amount"]["amount"] == sent
        assert posted(peers, "transfers")[0]["amount"] == {"currency": "USD", "amount": sent}

    @pytest.mark.parametrize("amount", ["0", "-1", "0.00001", "1234567890123456789"])
    def test_02_what_is_none_never_leaves(self, peers, connector, amount):
        payment = Payment(connector, usual_payee(), amount=Decimal(amount))
        assert grammar.problems(payment.instruction)
        payment.payee = connector.lookup("MSISDN", usual_payee())
        with pytest.raises(ValueError):
            connector.quote(payment.payee, payment.instruction, payment.ids, now())
        assert not posted(peers, "quotes")


class Test03NamesAndNotes:
    def test_03_the_payers_name_is_made_sendable(self, peers, connector):
        assert Payment(connector, usual_payee()).sent().state is TransferState.PAID
        assert posted(peers, "quotes")[0]["payer"]["name"] == "Jose Co"

    @pytest.mark.parametrize(
        ("note", "sent"),
        [("José & Co 😀 \u2028", "José & Co 😀"), ("x" * 129, "x" * 128), ("", None), ("a\nb", "a b")],
    )
    def test_03_notes(self, peers, connector, note, sent):
        payment = Payment(connector, usual_payee(), note=note).sent()
        assert payment.state is TransferState.PAID
        assert posted(peers, "quotes")[0].get("note") == sent
        assert bool(payment.changes) == (note != (sent or ""))


@pytest.mark.parametrize("written", ["+{}", " {} ", "+{:.4} {:.2}"])
def test_04_phone_numbers_are_sent_in_one_form(peers, connector, written):
    number = usual_payee()
    spaced = (
        f"+{number[:2]} {number[2:5]}-{number[5:]}" if written.startswith("+{:") else written.format(number)
    )
    payment = Payment(connector, spaced).sent()
    assert payment.state is TransferState.PAID
    assert [row["path"] for row in peers.requests("get", "/parties")] == [f"/parties/MSISDN/{number}"]
    assert payment.payee.id_value == number


def test_05_nobody_has_this_identifier(peers, connector):
    failure = failure_of(Payment(connector, payee("not_found")))
    assert (failure.verdict, failure.failure_type) == (Verdict.FAILED, FailureType.PAYEE_UNKNOWN)
    assert not posted(peers, "quotes")


def test_06_a_look_up_without_an_answer_may_be_made_again(peers, connector):
    peers.silence()
    error = failure_of(Payment(connector, usual_payee()), OutcomeUnknown)
    assert error.reason is Reason.TIMEOUT
    peers.silence(False)
    assert Payment(connector, usual_payee(), attempt=2).sent().state is TransferState.PAID
    assert len(transfer_ids_at(peers)) == 1


def test_07_a_rejected_quote(peers, connector):
    failure = failure_of(Payment(connector, payee("quote_rejected")))
    assert (failure.code, failure.verdict) == ("5103", Verdict.FAILED)
    assert not transfer_ids_at(peers)


def test_08_a_quote_without_an_answer_may_be_asked_for_again(peers, connector):
    first = Payment(connector, usual_payee())
    found = connector.lookup("MSISDN", usual_payee())
    peers.silence()
    with pytest.raises(OutcomeUnknown):
        connector.quote(found, first.instruction, first.ids, now())
    peers.silence(False)
    second = Payment(connector, usual_payee(), attempt=2).sent()
    assert second.state is TransferState.PAID
    assert [body["quoteId"] for body in posted(peers, "quotes")] == [first.ids.quote_id, second.ids.quote_id]
    assert transfer_ids_at(peers) == [second.ids.transfer_id]


class Test09Fees:
    def test_09_above_the_limit(self, peers, connector):
        payment = Payment(connector, payee("large_fee_on_top")).offered()
        assert (payment.quote.payer_fee, payment.quote.fee) == (50, 50)
        assert payment.quote.exceeds(Decimal(10))
        connector.decline(payment.quote)
        assert not transfer_ids_at(peers)

    def test_09_declined_in_two_phases(self, peers, two_phase):
        payment = Payment(two_phase, payee("large_fee_on_top")).offered()
        assert payment.quote.exceeds(limit_percent=Decimal(10))
        two_phase.decline(payment.quote)
        assert not transfer_ids_at(peers)

    def test_09_below_the_limit(self, peers, connector):
        payment = Payment(connector, payee("fee_on_top"))
        assert payment.sent().state is TransferState.PAID
        assert not payment.quote.exceeds(Decimal(2))
        assert peers.payments()[payment.ids.transfer_id]["amount"] == "102"

    @pytest.mark.parametrize(
        "name", ["fee_of_payee", "quote_of_less", "quote_in_other_currency", "quote_expired"]
    )
    def test_09_an_offer_for_something_else(self, peers, connector, name):
        failure = failure_of(Payment(connector, payee(name)))
        assert failure.verdict is (Verdict.NEW_QUOTE if name == "quote_expired" else Verdict.FAILED)
        assert not transfer_ids_at(peers)


def test_10_a_rejected_transfer(peers, connector):
    payment = Payment(connector, payee("rejected")).sent()
    assert (payment.state, payment.said.code, payment.said.verdict) == (
        TransferState.FAILED,
        "5104",
        Verdict.FAILED,
    )
    assert not peers.payments()


def test_11_no_liquidity_pauses_the_batch(peers, connector):
    first = Payment(connector, payee("payer_without_money")).sent()
    assert (first.state, first.said.verdict) == (TransferState.FAILED, Verdict.PAUSE_BATCH)
    assert first.said.failure_type in SAME_DATA_MAY_WORK
    second = Payment(connector, payee("payer_without_money"), attempt=2).sent()
    assert transfer_ids_at(peers) == [first.ids.transfer_id, second.ids.transfer_id]
    assert len(set(transfer_ids_at(peers))) == 2


def test_12_no_answer_but_paid(peers, connector):
    payment = Payment(connector, payee("unanswered_but_committed")).sent()
    assert payment.state is TransferState.WAITING
    assert payment.asked().state is TransferState.PAID
    assert transfer_ids_at(peers) == [payment.ids.transfer_id]


class Test13Unknown:
    def test_13_before_its_expiry_the_same_bytes_go_again(self, peers, connector):
        payment = Payment(connector, payee("lost_once")).sent()
        assert payment.state is TransferState.WAITING
        assert payment.asked().state is TransferState.RESEND
        assert payment.resent().state is TransferState.PAID
        first, second = posted(peers, "transfers")
        assert first == second
        assert list(peers.payments()) == [payment.ids.transfer_id]

    def test_13_after_its_expiry_it_never_happened(self, peers, connector, eventually):
        payment = Payment(connector, payee("lost_always")).sent()
        assert payment.asked().state is TransferState.RESEND
        eventually(lambda: payment.asked().state is TransferState.WAITING, EXPIRY_SECONDS + 5)
        eventually(lambda: payment.asked().state is TransferState.NEVER_HAPPENED, GRACE.total_seconds() + 5)
        assert transfer_ids_at(peers) == [payment.ids.transfer_id]
        assert not peers.payments()

    def test_13_the_hub_let_it_expire(self, peers, connector):
        payment = Payment(connector, payee("unanswered_and_expired")).sent()
        assert (payment.asked().state, payment.said.code) == (TransferState.FAILED, "3303")
        assert not peers.payments()


def test_14_completed_and_aborted_is_not_paid(peers, connector):
    payment = Payment(connector, payee("aborted")).sent()
    assert (payment.said.state, payment.state) == ("ABORTED", TransferState.FAILED)
    assert not peers.payments()


def test_15_reserved_is_not_paid_yet(peers, connector):
    payment = Payment(connector, payee("reserved_then_committed")).sent()
    assert (payment.said.state, payment.state) == ("RESERVED", TransferState.WAITING)
    assert payment.asked().state is TransferState.PAID
    assert Payment(connector, payee("reserved_for_ever")).sent().asked().state is TransferState.WAITING
    assert Payment(connector, payee("reserved_then_aborted")).sent().asked().state is TransferState.FAILED


def test_16_aborted_when_it_is_asked_for(peers, connector):
    payment = Payment(connector, payee("unanswered_and_aborted")).sent()
    assert payment.state is TransferState.WAITING
    assert (payment.asked().said.state, payment.state) == ("ABORTED", TransferState.FAILED)
    assert not peers.payments()


def test_17_a_fulfilment_that_does_not_fit_is_for_a_person(peers, connector):
    payment = Payment(connector, payee("wrong_fulfilment")).sent()
    assert (payment.said.state, payment.state) == ("COMMITTED", TransferState.SUSPECT)
    assert payment.asked().state is TransferState.SUSPECT


def test_18_a_client_that_died_finds_its_transfer(peers, connector, eventually):
    """Its socket is closed; the scheme adapter goes on. Asked before it is done, it would have two callbacks
    about one transfer at a time, which it does not bear."""
    payment = Payment(connector, usual_payee()).offered()
    payment.body = connector.transfer_body(payment.quote, now())
    address = urlsplit(peers.info["connector_url"])
    dying = http.client.HTTPConnection(address.hostname, address.port)
    dying.request("POST", "/simpleTransfers", payment.body.encode(), {"Content-Type": "application/json"})
    dying.close()
    eventually(lambda: peers.callbacks(f"/transfers/{payment.ids.transfer_id}"), 10)
    with Connector(settings_for(peers)) as restarted:
        again = Payment(restarted, usual_payee())
        assert again.ids == payment.ids
        assert payment.told(restarted.ask, again.ids.transfer_id).state is TransferState.PAID
    assert transfer_ids_at(peers) == [payment.ids.transfer_id]


def test_19_the_same_payment_sent_twice_at_once_is_one_transfer(peers, connector):
    payment = Payment(connector, usual_payee()).offered()
    payment.body = connector.transfer_body(payment.quote, now())

    def send():
        with Connector(settings_for(peers)) as another:
            Payment.told(payment, another.transfer, payment.body)

    threads = [threading.Thread(target=send) for _turn in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Four callbacks under one name may have deafened this version: then nothing is known yet.
    assert payment.asked().state in (TransferState.PAID, TransferState.WAITING)
    assert set(transfer_ids_at(peers)) == set(peers.payments()) == {payment.ids.transfer_id}


class Test20TwoPhases:
    def test_20_accepted(self, peers, two_phase):
        payment = Payment(two_phase, usual_payee()).offered()
        assert not transfer_ids_at(peers)
        payment.body = two_phase.transfer_body(payment.quote, now())
        assert payment.told(two_phase.transfer, payment.body).state is TransferState.PAID
        assert transfer_ids_at(peers) == [payment.ids.transfer_id]
        assert payment.asked().state is TransferState.PAID

    def test_20_ids_are_ours(self, peers, two_phase):
        """18.0.2 takes the id that it is given, although its API does not tell of it."""
        payment = Payment(two_phase, usual_payee()).sent()
        assert payment.state is TransferState.PAID
        assert list(peers.payments()) == [payment.ids.transfer_id]

    def test_20_begun_again_it_is_the_same_transfer(self, peers, two_phase):
        """Whoever began it has died before the quote was written down."""
        Payment(two_phase, usual_payee()).offered()
        assert Payment(two_phase, usual_payee()).sent().state is TransferState.PAID
        assert len(posted(peers, "quotes")) == 2
        assert len(transfer_ids_at(peers)) == len(peers.payments()) == 1

    def test_20_asked_for_it_is_accepted_no_more(self, peers, two_phase):
        """What this version learns from the hub takes the place of the quote that it kept."""
        payment = Payment(two_phase, usual_payee()).offered()
        payment.body = two_phase.transfer_body(payment.quote, now())
        assert payment.asked().said.code == "3208"
        assert payment.told(two_phase.transfer, payment.body).state is TransferState.WAITING
        assert not transfer_ids_at(peers)
        assert payment.sent().state is TransferState.PAID
        assert list(peers.payments()) == [payment.ids.transfer_id]

    def test_20_accepted_again(self, peers, two_phase):
        payment = Payment(two_phase, usual_payee()).sent()
        assert payment.told(two_phase.transfer, payment.body).state is TransferState.PAID
        assert transfer_ids_at(peers) == [payment.ids.transfer_id]

    def test_20_given_up_by_the_adapter(self, peers, two_phase):
        """It answers 204 then: ask."""
        payment = Payment(two_phase, payee("unanswered_but_committed")).sent()
        assert payment.state is TransferState.WAITING
        assert payment.told(two_phase.transfer, payment.body).state is TransferState.WAITING
        assert payment.asked().state is TransferState.PAID
        assert transfer_ids_at(peers) == [payment.ids.transfer_id]

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("rejected", "failed"),
            ("aborted", "waiting"),
            ("reserved_for_ever", "waiting"),
            ("lost_once", "waiting"),
        ],
    )
    def test_20_endings(self, peers, two_phase, name, expected):
        assert Payment(two_phase, payee(name)).sent().state.value == expected

    def test_20_aborted_without_a_fulfilment(self, peers, two_phase):
        """The adapter calls that an error of its own; the hub tells more when it is asked."""
        payment = Payment(two_phase, payee("aborted")).sent()
        assert payment.asked().state is TransferState.FAILED

    def test_20_an_adapter_that_accepts_by_itself_is_noticed(self, mojaloop_software):
        """It has paid: nobody may think that nothing happened."""
        hasty = ("AUTO_ACCEPT_PARTY=true", "AUTO_ACCEPT_QUOTES=true")
        options = [word for one in hasty for word in ("--set", one)]
        with MojaloopPeers(mojaloop_software, "--step-seconds", STEP_SECONDS, *options) as peers:
            with Connector(settings_for(peers, two_phase=True)) as connector:
                payment = Payment(connector, usual_payee())
                failure = failure_of(payment)
            assert failure.verdict is Verdict.ASK
            assert list(peers.payments()) == [failure.transfer_id] == [payment.ids.transfer_id]


class Test21RefusedAtOnce:
    def test_21_step_by_step_the_code_is_lost(self, peers, connector):
        payment = Payment(connector, payee("refused_503")).sent()
        assert payment.state is TransferState.WAITING
        assert payment.asked().state is TransferState.RESEND
        assert payment.resent().state is TransferState.PAID

    def test_21_it_may_have_been_taken_all_the_same(self, peers, connector):
        payment = Payment(connector, payee("refused_503_but_committed")).sent()
        assert payment.state is TransferState.WAITING
        assert payment.asked().state is TransferState.PAID

    def test_21_in_two_phases_it_is_told_as_a_text(self, peers, two_phase):
        payment = Payment(two_phase, payee("refused_503")).sent()
        assert isinstance(payment.said, StepFailed)
        assert (payment.said.code, payment.said.verdict) == ("2003", Verdict.ASK)
        assert payment.state is TransferState.WAITING


class Test22Down:
    def test_22_the_adapter_is_down(self, peers, connector):
        peers.act("connector", "kill")
        assert failure_of(Payment(connector, usual_payee()), NotSent).reason is Reason.UNREACHABLE
        assert not peers.requests()

    def test_22_the_adapter_is_killed_before_it_answers(self, peers, connector, eventually):
        payment = Payment(connector, payee("unanswered_but_committed")).offered()
        payment.body = connector.transfer_body(payment.quote, now())
        sending = threading.Thread(target=payment.told, args=(connector.transfer, payment.body))
        sending.start()
        eventually(lambda: transfer_ids_at(peers), 5)
        peers.act("connector", "kill")
        sending.join()
        assert payment.state is TransferState.WAITING
        assert isinstance(payment.asked().said, NotSent)
        assert payment.state is TransferState.WAITING
        peers.act("connector", "start")
        assert payment.asked().state is TransferState.PAID
        assert transfer_ids_at(peers) == [payment.ids.transfer_id]

    def test_22_the_adapter_hangs(self, peers, connector, eventually):
        """Its Redis is frozen; it goes on saying that it is well."""
        payment = Payment(connector, usual_payee()).offered()
        payment.body = connector.transfer_body(payment.quote, now())
        peers.act("redis", "freeze")
        with Connector(settings_for(peers, step_timeout=1, limits=HttpLimits(read=2, total=3))) as hurried:
            assert payment.told(hurried.transfer, payment.body).said.reason is Reason.TIMEOUT
            assert [check.ok for check in hurried.check_connection()] == [True, False]
        assert payment.state is TransferState.WAITING
        peers.act("redis", "thaw")
        eventually(lambda: peers.callbacks(f"/transfers/{payment.ids.transfer_id}"), 10)
        assert payment.asked().state is TransferState.PAID
        assert transfer_ids_at(peers) == [payment.ids.transfer_id]


def test_24_bulk_of_this_version_is_refused(peers):
    found = Payee(fsp_id=peers.info["payee_fsp"], id_type="MSISDN", id_value=usual_payee())
    with Connector(settings_for(peers, bulk=True)) as connector:
        payment = Payment(connector, usual_payee())
        item = BulkItem(found, payment.instruction, payment.ids)
        with pytest.raises(Refused) as caught:
            connector.bulk().quotes([item], bulk_ids(payment.ids.transfer_id, 1), now())
        assert caught.value.reason is Reason.CONFIGURATION
        assert {check.name: check.ok for check in connector.check_connection()}["bulk"] is False
    assert not transfer_ids_at(peers)


class Test25Callbacks:
    def test_25_many_at_once_about_one_party(self, peers):
        """Two callbacks under one name at a time would deafen it: ours take turns."""
        found = []

        def look_up():
            with Connector(settings_for(peers)) as connector:
                for _try in range(3):
                    with contextlib.suppress(OutcomeUnknown):
                        found.append(connector.lookup("MSISDN", usual_payee()).fsp_id)
                        return

        threads = [threading.Thread(target=look_up) for _turn in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [peers.info["payee_fsp"]] * 8

    def test_25_too_late(self, peers, connector, eventually):
        payment = Payment(connector, payee("committed_late")).sent()
        assert payment.state is TransferState.WAITING
        eventually(lambda: payment.asked().state is TransferState.PAID, 10)
        assert transfer_ids_at(peers) == [payment.ids.transfer_id]

    @pytest.mark.parametrize("name", ["silent_but_committed", "silent_and_lost"])
    def test_25_never(self, peers, connector, name):
        payment = Payment(connector, payee(name)).sent()
        assert payment.asked().state is TransferState.WAITING

    def test_25_slowly(self, peers, connector):
        assert Payment(connector, payee("slow")).sent().state is TransferState.PAID

    @pytest.fixture
    def restarted(self, peers):
        """Starts the adapter anew afterwards: what these tests do deafens this version of it."""
        yield
        restart(peers)

    def test_25_twice(self, peers, connector, restarted):
        """Nothing is lost by that."""
        payment = Payment(connector, payee("called_back_twice")).sent()
        assert payment.state is TransferState.PAID
        assert payment.asked().state in (TransferState.PAID, TransferState.WAITING)
        restart(peers)
        assert payment.asked().state is TransferState.PAID
        assert transfer_ids_at(peers) == [payment.ids.transfer_id]

    def test_25_crossed(self, peers, restarted):
        """With several payments under way this version hands answers to those who wait for others. Paid is
        then still said only of what the hub has paid, by its own fulfilment."""
        names = ["aborted", "rejected", "reserved_for_ever", "wrong_fulfilment"]
        identifiers = [payee(name) for name in names] + [usual_payee(number) for number in range(1, 21)]

        def pay(identifier):
            with Connector(settings_for(peers)) as connector:
                payment = Payment(connector, identifier)
                with contextlib.suppress(StepFailed, GatewayError):
                    return payment.ids.transfer_id, payment.sent().state

        with ThreadPoolExecutor(2) as pool:
            ends = dict(end for end in pool.map(pay, identifiers) if end)
        paid = {transfer_id for transfer_id, state in ends.items() if state is TransferState.PAID}
        # It may go deaf at the first of them: then nobody is said to be paid.
        assert paid <= peers.payments().keys()


def restart(peers):
    peers.act("connector", "kill")
    peers.act("connector", "start")
