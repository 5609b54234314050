"""X-SIGNATURE: the bytes that ph-ee-connector-common 1.8.1 makes and takes."""

import base64
import hashlib

import pytest
from certificates import self_signed
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st
from known_answer import DATA, KEY, SIGNATURE
from payment_hub_ee import multipart
from payment_hub_ee import signature as hub_signature

from g2p_payment_hub.client import signature

KEY_BITS = {"public_exponent": 65537, "key_size": 2048}


@pytest.fixture(scope="module")
def key():
    return signature.load_private_key(KEY)


@pytest.fixture(scope="module")
def other_key():
    return rsa.generate_private_key(**KEY_BITS)


@pytest.fixture(scope="module")
def certificates(key, other_key):
    """PEM texts by name: of the key, of another one, and of a key that is not RSA."""
    elliptic = ec.generate_private_key(ec.SECP256R1())
    return {"ours": self_signed(key), "other": self_signed(other_key), "elliptic": self_signed(elliptic)}


def pem(key, encryption=None):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()).decode()


def der(text):
    """The base64 of a PEM text, in one line, as in the hub's configuration."""
    return "".join(line for line in text.split("\n") if "-----" not in line)


class TestSign:
    def test_known_answer_of_openssl(self, key):
        """SHA3-256 in hexadecimal, and of that `openssl pkeyutl -sign` without a digest."""
        assert signature.sign(DATA, key) == SIGNATURE

    def test_padding_is_of_type_1_without_digest_info(self, key):
        numbers = key.public_key().public_numbers()
        received = int.from_bytes(base64.b64decode(signature.sign("x", key)), "big")
        block = pow(received, numbers.e, numbers.n).to_bytes(256, "big")
        expected = hashlib.sha3_256(b"x").hexdigest().encode()
        assert block == b"\x00\x01" + b"\xff" * (256 - 3 - 64) + b"\x00" + expected

    @pytest.mark.parametrize("data", ["", "x", "caf\u00e9", "1:gorilla:id,request_id\n0,a"])
    def test_the_hub_takes_it(self, key, data):
        hub_signature.verify(key.public_key().public_numbers(), signature.sign(data, key), data)

    def test_the_hub_refuses_another_key_and_other_data(self, key, other_key):
        numbers = key.public_key().public_numbers()
        with pytest.raises(hub_signature.ForeignSignature):
            hub_signature.verify(numbers, signature.sign("x", other_key), "x")
        with pytest.raises(hub_signature.OtherData):
            hub_signature.verify(numbers, signature.sign("x", key), "y")


class TestVerify:
    @pytest.fixture
    def certificate(self, certificates):
        return signature.load_certificate(certificates["ours"])

    @pytest.mark.parametrize("data", ["", '{"PollingPath":"/batch/Summary/1"}', "caf\u00e9"])
    def test_what_the_hub_signs(self, key, certificate, data):
        assert signature.verifies(data, hub_signature.sign(key.private_numbers(), data), certificate)

    def test_known_answer_of_openssl(self, certificate):
        assert signature.verifies(DATA, SIGNATURE, certificate)

    def test_other_data(self, certificate):
        assert not signature.verifies(DATA + " ", SIGNATURE, certificate)

    def test_another_key(self, other_key, certificate):
        assert not signature.verifies("x", signature.sign("x", other_key), certificate)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "no base64",
            "\u00e9",
            "AAAA",
            SIGNATURE[:-4],
            SIGNATURE + SIGNATURE,
            base64.b64encode(b"\xff" * 256),
        ],
    )
    def test_what_is_no_signature(self, certificate, text):
        text = text.decode() if isinstance(text, bytes) else text
        assert not signature.verifies(DATA, text, certificate)

    def test_other_padding(self, key, certificate):
        """Fewer padding bytes before the right hash, and rubbish behind it, as forgers of old did."""
        numbers = key.private_numbers()
        modulus = numbers.public_numbers.n
        hashed = hashlib.sha3_256(b"x").hexdigest().encode()
        for block in (
            b"\x00\x01" + b"\xff" * 8 + b"\x00" + hashed + b"\x00" * (256 - 11 - 64),
            b"\x00\x02" + b"\xff" * (256 - 3 - 64) + b"\x00" + hashed,
            b"\x00\x01" + b"\xff" * 100 + b"\xfe" + b"\xff" * (256 - 104 - 64) + b"\x00" + hashed,
        ):
            assert len(block) == 256
            forged = pow(int.from_bytes(block, "big"), numbers.d, modulus).to_bytes(256, "big")
            assert not signature.verifies("x", base64.b64encode(forged).decode(), certificate)


