"""Bank statements (camt.053), notifications (camt.054), reports of the day (camt.052) and status reports
(pain.002), by pyiso20022's classes of ISO's schemas.

Each record is read by itself, so that one that does not fit its schema is one line for a person, and the
others are not lost. camt.052 is read like camt.053: an entry that it calls booked has moved the account, and
ISO lets a bank take that back only by another booking, which comes up as a return. What it calls pending
waits.
"""

import copy
import dataclasses
import importlib
import logging
import typing
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import lru_cache, partial
from typing import Any, NamedTuple

from lxml import etree
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.parsers.config import ParserConfig
from xsdata.formats.dataclass.parsers.handlers import LxmlEventHandler

from .camt_money import Money, instructed, ordered_money
from .faults import find_fault, find_loose_text, find_strange_children, misplaced, name_of
from .free_text import free_text, statement_name
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
from .reasons import STATUS, failure_type, most_telling
from .references import first_reference
from .xml_document import BODY, CAMT_052, CAMT_053, CAMT_054, PAIN_002, VERSIONS, open_document, strip_types

__all__ = ["CAMT_052", "CAMT_053", "CAMT_054", "PAIN_002", "VERSIONS", "Message", "read"]

_logger = logging.getLogger(__name__)

_MAX, _DIGITS = Decimal(10) ** 18, 9  # of an amount
# Bank transaction codes of an issued credit transfer that came back: returned or unpaid, or recalled.
_CAME_BACK = {"RRTN", "RPCR"}
# Of the bank's own charges, commissions, interest and taxes, for a payment or for the account.
_FEES = {"CHRG", "COMM", "COME", "COMI", "COMT", "FEES", "INTR", "TAXE"}
_FEES_SWIFT = {"NCHG", "NCOM", "NINT"}  # as banks that come from MT940 put it into their own code
# One for all records: it learns each class once.
_PARSER = XmlParser(
    config=ParserConfig(fail_on_unknown_properties=True, fail_on_converter_warnings=True),
    handler=LxmlEventHandler,
)
# Below Document: the head of each account, and in it the entries.
_HEAD = {CAMT_052: "Rpt", CAMT_053: "Stmt", CAMT_054: "Ntfctn"}
_FIELDS = {
    CAMT_052: ("bk_to_cstmr_acct_rpt", "rpt", "ntry"),
    CAMT_053: ("bk_to_cstmr_stmt", "stmt", "ntry"),
    CAMT_054: ("bk_to_cstmr_dbt_cdt_ntfctn", "ntfctn", "ntry"),
}
_DETAIL = ("ntry_dtls", "tx_dtls")
_REPORT = ("cstmr_pmt_sts_rpt",)
_GROUP = (*_REPORT, "orgnl_pmt_inf_and_sts")
_TRANSACTION = (*_GROUP, "tx_inf_and_sts")
_WHOLE_MESSAGE = (*_REPORT, "orgnl_grp_inf_and_sts")
# In which a record that cannot be read names payments of ours.
_OURS = ("EndToEndId", "OrgnlEndToEndId")
_OURS_TOO = ("InstrId", "OrgnlInstrId")


class Message(NamedTuple):
    """`kind` is a key of VERSIONS; `accounts` are those whose statements or notifications these are."""

    kind: str
    lines: list[EvidenceLine]
    accounts: list[str]


def read(content: bytes) -> Message:
    """EvidenceError when it cannot be read at all."""
    if len(content) > MAX_BYTES:
        raise EvidenceError(Problem.TOO_LARGE)
    document = open_document(content)
    kind = document.kind
    module = importlib.import_module(f"pyiso20022.{kind[:4]}.{kind}_001_{document.version:02}")
    lines: list[EvidenceLine] = []
    entries = 0
    for root in document.roots:
        before = entries
        for line in _report(root, module) if kind == PAIN_002 else _statement(root, kind, module):
            if len(lines) == MAX_LINES:
                raise EvidenceError(Problem.TOO_MANY_LINES, line.number)
            place = line.entry_number and before + line.entry_number
            entries = max(entries, place)
            lines.append(line.model_copy(update={"number": len(lines) + 1, "entry_number": place}))
    if not lines:
        raise EvidenceError(Problem.EMPTY)
    accounts = [account for root in document.roots for account in _accounts(root, kind)]
    return Message(kind, lines, list(dict.fromkeys(accounts)))


