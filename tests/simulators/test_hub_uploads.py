"""Uploads are taken and refused as Payment Hub EE does; a name with case_N acts out contract case N."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hub_client import ALL_DONE, make_csv, some_rows

THREE = make_csv(some_rows(3))
PUBLIC_KEY, WEB_SIGNATURE = "InvalidPublicKeyConfigured", "InvalidJsonWebSignature"


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
