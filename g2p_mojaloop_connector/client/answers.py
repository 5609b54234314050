"""Read a connector's answers, of both generations: npm's 18.0.2 and the newer one (24.19.4).

| answer                                                              | becomes                              |
|---------------------------------------------------------------------|--------------------------------------|
| 200 with what was asked for                                         | that, whatever stands beside it      |
| 200 whose own member is an error of Mojaloop's; any other status    | StepFailed, by the catalogue         |
| with an error code of Mojaloop's                                    |                                      |
| an error beside a fulfilment, where money moves                     | OutcomeUnknown: one is an older one  |
| 200 whose party is empty: 18.0.2 drops the code of a failed look-up | StepFailed: not found                |
| 400 of the connector's own check of the request (statusCode 400)    | Refused(CONFIGURATION): nothing sent |
| 401, 403, 407                                                       | Refused(LOGIN): nothing sent         |
| 429                                                                 | NotSent(BUSY)                        |
| before money moves: the hub has not the version (406)               | Refused(CONFIGURATION)               |
| 504, and 500 that speaks of a time-out                              | OutcomeUnknown(TIMEOUT)              |
| any other                                                           | OutcomeUnknown                       |

Where money cannot have moved, at a look-up or a quote, OutcomeUnknown means: try again.

The answer to a question for a transfer has rules of its own: see `state_of_transfer`.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from odoo.addons.g2p_payment_hub.client.answers import MAX_DETAIL, told
from odoo.addons.g2p_payment_hub.client.errors import GatewayError, NotSent, OutcomeUnknown, Reason, Refused
from odoo.addons.g2p_payment_hub.client.http import Answer

from .catalogue import Rule, Step, StepFailed, Verdict, rule
from .transfer_state import PAID_WORDS, is_not_known

Members = dict[str, Any]
WRONG_VERSION = "the hub does not have the version of FSPIOP in which the connector asks for transfers"
OLD_STEPS = "the hub does not have the version of FSPIOP that single steps of the connector speak"
MAYBE_OLDER = "the connector may have told an older answer of the hub's"
# Newer connectors keep the state of each question under the transfer's id and begin the next one from it, so
# that only the sentence is surely about this question. Behind it: JSON, or JavaScript's own form on 18.0.2.
_RETRIEVING = "Got an error response retrieving transfer: "
_INSPECTED = re.compile(r"""errorCode['"]?: *['"]([^'"]*)['"]""")
_INSPECTED_FULFILMENT = re.compile(r"""\bfulfil(ment)?['"]?: *['"{]""")
_HTTP_STATUS = re.compile(r"status code (\d{3})\b")
_MONEY = (Step.TRANSFER, Step.RESEND)
_FULFILMENT = ("fulfil", "fulfilment")
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
    """Return the object of a 200 without an error in it. Raise as the table above says."""
    if answer.status == 200:
        return _members_of_200(answer, step)
    body = object_of(answer)
    code, description = error_information(body)
    raise _refusal(body, step, code, description) if code else _error_of(answer, step)


def _members_of_200(answer: Answer, step: Step) -> Members:
    """Return the object, or raise its own error. Beside a state of the transfer no error counts: newer
    connectors leave that of an earlier question there."""
    body = answer.json()
    if not isinstance(body, dict):
        raise OutcomeUnknown(Reason.NOT_UNDERSTOOD, "HTTP 200 without an object")
    if not _tells_state(body):
        code, description = _first_code(_own_places(body))
        if code:
            raise _refusal(body, step, code, description)
    return body


def _refusal(body: Members, step: Step, code: str, description: str) -> StepFailed | OutcomeUnknown:
    if step in (*_MONEY, Step.ASK) and _has_fulfilment(body):
        return OutcomeUnknown(Reason.NOT_UNDERSTOOD, f"{code} beside a fulfilment")
    return StepFailed(step, code, description)


def _tells_state(body: Members) -> bool:
    told = (member(member(body, name), "body").get("transferState") for name in ("fulfil", "transfer"))
    return any(told)


def state_of_transfer(answer: Answer) -> Members:
    """Return the state with which a question for a transfer was answered.

    Raise StepFailed for the hub's own word of now about this transfer: the code that the sentence of the
    answer names, or the code of an answer that carries no state. A code that may be left over from an
    earlier question ends nothing, and never says that the hub does not know the transfer; neither does any
    code beside a fulfilment.
    """
    body = object_of(answer)
    if answer.status == 200 and body:
        return body
    code, description = _said_now(body)
    if code:
        raise _refusal(body, Step.ASK, code, description)
    error = _error_of(answer, Step.ASK)
    code, description = error_information(body)
    if code and error.reason is Reason.SERVER_ERROR:
        raise _maybe_older(code, description)
    raise error


def _maybe_older(code: str, description: str) -> StepFailed | OutcomeUnknown:
    failure = StepFailed(Step.ASK, code, description, Rule(Verdict.ASK, rule(code, Step.ASK).failure_type))
    if is_not_known(failure):
        # invariant: new-id-needs-the-hub
        return OutcomeUnknown(Reason.NOT_UNDERSTOOD, f"{MAYBE_OLDER}: {code}")
    return failure


def _said_now(body: Members) -> tuple[str, str]:
    message = body.get("message")
    text = message if isinstance(message, str) else ""
    if text.startswith(_RETRIEVING):
        return _end_of(text, body)
    if not body.keys() & {*_STATES, "lastError"}:
        return _first_code([body, _end_of_refusal(text)])
    return _first_code([_end_of_refusal(text)])


def _end_of(text: str, body: Members) -> tuple[str, str]:
    """(code, description) of the hub's answer that a sentence ends with; ("", "") when that is not clear."""
    told = _unpacked(text.removeprefix(_RETRIEVING))
    if told:
        return _first_code([told, member(told, "body")])
    codes = set(_INSPECTED.findall(text))
    if len(codes) != 1:
        return "", ""
    code, description = error_information(body)
    return (code, description) if code in codes else (codes.pop()[:16], "")


def _has_fulfilment(body: Members) -> bool:
    """Return True if a fulfilment, what a transfer was fulfilled with, or a word that means paid stands
    anywhere in it, also in what its sentence quotes."""
    rest: list[Any] = [body]
    while rest:
        value = rest.pop()
        if isinstance(value, str):
            quoted = value.removeprefix(_RETRIEVING).lstrip()
            value = _unpacked(quoted) if quoted.startswith("{") else {}
            if not value and quoted.startswith("{") and _INSPECTED_FULFILMENT.search(quoted):
                return True
        if isinstance(value, dict):
            if any(value.get(name) for name in _FULFILMENT) or _is_paid(value.get("transferState")):
                return True
            rest.extend(value.values())
        elif isinstance(value, list):
            rest.extend(value)
    return False


def _is_paid(word: Any) -> bool:
    return isinstance(word, str) and word in PAID_WORDS


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
    return _first_code(_places(body))


def _first_code(places: Iterable[Members]) -> tuple[str, str]:
    for place in places:
        information = place.get("errorInformation")
        if isinstance(information, dict) and information.get("errorCode"):
            return _clean(information)
    return "", ""


def _clean(information: Members) -> tuple[str, str]:
    code = str(information["errorCode"])
    return code[:16], told(information.get("errorDescription"))[:MAX_DETAIL]


def _own_places(body: Members) -> Iterator[Members]:
    yield body
    for name in ("party", "quotes", "transfer"):
        inner = member(body, name)
        yield inner
        yield member(inner, "body")


def _places(body: Members) -> Iterator[Members]:
    yield from _own_places(body)
    for name in _STATES:
        yield from _last_error(member(body, name))
    yield from _last_error(body)
    yield _end_of_refusal(body.get("message"))


def _last_error(state: Members) -> Iterator[Members]:
    """An object, or its text: a refusal that the hub gave at once is a text on 18.0.2."""
    error = _unpacked(state.get("lastError"))
    yield error
    yield member(error, "mojaloopError")
    for name in ("res", "response"):
        yield member(member(error, name), "data")


def _end_of_refusal(message: Any) -> Members:
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


def _error_of(answer: Answer, step: Step) -> GatewayError:
    body = object_of(answer)
    if step not in _MONEY and _http_status(body) == "406":
        return Refused(Reason.CONFIGURATION, WRONG_VERSION if step is Step.ASK else OLD_STEPS)
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


def _http_status(body: Members) -> str:
    """Return with which status a hub refused at once: newer connectors tell it in their sentence only."""
    message = body.get("message")
    found = _HTTP_STATUS.search(message) if isinstance(message, str) else None
    return found[1] if found else ""


def is_the_connectors_check(body: Members) -> bool:
    """Whether the connector turned a request away before it did anything: then its code is a number."""
    return body.get("statusCode") == 400
