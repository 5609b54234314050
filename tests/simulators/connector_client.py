"""The least that a client of the scheme adapter can be; only tests and benchmarks of the peers use it.

Pays step by step, POST /quotes and POST /simpleTransfers with ids of its own.
"""

import uuid

import requests

TIMEOUT = 60
_PAYER = {"partyIdType": "ACCOUNT_ID", "partyIdentifier": "treasury-1"}


class ConnectorClient:
    def __init__(self, info):
        self.url, self.dfsp = info["connector_url"], info["dfsp"]
        self.session = requests.Session()
        self.session.trust_env = False

    def call(self, method, path, body=None):
        """(status, decoded body)"""
        answer = self.session.request(method, self.url + path, json=body, timeout=TIMEOUT)
        return answer.status_code, answer.json()

    def look_up(self, payee, kind="MSISDN"):
        return self.call("GET", f"/parties/{kind}/{payee}")

    def quote(self, party, amount="100", note="October"):
        """The answer to POST /quotes, and the id with which the transfer will go."""
        transfer_id = str(uuid.uuid4())
        kind = {"scenario": "TRANSFER", "initiator": "PAYER", "initiatorType": "BUSINESS"}
        body = {
            "quoteId": str(uuid.uuid4()),
            "transactionId": transfer_id,
            "payer": {"partyIdInfo": {**_PAYER, "fspId": self.dfsp}},
            "payee": party,
            "amountType": "SEND",
            "amount": {"currency": "USD", "amount": amount},
            "transactionType": kind,
            "note": note,
        }
        fsp = party["partyIdInfo"]["fspId"]
        return self.call("POST", "/quotes", {"fspId": fsp, "quotesPostRequest": body}), transfer_id

    def transfer_body(self, transfer_id, fsp, quote):
        """What goes to POST /simpleTransfers; sent again as it is, it is a resend."""
        body = {
            "transferId": transfer_id,
            "payerFsp": self.dfsp,
            "payeeFsp": fsp,
            "amount": quote["transferAmount"],
            "ilpPacket": quote["ilpPacket"],
            "condition": quote["condition"],
            "expiration": "2040-01-01T00:00:00.000Z",
        }
        return {"fspId": fsp, "transfersPostRequest": body}

    def transfer(self, body):
        return self.call("POST", "/simpleTransfers", body)

    def query(self, transfer_id):
        return self.call("GET", f"/transfers/{transfer_id}")

    def prepare(self, payee, amount="100"):
        """Look up and quote: the transfer's body and the quote."""
        _, found = self.look_up(payee)
        party = found["party"]["body"]
        (_, answer), transfer_id = self.quote(party, amount)
        quote = answer["quotes"]["body"]
        return self.transfer_body(transfer_id, party["partyIdInfo"]["fspId"], quote), quote

    def pay(self, payee, amount="100"):
        """All three steps: the transfer's id, and the state that the hub gave."""
        body, _ = self.prepare(payee, amount)
        _, answer = self.transfer(body)
        return body["transfersPostRequest"]["transferId"], answer["transfer"]["body"]["transferState"]

    def pay_in_two_phases(self, payee):
        """POST /transfers, then each step accepted: the state and the transfer's id after every answer."""
        body = {
            "homeTransactionId": str(uuid.uuid4()),
            "from": {
                "idType": _PAYER["partyIdType"],
                "idValue": _PAYER["partyIdentifier"],
                "type": "BUSINESS",
            },
            "to": {"idType": "MSISDN", "idValue": payee},
            "amountType": "SEND",
            "currency": "USD",
            "amount": "100",
            "transactionType": "TRANSFER",
        }
        _, answer = self.call("POST", "/transfers", body)
        transfer_id = answer["transferId"]
        yield answer["currentState"], transfer_id
        for accept in ("acceptParty", "acceptQuote"):
            _, answer = self.call("PUT", f"/transfers/{transfer_id}", {accept: True})
            yield answer["currentState"], answer["transferId"]
