"""What a statement or result file says, line by line, whatever its format. Plain Python."""

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
    FEE = "fee"  # the bank's charge, for a payment or for the account
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
    NO_VERSION = "no_version"
    SEVERAL = "several"
    CANCELLATION = "cancellation"
    ORDER = "order"
    ADVICE = "advice"
    OTHER_KIND = "other_kind"
    SPREADSHEET = "spreadsheet"
    PACKED = "packed"
    ARCHIVE = "archive"
    ARCHIVE_LOCKED = "archive_locked"
    ARCHIVE_MEMBERS = "archive_members"
    ARCHIVE_SIZE = "archive_size"
    ARCHIVE_RATIO = "archive_ratio"
    ARCHIVE_NESTED = "archive_nested"
    # of one line: it is kept, and left to a person
    CELLS = "cells"
    AMOUNT = "amount"
    DATE = "date"
    STATUS = "status"
    SIGN = "sign"
    DIRECTION = "direction"
    KIND = "kind"
    CURRENCY = "currency"
    PAID_WITH_REASON = "paid_with_reason"
    DOUBTFUL = "doubtful"
    JSON = "json"
    SCHEMA = "schema"


class FaultKind(str, Enum):
    """How a record differs from what its message demands."""

    UNKNOWN = "unknown"  # an element that does not belong there
    REPEATED = "repeated"  # an element that may stand there only once
    MISSING = "missing"
    VALUE = "value"
    TEXT = "text"  # loose text between elements
    OTHER = "other"


class Expected(str, Enum):
    NUMBER = "number"
    DATE = "date"
    MOMENT = "moment"
    YES_NO = "yes_no"
    WORD = "word"  # of those that the fault names
    OTHER = "other"


class Fault(BaseModel):
    """Why a record cannot be read: `element` stands, or should stand, in `parent` on `line` of the file.

    `words` are the names or values that would be right, as far as they are few.
    """

    model_config = ConfigDict(frozen=True)

    kind: FaultKind
    element: str
    parent: str = ""
    line: int = 0
    value: str = ""
    expected: Expected = Expected.OTHER
    words: str = ""


class EvidenceError(Exception):
    """The file as a whole cannot be read. `line` is 0 where no line is to blame."""

    def __init__(self, problem: Problem, line: int = 0, detail: str = ""):
        super().__init__(f"{problem.value} (line {line}): {detail}")
        self.problem = problem
        self.line = line
        self.detail = detail


class Unreadable(Exception):
    """One line cannot be read; it is kept for a person."""

    def __init__(self, problem: Problem, detail: str = ""):
        super().__init__(problem, detail)
        self.problem, self.detail = problem, detail


class EvidenceLine(BaseModel):
    """One line of the file, in its order and with nothing left out.

    `number` is the line of a CSV file and the running number of the record in a message. `reference` is the
    one that we gave, `remote_reference` the bank's own; `amount` is never negative. With a `problem`,
    `status` is None. `free_text` is all else in which people or banks may have put our reference.
    `entry_number` and `entry_reference` are those of the bank's entry in which a transaction stands with
    others, and `statement` names the statement or notification, where it has a name of its own. `raw` is the
    line as it stands in the file.
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
    fault: Fault | None = None
    free_text: str = ""
    entry_number: int = 0
    entry_reference: str = ""
    statement: str = ""
    raw: str = ""
