"""Keys and certificates, made once for a state folder."""

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)
HOSTS = {
    "good": [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))],
    "wrong-host": [x509.DNSName("hub.example.org")],
}


def ensure_signing_pair(folder):
    """The RSA pair of the tenant entry `default`: clients sign with it, and so does the hub."""
    path = Path(folder) / "client_private_key.pem"
    if not path.exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        certificate = _certificate("payment-hub", key.public_key(), "payment-hub", key)
        _write(Path(folder) / "hub_certificate.pem", _pem(certificate))
        _write(path, _key_pem(key))
    return serialization.load_pem_private_key(path.read_bytes(), None)


def ensure_token_key(folder):
    path = Path(folder) / "token_key.pem"
    if not path.exists():
        _write(path, _key_pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)))
    return serialization.load_pem_private_key(path.read_bytes(), None)


def ensure_tls(folder, kind):
    """(certificate file, key file) of the server; ca.pem beside them vouches for it, unless untrusted."""
    folder = Path(folder)
    _ensure_authority(folder, "ca")
    _ensure_authority(folder, "other_ca")
    authority = "other_ca" if kind == "untrusted" else "ca"
    names = folder / f"tls_{kind}.pem", folder / f"tls_{kind}_key.pem"
    if not names[0].exists():
        issuer = serialization.load_pem_private_key((folder / f"{authority}_key.pem").read_bytes(), None)
        key = ec.generate_private_key(ec.SECP256R1())
        hosts = HOSTS.get(kind, HOSTS["good"])
        certificate = _certificate(
            "hub", key.public_key(), authority, issuer, hosts, expired=kind == "expired"
        )
        _write(names[1], _key_pem(key))
        _write(names[0], _pem(certificate))
    return names


def _ensure_authority(folder, name):
    if not (folder / f"{name}.pem").exists():
        key = ec.generate_private_key(ec.SECP256R1())
        _write(folder / f"{name}_key.pem", _key_pem(key))
        _write(folder / f"{name}.pem", _pem(_certificate(name, key.public_key(), name, key, authority=True)))


def _certificate(subject, public_key, issuer, issuer_key, hosts=(), authority=False, expired=False):
    now = datetime.datetime.now(datetime.timezone.utc)
    issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 30 * DAY)
        .not_valid_after(now - DAY if expired else now + 3650 * DAY)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(issuer_id, critical=False)
    )
    if authority:
        builder = builder.add_extension(_authority_usage(), critical=True)
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _authority_usage():
    usages = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "encipher_only", "decipher_only"), False)  # fmt: skip
    return x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usages)


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{text} (simulator)")])


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path, data):
    """Readable by the owner only, and whole or not there."""
    temporary = path.with_suffix(".new")
    temporary.touch(mode=0o600)
    temporary.write_bytes(data)
    temporary.rename(path)
