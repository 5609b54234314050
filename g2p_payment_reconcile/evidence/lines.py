"""What a statement or result file says, line by line, whatever its format. Plain Python."""

import hashlib
import json
from datetime import date
from decimal import Decimal
from enum import Enum

from pydantic import BaseModel, ConfigDict

from odoo.addons.g2p_payment_hub.client.outcomes import FailureType

MAX_BYTES = 30_000_000
MAX_LINES = 200_000
MAX_RAW = 4_000  # of one line; the file itself is kept whole


class EvidenceStatus(str, Enum):
    PAID = "paid"
    FAILED = "failed"
    RETURNED = "returned"  # had been paid, and the money came back
    WAITING = "waiting"
    OTHER = "other"  # not about a payment of ours, for example money that came in


class Problem(str, Enum):
    """What cannot be read, as a key for a translated sentence."""

    # of the file: nothing is read
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    TOO_MANY_LINES = "too_many_lines"
    ENCODING = "encoding"
    NO_COLUMN = "no_column"
    COLUMN_TWICE = "column_twice"
    QUOTES = "quotes"
    NOT_XML = "not_xml"
    DOCTYPE = "doctype"
    MESSAGE = "message"
    # of one line: it is kept, and left to a person
    CELLS = "cells"
    AMOUNT = "amount"
    DATE = "date"
    STATUS = "status"
    SCHEMA = "schema"


class EvidenceError(Exception):
    """The file as a whole cannot be read. `line` is 0 where no line is to blame."""

    def __init__(self, problem: Problem, line: int = 0, detail: str = ""):
        super().__init__(f"{problem.value} (line {line}): {detail}")
        self.problem = problem
        self.line = line
        self.detail = detail


class EvidenceLine(BaseModel):
    """One line of the file, in its order and with nothing left out.

    `number` is the line of a CSV file and the running number of the record in a message. `reference` is the
    one that we gave, `remote_reference` the bank's own; `amount` is never negative. With a `problem`,
    `status` is None. `raw` is the line as it stands in the file.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    reference: str = ""
    remote_reference: str = ""
    payee: str = ""
    payee_name: str = ""
    amount: Decimal | None = None
    currency: str = ""
    status: EvidenceStatus | None = None
    remote_status: str = ""
    happened_on: date | None = None
    reason_code: str = ""
    reason: str = ""
    failure_type: FailureType | None = None
    problem: Problem | None = None
    problem_detail: str = ""
    raw: str = ""


def fingerprints(lines: list[EvidenceLine]) -> list[str]:
    """One for each line: a line that stands in two files has the same in both.

    Two lines of one file that say the same are two things that happened, unless the bank's own reference says
    that they are one.
    """
    seen: dict[str, int] = {}
    found = []
    for line in lines:
        said = line.model_dump_json(exclude={"number", "raw"})
        seen[said] = 0 if line.remote_reference else seen.get(said, -1) + 1
        found.append(hashlib.sha256(json.dumps([said, seen[said]]).encode()).hexdigest())
    return found
