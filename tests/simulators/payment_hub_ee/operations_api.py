"""ph-ee-operations-app v1.20.2: tokens and status."""

import json
import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .reports import Reports, millis, seen
from .web import TEXT, BadParameter, Response, Routes, answer, html, number

NO_GET = "Request method 'GET' not supported"
STATUS_FILTERS = ("COMPLETED", "IN_PROGRESS", "FAILED")
OPEN_PATHS = ("/oauth/token_key", "swagger", "api-docs", "actuator")
TRANSFER_FILTERS = (
    "payerPartyId", "payeePartyId", "payeeDfspId", "payerDfspId", "transactionId", "clientCorrelationId",
    "currency", "direction",
)  # fmt: skip


class OperationsApi:
    def __init__(self, hub, tokens):
        self.hub, self.settings, self.tokens = hub, hub.settings, tokens
        self.reports = Reports(hub)
        self._routes = Routes(
            ("POST", "/oauth/token", tokens.token),
            ("GET", "/oauth/token", lambda _request: answer(400, {"error": NO_GET})),
            ("GET", "/actuator/health", lambda _request: answer(200, {"status": "UP"})),
            ("GET", "/api/v1/batch", self._stored),
            ("GET", "/api/v1/batch/detail", self._detail),
            ("GET", "/api/v1/batch/transactions", self._transactions),
            ("GET", "/api/v1/batch/([^/]+)", self._aggregate),
            ("GET", "/api/v1/batches", self._batches),
            ("GET", "/api/v1/batches/([^/]+)", self._batch),
            ("GET", "/api/v1/batches/([^/]+)/subBatches/([^/]+)", self._sub_batch),
            ("GET", "/api/v1/transfers", self._transfers),
            ("POST", "/api/v1/transfers", self._transfers_by_ids),
            ("GET", "/api/v1/variables/([^/]+)", self._variables),
        )

    def __call__(self, request):
        """Tenant first (500 and nothing), then the token; what fails unforeseen is 500 and nothing again."""
        if any(path in request.path for path in OPEN_PATHS):
            return self._routes(request) or html(404, "Not Found")
        if request.tenant not in self.settings.tenants:
            return Response(500)
        if request.path.startswith("/api/v1/") and (refusal := self.tokens.refusal(request)):
            return refusal
        try:
            return self._routes(request) or html(404, "Not Found")
        except BadParameter:
            return html(400, "Bad Request")
        except (ValueError, KeyError, ArithmeticError):
            return Response(500)

    # -- batches ---------------------------------------------------------------------------------------

    def _aggregate(self, request, batch_id):
        batch = self.hub.batch(request.tenant, batch_id)
        if batch is None:
            return _unknown(batch_id)
        with self.hub.lock:
            return answer(200, self.reports.aggregate(batch))

    def _stored(self, request):
        batch_id = request.query.get("batchId")
        batch = self.hub.batch(request.tenant, batch_id)
        return _unknown(batch_id) if batch is None else answer(200, self.reports.stored(batch))

    def _detail(self, request):
        """A page of transfers. A status narrows to the parent's own rows, of which a split batch has none."""
        query = request.query
        if "batchId" not in query:
            return html(400, "Bad Request")
        if query.get("command", "json").lower() == "download":
            return self._download(request)
        page, size = number(request, "pageNo", 0), number(request, "pageSize", 10)
        states = self._states(request, query["batchId"], query.get("status", "ALL").upper())
        rows = [self.reports.row(state) for state in states[page * size : (page + 1) * size]]
        return answer(200, spring_page(rows, page, size, len(states), ordered=False))

    def _states(self, request, batch_id, status):
        """Transfers by batch or sub-batch id, whether or not the batch row has been imported."""
        now = self.hub.clock.now()
        batch = self.hub.batch(request.tenant, batch_id)
        parts = [part["id"] for part in self.reports.parts(batch, now)] if batch else []
        wanted = {batch_id} if status in STATUS_FILTERS or not parts else set(parts)
        entries = batch["transfers"] if batch else self.hub.transfers[request.tenant]
        states = [seen(entry, now) for entry in entries if entry["part_id"] in wanted]
        statuses = {status} if status in STATUS_FILTERS else None
        return [state for state in states if state and (not statuses or state["status"] in statuses)]

    def _download(self, request):
        counters = self.hub.counters.get(request.query["batchId"], {})
        if not counters.get("file"):
            return Response(404)
        return Response(302, b"", {"Location": counters["file"]})

    def _transactions(self, request):
        """transactionId -> status of an unsplit batch; nothing at all for an unknown one."""
        batch_id = request.query.get("batchId")
        if batch_id is None:
            return html(400, "Bad Request")
        batch = self.hub.batch(request.tenant, batch_id)
        if batch is None:
            return Response(200)
        states = self.reports.by_part(batch, self.hub.clock.now())[batch_id]
        return answer(200, {state["entry"]["transaction_id"]: state["status"] for state in states})

    def _batches(self, request):
        """The list of batches, parents only. Neither file name nor correlation id can be asked for."""
        query = request.query
        offset, limit = number(request, "offset", 0), number(request, "limit", 10)
        start, end = self._moment(query.get("dateFrom")), self._moment(query.get("dateTo"))
        if limit < 1 or offset < 0:
            return Response(500)
        rows = [self.reports.database_row(batch) for batch in self.hub.known_batches(request.tenant)]
        rows = [row for row in rows if _between(row["startedAt"], start, end) and _like(row, query)]
        try:
            rows.sort(**_order(query.get("sort", "-startedAt")))
        except (KeyError, TypeError):
            return Response(400)
        first = offset // limit * limit
        return answer(200, _batch_list(rows, rows[first : first + limit]))

    def _moment(self, text):
        """yyyy-MM-dd HH:mm:ss in the server's time zone, as milliseconds."""
        if text is None:
            return None
        moment = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=_zone(self.settings.timezone))
        return millis(moment.timestamp())

    def _batch(self, request, batch_id):
        if request.headers.get("X-Correlation-ID") is None:
            return html(400, "Bad Request")
        batch = self.hub.batch(request.tenant, batch_id)
        if batch is None:
            return Response(404)
        if request.query.get("associations") != "all":
            return answer(200, self.reports.summary(batch))
        return answer(200, self.reports.detail(batch, self._instructions(request, batch)))

    def _instructions(self, request, batch):
        """The page is taken of each sub-batch. An unsplit batch with a payee DFSP fails (KeyError: 500)."""
        offset, limit = number(request, "offset", 0), number(request, "limit", 10)
        first, now = offset // limit * limit, self.hub.clock.now()
        parts = [part["id"] for part in self.reports.parts(batch, now)]
        by_part = self.reports.by_part(batch, now)
        pages = [by_part[part_id][first : first + limit] for part_id in parts or [batch["batch_id"]]]
        states = [state for page in pages for state in page]
        if not parts and any(state["entry"]["payee_dfsp"] for state in states):
            raise KeyError("payeeFspSet")
        return states

    def _sub_batch(self, request, batch_id, part_id):
        if request.headers.get("X-Correlation-ID") is None:
            return html(400, "Bad Request")
        now = self.hub.clock.now()
        batches = self.hub.known_batches(request.tenant)
        found = [b for b in batches if any(part["id"] == part_id for part in self.reports.parts(b, now))]
        if not found:
            return Response(500)
        batch = found[0]
        states = self.reports.by_part(batch, now)[part_id]
        body = {
            "subBatchId": part_id,
            "batchId": batch_id,
            "payerFsp": batch["tenant"],
            "instructionList": [self.reports.instruction(state, "payer") for state in states],
            "totalInstructionCount": len(states),
        }
        return answer(200, body)

    # -- rows ------------------------------------------------------------------------------------------

    def _transfers(self, request):
        """Filters by exact value; batchId is not one of them, so asking by it returns everything."""
        query = request.query
        rows = self._response_rows(self._candidates(request.tenant, query))
        for name in TRANSFER_FILTERS:
            if name in query:
                rows = [row for row in rows if row[name] == query[name]]
        rows = [row for row in rows if self._fits(row, query)]
        return self._page_of_responses(request, rows, 1)

    def _candidates(self, tenant, query):
        """The index where one helps, else all."""
        if "transactionId" in query:
            return self.hub.by_transaction.get((tenant, query["transactionId"]), [])
        if "clientCorrelationId" in query:
            return self.hub.by_correlation.get((tenant, query["clientCorrelationId"]), [])
        return self.hub.transfers[tenant]

    def _fits(self, row, query):
        status = query.get("status", "").upper()
        if status in (*STATUS_FILTERS, "EXCEPTION", "UNKNOWN") and row["status"] != status:
            return False
        if "amount" in query and not _same_amount(row["amount"], query["amount"]):
            return False
        if "partyId" in query and query["partyId"] not in (row["payerPartyId"], row["payeePartyId"]):
            return False
        types = (row["payerPartyIdType"], row["payeePartyIdType"])
        if "partyIdType" in query and query["partyIdType"] not in types:
            return False
        start, end = self._moment(query.get("startFrom")), self._moment(query.get("startTo"))
        return _between(row["startedAt"], start, end)

    def _transfers_by_ids(self, request):
        """{"requestIds": [...], "payeePartyIds": [...]}: the last list that is not empty is the one used, and
        the second is looked for among the payees' DFSPs."""
        tenant, by_correlation = request.tenant, self.hub.by_correlation
        entries = self.hub.transfers[tenant]
        for name, values in json.loads(request.body).items():
            if values and name == "requestIds":
                found = (by_correlation.get((tenant, value), ()) for value in dict.fromkeys(values))
                entries = [entry for group in found for entry in group]
            elif values and name == "payeePartyIds":
                entries = [entry for entry in self.hub.transfers[tenant] if entry["payee_dfsp"] in values]
        return self._page_of_responses(request, self._response_rows(entries), 10000)

    def _response_rows(self, entries):
        now = self.hub.clock.now()
        known = (self.reports.response_row(state) for entry in list(entries) if (state := seen(entry, now)))
        return list(known)

    def _page_of_responses(self, request, rows, size):
        """The number of pages is handed on as the number of elements."""
        page, size = number(request, "page", 0), number(request, "size", size)
        descending = request.query.get("sortedOrder", "DESC").upper() == "DESC"
        rows.sort(key=lambda row: (row["startedAt"], row["id"]), reverse=descending)
        content = rows[page * size : (page + 1) * size]
        pages = -(-len(rows) // size)
        fits = content and page * size + size > pages
        return answer(200, spring_page(content, page, size, page * size + len(content) if fits else pages))

    def _variables(self, request, transaction_id):
        now = self.hub.clock.now()
        entries = self.hub.by_transaction.get((request.tenant, transaction_id), [])
        state = next((state for entry in entries if (state := seen(entry, now))), None)
        return answer(200, self.reports.variables(state) if state else {})


def spring_page(content, page, size, total, ordered=True):
    """org.springframework.data.domain.Page as Jackson writes it. A size below 1 is an error (500)."""
    if size < 1 or page < 0:
        raise ValueError("Page size must not be less than one")
    pages = -(-total // size)
    sort = {"sorted": ordered, "unsorted": not ordered, "empty": not ordered}
    return {
        "content": content,
        "pageable": {
            "sort": sort,
            "offset": page * size,
            "pageNumber": page,
            "pageSize": size,
            "paged": True,
            "unpaged": False,
        },
        "totalElements": total,
        "totalPages": pages,
        "last": page + 1 >= pages,
        "size": size,
        "number": page,
        "sort": sort,
        "numberOfElements": len(content),
        "first": page == 0,
        "empty": not content,
    }


def _batch_list(rows, data):
    counted = [row for row in rows if row["totalTransactions"] is not None]
    return {
        "totalBatches": len(rows),
        "totalTransactions": sum(row["totalTransactions"] for row in counted),
        "totalAmount": sum(row["totalAmount"] for row in counted),
        "totalApprovedCount": 0,
        "totalApprovedAmount": 0,
        "totalSubBatchesCreated": 10,
        "data": data,
    }


def _order(text):
    """A sort parameter as arguments of list.sort; a plus sign that was not encoded has become a blank."""
    name = text.strip().lstrip("+-")
    return {"key": lambda row: (row[name] is not None, row[name]), "reverse": text.startswith("-")}


def _between(moment, start, end):
    return (start is None or moment >= start) and (end is None or moment <= end)


def _like(row, query):
    """SQL LIKE on three columns."""
    return all(
        re.fullmatch(re.escape(query.get(name, "%")).replace("%", ".*").replace("_", "."), row[name] or "")
        for name in ("registeringInstitutionId", "payerFsp", "batchId")
    )


def _same_amount(left, right):
    try:
        return Decimal(left) == Decimal(right)
    except InvalidOperation:
        raise ValueError(right) from None


def _zone(name):
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:
        return timezone(timedelta(hours=5, minutes=30)) if name == "Asia/Kolkata" else timezone.utc


def _unknown(batch_id):
    return answer(404, f"Batch corresponding to batchId: {batch_id} does not exist.", TEXT)
