"""The JSON mode: an array of objects becomes rows (ph-ee-bulk-processor v1.13.1, RestRequestConvertor)."""

import json
import uuid

from .csv_file import COLUMNS


def read_rows(text):
    """Rows from [{requestId, paymentMode, amount, currency, descriptionText, creditParty, debitParty}].

    Raises ValueError where the original would fail to read the JSON. A single object counts as an array of
    one; fields that are not known are ignored.
    """
    items = json.loads(text)
    if not isinstance(items, list):
        raise ValueError("Cannot deserialize value of type `java.util.ArrayList` from Object value")
    return [_row(index, item) for index, item in enumerate(items)]


def _row(index, item):
    if not isinstance(item, dict):
        raise ValueError("Cannot construct instance of `BatchRequestDTO`")
    row = dict.fromkeys(COLUMNS)
    row["id"] = index
    row["request_id"] = _text(item.get("requestId")) or str(uuid.uuid4())
    row["payment_mode"] = _text(item.get("paymentMode"))
    row["amount"] = _text(item.get("amount"))
    row["currency"] = _text(item.get("currency"))
    row["note"] = _text(item.get("descriptionText"))
    row["payee_identifier_type"], row["payee_identifier"] = _party(item.get("creditParty"))
    row["payer_identifier_type"], row["payer_identifier"] = _party(item.get("debitParty"))
    return row


def _party(parties):
    first = parties[0] if parties else {}
    return _text(first.get("key")), _text(first.get("value"))


def _text(value):
    """A JSON number is taken as its text, as a String property takes it."""
    return value if value is None or isinstance(value, str) else json.dumps(value)
