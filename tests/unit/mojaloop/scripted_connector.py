"""A connector with a hub and a payee's institution behind it, whose every word a test can change.

It answers as npm's sdk-scheme-adapter 18.0.2 does, step by step and in two phases.
"""

import json
from decimal import Decimal

from certificates import Authority
from loopback import answering
from newer_adapter import QuestionMemory
from packets import condition, fulfilment
from packets import packet as make_packet

from odoo.addons.g2p_mojaloop_connector.client.connector import Connector
from odoo.addons.g2p_mojaloop_connector.client.parties import Party
from odoo.addons.g2p_mojaloop_connector.client.settings import ConnectorSettings
from odoo.addons.g2p_payment_hub.client.auth import TokenCache
from odoo.addons.g2p_payment_hub.client.http import HttpLimits
from odoo.addons.g2p_payment_hub.client.instructions import Instruction

ANY_AUTHORITY = Authority().pem  # takes less time to load than all the public ones
NEW_QUOTE = "0f0f7a0d-5c11-4c94-9b3f-5ed0ba5b3d25"
FAR = "2040-01-01T01:01:01.001Z"


def settings_for(url, **changes):
    values = {
        "url": url,
        "dfsp_id": "userdfsp",
        "payer": Party(id_type="ACCOUNT_ID", id_value="12345", display_name="Ministry"),
        "ca_bundle": ANY_AUTHORITY,
        "limits": HttpLimits(connect=2, read=2, total=5),
        "step_timeout": 0.5,
        **changes,
    }
    return ConnectorSettings(**values)


def instruction(**changes):
    values = {
        "reference": "PAY1",
        "payee_identifier_type": "MSISDN",
        "payee_identifier": "27713803912",
        "amount": Decimal(100),
        "currency": "USD",
        **changes,
    }
    return Instruction(**values)


def error(code, description="no"):
    return {"errorInformation": {"errorCode": code, "errorDescription": description}}


def failed(code, state="transferState", status=500, **members):
    """A failure that the hub's callback named, as the connector tells it."""
    last = {"httpStatusCode": status, "mojaloopError": error(code)}
    ended = {"currentState": "ERROR_OCCURRED", "lastError": last, **members}
    inspected = f"{{ errorInformation: {{ errorCode: '{code}', errorDescription: 'no' }} }}"
    message = f"Got an error response retrieving transfer: {inspected}"
    return status, {"message": message, "statusCode": code, state: ended}


TIMEOUT = 500, {"message": "Timeout", "statusCode": "500", "requestQuotesInformationState": {}}
FULFIL_TIMEOUT = 504, {"message": "Timeout waiting for fulfil", "statusCode": "504", "transferState": {}}


