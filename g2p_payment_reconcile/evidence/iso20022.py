"""Bank statements (camt.053), notifications (camt.054) and status reports (pain.002), by pyiso20022's classes
of ISO's schemas.

Each record is read by itself, so that one that does not fit its schema is one line for a person, and the
others are not lost.
"""

import dataclasses
import importlib
import re
import typing
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, NamedTuple

from lxml import etree
from xsdata.exceptions import ParserError
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.parsers.config import ParserConfig
from xsdata.formats.dataclass.parsers.handlers import LxmlEventHandler

from .lines import MAX_BYTES, MAX_LINES, MAX_RAW, EvidenceError, EvidenceLine, EvidenceStatus, Problem
from .reasons import STATUS, failure_type

CAMT_053, CAMT_054, PAIN_002 = "camt_053", "camt_054", "pain_002"
VERSIONS = {CAMT_053: range(2, 13), CAMT_054: range(2, 13), PAIN_002: range(3, 15)}
_NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:(camt|pain)\.(053|054|002)\.001\.([0-9]{2})")
_MAX, _DIGITS = Decimal(10) ** 18, 9  # of an amount
_NO_REFERENCE = {"", "NOTPROVIDED"}
# Bank transaction codes of an issued credit transfer that came back: returned or unpaid, or recalled.
_CAME_BACK = {"RRTN", "RPCR"}
# One for all records: it learns each class once.
_PARSER = XmlParser(
    config=ParserConfig(fail_on_unknown_properties=True, fail_on_converter_warnings=True),
    handler=LxmlEventHandler,
)
# Where the entries of a statement and of a notification are, and the heads that name their accounts.
_ENTRY = {
    CAMT_053: ("bk_to_cstmr_stmt", "stmt", "ntry"),
    CAMT_054: ("bk_to_cstmr_dbt_cdt_ntfctn", "ntfctn", "ntry"),
}
_HEAD = {CAMT_053: "Stmt", CAMT_054: "Ntfctn"}
_GROUP = ("cstmr_pmt_sts_rpt", "orgnl_pmt_inf_and_sts")
_TRANSACTION = (*_GROUP, "tx_inf_and_sts")
_WHOLE_MESSAGE = ("cstmr_pmt_sts_rpt", "orgnl_grp_inf_and_sts")


class Message(NamedTuple):
    """`kind` is a key of VERSIONS; `accounts` are those whose statements or notifications these are."""

    kind: str
    lines: list[EvidenceLine]
    accounts: list[str]


def read(content: bytes) -> Message:
    """EvidenceError when it cannot be read at all."""
    if len(content) > MAX_BYTES:
        raise EvidenceError(Problem.TOO_LARGE)
    root = _root(content)
    kind, module = _message(root)
    lines: list[EvidenceLine] = []
    for line in _statement(root, kind, module) if kind in _ENTRY else _report(root, module):
        if len(lines) == MAX_LINES:
            raise EvidenceError(Problem.TOO_MANY_LINES, line.number)
        lines.append(line.model_copy(update={"number": len(lines) + 1}))
    if not lines:
        raise EvidenceError(Problem.EMPTY)
    return Message(kind, lines, _accounts(root, kind))


def _root(content: bytes) -> etree._Element:
    """The document, of which nothing leads outside: no entities, no network, nothing deep or huge, and no
    document type, which no message of ISO 20022 has."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise EvidenceError(Problem.NOT_XML, error.lineno or 0, error.msg or "") from error
    except ValueError as error:
        raise EvidenceError(Problem.NOT_XML) from error
    if root.getroottree().docinfo.doctype:
        raise EvidenceError(Problem.DOCTYPE, 1)
    return root


def _message(root: etree._Element) -> tuple[str, Any]:
    """(kind, module with its classes) by the document's namespace."""
    namespace = etree.QName(root).namespace or ""
    match = _NAMESPACE.fullmatch(namespace)
    kind = f"{match[1]}_{match[2]}" if match else ""
    if match is None or int(match[3]) not in VERSIONS.get(kind, ()):
        raise EvidenceError(Problem.MESSAGE, 1, namespace[-60:])
    return kind, importlib.import_module(f"pyiso20022.{match[1]}.{kind}_001_{match[3]}")


