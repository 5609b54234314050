"""The newer connector's bulk calls, as its outbound API 2.1 has them: npm has no connector that can do this.

That what is sent fits the published schemas is shown in tests/integration, where these are installed.
"""

import json

from packets import condition, fulfilment, packet
from scripted_connector import FAR, ScriptedConnector, error


class ScriptedBulk(ScriptedConnector):
    """Payees are told apart by what their identifiers end with. `refused` and `failed` map that to the error
    code of their quotes and their transfers; of those in `no_quote` and `no_transfer` no result tells."""

    def __init__(
        self, loopback, refused=None, failed=None, no_quote=(), no_transfer=(), state="COMPLETED", **answers
    ):
        self.refused, self.failed = refused or {}, failed or {}
        self.no_quote, self.no_transfer = no_quote, no_transfer
        self.state = state
        super().__init__(loopback, **answers)

    def _step(self, request):
        start = request.path.split("/")[1]
        steps = {
            ("POST", "bulkQuotes"): "quotes",
            ("POST", "bulkTransfers"): "transfers",
            ("GET", "bulkTransfers"): "ask_bulk",
        }
        return steps.get((request.method, start)) or super()._step(request)

    def _quotes(self, request):
        asked = json.loads(request.body)
        rows = [self._quoted(one, asked["from"]) for one in asked["individualQuotes"]]
        return 200, {
            "bulkQuoteId": asked["bulkQuoteId"],
            "homeTransactionId": asked["homeTransactionId"],
            "expiration": FAR,
            "currentState": "COMPLETED",
            "individualQuoteResults": [row for row in reversed(rows) if row],
        }

    def _quoted(self, asked, payer):
        ending = asked["to"]["idValue"][-4:]
        if ending in self.no_quote:
            return None
        if ending in self.refused:
            last = {"mojaloopError": error(self.refused[ending])}
            return {"quoteId": asked["quoteId"], "lastError": last}
        amount = {"currency": asked["currency"], "amount": asked["amount"]}
        carried = {
            "transactionId": asked["quoteId"],
            "quoteId": asked["quoteId"],
            "payer": payer,
            "amount": amount,
        }
        made = packet({**carried, **self._packet_changes})
        return {
            "quoteId": asked["quoteId"],
            "transferAmount": amount,
            "ilpPacket": made,
            "condition": condition(made),
            **self._offer_changes,
        }

    def _transfers(self, request):
        ordered = json.loads(request.body)
        if len({one["to"]["fspId"] for one in ordered["individualTransfers"]}) > 1:
            return 500, {"message": "payee fsps are not the same into the whole bulk", "statusCode": "500"}
        rows = [self._paid(one) for one in ordered["individualTransfers"]]
        return 200, self._told(ordered["bulkTransferId"], [row for row in reversed(rows) if row])

    def _paid(self, ordered):
        self.paid.append(ordered["transferId"])
        ending = ordered["to"]["idValue"][-4:]
        if ending in self.no_transfer:
            return None
        if ending in self.failed:
            last = {"mojaloopError": error(self.failed[ending])}
            return {"transferId": ordered["transferId"], "lastError": last}
        return {"transferId": ordered["transferId"], "fulfilment": fulfilment(ordered["ilpPacket"])}

    def _told(self, bulk_transfer_id, rows):
        return {
            "bulkTransferId": bulk_transfer_id,
            "currentState": "COMPLETED",
            "bulkTransferState": self.state,
            "completedTimestamp": "2026-01-02T03:04:05.678Z",
            "individualTransferResults": rows,
        }

    def _ask_bulk(self, _request):
        return 500, {
            "message": "not found",
            "statusCode": "3210",
            "bulkTransferState": {"lastError": {"mojaloopError": error("3210")}},
        }
