"""Account statements (MT940, MT950) and interim reports (MT942) of SWIFT, by the library mt-940.

The library parses each field; the file is taken apart here, so that one record that cannot be read is one
line for a person, and the others are read. In an interim report SWIFT's marks tell what is booked (C, D) from
what is expected (EC, ED). Banks that follow the German structure of :86: list there also what is only noted,
under the same marks: in their interim reports a debit waits for the statement.
"""

import logging
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple

from mt940 import Options, models, tags

from .iso20022 import Message
from .lines import (
    MAX_BYTES,
    MAX_LINES,
    MAX_RAW,
    EvidenceError,
    EvidenceLine,
    EvidenceStatus,
    Fault,
    FaultKind,
    Problem,
)
from .reasons import failure_type
from .references import first_reference

_logger = logging.getLogger(__name__)

MT940, MT942 = "mt940", "mt942"
_KINDS = {"940": MT940, "950": MT940, "942": MT942}
_MAX_FREE_TEXT = 2_000
_LOOKS_LIKE_A_TAG = re.compile(r":([0-9A-Za-z]{2}[A-Za-z]?):")
_KNOWN = re.compile(r"(?:1[0-9]|2[0-9]|34|6[0-5]|86|90|NS)[A-Z]?")
# No fields of a statement: behind an entry they are a line of its text, which begins with a time of day.
_TEXT = re.compile(r"1[0-24-9]|2[2-46-79]|63")
# In front of the fields stand blocks in braces, or the lines with which some banks begin.
_TYPE = re.compile(r"\{2:[IO]([0-9]{3})")
_STRUCTURE = re.compile(r"[0-9]{3}([<>@~^|])[0-9]{2}")
_CODE = re.compile(r"/([A-Z]{3,4})/")
_MONEY = re.compile(r"([A-Z]{3})([0-9]{1,15}(?:,[0-9]{0,9})?)")
# Of :61:, after N, F or S: charges, commissions, interest; and a returned item.
_FEES, _RETURNED_ITEM = {"CHG", "COM", "INT"}, "RTI"
# Of the German structure: fees; and a credit transfer that came back.
_GERMAN_FEES, _GERMAN_RETURNS = {"805", "808"}, {"159"}


class _Entry(tags.Statement):
    """The field :61: with references of any length, and with an amount that can be meant in one way only: the
    library takes the first digits of 1.000,00 for the amount."""

    pattern: ClassVar[str] = r"""^
    (?P<year>[0-9]{2})(?P<month>[0-9]{2})(?P<day>[0-9]{2})
    (?P<entry_month>[0-9]{2}|\s{2})?(?P<entry_day>[0-9]{2}|\s{2})?
    (?P<status>[RE]?[DC])
    (?P<funds_code>[A-Z])?
    [\n ]?
    (?P<amount>[0-9]{1,15}(?:,[0-9]{0,9}|\.[0-9]{2})?)
    (?P<id>[A-Z][A-Z0-9 ]{3})
    (?P<customer_reference>(?:(?!//)[^\n])*)
    (?://(?P<bank_reference>[^\n]*))?
    (?:\n(?P<extra_details>[\s\S]*))?
    $"""


_ENTRY = _Entry()
_TAGS = models.Transactions.default_tags()
_OPTIONS = Options.all()


class _Field(NamedTuple):
    tag: str
    value: str
    line: int  # of the file where it begins


class _Told(NamedTuple):
    """What :61: and :86: say together. `data` is the library's, `codes` are those between strokes."""

    data: dict[str, Any]
    codes: dict[str, str]
    text: str

    @property
    def structured(self) -> bool:
        return bool(self.data.get("transaction_code"))

    @property
    def kind(self) -> str:
        return (self.data.get("id") or "")[1:].strip().upper()


def is_swift(content: bytes) -> bool:
    """Return True when the fields of a statement begin lines of the file."""
    return bool(
        re.search(rb"(?m)^[ \t]*:20:", content) and re.search(rb"(?m)^[ \t]*:(?:25[A-Z]?|61):", content)
    )


def read(content: bytes) -> Message:
    """Raise EvidenceError when it cannot be read at all."""
    if len(content) > MAX_BYTES:
        raise EvidenceError(Problem.TOO_LARGE)
    text = _decoded(content)
    fields = list(_fields(text))
    kind = _kind(text, fields)
    lines: list[EvidenceLine] = []
    accounts = []
    for statement in _statements(fields):
        head = _head(statement)
        accounts.append(head.data.get("account_identification") or "")
        for line in _statement_lines(statement, head, kind):
            if len(lines) == MAX_LINES:
                raise EvidenceError(Problem.TOO_MANY_LINES, line.number)
            lines.append(line.model_copy(update={"number": len(lines) + 1}))
    if not lines:
        raise EvidenceError(Problem.EMPTY)
    return Message(kind, lines, [account for account in dict.fromkeys(accounts) if account])


