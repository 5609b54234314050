"""Keys, requests and certificates, read by OpenSSL's rules and not by ours."""

from datetime import datetime, timedelta, timezone

import pytest
from certificates import Authority, self_signed
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from odoo.addons.g2p_mojaloop_connector.client import keys

KEY = keys.new_key(2048)


def private_pem(key, lock=None):
    lock = lock or NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock).decode()


def test_new_keys_are_long_enough_for_the_connection_manager():
    assert load_pem_private_key(keys.new_key().encode(), None).key_size == 4096


def test_request_for_a_certificate():
    made = x509.load_pem_x509_csr(keys.request(KEY, "userdfsp", "Ministry", ["pay.example"]).encode())
    assert made.is_signature_valid
    assert isinstance(made.signature_hash_algorithm, hashes.SHA256)
    assert made.subject.rfc4514_string() == "O=Ministry,CN=userdfsp"
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["pay.example"]
    usage = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert made.public_key() == keys.load_public_key(keys.public_key(KEY))


def test_facts_of_a_certificate():
    found = keys.facts(Authority("An authority").pem)
    assert (found.subject, found.issuer) == ("CN=An authority", "CN=An authority")
    assert found.not_after.tzinfo is timezone.utc
    assert timedelta(days=3640) < found.not_after - datetime.now(timezone.utc) < timedelta(days=3660)
    assert found.not_before < datetime.now(timezone.utc)


def test_a_certificate_and_its_key():
    key = keys.load_key(KEY)
    now = datetime.now(timezone.utc)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "userdfsp")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    pem = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()
    assert keys.is_pair(pem, KEY)
    assert not keys.is_pair(pem, keys.new_key(2048))


@pytest.mark.parametrize(
    "pem",
    [
        "",
        "key",
        keys.public_key(KEY),
        private_pem(ec.generate_private_key(ec.SECP256R1())),
        private_pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)),
        private_pem(keys.load_key(KEY), BestAvailableEncryption(b"secret")),
    ],
)
def test_no_key(pem):
    with pytest.raises(ValueError):
        keys.load_key(pem)


def test_public_keys_of_other_institutions():
    """Some publish the key, some a certificate of it."""
    assert isinstance(keys.load_public_key(keys.public_key(KEY)), rsa.RSAPublicKey)
    assert isinstance(keys.load_public_key(Authority().pem), ec.EllipticCurvePublicKey)
    for pem in ("", "key", KEY, keys.public_key(KEY) + KEY):
        with pytest.raises(ValueError):
            keys.load_public_key(pem)


def test_the_first_end_of_several_certificates():
    long, short = Authority("Long").pair("a", days=300)[0], Authority("Short").pair("b", days=3)[0]
    assert keys.first_end(f"# comment\n{long}\n{short}") == keys.facts(short).not_after
    assert keys.first_end(keys.public_key(KEY)) is None
    with pytest.raises(ValueError):
        keys.first_end("-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----")


def test_the_public_key_of_a_certificate():
    public = keys.public_key(KEY)
    certificate = self_signed(keys.load_key(KEY))
    assert keys.public_pem(certificate) == keys.public_pem(public) == public


class TestChain:
    ROOT = Authority("Root").pem
    OWN = Authority("Root").pair("A server")[0]
    BETWEEN = Authority("Root").pair("Between")[0]

    @pytest.mark.parametrize(
        ("between", "root"), [("", ""), ("", ROOT), (BETWEEN, ""), (BETWEEN, ROOT), (BETWEEN * 2, ROOT)]
    )
    def test_is_taken_apart(self, between, root):
        found = keys.chain(f"the server's\n{self.OWN}{between}{root}")
        assert found == (self.OWN.strip(), between.strip(), root.strip())

    def test_signed_by_itself(self):
        assert keys.chain(self.ROOT) == (self.ROOT.strip(), "", "")

    @pytest.mark.parametrize("text", ["", "PEM", KEY, OWN + KEY, keys.public_key(KEY), OWN[:-60]])
    def test_what_is_none(self, text):
        with pytest.raises(ValueError, match="certificate"):
            keys.chain(text)

    def test_one_that_cannot_be_read(self):
        with pytest.raises(ValueError):
            keys.chain(self.OWN + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")


def test_a_certificate_for_a_key_of_another_kind_is_none():
    """What cannot be understood is a ValueError, of whatever kind it is."""
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "userdfsp")])
    now = datetime.now(timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    pem = builder.sign(key, None).public_bytes(Encoding.PEM).decode()
    for understand in (keys.load_public_key, lambda one: keys.is_pair(one, KEY)):
        with pytest.raises(ValueError, match="elliptic curve"):
            understand(pem)
