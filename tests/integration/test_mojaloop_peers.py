"""The other end of the Mojaloop road: every special payee does what the table says, and the books agree."""

import base64
import concurrent.futures
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from connector_client import ConnectorClient
from mojaloop_peers.payees import PAYEES
from node_jws import LIBRARIES, NodeJws
from peers import MojaloopPeers, payee, usual_payee

NONE = "-"
NO_ANSWER = "no answer"
# What the payer meets at each step: the lookup, the amount quoted, the answer to the transfer, and to asking
# for it afterwards; and what the hub has in its books then.
JOURNEYS = {
    "usual": ("found", "USD 100", "COMMITTED", "COMMITTED", "COMMITTED"),
    "not_found": ("not found", NONE, NONE, NONE, NONE),
    "lookup_unanswered": (NO_ANSWER, NONE, NONE, NONE, NONE),
    "other_name": ("found", "USD 100", "COMMITTED", "COMMITTED", "COMMITTED"),
    "quote_rejected": ("found", "5103", NONE, NONE, NONE),
    "quote_unanswered": ("found", NO_ANSWER, NONE, NONE, NONE),
    "fee_of_payee": ("found", "USD 100", "COMMITTED", "COMMITTED", "COMMITTED"),
    "fee_on_top": ("found", "USD 102", "COMMITTED", "COMMITTED", "COMMITTED"),
    "large_fee_on_top": ("found", "USD 150", "COMMITTED", "COMMITTED", "COMMITTED"),
    "commission": ("found", "USD 99", "COMMITTED", "COMMITTED", "COMMITTED"),
    "quote_expired": ("found", "USD 100", "COMMITTED", "COMMITTED", "COMMITTED"),
    "quote_in_other_currency": ("found", "XTS 100", "COMMITTED", "COMMITTED", "COMMITTED"),
    "quote_of_less": ("found", "USD 99", "COMMITTED", "COMMITTED", "COMMITTED"),
    "rejected": ("found", "USD 100", "5104", "ABORTED", "ABORTED"),
    "payer_without_money": ("found", "USD 100", "4001", "ABORTED", "ABORTED"),
    "aborted": ("found", "USD 100", "ABORTED", "ABORTED", "ABORTED"),
    "reserved_then_committed": ("found", "USD 100", "RESERVED", "COMMITTED", "COMMITTED"),
    "wrong_fulfilment": ("found", "USD 100", "COMMITTED, wrong", "COMMITTED, wrong", "COMMITTED"),
    "called_back_twice": ("found", "USD 100", "COMMITTED", "COMMITTED", "COMMITTED"),
    "refused_503": ("found", "USD 100", "unclear", "3208", NONE),
    "refused_503_but_committed": ("found", "USD 100", "unclear", "COMMITTED", "COMMITTED"),
    "reserved_for_ever": ("found", "USD 100", "RESERVED", "RESERVED", "RESERVED"),
    "reserved_then_aborted": ("found", "USD 100", "RESERVED", "ABORTED", "ABORTED"),
    "unanswered_but_committed": ("found", "USD 100", NO_ANSWER, "COMMITTED", "COMMITTED"),
    "lost_once": ("found", "USD 100", NO_ANSWER, "3208", NONE),
    "silent_but_committed": ("found", "USD 100", NO_ANSWER, NO_ANSWER, "COMMITTED"),
    "committed_late": ("found", "USD 100", NO_ANSWER, "RESERVED", "RESERVED"),
    "unanswered_and_aborted": ("found", "USD 100", NO_ANSWER, "ABORTED", "ABORTED"),
    "unanswered_and_expired": ("found", "USD 100", NO_ANSWER, "3303", "EXPIRED"),
    "lost_always": ("found", "USD 100", NO_ANSWER, "3208", NONE),
    "silent_and_lost": ("found", "USD 100", NO_ANSWER, NO_ANSWER, NONE),
    "slow": ("found", "USD 100", "COMMITTED", "COMMITTED", "COMMITTED"),
}


