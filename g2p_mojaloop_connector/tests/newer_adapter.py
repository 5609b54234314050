"""The memory of sdk-scheme-adapter 24.19.4 for GET /transfers/{id}; for tests with and without Odoo.

The adapter stores a state under the id with each question and begins the next question from it
(`OutboundTransfersModel._getTransfer`), so that two questions with one answer of the hub's differ.
"""

import copy
import json

SILENT = "silent"  # the hub does not answer in time
PREFIX = "Got an error response retrieving transfer: "
_WORDS = {"succeeded": "COMPLETED", "aborted": "ABORTED", "quoteReceived": "WAITING_FOR_QUOTE_ACCEPTANCE"}


class QuestionMemory:
    """`states`: transfer id to the state that is kept. One of POST /transfers may be put there."""

    def __init__(self):
        self.states = {}

    def answer(self, transfer_id, hub):
        """Return (HTTP status, body) for a question of which the hub says `hub`: the members of PUT
        /transfers, an object with errorInformation, SILENT, or the HTTP status of a refusal."""
        fresh = {"transferId": transfer_id, "currentState": "getTransfer", "direction": "OUTBOUND"}
        state = copy.deepcopy(self.states.get(transfer_id, fresh))
        if isinstance(hub, dict) and "errorInformation" not in hub:
            state["fulfil"] = {"body": hub, "headers": {"fspiop-source": "payeefsp"}}
            state["currentState"] = "succeeded"
            self.states[transfer_id] = state
            return 200, _response(state)
        status, message, error = _error(transfer_id, hub)
        if state["currentState"] == "errored":
            return status, {"message": message, "transferState": {}, "statusCode": str(status)}
        state.update(currentState="errored", lastError=error)
        told = _response(state)
        self.states[transfer_id] = {**state, "lastError": {**error, "transferState": told}}
        code = error.get("mojaloopError", {}).get("errorInformation", {}).get("errorCode", str(status))
        return status, {"message": message, "transferState": told, "statusCode": code}


def _error(transfer_id, hub):
    if hub == SILENT:
        return 504, f"Timeout getting transfer {transfer_id}", {"httpStatusCode": 504}
    if isinstance(hub, int):
        return 500, f"Request failed with status code {hub}", {"name": "AxiosError", "status": hub}
    return 500, PREFIX + json.dumps(hub, separators=(",", ":")), {"httpStatusCode": 500, "mojaloopError": hub}


def _response(state):
    word = _WORDS.get(state["currentState"], "ERROR_OCCURRED")
    return copy.deepcopy({**state, "currentState": word})
