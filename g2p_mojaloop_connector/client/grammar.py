"""Mojaloop's own grammar for what a payment says (FSPIOP 1.1, and the connector's request schemas).

`normalised` mends what means the same afterwards and tells what it changed; `problems` finds what a person
has to mend before approval, because the connector or the hub would refuse it, or wait in vain for an answer.
"""

import re
import unicodedata
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from stdnum.iso7064 import mod_97_10

from odoo.addons.g2p_payment_hub.client.instructions import Instruction

ID_TYPES = ("MSISDN", "EMAIL", "PERSONAL_ID", "BUSINESS", "DEVICE", "ACCOUNT_ID", "IBAN", "ALIAS")
MAX_FSP_ID = 32
MAX_NOTE = 128
MAX_NAME = 128

_AMOUNT = re.compile(r"([0]|([1-9][0-9]{0,17}))([.][0-9]{0,3}[1-9])?")
_TOO_LARGE = Decimal(10) ** 18
_CURRENCY = re.compile(r"[A-Z]{3}")
# ISO 4217: the currencies whose smallest unit is not a hundredth.
_DECIMALS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}
# What may stand in a path as it is: connectors and hubs do not agree on who decodes what. Not dots alone,
# which would lead to another path.
_IDENTIFIER = re.compile(r"(?!\.+\Z)[A-Za-z0-9._~!$&'()*+,;=:@-]{1,128}")
_MSISDN = re.compile(r"[1-9][0-9]{6,14}")  # E.164
_EMAIL = re.compile(r"[^@]+@[^@]+")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_FSP_ID = re.compile(rf"[A-Za-z0-9._~-]{{1,{MAX_FSP_ID}}}")
_GROUPED = ("MSISDN", "IBAN", "ACCOUNT_ID")  # people write these in groups; the blanks mean nothing
_MSISDN_MARKS = re.compile(r"[\s().-]|^\+")
_NAME = re.compile(r"[A-Za-z0-9_ .,'-]")


class Problem(str, Enum):
    """What would be refused or lost, as a key for a translated sentence."""

    NO_PAYEE = "no_payee"
    PAYEE_TYPE = "payee_type"
    PAYEE_CHARACTERS = "payee_characters"
    PAYEE_TOO_LONG = "payee_too_long"
    MSISDN = "msisdn"
    EMAIL = "email"
    IBAN = "iban"
    AMOUNT_NOT_POSITIVE = "amount_not_positive"
    AMOUNT_DECIMALS = "amount_decimals"
    AMOUNT_TOO_LARGE = "amount_too_large"
    NO_CURRENCY = "no_currency"
    NOTE_TOO_LONG = "note_too_long"
    NOTE_CHARACTERS = "note_characters"
    DFSP = "dfsp"


class Change(NamedTuple):
    """`field` is a field of Instruction."""

    field: str
    before: str
    after: str


def normalised(instruction: Instruction) -> tuple[Instruction, list[Change]]:
    """The instruction as it will be sent, and what was changed for that. It may still have `problems`."""
    id_type, _sub_id = split_type(instruction.payee_identifier_type)
    wanted = {
        "payee_identifier": normalised_identifier(id_type, instruction.payee_identifier),
        "note": normalised_note(instruction.note),
        "payee_dfsp": instruction.payee_dfsp.strip(),
    }
    changes = [
        Change(field, getattr(instruction, field), value)
        for field, value in wanted.items()
        if getattr(instruction, field) != value
    ]
    return instruction.model_copy(update=wanted), changes


def normalised_identifier(id_type: str, value: str) -> str:
    """Without the blanks round it; of a phone number also without a plus and the marks between its digits."""
    value = value.strip()
    if id_type == "MSISDN":
        return _MSISDN_MARKS.sub("", value)
    if id_type in _GROUPED:
        value = "".join(value.split())
    return value.upper() if id_type == "IBAN" else value


def normalised_note(note: str) -> str:
    """On one line and cut to size. What cannot be sent at all stays, for a person to see."""
    return " ".join(note.split())[:MAX_NOTE].strip()


def split_type(identifier_type: str) -> tuple[str, str]:
    """("PERSONAL_ID", "PASSPORT") of "PERSONAL_ID/PASSPORT": Mojaloop's type and what refines it."""
    id_type, _slash, sub_id = identifier_type.partition("/")
    return id_type, sub_id


