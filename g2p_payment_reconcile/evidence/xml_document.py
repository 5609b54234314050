"""Opens an XML file of a bank and finds the message of ISO 20022 in it."""

import re
from typing import NamedTuple

from lxml import etree

from .faults import name_of
from .lines import EvidenceError, Problem

CAMT_052, CAMT_053, CAMT_054, PAIN_002 = "camt_052", "camt_053", "camt_054", "pain_002"
VERSIONS = {
    CAMT_052: range(2, 13),
    CAMT_053: range(2, 13),
    CAMT_054: range(2, 13),
    PAIN_002: range(3, 15),
}
# The element below Document, by which a message is known that has no namespace.
BODY = {
    CAMT_052: "BkToCstmrAcctRpt",
    CAMT_053: "BkToCstmrStmt",
    CAMT_054: "BkToCstmrDbtCdtNtfctn",
    PAIN_002: "CstmrPmtStsRpt",
}
_ISO = "urn:iso:std:iso:20022:tech:xsd:"
_NAMESPACE = re.compile(rf"{_ISO}(camt|pain)\.(052|053|054|002)\.001\.([0-9]{{2}})")
_NAMED = re.compile(r"\b((?:camt|pain)\.[0-9]{3}\.001\.[0-9]{2})\b")
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_DECLARATION = re.compile(rb"<\?xml\s[^>]{0,200}\?>")
_ENCODING = re.compile(r"""\sencoding\s*=\s*["'][^"']*["']""")
# Messages that are about payments and are not their result: what to ask the bank for stands in the sentence.
_OTHERS = {
    "camt.029": Problem.CANCELLATION,
    "camt.055": Problem.CANCELLATION,
    "camt.056": Problem.CANCELLATION,
    "pain.001": Problem.ORDER,
    "pain.007": Problem.ORDER,
    "pain.008": Problem.ORDER,
}


class Document(NamedTuple):
    """One message, or several of one kind and version that stand in one envelope; `kind` is in VERSIONS."""

    kind: str
    version: int
    roots: list[etree._Element]


def open_document(content: bytes) -> Document:
    """Raise EvidenceError when no message can be found that is read."""
    root = _root(_plain(content))
    roots = [root] if name_of(root) == "Document" else _documents(root)
    for message in roots:
        if not etree.QName(message).namespace:
            _give_namespace(message, root)
    namespaces = {etree.QName(message).namespace for message in roots}
    if len(namespaces) > 1:
        raise EvidenceError(Problem.SEVERAL, roots[1].sourceline or 1)
    namespace = namespaces.pop()
    match = _NAMESPACE.fullmatch(namespace or "")
    kind = f"{match[1]}_{match[2]}" if match else ""
    if match is None or int(match[3]) not in VERSIONS[kind]:
        raise _other(namespace or name_of(root))
    return Document(kind, int(match[3]), roots)


def _documents(envelope: etree._Element) -> list[etree._Element]:
    """Return the messages in an envelope such as BizMsgEnvlp, or `envelope` when it holds none."""
    found = [element for element in envelope.iter(etree.Element) if name_of(element) == "Document"]
    outer = [element for element in found if not any(above in found for above in element.iterancestors())]
    return outer or [envelope]


def strip_types(element: etree._Element) -> None:
    """Take out xsi:type and its kin, which say nothing that the schema does not say."""
    for part in element.iter(etree.Element):
        for name in [name for name in part.attrib if name.startswith(_XSI)]:
            del part.attrib[name]


def _plain(content: bytes) -> bytes:
    """Take away what stands around the document, in which XML allows nothing: blank lines before the
    declaration, a mark of the byte order, NULs and control-Z at the end. Lines keep their numbers."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = content.decode("utf-16", errors="replace")
        content = _ENCODING.sub("", text[:200]).encode() + text[200:].encode()
    content = content.removeprefix(b"\xef\xbb\xbf").rstrip(b"\0\x1a \t\r\n")
    document = content.lstrip(b"\0 \t\r\n").removeprefix(b"\xef\xbb\xbf").lstrip(b"\0 \t\r\n")
    before = content[: len(content) - len(document)].count(b"\n")
    declaration = _DECLARATION.match(document)
    if not before or not declaration:
        return b"\n" * before + document
    return declaration[0] + b"\n" * before + document[declaration.end() :]


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
    except (ValueError, LookupError) as error:
        raise EvidenceError(Problem.NOT_XML) from error
    if root.getroottree().docinfo.doctype:
        raise EvidenceError(Problem.DOCTYPE, 1)
    return root


def _give_namespace(message: etree._Element, root: etree._Element) -> None:
    """Read a message without a namespace as the version that its envelope or its schema's place names."""
    bodies = {body: kind for kind, body in BODY.items()}
    kind = next((bodies[name_of(child)] for child in message if name_of(child) in bodies), None)
    if kind is None:
        return
    named = set(_NAMED.findall(" ".join(_hints(message, root))))
    named = {name for name in named if name[:8] == kind.replace("_", ".")}
    if len(named) != 1:
        raise EvidenceError(Problem.NO_VERSION, message.sourceline or 1, kind.replace("_", "."))
    namespace = _ISO + named.pop()
    for element in message.iter(etree.Element):
        if not etree.QName(element).namespace:
            element.tag = f"{{{namespace}}}{element.tag}"


def _hints(message: etree._Element, root: etree._Element) -> list[str]:
    places = [value for part in (root, message) for name, value in part.attrib.items() if "ocation" in name]
    header = [element.text or "" for element in root.iter(etree.Element) if name_of(element) == "MsgDefIdr"]
    return [*places, *header]


def _other(namespace: str) -> EvidenceError:
    named = re.search(r"(?:camt|pain|pacs)\.[0-9]{3}", namespace)
    iso = namespace.startswith(_ISO) and named is not None
    problem = _OTHERS.get(named[0], Problem.MESSAGE) if iso else Problem.MESSAGE
    return EvidenceError(problem, 1, namespace[-60:])
