"""The simulator does what Payment Hub EE does; a name with case_N acts out contract case N."""

import base64
import json
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hub_client import ALL_DONE, HEADER, OTHER_TIMES, TIMES, HubClient, make_csv, some_rows
from process import HubSimulator

THREE = make_csv(some_rows(3))
PUBLIC_KEY, WEB_SIGNATURE = "InvalidPublicKeyConfigured", "InvalidJsonWebSignature"


def statuses(rows, key="clientCorrelationId"):
    return {row[key]: row["status"] for row in rows}


# -- signature -----------------------------------------------------------------------------------------


def test_case_1_accepted_and_signed(client, hub):
    response = client.upload(THREE)
    assert response.status_code == 202
    assert response.json()["SuggestedCallbackSeconds"] == "120"
    assert response.json()["PollingPath"].startswith("/batch/Summary/")
    client.check_response(response)
    assert [batch["rows"] for batch in hub.batches()] == [3]


@pytest.mark.parametrize("signature", [None, "no base64!", "AAAA"])
def test_case_3_no_signature(client, hub, signature):
    response = client.upload(THREE, X_SIGNATURE=signature)
    assert (response.status_code, response.json()["errorCode"]) == (400, PUBLIC_KEY)
    assert "BEGIN CERTIFICATE" in response.json()["developerMessage"]
    assert hub.batches() == []


def test_case_3_foreign_key(client, hub):
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text = f"100000000001:{client.info['tenant']}:{THREE}"
    response = client.upload(THREE, X_SIGNATURE=client.sign(text, stranger))
    assert (response.status_code, response.json()["errorCode"]) == (400, PUBLIC_KEY)
    assert hub.batches() == []


def test_case_4_signature_of_something_else(client, hub):
    sent = client.sign("something else")
    response = client.upload(THREE, X_SIGNATURE=sent)
    error = response.json()
    assert (response.status_code, error["errorCode"]) == (400, WEB_SIGNATURE)
    assert error["errorParameters"] == [{"key": "X-SIGNATURE", "value": sent}]
    assert hub.batches() == []


def test_case_5_line_ends_and_blanks_are_normalised_before_the_check(client):
    raw = THREE.replace("\n", "\r\n") + "\r\n"
    assert client.upload(THREE, sent=raw).status_code == 202
    assert client.upload(raw, sent=raw).json()["errorCode"] == WEB_SIGNATURE


def test_rows_after_an_empty_line_vanish(client, hub):
    first = make_csv(some_rows(2))
    assert client.upload(first, sent=first + "\n\n9,r-9,mojaloop,,1,MSISDN,2771,5,USD,n").status_code == 202
    assert [batch["rows"] for batch in hub.batches()] == [2]


def test_only_the_first_part_is_read(client, hub):
    files = [("data", ("a.csv", THREE)), ("more", ("b.csv", make_csv(some_rows(2, "x"))))]
    assert client.post(client.headers(THREE), files=files).status_code == 202
    assert [batch["rows"] for batch in hub.batches()] == [3]


def test_boundary_in_quotes_is_not_found(client):
    body = f"--b\r\nContent-Disposition: form-data; name=data\r\n\r\n{THREE}\r\n--b--\r\n"
    plain = client.headers(THREE) | {"Content-Type": "multipart/form-data; boundary=b"}
    quoted = client.headers(THREE) | {"Content-Type": 'multipart/form-data; boundary="b"'}
    assert client.post(plain, data=body).status_code == 202
    assert client.post(quoted, data=body).json()["errorCode"] == WEB_SIGNATURE


def test_no_content_type(client):
    response = client.post(client.headers(THREE), data=THREE.encode())
    assert (response.status_code, response.json()["errorCode"]) == (500, "JWSVerificationServerError")


def test_characters_beyond_ascii_break_the_signature(client):
    text = THREE.replace("note", "é", 1) + "é"
    assert client.upload(text).json()["errorCode"] == WEB_SIGNATURE


