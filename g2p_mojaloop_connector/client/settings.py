"""How to reach one connector, and who we are to it."""

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from odoo.addons.g2p_payment_hub.client.http import HttpLimits, Identity

from .login import ClientCredentials
from .parties import Party

_CONNECT = 10.0
_MARGIN = 15.0  # seconds that the connector may need beyond its own steps
_PORTS = {"http": 80, "https": 443}


def address_of(url: str) -> str:
    """Host, port and path: the same for one connector, in whatever way its URL is written. ValueError when it
    is none."""
    parts = urlsplit(url.strip())
    port = parts.port or _PORTS.get(parts.scheme)
    return f"{(parts.hostname or '').rstrip('.')}:{port}{parts.path.rstrip('/')}"


def limits_for(step_timeout: float, two_phase: bool = False) -> HttpLimits:
    """Limits with which the connector's own time-out comes first, and tells more than ours would."""
    read = _steps(two_phase) * step_timeout + _MARGIN
    return HttpLimits(connect=_CONNECT, read=read, total=read + _MARGIN)


def _steps(two_phase: bool) -> int:
    """POST /transfers looks up and asks for a quote before it answers."""
    return 2 if two_phase else 1


class ConnectorSettings(BaseModel):
    """`step_timeout` is the connector's REQUEST_PROCESSING_TIMEOUT_SECONDS, and `expiry_seconds` how long a
    quote and a transfer of ours may take at the hub.

    `amount_type`: with RECEIVE the payee gets the amount and fees come on top; with SEND the amount leaves
    and fees are taken from it. `two_phase` uses POST and PUT /transfers of a connector with
    AUTO_ACCEPT_QUOTES off instead of single steps. `bulk`: /bulkQuotes and /bulkTransfers, which only the
    newer connector has.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    url: str
    dfsp_id: str
    payer: Party
    initiator_type: str = "BUSINESS"
    scenario: str = "TRANSFER"
    amount_type: str = "RECEIVE"
    login: ClientCredentials | None = None
    extra_headers: dict[str, SecretStr] = Field(default_factory=dict)
    ca_bundle: str = ""
    client_certificate: str = ""
    client_key: SecretStr = SecretStr("")
    step_timeout: float = Field(default=30, gt=0)
    limits: HttpLimits = limits_for(30, two_phase=True)
    expiry_seconds: int = Field(default=60, gt=0)
    two_phase: bool = False
    bulk: bool = False

    @model_validator(mode="after")
    def _waits_longer_than_the_connector(self) -> "ConnectorSettings":
        longest = _steps(self.two_phase) * self.step_timeout
        if min(self.limits.read, self.limits.total) <= longest:
            raise ValueError(f"the connector may take {longest:g} seconds; wait longer for its answer")
        return self

    @model_validator(mode="after")
    def _has_both_or_neither(self) -> "ConnectorSettings":
        if bool(self.client_certificate.strip()) != bool(self.client_key.get_secret_value().strip()):
            raise ValueError("a client certificate needs its key, and the other way round")
        return self

    def identity(self) -> Identity | None:
        if not self.client_certificate.strip():
            return None
        return Identity(certificate=self.client_certificate, key=self.client_key)

    def plain_extra_headers(self) -> dict[str, str]:
        return {name: value.get_secret_value() for name, value in self.extra_headers.items()}
