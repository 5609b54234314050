"""The batch file as ph-ee-bulk-processor v1.13.1 reads it.

Its header check knows quotes, its row splitter does not: it cuts at every comma and keeps quotes
as part of the value (`TransactionParser`). So nothing that would need quoting is ever written;
`problems` finds such values while a person can still correct them.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from enum import Enum

from .instructions import Instruction, Payer

COLUMNS = (
    "id",
    "request_id",
    "payment_mode",
    "payer_identifier_type",
    "payer_identifier",
    "payee_identifier_type",
    "payee_identifier",
    "amount",
    "currency",
    "note",
)
# With the payee's institution; the two columns before it are empty, but the row splitter counts columns.
DFSP_COLUMNS = (*COLUMNS, "program_shortcode", "cycle", "payee_dfsp_id")
HEADER, DFSP_HEADER = ",".join(COLUMNS), ",".join(DFSP_COLUMNS)
MAX_BYTES = 100_000  # `csv.size`: a text of exactly this size is still taken
MAX_NOTE = 60
MAX_AMOUNT_DIGITS = 18

# Beyond 24 characters, or with a character below "-", the hub quotes a value whenever it rewrites the
# file, and then pays the quoted text. Its own row key must survive that; so must the payee.
_REFERENCE = re.compile(r"[A-Za-z0-9-]{1,24}")
_IDENTIFIER = re.compile(r"[A-Za-z0-9@._:/-]{1,24}")
_LONG_IDENTIFIER = re.compile(r"[A-Za-z0-9@._:/-]{1,64}")
_TYPE = re.compile(r"[A-Za-z0-9_]{1,24}")
_MODE = re.compile(r"[a-z]{1,24}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_NOTE = re.compile(r"[A-Za-z0-9 ._:/-]*")
_PLAIN_AMOUNT = re.compile(r"[1-9][0-9]*")


class Problem(str, Enum):
    """What the hub would reject, swallow or mangle, as a key for a translated sentence."""

    NO_PAYEE = "no_payee"
    PAYEE_CHARACTERS = "payee_characters"
    PAYEE_TYPE = "payee_type"
    AMOUNT_NOT_POSITIVE = "amount_not_positive"
    AMOUNT_DECIMALS = "amount_decimals"
    AMOUNT_TOO_LARGE = "amount_too_large"
    NO_CURRENCY = "no_currency"
    REFERENCE = "reference"
    NOTE = "note"
    DFSP = "dfsp"


def problems(instruction: Instruction, rewritten: bool = False) -> list[Problem]:
    """Everything that keeps this row from arriving whole; `rewritten`: the hub will write the file anew."""
    found = []
    if not instruction.payee_identifier:
        found.append(Problem.NO_PAYEE)
    elif not (_IDENTIFIER if rewritten else _LONG_IDENTIFIER).fullmatch(instruction.payee_identifier):
        found.append(Problem.PAYEE_CHARACTERS)
    if not _TYPE.fullmatch(instruction.payee_identifier_type):
        found.append(Problem.PAYEE_TYPE)
    found.extend(_amount_problems(instruction.amount))
    if not _CURRENCY.fullmatch(instruction.currency):
        found.append(Problem.NO_CURRENCY)
    if not _REFERENCE.fullmatch(instruction.reference):
        found.append(Problem.REFERENCE)
    if not _note_fits(instruction.note):
        found.append(Problem.NOTE)
    if instruction.payee_dfsp and not _TYPE.fullmatch(instruction.payee_dfsp):
        found.append(Problem.DFSP)
    return found


def _amount_problems(amount: Decimal) -> list[Problem]:
    if not amount.is_finite() or amount <= 0:
        return [Problem.AMOUNT_NOT_POSITIVE]
    if amount != amount.to_integral_value():
        # The hub parses a whole number: a decimal stalls its sub-batch and all later ones for ever.
        return [Problem.AMOUNT_DECIMALS]
    if amount >= Decimal(10) ** MAX_AMOUNT_DIGITS:
        return [Problem.AMOUNT_TOO_LARGE]
    return []


def _note_fits(note: str) -> bool:
    """The note ends the row, and the hub cuts blanks off the end of the file."""
    return len(note) <= MAX_NOTE and note == note.strip() and _NOTE.fullmatch(note) is not None


def payer_fits(payer: Payer) -> bool:
    """Whether the payer's two columns arrive as they are; both may be empty."""
    return bool(
        _TYPE.fullmatch(payer.identifier_type or "0") and _LONG_IDENTIFIER.fullmatch(payer.identifier or "0")
    )


def amount_text(amount: Decimal) -> str:
    """A whole, positive amount as the hub reads it: `Decimal("120.00")` is "120". ValueError otherwise."""
    if _amount_problems(amount):
        raise ValueError(f"not an amount that the hub can carry: {amount}")
    return format(amount.to_integral_value(), "f")