def _journey(peers, number):
    """One payment through all steps: what was met at each, in the words of JOURNEYS."""
    client = ConnectorClient(peers.info)
    _, answer = client.look_up(number)
    if answer.get("message") == "Timeout":
        yield NO_ANSWER
        return
    party = answer["party"]["body"]
    yield "found" if party else "not found"
    if not party:
        return
    (_, answer), transfer_id = client.quote(party)
    quote = answer.get("quotes", {}).get("body")
    yield "{currency} {amount}".format(**quote["transferAmount"]) if quote else _in_words(answer)
    if not quote:
        return
    _, answer = client.transfer(client.transfer_body(transfer_id, party["partyIdInfo"]["fspId"], quote))
    yield _in_words(answer, quote)
    _, answer = client.query(transfer_id)
    yield _in_words(answer, quote)
    yield ", ".join(row["state"] for row in peers.transfers() if row["transferId"] == transfer_id) or NONE


def _in_words(answer, quote=None):
    for step in ("quotes", "transfer", "fulfil"):
        answer = answer.get(step, answer)
    body = answer.get("body", answer)
    if "errorInformation" in body:
        return body["errorInformation"]["errorCode"]
    if "statusCode" in body:
        if "Timeout" in body["message"]:
            return NO_ANSWER
        return "unclear" if body["statusCode"] == "500" else body["statusCode"]
    wrong = "fulfilment" in body and quote and not _fits(body["fulfilment"], quote["condition"])
    return f"{body['transferState']}, wrong" if wrong else body["transferState"]


def _fits(fulfilment, condition):
    digest = hashlib.sha256(base64.urlsafe_b64decode(fulfilment + "=")).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=") == condition


def test_every_special_payee_is_described():
    assert JOURNEYS.keys() == {"usual", *(one.name for one in PAYEES)}


@pytest.mark.parametrize("name", JOURNEYS)
def test_journey(peers, name):
    met = list(_journey(peers, usual_payee() if name == "usual" else payee(name)))
    assert (*met, *[NONE] * (5 - len(met))) == JOURNEYS[name]


def test_fees(peers):
    client = ConnectorClient(peers.info)
    amounts = {}
    for name in ("fee_of_payee", "fee_on_top", "commission"):
        _, quote = client.prepare(payee(name), "10.5")
        fields = ("transferAmount", "payeeReceiveAmount", "payeeFspFee", "payeeFspCommission")
        amounts[name] = [quote.get(field, {}).get("amount") for field in fields]
    assert amounts == {
        "fee_of_payee": ["10.5", "8.5", "2", None],
        "fee_on_top": ["12.5", "10.5", "2", None],
        "commission": ["9.5", "10.5", None, "1"],
    }


def test_names(peers):
    peers.name_payees({usual_payee(1): "José & Søn"})
    client = ConnectorClient(peers.info)
    names = [client.look_up(one)[1]["party"]["body"]["name"] for one in (usual_payee(1), usual_payee(2))]
    assert names == ["José & Søn", f"Payee {usual_payee(2)}"]
    assert client.look_up(payee("other_name"))[1]["party"]["body"]["name"] == "Somebody Else"


def test_identifiers_with_a_part(peers):
    _, answer = ConnectorClient(peers.info).look_up("AB12/PASSPORT", "PERSONAL_ID")
    assert answer["party"]["body"]["partyIdInfo"] == {
        "partyIdType": "PERSONAL_ID",
        "partyIdentifier": "AB12",
        "partySubIdOrType": "PASSPORT",
        "fspId": "payeefsp",
    }


# -- the books ---------------------------------------------------------------------------------------


def test_the_books_say_what_was_received(peers):
    transfer_id, state = ConnectorClient(peers.info).pay(usual_payee(), "12.34")
    assert state == "COMMITTED"
    (row,) = peers.transfers()
    assert {
        name: row[name] for name in ("transferId", "amount", "currency", "payee", "payeeFsp", "state")
    } == {
        "transferId": transfer_id,
        "amount": "12.34",
        "currency": "USD",
        "payee": usual_payee(),
        "payeeFsp": "payeefsp",
        "state": "COMMITTED",
    }
    assert [row["body"]["transferId"] for row in peers.requests("post", "/transfers")] == [transfer_id]
    assert len(peers.callbacks(f"/transfers/{transfer_id}")) == 1