@lru_cache(maxsize=64)
def _class(module: Any, path: tuple[str, ...]) -> Any:
    """The class of the record at `path` below the module's Document."""
    found = module.Document
    for name in path:
        found = typing.get_type_hints(found)[name]
        while not dataclasses.is_dataclass(found):
            found = next(kind for kind in typing.get_args(found) if kind is not type(None))
    return found


def _records(root: etree._Element, name: str) -> Iterator[etree._Element]:
    return root.iter(f"{{{etree.QName(root).namespace}}}{name}")


def _children(element: etree._Element, name: str) -> Iterator[etree._Element]:
    """Not those further below, as in a bank's own supplementary data."""
    return element.iterchildren(f"{{{etree.QName(element).namespace}}}{name}")


def _raw(element: etree._Element) -> str:
    return etree.tostring(element, encoding="unicode", with_tail=False)[:MAX_RAW]


# a record, whatever stands in it


def _bound(element: etree._Element, module: Any, path: tuple[str, ...]) -> Any:
    """The record as an object of its schema's class, or the Fault that says what is wrong with it."""
    kind = _class(module, path)
    strip_types(element)
    try:
        # A copy: the parser empties what it has read. And of some broken records it makes something else.
        found = find_loose_text(element, kind) or _PARSER.parse(copy.deepcopy(element), kind)
        return found if isinstance(found, (Fault, kind)) else find_fault(element, kind) or _fault(element)
    except Exception as error:  # pylint: disable=broad-except  # the library has many of its own
        _logger.debug("a record of a bank message does not fit: %s", type(error).__name__)
        return find_fault(element, kind) or _fault(element)


def _line_of(
    element: etree._Element, raw: str, parts: list[Any], build: Callable[[], EvidenceLine]
) -> list[EvidenceLine]:
    """The line that `build` makes of the bound `parts`; lines for a person where one of them is a Fault, or
    where something in them is as nobody thought of."""
    fault = next((part for part in parts if isinstance(part, Fault)), None)
    if fault:
        return _unreadable(element, raw, fault)
    try:
        return [build()]
    except Exception as error:  # pylint: disable=broad-except  # one record must not lose the others
        _logger.info("a record of a bank message could not be read: %s", type(error).__name__)
        return _unreadable(element, raw, _fault(element))


def _fault(element: etree._Element) -> Fault:
    return Fault(kind=FaultKind.OTHER, element=name_of(element), line=element.sourceline or 0)


def _unreadable(element: etree._Element, raw: str, fault: Fault) -> list[EvidenceLine]:
    """A line for each payment that the record names, so that each of them waits for a person; or for none."""
    names = _texts(element, _OURS) or _texts(element, _OURS_TOO) or [""]
    text = free_text(element) if len(names) == 1 else ""  # of several nobody knows whose text it is
    return [
        EvidenceLine(
            number=0,
            reference=name,
            problem=Problem.SCHEMA,
            problem_detail=fault.element,
            fault=fault,
            free_text=text,
            raw=raw,
        )
        for name in names
    ]


def _texts(element: etree._Element, names: tuple[str, ...]) -> list[str]:
    texts = [first_reference(found.text) for found in element.iter(etree.Element) if name_of(found) in names]
    return list(dict.fromkeys(filter(None, texts)))


def _taken_out(parent: etree._Element, name: str) -> list[tuple[etree._Element, str]]:
    """(record, as it stands in the file) of each record in `parent`, to be read by itself. What stands loose
    after it stays, to be seen."""
    found = []
    for child in list(_children(parent, name)):
        raw = _raw(child)
        parent.text = (parent.text or "") + (child.tail or "")
        child.tail = None
        parent.remove(child)
        found.append((child, raw))
    return found


def _strange_parts(
    frames: list[tuple[etree._Element, type]], handled: list[etree._Element], records: tuple[str, ...]
) -> Iterator[EvidenceLine]:
    """Lines for what does not belong in the frames around the records, for it may be a record misspelt, and
    for records in a place where none belongs. `handled` are the records that were read.

    A bank's own supplementary data are no records, whatever stands there.
    """
    strange = [pair for frame, kind in frames for pair in find_strange_children(frame, kind)]
    strange = [(child, fault) for child, fault in strange if child not in handled]
    handled = {*handled, *(child for child, _fault_found in strange)}
    for found in list(frames[0][0].iter(*(f"{{*}}{name}" for name in records))):
        above = {found, *found.iterancestors()}
        own_data = any(name_of(parent) == "SplmtryData" for parent in above)
        if not own_data and not above & handled:
            strange.append((found, misplaced(found)))
            handled.add(found)
    for child, fault in strange:
        yield from _unreadable(child, _raw(child), fault)


