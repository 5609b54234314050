"""Mifos Payment Hub EE: its bulk processor (v1.13.1) takes the batches, its operations app tells of them."""

import time
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime

from . import answers, signature
from .auth import TokenCache
from .errors import GatewayError, OutcomeUnknown, Reason, Refused
from .http import Answer, HttpClient
from .instructions import BatchFile
from .operations import Operations, Row
from .outcomes import Check, Outcome, OutcomeStatus, Receipt
from .settings import HubSettings

_BOUNDARY = "g2p-payment-batch-boundary"  # unquoted in the header: the hub's own parser needs it so
_MIN_PAGE_ROWS = 100
_MAX_SINGLE_LOOKUPS = 50
_MAX_CLOCK_SKEW = 60  # seconds
_PROCESS_TOKENS = TokenCache()


class PaymentHub:
    """One hub, for one run of work; `close` it after use, or use it in a `with`."""

    def __init__(
        self,
        settings: HubSettings,
        tokens: TokenCache | None = None,
        clock: Callable[[], float] = time.time,
    ):
        self._settings = settings
        self._clock = clock
        self._key = signature.load_private_key(settings.signing_key.get_secret_value())
        certificate = settings.hub_certificate.strip()
        self._certificate = signature.load_certificate(certificate) if certificate else None
        self._http = HttpClient(settings.ca_bundle, settings.limits)
        self._operations = Operations(settings, self._http, tokens or _PROCESS_TOKENS)

    def __enter__(self) -> "PaymentHub":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def submit(self, batch: BatchFile) -> Receipt:
        """Uploads the file once. Raises NotSent, Refused or OutcomeUnknown: see the table in `answers`.

        The hub makes a new batch of each upload it accepts, whatever the file or the correlation id:
        the caller must have written down that it is about to call this.
        """
        if signature.normalised(batch.content) != batch.content or not batch.content.isascii():
            raise Refused(Reason.FILE, "the file would not arrive as it is")
        answer = self._http.send(
            "POST",
            self._settings.bulk_url.rstrip("/") + "/batchtransactions",
            data=_multipart(batch),
            headers=self._upload_headers(batch),
        )
        receipt = answers.receipt(answer)
        self._check_signature(answer)
        return receipt

    def _upload_headers(self, batch: BatchFile) -> dict[str, str]:
        settings = self._settings
        tenant = settings.credentials.tenant
        data = signature.signed_data(batch.correlation_id, tenant, batch.content)
        headers = {
            "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}",
            "Platform-TenantId": tenant,
            "X-CorrelationID": batch.correlation_id,
            "Purpose": settings.purpose,
            "Type": "csv",
            "filename": batch.filename,
            signature.HEADER: signature.sign(data, self._key),
        }
        if settings.institution:
            headers["X-Registering-Institution-ID"] = settings.institution
        if settings.program:
            headers["X-Program-ID"] = settings.program
        return headers | settings.plain_extra_headers()

    def _check_signature(self, answer: Answer) -> None:
        if self._certificate is None:
            return
        received = answer.headers.get(signature.HEADER, "")
        if not signature.verifies(answer.body.decode("utf-8", "replace"), received, self._certificate):
            raise OutcomeUnknown(Reason.FORGED, "the answer is not signed with the hub's certificate")

    def find(self, batch: BatchFile, references: Collection[str], since: datetime) -> Receipt | None:
        """The batch that an upload of unknown outcome became, or None while the hub shows no trace of it.

        Looks for our file name or correlation id among the batches since then (`since` has a time zone),
        and for our references among the transfers: any of them is enough, because each of the three has
        gaps. OutcomeUnknown(AMBIGUOUS) when there is more than one such batch.
        """
        found = {str(row["batchId"]) for row in self._operations.batches(since) if _names(row, batch)}
        if not found:
            found = self._batches_of_rows(set(references))
        if len(found) > 1:
            raise OutcomeUnknown(Reason.AMBIGUOUS, ", ".join(sorted(found)))
        return Receipt(reference=found.pop()) if found else None

    def _batches_of_rows(self, references: set[str]) -> set[str]:
        """The batch that holds our rows. A transfer names its sub-batch once the hub has split a batch, and
        a part is not the whole: unless one batch holds every reference, a person has to look."""
        rows = self._operations.transfers_by_request(references)
        for reference in sorted(references)[:_MAX_SINGLE_LOOKUPS]:
            rows += self._operations.transfers_by_transaction(reference)
        ours = [row for row in rows if _key(row, references)]
        found = {str(row.get("batchId") or "") for row in ours}
        if ours and (len(found) > 1 or {_key(row, references) for row in ours} != references):
            raise OutcomeUnknown(Reason.AMBIGUOUS, ", ".join(sorted(found)))
        return found

    def outcomes(self, batch_id: str, references: Collection[str]) -> Iterator[list[Outcome]]:
        """Pages of what the hub says of the batch's rows; `references` are those whose end is still open.

        Other rows are told too, under their own key. The batch's status word and counters are not used:
        the hub calls an empty batch COMPLETED and a running one Failed. GatewayError: ask again later.
        """
        still_open = set(references)
        seen: set[str] = set()
        for rows in self._operations.batch_rows(batch_id, max(_MIN_PAGE_ROWS, len(still_open) + 1)):
            page = [self._outcome(row, still_open) for row in rows]
            seen.update(outcome.reference for outcome in page)
            yield page
        if seen:
            yield self._silent_rows(still_open - seen)

    def _silent_rows(self, references: set[str]) -> list[Outcome]:
        """Rows refused as duplicates: not listed with their batch once the hub has split it."""
        rows: list[Row] = []
        if references:
            rows += self._operations.transfers_by_request(references)
        for reference in sorted(references)[:_MAX_SINGLE_LOOKUPS]:
            rows += self._operations.transfers_by_transaction(reference)
        return [self._outcome(row, references) for row in rows if _key(row, references)]

    def _outcome(self, row: Row, still_open: set[str]) -> Outcome:
        reference = _key(row, still_open) or answers.unquoted(row.get("clientCorrelationId"))
        outcome = answers.outcome(row, reference)
        if outcome.status is not OutcomeStatus.PAID or reference not in still_open:
            return outcome
        if self._settings.closed_loop:
            return outcome if self._settings.trust_closed_loop else _suspect(outcome, "closed_loop")
        if self._settings.verify_completed:
            return self._verified(outcome)
        return outcome

    def _verified(self, outcome: Outcome) -> Outcome:
        variables = self._operations.variables(outcome.remote_reference)
        failed = [name for name in answers.FAILURE_VARIABLES if variables.get(name, "").strip('"') == "true"]
        return _suspect(outcome, failed[0]) if failed else outcome

    def check_connection(self) -> list[Check]:
        """What works and what does not, one line each, without sending anything that could pay."""
        return [self._check("bulk", self._reach_bulk), self._check("operations", self._reach_operations)]

    def _check(self, name: str, probe: Callable[[], str]) -> Check:
        try:
            return Check(name=name, ok=True, detail=probe())
        except GatewayError as error:
            return Check(name=name, ok=False, detail=f"{error.reason.value} {error.detail}".strip())

    def _reach_bulk(self) -> str:
        """Any signed request passes the hub's signature check before the hub looks at what it is for."""
        tenant = self._settings.credentials.tenant
        answer = self._http.send(
            "GET",
            self._settings.bulk_url.rstrip("/") + "/batchtransactions",
            headers={
                "Platform-TenantId": tenant,
                "Content-Type": "application/json",
                signature.HEADER: signature.sign(signature.signed_data("", tenant), self._key),
                **self._settings.plain_extra_headers(),
            },
        )
        code, _text = answers.error_of(answer)
        if code in answers.SIGNATURE_CODES:
            raise Refused(Reason.SIGNATURE, code)
        if answer.status in (401, 403, 429):
            raise Refused(Reason.CONFIGURATION, f"HTTP {answer.status}")
        return self._clock_text(answer)

    def _reach_operations(self) -> str:
        if self._settings.credentials.username:
            self._operations.token()
        rows = self._operations.transfers_by_transaction("connection-test")
        return f"{len(rows)} rows"

    def _clock_text(self, answer: Answer) -> str:
        try:
            skew = abs(parsedate_to_datetime(answer.headers.get("Date", "")).timestamp() - self._clock())
        except (TypeError, ValueError):
            return ""
        if skew > _MAX_CLOCK_SKEW:
            raise Refused(Reason.CLOCK, f"{skew:.0f} s")
        return f"{skew:.0f} s"


