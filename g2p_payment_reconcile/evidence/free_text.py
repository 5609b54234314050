"""What a record of a bank message says beside its own fields: read by name, so that it is known also of one
that does not fit its schema. Plain Python."""

from lxml import etree

from .lines import MAX_RAW
from .references import counts, is_filler

_MAX_NAME = 200
# Where banks put a reference that has no place of its own: the names of the references, then free text.
_TEXTS = (
    "EndToEndId OrgnlEndToEndId InstrId OrgnlInstrId TxId OrgnlTxId AcctSvcrRef ClrSysRef Ref RmtId Nb "
    "Ustrd AddtlRmtInf AddtlTxInf AddtlNtryInf AddtlInf"
).split()
# Names that other things have as well: only within these.
_HOLDERS = {"Ref": ("CdtrRefInf", "Prtry"), "Nb": ("RfrdDocInf",)}
_STATEMENTS = ("Stmt", "Ntfctn", "Rpt")


def free_text(element: etree._Element) -> str:
    """Return the references and the free text of an entry or a transaction, each once, in their order."""
    found: dict[str, None] = {}
    for child in element.iter(etree.Element):
        name = etree.QName(child).localname
        if name in _TEXTS and child.text and child.text.strip() and _is_held(child, name):
            found[child.text.strip()] = None
    return " ".join(found)[:MAX_RAW]


def _is_held(child: etree._Element, name: str) -> bool:
    parent = child.getparent()
    holders = _HOLDERS.get(name)
    return not holders or (parent is not None and etree.QName(parent).localname in holders)


def statement_name(element: etree._Element) -> str:
    """Return what tells the statement of an entry from the account's others, with the moment when the bank
    made it: "" where the bank has no name for it but a running number."""
    statement = next((above for above in element.iterancestors() if _name(above) in _STATEMENTS), None)
    if statement is None:
        return ""
    own = _child_text(statement, "Id")
    if is_filler(own) or counts(own):
        return ""
    account = " ".join(
        (child.text or "").strip()
        for head in statement.iterchildren()
        if _name(head) == "Acct"
        for child in head.iter(etree.Element)
        if _name(child) in ("IBAN", "Id")
    )
    numbers = [_child_text(statement, name) for name in ("ElctrncSeqNb", "LglSeqNb", "CreDtTm")]
    return "|".join([" ".join(account.split()), own, *numbers])[:_MAX_NAME]


def _child_text(element: etree._Element, name: str) -> str:
    return next(((child.text or "").strip() for child in element.iterchildren() if _name(child) == name), "")


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""
