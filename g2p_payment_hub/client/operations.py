"""The operations app of Payment Hub EE (ph-ee-operations-app v1.20.2): what the hub says of batches.

It is filled with a lag of seconds to minutes, so that a batch is not known right after its upload. Totals
and page counts in its answers are not reliable.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

from . import answers
from .auth import TokenCache
from .errors import NotSent, OutcomeUnknown, Reason, Refused
from .http import Answer, HttpClient
from .settings import HubSettings

Row = dict[str, Any]
# The hub reads dates in a time zone of its own, at most 14 hours from UTC, and its clock may be wrong.
_DATES_APART = timedelta(hours=36)
_MAX_PAGES = 100
_BATCHES_PAGE = 100
# Rows come in no order, so one page should hold a batch: 100 000 bytes are less than 2 000 rows.
_ROWS_PAGE = 2_000
_REQUEST_IDS = 500
_TOKENS = 3  # the one that is kept, one for its refresh token, and one for user and password


class Operations:
    """Every method raises GatewayError when it learnt nothing; then nothing changes: ask later."""

    def __init__(self, settings: HubSettings, http: HttpClient, tokens: TokenCache):
        self._settings = settings
        self._http = http
        self._tokens = tokens
        self._base = settings.operations_url.rstrip("/")

    def token(self) -> str:
        """An access token, or "" where the hub asks for none."""
        if not self._settings.credentials.username:
            return ""
        headers = self._settings.plain_extra_headers()
        return self._tokens.get(self._http, self._base, self._settings.credentials, headers)

    def batches(self, since: datetime) -> Iterator[Row]:
        """Batches started after `since` (with a time zone), newest first, and some that started before.

        Without an institution a batch may not be listed (`BatchRepository` compares it with LIKE), and a
        batch that was split has lost the name of its file.
        """
        start = (since.astimezone(timezone.utc) - _DATES_APART).strftime("%Y-%m-%d %H:%M:%S")
        for page in range(_MAX_PAGES):
            query = {
                "dateFrom": start,
                "sort": "-startedAt",
                "limit": str(_BATCHES_PAGE),
                "offset": str(page * _BATCHES_PAGE),
            }
            rows = _rows(self._ask("GET", "/batches", params=query), "data")
            if not rows:
                return
            yield from rows
        raise OutcomeUnknown(Reason.TOO_LARGE, "more batches than can be looked through")

    def is_batch(self, batch_id: str) -> bool:
        """Whether the hub knows a batch by this id; it does not by the id of a sub-batch."""
        return self._ask("GET", "/batch", params={"batchId": batch_id}).status == 200

    def parts(self, batch_id: str) -> set[str]:
        """The sub-batches of a batch, as far as the hub knows them by now."""
        answer = self._ask("GET", f"/batches/{quote(batch_id, safe='')}", headers={"X-Correlation-ID": "0"})
        if answer.status == 404:
            return set()
        rows = _list(answer.json(), "subBatchSummaryList", missing=[])
        return {str(row.get("subBatchId") or "") for row in rows}

    def batch_rows(self, batch_id: str) -> Iterator[list[Row]]:
        """Pages of the transfers of a batch and its sub-batches; nothing while the batch is not known."""
        for page in range(_MAX_PAGES):
            query = {
                "batchId": batch_id,
                "status": "ALL",
                "pageNo": str(page),
                "pageSize": str(_ROWS_PAGE),
                "command": "json",
            }
            answer = self._ask("GET", "/batch/detail", params=query)
            rows = [] if answer.status == 404 else _rows(answer, "content")
            if rows:
                yield rows
            if len(rows) < _ROWS_PAGE:
                return

    def transfers_by_request(self, references: Collection[str]) -> list[Row]:
        """Transfers whose request id is one of `references`, quoted by the hub or not (payment modes mojaloop
        and gsma)."""
        ordered = sorted(references)
        found: list[Row] = []
        for start in range(0, len(ordered), _REQUEST_IDS):
            part = ordered[start : start + _REQUEST_IDS]
            body = {"requestIds": part + [f'"{reference}"' for reference in part]}
            query = {"page": "0", "size": "10000"}
            found += _rows(self._ask("POST", "/transfers", params=query, json=body), "content")
        return found

    def transfers_by_transaction(self, transaction_id: str) -> list[Row]:
        """Transfers with this transaction id: our reference in closed-loop modes and for duplicates."""
        query = {"transactionId": transaction_id, "page": "0", "size": "10"}
        return _rows(self._ask("GET", "/transfers", params=query), "content")

    def variables(self, transaction_id: str) -> dict[str, str]:
        """The variables of a transfer's workflow, name to text; empty when the hub has none to tell."""
        answer = self._ask("GET", f"/variables/{quote(transaction_id, safe='')}")
        body = answer.json() if answer.status == 200 else {}
        if not isinstance(body, dict):
            raise OutcomeUnknown(Reason.NOT_UNDERSTOOD, "variables")
        return {str(name): str(value) for name, value in body.items()}

    def _ask(self, method: str, path: str, **arguments: Any) -> Answer:
        """An answer of 200 or 404."""
        token = self.token()
        answer = self._send(token, method, path, **arguments)
        for _again in range(_TOKENS - 1):
            if answer.status != 401 or not token:
                break
            self._tokens.forget(self._base, self._settings.credentials, token)
            token = self.token()
            answer = self._send(token, method, path, **arguments)
        if answer.status == 401 and token and answers.error_of(answer)[0] == "invalid_token":
            # User and password were good for each of them.
            raise OutcomeUnknown(Reason.TOKEN, "HTTP 401 invalid_token")
        if answer.status in (401, 403):
            raise Refused(Reason.LOGIN, f"HTTP {answer.status}")
        if answer.status == 429:
            raise NotSent(Reason.BUSY, "HTTP 429", retry_after=answer.retry_after())
        if answer.status == 500 and not answer.body.strip():
            raise OutcomeUnknown(Reason.TENANT, "HTTP 500 without a body")
        if answer.status not in (200, 404):
            raise OutcomeUnknown(Reason.SERVER_ERROR, f"HTTP {answer.status}")
        return answer

    def _send(
        self, token: str, method: str, path: str, headers: Mapping[str, str] | None = None, **arguments: Any
    ) -> Answer:
        headers = {
            **self._settings.plain_extra_headers(),
            **(headers or {}),
            "Platform-TenantId": self._settings.credentials.tenant,
            "Accept": "application/json",
        }
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return self._http.send(method, self._base + "/api/v1" + path, headers=headers, **arguments)


def _rows(answer: Answer, member: str) -> list[Row]:
    """The rows of a page. OutcomeUnknown for anything else: a wrong address is no empty list."""
    if answer.status != 200:
        raise OutcomeUnknown(Reason.SERVER_ERROR, f"HTTP {answer.status}")
    return _list(answer.json(), member)


def _list(body: Any, member: str, missing: list[Row] | None = None) -> list[Row]:
    rows = body.get(member, missing) if isinstance(body, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise OutcomeUnknown(Reason.NOT_UNDERSTOOD, f"no list of {member}")
    return rows
