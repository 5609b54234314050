"""The other form of a batch, read by an implementation that is not ours."""

import json
from decimal import Decimal

import pytest
from instructions import PAYER, instruction
from payment_hub_ee import raw_json as hub_json

from g2p_payment_hub.client import csv_file, raw_json

ROWS = [instruction(), instruction(reference="1aBc", payee_identifier="27713800002", amount=7, note="")]


def test_golden():
    assert raw_json.render([instruction()], PAYER, "mojaloop") == (
        '[{"requestId":"0aBcDeFgHiJkLmNoPqRsTu","paymentMode":"mojaloop","amount":"120","currency":"USD",'
        '"descriptionText":"Cycle 1 - May 2026","creditParty":[{"key":"MSISDN","value":"27713800001"}],'
        '"debitParty":[{"key":"MSISDN","value":"123456789"}]}]'
    )


def test_the_hub_reads_what_the_file_would_say():
    read = hub_json.read_rows(raw_json.render(ROWS, PAYER, "gsma"))
    lines = csv_file.render(ROWS, PAYER, "gsma").split("\n")[1:]
    assert [[str(row[name]) for name in csv_file.COLUMNS] for row in read] == [
        line.split(",") for line in lines
    ]


def test_amounts_are_texts():
    """A JSON number would be a float somewhere."""
    assert [row["amount"] for row in json.loads(raw_json.render(ROWS, PAYER, "gsma"))] == ["120", "7"]


@pytest.mark.parametrize(
    "rows",
    [
        [instruction(amount=Decimal("1.5"))],
        [instruction(payee_identifier="7" * 25)],  # a file would carry it, but not this, which is rewritten
        [instruction(), instruction(payee_identifier="1")],
        [instruction(), instruction(reference="x")],
        [instruction(payee_dfsp="lion")],
    ],
)
def test_what_the_hub_would_not_take_as_it_is(rows):
    with pytest.raises(ValueError):
        raw_json.render(rows, PAYER, "mojaloop")