# camt.052, camt.053, camt.054


def _statement(root: etree._Element, kind: str, module: Any) -> Iterator[EvidenceLine]:
    path = _FIELDS[kind]
    frames = [(root, module.Document)]
    messages = list(_children(root, BODY[kind]))
    frames += [(message, _class(module, path[:1])) for message in messages]
    accounts = [account for message in messages for account in _children(message, _HEAD[kind])]
    frames += [(account, _class(module, path[:2])) for account in accounts]
    entries = [entry for account in accounts for entry in _children(account, "Ntry")]
    for number, element in enumerate(entries, start=1):
        place = {"entry_number": number, "statement": statement_name(element)}
        for line in _entry_lines(element, module, path):
            yield line.model_copy(update=place)
    yield from _strange_parts(frames, entries, ("Ntry", "NtryDtls", "TxDtls"))


def _accounts(root: etree._Element, kind: str) -> list[str]:
    """The accounts as the heads call them; read by name, so that it is known where an entry is not."""
    namespace = {"iso": etree.QName(root).namespace}
    heads = list(_records(root, _HEAD[kind])) if kind in _HEAD else []
    path = "iso:Acct/iso:Id/iso:IBAN|iso:Acct/iso:Id/iso:Othr/iso:Id"
    named = [(found.text or "").strip() for head in heads for found in head.xpath(path, namespaces=namespace)]
    return [account for account in named if account]


def _entry_lines(element: etree._Element, module: Any, path: tuple[str, ...]) -> list[EvidenceLine]:
    raw = _raw(element)
    details = [detail for group in _children(element, "NtryDtls") for detail in _taken_out(group, "TxDtls")]
    _mend_status(element, _class(module, path))
    entry = _bound(element, module, path)
    text = free_text(element)
    if not details:
        lines = _line_of(element, raw, [entry], lambda: _entry_line(entry, None, True, None, raw))
        return _with_text(lines, text)
    found = []
    transactions = [_bound(detail, module, (*path, *_DETAIL)) for detail, _raw_text in details]
    alone, total = len(details) == 1, _instructed_sum(transactions)
    for (detail, own), transaction in zip(details, transactions, strict=True):
        build = partial(_entry_line, entry, transaction, alone, total, raw if alone else own)
        lines = _line_of(detail, raw if alone else own, [entry, transaction], build)
        found += _with_text(lines, f"{free_text(detail)} {text if alone else ''}".strip())
    return found


def _with_text(lines: list[EvidenceLine], text: str) -> list[EvidenceLine]:
    return [line.model_copy(update={"free_text": text}) for line in lines]


@lru_cache(maxsize=64)
def _has_nested_status(kind: type) -> bool:
    return dataclasses.is_dataclass(typing.get_type_hints(kind)["sts"])


def _mend_status(element: etree._Element, kind: type) -> None:
    """Read a status that is spelt as in another version: BOOK means the same beside <Cd> and without it."""
    nested = _has_nested_status(kind)
    for status in _children(element, "Sts"):
        text, codes = (status.text or "").strip(), list(_children(status, "Cd"))
        if nested and text and not len(status):
            etree.SubElement(status, f"{{{etree.QName(status).namespace}}}Cd").text = text
            status.text = None
        elif not nested and not text and len(codes) == len(status) == 1 and not len(codes[0]):
            status.text = codes[0].text
            status.remove(codes[0])


def _instructed_sum(transactions: list[Any]) -> Money | None:
    """What the orders of a collective entry come to; None where one tells none or they are in several
    currencies."""
    told = [instructed(transaction) for transaction in transactions]
    if None in told or len({money.currency for money in told}) != 1:
        return None
    return Money(sum(money.value for money in told), told[0].currency)


