"""The settings by which a CSV file is read."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from .lines import EvidenceStatus

WORDS = {
    "paid_words": EvidenceStatus.PAID,
    "failed_words": EvidenceStatus.FAILED,
    "returned_words": EvidenceStatus.RETURNED,
    "waiting_words": EvidenceStatus.WAITING,
    "other_words": EvidenceStatus.OTHER,
}


class CsvMapping(BaseModel):
    """Describe how a file is read.

    A column is named as in the header, or by its number where the file has no header; "" where the file has
    no such column. With `json_cells`, "9.errorCode" is a member of the JSON object in column 9.

    A line is paid by an explicit rule only: a word of `paid_words`, or money that left the account where no
    column tells a status. Money leaves by `paid_sign` of the amount, in the column `debit`, or by a word of
    `out_words`. All that is mapped must agree.
    """

    model_config = ConfigDict(frozen=True)

    encoding: str = "utf-8-sig"
    delimiter: str = ","
    skip_lines: int = 0
    find_header: bool = False
    has_header: bool = True
    column_count: int = 0  # of a file without a header
    json_cells: bool = False
    empty_words: tuple[str, ...] = ()
    decimal_sign: str = "."
    thousands_sign: str = ""
    indian_groups: bool = False
    date_format: str = "%Y-%m-%d"  # several with | between them

    reference: str = ""
    remote_reference: str = ""
    payee: str = ""
    payee_name: str = ""
    payee_separator: str = ""
    uuid_is_theirs: bool = False  # where one column has our reference or theirs
    amount: str = ""
    debit: str = ""
    credit: str = ""
    currency: str = ""
    status: str = ""
    direction: str = ""
    kind: str = ""
    date: str = ""
    reason_code: str = ""
    reason: str = ""
    fixed_currency: str = ""

    paid_sign: Literal["", "negative", "positive"] = ""
    debit_sign: Literal["positive", "negative"] = "positive"
    out_words: tuple[str, ...] = ()
    in_words: tuple[str, ...] = ()
    kind_words: tuple[str, ...] = ()
    paid_words: tuple[str, ...] = ()
    failed_words: tuple[str, ...] = ()
    returned_words: tuple[str, ...] = ()
    waiting_words: tuple[str, ...] = ()
    other_words: tuple[str, ...] = ()
    paid_has_no_reason: bool = False
    doubtful_codes: tuple[str, ...] = ()

    def words(self) -> dict[str, EvidenceStatus]:
        """Return the meaning of each word of the status column."""
        return {plain(word): status for name, status in WORDS.items() for word in getattr(self, name)}

    def column_of(self, number: str) -> tuple[int, str] | None:
        """Return (index, member) of a column that is named by its number; None where there is no such one."""
        number, _point, member = number.partition(".") if self.json_cells else (number, "", "")
        if not (
            number.isascii()
            and number.isdigit()
            and len(number) < 4
            and 1 <= int(number) <= self.column_count
        ):
            return None
        return int(number) - 1, member

    def tells_direction(self) -> bool:
        """Return True if the file tells money that left from money that came in."""
        return bool(self.paid_sign or self.debit or self.credit or self.direction or self.out_words)


def plain(word: str) -> str:
    return " ".join(word.split()).casefold()


def plain_words(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(plain(word) for word in words)