def _decoded(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    return text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")


def _fields(text: str) -> Iterator[_Field]:
    """The fields in their order, each with the lines that continue it. A hyphen alone ends a message."""
    tag, value, begun = "", [], 0
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.strip()
        match = _LOOKS_LIKE_A_TAG.match(line)
        if match or line == "-" or line.startswith("-}"):
            if tag:
                yield _Field(tag, "\n".join(value).strip(), begun)
            tag, value, begun = (match[1], [line[match.end() :]], number) if match else ("", [], 0)
        elif tag and line:
            value.append(line)
    if tag:
        yield _Field(tag, "\n".join(value).strip(), begun)


def _kind(text: str, fields: list[_Field]) -> str:
    named = _TYPE.search(text)
    if named:
        if named[1] not in _KINDS:
            raise EvidenceError(Problem.ADVICE, 1, f"MT{named[1]}")
        return _KINDS[named[1]]
    found = {field.tag[:2] for field in fields}
    return MT942 if "34" in found and not found & {"60", "62"} else MT940


def _statements(fields: list[_Field]) -> Iterator[list[_Field]]:
    statement: list[_Field] = []
    for field in fields:
        if field.tag == "20" and statement:
            yield statement
            statement = []
        statement.append(field)
    if statement:
        yield statement


def _head(statement: list[_Field]) -> models.Transactions:
    """The account and the currency. A field that cannot be read leaves them open, and loses no record."""
    head = models.Transactions(options=_OPTIONS)
    for field in statement:
        tag = _TAGS.get(field.tag) or _TAGS.get(int(field.tag[:2]) if field.tag[:2].isdigit() else "")
        if tag is None or field.tag[:2] in ("61", "86") or not tag.re.match(field.value):
            continue
        try:
            head.parse(f":{field.tag}:{field.value}")
        except Exception as error:  # pylint: disable=broad-except  # as for balances of no calendar's day
            _logger.debug("field %s of a bank statement cannot be read: %s", field.tag, type(error).__name__)
    return head


def _statement_lines(statement: list[_Field], head: models.Transactions, kind: str) -> Iterator[EvidenceLine]:
    for place, field in enumerate(statement):
        if not _KNOWN.fullmatch(field.tag):
            yield _unreadable(field, [], FaultKind.UNKNOWN)
        if field.tag != "61":
            continue
        details = []
        for following in statement[place + 1 :]:
            if following.tag not in ("86", "NS") and not _TEXT.fullmatch(following.tag):
                break
            details.append(following)
        yield _line(field, details, head, kind)


def _line(entry: _Field, details: list[_Field], head: models.Transactions, kind: str) -> EvidenceLine:
    if not _ENTRY.re.match(entry.value):  # asked before the library, which logs what does not match
        return _unreadable(entry, details, FaultKind.VALUE)
    try:
        return _told_line(_told(entry, details, head), entry, details, kind)
    except Exception as error:  # pylint: disable=broad-except  # one record must not lose the others
        _logger.info("a record of a bank statement could not be read: %s", type(error).__name__)
        return _unreadable(entry, details, FaultKind.VALUE)


def _told(entry: _Field, details: list[_Field], head: models.Transactions) -> _Told:
    """The library's reading of one record, beside the head of its statement."""
    text = "\n".join(detail.value for detail in details)
    record = models.Transactions(options=_OPTIONS, tags={61: _ENTRY})
    record.data.update(head.data)
    record.parse(f":61:{entry.value}")
    (transaction,) = record.transactions
    if text:
        record.parse(f":86:{_with_question_marks(text)}")
    return _Told(transaction.data, _codes(text), text)


def _with_question_marks(text: str) -> str:
    """The German structure as the library knows it; some banks part its subfields with another sign."""
    match = _STRUCTURE.match(text)
    return re.sub(rf"{re.escape(match[1])}(?=[0-9]{{2}})", "?", text) if match else text


def _told_line(told: _Told, entry: _Field, details: list[_Field], kind: str) -> EvidenceLine:
    data, codes = told.data, told.codes
    status = _status(told, kind)
    money = _money(told)
    own = [data.get("end_to_end_reference"), codes.get("EREF"), codes.get("ROC")]
    own += (data.get("customer_reference") or "").split("\n")
    code = codes.get("RTRN", "").split("/")[0] if status is EvidenceStatus.RETURNED else ""
    return EvidenceLine(
        number=0,
        raw=_raw(entry, details),
        status=status,
        reference=first_reference(*own),
        remote_reference=(data.get("bank_reference") or "").strip(),
        amount=money[0],
        currency=money[1],
        remote_status=f"{data['status']} {data['id']}".strip(),
        happened_on=_day(data.get("entry_date")) or _day(data["date"]),
        reason_code=code,
        reason=" ".join(told.text.split())[:500],
        failure_type=failure_type(status, code),
        free_text=_free_text(told),
        **_payee(told),
    )


def _status(told: _Told, kind: str) -> EvidenceStatus:
    """As in camt: booked money that left is paid; what came in is a return only where the bank says so."""
    mark, german = told.data["status"].upper(), told.data.get("transaction_code") or ""
    if told.kind in _FEES or german in _GERMAN_FEES:
        return EvidenceStatus.FEE
    came_back = told.kind == _RETURNED_ITEM or german in _GERMAN_RETURNS or "RTRN" in told.codes
    if mark in ("ED", "EC"):
        return EvidenceStatus.WAITING
    if mark == "RD" or (mark == "C" and came_back):
        return EvidenceStatus.RETURNED
    if mark != "D" or came_back:
        return EvidenceStatus.OTHER
    return EvidenceStatus.WAITING if kind == MT942 and told.structured else EvidenceStatus.PAID


def _money(told: _Told) -> tuple[Decimal, str]:
    """What was ordered, where the bank tells it and the booking agrees; else what was booked."""
    booked = abs(told.data["amount"].amount), told.data.get("currency") or ""
    further = _codes(told.data.get("extra_details") or "")
    ordered = _coded_money({**told.codes, **further}.get("OCMT", ""))
    charges = _coded_money({**told.codes, **further}.get("CHGS", ""))
    if ordered is None:
        return booked
    if ordered[1] != booked[1]:
        return ordered
    paid_on_top = charges is not None and charges[1] == booked[1] and booked[0] - charges[0] == ordered[0]
    return ordered if paid_on_top and told.data["status"].upper() == "D" else booked


def _coded_money(text: str) -> tuple[Decimal, str] | None:
    match = _MONEY.match(text.strip())
    return match and (Decimal(match[2].replace(",", ".")), match[1])


def _codes(text: str) -> dict[str, str]:
    """The texts after /EREF/ and its kin; of the same code the first. Lines break anywhere."""
    _before, *parts = _CODE.split("".join(text.split("\n")))
    codes: dict[str, str] = {}
    for code, value in zip(parts[::2], parts[1::2], strict=True):
        if value.strip(" /"):
            codes.setdefault(code, value.strip(" /"))
    return codes


def _payee(told: _Told) -> dict[str, str]:
    account, _bank, name, *_more = [*told.codes.get("CNTP", "").split("/"), "", "", ""]
    return {
        "payee": (
            told.data.get("gvc_applicant_iban")
            or told.data.get("applicant_iban")
            or told.codes.get("IBAN")
            or account
        ).strip(),
        "payee_name": (told.data.get("applicant_name") or told.codes.get("NAME") or name).strip(),
    }


def _free_text(told: _Told) -> str:
    texts = [told.text, told.data.get("extra_details"), told.data.get("customer_reference")]
    return "\n".join(text for text in texts if text)[:_MAX_FREE_TEXT]


def _unreadable(entry: _Field, details: list[_Field], kind: FaultKind) -> EvidenceLine:
    text = "\n".join(detail.value for detail in details)
    plain = re.sub(r"[?<>@~^|][0-9]{2}", "", "".join(text.split("\n")))
    named = re.search(r"EREF\+(.{1,35}?)(?=[A-Z]{4}\+|$)", plain)
    tag = f":{entry.tag}:"
    return EvidenceLine(
        number=0,
        reference=first_reference(_codes(text).get("EREF"), named and named[1]),
        problem=Problem.SCHEMA,
        problem_detail=tag,
        fault=Fault(kind=kind, element=tag, line=entry.line, value=" ".join(entry.value.split())[:60]),
        free_text="\n".join([entry.value, text])[:_MAX_FREE_TEXT],
        raw=_raw(entry, details),
    )


def _raw(entry: _Field, details: list[_Field]) -> str:
    return "\n".join(f":{field.tag}:{field.value}" for field in (entry, *details))[:MAX_RAW]


def _day(moment: Any) -> date | None:
    return moment and date(moment.year, moment.month, moment.day)