def _names(row: Row, batch: BatchFile) -> bool:
    """Whether a batch row is ours; the hub stores a file as `<uuid>_<filename>`."""
    if not row.get("batchId"):
        return False
    return (
        str(row.get("requestFile") or "").endswith("_" + batch.filename)
        or row.get("requestFile") == batch.filename
        or row.get("correlationId") == batch.correlation_id
    )


def _key(row: Row, references: set[str]) -> str:
    """Which of `references` this transfer is for, or "": mojaloop and gsma rows carry it as correlation id,
    closed-loop and duplicate rows as transaction id."""
    for member in ("clientCorrelationId", "transactionId"):
        value = answers.unquoted(row.get(member))
        if value in references:
            return value
    return ""


def _suspect(outcome: Outcome, code: str) -> Outcome:
    return outcome.model_copy(update={"status": OutcomeStatus.SUSPECT, "reason_code": code})


def _multipart(batch: BatchFile) -> bytes:
    return (
        f"--{_BOUNDARY}\r\n"
        f'Content-Disposition: form-data; name="data"; filename="{batch.filename}"\r\n'
        "Content-Type: text/csv\r\n"
        "\r\n"
        f"{batch.content}\r\n"
        f"--{_BOUNDARY}--\r\n"
    ).encode("ascii")
