"""What the operations application says about transfers and batches, with its own idea of counting.

Sources: ph-ee-operations-app v1.20.2, BatchApi, BatchServiceImpl, OperationsDetailedApi and their DTOs.
"""

import json
import uuid
from collections import defaultdict
from datetime import datetime, timezone
from decimal import Decimal

from .pipeline import INCIDENT

FINAL = ("COMPLETED", "FAILED")
ENDED = (*FINAL, "EXCEPTION")
NULLS = (
    "statusDetail", "payeeFee", "payeeFeeCurrency", "payeeQuoteCode", "payerFee", "payerFeeCurrency",
    "payerQuoteCode",
)  # fmt: skip


def millis(moment):
    return None if moment is None else int(moment * 1000)


def timestamp(moment):
    """java.sql.Timestamp as text."""
    moment = datetime.fromtimestamp(moment, timezone.utc)
    fraction = f"{moment.microsecond // 1000:03}".rstrip("0") or "0"
    return f"{moment:%Y-%m-%d %H:%M:%S}.{fraction}"


class Reports:
    def __init__(self, hub):
        self.hub = hub

    # -- transfers -------------------------------------------------------------------------------------

    def by_part(self, batch, now):
        """The states of a batch's transfers, by sub-batch (or by the batch's own id)."""
        states = defaultdict(list)
        for entry in batch["transfers"]:
            if state := seen(entry, now):
                states[entry["part_id"]].append(state)
        return states

    def row(self, state):
        """A Transfer as /batch/detail writes it: errorInformation is the stored text."""
        entry = state["entry"]
        shown = self.hub.clock.shown
        row = {
            "id": entry["id"],
            "workflowInstanceKey": str(entry["key"]),
            "transactionId": entry["transaction_id"],
            "startedAt": millis(shown(entry["started"])),
            "completedAt": millis(shown(state["completed"])) if state["completed"] else None,
            "status": state["status"],
            "payeeDfspId": entry["payee_dfsp"] or None,
            "payeePartyId": entry["payee"],
            "payeePartyIdType": entry["payee_type"],
            "payerDfspId": entry["tenant"],
            "payerPartyId": entry["payer"],
            "payerPartyIdType": entry["payer_type"],
            "amount": entry["amount"],
            "currency": entry["currency"],
            "direction": "UNKNOWN" if entry["copied"] else "OUTGOING",
            "errorInformation": entry["error"] if state["last"] else None,
            "batchId": entry["part_id"],
            "clientCorrelationId": state["correlation"],
        }
        row.update(dict.fromkeys(NULLS))
        if entry["copied"]:
            fees = {"payeeFee": 0, "payerFee": 0}
            row.update(fees, payeeFeeCurrency=entry["currency"], payerFeeCurrency=entry["currency"])
        return row

    def response_row(self, state):
        """A TransferResponse as /transfers writes it: an error object, or null when the text is none."""
        row = self.row(state)
        row["workflowInstanceKey"] = int(row["workflowInstanceKey"])
        row["errorInformation"] = _error_object(row["errorInformation"] or "null")
        return row

    # -- counters --------------------------------------------------------------------------------------

    def parts(self, batch, now):
        """The sub-batches that the database knows by now."""
        return [part for part in batch["parts"] if part["split"] and part["at"] <= now]

    def recount(self, batch):
        """Count the transfers and leave the counters with the batch and its sub-batches."""
        now = self.hub.clock.now()
        parts, states = self.parts(batch, now), self.by_part(batch, now)
        own = states[batch["batch_id"]]
        counted = [_count(part["id"], states[part["id"]], now) for part in parts]
        total = _sum(batch["batch_id"], counted) if parts else _count(batch["batch_id"], own, now)
        known = self.hub.counters.get(batch["batch_id"], {}).get("file")
        total.update(file=known or _result_file(own, now), completed_at=now)
        for counters in (*counted, total):
            self.hub.store_counters(counters)
        return total

    # -- batches ---------------------------------------------------------------------------------------

    def correlation(self, batch):
        """The key of the authorization job takes the place of what the sender gave."""
        return batch["correlation_id"] if self.hub.settings.authorization == "off" else batch["job_key"]

    def note(self, batch):
        """The incident after a callback whose answer was not recorded reads like a failed batch."""
        if batch["note"] or (batch["callback_url"] and self.hub.callback_state(batch["batch_id"])["done"]):
            return INCIDENT
        return None

    def request_file(self, batch):
        """Starting the sub-batches writes the name of each of them over the name of the file."""
        parts = self.parts(batch, self.hub.clock.now())
        if parts and self.hub.settings.request_file == "overwritten":
            return parts[-1]["stored_name"]
        return batch["stored_name"]

    def aggregate(self, batch):
        """GET /batch/{batchId}."""
        counters = self.recount(batch)
        total = counters["total"]
        return {
            "batchId": batch["batch_id"],
            "requestId": None,
            **_counted(counters),
            "file": counters["file"],
            "notes": self.note(batch),
            "createdAt": timestamp(self.hub.clock.shown(batch["received"])),
            "status": "COMPLETED" if counters["successful"] == total else "Failed",
            "modes": batch["modes"],
            "purpose": "Unknown purpose",
            "failPercentage": _java_percent(counters["failed"], total),
            "successPercentage": _java_percent(counters["successful"], total),
            **self._payer(batch),
        }

    def stored(self, batch):
        """GET /batch?batchId=: nothing is counted, so nothing is known before someone aggregated."""
        counters = self.hub.counters.get(batch["batch_id"])
        known = counters is not None
        done = known and counters["successful"] == counters["total"]
        return {
            "batchId": batch["batch_id"],
            "requestId": None,
            **(_counted(counters) if known else {**dict.fromkeys(COUNTED), **dict.fromkeys(AMOUNTS, 0)}),
            "file": counters["file"] if known else None,
            "notes": self.note(batch),
            "createdAt": None,
            "status": "COMPLETED" if done else "UNKNOWN",
            "modes": None,
            "purpose": None,
            "failPercentage": _floored_percent(counters, "failed"),
            "successPercentage": _floored_percent(counters, "successful"),
            **self._payer(batch),
        }

    def _payer(self, batch):
        return {
            "registeringInstitutionId": batch["institution"],
            "payerFsp": batch["tenant"],
            "correlationId": self.correlation(batch),
        }

    def database_row(self, batch):
        """A row of GET /batches."""
        counters = self.hub.counters.get(batch["batch_id"], {})
        counted, shown = counters.get("completed_at"), self.hub.clock.shown
        return {
            "id": batch["id"],
            "batchId": batch["batch_id"],
            "subBatchId": None,
            "requestId": None,
            "requestFile": self.request_file(batch),
            "totalTransactions": counters.get("total"),
            "ongoing": counters.get("ongoing"),
            "failed": counters.get("failed"),
            "completed": counters.get("successful"),
            "totalAmount": counters.get("totalAmount"),
            "ongoingAmount": counters.get("ongoingAmount"),
            "failedAmount": counters.get("failedAmount"),
            "completedAmount": counters.get("successfulAmount"),
            "result_file": counters.get("file"),
            "resultGeneratedAt": millis(shown(counted)) if counted else None,
            "note": self.note(batch),
            "workflowKey": 2251799813685251,
            "workflowInstanceKey": batch["key"],
            "startedAt": millis(shown(batch["received"])),
            "completedAt": millis(shown(counted or batch["received"])),
            "paymentMode": batch["modes"] or None,
            "registeringInstitutionId": batch["institution"] or "null",
            "payerFsp": batch["tenant"],
            "correlationId": self.correlation(batch),
            "approvedAmount": None,
            "approvedCount": None,
            "status": status_word(counters),
        }

    def summary(self, batch):
        """GET /batches/{batchId} without associations, from what is stored."""
        now = self.hub.clock.now()
        states = self.by_part(batch, now)
        parts = [self._part_summary(batch, part, states[part["id"]]) for part in self.parts(batch, now)]
        body = {
            **self._summary_counters(batch["batch_id"], batch),
            "batchId": batch["batch_id"],
            "registeringInstitutionId": batch["institution"],
            "payerFsp": batch["tenant"],
            "payeeFsp": None,
            "generatedBy": None,
            "generatedAt": timestamp(self.hub.clock.shown()).replace(" ", "T"),
            "totalSubBatches": len(parts),
            "approvedTransactionCount": 0,
            "approvedAmount": 0,
            "totalInstructionCount": len(states[batch["batch_id"]]),
        }
        return {**body, "subBatchSummaryList": parts} if parts else body

    def _part_summary(self, batch, part, states):
        dfsps = {state["entry"]["payee_dfsp"] or None for state in states}
        return {
            **self._summary_counters(part["id"], batch),
            "batchId": batch["batch_id"],
            "subBatchId": part["id"],
            "file": part["stored_name"],
            "payerFsp": batch["tenant"],
            "payeeFspSet": sorted(dfsps, key=str),
        }

    def _summary_counters(self, identity, batch):
        counters = self.hub.counters.get(identity)
        shown, counted = self.hub.clock.shown, (counters or {}).get("completed_at")
        values = counters or {**dict.fromkeys(COUNTERS, 0), "file": None}
        return {
            "requestId": None,
            "startedAt": millis(shown(batch["received"])),
            "completedAt": millis(shown(counted or batch["received"])),
            **_counted(values),
            "file": values["file"],
            "notes": self.note(batch),
            "createdAt": timestamp(shown(batch["received"])),
            "status": status_word(counters or {}) or "null",
            "modes": batch["modes"] or None,
            "purpose": None,
            "failedPercentage": _floored_percent(counters, "failed"),
            "successPercentage": _floored_percent(counters, "successful"),
        }

    def detail(self, batch, states):
        """GET /batches/{batchId}?associations=all; `states` are the transfers of the asked page."""
        counters = self.hub.counters[batch["batch_id"]]
        now = self.hub.clock.now()
        parts, by_part = self.parts(batch, now), self.by_part(batch, now)
        return {
            "batchId": batch["batch_id"],
            "payerFsp": batch["tenant"],
            "reportGeneratedBy": None,
            "reportGeneratedAt": timestamp(self.hub.clock.shown()).replace(" ", "T"),
            "startedAt": millis(self.hub.clock.shown(batch["received"])),
            "completedAt": millis(self.hub.clock.shown(counters["completed_at"])),
            "registeringInstitutionId": batch["institution"],
            "status": status_word(counters) or "null",
            "subBatchList": [self._part_detail(batch, part, by_part[part["id"]]) for part in parts]
            if parts
            else None,
            "instructionList": [self.instruction(state) for state in states],
            **_counted(counters),
            "totalInstruction": 0 if parts else counters["total"],
            "totalBatchAmount": counters["totalAmount"],
            "clientCorrelationId": self.correlation(batch),
        }

    def _part_detail(self, batch, part, states):
        counters = self.hub.counters.get(part["id"], {})
        return {
            "subBatchId": part["id"],
            "payerFsp": batch["tenant"],
            "budgetAccount": states[0]["entry"]["payer"] if states else None,
            "total": counters.get("total", 0),
            "totalAmount": counters.get("totalAmount", 0),
        }

    def instruction(self, state, payee="payee"):
        """One row of an instruction list. Of a sub-batch's own list, payeeFunctionalId is the payer."""
        entry, shown = state["entry"], self.hub.clock.shown
        return {
            "instructionId": entry["transaction_id"],
            "payerFsp": entry["tenant"],
            "payeeFunctionalId": entry[payee],
            "amount": int(Decimal(entry["amount"])),
            "status": state["status"],
            "reason": None,
            "startedAt": millis(shown(entry["started"])),
            "completedAt": millis(shown(state["completed"])) if state["completed"] else None,
            "subBatchId": entry["part_id"] if payee == "payee" else None,
        }

    def variables(self, state):
        """Workflow variables, all of them text; a flag is the only word about some failures."""
        entry = state["entry"]
        ended = state["status"] in FINAL and state["last"]
        flags = dict.fromkeys(FLAGS, "false")
        if ended and entry["flag"]:
            flags[entry["flag"]] = "true"
        return {
            "transactionId": entry["transaction_id"],
            "batchId": entry["part_id"],
            "clientCorrelationId": entry["correlation_id"],
            "amount": entry["amount"],
            "currency": entry["currency"],
            "payeeId": entry["payee"],
            "tenantId": entry["tenant"],
            **flags,
        }


