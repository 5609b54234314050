"""The X-SIGNATURE header of Payment Hub EE (ph-ee-connector-common 1.8.1, `JWSUtil`, `SecurityUtil`).

Despite its name no JWS: the SHA3-256 of the data, as hexadecimal text, goes through the RSA private
key operation with PKCS#1 v1.5 type 1 padding and without the DigestInfo that every signature library
adds. `cryptography` offers that only from releases newer than Odoo 17 works with, so the padding and
the key operation are written out here; keys are still read, and checked, by the library.
"""

import base64
import binascii
import hashlib
import hmac
import re

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

HEADER = "X-SIGNATURE"
MINIMUM_KEY_BITS = 2048
_LINE_END = re.compile(r"\r\n|\n|\r")
_TRIMMED = "".join(map(chr, range(0x21)))  # by Java's `String.trim`


def normalised(content: str) -> str:
    """The text that the hub sees after its own multipart reader: LF, up to the first empty line, trimmed."""
    lines = _LINE_END.split(content)
    return "\n".join(lines[: lines.index("")] if "" in lines else lines).strip(_TRIMMED)


def signed_data(correlation_id: str, tenant: str, payload: str = "") -> str:
    """What is signed: present identifiers and the payload, joined by colons."""
    return ":".join(part for part in (correlation_id, tenant, payload) if part)


def load_private_key(text: str) -> rsa.RSAPrivateKey:
    """PEM, or the base64 PKCS#8 DER that the hub's own configuration uses. ValueError otherwise."""
    text = text.strip()
    try:
        if text.startswith("-----"):
            key = load_pem_private_key(text.encode(), password=None)
        else:
            key = load_der_private_key(_der(text), password=None)
    except TypeError as error:
        raise ValueError("the key is locked with a password") from error
    except UnsupportedAlgorithm as error:
        raise ValueError("not an RSA key") from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("not an RSA key")
    if key.key_size < MINIMUM_KEY_BITS:
        raise ValueError(f"an RSA key of at least {MINIMUM_KEY_BITS} bits is needed")
    return key


def load_certificate(text: str) -> x509.Certificate:
    """PEM, or base64 X.509 DER as in the hub's configuration. ValueError otherwise."""
    text = text.strip()
    if text.startswith("-----"):
        certificate = x509.load_pem_x509_certificate(text.encode())
    else:
        certificate = x509.load_der_x509_certificate(_der(text))
    if not isinstance(certificate.public_key(), rsa.RSAPublicKey):
        raise ValueError("not a certificate of an RSA key")
    return certificate


def _der(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error as error:
        raise ValueError("neither PEM nor base64") from error


def sign(data: str, key: rsa.RSAPrivateKey) -> str:
    """The header's value for `data`."""
    numbers = key.private_numbers()
    modulus = numbers.public_numbers.n
    block = int.from_bytes(_padded(_hash(data), _octets(modulus)), "big")
    signature = pow(block, numbers.d, modulus)
    return base64.b64encode(signature.to_bytes(_octets(modulus), "big")).decode()


def verifies(data: str, signature: str, certificate: x509.Certificate) -> bool:
    """Whether `signature` is over `data` and made with the key of `certificate`; dates are not looked at,
    because the hub itself does not."""
    numbers = certificate.public_key().public_numbers()
    try:
        received = int.from_bytes(base64.b64decode(signature, validate=True), "big")
    except ValueError:  # not base64, or not even ASCII
        return False
    if received >= numbers.n:
        return False
    block = pow(received, numbers.e, numbers.n).to_bytes(_octets(numbers.n), "big")
    return hmac.compare_digest(block, _padded(_hash(data), _octets(numbers.n)))


def _hash(data: str) -> bytes:
    return hashlib.sha3_256(data.encode()).hexdigest().encode("ascii")


def _padded(message: bytes, size: int) -> bytes:
    return b"\x00\x01" + b"\xff" * (size - len(message) - 3) + b"\x00" + message


def _octets(modulus: int) -> int:
    return (modulus.bit_length() + 7) // 8
