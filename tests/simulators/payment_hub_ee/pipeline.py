"""From the rows of a file to payments and to what will be reported of them, and when.

Everything is decided at once, with times in it; what the hub "does" later is a question of the clock. A
batch can then be answered for at any moment, after a restart too. Sources: ph-ee-bulk-processor v1.13.1
(DeDuplicationRoute, SplittingRoute, InitSubBatchRoute), ph-ee-importer-rdbms (InflightBatchManager).
"""

import random
import uuid
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from . import csv_file
from .errors import row_error
from .outcomes import FAILED

# Payment modes of the default configuration: one call per row, or one workflow per sub-batch.
PER_ROW, PER_FILE = "PAYMENT", "BULK"
MODES = {"gsma": PER_ROW, "mojaloop": PER_ROW, "slcb": PER_FILE, "closedloop": PER_FILE}
DUPLICATE = "Duplicate transaction."
INCIDENT = "Failed Batch Request"
LONG = csv_file.JAVA_INTEGER


def new_id():
    """A version 4 UUID, quicker than uuid.uuid4 (a thousand rows need thousands)."""
    return str(uuid.UUID(int=random.getrandbits(128), version=4))


def with_budget(rows, budgets, institution, program):
    """Rows paid from the program's account; None when nothing is configured for the pair."""
    account = budgets.get(institution or "", {}).get(program or "")
    if account is None:
        return None
    return [{**row, "payer_identifier_type": "MSISDN", "payer_identifier": account} for row in rows]


def without_duplicates(rows):
    """(kept, dropped): equal payee, type, amount and currency; the request_id does not count."""
    seen, kept, dropped = set(), [], []
    for row in rows:
        key = "".join(
            str(row[name]) for name in ("payee_identifier", "payee_identifier_type", "amount", "currency")
        )
        (dropped if key in seen else kept).append(row)
        seen.add(key)
    return kept, dropped


def total_amount(rows):
    return sum((amount_of(row) or Decimal(0) for row in rows), Decimal(0))


def amount_of(row):
    """The amount as Decimal, None for what is not a number (Java takes a trailing f or d, and NaN)."""
    try:
        amount = Decimal((row["amount"] or "").strip().rstrip("fFdD"))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