# -- acceptance ----------------------------------------------------------------------------------------


def test_case_2_raw_json(client, hub):
    row = {"requestId": "raw-1", "paymentMode": "mojaloop", "amount": "10", "currency": "USD"}
    row["creditParty"] = [{"key": "MSISDN", "value": "27710000001"}]
    row["debitParty"] = [{"key": "MSISDN", "value": "123456789"}]
    text = json.dumps([row])
    headers = client.headers(text, Type="raw", filename=None) | {"Content-Type": "application/json"}
    assert client.post(headers, data=text).status_code == 202
    hub.clock(advance=ALL_DONE)
    [found] = client.call("/batches").json()["data"]
    assert found["requestFile"].endswith(".csv") and "batch" not in found["requestFile"]
    assert [entry["request_id"] for entry in hub.ledger()] == ["raw-1"]


@pytest.mark.parametrize("changes", [{"Type": "type"}, {"Type": "raw"}, {"filename": ""}])
def test_case_6_type_mismatch(client, changes):
    response = client.upload(THREE, **changes)
    assert response.status_code == 400
    assert response.json()["errorInformation"] == "File not uploaded"
    assert response.json()["errorCode"] == 400


@pytest.mark.parametrize(
    "text, changes, information",
    [
        (THREE.replace("payment_mode", "paymentmode"), {}, "Invalid file structure"),
        (THREE.replace("request_id", "Request_id"), {}, "Invalid file structure"),
        (THREE.replace("amount", '"amount"', 1), {}, "Invalid file structure"),
        (THREE, {"filename": "batch.txt"}, "Broken file"),
    ],
)
def test_case_7_error_with_odd_keys(client, hub, text, changes, information):
    response = client.upload(text, **changes)
    assert response.status_code == 400
    assert response.json().keys() == {"Error Information: ", "Error Description : "}
    assert response.json()["Error Information: "] == information
    client.check_response(response)
    assert hub.batches() == []


def test_case_8_size(client):
    text = THREE + "n" * (100_000 - len(THREE))
    assert client.upload(text).status_code == 202
    assert client.upload(text + "n").json()["Error Information: "] == "File too big"


@pytest.mark.parametrize(
    "text",
    [
        THREE.replace(",10,", ",abc,", 1),
        THREE.replace(",10,", ",,", 1),
        THREE.replace("\n0,", "\nzero,", 1),
        THREE + ",one,cell,too,many,here,and,there",
        "id,request_id\n1,a",
    ],
)
def test_case_9_unreadable_row_is_swallowed(client, hub, text):
    response = client.upload(text)
    assert (response.status_code, response.content) == (200, b"")
    assert "X-SIGNATURE" not in response.headers
    assert hub.batches() == []


@pytest.mark.parametrize("name", ["Purpose", "Type", "filename"])
def test_case_10_missing_header(client, name):
    response = client.upload(THREE, **{name: None})
    assert (response.status_code, response.json()["responseCode"]) == (500, "01")


def test_empty_purpose_is_fine(client):
    assert client.upload(THREE, Purpose="").status_code == 202


def test_case_11_unknown_tenant(client):
    response = client.upload(THREE, Platform_TenantId="nobody")
    assert response.status_code == 412
    assert response.json() == {"responseCode": "01", "responseDescription": "Process definition not found"}
    for response in (client.call("/batches", tenant="nobody"), client.token(tenant="nobody")):
        assert (response.status_code, response.content) == (500, b"")


def test_another_tenant_does_not_see_the_batch(client, hub):
    batch_id = client.send(some_rows(3))
    hub.clock(advance=ALL_DONE)
    client.login()
    form = {"username": client.info["username"], "password": client.info["password"]}
    client.bearer = client.token(grant_type="password", tenant="lion", **form).json()["access_token"]
    assert client.call(f"/batch/{batch_id}", tenant="lion").status_code == 404
    assert client.call("/batch/x", tenant="gorilla").json()["error"] == "invalid_token"