COUNTED = ("total", "ongoing", "failed", "successful")
AMOUNTS = ("totalAmount", "successfulAmount", "pendingAmount", "failedAmount")
COUNTERS = (*COUNTED, "totalAmount", "ongoingAmount", "failedAmount", "successfulAmount")
FLAGS = (
    "partyLookupFailed", "transactionFailed", "transferPrepareFailed", "transferCreateFailed",
    "transferSettlementFailed",
)  # fmt: skip


def seen(entry, now):
    """The state of a transfer at a moment, None before anything of it was imported."""
    position = -1
    for position, (moment, _status) in enumerate(entry["steps"]):
        if moment > now:
            position -= 1
            break
    if position < 0:
        return None
    moment, status = entry["steps"][position]
    ended = status in ENDED or entry["early_end"]
    return {
        "entry": entry,
        "status": status,
        "completed": moment - entry["lag"] if ended else None,
        "last": position == len(entry["steps"]) - 1,
        "correlation": _changing_id(entry, position) if entry["copied"] else entry["correlation_id"],
    }


def _changing_id(entry, position):
    return str(uuid.uuid5(uuid.UUID(int=entry["key"]), str(position)))


def _error_object(text):
    """The JSON in a stored text, with or without escaped quotes; None for what is none."""
    for candidate in (text, text.replace('\\"', '"')):
        try:
            return json.loads(candidate)
        except ValueError:
            continue
    return None


