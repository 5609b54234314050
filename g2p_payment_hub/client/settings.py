"""How to reach one hub as one tenant."""

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from .auth import Credentials
from .http import HttpLimits

# In these modes the hub itself moves no money: see `trust_closed_loop`.
CLOSED_LOOP = ("closedloop", "slcb")


def rewrites_file(raw_json: bool, institution: str, program: str) -> bool:
    """Return True if the hub writes the file anew: from JSON, or to put a budget account in."""
    return raw_json or bool(institution and program)


class HubSettings(BaseModel):
    """`signing_key` and `hub_certificate` are PEM or base64 DER; without a certificate the signatures of
    answers are not checked. `payment_mode` is the hub's own word: mojaloop, gsma, closedloop, slcb.
    `verify_completed` asks for the workflow variables of a completed transfer before it counts as paid,
    because the published workflows store a rejected transfer as completed.
    `trust_closed_loop`: in the modes closedloop and slcb, completed says that the hub's workflow went on,
    not that money moved; unless trusted, such rows wait for a person. `confirmed_closed_loop`: a person has
    confirmed that it did, which ends what was still open and speaks against nothing else.
    `raw_json`: batches are JSON instead of CSV.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    bulk_url: str
    operations_url: str
    credentials: Credentials
    signing_key: SecretStr
    hub_certificate: str = ""
    ca_bundle: str = ""
    limits: HttpLimits = HttpLimits()
    payment_mode: str = "mojaloop"
    purpose: str = "G2P payment"
    institution: str = ""
    program: str = ""
    verify_completed: bool = True
    trust_closed_loop: bool = False
    confirmed_closed_loop: bool = False
    raw_json: bool = False
    extra_headers: dict[str, SecretStr] = Field(default_factory=dict)

    @property
    def closed_loop(self) -> bool:
        return self.payment_mode.lower() in CLOSED_LOOP

    def plain_extra_headers(self) -> dict[str, str]:
        return {name: value.get_secret_value() for name, value in self.extra_headers.items()}
