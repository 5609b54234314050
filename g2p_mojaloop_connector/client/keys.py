"""Keys, requests for certificates, and what a certificate says."""

import re
from collections.abc import Collection
from datetime import datetime, timezone
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pydantic import BaseModel, ConfigDict

TLS_BITS = 4096  # the Connection Manager refuses a request with a shorter key
JWS_BITS = 2048
_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


class Chain(NamedTuple):
    """A server's certificate, the certificates between it and its authority, and that of the authority, if it
    is there: PEM, or ""."""

    own: str
    between: str
    root: str


class CertificateFacts(BaseModel):
    """`not_before` and `not_after` are UTC; `subject` and `issuer` are texts as in RFC 4514."""

    model_config = ConfigDict(frozen=True)

    subject: str
    issuer: str
    serial: str
    not_before: datetime
    not_after: datetime


def new_key(bits: int = TLS_BITS) -> str:
    """PEM (PKCS#8) of a new RSA key: a secret."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def load_key(pem: str) -> rsa.RSAPrivateKey:
    """ValueError when it is not an RSA key, or is locked or too short."""
    try:
        key = load_pem_private_key(pem.strip().encode(), password=None)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError("the key is locked with a password, or of another kind") from error
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < JWS_BITS:
        raise ValueError(f"an RSA key of at least {JWS_BITS} bits is needed")
    return key


def public_key(key_pem: str) -> str:
    """PEM of the public half."""
    public = load_key(key_pem).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def load_public_key(pem: str) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey:
    """Of a public key or of a certificate, as schemes give out either. ValueError on anything else, and when
    there is a private key as well: it would be kept, and shown, where the public one is."""
    if "PRIVATE KEY" in pem:
        raise ValueError("the public half only is needed")
    try:
        if "CERTIFICATE" in pem.strip().partition("\n")[0]:
            key = _certificate(pem).public_key()
        else:
            key = load_pem_public_key(pem.strip().encode())
    except UnsupportedAlgorithm as error:
        raise ValueError("neither an RSA nor an elliptic curve key") from error
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise ValueError("neither an RSA nor an elliptic curve key")
    return key


def public_pem(pem: str) -> str:
    """A public key, or that of a certificate, as PEM of a public key. ValueError as `load_public_key`."""
    return load_public_key(pem).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def request(key_pem: str, common_name: str, organization: str = "", hosts: Collection[str] = ()) -> str:
    """PEM of a request for a client certificate (PKCS#10, SHA-256)."""
    names = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organization:
        names.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    builder = builder.add_extension(usage, critical=False)
    if hosts:
        alternatives = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
        builder = builder.add_extension(alternatives, critical=False)
    return builder.sign(load_key(key_pem), hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def facts(certificate_pem: str) -> CertificateFacts:
    """Of the first certificate in the text. ValueError when there is none."""
    certificate = _certificate(certificate_pem)
    return CertificateFacts(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        serial=format(certificate.serial_number, "x"),
        not_before=_utc(certificate, "not_valid_before"),
        not_after=_utc(certificate, "not_valid_after"),
    )


def chain(text: str) -> Chain:
    """Of a text that begins with a server's own certificate. ValueError when it does not, and when it has a
    private key as well."""
    found = _CERTIFICATE.findall(text)
    if not found or "PRIVATE KEY" in text:
        raise ValueError("certificates only are needed, the server's own first")
    *between, last = map(facts, found)
    ends = bool(between) and last.subject == last.issuer
    return Chain(found[0], "\n".join(found[1:-1] if ends else found[1:]), found[-1] if ends else "")


def first_end(text: str) -> datetime | None:
    """When the first of the certificates in a text ends; None when there is none. ValueError when one of them
    is not a certificate."""
    return min((facts(pem).not_after for pem in _CERTIFICATE.findall(text)), default=None)


def _certificate(pem: str) -> x509.Certificate:
    """Of the first certificate in the text. ValueError when there is none that can be read."""
    try:
        return x509.load_pem_x509_certificate(pem.strip().encode())
    except (x509.InvalidVersion, UnsupportedAlgorithm) as error:
        raise ValueError("a certificate of an unknown kind") from error


def _utc(certificate: x509.Certificate, name: str) -> datetime:
    """Newer releases of `cryptography` have members with a time zone; Odoo 17 works with older ones."""
    aware = getattr(certificate, f"{name}_utc", None)
    return aware or getattr(certificate, name).replace(tzinfo=timezone.utc)


def is_pair(certificate_pem: str, key_pem: str) -> bool:
    """Whether the certificate is for this key. ValueError when one of them is none."""
    ours = load_key(key_pem).public_key()
    theirs = load_public_key(certificate_pem)
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return theirs.public_bytes(*form) == ours.public_bytes(*form)