class TestSignedData:
    def test_present_parts_joined_by_colons(self):
        assert signature.signed_data("1", "gorilla", "id\n0") == "1:gorilla:id\n0"
        assert signature.signed_data("1", "gorilla") == "1:gorilla"
        assert signature.signed_data("", "gorilla", "{}") == "gorilla:{}"

    @pytest.mark.parametrize("payload", ["", "id\n0"])
    def test_same_as_the_hub_s(self, payload):
        headers = {"X-CorrelationID": "1", "Platform-TenantId": "gorilla"}
        ours = signature.signed_data("1", "gorilla", payload)
        assert ours == hub_signature.signed_text(headers, payload)


class TestNormalised:
    """The text that both sides sign is the one that the hub's own multipart reader leaves."""

    def as_the_hub_reads(self, content):
        body = f'--X\r\nContent-Disposition: form-data; name="data"\r\n\r\n{content}\r\n--X--\r\n'
        return multipart.first_part(body.encode(), "X")

    @pytest.mark.parametrize(
        ("content", "text"),
        [
            ("id\n0", "id\n0"),
            ("id\r\n0\r\n", "id\n0"),
            ("id\r0\r", "id\n0"),
            ("id\n0\n\n1", "id\n0"),
            ("  id\n0 \t", "id\n0"),
            ("\nid\n0", ""),
            ("", ""),
        ],
    )
    def test_golden(self, content, text):
        assert signature.normalised(content) == text == self.as_the_hub_reads(content)

    @given(st.text(alphabet="ab,\r\n \t\x1c", max_size=20))
    def test_same_as_the_hub_s(self, content):
        assert signature.normalised(content) == self.as_the_hub_reads(content)
        assert signature.normalised(signature.normalised(content)) == signature.normalised(content)


class TestKeys:
    def test_pem_and_the_hub_s_own_form(self, key):
        for text in (
            KEY,
            f"\n {KEY} \n",
            KEY.replace("\n", "\r\n"),
            der(KEY),
            der(KEY)[:64] + "\n " + der(KEY)[64:],
        ):
            assert signature.sign(DATA, signature.load_private_key(text)) == SIGNATURE
        traditional = key.private_bytes(
            Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
        ).decode()
        assert signature.sign(DATA, signature.load_private_key(traditional)) == SIGNATURE

    def test_what_is_no_key(self, key, certificates):
        for text in (
            "",
            "no base64",
            "AAAA",
            "\u00e9",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
            pem(ec.generate_private_key(ec.SECP256R1())),
            pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)),
            pem(key, BestAvailableEncryption(b"password")),
            certificates["ours"],
        ):
            with pytest.raises(ValueError) as caught:
                signature.load_private_key(text)
            assert der(KEY)[:20] not in str(caught.value)

    def test_certificates(self, certificates):
        for text in (certificates["ours"], der(certificates["ours"])):
            assert signature.verifies(DATA, SIGNATURE, signature.load_certificate(text))

    def test_what_is_no_certificate(self, certificates):
        for text in ("", "no base64", "AAAA", KEY, certificates["elliptic"]):
            with pytest.raises(ValueError):
                signature.load_certificate(text)