# -- exactly once --------------------------------------------------------------------------------------


def test_case_14_the_same_file_twice_is_paid_twice(client, hub):
    assert client.send(some_rows(3)) != client.send(some_rows(3))
    hub.clock(advance=ALL_DONE)
    assert sorted(entry["request_id"] for entry in hub.ledger()) == ["r-0", "r-0", "r-1", "r-1", "r-2", "r-2"]


def test_ledger_row(client, hub):
    batch_id = client.send([("one", "27710000001", 25)])
    assert hub.ledger() == []
    hub.clock(advance=ALL_DONE)
    [entry] = hub.ledger(batch_id=batch_id)
    expected = {"request_id": "one", "payee": "27710000001", "amount": "25", "currency": "USD"}
    assert expected.items() <= entry.items()
    assert entry["tenant"] == client.info["tenant"]


# -- status --------------------------------------------------------------------------------------------


def test_case_15_unknown_then_empty_and_completed_then_rows_trickle(client, hub):
    batch_id = client.send(some_rows(10))
    response = client.call(f"/batch/{batch_id}")
    assert (response.status_code, response.headers["Content-Type"][:10]) == (404, "text/plain")
    assert batch_id in response.text
    hub.clock(advance=11)
    empty = client.aggregate(batch_id)
    assert (empty["total"], empty["status"], empty["successPercentage"]) == (0, "COMPLETED", "NaN")
    totals = []
    for _step in range(6):
        hub.clock(advance=4)
        totals.append(client.aggregate(batch_id)["total"])
    assert totals == sorted(totals) and len(set(totals)) > 2 and totals[-1] == 10


def test_case_16_failed_while_rows_are_on_their_way(client, hub):
    batch_id = client.send(some_rows(12))
    hub.clock(advance=35)
    seen = client.aggregate(batch_id)
    assert seen["status"] == "Failed"
    assert seen["total"] == 12 and 0 < seen["successful"] < 12
    assert seen["ongoing"] == 12 - seen["successful"]
    assert seen["pendingAmount"] == seen["ongoing"] * 10


def partial(client, hub):
    rows = some_rows(10) + [("bad-1", "27710000404", 10), ("bad-2", "27710000402", 10)]
    batch_id = client.send(rows)
    hub.clock(advance=ALL_DONE)
    return batch_id, {row["clientCorrelationId"]: row for row in client.details(batch_id)}


def test_case_17_partial_failure(client, hub):
    batch_id, rows = partial(client, hub)
    assert len(rows) == 12 and len({row["batchId"] for row in rows.values()}) == 3
    counters = client.aggregate(batch_id)
    assert (counters["successful"], counters["failed"], counters["ongoing"]) == (10, 2, 0)
    assert rows["bad-1"]["status"] == rows["bad-2"]["status"] == "FAILED"
    assert "PayeeNotFound" in rows["bad-1"]["errorInformation"]
    [row] = client.transfers(clientCorrelationId="bad-2")
    assert row["errorInformation"]["errorCode"] == "PayerInsufficientBalance"
    assert len(hub.ledger()) == 10


@pytest.mark.parametrize("bpmn, error", [("published", True), ("published-silent", False)])
def test_case_17_false_completed(bpmn, error):
    with HubSimulator(*TIMES, "--bpmn", bpmn) as hub:
        hub.clock(freeze=True)
        client = HubClient(hub)
        _batch_id, rows = partial(client, hub)
        assert rows["bad-1"]["status"] == "COMPLETED"
        assert bool(rows["bad-1"]["errorInformation"]) is error
        variables = client.call(f"/variables/{rows['bad-1']['transactionId']}").json()
        assert variables["transactionFailed"] == "true"
        assert len(hub.ledger()) == 10


