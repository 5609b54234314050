"""X-SIGNATURE as ph-ee-connector-common 1.8.1 makes and checks it (JWSUtil, SecurityUtil).

Not a JWS: the RSA private-key operation, PKCS#1 v1.5 block type 1, over the 64 hexadecimal characters of a
SHA3-256, with no DigestInfo in between. Written on plain integers on purpose, so that it shares nothing
with a client that leaves this to a library.
"""

import base64
import binascii
import hashlib

SIGNED_HEADERS = ("X-BatchID", "X-CorrelationID", "Platform-TenantId")


class ForeignSignature(Exception):
    """Missing, not base64, or not made with the private half of our key."""


class OtherData(Exception):
    """Made with the right key, over something else."""


def signed_text(headers, payload):
    """What is hashed: the three headers that are present, each with a colon, then the payload.

    `headers` is any mapping with case-insensitive get; an absent payload takes the last colon with it.
    """
    values = [headers.get(name) for name in SIGNED_HEADERS]
    parts = [value for value in values if value is not None]
    return ":".join(parts + [payload] if payload else parts)


def fingerprint(text):
    return hashlib.sha3_256(text.encode()).hexdigest().encode()


def sign(private_numbers, text):
    """Base64 signature of `text`; `private_numbers` is an RSAPrivateNumbers."""
    modulus = private_numbers.public_numbers.n
    size = (modulus.bit_length() + 7) // 8
    message = fingerprint(text)
    padding = b"\xff" * (size - len(message) - 3)
    block = int.from_bytes(b"\x00\x01" + padding + b"\x00" + message, "big")
    return base64.b64encode(_private_power(private_numbers, block).to_bytes(size, "big")).decode()


def verify(public_numbers, signature, text):
    """Raise ForeignSignature or OtherData unless `signature` is that of `text`."""
    if _recover(public_numbers, signature) != fingerprint(text):
        raise OtherData()


def _private_power(numbers, block):
    """block ** d mod n, by the Chinese remainder theorem (four times quicker than pow with d)."""
    left = pow(block % numbers.p, numbers.dmp1, numbers.p)
    right = pow(block % numbers.q, numbers.dmq1, numbers.q)
    return right + (left - right) * numbers.iqmp % numbers.p * numbers.q


def _recover(public_numbers, signature):
    try:
        raw = base64.b64decode(signature or "", validate=True)
    except (binascii.Error, ValueError):
        raise ForeignSignature() from None
    size = (public_numbers.n.bit_length() + 7) // 8
    number = int.from_bytes(raw, "big")
    if len(raw) != size or number >= public_numbers.n:
        raise ForeignSignature()
    block = pow(number, public_numbers.e, public_numbers.n).to_bytes(size, "big")
    head, separator, message = block[2:].partition(b"\x00")
    if block[:2] != b"\x00\x01" or not separator or len(head) < 8 or head.strip(b"\xff"):
        raise ForeignSignature()
    return message