def _send_again(client, body):
    # The adapter misses the answer to a transfer of the same id that it has only just left off waiting for.
    time.sleep(0.3)
    return client.transfer(body)[1]


def test_a_resend_is_no_second_payment(peers):
    client = ConnectorClient(peers.info)
    body, _ = client.prepare(usual_payee())
    answers = [_send_again(client, body)["transfer"]["body"]["fulfilment"] for _ in range(3)]
    assert len(set(answers)) == 1
    assert len(peers.requests("post", "/transfers")) == 3
    assert len(peers.payments()) == 1


def test_a_changed_resend_is_refused(peers):
    client = ConnectorClient(peers.info)
    body, _ = client.prepare(usual_payee())
    client.transfer(body)
    body["transfersPostRequest"]["expiration"] = "2040-01-02T00:00:00.000Z"
    assert _in_words(_send_again(client, body)) == "3106"
    assert len(peers.payments()) == 1


def test_what_was_lost_can_be_sent_again(peers):
    client = ConnectorClient(peers.info)
    body, _ = client.prepare(payee("lost_once"))
    assert _in_words(client.transfer(body)[1]) == NO_ANSWER
    assert not peers.transfers()
    assert _in_words(_send_again(client, body), body["transfersPostRequest"]) == "COMMITTED"
    assert len(peers.payments()) == 1


def test_committed_late(peers, eventually):
    client = ConnectorClient(peers.info)
    body, _ = client.prepare(payee("committed_late"))
    assert _in_words(client.transfer(body)[1]) == NO_ANSWER
    assert not peers.payments()
    (transfer_id,) = eventually(peers.payments, 10)
    sent = body["transfersPostRequest"]
    assert eventually(lambda: _in_words(client.query(transfer_id)[1], sent) == "COMMITTED", 10)


def test_called_back_twice(peers, eventually):
    transfer_id, _ = ConnectorClient(peers.info).pay(payee("called_back_twice"))
    assert eventually(lambda: len(peers.callbacks(f"/transfers/{transfer_id}")) == 2, 10)
    assert len(peers.payments()) == 1


def test_other_terms_than_quoted_are_refused(peers, eventually):
    client = ConnectorClient(peers.info)
    body, _ = client.prepare(usual_payee())
    body["transfersPostRequest"]["amount"] = {"currency": "USD", "amount": "999"}
    client.transfer(body)
    # The Toolkit takes its time over this answer, perhaps more than the adapter gives it.
    (answer,) = eventually(lambda: peers.callbacks("/transfers/"), 20)
    assert _in_words(answer) == "3106"
    assert not peers.transfers()


# -- other roads -------------------------------------------------------------------------------------


def test_in_two_phases(peers):
    states, transfer_id = zip(*ConnectorClient(peers.info).pay_in_two_phases(usual_payee()), strict=True)
    assert states == ("WAITING_FOR_PARTY_ACCEPTANCE", "WAITING_FOR_QUOTE_ACCEPTANCE", "COMPLETED")
    assert list(peers.payments()) == list(set(transfer_id))


def test_in_two_phases_at_the_same_time(peers):
    """Step by step the adapter as released would mix the answers up."""

    def pay(number):
        return list(ConnectorClient(peers.info).pay_in_two_phases(usual_payee(number)))[-1]

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(pay, range(12)))
    assert {state for state, _ in ends} == {"COMPLETED"}
    assert {transfer_id for _, transfer_id in ends} == peers.payments().keys()


