"""Authorities and server certificates, made for one run of the tests."""

import datetime
import ipaddress
import ssl
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)
HOSTS = (x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1")))


def self_signed(key):
    """PEM of a certificate for a key of any kind."""
    return Authority("Self", key).pem


class Authority:
    """`pem` is what a client would trust."""

    def __init__(self, name="An authority", key=None):
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = key or ec.generate_private_key(ec.SECP256R1())
        certificate = self._certificate(self._name, self._key.public_key(), authority=True)
        self.pem = certificate.public_bytes(Encoding.PEM).decode()

    def server(self, hosts=HOSTS, days=30, clients=None):
        """A TLS context for a server; expired when `days` is negative. With `clients`, an authority, it only
        talks to those who have a certificate of that."""
        certificate, key = self.pair("A server", hosts, days)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "server.pem"
            path.write_text(certificate + key)
            context.load_cert_chain(path)
        if clients:
            context.load_verify_locations(cadata=clients.pem)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def pair(self, name, hosts=(), days=30, lock=None):
        """PEM of a certificate and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._certificate(subject, key.public_key(), hosts=hosts, days=days)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock or NoEncryption())
        return certificate.public_bytes(Encoding.PEM).decode(), private.decode()

    def _certificate(self, name, public_key, authority=False, hosts=(), days=3650):
        now = datetime.datetime.now(datetime.timezone.utc)
        issuer = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 60 * DAY)
            .not_valid_after(now + days * DAY)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), critical=False
            )
        )
        if authority:
            builder = builder.add_extension(_signs_certificates(), critical=True)
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _signs_certificates():
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