def test_case_18_duplicate_in_a_small_file(client, hub):
    batch_id = client.send([("a", "27710000001", 10), ("b", "27710000001", 10), ("c", "27710000001", 11)])
    hub.clock(advance=ALL_DONE)
    rows = client.details(batch_id)
    [duplicate] = [row for row in rows if row["status"] == "FAILED"]
    assert duplicate["transactionId"] == "b" and duplicate["clientCorrelationId"] != "b"
    assert duplicate["errorInformation"] == "Duplicate transaction."
    assert client.aggregate(batch_id)["total"] == 3
    assert client.transfers(transactionId="b")[0]["errorInformation"] is None
    assert sorted(entry["request_id"] for entry in hub.ledger()) == ["a", "c"]


def test_case_18_duplicate_in_a_split_file_is_found_by_itself_only(client, hub):
    batch_id = client.send([*some_rows(11), ("twin", "27710000001", 10)])
    hub.clock(advance=ALL_DONE)
    assert client.aggregate(batch_id)["total"] == 11
    assert len(client.details(batch_id)) == 11
    assert statuses(client.transfers(transactionId="twin"), "transactionId") == {"twin": "FAILED"}


def test_older_importer_reports_duplicates_under_no_known_id():
    with HubSimulator(*TIMES, "--importer", "older") as hub:
        hub.clock(freeze=True)
        client = HubClient(hub)
        batch_id = client.send([("a", "27710000001", 10), ("b", "27710000001", 10)])
        hub.clock(advance=ALL_DONE)
        [row] = [row for row in client.details(batch_id) if row["status"] == "FAILED"]
        assert "b" not in (row["transactionId"], row["clientCorrelationId"])
        assert row["payerPartyId"] == "27710000001"


def test_case_19_decimals_stall_their_part_and_what_follows(client, hub):
    stalled = client.send([("d", "27710000001", "10.50"), *some_rows(5)])
    partly = client.send([*some_rows(5, "early"), ("late-d", "27710000009", "1.5"), *some_rows(5, "late")])
    hub.clock(advance=10 * ALL_DONE)
    assert client.aggregate(stalled)["total"] == 0
    assert {row["clientCorrelationId"] for row in client.details(partly)} == {f"early-{n}" for n in range(5)}
    assert {entry["batch_id"] for entry in hub.ledger()} == {partly}


def test_case_20_unknown_mode(client, hub):
    batch_id = client.send(some_rows(3), mode="pigeon")
    hub.clock(advance=10 * ALL_DONE)
    assert client.details(batch_id) == [] and hub.ledger() == []


def test_first_row_decides_the_mode_of_its_sub_batch(client, hub):
    lines = make_csv(some_rows(5)).splitlines()
    lines[3] = lines[3].replace("mojaloop", "pigeon")
    client.upload("\n".join(lines))
    hub.clock(advance=ALL_DONE)
    assert len(hub.ledger()) == 5


def test_case_21_authorization_refused(client, hub):
    hub.plan(batches={"batch.csv": {"authorization": "N"}})
    batch_id = client.send(some_rows(3))
    hub.clock(advance=10 * ALL_DONE)
    seen = client.aggregate(batch_id)
    assert (seen["total"], seen["status"]) == (0, "COMPLETED")
    assert hub.ledger() == []


def test_authorization_is_waited_for(client, hub):
    hub.plan(batches={"batch.csv": {"authorization": "hold"}})
    client.send(some_rows(3))
    hub.clock(advance=10 * ALL_DONE)
    assert hub.ledger() == []
    verdict = {"clientCorrelationId": hub.batches()[0]["job_key"], "status": "Y", "reason": ""}
    assert client.post({}, "/authorization/callback", json=verdict).status_code == 200
    hub.clock(advance=ALL_DONE)
    assert len(hub.ledger()) == 3


