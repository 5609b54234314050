"""The scheme's other ways in: two phases, as npm's connector 18.0.2 has them, and single steps and bulk of a
newer one, 24.19.4."""

import json

from .common import TIMEOUT, Scheme, _answer, _asked, _error
from .common_paying import PayingCase
from .newer_adapter import QuestionMemory

_FAR = "2040-01-01T00:00:00.000Z"


class TwoPhaseScheme(Scheme):
    """POST and PUT /transfers. `cached`: transfer id to what the connector's Redis has of it, which a
    question for a transfer overwrites. `accepts_by_itself`: AUTO_ACCEPT_QUOTES is on. `closed`: it takes no
    members that its API does not tell of."""

    def __init__(self):
        super().__init__()
        self.cached, self.accepts_by_itself, self.closed = {}, False, False
        self._expirations = 0

    def _post_transfers(self, body, text):
        if self.closed and "transferId" in body:
            message = ".requestBody must NOT have additional properties"
            return _answer(400, {"message": message, "statusCode": 400})
        transfer_id, identifier = body["transferId"], body["to"]["idValue"]
        for step in ("lookup", "quote"):
            failed = self._fault(identifier, step, lambda code: _answer(500, _asked(code, "preparing")))
            if failed:
                return failed
        self._payees[transfer_id] = identifier
        self.cached[transfer_id] = {**self._begun(body), "state": "quoteReceived"}
        return self._executed(transfer_id) if self.accepts_by_itself else self._waits(transfer_id)

    def _begun(self, body):
        party = {"partyIdType": body["to"]["idType"], "partyIdentifier": body["to"]["idValue"]}
        party["fspId"] = self.institution(body["to"]["idValue"])
        quote_id = f"quote {len(self.cached)}"
        amount = {"currency": body["currency"], "amount": body["amount"]}
        asked = {"transactionId": body["transferId"], "quoteId": quote_id, "amount": amount}
        return {
            "transferId": body["transferId"],
            "quoteId": quote_id,
            "getPartiesResponse": {"body": {"party": {"partyIdInfo": party, "name": "Somebody"}}},
            "quoteResponse": {"body": self._offer(asked, body["to"]["idValue"])},
        }

    def _waits(self, transfer_id):
        return _answer(200, {**self.cached[transfer_id], "currentState": "WAITING_FOR_QUOTE_ACCEPTANCE"})

    def _put_transfers(self, transfer_id, body, text):
        state = self.cached.get(transfer_id, {}).get("state")
        if not state:
            return _answer(500, {"message": "No cached data found", "statusCode": "500"})
        if state == "errored":
            return _answer(204)
        if state == "quoteReceived" and body["acceptQuote"]:
            return self._executed(transfer_id)
        if state == "quoteReceived":
            self.cached[transfer_id]["state"] = "aborted"
        word = "COMPLETED" if self.cached[transfer_id]["state"] == "succeeded" else "ABORTED"
        return _answer(200, {**self.cached[transfer_id], "currentState": word})

    def _executed(self, transfer_id):
        """Each time the hub gets another expiration."""
        cached = self.cached[transfer_id]
        offer = cached["quoteResponse"]["body"]
        self._expirations += 1
        request = {
            "transferId": transfer_id,
            "amount": offer["transferAmount"],
            "condition": offer["condition"],
            "expiration": self._expirations,
        }
        cached["state"] = "errored"
        text = json.dumps({"transfersPostRequest": request})
        failed = self._transferred(request, text, lambda code: _answer(500, _asked(code, "preparing")))
        if failed:
            return failed
        cached.update(state="succeeded", fulfil={"body": self._told(transfer_id)})
        return _answer(200, {**cached, "currentState": "COMPLETED"})

    def _get_transfers(self, transfer_id, text):
        answer = super()._get_transfers(transfer_id, text=text)
        self.cached[transfer_id] = {"state": "succeeded" if answer.status == 200 else "errored"}
        return answer


class NewerScheme(Scheme):
    """Single steps of 24.19.4. `memory`: what it keeps of the questions for transfers. `refused_as`: the HTTP
    status with which the hub refuses these, 406 where RESOURCE_VERSIONS does not suit it."""

    def __init__(self):
        super().__init__()
        self.memory, self.refused_as = QuestionMemory(), None

    def _get_parties(self, path, text):
        answer = super()._get_parties(path, text=text)
        nobody = {"errorInformation": _error("3204"), "currentState": "COMPLETED"}
        return _answer(404, nobody) if answer.json() == {"party": {"body": {}}} else answer

    def _answer_question(self, transfer_id, hub):
        return _answer(*self.memory.answer(transfer_id, self.refused_as or hub))


