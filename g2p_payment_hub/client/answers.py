"""What Payment Hub EE's answers mean: every answer to an upload, and every word of a status row.

Read from ph-ee-bulk-processor v1.13.1 (`BatchTransactionsController`, `ProcessorStartRoute`,
`GlobalExceptionMapper`, `WebSignatureInterceptor`), ph-ee-operations-app v1.20.2 and
ph-ee-importer-rdbms (`RecordParser`, `InflightBatchManager`).
"""

import json
import re
from collections.abc import Collection
from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation
from typing import Any

from . import fspiop_codes
from .errors import GatewayError, NotSent, OutcomeUnknown, Reason, Refused
from .failures import failure_type, may_have_paid
from .http import Answer
from .outcomes import Outcome, OutcomeStatus, Receipt

# | answer to an upload                                   | becomes                      |
# |-------------------------------------------------------|------------------------------|
# | 202 with a polling path                               | Receipt                      |
# | any other 2xx, 302, 303                               | OutcomeUnknown               |
# | 301, 307, 308                                         | Refused(REDIRECTED)          |
# | 400 or 500 from the signature check                   | Refused(SIGNATURE)           |
# | 400 from the check of the file, 413                   | Refused(FILE)                |
# | any other 400, 401, 403, 404, 405, 407, 415           | Refused(CONFIGURATION)       |
# | 429                                                   | NotSent(BUSY)                |
# | 412: no such workflow, or the engine did not answer in time | OutcomeUnknown(TENANT) |
# | 500 and everything else                               | OutcomeUnknown(SERVER_ERROR) |
# Where a hub certificate is configured, a 202 and a 400 count only with the hub's signature, except for a 400
# from the signature check: the hub may sign that one with another tenant's key.
SIGNATURE_CODES = {"InvalidPublicKeyConfigured", "InvalidJsonWebSignature", "JWSVerificationServerError"}
_FILE_CODES = {"Broken file", "File too big", "Invalid file structure"}
_REFUSED = {
    301: Reason.REDIRECTED,
    307: Reason.REDIRECTED,
    308: Reason.REDIRECTED,
    400: Reason.CONFIGURATION,
    401: Reason.CONFIGURATION,
    403: Reason.CONFIGURATION,
    404: Reason.CONFIGURATION,
    405: Reason.CONFIGURATION,
    407: Reason.CONFIGURATION,
    413: Reason.FILE,
    415: Reason.CONFIGURATION,
}
MAX_POLL_AFTER = 3600
MAX_DETAIL = 300
_BATCH_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def receipt(answer: Answer) -> Receipt:
    """The receipt for an accepted upload, or the error that the table above names."""
    if answer.status == 202:
        return _accepted(answer)
    raise _upload_error(answer)


def _accepted(answer: Answer) -> Receipt:
    body = answer.json()
    path = body.get("PollingPath") if isinstance(body, dict) else None
    batch_id = path.rstrip("/").rpartition("/")[2] if isinstance(path, str) else ""
    if not _BATCH_ID.fullmatch(batch_id):
        raise OutcomeUnknown(Reason.NOT_UNDERSTOOD, "HTTP 202 without a polling path")
    return Receipt(reference=batch_id, poll_after=_seconds(body.get("SuggestedCallbackSeconds")))


def _seconds(value: Any) -> int:
    text = str(value)
    return min(int(text[:9]), MAX_POLL_AFTER) if text.isascii() and text.isdigit() else 0


def _upload_error(answer: Answer) -> GatewayError:
    code, text = error_of(answer)
    detail = f"HTTP {answer.status} {code} {text}".strip()[:MAX_DETAIL]
    if is_signature_error(answer):
        return Refused(Reason.SIGNATURE, f"HTTP {answer.status} {code}")
    if answer.status == 400 and code in _FILE_CODES:
        return Refused(Reason.FILE, detail)
    if answer.status == 429:
        return NotSent(Reason.BUSY, "HTTP 429")
    if answer.status in _REFUSED:
        return Refused(_REFUSED[answer.status], detail)
    if answer.status == 412:
        return OutcomeUnknown(Reason.TENANT, detail)
    if answer.status < 400:
        return OutcomeUnknown(Reason.NOT_UNDERSTOOD, f"HTTP {answer.status}")
    return OutcomeUnknown(Reason.SERVER_ERROR, detail)


def is_signature_error(answer: Answer) -> bool:
    """Whether the hub's signature check, which comes before anything else, turned the request away."""
    return answer.status in (400, 500) and error_of(answer)[0] in SIGNATURE_CODES


def error_of(answer: Answer) -> tuple[str, str]:
    """(code, text) of an error body in any of the hub's shapes; ("", "") for HTML and the like."""
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        return "", ""
    if not isinstance(body, dict):
        return "", ""
    for code, text in (
        ("errorCode", "errorDescription"),
        ("Error Information: ", "Error Description : "),
        ("responseCode", "responseDescription"),
        ("error", "error_description"),
    ):
        if code in body or text in body:
            return told(body.get("errorInformation") or body.get(code)), told(body.get(text))
    return "", ""


