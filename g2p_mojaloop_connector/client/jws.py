"""Signatures of the scheme (FSPIOP 1.1, "Signature"; JwsSigner and JwsValidator of @mojaloop/
sdk-standard-components): who sent this, to whom, for which address, and with what.

Not the body as it travels is signed but the body as JavaScript would write it: validators parse it first and
write it anew. A GET has no body and is not signed.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from . import base64url

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
SIGNATURE, URI, METHOD = "FSPIOP-Signature", "FSPIOP-URI", "FSPIOP-HTTP-Method"
SOURCE, DESTINATION, DATE = "FSPIOP-Source", "FSPIOP-Destination", "Date"
_LIKE_AN_INDEX = re.compile(r"0|[1-9][0-9]*")
_EXACT = 2**53 - 1  # beyond, JavaScript rounds


class Forged(Exception):
    """Not signed, or signed for something else or by somebody else. Says which, without any content."""


class Signed(NamedTuple):
    """What a signature is good for. `content` is the same for every signature of the same; `at` is the Date
    in it, None when the sender left it out."""

    content: bytes
    at: datetime | None


def canonical(body: Any) -> str:
    """JSON.stringify of a parsed body. ValueError when JavaScript would write something else than Python."""
    _check(body)
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    text.encode()  # halves of a character: JavaScript escapes them
    return text


def _check(value: Any) -> None:
    if isinstance(value, dict):
        if any(not isinstance(name, str) or _LIKE_AN_INDEX.fullmatch(name) for name in value):
            raise ValueError("names that look like numbers change places in JavaScript")
        for one in value.values():
            _check(one)
    elif isinstance(value, list):
        for one in value:
            _check(one)
    elif isinstance(value, float) or (isinstance(value, int) and abs(value) > _EXACT):
        raise ValueError("a number that JavaScript writes in another way; use text")


def sign(
    method: str, uri: str, headers: Mapping[str, str], body: Any, key: rsa.RSAPrivateKey
) -> dict[str, str]:
    """The three headers to add to a request. `uri` starts at the resource, for example /transfers/..., and
    has no query; `headers` are those of the request, FSPIOP-Source among them; `body` is what is to be sent.

    ValueError as `canonical`, and when the request does not say who sends it.
    """
    given = _lower(headers)
    protected = {"alg": "RS256", URI: uri, METHOD: method.upper(), SOURCE: given.get(SOURCE.lower(), "")}
    if not uri.startswith("/") or not protected[SOURCE]:
        raise ValueError("a signature needs an address from / on, and FSPIOP-Source")
    for name in (DESTINATION, DATE):
        if name.lower() in given:
            protected[name] = given[name.lower()]
    first = _encoded(canonical(protected))
    signature = key.sign(_signed(first, canonical(body)), padding.PKCS1v15(), hashes.SHA256())
    header = {"signature": base64url.encode(signature), "protectedHeader": first}
    return {URI: uri, METHOD: method.upper(), SIGNATURE: json.dumps(header, separators=(",", ":"))}


def verify(method: str, target: str, headers: Mapping[str, str], body: bytes, key: PublicKey) -> Signed:
    """Raises Forged unless the request is exactly what the owner of `key` signed.

    `method` and `target` are how the request really came. A callback of the Testing Toolkit leaves out Date.
    """
    given = _lower(headers)
    header = _object(given.get(SIGNATURE.lower(), ""), "no signature")
    first, signature = header.get("protectedHeader"), header.get("signature")
    if not isinstance(first, str) or not isinstance(signature, str):
        raise Forged("no signature")
    protected = _object(_decoded(first).decode("utf-8", "replace"), "no protected header")
    content = _signed(first, _rewritten(body))
    _check_signature(protected.get("alg"), content, _decoded(signature), key)
    _check_protected(protected, given)
    if protected[METHOD] != method.upper() or not target.partition("?")[0].endswith(protected[URI]):
        raise Forged("signed for another address")
    return Signed(content, _moment(protected.get(DATE)))


def _rewritten(body: bytes) -> str:
    try:
        return canonical(json.loads(body))
    except (ValueError, RecursionError) as error:
        raise Forged("a body that cannot have been signed") from error


def _check_signature(algorithm: Any, signed: bytes, signature: bytes, key: PublicKey) -> None:
    try:
        if algorithm == "RS256" and isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        elif algorithm == "ES256" and isinstance(key, ec.EllipticCurvePublicKey) and len(signature) == 64:
            numbers = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
            key.verify(encode_dss_signature(*numbers), signed, ec.ECDSA(hashes.SHA256()))
        else:
            raise Forged("signed in a way that is not accepted")
    except InvalidSignature as error:
        raise Forged("the signature does not fit") from error


def _check_protected(protected: Mapping[str, Any], given: Mapping[str, str]) -> None:
    """Each member must be the header itself, and the obligatory ones must be there."""
    obligatory = {URI, METHOD, SOURCE}
    if DESTINATION.lower() in given:
        obligatory.add(DESTINATION)
    for name in (URI, METHOD, SOURCE, DESTINATION, DATE):
        if name not in protected and name not in obligatory:
            continue
        if not protected.get(name) or protected[name] != given.get(name.lower()):
            raise Forged(f"{name} is not as signed")


def _moment(date: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(date) if date else None
    except ValueError as error:
        raise Forged("Date is no date") from error
    if moment and not moment.tzinfo:
        raise Forged("Date has no time zone")
    return moment


def _signed(protected: str, body: str) -> bytes:
    return f"{protected}.{_encoded(body)}".encode()


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _object(text: str, otherwise: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Forged(otherwise) from error
    if not isinstance(value, dict):
        raise Forged(otherwise)
    return value


def _encoded(text: str) -> str:
    return base64url.encode(text.encode())


def _decoded(text: str) -> bytes:
    try:
        return base64url.decode(text)
    except ValueError as error:
        raise Forged("no base64url") from error