@lru_cache(maxsize=64)
def _class(module: Any, path: tuple[str, ...]) -> Any:
    """The class of the record at `path` below the module's Document."""
    found = module.Document
    for name in path:
        found = typing.get_type_hints(found)[name]
        while not dataclasses.is_dataclass(found):
            found = next(one for one in typing.get_args(found) if one is not type(None))
    return found


def _records(root: etree._Element, name: str) -> Iterator[etree._Element]:
    return root.iter(f"{{{etree.QName(root).namespace}}}{name}")


def _bound(element: etree._Element, module: Any, path: tuple[str, ...]) -> Any:
    """The record as an object of its schema's class, or the EvidenceLine that says what is wrong with it."""
    raw = _raw(element)
    try:
        return _PARSER.parse(element, _class(module, path))
    except (ParserError, TypeError) as error:
        detail = " ".join(str(error).split()).replace("`", "")
        return EvidenceLine(number=0, problem=Problem.SCHEMA, problem_detail=detail[:200], raw=raw)


def _raw(element: etree._Element) -> str:
    return etree.tostring(element, encoding="unicode", with_tail=False)[:MAX_RAW]


# camt.053, camt.054


def _statement(root: etree._Element, kind: str, module: Any) -> Iterator[EvidenceLine]:
    for element in list(_records(root, "Ntry")):
        details = [
            _raw(one) for group in _children(element, "NtryDtls") for one in _children(group, "TxDtls")
        ]
        raw = _raw(element)
        entry = _bound(element, module, _ENTRY[kind])
        if isinstance(entry, EvidenceLine):
            yield entry
            continue
        transactions = [tx for group in entry.ntry_dtls for tx in group.tx_dtls]
        if not transactions:
            yield _entry_line(entry, None, True, raw)
        for transaction, detail in zip(transactions, details, strict=True):
            alone = len(transactions) == 1
            yield _entry_line(entry, transaction, alone, raw if alone else detail)


def _accounts(root: etree._Element, kind: str) -> list[str]:
    """Each account once, as the heads call it; read by name, so that it is known where an entry is not."""
    namespace = {"iso": etree.QName(root).namespace}
    heads = list(_records(root, _HEAD[kind])) if kind in _HEAD else []
    path = "iso:Acct/iso:Id/iso:IBAN|iso:Acct/iso:Id/iso:Othr/iso:Id"
    named = [(one.text or "").strip() for head in heads for one in head.xpath(path, namespaces=namespace)]
    return list(dict.fromkeys(filter(None, named)))


def _children(element: etree._Element, name: str) -> Iterator[etree._Element]:
    """Not those further below, as in a bank's own supplementary data."""
    return element.iterchildren(f"{{{etree.QName(element).namespace}}}{name}")


def _entry_line(entry: Any, transaction: Any, alone: bool, raw: str) -> EvidenceLine:
    """`alone`: what the entry says holds for its only transaction."""
    status, word = _entry_status(entry, transaction)
    amount = _entry_amount(entry, transaction, alone)
    code, reason = _reason(_get(transaction, "rtr_inf"))
    references = _get(transaction, "refs")
    own = _get(references, "acct_svcr_ref") or _get(references, "tx_id")
    if alone:
        # Not NtryRef, by which many banks count the entries of each statement.
        own = own or entry.acct_svcr_ref
    return _line(
        raw,
        status,
        amount,
        reference=_reference(_get(references, "end_to_end_id"), _get(references, "instr_id")),
        remote_reference=(own or "").strip(),
        remote_status=word,
        happened_on=_day(entry.bookg_dt) or _day(entry.val_dt),
        reason_code=code,
        reason=reason or (entry.addtl_ntry_inf or "")[:500],
        **_payee(_get(transaction, "rltd_pties")),
    )


def _entry_status(entry: Any, transaction: Any) -> tuple[EvidenceStatus, str]:
    """(status, the statement's words). Booked money that left is paid; booked money that came in is a payment
    returned only where the bank says so."""
    booked = _text(_get(entry.sts, "cd") or _get(entry.sts, "prtry") or entry.sts)
    indicator = _text(_get(transaction, "cdt_dbt_ind") or entry.cdt_dbt_ind)
    returned = _get(transaction, "rtr_inf") is not None
    reversal = bool(entry.rvsl_ind)
    codes = {_family(entry.bk_tx_cd), _family(_get(transaction, "bk_tx_cd"))}
    came_back = returned or reversal or bool(codes & _CAME_BACK)
    words = [booked, indicator, *(["RvslInd"] if reversal else []), *(["RtrInf"] if returned else [])]
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


