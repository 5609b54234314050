"""Mifos Payment Hub EE: its bulk processor (v1.13.1) takes the batches, its operations app tells of them."""

import random
import re
import time
from collections.abc import Callable, Collection, Iterator
from datetime import datetime

from . import answers, clock, signature
from .auth import TokenCache
from .errors import GatewayError, OutcomeUnknown, Reason, Refused
from .http import Answer, HttpClient
from .instructions import BatchFile
from .operations import Operations, Row
from .outcomes import Check, Outcome, OutcomeStatus, Receipt
from .recovery import Search
from .settings import HubSettings

_BOUNDARY = "g2p-payment-batch-boundary"  # unquoted in the header: the hub's own parser needs it so
_MULTIPART = f"multipart/form-data; boundary={_BOUNDARY}"
_FILENAME = re.compile(r"[A-Za-z0-9._-]{1,200}\.csv")  # a slash would be a folder at the hub
_MAX_SINGLE_LOOKUPS = 50
VERIFY_SECONDS = 300  # then the other completed rows are left to the next question: no worker lives for ever
_ABOUT_ONE_TRANSFER = (Reason.SERVER_ERROR, Reason.TENANT, Reason.NOT_UNDERSTOOD, Reason.TIMEOUT)
OTHER_BATCH = "other_batch"  # the code of a row that was found elsewhere than in the batch asked for
_PROCESS_TOKENS = TokenCache()


