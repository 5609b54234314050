"""The cases from 20 on of test_contract_mojaloop.py: in two phases, and when adapter, hub or callbacks fail.

Number 24 needs a newer adapter than npm has: here it is refused; the rest is in
tests/unit/mojaloop/test_bulk.py.
"""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import plain_addons  # noqa: F401
import pytest
from mojaloop_payment import (
    STEP_SECONDS,
    Payment,
    failure_of,
    now,
    posted,
    settings_for,
    transfer_ids_at,
)
from peers import MojaloopPeers, payee, usual_payee

from odoo.addons.g2p_mojaloop_connector.client.bulk import BulkItem, bulk_ids
from odoo.addons.g2p_mojaloop_connector.client.catalogue import StepFailed, Verdict
from odoo.addons.g2p_mojaloop_connector.client.connector import Connector
from odoo.addons.g2p_mojaloop_connector.client.parties import Payee
from odoo.addons.g2p_mojaloop_connector.client.transfer_state import TransferState
from odoo.addons.g2p_payment_hub.client.errors import GatewayError, NotSent, OutcomeUnknown, Reason, Refused
from odoo.addons.g2p_payment_hub.client.http import HttpLimits


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
            assert [check.ok for check in hurried.check_connection()] == [True, False, False]
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
