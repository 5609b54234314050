"""Says where a record of an XML message differs from the classes of its schema.

The binding library stops with an error of its own, which names neither line nor element. People need both.
"""

import dataclasses
import types
import typing
from collections.abc import Iterator
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, NamedTuple

from lxml import etree
from xsdata.formats.converter import converter
from xsdata.models.datatype import XmlDate, XmlDateTime

from .lines import Expected, Fault, FaultKind

_MAX_VALUE, _MAX_WORDS = 60, 8
_EXPECTED = {
    Decimal: Expected.NUMBER,
    int: Expected.NUMBER,
    bool: Expected.YES_NO,
    XmlDate: Expected.DATE,
    XmlDateTime: Expected.MOMENT,
}


class _Field(NamedTuple):
    kind: type
    required: bool
    many: bool


class _Shape(NamedTuple):
    """`text` is the type of what stands in the element itself; None where only elements may stand."""

    children: dict[str, _Field]
    attributes: dict[str, _Field]
    text: type | None
    open: bool  # anything may stand there


def find_fault(element: etree._Element, kind: type) -> Fault | None:
    """Return the first difference between `element` and the class `kind`, or None."""
    return _content(element, _shape(kind)) if dataclasses.is_dataclass(kind) else _value(element, kind)


def find_loose_text(element: etree._Element, kind: type) -> Fault | None:
    """Return the first text that stands between elements: the binding library drops it without a word."""
    if not dataclasses.is_dataclass(kind):
        return None
    shape = _shape(kind)
    if shape.open:
        return None
    texts = [] if shape.text else [element.text]
    for text in (*texts, *(child.tail for child in element)):
        if (text or "").strip():
            return _fault(FaultKind.TEXT, element, value=text)
    for child in element:
        field = shape.children.get(name_of(child))
        fault = field and find_loose_text(child, field.kind)
        if fault:
            return fault
    return None


def find_strange_children(element: etree._Element, kind: type) -> Iterator[tuple[etree._Element, Fault]]:
    """Yield what stands directly in `element` and is unknown to its class, each with its fault."""
    shape = _shape(kind)
    namespace = etree.QName(element).namespace
    for child in element.iterchildren(etree.Element):
        if name_of(child) not in shape.children or etree.QName(child).namespace != namespace:
            yield child, _fault(FaultKind.UNKNOWN, child, words=", ".join(shape.children))


def misplaced(element: etree._Element) -> Fault:
    """Return the fault of an element that stands where it does not belong."""
    return _fault(FaultKind.UNKNOWN, element)


def name_of(element: etree._Element) -> str:
    return etree.QName(element).localname


def _content(element: etree._Element, shape: _Shape) -> Fault | None:
    if shape.open:
        return None
    return _children(element, shape) or _missing(element, shape) or _attributes(element, shape)


def _children(element: etree._Element, shape: _Shape) -> Fault | None:
    seen = set()
    namespace = etree.QName(element).namespace
    for child in element:
        name = name_of(child)
        field = shape.children.get(name)
        if field is None or etree.QName(child).namespace != namespace:
            return _fault(FaultKind.UNKNOWN, child, words=", ".join(shape.children))
        if name in seen and not field.many:
            return _fault(FaultKind.REPEATED, child)
        seen.add(name)
        fault = find_fault(child, field.kind)
        if fault:
            return fault
    return _value(element, shape.text) if shape.text else None


def _missing(element: etree._Element, shape: _Shape) -> Fault | None:
    present = {name_of(child) for child in element}
    for name, field in shape.children.items():
        if field.required and name not in present:
            return _fault(FaultKind.MISSING, element, element=name, parent=name_of(element))
    return None


def _attributes(element: etree._Element, shape: _Shape) -> Fault | None:
    for name, field in shape.attributes.items():
        if field.required and not element.get(name):
            return _fault(FaultKind.MISSING, element, element=name, parent=name_of(element))
    return None


def _value(element: etree._Element, kind: type) -> Fault | None:
    if len(element):
        return _fault(FaultKind.UNKNOWN, element[0])
    text = element.text or ""
    if _converts(text, kind):
        return None
    words = [str(member.value) for member in kind] if issubclass(kind, Enum) else []
    expected = Expected.WORD if words else _EXPECTED.get(kind, Expected.OTHER)
    words = ", ".join(words) if len(words) <= _MAX_WORDS else ", ".join([*words[:_MAX_WORDS], "…"])
    return _fault(FaultKind.VALUE, element, value=text, expected=expected, words=words)


def _converts(text: str, kind: type) -> bool:
    try:
        converter.deserialize(text, [kind])
    except (ValueError, ArithmeticError):  # ConverterError is a ValueError
        return False
    return True


def _fault(kind: FaultKind, where: etree._Element, **values: Any) -> Fault:
    above = where.getparent()
    values = {
        "element": name_of(where),
        "parent": "" if above is None else name_of(above),
        **values,
        "value": " ".join(values.get("value", "").split())[:_MAX_VALUE],
        "words": values.get("words", "")[:200],
    }
    return Fault(kind=kind, line=where.sourceline or 0, **values)


@lru_cache(maxsize=2000)
def _shape(kind: type) -> _Shape:
    hints = typing.get_type_hints(kind)
    children, attributes, text, is_open = {}, {}, None, False
    for field in dataclasses.fields(kind):
        found = _field(hints[field.name], bool(field.metadata.get("required")))
        place = field.metadata.get("type")
        name = field.metadata.get("name") or field.name
        if place == "Element":
            children[name] = found
        elif place == "Attribute":
            attributes[name] = found
        elif place == "Wildcard":
            is_open = True
        else:
            text = found.kind
    return _Shape(children, attributes, text, is_open)


def _field(hint: Any, required: bool) -> _Field:
    many = typing.get_origin(hint) is list
    while typing.get_origin(hint) in (list, types.UnionType, typing.Union):
        hint = next(kind for kind in typing.get_args(hint) if kind is not type(None))
    return _Field(hint, required, many)