def _entry_line(
    entry: Any, transaction: Any, alone: bool, ordered_sum: Money | None, raw: str
) -> EvidenceLine:
    """`alone`: what the entry says holds for its only transaction."""
    status, word = _entry_status(entry, transaction)
    code, reason = _reason(_listed(_get(transaction, "rtr_inf")))
    references = _get(transaction, "refs")
    own = _get(references, "acct_svcr_ref") or _get(references, "tx_id")
    if alone:
        # Not NtryRef, by which many banks count the entries of each statement.
        own = own or entry.acct_svcr_ref
    return _line(
        raw,
        status,
        ordered_money(entry, transaction, alone, ordered_sum),
        reference=first_reference(_get(references, "end_to_end_id"), _get(references, "instr_id")),
        remote_reference=(own or "").strip(),
        remote_status=word,
        happened_on=_day(entry.bookg_dt) or _day(entry.val_dt),
        reason_code=code,
        reason=reason or (entry.addtl_ntry_inf or "")[:500],
        entry_reference=(entry.acct_svcr_ref or "").strip() if transaction is not None else "",
        **_payee(_get(transaction, "rltd_pties")),
    )


def _entry_status(entry: Any, transaction: Any) -> tuple[EvidenceStatus, str]:
    """(status, the statement's words). Booked money that left is paid; booked money that came in is a payment
    returned only where the bank says so. What is a fee stays one, whichever way it went."""
    booked = _text(_get(entry.sts, "cd") or _get(entry.sts, "prtry") or entry.sts)
    indicator = _text(_get(transaction, "cdt_dbt_ind") or entry.cdt_dbt_ind)
    returned = _get(transaction, "rtr_inf") is not None
    reversal = bool(entry.rvsl_ind)
    codes = {_family(entry.bk_tx_cd), _family(_get(transaction, "bk_tx_cd"))}
    came_back = returned or reversal or bool(codes & _CAME_BACK)
    words = [booked, indicator, *(["RvslInd"] if reversal else []), *(["RtrInf"] if returned else [])]
    if _is_fee(entry, transaction):
        return EvidenceStatus.FEE, " ".join([*words, "CHRG"])
    if booked != "BOOK":
        status = EvidenceStatus.WAITING
    elif indicator == "CRDT":
        status = EvidenceStatus.RETURNED if came_back else EvidenceStatus.OTHER
    else:
        status = EvidenceStatus.OTHER if came_back else EvidenceStatus.PAID
    return status, " ".join(words)


def _family(code: Any) -> str:
    """The sub-family of an issued credit transfer's bank transaction code."""
    family = _get(_get(code, "domn"), "fmly")
    return _text(_get(family, "sub_fmly_cd")) if _text(_get(family, "cd")) == "ICDT" else ""


def _is_fee(entry: Any, transaction: Any) -> bool:
    """By the transaction's own code, and by the entry's where it has none."""
    own = _get(transaction, "bk_tx_cd")
    code = own if _get(own, "domn") or _get(own, "prtry") else entry.bk_tx_cd
    sub_family = _text(_get(_get(_get(code, "domn"), "fmly"), "sub_fmly_cd"))
    bank = _text(_get(_get(code, "prtry"), "cd")).upper()
    return sub_family in _FEES or bool(set(bank.replace("+", " ").split()) & _FEES_SWIFT)


# pain.002


class _Above(NamedTuple):
    """Word and reasons of a group: they count for each of its transactions that has none. `message` names the
    message that the report answers."""

    message: str = ""
    word: str = ""
    reasons: list[Any] = []


def _report(root: etree._Element, module: Any) -> Iterator[EvidenceLine]:
    messages = list(_children(root, BODY[PAIN_002]))
    frames = [(root, module.Document), *((message, _class(module, _REPORT)) for message in messages)]
    wholes = [whole for message in messages for whole in _children(message, "OrgnlGrpInfAndSts")]
    groups = [group for message in messages for group in _children(message, "OrgnlPmtInfAndSts")]
    above = _Above()
    for element in wholes:
        raw = _raw(element)
        whole = _bound(element, module, _WHOLE_MESSAGE)
        if isinstance(whole, Fault):
            yield from _unreadable(element, raw, whole)
            continue
        above = _Above(whole.orgnl_msg_id, _text(whole.grp_sts), whole.sts_rsn_inf)
        if not groups:
            build = partial(_status_line, above, [], raw)
            yield from _line_of(element, raw, [whole], build)
    if len(wholes) > 1:
        above = _Above()  # nobody knows which of them the groups belong to
    for group in groups:
        yield from _group_lines(group, module, above)
    names = ("OrgnlGrpInfAndSts", "OrgnlPmtInfAndSts", "TxInfAndSts")
    yield from _strange_parts(frames, [*wholes, *groups], names)


