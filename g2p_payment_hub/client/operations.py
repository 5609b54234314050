"""The operations app of Payment Hub EE (ph-ee-operations-app v1.20.2): what the hub says of batches.

It is filled with a lag of seconds to minutes, so that a 404 right after an upload is normal. Totals and
page counts in its answers are not reliable: pages are read until one is short.
"""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from .auth import TokenCache
from .errors import OutcomeUnknown, Reason, Refused
from .http import Answer, HttpClient
from .settings import HubSettings

Row = dict[str, Any]
_MAX_PAGES = 100
_BATCHES_PAGE = 100
_REQUEST_IDS_PAGE = 500


class Operations:
    """Every method raises GatewayError when it learnt nothing; then nothing changes, and it is asked later."""

    def __init__(self, settings: HubSettings, http: HttpClient, tokens: TokenCache):
        self._settings = settings
        self._http = http
        self._tokens = tokens
        self._base = settings.operations_url.rstrip("/")

    def token(self) -> str:
        return self._tokens.get(self._http, self._base, self._settings.credentials)

    def batches(self, since: datetime) -> Iterator[Row]:
        """Batches started after `since` (with a time zone), newest first."""
        local = since.astimezone(ZoneInfo(self._settings.interface_timezone))
        start = (local - timedelta(minutes=5)).strftime("%Y-%m-%d %H:%M:%S")
        for page in range(_MAX_PAGES):
            query = {
                "dateFrom": start,
                "sort": "-startedAt",
                "limit": str(_BATCHES_PAGE),
                "offset": str(page * _BATCHES_PAGE),
            }
            rows = _rows(self._ask("GET", "/batches", params=query), "data")
            yield from rows
            if len(rows) < _BATCHES_PAGE:
                return

    def batch_rows(self, batch_id: str, page_size: int) -> Iterator[list[Row]]:
        """Pages of the transfers of a batch and its sub-batches; nothing while the batch is not known.

        Rows come in no order, so a `page_size` that takes them all in one page is best.
        """
        for page in range(_MAX_PAGES):
            query = {
                "batchId": batch_id,
                "status": "ALL",
                "pageNo": str(page),
                "pageSize": str(page_size),
                "command": "json",
            }
            rows = _rows(self._ask("GET", "/batch/detail", params=query), "content")
            if rows:
                yield rows
            if len(rows) < page_size:
                return

    def transfers_by_request(self, references: Collection[str]) -> list[Row]:
        """Transfers whose request id is one of `references` (payment modes mojaloop and gsma)."""
        ordered = sorted(references)
        found: list[Row] = []
        for start in range(0, len(ordered), _REQUEST_IDS_PAGE):
            part = ordered[start : start + _REQUEST_IDS_PAGE]
            query = {"page": "0", "size": "10000"}
            found += _rows(
                self._ask("POST", "/transfers", params=query, json={"requestIds": part}), "content"
            )
        return found

    def transfers_by_transaction(self, transaction_id: str) -> list[Row]:
        """Transfers with this transaction id: our reference in closed-loop modes and for duplicates."""
        query = {"transactionId": transaction_id, "page": "0", "size": "10"}
        return _rows(self._ask("GET", "/transfers", params=query), "content")

    def variables(self, transaction_id: str) -> dict[str, str]:
        """The variables of a transfer's workflow, name to text."""
        body = self._ask("GET", f"/variables/{quote(transaction_id, safe='')}").json()
        if not isinstance(body, dict):
            raise OutcomeUnknown(Reason.NOT_UNDERSTOOD, "variables")
        return {str(name): str(value) for name, value in body.items()}

    def _ask(self, method: str, path: str, **arguments: Any) -> Answer:
        answer = self._send(method, path, **arguments)
        if answer.status == 401:
            self._tokens.forget(self._base, self._settings.credentials)
            answer = self._send(method, path, **arguments)
        if answer.status in (401, 403):
            raise Refused(Reason.LOGIN, f"HTTP {answer.status}")
        if answer.status == 500 and not answer.body.strip():
            raise OutcomeUnknown(Reason.TENANT, "HTTP 500 without a body")
        if answer.status not in (200, 404):
            raise OutcomeUnknown(Reason.SERVER_ERROR, f"HTTP {answer.status}")
        return answer

    def _send(self, method: str, path: str, **arguments: Any) -> Answer:
        headers = {
            "Platform-TenantId": self._settings.credentials.tenant,
            "Accept": "application/json",
            **self._settings.plain_extra_headers(),
        }
        if self._settings.credentials.username:
            headers["Authorization"] = f"Bearer {self.token()}"
        return self._http.send(method, self._base + "/api/v1" + path, headers=headers, **arguments)


def _rows(answer: Answer, member: str) -> list[Row]:
    """The rows of a page. No rows for 404; OutcomeUnknown for an answer of another shape."""
    if answer.status == 404:
        return []
    body = answer.json()
    rows = body.get(member) if isinstance(body, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise OutcomeUnknown(Reason.NOT_UNDERSTOOD, f"no list of {member}")
    return rows
