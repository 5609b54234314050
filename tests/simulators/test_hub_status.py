"""What Payment Hub EE shows of a batch; a name with case_N acts out contract case N."""

import pytest
from hub_client import ALL_DONE, TIMES, HubClient, make_csv, some_rows, statuses
from process import HubSimulator


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
