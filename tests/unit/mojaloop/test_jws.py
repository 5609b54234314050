"""Signatures in both directions. That Mojaloop's own software agrees is shown in tests/integration."""

import base64
import json
from datetime import datetime, timezone

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.addons.g2p_mojaloop_connector.client import base64url, jws, keys

KEY = keys.load_key(keys.new_key(2048))
OTHER = keys.load_key(keys.new_key(2048))
HEADERS = {
    "FSPIOP-Source": "userdfsp",
    "FSPIOP-Destination": "payeefsp",
    "Date": "Thu, 01 Jan 2026 00:00:00 GMT",
    "Content-Type": "application/vnd.interoperability.transfers+json;version=1.1",
}
BODY = {
    "transferId": "t1",
    "note": 'José 😀 \u2028 "quoted" /',
    "amount": {"currency": "USD", "amount": "100"},
}
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = TEXTS.filter(lambda text: not text.isdigit())
VALUES = st.recursive(
    TEXTS | st.booleans() | st.none() | st.integers(-(2**53) + 1, 2**53 - 1),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
BODIES = st.dictionaries(NAMES, VALUES, min_size=1, max_size=4)


def signed(body=BODY, headers=HEADERS, uri="/transfers", method="POST", key=KEY):
    return {**headers, **jws.sign(method, uri, headers, body, key)}


def verify(headers, body=BODY, method="POST", target="/transfers", key=KEY):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return jws.verify(method, target, headers, data, key.public_key())


def changed_header(headers, **changes):
    header = json.loads(headers[jws.SIGNATURE])
    return {**headers, jws.SIGNATURE: json.dumps({**header, **changes})}


def protected_with(**changes):
    """Signed with another protected header than the request would have."""
    header = json.loads(signed()[jws.SIGNATURE])
    protected = {**json.loads(base64.urlsafe_b64decode(header["protectedHeader"] + "==")), **changes}
    protected = {name: value for name, value in protected.items() if value is not None}
    first = jws._encoded(json.dumps(protected))
    signature = KEY.sign(jws._signed(first, jws.canonical(BODY)), jws.padding.PKCS1v15(), hashes.SHA256())
    text = json.dumps({"signature": base64url.encode(signature), "protectedHeader": first})
    return {**signed(), jws.SIGNATURE: text}


class TestWhatIsSigned:
    @settings(max_examples=40)
    @given(
        BODIES, st.sampled_from(["POST", "put"]), st.sampled_from(["/transfers", "/parties/MSISDN/1/error"])
    )
    def test_verifies_however_the_body_is_written(self, body, method, uri):
        headers = signed(body, uri=uri, method=method)
        for text in (json.dumps(body), json.dumps(body, indent=2), json.dumps(body, ensure_ascii=False)):
            verify(headers, text.encode(), method, "/fsp/base" + uri)

    @settings(max_examples=40)
    @given(BODIES, BODIES)
    def test_another_body_does_not_verify(self, body, other):
        if jws.canonical(body) != jws.canonical(other):
            with pytest.raises(jws.Forged):
                verify(signed(body), other)

    @pytest.mark.parametrize("without", ["FSPIOP-Destination", "Date"])
    def test_what_is_not_sent_is_not_signed(self, without):
        headers = {name: value for name, value in HEADERS.items() if name != without}
        verify(signed(headers=headers))
        with pytest.raises(jws.Forged):
            verify({**signed(headers=headers), "FSPIOP-Destination": "somebody"})

    def test_names_of_headers_may_come_in_any_case(self):
        verify({name.upper(): value for name, value in signed().items()})
        verify({name.lower(): value for name, value in signed().items()})

    def test_what_it_is_good_for(self):
        """The same for each signature of the same, and of nothing else."""
        one, other = verify(signed()), verify(signed(headers={**HEADERS, "FSPIOP-Destination": "bankb"}))
        assert one.at == datetime(2026, 1, 1, tzinfo=timezone.utc)
        assert one.content == verify(signed(), json.dumps(BODY, indent=2).encode()).content
        assert one.content != other.content

    def test_form_of_the_header(self):
        header = json.loads(signed()[jws.SIGNATURE])
        assert set(header) == {"signature", "protectedHeader"}
        assert "=" not in header["signature"] + header["protectedHeader"]
        protected = json.loads(base64.urlsafe_b64decode(header["protectedHeader"] + "=="))
        assert protected == {
            "alg": "RS256",
            "FSPIOP-URI": "/transfers",
            "FSPIOP-HTTP-Method": "POST",
            "FSPIOP-Source": "userdfsp",
            "FSPIOP-Destination": "payeefsp",
            "Date": "Thu, 01 Jan 2026 00:00:00 GMT",
        }

    @pytest.mark.parametrize(
        "body",
        [{"a": 1.5}, {"a": 1.0}, {"1": "a"}, {"a": [2**53]}, {"a": {"0": 1}}, {"a": "\ud800"}, {1: "a"}],
    )
    def test_what_javascript_would_write_in_another_way(self, body):
        with pytest.raises(ValueError):
            jws.sign("POST", "/transfers", HEADERS, body, KEY)

    def test_a_sender_and_an_address_are_obligatory(self):
        with pytest.raises(ValueError, match="FSPIOP-Source"):
            jws.sign("POST", "/transfers", {}, BODY, KEY)
        with pytest.raises(ValueError, match="address"):
            jws.sign("POST", "http://hub/transfers", HEADERS, BODY, KEY)


class TestForged:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("FSPIOP-Source", "mallory"),
            ("FSPIOP-Destination", "mallory"),
            ("Date", "Fri, 02 Jan 2026 00:00:00 GMT"),
            (jws.URI, "/quotes"),
            (jws.METHOD, "PUT"),
            (jws.SIGNATURE, ""),
            (jws.SIGNATURE, "{}"),
            (jws.SIGNATURE, "[]"),
            (jws.SIGNATURE, "null"),
            (jws.SIGNATURE, '{"signature": 1, "protectedHeader": 2}'),
            (jws.SIGNATURE, '{"signature": "a", "protectedHeader": "bnVsbA"}'),
            (jws.SIGNATURE, '{"signature": "", "protectedHeader": "e30"}'),
            (jws.SIGNATURE, '{"signature": "ö", "protectedHeader": "e30"}'),
        ],
    )
    def test_a_changed_header(self, name, value):
        with pytest.raises(jws.Forged):
            verify({**signed(), name: value})

    @pytest.mark.parametrize("name", [*HEADERS][:3] + [jws.URI, jws.METHOD, jws.SIGNATURE])
    def test_a_missing_header(self, name):
        headers = signed()
        del headers[name]
        with pytest.raises(jws.Forged):
            verify(headers)

    @pytest.mark.parametrize("name", ["alg", jws.URI, jws.METHOD, "FSPIOP-Source", "FSPIOP-Destination"])
    def test_a_missing_member(self, name):
        with pytest.raises(jws.Forged):
            verify(protected_with(**{name: None}))

    @pytest.mark.parametrize("algorithm", ["none", "HS256", "RS512", "ES256", "rs256", None, 1])
    def test_another_algorithm(self, algorithm):
        with pytest.raises(jws.Forged):
            verify(protected_with(alg=algorithm))

    def test_date_may_stay_unsigned(self):
        """As the Toolkit does it; the others may not."""
        assert verify(protected_with(Date=None)).at is None

    @pytest.mark.parametrize(
        "date", ["soon", "Thu, 01 Jan 2026 00:00:00 -0000", "Thu, 99 Jan 2026 00:00:00 GMT"]
    )
    def test_a_date_that_is_none(self, date):
        with pytest.raises(jws.Forged, match="Date"):
            verify(signed(headers={**HEADERS, "Date": date}))

    @pytest.mark.parametrize(
        ("method", "target"), [("PUT", "/transfers"), ("POST", "/transfers/x"), ("POST", "/quotes")]
    )
    def test_for_another_address(self, method, target):
        with pytest.raises(jws.Forged):
            verify(signed(), method=method, target=target)

    def test_by_another_key(self):
        with pytest.raises(jws.Forged):
            verify(signed(), key=OTHER)

    @settings(max_examples=30)
    @given(st.data())
    def test_any_changed_letter(self, data):
        part = data.draw(st.sampled_from(["signature", "protectedHeader"]))
        headers = signed()
        text = json.loads(headers[jws.SIGNATURE])[part]
        place = data.draw(st.integers(0, len(text) - 2))  # the last one may carry bits that do not count
        letter = "A" if text[place] != "A" else "B"
        with pytest.raises(jws.Forged):
            verify(changed_header(headers, **{part: text[:place] + letter + text[place + 1 :]}))

    def test_padding(self):
        header = json.loads(signed()[jws.SIGNATURE])
        with pytest.raises(jws.Forged):
            verify(changed_header(signed(), signature=header["signature"] + "=="))

    @pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 100_000, b'{"a": 1.5}', b'{"1": 2}', b"\xff"])
    def test_a_body_that_nobody_signed(self, body):
        with pytest.raises(jws.Forged):
            verify(signed(), body)


def test_elliptic_curves_verify_too():
    """Newer releases of Mojaloop's components sign with them when the key is one."""
    key = ec.generate_private_key(ec.SECP256R1())
    protected = {"alg": "ES256", jws.URI: "/transfers", jws.METHOD: "POST", "FSPIOP-Source": "userdfsp"}
    first = jws._encoded(json.dumps(protected))
    r, s = decode_dss_signature(key.sign(jws._signed(first, jws.canonical(BODY)), ec.ECDSA(hashes.SHA256())))
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    text = json.dumps({"signature": base64url.encode(raw), "protectedHeader": first})
    headers = {jws.URI: "/transfers", jws.METHOD: "POST", "FSPIOP-Source": "userdfsp", jws.SIGNATURE: text}
    verify(headers, key=key)
    with pytest.raises(jws.Forged):
        verify(headers, {**BODY, "note": "another"}, key=key)
    with pytest.raises(jws.Forged):
        verify(headers, key=KEY)
