"""Faults on the way, callbacks, and certificates that are not to be trusted."""

import json
import os
import subprocess
import sys
import threading
import time
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from cryptography.exceptions import InvalidSignature
from hub_client import ALL_DONE, TIMES, HubClient, make_csv, some_rows
from process import HERE, HubSimulator

THREE = make_csv(some_rows(3))
GONE = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


# -- submission ----------------------------------------------------------------------------------------


def test_case_12_accepted_and_the_reply_lost(client, hub):
    hub.faults({"fault": "accept_then_drop", "path": "batchtransactions"})
    with pytest.raises(GONE):
        client.upload(THREE, filename="unique-name.csv")
    hub.clock(advance=ALL_DONE)
    [row] = client.call("/batches").json()["data"]
    assert row["requestFile"].endswith("_unique-name.csv")
    assert len(hub.ledger()) == 3


def test_case_12_accepted_and_the_reply_late(client, hub):
    hub.faults({"fault": "slow", "seconds": 1.5})
    with pytest.raises(requests.Timeout):
        client.upload(THREE, timeout=0.5)
    assert len(hub.batches()) == 1


def test_case_13_dropped_before_it_was_accepted(client, hub):
    hub.faults("drop_before")
    with pytest.raises(GONE):
        client.upload(THREE)
    hub.clock(advance=ALL_DONE)
    assert hub.batches() == [] and client.call("/batches").json()["data"] == []
    assert client.upload(THREE).status_code == 202


def test_refused_although_it_was_accepted(client, hub):
    hub.faults("accept_then_answer")
    assert client.upload(THREE).status_code == 412
    assert len(hub.batches()) == 1


def test_accepted_although_it_never_starts(client, hub):
    hub.plan(batches={"batch.csv": {"start": "never"}})
    batch_id = client.send(some_rows(3))
    hub.clock(advance=ALL_DONE)
    assert client.call(f"/batch/{batch_id}").status_code == 404
    assert hub.ledger() == []


@pytest.mark.parametrize("fault", ["bad_signature", "no_signature"])
def test_signature_of_the_answer(client, hub, fault):
    hub.faults(fault)
    response = client.upload(THREE)
    with pytest.raises((InvalidSignature, KeyError, ValueError)):
        client.check_response(response)


# -- answers that are none -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault, status, start",
    [
        ("html_500", 500, b"<!doctype html>"),
        ("empty_500", 500, b""),
        ("bad_gateway", 502, b"<!doctype html>"),
        ("unavailable", 503, b"<!doctype html>"),
        ("rate_limited", 429, b'{"message":"API rate limit exceeded"}'),
        ("redirect", 302, b""),
        ("expired_token", 401, b'{"error":"invalid_token"'),
    ],
)
def test_case_24_passing_trouble(client, hub, fault, status, start):
    client.login()
    hub.faults({"fault": fault, "path": "/api/v1/", "count": 2})
    for _time in range(2):
        response = client.call("/batches")
        assert response.status_code == status and response.content.startswith(start)
        assert bool(response.content) is bool(start)
    assert client.call("/batches").status_code == 200
    assert [entry["faults"] for entry in hub.requests("/batches")] == [[fault], [fault], []]


def test_redirect_names_another_host_and_too_many_requests_a_time(client, hub):
    client.login()
    hub.faults({"fault": "redirect", "to": "https://elsewhere.invalid/x", "status": 307})
    assert client.call("/batches").headers["Location"] == "https://elsewhere.invalid/x"
    hub.faults({"fault": "rate_limited", "retry_after": 7})
    assert client.call("/batches").headers["Retry-After"] == "7"


def test_any_answer(client, hub):
    client.login()
    hub.faults({"fault": "custom", "status": 418, "body": "<teapot/>", "content_type": "text/xml"})
    response = client.call("/batches")
    assert (response.status_code, response.text) == (418, "<teapot/>")


def test_half_a_body(client, hub):
    client.login()
    hub.faults("half_body")
    with pytest.raises(GONE):
        client.call("/batches")


