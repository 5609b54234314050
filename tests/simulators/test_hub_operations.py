"""The operations app: lists, summaries and log-ins. And the simulator's process."""

import base64
import json
import time

from hub_client import ALL_DONE, HEADER, OTHER_TIMES, TIMES, HubClient, make_csv, some_rows, statuses
from process import HubSimulator

THREE = make_csv(some_rows(3))


def test_batch_list_has_file_names_of_small_batches_only(client, hub):
    client.send(some_rows(3), filename="small.csv")
    client.send(some_rows(12), filename="large.csv")
    hub.clock(advance=11)
    names = [row["requestFile"] for row in client.call("/batches").json()["data"]]
    assert sorted(name.partition("_")[2] for name in names) == ["large.csv", "small.csv"]
    hub.clock(advance=ALL_DONE)
    names = [row["requestFile"] for row in client.call("/batches").json()["data"]]
    assert sorted(name.partition("_")[2] for name in names) == ["small.csv", "sub-batch-3.csv"]


def test_batch_list_pages_and_dates(client, hub):
    for number in range(5):
        client.send(some_rows(1), filename=f"b{number}.csv")
        hub.clock(advance=3600)
    page = client.call("/batches", offset=2, limit=2).json()
    assert (page["totalBatches"], page["totalSubBatchesCreated"]) == (5, 10)
    assert [row["requestFile"][-6:] for row in page["data"]] == ["b2.csv", "b1.csv"]
    now = hub.clock()["now"]
    text = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now - 2.5 * 3600 + 5.5 * 3600))
    assert len(client.call("/batches", dateFrom=text).json()["data"]) == 2
    assert client.call("/batches", dateFrom="yesterday").status_code == 500
    assert client.call("/batches", batchId="no%").json()["data"] == []


def test_transfer_page_totals_are_wrong(client, hub):
    client.send(some_rows(25))
    hub.clock(advance=ALL_DONE)
    page = client.call("/transfers", size=10, page=0).json()
    assert len(page["content"]) == 10 and page["totalElements"] == 10 and page["totalPages"] == 1
    assert len(client.call("/transfers", size=10, page=2).json()["content"]) == 5
    assert len(client.call("/transfers", batchId="ignored", size=100).json()["content"]) == 25


def test_transfers_by_request_ids(client, hub):
    client.send(some_rows(12))
    hub.clock(advance=ALL_DONE)
    body = {"requestIds": ["r-1", "r-11", "nobody"], "payeePartyIds": []}
    rows = client.call("/transfers", "POST", json=body).json()["content"]
    assert statuses(rows) == {"r-1": "COMPLETED", "r-11": "COMPLETED"}


def test_summaries(client, hub):
    batch_id = client.send(some_rows(12))
    hub.clock(advance=ALL_DONE)
    assert client.call(f"/batches/{batch_id}").status_code == 400
    header = {"X-Correlation-ID": "any"}
    before = client.call(f"/batches/{batch_id}", headers=header).json()
    assert (before["total"], before["status"], before["totalSubBatches"]) == (0, "null", 3)
    assert client.call("/batch", batchId=batch_id).json()["total"] is None
    client.aggregate(batch_id)
    after = client.call(f"/batches/{batch_id}", headers=header).json()
    assert (after["successful"], after["status"]) == (12, "COMPLETED")
    assert [part["total"] for part in after["subBatchSummaryList"]] == [5, 5, 2]
    full = client.call(f"/batches/{batch_id}", headers=header, associations="all", limit=4).json()
    assert len(full["instructionList"]) == 4 + 4 + 2
    part_id = after["subBatchSummaryList"][0]["subBatchId"]
    part = client.call(f"/batches/{batch_id}/subBatches/{part_id}", headers=header).json()
    assert part["totalInstructionCount"] == 5
    assert client.call(f"/batches/{batch_id}/subBatches/none", headers=header).status_code == 500


def test_budget_account_pays_for_all(client, hub):
    client.send(some_rows(6), X_Registering_Institution_ID="SocialWelfare", X_Program_ID="Education")
    client.send(some_rows(1), X_Registering_Institution_ID="Nobody", X_Program_ID="Education")
    hub.clock(advance=ALL_DONE)
    assert [entry["payer"] for entry in hub.ledger()] == ["123456789"] * 7
    assert {row["payerPartyIdType"] for row in client.transfers()} == {"MSISDN"}


def test_account_lookup_tenant(client, hub):
    hub.plan(accounts={"27710000001": {"address": "ACC-1", "dfsp": "bank"}})
    rows = some_rows(2)
    client.send(rows, Platform_TenantId="rhino", X_Registering_Institution_ID="SocialWelfare")
    client.send(rows, Platform_TenantId="rhino")
    hub.clock(advance=ALL_DONE)
    assert [(entry["payee"], entry["request_id"]) for entry in hub.ledger()] == [("ACC-1", "r-0")]