def problems(instruction: Instruction) -> list[Problem]:
    """Everything that keeps this payment from arriving as it is; look at a `normalised` one."""
    id_type, sub_id = split_type(instruction.payee_identifier_type)
    found = identifier_problems(id_type, instruction.payee_identifier, sub_id)
    if not _CURRENCY.fullmatch(instruction.currency):
        found.append(Problem.NO_CURRENCY)
    found += _amount_problems(instruction.amount, instruction.currency)
    if len(instruction.note) > MAX_NOTE:
        found.append(Problem.NOTE_TOO_LONG)
    if not _sendable(instruction.note):
        found.append(Problem.NOTE_CHARACTERS)
    if instruction.payee_dfsp and not _FSP_ID.fullmatch(instruction.payee_dfsp):
        found.append(Problem.DFSP)
    return found


def identifier_problems(id_type: str, value: str, sub_id: str = "") -> list[Problem]:
    """Of a party's identifier alone: also for the payer, and for an account to register."""
    if id_type not in ID_TYPES or (sub_id and not _IDENTIFIER.fullmatch(sub_id)):
        return [Problem.PAYEE_TYPE]
    if not value:
        return [Problem.NO_PAYEE]
    if len(value) > 128:
        return [Problem.PAYEE_TOO_LONG]
    if not _IDENTIFIER.fullmatch(value):
        return [Problem.PAYEE_CHARACTERS]
    fits = {
        "MSISDN": _MSISDN.fullmatch,
        "EMAIL": _EMAIL.fullmatch,
        "IBAN": _is_iban,
    }.get(id_type)
    return [Problem(id_type.lower())] if fits and not fits(value) else []


def _is_iban(text: str) -> bool:
    """ISO 13616: its check digits are right. `stdnum.iban` reads a file, which it does not find in Odoo
    19."""
    return bool(_IBAN.fullmatch(text)) and mod_97_10.is_valid(text[4:] + text[:4])


def _amount_problems(amount: Decimal, currency: str) -> list[Problem]:
    if amount <= 0:
        return [Problem.AMOUNT_NOT_POSITIVE]
    if amount >= _TOO_LARGE:
        return [Problem.AMOUNT_TOO_LARGE]
    if amount != round(amount, decimals(currency)):
        return [Problem.AMOUNT_DECIMALS]
    return []


def decimals(currency: str) -> int:
    """How many digits an amount may have after the point."""
    return _DECIMALS.get(currency, 2)


def amount_text(amount: Decimal) -> str:
    """The one way to write an amount: `Decimal("100.00")` is "100". ValueError when there is none."""
    text = _plain(amount) if amount.is_finite() and 0 < amount < _TOO_LARGE else ""
    if not _AMOUNT.fullmatch(text):
        raise ValueError(f"not an amount that Mojaloop can carry: {amount}")
    return text


def _plain(amount: Decimal) -> str:
    """No exponent and no zeros at the end; `normalize` would round a long amount."""
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def amount_of(text: object) -> Decimal:
    """An amount that somebody else wrote. ValueError when it is not in the grammar."""
    if not isinstance(text, str) or not text.isascii() or not _AMOUNT.fullmatch(text):
        raise ValueError("not an amount")
    return Decimal(text)


def display_name(name: str) -> str:
    """`name` as a name of a party may be: ASCII letters, digits and a few marks; "" when nothing is left."""
    plain = unicodedata.normalize("NFKD", name)
    kept = "".join(
        char if _NAME.fullmatch(char) else " " for char in plain if not unicodedata.combining(char)
    )
    return " ".join(kept.split())[:MAX_NAME].strip()


def same_identifier(id_type: str, ours: str, theirs: str) -> bool:
    """Whether a party that was answered is the one that was asked for; only a plus may differ."""
    if id_type in ("IBAN", "EMAIL"):
        return normalised_identifier(id_type, ours).lower() == normalised_identifier(id_type, theirs).lower()
    return normalised_identifier(id_type, ours) == normalised_identifier(id_type, theirs)


def _sendable(text: str) -> bool:
    """Neither control characters nor halves of a character, which no JSON in UTF-8 can carry."""
    return not any(unicodedata.category(char) in ("Cc", "Cs") for char in text)