class BulkScheme(NewerScheme):
    """POST /bulkQuotes and /bulkTransfers. `bulks`: the bulk transfers that came. `untold`: payees who are
    missing in the answers to a step. `fault`: what is answered to a whole step instead, an error code or
    TIMEOUT, after it was carried out when the step is in `carried_out`. `old`: npm's 18.0.2."""

    def __init__(self):
        super().__init__()
        self.quotes, self.bulks, self.untold, self.fault = [], [], set(), {}
        self.carried_out, self.old = set(), False

    def _post_bulkQuotes(self, body, text):
        if self.old:
            return _answer(504, {"message": "Timeout requesting bulk quote", "statusCode": "504"})
        self.quotes.append(body)
        rows = [self._quoted(one) for one in body["individualQuotes"]]
        told = {"expiration": _FAR, "individualQuoteResults": [row for row in rows if row]}
        return self._instead("quotes") or _answer(200, {"currentState": "COMPLETED", **told})

    def _instead(self, step):
        fault = self.fault.get(step)
        if fault == TIMEOUT:
            return _answer(504, {"message": "Timeout", "statusCode": "504", "bulkTransferState": {}})
        last = {"mojaloopError": {"errorInformation": _error(fault)}}
        return _answer(500, {"bulkTransferState": {"lastError": last}}) if fault else None

    def _quoted(self, one):
        identifier = one["to"]["idValue"]
        if (identifier, "quote") in self.untold:
            return None
        code = self.faults.get((identifier, "quote"))
        if code:
            return {
                "quoteId": one["quoteId"],
                "lastError": {"mojaloopError": {"errorInformation": _error(code)}},
            }
        amount = {"currency": one["currency"], "amount": one["amount"]}
        asked = {"transactionId": one["quoteId"], "quoteId": one["quoteId"], "amount": amount}
        return {"quoteId": one["quoteId"], **self._offer(asked, identifier)}

    def _post_bulkTransfers(self, body, text):
        self.bulks.append(body)
        assert len({one["to"]["fspId"] for one in body["individualTransfers"]}) == 1
        if "transfers" in self.fault and "transfers" not in self.carried_out:
            return self._instead("transfers")
        rows = [self._paid_in_bulk(one) for one in body["individualTransfers"]]
        told = {
            "bulkTransferId": body["bulkTransferId"],
            "bulkTransferState": "COMPLETED",
            "currentState": "COMPLETED",
            "individualTransferResults": [row for row in rows if row],
        }
        return self._instead("transfers") or _answer(200, told)

    def _paid_in_bulk(self, one):
        transfer_id, identifier = one["transferId"], one["to"]["idValue"]
        self._payees[transfer_id] = identifier
        request = {
            "transferId": transfer_id,
            "amount": {"currency": one["currency"], "amount": one["amount"]},
            "condition": one["condition"],
        }
        text = json.dumps({"transfersPostRequest": request})
        code = self._transferred(request, text, lambda code: code)
        if (identifier, "transfer") in self.untold:
            return None
        if code:
            return {
                "transferId": transfer_id,
                "lastError": {"mojaloopError": {"errorInformation": _error(code)}},
            }
        return {"transferId": transfer_id, "fulfilment": self._told(transfer_id).get("fulfilment")}

    def _get_bulkTransfers(self, bulk_transfer_id, text):
        if self.old:
            return _answer(400, {"message": "Method GET not supported", "statusCode": 400})
        last = {"mojaloopError": {"errorInformation": _error("3210")}}
        return _answer(500, {"statusCode": "3210", "bulkTransferState": {"lastError": last}})


class FlowCase(PayingCase):
    """Batches that go in another way than step by step."""

    flow = None

    def setUp(self):
        super().setUp()
        self.gateway.mojaloop_flow = self.flow

    def _paths(self, method):
        """What was asked of the connector, without what is about one payment."""
        return [path.split("/")[1] for one, path in self.scheme.requests if one == method]