def _entry_amount(entry: Any, transaction: Any, alone: bool) -> Any:
    details = _get(transaction, "amt_dtls")
    own = _get(transaction, "amt") or _get(_get(details, "tx_amt"), "amt")
    return own or (entry.amt if alone else None)


# pain.002


def _report(root: etree._Element, module: Any) -> Iterator[EvidenceLine]:
    groups = list(_records(root, "OrgnlPmtInfAndSts"))
    word = ""
    for element in list(_records(root, "OrgnlGrpInfAndSts")):
        raw = _raw(element)
        whole = _bound(element, module, _WHOLE_MESSAGE)
        if isinstance(whole, EvidenceLine):
            yield whole
            continue
        word = _text(whole.grp_sts)
        if not groups:
            yield _status_line(whole, word, whole.orgnl_msg_id, raw)
    for group in groups:
        yield from _group_lines(group, module, word)


def _group_lines(element: etree._Element, module: Any, word: str) -> Iterator[EvidenceLine]:
    raw = _raw(element)
    transactions = list(_children(element, "TxInfAndSts"))
    for one in transactions:
        element.remove(one)
    group = _bound(element, module, _GROUP)
    if isinstance(group, EvidenceLine):
        yield group
    else:
        word = _text(group.pmt_inf_sts) or word
        if not transactions:
            yield _status_line(group, word, group.orgnl_pmt_inf_id, raw)
    for one in transactions:
        raw = _raw(one)
        transaction = _bound(one, module, _TRANSACTION)
        yield (
            transaction
            if isinstance(transaction, EvidenceLine)
            else _transaction_line(transaction, _text(transaction.tx_sts) or word, raw)
        )


def _status_line(group: Any, word: str, reference: str | None, raw: str) -> EvidenceLine:
    """Of all payments of a message at once, which are not named."""
    code, reason = _reason((group.sts_rsn_inf or [None])[0])
    status = STATUS.get(word, EvidenceStatus.WAITING)
    return _line(
        raw,
        status,
        None,
        reference=reference or "",
        remote_status=word,
        reason_code=code,
        reason=reason,
    )


def _transaction_line(transaction: Any, word: str, raw: str) -> EvidenceLine:
    original = transaction.orgnl_tx_ref
    code, reason = _reason((transaction.sts_rsn_inf or [None])[0])
    return _line(
        raw,
        STATUS.get(word, EvidenceStatus.WAITING),
        _get(_get(original, "amt"), "instd_amt") or _get(original, "intr_bk_sttlm_amt"),
        reference=_reference(transaction.orgnl_end_to_end_id, transaction.orgnl_instr_id),
        remote_reference=(transaction.acct_svcr_ref or "").strip(),
        remote_status=word,
        happened_on=_date(_get(original, "intr_bk_sttlm_dt") or transaction.accptnc_dt_tm),
        reason_code=code,
        reason=reason,
        **_payee(original),
    )


# both


def _line(raw: str, status: EvidenceStatus, amount: Any, **values: Any) -> EvidenceLine:
    number = _get(amount, "value")
    fits = number is None or (number.is_finite() and 0 <= number < _MAX and number == round(number, _DIGITS))
    return EvidenceLine(
        number=0,
        raw=raw,
        status=status if fits else None,
        amount=number if fits else None,
        currency=_get(amount, "ccy") or "",
        failure_type=failure_type(status, values["reason_code"]) if fits else None,
        problem=None if fits else Problem.AMOUNT,
        problem_detail="" if fits else str(number)[:100],
        **values,
    )


def _get(value: Any, name: str) -> Any:
    """None where the record, or this version of its schema, has none."""
    return getattr(value, name, None)


def _text(value: Any) -> str:
    return str(value.value if isinstance(value, Enum) else value or "").strip()


def _reference(*candidates: str | None) -> str:
    texts = ((one or "").strip() for one in candidates)
    return next((one for one in texts if one.upper() not in _NO_REFERENCE), "")


def _reason(information: Any) -> tuple[str, str]:
    """(code, text)"""
    reason = _get(information, "rsn")
    texts = _get(information, "addtl_inf") or []
    code = _text(_get(reason, "cd") or _get(reason, "prtry"))
    return code, " ".join([texts] if isinstance(texts, str) else texts)[:500]


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