def told(value: Any) -> str:
    """One line without long numbers and addresses: exception texts quote the rows they are about."""
    words = str(value or "")[:2000].split()
    return " ".join("***" if _LIKE_A_PAYEE.search(word) else word for word in words)


_LIKE_A_PAYEE = re.compile(r"@|\d\D?\d\D?\d\D?\d\D?\d")


_STATUS = {
    "COMPLETED": OutcomeStatus.PAID,
    "FAILED": OutcomeStatus.FAILED,
    "IN_PROGRESS": OutcomeStatus.WAITING,
    "UNKNOWN": OutcomeStatus.WAITING,
    "EXCEPTION": OutcomeStatus.WAITING,  # an operator may still resolve it
}
# Workflow variables that are "true" on a transfer which the published workflows then store as COMPLETED.
FAILURE_VARIABLES = (
    "partyLookupFailed",
    "transactionFailed",
    "transferPrepareFailed",
    "transferCreateFailed",
    "transferSettlementFailed",
)


def outcome(row: dict[str, Any], reference: str) -> Outcome:
    """What a transfer row of the operations app says about `reference`."""
    remote_status = str(row.get("status") or "")
    status = _STATUS.get(remote_status, OutcomeStatus.WAITING)
    code, reason = _error_information(row.get("errorInformation"))
    if (status is OutcomeStatus.PAID and (code or reason)) or (
        status is OutcomeStatus.FAILED and may_have_paid(code)
    ):
        status = OutcomeStatus.SUSPECT
    return Outcome(
        reference=reference,
        status=status,
        amount=_amount(row.get("amount")),
        currency=str(row.get("currency") or ""),
        remote_reference=unquoted(row.get("transactionId")),
        remote_status=remote_status[:64],
        reason_code=code,
        reason=reason,
        failure_type=failure_type(code, reason) if status is OutcomeStatus.FAILED else None,
        completed_at=_time(row.get("completedAt")),
    )


def reference_of(row: dict[str, Any], references: Collection[str]) -> str:
    """Which of `references` this transfer is for, or "": mojaloop and gsma rows carry it as correlation id,
    closed-loop and duplicate rows as transaction id."""
    for member in ("clientCorrelationId", "transactionId"):
        value = unquoted(row.get(member))
        if value in references:
            return value
    return ""


def unquoted(value: Any) -> str:
    """A key as we sent it: the hub keeps the quotes that it put round a value itself."""
    return str(value or "").strip().strip('"')


def _amount(value: Any) -> Decimal | None:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _time(value: Any) -> datetime | None:
    """Epoch milliseconds to UTC."""
    if not isinstance(value, int):
        return None
    try:
        return datetime.fromtimestamp(value // 1000, tz=timezone.utc)
    except (OverflowError, OSError, ValueError):
        return None


def _error_information(value: Any) -> tuple[str, str]:
    """(code, description) of whatever is there; ("", "") only where there is nothing."""
    value = _one_error(value)
    for _level in range(3):
        inner = _one_error(value.get("errorInformation")) if isinstance(value, dict) else None
        value = inner if isinstance(inner, dict) else value
    if value is None or value == "":
        return "", ""
    if isinstance(value, dict) and not value.get("errorCode") and isinstance(value.get("errors"), list):
        value = _one_error(value["errors"]) or value
    if not isinstance(value, dict):
        return _error_in_words(str(value).strip())
    code = str(value.get("errorCode") or "").strip()
    reason = str(value.get("errorDescription") or "")
    if not code and not reason:
        reason = json.dumps(value)  # of a shape we do not know, but said all the same
    return code[:64], reason[:MAX_DETAIL]


def _one_error(value: Any) -> Any:
    """Unpack it; of a list of errors take the first that is an object."""
    value = _unpacked(value)
    errors = [error for error in value if isinstance(error, dict)] if isinstance(value, list) else []
    return errors[0] if errors else value


def _error_in_words(text: str) -> tuple[str, str]:
    """A code that stands alone, or a number of FSPIOP before its words."""
    number, _space, words = text.partition(" ")
    if fspiop_codes.is_code(number.rstrip(":")):
        return number.rstrip(":"), words[:MAX_DETAIL]
    return (text, "") if may_have_paid(text) else ("", text[:MAX_DETAIL])


def _unpacked(value: Any) -> Any:
    """An object from its JSON, escaped once more or not; anything else as it is."""
    for _level in range(3):
        if not isinstance(value, str):
            break
        value = value.strip()
        escaped_without_its_quotes = value.startswith('{\\"')
        try:
            value = json.loads(f'"{value}"' if escaped_without_its_quotes else value)
        except (ValueError, RecursionError):
            break
    return value