@pytest.mark.parametrize("fault", ["slow_drip", "endless_body", "oversized_body"])
def test_bodies_that_a_client_must_give_up_on(client, hub, fault):
    """Each would hold a patient client for long; reading stops here as soon as that is clear."""
    client.login()
    hub.faults({"fault": fault, "seconds": 2, "megabytes": 64})
    url = client.info["operations_url"] + "/api/v1/batches"
    headers = {"Platform-TenantId": client.info["tenant"], "Authorization": f"Bearer {client.bearer}"}
    started, received = time.monotonic(), 0
    with client.session.get(url, headers=headers, timeout=5, stream=True) as response:
        for block in response.iter_content(1 if fault == "slow_drip" else 1024):
            received += len(block)
            if received > 100_000 or time.monotonic() > started + 1:
                break
    assert received > 100_000 or fault == "slow_drip"


def test_invalid_json_and_content_type(client, hub):
    client.login()
    hub.faults("invalid_json")
    with pytest.raises(requests.exceptions.JSONDecodeError):
        client.call("/batches").json()
    hub.faults({"fault": "wrong_content_type", "content_type": "text/html"})
    assert client.call("/batches").headers["Content-Type"] == "text/html"


# -- answers that are wrong ----------------------------------------------------------------------------


@pytest.fixture
def done(client, hub):
    batch_id = client.send(some_rows(8))
    hub.clock(advance=ALL_DONE)
    return batch_id


def test_rows_missing_twice_or_in_another_order(client, hub, done):
    rows = client.details(done)
    hub.faults("half_page")
    assert client.details(done) == rows[:4]
    hub.faults("duplicate_rows")
    assert len(client.details(done)) == 16
    hub.faults({"fault": "reorder", "count": 3})
    shuffled = [client.details(done) for _time in range(3)]
    assert any(page != rows for page in shuffled)
    assert all(sorted(page, key=str) == sorted(rows, key=str) for page in shuffled)
    hub.faults("foreign_rows")
    assert len({row["clientCorrelationId"] for row in client.details(done)}) == 16


def test_rows_that_lie(client, hub, done):
    hub.faults({"fault": "wrong_amount", "by": -3})
    assert {row["amount"] for row in client.details(done)} == {"7"}
    hub.faults("wrong_currency")
    assert {row["currency"] for row in client.details(done)} == {"XTS"}
    hub.faults("status_flaps")
    assert {row["status"] for row in client.details(done)} == {"FAILED"}
    hub.faults("unknown_status")
    assert {row["status"] for row in client.details(done)} == {"RESERVED"}
    assert {row["status"] for row in client.details(done)} == {"COMPLETED"}


def test_faults_by_chance_and_switched_off(client, hub, done):
    hub.faults({"fault": "empty_500", "path": "/api/", "count": None, "probability": 0.5})
    statuses = {client.call("/batches").status_code for _time in range(40)}
    assert statuses == {200, 500}
    hub.faults()
    assert client.call("/batches").status_code == 200
    with pytest.raises(ValueError, match="no such fault"):
        hub.faults("gremlins")


def test_clock_skew(client, hub):
    hub.clock(skew=-3600)
    batch_id = client.send(some_rows(1))
    hub.clock(advance=ALL_DONE)
    response = client.call("/batch/detail", batchId=batch_id)
    now = hub.clock()["now"]
    assert now * 1000 - response.json()["content"][0]["startedAt"] > 3_600_000
    assert 3590 < now - parsedate_to_datetime(response.headers["Date"]).timestamp() < 3610


# -- callbacks -----------------------------------------------------------------------------------------