def status_word(counters):
    """The status column: empty until an aggregate call, FAILED if one row of an ended batch is."""
    if not counters:
        return None
    if counters["successful"] == counters["total"]:
        return "COMPLETED"
    if counters["ongoing"]:
        return "IN_PROGRESS"
    return "FAILED" if counters["failed"] else None


def _bucket(state):
    if state["status"] == "COMPLETED" or (state["status"] == "IN_PROGRESS" and state["completed"]):
        return "successful"
    return {"FAILED": "failed", "IN_PROGRESS": "ongoing"}.get(state["status"])


def _count(identity, states, now):
    counters = {"id": identity, "file": None, "completed_at": now, **dict.fromkeys(COUNTERS, 0)}
    for state in states:
        amount = int(Decimal(state["entry"]["amount"]))
        for name in ("total", _bucket(state)):
            if name:
                counters[name] += 1
                counters[f"{name}Amount"] += amount
    return counters


def _result_file(states, now):
    """Made once, as soon as no imported row is without an end, an empty batch included."""
    ended = all(state["completed"] for state in states)
    return f"https://paymenthub-ee.s3.invalid/{millis(now)}_response.csv" if ended else None


def _sum(identity, counted):
    return {"id": identity, **{name: sum(counters[name] for counters in counted) for name in COUNTERS}}


def _counted(counters):
    """The counters under the names that answers use."""
    return {
        **{name: counters[name] for name in COUNTED},
        "totalAmount": counters["totalAmount"],
        "successfulAmount": counters["successfulAmount"],
        "pendingAmount": counters["ongoingAmount"],
        "failedAmount": counters["failedAmount"],
    }


def _java_percent(part, total):
    return repr(part / total * 100) if total else "NaN"


def _floored_percent(counters, name):
    """Two decimals at most, cut off."""
    if not counters:
        return "0"
    if not counters["total"]:
        return "NaN"
    return f"{counters[name] * 10000 // counters['total'] / 100:.2f}".rstrip("0").rstrip(".")