def test_step_by_step_at_the_same_time_when_mended(mojaloop_software):
    with MojaloopPeers(mojaloop_software, "--mended") as peers:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            pay = lambda number: ConnectorClient(peers.info).pay(usual_payee(number))  # noqa: E731
            ends = dict(pool.map(pay, range(16)))
        assert set(ends.values()) == {"COMMITTED"}
        assert ends.keys() == peers.payments().keys()


def test_secondary_identifiers(peers):
    accounts = [{"idType": "ALIAS", "idValue": value, "currency": "USD"} for value in ("red-1", "red-0404")]
    status, answer = ConnectorClient(peers.info).call("POST", "/accounts", accounts)
    assert status == 200
    assert [(one["idValue"], one.get("error", {}).get("statusCode")) for one in answer["response"]] == [
        ("red-1", None),
        ("red-0404", "3204"),
    ]


# -- what may happen to the programs -----------------------------------------------------------------


def test_the_adapter_dies_and_comes_back(peers):
    client = ConnectorClient(peers.info)
    peers.act("connector", "kill")
    with pytest.raises(OSError, match="refused"):
        client.look_up(usual_payee())
    peers.act("connector", "start")
    assert client.pay(usual_payee())[1] == "COMMITTED"


def test_the_books_outlive_the_toolkit(peers):
    client = ConnectorClient(peers.info)
    body, _ = client.prepare(payee("unanswered_but_committed"))
    client.transfer(body)
    transfer_id = body["transfersPostRequest"]["transferId"]
    peers.act("toolkit", "kill")
    assert list(peers.payments()) == [transfer_id]
    peers.act("toolkit", "start")
    assert _in_words(client.query(transfer_id)[1], body["transfersPostRequest"]) == "COMMITTED"
    # Known, so a second POST of it does not pay again.
    client.transfer(body)
    assert list(peers.payments()) == [transfer_id]


def test_redis_freezes(peers):
    client = ConnectorClient(peers.info)
    peers.act("redis", "freeze")
    client.session.get(client.url + "/", timeout=5).raise_for_status()
    assert list(_journey(peers, usual_payee())) == [NO_ANSWER]
    peers.act("redis", "thaw")
    assert client.pay(usual_payee())[1] == "COMMITTED"


def test_the_hub_is_silent(peers):
    client = ConnectorClient(peers.info)
    body, _ = client.prepare(usual_payee())
    peers.silence()
    assert _in_words(client.transfer(body)[1]) == NO_ANSWER
    transfer_id = body["transfersPostRequest"]["transferId"]
    assert _in_words(client.query(transfer_id)[1]) == NO_ANSWER
    assert list(peers.payments()) == [transfer_id]
    peers.silence(False)
    assert _in_words(client.query(transfer_id)[1], body["transfersPostRequest"]) == "COMMITTED"


def test_the_hub_freezes_with_a_transfer_on_its_way(peers, eventually):
    client = ConnectorClient(peers.info)
    body, _ = client.prepare(usual_payee())
    peers.act("toolkit", "freeze")
    with pytest.raises(OSError, match="timed out"):
        client.session.post(client.url + "/simpleTransfers", json=body, timeout=1)
    assert not peers.transfers()
    peers.act("toolkit", "thaw")
    assert list(eventually(peers.payments, 10)) == [body["transfersPostRequest"]["transferId"]]


def test_reset_mends_everything(peers):
    client = ConnectorClient(peers.info)
    client.pay(usual_payee())
    peers.silence()
    peers.act("redis", "freeze")
    peers.act("connector", "kill")
    peers.reset()
    assert (peers.transfers(), peers.requests(), peers.callbacks()) == ([], [], [])
    assert client.pay(usual_payee())[1] == "COMMITTED"


def test_two_at_a_time(peers, mojaloop_software, capsys):
    begun = time.monotonic()
    with MojaloopPeers(mojaloop_software, "--step-seconds", 2) as second:
        with capsys.disabled():
            print(f"\n   scheme adapter and Testing Toolkit ready in {time.monotonic() - begun:.1f} s")
        ours, _ = ConnectorClient(peers.info).pay(usual_payee())
        theirs, _ = ConnectorClient(second.info).pay(usual_payee())
        assert (list(peers.payments()), list(second.payments())) == ([ours], [theirs])


