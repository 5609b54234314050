"""What was agreed with Mojaloop, case by case, through our client and Mojaloop's own scheme adapter.

The number of a case is in its name. The hub and the payees' banks are Mojaloop's Testing Toolkit, and what it
took is the ledger that counts; which payee goes how is in tests/simulators/mojaloop_peers/payees.py.
"""

import http.client
import threading
from decimal import Decimal
from urllib.parse import urlsplit

import plain_addons  # noqa: F401
import pytest
from mojaloop_payment import (
    EXPIRY_SECONDS,
    GRACE,
    Payment,
    failure_of,
    now,
    posted,
    settings_for,
    transfer_ids_at,
)
from peers import payee, usual_payee

from odoo.addons.g2p_mojaloop_connector.client import grammar
from odoo.addons.g2p_mojaloop_connector.client.catalogue import Verdict
from odoo.addons.g2p_mojaloop_connector.client.connector import Connector
from odoo.addons.g2p_mojaloop_connector.client.transfer_state import TransferState
from odoo.addons.g2p_payment_hub.client.errors import OutcomeUnknown, Reason
from odoo.addons.g2p_payment_hub.client.outcomes import SAME_DATA_MAY_WORK, FailureType


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