class Pipeline:
    """Plans one batch. `batch` is the hub's record, to which parts, transfers and payments are added."""

    def __init__(self, settings, plan, numbers, seen):
        self.settings, self.plan, self.numbers, self.seen = settings, plan, numbers, seen

    def run(self, batch, text, start):
        """Plan from the file's text, beginning at `start` (what happens before is the caller's)."""
        rows = csv_file.read_rows(text)
        if self.settings.tenants[batch["tenant"]] == "lookup":
            rows = self._looked_up(batch, rows)
        rows, duplicates = (rows, []) if self.settings.no_dedup else without_duplicates(rows)
        for row in duplicates:
            batch["transfers"].append(self._duplicate(batch, row, start))
        if not rows:
            batch["note"] = INCIDENT
            return
        text = csv_file.write_rows(rows) if duplicates else text
        spacing = self.settings.processing / len(rows)
        moment = start + self.settings.start_delay
        for number, (part_id, chunk) in enumerate(self._split(batch, text, rows), 1):
            self._run_part(batch, part_id, number, chunk, moment, spacing)
            moment += spacing * len(chunk)

    def _looked_up(self, batch, rows):
        """Account lookup tenants: payee and DFSP come from the mapper; who is not in it disappears."""
        if not batch["institution"]:
            return []
        accounts = self.plan.parts["accounts"]
        found = [(row, accounts.get(row["payee_identifier"])) for row in rows]
        return [
            {**row, "payee_identifier": account["address"], "payee_dfsp_id": account["dfsp"]}
            for row, account in found
            if account
        ]

    def _split(self, batch, text, rows):
        """Yields (sub-batch id or the batch's own, rows); stops where the original would fall over."""
        size = self.settings.sub_batch_size
        if self.settings.tenants[batch["tenant"]] == "lookup":
            yield from self._split_by_dfsp(rows)
        elif not size or len(csv_file.lines_of(text)) - 1 <= size:
            yield batch["batch_id"], rows
        else:
            yield from self._split_by_size(text, size)

    @staticmethod
    def _split_by_dfsp(rows):
        for dfsp in dict.fromkeys(row["payee_dfsp_id"] for row in rows):
            yield new_id(), [row for row in rows if row["payee_dfsp_id"] == dfsp]

    @staticmethod
    def _split_by_size(text, size):
        """A line that cannot be parsed stops the whole splitting; an amount that is no long, the upload."""
        try:
            lines = csv_file.split_lines(text)
        except csv_file.RowError:
            return
        for first in range(0, len(lines), size):
            chunk = lines[first : first + size]
            if not all(LONG.fullmatch(row["amount"] or "") for row in chunk):
                return
            yield new_id(), chunk

    def _run_part(self, batch, part_id, number, rows, moment, spacing):
        """The first row's payment mode decides for all of them; an unknown one pays nobody."""
        mode = rows[0]["payment_mode"] or ""
        kind = MODES.get(mode.lower())
        batch["modes"] = batch["modes"] or (mode if kind == PER_FILE else "")
        split = part_id != batch["batch_id"]
        stored = f"{new_id()}_sub-batch-{number}.csv" if split else batch["stored_name"]
        batch["parts"].append(
            {"id": part_id, "at": moment + self.settings.import_lag, "stored_name": stored, "split": split}
        )
        if kind is None:
            return
        copied = self._copied(rows) if mode == "closedloop" else 0
        for index, row in enumerate(rows):
            moment += spacing
            self._run_row(batch, part_id, row, mode, moment, index < copied)

    @staticmethod
    def _copied(rows):
        """How many rows the importer copies from a file before it stumbles over an amount."""
        wrong = (number for number, row in enumerate(rows) if not LONG.fullmatch(row["amount"] or ""))
        return next(wrong, len(rows))

    def _run_row(self, batch, part_id, row, mode, start, copied):
        per_row = MODES[mode.lower()] == PER_ROW
        if per_row and self._refused_by_channel(batch, row, mode):
            return
        outcome = self.plan.outcome(row)
        transfer = self._transfer(batch, part_id, row, start)
        moments = self._moments(start)
        if per_row:
            self._report_row(batch, transfer, row, outcome, moments)
        elif copied:
            self._report_copy(batch, transfer, row, moments)
        if outcome.pays is not None and amount_of(row) is not None:
            self._pay(batch, transfer, row, outcome, mode, moments[outcome.settled])

    def _refused_by_channel(self, batch, row, mode):
        """No transfer ever: the channel's own checks, and its memory of request ids when that is on."""
        amount, key = amount_of(row), (batch["tenant"], row["request_id"])
        if amount is None or amount <= 0 or len(row["currency"] or "") != 3:
            return True
        if mode.lower() == "mojaloop" and self.settings.redis_guard and key in self.seen:
            return True
        self.seen.add(key)
        return False

    def _moments(self, start):
        settled = start + self.settings.row_time
        settings = self.settings
        return {
            "start": start,
            "row": settled,
            "repair": settled + settings.repair,
            "slow": start + settings.slow,
            "late": settled + settings.late,
        }

    def _transfer(self, batch, part_id, row, start):
        """What a stored transfer holds; see reports.transfer_row for what is told of it."""
        number = next(self.numbers)
        return {
            "id": number,
            "batch_id": batch["batch_id"],
            "part_id": part_id,
            "tenant": batch["tenant"],
            "key": 2251799813685248 + number * 7,
            "transaction_id": new_id(),
            "correlation_id": row["request_id"],
            "request_id": row["request_id"],
            "payee": row["payee_identifier"],
            "payee_type": "MSISDN",
            "payee_dfsp": row["payee_dfsp_id"],
            "payer": row["payer_identifier"],
            "payer_type": "MSISDN",
            "amount": row["amount"],
            "currency": row["currency"],
            "started": start,
            "lag": self.settings.import_lag,
            "steps": [],
            "early_end": False,
            "copied": False,
            "error": None,
            "flag": None,
        }

    def _report_row(self, batch, transfer, row, outcome, moments):
        """One transfer reported by the paying workflow itself (modes mojaloop and gsma)."""
        lag = self.settings.import_lag
        if not outcome.visible:
            return
        steps, error, flag = self._as_drawn(outcome)
        transfer["steps"] = [[moments[when] + lag, status] for when, status in steps]
        transfer["flag"] = flag
        if error:
            transfer["error"] = row_error(error, escaped=transfer["id"] % 2)
        transfer["early_end"] = outcome.early_end
        transfer["amount"] = str(_whole(amount_of(row) + outcome.shown))
        transfer["currency"] = outcome.currency or row["currency"]
        if outcome.ids == "quoted":
            transfer["correlation_id"] = f'"{row["request_id"]}"'
        elif outcome.ids == "random":
            transfer["correlation_id"] = new_id()
        batch["transfers"] += [
            {**transfer, "id": next(self.numbers)} if copy else transfer for copy in range(outcome.copies)
        ]

    def _as_drawn(self, outcome):
        """In the published workflows a failure ends like a success, with or without a word about it."""
        bpmn = self.settings.bpmn
        if bpmn == "marked" or not any(status == "FAILED" for _when, status in outcome.steps):
            return outcome.steps, outcome.error, outcome.flag
        steps = tuple((when, status.replace("FAILED", "COMPLETED")) for when, status in outcome.steps)
        return steps, (outcome.error if bpmn == "published" else None), "transactionFailed"

    def _report_copy(self, batch, transfer, row, moments):
        """closedloop (the exact word): copied from the file whenever a step of the batch workflow ends, paid
        or not; with an end from the first time, completed from the second, each time under another id."""
        lag = self.settings.import_lag
        transfer.update(transaction_id=row["request_id"], correlation_id=new_id())
        transfer.update(amount=str(int(row["amount"])), **_types(row))
        transfer.update(started=batch["received"], early_end=True, copied=True)
        transfer["steps"] = [[moments["start"] + lag, "IN_PROGRESS"], [moments["row"] + lag, "COMPLETED"]]
        batch["transfers"].append(transfer)

    def _duplicate(self, batch, row, start):
        """A dropped row is a failed transfer of the parent, even where the rest is split."""
        transfer = self._transfer(batch, batch["batch_id"], row, start)
        transfer.update(copied=True, **_types(row))
        transfer["correlation_id"] = new_id()
        if self.settings.importer == "older":
            transfer["payer"] = row["payee_identifier"]
        else:
            transfer["transaction_id"] = row["request_id"]
        transfer["steps"] = [[start + self.settings.start_delay + self.settings.import_lag, FAILED[1][1]]]
        transfer["error"] = DUPLICATE
        return transfer

    @staticmethod
    def _pay(batch, transfer, row, outcome, mode, moment):
        batch["payments"].append(
            {
                "batch_id": batch["batch_id"],
                "part_id": transfer["part_id"],
                "tenant": batch["tenant"],
                "request_id": (row["request_id"] or "").strip('"'),
                "transaction_id": transfer["transaction_id"],
                "mode": mode,
                "payer": row["payer_identifier"],
                "payee": row["payee_identifier"],
                "amount": f"{amount_of(row) + outcome.pays:f}",
                "currency": row["currency"],
                "at": moment,
            }
        )


def _types(row):
    """Only rows that are copied keep the identifier types of the file; channels know MSISDN alone."""
    return {"payee_type": row["payee_identifier_type"], "payer_type": row["payer_identifier_type"]}


def _whole(amount):
    """Amount columns are decimal(38,0)."""
    return amount.quantize(Decimal(1), ROUND_HALF_UP)