def test_authorization_limit():
    with HubSimulator(*TIMES, "--authorization-sees", "total") as hub:
        hub.clock(freeze=True)
        client = HubClient(hub)
        client.send(some_rows(2, amount=10000))
        allowed = client.send(some_rows(2, amount=9999))
        hub.clock(advance=ALL_DONE)
        assert {entry["batch_id"] for entry in hub.ledger()} == {allowed}


def test_case_22_closedloop_is_keyed_the_other_way_and_completes_unpaid(client, hub):
    batch_id = client.send([("good", "27710000001", 10), ("bad", "27710000404", 10)], mode="closedloop")
    hub.clock(advance=ALL_DONE)
    rows = client.details(batch_id)
    assert statuses(rows, "transactionId") == {"good": "COMPLETED", "bad": "COMPLETED"}
    assert not {"good", "bad"} & {row["clientCorrelationId"] for row in rows}
    assert [entry["request_id"] for entry in hub.ledger()] == ["good"]


def test_case_22_quoted_ids(client, hub):
    long_id = "a-request-id-of-more-than-24-characters"
    batch_id = client.send(some_rows(6) + [(long_id, "27710000081", 10), ("twin", "27710000081", 10)])
    hub.clock(advance=ALL_DONE)
    assert f'"{long_id}"' in statuses(client.details(batch_id))
    assert long_id in {entry["request_id"] for entry in hub.ledger()}


def test_upper_case_closedloop_is_paid_but_never_reported(client, hub):
    batch_id = client.send(some_rows(2), mode="CLOSEDLOOP")
    hub.clock(advance=ALL_DONE)
    assert client.details(batch_id) == [] and len(hub.ledger()) == 2


@pytest.mark.parametrize(
    "payee, seen, paid",
    [
        ("0600", ["COMPLETED"], False),
        ("0601", ["COMPLETED"], False),
        ("0610", ["IN_PROGRESS"], False),
        ("0613", ["UNKNOWN"], False),
        ("0620", ["EXCEPTION"], False),
        ("0630", [], False),
        ("0631", [], True),
        ("0640", ["IN_PROGRESS"], False),
        ("0641", ["RESERVED"], False),
        ("0670", ["COMPLETED", "COMPLETED"], True),
    ],
)
def test_payee_numbers(client, hub, payee, seen, paid):
    batch_id = client.send([("row", f"2771000{payee}", 10)])
    hub.clock(advance=ALL_DONE)
    assert [row["status"] for row in client.details(batch_id)] == seen
    assert bool(hub.ledger()) is paid


def test_case_24_incident_is_repaired(client, hub):
    batch_id = client.send([("row", "27710000620", 10)])
    hub.clock(advance=ALL_DONE + 200)
    assert statuses(client.details(batch_id)) == {"row": "COMPLETED"}
    assert len(hub.ledger()) == 1


def test_amounts_that_differ(client, hub):
    batch_id = client.send([("more", "27710000650", 10), ("less", "27710000651", 10)])
    hub.clock(advance=ALL_DONE)
    assert {row["clientCorrelationId"]: row["amount"] for row in client.details(batch_id)} == {
        "more": "11",
        "less": "9",
    }
    assert {entry["request_id"]: entry["amount"] for entry in hub.ledger()} == {"more": "10", "less": "9"}


def test_plan_by_request_id(client, hub):
    hub.plan(rows={"r-1": "payee_not_found", "r-2": {"like": "paid", "shown": 5}})
    batch_id = client.send(some_rows(3))
    hub.clock(advance=ALL_DONE)
    rows = {row["clientCorrelationId"]: row for row in client.details(batch_id)}
    assert rows["r-1"]["status"] == "FAILED" and rows["r-2"]["amount"] == "15"
    with pytest.raises(ValueError, match="no such outcome"):
        hub.plan(rows={"r-1": "happiness"})


# -- lists ---------------------------------------------------------------------------------------------


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


# -- tokens --------------------------------------------------------------------------------------------


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


# -- the process ---------------------------------------------------------------------------------------


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