def plain_note(text: str) -> str:
    """`text` with only what the hub carries: other characters become blanks, and it is cut to size."""
    kept = "".join(char if _NOTE.fullmatch(char) else " " for char in text)
    return " ".join(kept.split())[:MAX_NOTE].strip()


def look_alike(instruction: Instruction) -> str:
    """The hub's duplicate key: of two rows in one file that share it, only the first is paid.

    `DeDuplicationRoute` joins these four without a separator, and does not look at our reference.
    """
    return (
        instruction.payee_identifier
        + instruction.payee_identifier_type
        + format(instruction.amount.normalize(), "f")
        + instruction.currency
    )


def render(instructions: Iterable[Instruction], payer: Payer, payment_mode: str) -> str:
    """The file's text: LF, no final newline, ASCII, canonical columns.

    ValueError when the hub would not take it as it is: see `checked`, and on a file that is too large.
    """
    instructions = checked(instructions, payer, payment_mode)
    lines = [DFSP_HEADER if has_dfsp(instructions) else HEADER]
    lines += [_row(index, one, payer, payment_mode) for index, one in enumerate(instructions)]
    text = "\n".join(lines)
    if len(text) > MAX_BYTES:
        raise ValueError(f"the file is larger than {MAX_BYTES} bytes")
    return text


def checked(
    instructions: Iterable[Instruction], payer: Payer, payment_mode: str, rewritten: bool = False
) -> list[Instruction]:
    """The instructions, when the hub takes all of them as they are.

    ValueError on any `problems`, on a payer or a mode that does not fit, on two rows with one reference or
    one `look_alike`, and when only some rows name the payee's institution.
    """
    if not payer_fits(payer) or not _MODE.fullmatch(payment_mode):
        raise ValueError("the payer or the payment mode has characters that the hub cannot carry")
    instructions = list(instructions)
    _refuse_repetitions([one.reference for one in instructions], "reference")
    _refuse_repetitions([look_alike(one) for one in instructions], "payee, amount and currency")
    for one in instructions:
        found = problems(one, rewritten)
        if found:
            raise ValueError(f"{one.reference}: {', '.join(problem.value for problem in found)}")
    if len({bool(one.payee_dfsp) for one in instructions}) > 1:
        raise ValueError("either all rows name the payee's institution or none does")
    return instructions


def has_dfsp(instructions: list[Instruction]) -> bool:
    return any(one.payee_dfsp for one in instructions)


def _refuse_repetitions(keys: list[str], what: str) -> None:
    if len(set(keys)) != len(keys):
        raise ValueError(f"two rows have the same {what}")


def _row(index: int, instruction: Instruction, payer: Payer, payment_mode: str) -> str:
    amount = amount_text(instruction.amount)
    return ",".join([str(index), *_cells(instruction, payer, payment_mode, amount)])


def _cells(instruction: Instruction, payer: Payer, payment_mode: str, amount: str) -> list[str]:
    """All but the number of the row."""
    cells = [
        instruction.reference,
        payment_mode,
        payer.identifier_type,
        payer.identifier,
        instruction.payee_identifier_type,
        instruction.payee_identifier,
        amount,
        instruction.currency,
        instruction.note,
    ]
    return [*cells, "", "", instruction.payee_dfsp] if instruction.payee_dfsp else cells


def row_bytes(instruction: Instruction, payer: Payer, payment_mode: str) -> int:
    """Size of this row with its line feed, for any row number; also for a row with problems."""
    cells = _cells(instruction, payer, payment_mode, format(instruction.amount, "f"))
    longest_row_number = 6
    return sum(len(cell.encode()) for cell in cells) + len(DFSP_COLUMNS) + longest_row_number


def parse(text: str) -> list[Instruction]:
    """The instructions of a file that `render` wrote. ValueError on anything else."""
    header, *rows = text.split("\n")
    columns = {HEADER: COLUMNS, DFSP_HEADER: DFSP_COLUMNS}.get(header)
    if columns is None:
        raise ValueError("unexpected header")
    return [_parse_row(columns, index, row) for index, row in enumerate(rows)]


def _parse_row(columns: tuple[str, ...], index: int, row: str) -> Instruction:
    cells = dict(zip(columns, row.split(","), strict=True))
    if cells["id"] != str(index) or not _PLAIN_AMOUNT.fullmatch(cells["amount"]):
        raise ValueError(f"unexpected row {index}")
    instruction = Instruction(
        reference=cells["request_id"],
        payee_identifier_type=cells["payee_identifier_type"],
        payee_identifier=cells["payee_identifier"],
        amount=Decimal(cells["amount"]),
        currency=cells["currency"],
        note=cells["note"],
        payee_dfsp=cells.get("payee_dfsp_id", ""),
    )
    if problems(instruction):
        raise ValueError(f"unexpected row {index}")
    return instruction