_PARENT = """
import json, pathlib, sys, time
from peers import MojaloopPeers
from steps.mojaloop import Software
peers = MojaloopPeers(Software(*map(pathlib.Path, sys.argv[1:4])), state=sys.argv[4]).start()
print(json.dumps(peers.info), flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("who", ["parent", "peers"])
def test_nothing_outlives(who, mojaloop_software, tmp_path, eventually):
    software = (mojaloop_software.node, mojaloop_software.modules, mojaloop_software.redis)
    words = [sys.executable, "-c", _PARENT, *map(str, software), str(tmp_path)]
    parent = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        info = json.loads(parent.stdout.readline())
        mine = f"PEERS_STATE={tmp_path}".encode()
        assert _running_with(mine)
        os.kill(parent.pid if who == "parent" else info["pid"], signal.SIGKILL)
        assert eventually(lambda: not any(_listens(value) for value in info.values()), 10)
        assert not _running_with(mine)
    finally:
        parent.kill()
        parent.communicate(timeout=10)


def _listens(url):
    if not str(url).startswith("http"):
        return False
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.socket() as client:
        return client.connect_ex((host, int(port))) == 0


def _running_with(variable):
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            if variable in environment.read_bytes().split(b"\0"):
                found.append(environment)
        except OSError:
            continue  # ended meanwhile
    return found


# -- signatures --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def signing(mojaloop_software):
    with MojaloopPeers(mojaloop_software, "--step-seconds", 2, "--jws") as peers:
        yield peers


def _public_key(peers, owner, name):
    return Path(peers.info["keys"]) / f"of_{owner}" / f"{name}.pem"


def test_everybody_signs(signing):
    assert ConnectorClient(signing.info).pay(usual_payee())[1] == "COMMITTED"
    (request,) = signing.requests("post", "/transfers")
    assert {"fspiop-signature", "fspiop-uri", "fspiop-http-method"} <= request["headers"].keys()


def test_the_hub_refuses_a_wrong_signature(signing):
    client, key = ConnectorClient(signing.info), _public_key(signing, "dfsps", "userdfsp")
    body, _ = client.prepare(usual_payee())
    right = key.read_bytes()
    key.write_bytes(_public_key(signing, "hub", "hub").read_bytes())
    try:
        assert _in_words(client.transfer(body)[1]) == "unclear"
        assert body["transfersPostRequest"]["transferId"] not in signing.payments()
    finally:
        key.write_bytes(right)


LETTER = {
    "method": "POST",
    "uri": "http://hub/transfers",
    "headers": {"FSPIOP-Source": "us", "FSPIOP-Destination": "them", "Date": "Thu, 26 Nov 2026 10:00:00 GMT"},
    "body": json.dumps(
        {"note": "José 😀", "id": str(uuid.UUID(int=1))}, ensure_ascii=False, separators=(",", ":")
    ),
}


@pytest.mark.parametrize("by", LIBRARIES)
@pytest.mark.parametrize("of", LIBRARIES)
def test_the_library_signs_and_validates(signing, mojaloop_software, by, of):
    key = (Path(signing.info["keys"]) / "dfsp.key").read_text()
    keys = {"us": _public_key(signing, "dfsps", "userdfsp").read_text()}
    with NodeJws(mojaloop_software, by) as signer, NodeJws(mojaloop_software, of) as validator:
        headers = signer.sign(**LETTER, key=key)
        assert headers["fspiop-uri"] == "/transfers"
        assert validator.validate(headers, LETTER["body"], keys) is None
        assert (
            validator.validate(headers, LETTER["body"].replace("José", "Jose"), keys) == "invalid signature"
        )
        assert "FSPIOP-Destination" in validator.validate(
            {**headers, "fspiop-destination": "me"}, LETTER["body"], keys
        )
        with pytest.raises(ValueError, match="no body"):
            signer.sign(**{**LETTER, "body": ""}, key=key)