class PaymentHub:
    """One hub, for one run of work; `close` it after use, or use it in a `with`."""

    def __init__(
        self,
        settings: HubSettings,
        tokens: TokenCache | None = None,
        now: Callable[[], float] = time.time,
    ):
        self._settings = settings
        self._now = now
        self._verify_until = 0.0
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
        if not _arrives_whole(batch):
            raise Refused(Reason.FILE, "the file would not arrive as it is")
        answer = self._http.send(
            "POST",
            self._bulk_address("/batchtransactions"),
            data=batch.content.encode("ascii") if self._settings.raw_json else _multipart(batch),
            headers=self._upload_headers(batch),
        )
        if answer.status in (202, 400) and not answers.is_signature_error(answer):
            self._check_signature(answer)
        return answers.receipt(answer)

    def _bulk_address(self, path: str) -> str:
        return self._settings.bulk_url.rstrip("/") + path

    def _upload_headers(self, batch: BatchFile) -> dict[str, str]:
        settings = self._settings
        tenant = settings.credentials.tenant
        data = signature.signed_data(batch.correlation_id, tenant, batch.content)
        headers = {
            **settings.plain_extra_headers(),
            "Content-Type": "application/json" if settings.raw_json else _MULTIPART,
            "Platform-TenantId": tenant,
            "X-CorrelationID": batch.correlation_id,
            "Purpose": settings.purpose,
            "Type": "raw" if settings.raw_json else "csv",
            "filename": batch.filename,
            signature.HEADER: signature.sign(data, self._key),
        }
        if settings.institution:
            headers["X-Registering-Institution-ID"] = settings.institution
        if settings.program:
            headers["X-Program-ID"] = settings.program
        if batch.callback_url:
            headers["X-CallbackURL"] = batch.callback_url
        return headers

    def _check_signature(self, answer: Answer) -> None:
        if self._certificate is None:
            return
        received = answer.headers.get(signature.HEADER, "")
        # invariant: answer-signed
        if not signature.verifies(answer.body.decode("utf-8", "replace"), received, self._certificate):
            raise OutcomeUnknown(
                Reason.FORGED, f"HTTP {answer.status}, not signed with the hub's certificate"
            )

    def find(
        self,
        batch: BatchFile,
        references: Collection[str],
        since: datetime,
        others: Collection[str] = (),
    ) -> Receipt | None:
        """The batch that an upload of unknown outcome became, or None while the hub shows no trace of it.

        `since` (with a time zone) is when the upload began; `others` are batches known to be another
        upload's, which need not be looked into. OutcomeUnknown(AMBIGUOUS) when there are two such
        batches, and while there is one that may be ours or not; in the mode slcb, whose rows the hub does not
        show, that can stay so.
        """
        search = Search(self._operations, batch, references, since, others, self._settings.raw_json)
        return search.receipt(reference_is_transaction=self._settings.closed_loop)

    def outcomes(
        self,
        batch_id: str,
        references: Collection[str],
        ended: Collection[str] = (),
        failed: Collection[str] = (),
    ) -> Iterator[list[Outcome]]:
        """Yield pages of what the hub says of the batch's rows.

        `references` are those whose end is still open, `ended` the others of the batch, and `failed` those of
        these that count as failed here: their completed rows are verified as well, because only then do they
        say more than what was known when they were given that end. Other rows are told under their own key.
        The batch's status word and counters are not used: the hub calls an empty batch COMPLETED and a
        running one Failed.

        Raise GatewayError: ask again later.
        """
        still_open = set(references)
        ours = still_open.union(ended, failed)
        self._verify_until = self._now() + VERIFY_SECONDS
        seen: set[str] = set()
        parts = {batch_id}
        for rows in self._operations.batch_rows(batch_id):
            page = self._page(rows, ours, still_open, set(failed))
            seen.update(outcome.reference for outcome in page)
            parts.update(str(row.get("batchId") or batch_id) for row in rows)
            yield page
        if seen:
            yield self._silent_rows(batch_id, still_open - seen, parts)

    def shows(self, batch_id: str) -> bool:
        """Tell whether the hub knows the batch. One that it knows and of which it lists no row waits for its
        authorization, was rejected there, or has only just begun: nothing tells these apart."""
        return self._operations.is_batch(batch_id)

    def _page(self, rows: list[Row], ours: set[str], still_open: set[str], failed: set[str]) -> list[Outcome]:
        """Verify first what is still open: what failed is asked about every day, and not all in one go."""
        random.shuffle(rows)
        rows.sort(key=lambda row: answers.reference_of(row, ours) not in still_open)
        return [self._outcome(row, ours, still_open, failed) for row in rows]

    def _silent_rows(self, batch_id: str, references: set[str], parts: set[str]) -> list[Outcome]:
        """Rows refused as duplicates: not listed with their batch once the hub has split it."""
        rows: list[Row] = []
        if references:
            rows += self._operations.transfers_by_request(references)
        # Not always the first ones, so that in time each gets its turn.
        for reference in random.sample(sorted(references), min(_MAX_SINGLE_LOOKUPS, len(references))):
            rows += self._operations.transfers_by_transaction(reference)
        ours = [row for row in rows if answers.reference_of(row, references)]
        if any(str(row.get("batchId") or "") not in parts for row in ours):
            parts = parts | self._operations.parts(batch_id)
        told = [self._silent_row(row, references, parts) for row in ours]
        return [outcome for outcome in told if outcome.status is not OutcomeStatus.WAITING]

    def _silent_row(self, row: Row, references: set[str], parts: set[str]) -> Outcome:
        """These were looked for in the whole hub. In another batch, that of an earlier attempt, a failure
        does not end this one, and a success is for a person: it may be paid twice."""
        outcome = self._outcome(row, references, references)
        if str(row.get("batchId") or "") in parts:
            return outcome
        if outcome.status is OutcomeStatus.FAILED:
            return _marked(outcome, OutcomeStatus.WAITING, OTHER_BATCH)
        return _marked(outcome, OutcomeStatus.SUSPECT, OTHER_BATCH)

    def _outcome(
        self, row: Row, ours: set[str], still_open: set[str], failed: Collection[str] = ()
    ) -> Outcome:
        reference = answers.reference_of(row, ours) or answers.unquoted(row.get("clientCorrelationId"))
        outcome = answers.outcome(row, reference)
        if outcome.status is not OutcomeStatus.PAID or reference not in ours:
            return outcome
        if self._settings.closed_loop:
            return self._closed_loop(outcome, reference in still_open)
        # invariant: completed-is-verified
        if self._settings.verify_completed and (reference in still_open or reference in failed):
            return self._verified(outcome)
        return outcome

    def _closed_loop(self, outcome: Outcome, is_open: bool) -> Outcome:
        """Hold a payment open whose workflow went on: that proves no payment, and speaks against no end that
        was given to it, nor does what a person confirmed of the batch."""
        if self._settings.trust_closed_loop or (is_open and self._settings.confirmed_closed_loop):
            return outcome
        return _marked(outcome, OutcomeStatus.HELD if is_open else OutcomeStatus.WAITING, "closed_loop")

    def _verified(self, outcome: Outcome) -> Outcome:
        variables = self._variables(outcome.remote_reference) if self._now() < self._verify_until else {}
        if not variables:
            return _marked(outcome, OutcomeStatus.WAITING, "unverified")
        for name in answers.FAILURE_VARIABLES:
            if variables.get(name, "").strip('" ').lower() == "true":
                return _marked(outcome, OutcomeStatus.SUSPECT, name)
        return outcome

    def _variables(self, transaction_id: str) -> dict[str, str]:
        """Nothing when the hub answers with an error or not in time, so that one such transfer does not hide
        the others."""
        try:
            return self._operations.variables(transaction_id) if transaction_id else {}
        except OutcomeUnknown as error:
            if error.reason in _ABOUT_ONE_TRANSFER:
                return {}
            raise

    def check_connection(self) -> list[Check]:
        """What works and what does not, one line each, without sending anything that could pay."""
        return [self._check("bulk", self._reach_bulk), self._check("operations", self._reach_operations)]

    def _check(self, name: str, probe: Callable[[], str]) -> Check:
        try:
            return Check(name=name, ok=True, detail=probe())
        except GatewayError as error:
            return Check(name=name, ok=False, reason=error.reason, detail=error.detail)

    def _reach_bulk(self) -> str:
        answer = self._simulate(signed=True)
        if answers.is_signature_error(answer):
            raise Refused(Reason.SIGNATURE, answers.error_of(answer)[0])
        if answer.status != 200 or answer.body.strip():
            raise Refused(Reason.CONFIGURATION, f"HTTP {answer.status}")
        if not answers.is_signature_error(self._simulate(signed=False)):
            raise Refused(Reason.SIGNATURE, "the hub does not check signatures; it loses files then")
        return clock.skew_text(answer, self._now())

    def _simulate(self, signed: bool) -> Answer:
        """A request that the bulk processor answers with nothing (`SimulateApiController`), after the check
        of its signature; methods and addresses that it does not serve are refused before that check."""
        tenant, body = self._settings.credentials.tenant, "{}"
        headers = {
            **self._settings.plain_extra_headers(),
            "Platform-TenantId": tenant,
            "Content-Type": "application/json",
        }
        if signed:
            headers[signature.HEADER] = signature.sign(signature.signed_data("", tenant, body), self._key)
        return self._http.send("POST", self._bulk_address("/simulate"), data=body, headers=headers)

    def _reach_operations(self) -> str:
        rows = self._operations.transfers_by_transaction("connection-test")
        return f"{len(rows)} rows"


def _marked(outcome: Outcome, status: OutcomeStatus, code: str) -> Outcome:
    return outcome.model_copy(update={"status": status, "reason_code": code, "failure_type": None})


def _arrives_whole(batch: BatchFile) -> bool:
    """Whether the hub's multipart reader gives its bulk processor the very text that was approved."""
    content = batch.content
    return bool(
        content
        and content.isascii()
        and signature.normalised(content) == content
        and _BOUNDARY not in content
        and _FILENAME.fullmatch(batch.filename)
    )


def _multipart(batch: BatchFile) -> bytes:
    return (
        f"--{_BOUNDARY}\r\n"
        f'Content-Disposition: form-data; name="data"; filename="{batch.filename}"\r\n'
        "Content-Type: text/csv\r\n"
        "\r\n"
        f"{batch.content}\r\n"
        f"--{_BOUNDARY}--\r\n"
    ).encode("ascii")
