"""Settings do not give away what is in them."""

import pytest
from known_answer import KEY
from pydantic import ValidationError
from scripted_hub import settings_for

from g2p_payment_hub.client.auth import Credentials
from g2p_payment_hub.client.payment_hub import PaymentHub
from g2p_payment_hub.client.settings import rewrites_file


def test_secrets_are_not_shown():
    settings = settings_for(
        "https://hub.example",
        credentials={"password": "pass-word", "client_secret": "s3cret"},
        extra_headers={"X-API-KEY": "api-key"},
    )
    for text in (repr(settings), str(settings), str(settings.model_dump()), settings.model_dump_json()):
        for secret in ("pass-word", "s3cret", "api-key", KEY[40:60]):
            assert secret not in text
    assert settings.plain_extra_headers() == {"X-API-KEY": "api-key"}


def test_not_in_the_error_about_wrong_ones():
    with pytest.raises(ValidationError) as caught:
        Credentials(tenant="gorilla", username="mifos", password=["pass-word"], client_secret={"s3cret": 1})
    assert "pass-word" not in str(caught.value) and "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "changes", [{"signing_key": "no key"}, {"hub_certificate": "none"}, {"ca_bundle": "none"}]
)
def test_what_cannot_be_used_is_said_before_anything_is_sent(changes):
    with pytest.raises(ValueError):
        PaymentHub(settings_for("https://hub.example", **changes))


@pytest.mark.parametrize("limits", [{"connect": 0}, {"read": -1}, {"total": 0}])
def test_no_exchange_without_a_limit(limits):
    from g2p_payment_hub.client.http import HttpLimits

    with pytest.raises(ValidationError):
        HttpLimits(**limits)


def test_modes():
    assert settings_for("x", payment_mode="closedloop").closed_loop
    assert settings_for("x", payment_mode="SLCB").closed_loop
    assert not settings_for("x", payment_mode="mojaloop").closed_loop
    assert rewrites_file(False, "i", "p") and rewrites_file(True, "", "")
    assert not rewrites_file(False, "i", "")
