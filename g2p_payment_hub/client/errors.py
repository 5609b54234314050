"""What can go wrong between us and a payment system, told apart by what we then know.

The three kinds matter more than any status code: only `NotSent` may be tried again by itself,
`Refused` needs a correction, and after `OutcomeUnknown` nobody may send again before the other
side has been asked.
"""

from enum import Enum

from . import kept


class Reason(str, Enum):
    """Why, as a key: the models hold one translated sentence for each."""

    NAME_NOT_FOUND = "name_not_found"
    UNREACHABLE = "unreachable"
    TLS = "tls"
    BUSY = "busy"
    LOGIN = "login"
    TOKEN = "token"
    TENANT = "tenant"
    SIGNATURE = "signature"
    FILE = "file"
    CONFIGURATION = "configuration"
    NOT_READY = "not_ready"
    REDIRECTED = "redirected"
    TIMEOUT = "timeout"
    CONNECTION_LOST = "connection_lost"
    SERVER_ERROR = "server_error"
    NOT_UNDERSTOOD = "not_understood"
    TOO_LARGE = "too_large"
    FORGED = "forged"
    AMBIGUOUS = "ambiguous"
    CLOCK = "clock"


class GatewayError(Exception):
    """`reason` for people to act on, `detail` for the record: short, and free of secrets and payees.

    `retry_after`: the seconds that the system asks us to wait, 0 where it does not say.
    """

    def __init__(self, reason: Reason, detail: str = "", retry_after: int = 0):
        detail = kept.text(detail)
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail
        self.retry_after = retry_after


class NotSent(GatewayError):
    """Nothing reached the system, or it turned us away before reading: may be sent again."""


class Refused(GatewayError):
    """The system read the request and said no: correct the cause first."""


class OutcomeUnknown(GatewayError):
    """It may or may not have been accepted: ask, never send again on our own."""