def test_case_23_token_expires_and_is_refreshed(client, hub):
    answer = client.login()
    assert (answer["expires_in"], answer["token_type"]) == (600, "bearer")
    assert client.call("/batches").status_code == 200
    hub.clock(advance=601)
    response = client.call("/batches")
    assert (response.status_code, response.json()["error"]) == (401, "invalid_token")
    assert response.headers["WWW-Authenticate"].startswith("Bearer ")
    refreshed = client.token(grant_type="refresh_token", refresh_token=answer["refresh_token"])
    client.bearer = refreshed.json()["access_token"]
    assert client.call("/batches").status_code == 200
    hub.clock(advance=43_200)
    late = client.token(grant_type="refresh_token", refresh_token=answer["refresh_token"])
    assert (late.status_code, list(late.json())) == (400, ["error"])


def test_case_23_wrong_credentials(client):
    wrong = client.token(grant_type="password", username=client.info["username"], password="guess")
    assert (wrong.status_code, wrong.json()["message"], wrong.json()["status"]) == (
        401,
        "Invalid credentials",
        "401",
    )
    stranger = client.token(client=("stranger", ""), grant_type="password")
    assert (stranger.status_code, stranger.headers["Content-Type"][:9]) == (401, "text/html")
    for form in ({}, {"grant_type": "wish"}, {"grant_type": "refresh_token", "refresh_token": "rubbish"}):
        response = client.token(**form)
        assert (response.status_code, list(response.json())) == (400, ["error"])


def test_call_without_token_or_with_rubbish(client):
    client.bearer = "rubbish"
    assert client.call("/batches").json()["error"] == "invalid_token"
    headers = {"Platform-TenantId": client.info["tenant"]}
    url = client.info["operations_url"] + "/api/v1/batches"
    assert client.session.get(url, headers=headers, timeout=10).json()["error"] == "unauthorized"


def test_refresh_token_is_no_access_token(client):
    client.bearer = client.login()["refresh_token"]
    assert client.call("/batches").status_code == 401


def test_restart_keeps_keys_batches_and_ledger():
    with HubSimulator(*TIMES, *OTHER_TIMES) as hub:
        hub.clock(freeze=True)
        client = HubClient(hub)
        batch_id = client.send(some_rows(7))
        hub.clock(advance=ALL_DONE)
        before = hub.info, hub.ledger(), client.details(batch_id)
        hub.kill()
        hub.start()
        assert {**hub.info, "pid": 0} == {**before[0], "pid": 0}
        assert (hub.ledger(), client.details(batch_id)) == before[1:]
        client.send(some_rows(1, "again"))
        hub.clock(advance=ALL_DONE)
        assert len(hub.ledger()) == 8


def test_without_signatures_an_upload_ends_in_nothing():
    with HubSimulator("--no-jws", "--no-tls") as hub:
        response = HubClient(hub).upload(THREE)
        assert (response.status_code, response.content, hub.batches()) == (200, b"", [])


def test_redis_guard_makes_known_request_ids_vanish():
    with HubSimulator(*TIMES, "--redis-guard") as hub:
        hub.clock(freeze=True)
        client = HubClient(hub)
        client.send(some_rows(3))
        second = client.send(some_rows(3))
        hub.clock(advance=ALL_DONE)
        assert client.details(second) == [] and len(hub.ledger()) == 3


def test_requests_are_noted_without_secrets(client, hub):
    client.login()
    client.upload(THREE, X_CallbackURL="http://127.0.0.1:9/secret-token")
    noted = json.dumps(hub.requests())
    upload = hub.requests("/batchtransactions")[-1]
    assert (upload["status"], upload["headers"]["X-SIGNATURE"]) == (202, True)
    for secret in (client.info["password"], client.bearer, "secret-token"):
        assert secret not in noted


def test_a_thousand_rows_are_quick():
    with HubSimulator("--no-payee-numbers") as hub:
        client = HubClient(hub)
        client.send(some_rows(1))
        started = time.monotonic()
        batch_id = client.send([(f"q{n}", f"27{n:09}", 10) for n in range(1000)])
        accepted = time.monotonic() - started
        assert len(hub.wait_paid(1000, batch_id=batch_id)) == 1000
        paid = time.monotonic() - started
        while client.aggregate(batch_id)["successful"] < 1000 and time.monotonic() < started + 20:
            time.sleep(0.05)
        assert len(client.details(batch_id, size=500)) == 500
        assert accepted < 1 and paid < 5


def test_header_only_file_is_accepted_and_comes_to_nothing(client, hub):
    assert client.upload(HEADER).status_code == 202
    hub.clock(advance=ALL_DONE)
    assert client.aggregate(hub.batches()[0]["batch_id"])["notes"] == "Failed Batch Request"


def test_signatures_by_two_hands_are_the_same_bytes(client):
    """Type 1 padding is fixed, so both implementations must agree to the byte."""
    from payment_hub_ee import signature

    numbers = client.key.private_numbers()
    assert signature.sign(numbers, "a:b:c") == client.sign("a:b:c")
    assert len(base64.b64decode(client.sign("a"))) == 256