class ScriptedConnector:
    """`answers` maps a step (party, quote, transfer, ask, begin, accept, accounts, remove, home) to what is
    answered in its place: (status, body), or a function of the request that gives one. `offer` changes
    members of each quote, `packet` members of what its packet carries, and `make_packet` makes it.
    """

    def __init__(self, loopback, offer=None, packet=None, make_packet=make_packet, **answers):
        self.answers = answers
        self._offer_changes, self._packet_changes = offer or {}, packet or {}
        self._make_packet = make_packet
        self.server = loopback(answering(self._answer))
        self.packets = {}  # by transfer id
        self.paid = []  # transfer ids, as often as they were paid

    def connector(self, **settings):
        return Connector(settings_for(self.server.url, **settings), TokenCache())

    def bodies(self, path):
        """What was posted or put there, parsed."""
        return [
            json.loads(one.body) for one in self.server.requests if one.path.startswith(path) and one.body
        ]

    def _answer(self, request):
        step = self._step(request)
        said = self.answers.get(step, getattr(self, f"_{step}", (400, {"message": "?", "statusCode": 400})))
        return said(request) if callable(said) else said

    def _step(self, request):
        start = request.path.split("/")[1]
        steps = {
            ("GET", ""): "home",
            ("GET", "parties"): "party",
            ("POST", "quotes"): "quote",
            ("POST", "simpleTransfers"): "transfer",
            ("GET", "transfers"): "ask",
            ("POST", "transfers"): "begin",
            ("PUT", "transfers"): "accept",
            ("POST", "accounts"): "accounts",
            ("DELETE", "accounts"): "remove",
        }
        return steps.get((request.method, start), "other")

    def _home(self, _request):
        return 200, b""

    def _party(self, request):
        _empty, _start, id_type, identifier, *sub = request.path.split("/")
        return 200, {
            "party": {"body": party(id_type, identifier, *sub), "headers": {}},
            "currentState": "COMPLETED",
        }

    def _quote(self, request):
        asked = json.loads(request.body)["quotesPostRequest"]
        return 200, {"quotes": {"body": self.offer(asked), "headers": {}}, "currentState": "COMPLETED"}

    def offer(self, asked):
        """What the payee's institution offers for a POST /quotes."""
        transfer_amount = self._offer_changes.get("transferAmount") or asked["amount"]
        carried = {
            "transactionId": asked["transactionId"],
            "quoteId": asked["quoteId"],
            "payee": asked["payee"],
            "payer": asked["payer"],
            "amount": transfer_amount,
            "transactionType": asked["transactionType"],
            "note": asked.get("note", ""),
            **self._packet_changes,
        }
        made = self._make_packet(carried)
        self.packets[asked["transactionId"]] = made
        offered = {"expiration": FAR, "ilpPacket": made, "condition": condition(made)}
        return {**offered, "transferAmount": transfer_amount, **self._offer_changes}

    def _transfer(self, request):
        transfer_id = json.loads(request.body)["transfersPostRequest"]["transferId"]
        self.paid.append(transfer_id)
        return 200, {
            "transfer": {"body": self.committed(transfer_id), "headers": {}},
            "currentState": "COMPLETED",
        }

    def committed(self, transfer_id, state="COMMITTED"):
        return {
            "transferState": state,
            "completedTimestamp": "2026-01-02T03:04:05.678Z",
            "fulfilment": fulfilment(self.packets[transfer_id]),
        }

    def _ask(self, request):
        transfer_id = request.path.split("/")[2]
        if transfer_id not in self.paid:
            return failed("3208")
        return 200, state(transfer_id, self.committed(transfer_id))

    def _begin(self, request):
        """AUTO_ACCEPT_QUOTES is off."""
        asked = json.loads(request.body)
        self.asked = {
            "transactionId": asked["transferId"],
            "quoteId": NEW_QUOTE,
            "payee": asked["to"],
            "payer": asked["from"],
            "amount": {"currency": asked["currency"], "amount": asked["amount"]},
            "transactionType": asked["transactionType"],
        }
        return 200, self.begun()

    def begun(self, word="WAITING_FOR_QUOTE_ACCEPTANCE", **members):
        """What POST /transfers answers once there is a quote."""
        to = self.asked["payee"]
        found = party(to["idType"], to["idValue"], to.get("idSubValue", ""))
        return {
            "transferId": self.asked["transactionId"],
            "quoteId": NEW_QUOTE,
            "currentState": word,
            "getPartiesResponse": {"body": {"party": found}},
            "quoteResponse": {"body": self.offer(self.asked), "headers": {}},
            **members,
        }

    def _accept(self, request):
        transfer_id = request.path.split("/")[2]
        if not json.loads(request.body).get("acceptQuote"):
            return 200, {
                "transferId": transfer_id,
                "currentState": "ABORTED",
                "abortedReason": "rejected by payer",
            }
        self.paid.append(transfer_id)
        return 200, {**self.begun("COMPLETED"), **state(transfer_id, self.committed(transfer_id))}

    def _accounts(self, request):
        """Identifiers that end with 0404 are refused; the answer has an order of its own."""
        rows = []
        for one in json.loads(request.body):
            refused = (
                {"error": {"statusCode": "3204", "message": "not found"}}
                if one["idValue"].endswith("0404")
                else {}
            )
            rows.append({name: one[name] for name in one if name != "currency"} | refused)
        return 200, {"modelId": "m", "currentState": "COMPLETED", "response": rows[::-1]}


class NewerConnector(ScriptedConnector):
    """24.19.4: it keeps a state with each question for a transfer. `hub` is what the hub says when asked, by
    transfer id; of those that it has paid, that; of others it knows nothing."""

    def __init__(self, loopback, **answers):
        super().__init__(loopback, **answers)
        self.memory, self.hub = QuestionMemory(), {}

    def _ask(self, request):
        transfer_id = request.path.split("/")[2]
        known = self.committed(transfer_id) if transfer_id in self.paid else error("3208")
        return self.memory.answer(transfer_id, self.hub.get(transfer_id, known))


def party(id_type, identifier, sub="", **changes):
    identity = {"partyIdType": id_type, "partyIdentifier": identifier, "fspId": "payeefsp"}
    return {
        "partyIdInfo": {**identity, "partySubIdOrType": sub} if sub else identity,
        "name": "Test Payee",
        "personalInfo": {"complexName": {"firstName": "Tess", "lastName": "Payee"}},
        **changes,
    }


def state(transfer_id, fulfil):
    """What GET and PUT /transfers answer."""
    return {"transferId": transfer_id, "currentState": "COMPLETED", "fulfil": {"body": fulfil, "headers": {}}}