def _group_lines(element: etree._Element, module: Any, above: _Above) -> Iterator[EvidenceLine]:
    raw = _raw(element)
    transactions = _taken_out(element, "TxInfAndSts")
    group = _bound(element, module, _GROUP)
    if isinstance(group, Fault):
        yield from _unreadable(element, raw, group)
        above = _Above()  # it may say something else than the message
    else:
        own = _text(group.pmt_inf_sts)
        above = above._replace(word=own or above.word, reasons=group.sts_rsn_inf or above.reasons)
        if not transactions:
            build = partial(_status_line, above, [group.orgnl_pmt_inf_id], raw)
            yield from _line_of(element, raw, [group], build)
    for record, own_raw in transactions:
        transaction = _bound(record, module, _TRANSACTION)
        build = partial(_transaction_line, transaction, above, own_raw)
        yield from _with_text(_line_of(record, own_raw, [transaction], build), free_text(record))


def _status_line(above: _Above, names: list[str], raw: str) -> EvidenceLine:
    """Of all payments of a message at once, which are not named."""
    code, reason = _reason(above.reasons)
    return _line(
        raw,
        STATUS.get(above.word, EvidenceStatus.WAITING),
        None,
        reference=first_reference(*names, above.message),
        remote_status=above.word,
        reason_code=code,
        reason=reason,
        free_text=above.message,
    )


def _transaction_line(transaction: Any, above: _Above, raw: str) -> EvidenceLine:
    original = transaction.orgnl_tx_ref
    own = _text(transaction.tx_sts)
    word = own or above.word
    status = STATUS.get(word, EvidenceStatus.WAITING)
    inherits = not own or status is EvidenceStatus.FAILED
    code, reason = _reason(transaction.sts_rsn_inf or (above.reasons if inherits else []))
    amount = _get(_get(original, "amt"), "instd_amt") or _get(original, "intr_bk_sttlm_amt")
    return _line(
        raw,
        status,
        amount and Money(amount.value, amount.ccy),
        reference=first_reference(transaction.orgnl_end_to_end_id, transaction.orgnl_instr_id),
        remote_reference=(transaction.acct_svcr_ref or "").strip(),
        remote_status=word,
        happened_on=_date(_get(original, "intr_bk_sttlm_dt") or transaction.accptnc_dt_tm),
        reason_code=code,
        reason=reason,
        **_payee(original),
    )


# both


def _line(raw: str, status: EvidenceStatus, money: Money | None, **values: Any) -> EvidenceLine:
    number, currency = money or (None, "")
    fits = number is None or (number.is_finite() and 0 <= number < _MAX and number == round(number, _DIGITS))
    return EvidenceLine(
        number=0,
        raw=raw,
        status=status if fits else None,
        amount=number if fits else None,
        currency=currency,
        failure_type=failure_type(status, values["reason_code"]) if fits else None,
        problem=None if fits else Problem.AMOUNT,
        problem_detail="" if fits else str(number)[:100],
        **values,
    )


def _get(value: Any, name: str) -> Any:
    """None where the record, or this version of its schema, has none."""
    return getattr(value, name, None)


def _listed(value: Any) -> list[Any]:
    """What some versions have once and others several times."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _text(value: Any) -> str:
    return str(value.value if isinstance(value, Enum) else value or "").strip()


def _reason(information: list[Any]) -> tuple[str, str]:
    """(the code that tells most, all that is said beside it)"""
    codes, texts = [], []
    for part in information:
        reason = _get(part, "rsn")
        codes.append(_text(_get(reason, "cd") or _get(reason, "prtry")))
        texts += _listed(_get(part, "addtl_inf"))
    codes = [code for code in dict.fromkeys(codes) if code]
    code = most_telling(codes)
    others = [other for other in codes if other != code]
    return code, " ".join([*others, *texts])[:500]


def _payee(parties: Any) -> dict[str, str]:
    creditor = _get(parties, "cdtr")
    account = _get(_get(parties, "cdtr_acct"), "id")
    return {
        "payee": _text(_get(account, "iban") or _get(_get(account, "othr"), "id")),
        "payee_name": _text(_get(creditor, "nm") or _get(_get(creditor, "pty"), "nm")),
    }


def _day(moment: Any) -> date | None:
    """Of a choice between a date and a date with its time."""
    return _date(_get(moment, "dt") or _get(moment, "dt_tm"))


def _date(moment: Any) -> date | None:
    """None also for what XML takes for a date and no calendar has, such as a year of five digits."""
    try:
        return moment and date(moment.year, moment.month, moment.day)
    except ValueError:
        return None
