"""Packets and conditions against what Mojaloop's own SDK made (@mojaloop/sdk-standard-components 17.4.0)."""

import base64
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packets import base64url, condition, condition_v4, fulfilment, packet, packet_v4

from odoo.addons.g2p_mojaloop_connector.client import ilp

# Ilp.getResponseIlp for 100 USD, with the secret "secret".
PACKET = (
    "AYICQAAAAAAAACcQHWcucGF5ZWVmc3AubXNpc2RuLjI3NzEzODAzOTEyggIWZXlKMGNtRnVjMkZqZEdsdmJrbGtJam9pTjJVM1lU"
    "VmtOV010TURBd01DMDFNREF3TFRnd01EQXRNREF3TURBd01EQXdNREF4SWl3aWNYVnZkR1ZKWkNJNklqZGxOMkUxWkRWakxUQXdNREF0TlRB"
    "d01DMDRNREF3TFRBd01EQXdNREF3TURBd01pSXNJbkJoZVdWbElqcDdJbkJoY25SNVNXUkpibVp2SWpwN0luQmhjblI1U1dSVWVYQmxJam9p"
    "VFZOSlUwUk9JaXdpY0dGeWRIbEpaR1Z1ZEdsbWFXVnlJam9pTWpjM01UTTRNRE01TVRJaUxDSm1jM0JKWkNJNkluQmhlV1ZsWm5Od0luMTlM"
    "Q0p3WVhsbGNpSTZleUp3WVhKMGVVbGtTVzVtYnlJNmV5SndZWEowZVVsa1ZIbHdaU0k2SWsxVFNWTkVUaUlzSW5CaGNuUjVTV1JsYm5ScFpt"
    "bGxjaUk2SWpFaUxDSm1jM0JKWkNJNkluVnpaWEprWm5Od0luMTlMQ0poYlc5MWJuUWlPbnNpWTNWeWNtVnVZM2tpT2lKVlUwUWlMQ0poYlc5"
    "MWJuUWlPaUl4TURBaWZTd2lkSEpoYm5OaFkzUnBiMjVVZVhCbElqcDdJbk5qWlc1aGNtbHZJam9pVkZKQlRsTkdSVklpZlN3aWJtOTBaU0k2"
    "SWtwdmM4T3BJUENmbUlBaWZRAA"
)
FULFILMENT = "FbUcFTI3oQq9jGffTPZcIA-Pze93PxzBo7RjxRZsuVU"
CONDITION = "W3macUBrD6tsrlO1oOLM_6W-4iyZzvDOToxZ8WNFaAI"


def test_packet_of_the_sdk():
    carried = ilp.read(PACKET).transaction
    assert carried["transactionId"] == "7e7a5d5c-0000-5000-8000-000000000001"
    assert carried["quoteId"] == "7e7a5d5c-0000-5000-8000-000000000002"
    assert carried["amount"] == {"currency": "USD", "amount": "100"}
    assert carried["note"] == "José 😀"


def test_condition_of_the_sdk():
    assert ilp.condition_of(FULFILMENT) == CONDITION
    assert ilp.fulfils(FULFILMENT, CONDITION)
    assert (fulfilment(PACKET), condition(PACKET)) == (FULFILMENT, CONDITION)


@pytest.mark.parametrize(
    "said", ["", "A" * 43, FULFILMENT[:-1], FULFILMENT + "=", FULFILMENT.lower(), "ö" * 43]
)
def test_any_other_fulfilment_does_not_fit(said):
    assert not ilp.fulfils(said, CONDITION)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_only_the_one_preimage_fits(preimage, other):
    opened = ilp.condition_of(base64url(preimage))
    assert ilp.fulfils(base64url(other), opened) == (preimage == other)


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_anything_else_is_no_packet(said):
    text = base64url(said) if isinstance(said, bytes) else said
    with pytest.raises(ValueError):
        ilp.read(text)


@pytest.mark.parametrize("cut", [1, 8, 30, 200, 700])
def test_half_a_packet_is_none(cut):
    with pytest.raises(ValueError):
        ilp.read(PACKET[:cut])


@given(st.dictionaries(st.text(max_size=9), st.text(max_size=300), max_size=4), st.integers(0, 2**64 - 1))
def test_what_was_put_in_comes_out(carried, amount):
    assert ilp.read(packet(carried, amount)) == (carried, None, None)


CARRIED = {"quoteId": "q", "transactionId": "t", "amount": {"currency": "USD", "amount": "100"}}


class TestVersion4:
    @given(st.dictionaries(st.text(max_size=9), st.text(max_size=300), max_size=4), st.integers(0, 2**64 - 1))
    def test_what_was_put_in_comes_out(self, carried, amount):
        made = packet_v4(carried, amount)
        assert ilp.read(made) == (carried, condition_v4(carried), amount)

    @given(st.integers(1, 900))
    def test_half_a_packet_is_none(self, cut):
        made = packet_v4(CARRIED)
        with pytest.raises(ValueError):
            ilp.read(made[: min(cut, len(made) - 4)])

    @pytest.mark.parametrize("kind", [0, 2, 11, 13, 14, 255])
    def test_other_types_are_no_packets(self, kind):
        with pytest.raises(ValueError, match="not a payment packet"):
            ilp.read(packet_v4(CARRIED, kind=kind))

    def test_an_expiry_is_digits(self):
        made = base64.urlsafe_b64decode(packet_v4(CARRIED) + "==").replace(
            b"20400101010101001", b"2040010101010100x"
        )
        with pytest.raises(ValueError, match="expiry"):
            ilp.read(base64url(made))

    @pytest.mark.parametrize(
        ("amount", "units", "agrees"),
        [
            ("100", 10000, True),
            ("100", 100, True),
            ("4.35", 435, True),
            ("4.355", 4355, True),
            ("100", 9900, False),
            ("100", 10001, False),
            ("100", 0, False),
            ("100", 10_000_000_000, False),
            ("4.35", 434, False),
            ("4.35", 4, False),
            ("999999999999999999", 999999999999999999, True),
        ],
    )
    def test_amount_of_the_head(self, amount, units, agrees):
        read = ilp.read(packet_v4(CARRIED, units))
        assert read.agrees_with(Decimal(amount), condition_v4(CARRIED)) is agrees

    def test_condition_of_the_head(self):
        read = ilp.read(packet_v4(CARRIED))
        assert read.agrees_with(Decimal(100), condition_v4(CARRIED))
        assert not read.agrees_with(Decimal(100), CONDITION)

    def test_version_1_has_no_condition_and_no_exact_amount(self):
        assert ilp.read(packet(CARRIED, 4349999999994)).agrees_with(Decimal("4.35"), "anything")