class Receiver(ThreadingHTTPServer):
    """Keeps what is posted to it: (path, content type, body)."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Posted)
        self.received = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/callback/token"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def wait(self, count, seconds=5):
        end = time.monotonic() + seconds
        while len(self.received) < count and time.monotonic() < end:
            time.sleep(0.02)
        return [json.loads(body) for _path, _kind, body in self.received]


class Posted(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.received.append((self.path, self.headers["Content-Type"], body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_arguments):
        pass


@pytest.fixture
def receiver():
    server = Receiver()
    yield server
    server.shutdown()
    server.server_close()


def test_case_25_one_callback_when_done(client, hub, receiver):
    batch_id = client.send(some_rows(12), X_CallbackURL=receiver.url)
    hub.clock(advance=ALL_DONE)
    [body] = receiver.wait(1)
    assert body["batchId"] == batch_id
    assert body["message"].endswith(" : 100")
    assert body["clientCorrelationId"] == hub.batches()[0]["job_key"] != "100000000001"
    assert receiver.received[0][1] == "text/plain"
    assert client.aggregate(batch_id)["notes"] == "Failed Batch Request"
    hub.clock(advance=ALL_DONE)
    time.sleep(0.3)
    assert len(receiver.received) == 1


def test_case_25_slow_batch_gets_a_partial_number(client, hub, receiver):
    rows = some_rows(2) + [("slow", "27710000640", 10)]
    client.send(rows, X_CallbackURL=receiver.url)
    hub.clock(advance=ALL_DONE)
    assert [body["message"].split()[-1] for body in receiver.wait(1)] == ["66"]


def test_case_25_nothing_for_a_batch_that_failed(client, hub, receiver):
    client.send([("bad", "27710000404", 10)], X_CallbackURL=receiver.url)
    hub.clock(advance=ALL_DONE)
    time.sleep(0.5)
    assert receiver.received == []


@pytest.mark.parametrize(
    "fault, rates",
    [("callback_repeated", ["100"] * 3), ("callback_backwards", ["100", "40"]), ("callback_lost", [])],
)
def test_case_25_callbacks_repeated_backwards_lost(client, hub, receiver, fault, rates):
    hub.faults(fault)
    client.send(some_rows(2), X_CallbackURL=receiver.url)
    hub.clock(advance=ALL_DONE)
    receiver.wait(max(len(rates), 1), seconds=1 if not rates else 5)
    assert [json.loads(body)["message"].split()[-1] for _path, _kind, body in receiver.received] == rates


def test_case_25_forged_callback(client, hub, receiver):
    batch_id = client.send([("bad", "27710000404", 10)], X_CallbackURL=receiver.url)
    hub.send_callback(batch_id=batch_id, rate=100, times=2)
    hub.send_callback(url=receiver.url, body={"batchId": "unknown"}, content_type="application/json")
    bodies = receiver.wait(3)
    assert [body["batchId"] for body in bodies] == [batch_id, batch_id, "unknown"]
    assert hub.callbacks()[0]["status"] == 200


# -- the process ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["expired", "wrong-host", "untrusted"])
def test_certificates_that_a_client_must_refuse(kind):
    with HubSimulator("--certificate", kind) as hub:
        client = HubClient(hub)
        with pytest.raises(requests.exceptions.SSLError):
            client.upload(THREE)
        assert hub.batches() == []


def test_ends_with_its_parent(tmp_path):
    """A parent that starts it, says where it is, and dies at once."""
    code = (
        "import subprocess, sys; p = subprocess.Popen([sys.executable, '-m', 'payment_hub_ee', '--state', "
        f"{str(tmp_path)!r}], stdout=subprocess.PIPE); print(p.stdout.readline().decode())"
    )
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=30, check=True
    )
    control = json.loads(done.stdout)["control_url"]
    end = time.monotonic() + 10
    while _alive(control) and time.monotonic() < end:
        time.sleep(0.1)
    assert not _alive(control)


def _alive(url):
    try:
        return requests.get(f"{url}/info", timeout=5).ok
    except requests.ConnectionError:
        return False


def test_ends_when_its_time_is_up():
    with HubSimulator("--max-seconds", 0.5) as hub:
        end = time.monotonic() + 10
        while _alive(hub.info["control_url"]) and time.monotonic() < end:
            time.sleep(0.1)
        assert not _alive(hub.info["control_url"])


def test_plan_and_faults_from_files(tmp_path):
    (tmp_path / "plan.json").write_text(json.dumps({"rows": {"r-0": "payee_not_found"}}))
    (tmp_path / "faults.json").write_text(json.dumps([{"fault": "empty_500", "path": "batchtransactions"}]))
    options = ("--plan", tmp_path / "plan.json", "--faults", tmp_path / "faults.json")
    with HubSimulator(*TIMES, *options) as hub:
        hub.clock(freeze=True)
        client = HubClient(hub)
        assert client.upload(THREE).status_code == 500
        client.send(some_rows(3))
        hub.clock(advance=ALL_DONE)
        assert sorted(entry["request_id"] for entry in hub.ledger()) == ["r-1", "r-2"]
