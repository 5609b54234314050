"""What is sent: each body with the members that the connector knows, and no others.

18.0.2 takes any member and believes some of them (`currentState`, for example), newer ones refuse those they
do not know. Bodies are texts, so that what is written down is what is sent.
"""

import json
from datetime import datetime, timedelta, timezone
from typing import Any

from odoo.addons.g2p_payment_hub.client.instructions import Instruction

from . import grammar
from .ids import TransferIds
from .parties import Party, Payee
from .quotes import Quote
from .settings import ConnectorSettings
from .transfer_state import Order

Members = dict[str, Any]


def text_of(body: Members | list[Members]) -> str:
    """JSON as JavaScript writes it, which is also what signatures are over."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)


def time_text(moment: datetime) -> str:
    """Milliseconds and zone are obligatory in FSPIOP."""
    moment = moment.astimezone(timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def time_of(text: object) -> datetime:
    """With its time zone. ValueError when it is none."""
    if not isinstance(text, str):
        raise ValueError("not a time")
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment


def quote(
    settings: ConnectorSettings, payee: Payee, instruction: Instruction, ids: TransferIds, now: datetime
) -> str:
    """For POST /quotes."""
    request = {
        "quoteId": ids.quote_id,
        "transactionId": ids.transfer_id,
        "payer": _payer(settings),
        "payee": {"partyIdInfo": _party_id(payee, payee.fsp_id)},
        "amountType": settings.amount_type,
        "amount": money(instruction),
        "transactionType": {
            "scenario": settings.scenario,
            "initiator": "PAYER",
            "initiatorType": settings.initiator_type,
        },
        "expiration": time_text(_expiry(settings, now)),
    }
    if instruction.note:
        request["note"] = instruction.note
    return text_of({"fspId": payee.fsp_id, "quotesPostRequest": request})


def transfer(settings: ConnectorSettings, quoted: Quote, now: datetime) -> str:
    """For POST /simpleTransfers: the step with which money moves."""
    request = {
        "transferId": quoted.transfer_id,
        "payerFsp": settings.dfsp_id,
        "payeeFsp": quoted.payee.fsp_id,
        "amount": {"currency": quoted.currency, "amount": grammar.amount_text(quoted.transfer_amount)},
        "ilpPacket": quoted.ilp_packet,
        "condition": quoted.condition,
        "expiration": time_text(_expiry(settings, now)),
    }
    return text_of({"fspId": quoted.payee.fsp_id, "transfersPostRequest": request})


def acceptance(settings: ConnectorSettings, quoted: Quote, now: datetime) -> str:
    """What is written down of a transfer in two phases. Of this only the acceptance is sent: the connector
    makes the rest, and an expiration of its own, when it gets round to it."""
    latest = _expiry(settings, now) + timedelta(seconds=settings.limits.total)
    order = {
        "transferId": quoted.transfer_id,
        "condition": quoted.condition,
        "expiration": time_text(latest),
    }
    return text_of({"acceptQuote": True, "transfersPostRequest": order})


def order_of(body: str) -> Order:
    """What was ordered by a body of `transfer` or `acceptance`, or by one's part of a bulk (`bulk.Bulk`).
    ValueError on any other text."""
    try:
        members = json.loads(body)
        single = "bulkTransfer" not in members
        request = members["transfersPostRequest" if single else "individualTransfer"]
        return Order(
            transfer_id=request["transferId"],
            condition=request["condition"],
            expiration=time_of((request if single else members)["expiration"]),
            repeatable=single and "acceptQuote" not in members,
        )
    except (KeyError, TypeError) as error:
        raise ValueError("not the body of a transfer") from error


def whole_transfer(settings: ConnectorSettings, instruction: Instruction, transfer_id: str) -> str:
    """For POST /transfers of a connector that waits until its quote is accepted.

    18.0.2 uses the `transferId` that it is given, although its API does not tell of it. Newer ones refuse it.
    """
    id_type, sub_id = grammar.split_type(instruction.payee_identifier_type)
    payee = Party(id_type=id_type, id_value=instruction.payee_identifier, id_sub_value=sub_id)
    request = {
        "transferId": transfer_id,
        "homeTransactionId": instruction.reference,
        "from": simple_payer(settings),
        "to": simple_party(payee),
        "amountType": settings.amount_type,
        **money(instruction),
        "transactionType": "TRANSFER",
    }
    if instruction.note:
        request["note"] = instruction.note
    return text_of(request)


def simple_payer(settings: ConnectorSettings) -> Members:
    """The payer as in the connector's own API."""
    payer = {**simple_party(settings.payer), "type": settings.initiator_type}
    name = grammar.display_name(settings.payer.display_name)
    return {**payer, "displayName": name} if name else payer


def simple_party(party: Party | Payee) -> Members:
    """Any party as in the connector's own API."""
    members = {"idType": party.id_type, "idValue": party.id_value}
    return {**members, "idSubValue": party.id_sub_value} if party.id_sub_value else members


def _payer(settings: ConnectorSettings) -> Members:
    party = {"partyIdInfo": _party_id(settings.payer, settings.dfsp_id)}
    name = grammar.display_name(settings.payer.display_name)
    return {**party, "name": name} if name else party


def _party_id(party: Party | Payee, fsp_id: str) -> Members:
    """A party as in FSPIOP."""
    members = {"partyIdType": party.id_type, "partyIdentifier": party.id_value, "fspId": fsp_id}
    return {**members, "partySubIdOrType": party.id_sub_value} if party.id_sub_value else members


def money(instruction: Instruction) -> Members:
    """Currency and amount as texts."""
    return {"currency": instruction.currency, "amount": grammar.amount_text(instruction.amount)}


def _expiry(settings: ConnectorSettings, now: datetime) -> datetime:
    return now + timedelta(seconds=settings.expiry_seconds)
