"""What a connector's answers mean, of both generations: npm's 18.0.2 and the newer one (api-svc 21).

| answer                                                              | becomes                              |
|---------------------------------------------------------------------|--------------------------------------|
| 200 with what was asked for                                         | that                                 |
| any status with an error code of Mojaloop's                         | StepFailed, by the catalogue         |
| 200 whose party is empty: 18.0.2 drops the code of a failed look-up | StepFailed: not found                |
| 400 of the connector's own check of the request (statusCode 400)    | Refused(CONFIGURATION): nothing sent |
| 401, 403, 407                                                       | Refused(LOGIN): nothing sent         |
| 429                                                                 | NotSent(BUSY)                        |
| 504, and 500 that speaks of a time-out                              | OutcomeUnknown(TIMEOUT)              |
| any other                                                           | OutcomeUnknown                       |

Where money cannot have moved, at a look-up or a quote, OutcomeUnknown means: try again.
"""

import json
from collections.abc import Iterator
from typing import Any

from odoo.addons.g2p_payment_hub.client.answers import MAX_DETAIL, told
from odoo.addons.g2p_payment_hub.client.errors import GatewayError, NotSent, OutcomeUnknown, Reason, Refused
from odoo.addons.g2p_payment_hub.client.http import Answer

from .catalogue import Step, StepFailed

Members = dict[str, Any]
_STATES = (
    "transferState",
    "bulkTransferState",
    "bulkQuoteState",
    "executionState",
    "requestPartiesInformationState",
    "requestQuotesInformationState",
    "requestSimpleTransfersInformationState",
)


def members(answer: Answer, step: Step) -> Members:
    """The object of a 200 without an error in it. Raises as the table above says."""
    failure = failure_of(answer, step)
    if failure is not None:
        raise failure
    if answer.status != 200:
        raise _error_of(answer)
    body = answer.json()
    if not isinstance(body, dict):
        raise OutcomeUnknown(Reason.NOT_UNDERSTOOD, "HTTP 200 without an object")
    return body


def failure_of(answer: Answer, step: Step) -> StepFailed | None:
    """The error of Mojaloop's that the answer carries, wherever this connector puts it."""
    code, description = error_information(object_of(answer))
    return StepFailed(step, code, description) if code else None


def object_of(answer: Answer) -> Members:
    """Empty when there is none."""
    try:
        body = answer.json()
    except OutcomeUnknown:
        return {}
    return body if isinstance(body, dict) else {}


def error_information(body: Members) -> tuple[str, str]:
    """(code, description) of an answer's object; ("", "") when it names none.

    Directly, below the step's own member, or as the last error of the state that the connector ended in.
    """
    for place in _places(body):
        information = place.get("errorInformation")
        if isinstance(information, dict) and information.get("errorCode"):
            return _clean(information)
    return "", ""


def _clean(information: Members) -> tuple[str, str]:
    code = str(information["errorCode"])
    return code[:16], told(information.get("errorDescription"))[:MAX_DETAIL]


def _places(body: Members) -> Iterator[Members]:
    yield body
    for name in ("party", "quotes", "transfer"):
        inner = member(body, name)
        yield inner
        yield member(inner, "body")
    for name in _STATES:
        yield from _last_error(member(body, name))
    yield from _last_error(body)
    yield _refusal(body.get("message"))


def _last_error(state: Members) -> Iterator[Members]:
    """An object, or its text: a refusal that the hub gave at once is a text on 18.0.2."""
    error = _unpacked(state.get("lastError"))
    yield error
    yield member(error, "mojaloopError")
    for name in ("res", "response"):
        yield member(member(error, name), "data")


def _refusal(message: Any) -> Members:
    """18.0.2 tells a refusal of FSPIOP's own media type by quoting it at the end of a sentence."""
    text = message if isinstance(message, str) and message.startswith("Invalid content-type") else ""
    return _unpacked(text[text.find("{") :]) if "{" in text else {}


def member(body: Any, name: str) -> Members:
    """The object `name` in `body`, unpacked if it is a text; empty when there is none."""
    return _unpacked(body.get(name)) if isinstance(body, dict) else {}


def _unpacked(value: Any) -> Members:
    if isinstance(value, str):
        try:
            value = json.loads(value, parse_float=str)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def _error_of(answer: Answer) -> GatewayError:
    body = object_of(answer)
    detail = f"HTTP {answer.status} {told(body.get('message'))}".strip()[:MAX_DETAIL]
    if answer.status == 400 and is_the_connectors_check(body):
        return Refused(Reason.CONFIGURATION, detail)
    if answer.status in (401, 403, 407):
        return Refused(Reason.LOGIN, f"HTTP {answer.status}")
    if answer.status == 429:
        return NotSent(Reason.BUSY, "HTTP 429")
    if answer.status == 504 or "timeout" in detail.lower():
        return OutcomeUnknown(Reason.TIMEOUT, detail)
    if answer.status < 400:
        return OutcomeUnknown(Reason.NOT_UNDERSTOOD, f"HTTP {answer.status}")
    return OutcomeUnknown(Reason.SERVER_ERROR, detail)


def is_the_connectors_check(body: Members) -> bool:
    """Whether the connector turned a request away before it did anything: then its code is a number."""
    return body.get("statusCode") == 400
