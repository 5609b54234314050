"""What Payment Hub EE's answers mean: every answer to an upload, and every word of a status row.

Read from ph-ee-bulk-processor v1.13.1 (`BatchTransactionsController`, `ProcessorStartRoute`,
`GlobalExceptionMapper`, `WebSignatureInterceptor`), ph-ee-operations-app v1.20.2 and
ph-ee-importer-rdbms (`RecordParser`, `InflightBatchManager`).
"""

import json
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from .errors import GatewayError, NotSent, OutcomeUnknown, Reason, Refused
from .http import Answer
from .outcomes import Outcome, OutcomeStatus, Receipt

# | answer to an upload                                   | becomes                      |
# |-------------------------------------------------------|------------------------------|
# | 202 with a polling path                               | Receipt                      |
# | any other 2xx, 302, 303                               | OutcomeUnknown               |
# | 301, 307, 308                                         | Refused(REDIRECTED)          |
# | 400 with a signature error, 500 from the signature check | Refused(SIGNATURE)        |
# | any other 400, 413, 415                               | Refused(FILE)                |
# | 401, 403, 404, 405, 407                               | Refused(CONFIGURATION)       |
# | 429                                                   | NotSent(BUSY)                |
# | 412: no such workflow, or the engine did not answer in time | OutcomeUnknown(TENANT) |
# | 500 and everything else                               | OutcomeUnknown(SERVER_ERROR) |
SIGNATURE_CODES = {"InvalidPublicKeyConfigured", "InvalidJsonWebSignature", "JWSVerificationServerError"}
_REFUSED = {
    301: Reason.REDIRECTED,
    307: Reason.REDIRECTED,
    308: Reason.REDIRECTED,
    400: Reason.FILE,
    401: Reason.CONFIGURATION,
    403: Reason.CONFIGURATION,
    404: Reason.CONFIGURATION,
    405: Reason.CONFIGURATION,
    407: Reason.CONFIGURATION,
    413: Reason.FILE,
    415: Reason.FILE,
}
MAX_POLL_AFTER = 3600
MAX_DETAIL = 300


def receipt(answer: Answer) -> Receipt:
    """The receipt for an accepted upload, or the error that the table above names."""
    if answer.status == 202:
        return _accepted(answer)
    raise _upload_error(answer)


def _accepted(answer: Answer) -> Receipt:
    body = answer.json()
    path = body.get("PollingPath") if isinstance(body, dict) else None
    batch_id = path.rstrip("/").rpartition("/")[2] if isinstance(path, str) else ""
    if not batch_id:
        raise OutcomeUnknown(Reason.NOT_UNDERSTOOD, "HTTP 202 without a polling path")
    return Receipt(reference=batch_id, poll_after=_seconds(body.get("SuggestedCallbackSeconds")))


def _seconds(value: Any) -> int:
    text = str(value)
    return min(int(text), MAX_POLL_AFTER) if text.isascii() and text.isdigit() else 0


def _upload_error(answer: Answer) -> GatewayError:
    code, text = error_of(answer)
    detail = f"HTTP {answer.status} {code} {text}".strip()[:MAX_DETAIL]
    if code in SIGNATURE_CODES:
        return Refused(Reason.SIGNATURE, f"HTTP {answer.status} {code}")
    if answer.status == 429:
        return NotSent(Reason.BUSY, "HTTP 429")
    if answer.status in _REFUSED:
        return Refused(_REFUSED[answer.status], detail)
    if answer.status == 412:
        return OutcomeUnknown(Reason.TENANT, detail)
    if answer.status < 400:
        return OutcomeUnknown(Reason.NOT_UNDERSTOOD, f"HTTP {answer.status}")
    return OutcomeUnknown(Reason.SERVER_ERROR, detail)


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
            return str(body.get("errorInformation") or body.get(code) or ""), str(body.get(text) or "")
    return "", ""


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
    if status is OutcomeStatus.PAID and (code or reason):
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
        completed_at=_time(row.get("completedAt")),
    )


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
        return datetime.fromtimestamp(value // 1000, tz=UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _error_information(value: Any) -> tuple[str, str]:
    """(code, description) from an object, its JSON, the JSON of its JSON, or a plain sentence."""
    for _level in range(3):
        if not isinstance(value, str):
            break
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return "", str(value).strip()[:MAX_DETAIL]
    if not isinstance(value, dict):
        return "", str(value or "")[:MAX_DETAIL]
    value = value.get("errorInformation") if isinstance(value.get("errorInformation"), dict) else value
    code = str(value.get("errorCode") or "")[:64]
    return code, str(value.get("errorDescription") or "")[:MAX_DETAIL]
