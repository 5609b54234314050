"""Things that go wrong on the way, switched on over the control port.

A fault answers in the hub's place, changes the data of an answer, spoils the answer on the wire, or upsets
a callback; KINDS says which. It is used up after `count` requests that match it.
"""

import json
import random
import re
import threading
import time

from .errors import advice
from .oauth import invalid_token
from .web import Response, answer, html

DEFAULTS = {"count": 1, "probability": 1.0, "path": "", "method": "", "server": ""}


class Dropped(Exception):
    """Close the connection with a reset, now."""


# -- instead of the hub --------------------------------------------------------------------------------


def drop_before(_fault):
    raise Dropped()


def slow_before(fault):
    time.sleep(fault.get("seconds", 2))


def hang(fault):
    time.sleep(fault.get("seconds", 60))
    raise Dropped()


def html_500(_fault):
    return html(500, "Internal Server Error")


def empty_500(_fault):
    return Response(500)


def bad_gateway(_fault):
    return html(502, "Bad Gateway")


def unavailable(fault):
    response = html(503, "Service Unavailable")
    return _retry_after(response, fault)


def rate_limited(fault):
    """The gateway in front of the hub."""
    return _retry_after(answer(429, {"message": "API rate limit exceeded"}), fault)


def _retry_after(response, fault):
    if "retry_after" in fault:
        response.headers["Retry-After"] = str(fault["retry_after"])
    return response


def redirect(fault):
    return Response(
        fault.get("status", 302), b"", {"Location": fault.get("to", "https://elsewhere.invalid/")}
    )


def expired_token(_fault):
    return invalid_token("Access token expired: simulated")


def custom(fault):
    """Any answer: status, body (text or JSON value), content_type, headers."""
    kind = fault.get("content_type", "application/json")
    response = answer(fault.get("status", 200), fault.get("body", ""), kind)
    response.headers.update(fault.get("headers", {}))
    return response


# -- the data of an answer -----------------------------------------------------------------------------


def half_page(rows, _fault):
    return rows[: len(rows) // 2]


def reorder(rows, _fault):
    return random.sample(rows, len(rows))


def duplicate_rows(rows, _fault):
    return [row for row in rows for _copy in range(2)]


def wrong_amount(rows, fault):
    return [{**row, "amount": str(int(row["amount"]) + fault.get("by", 1))} for row in rows]


def wrong_currency(rows, fault):
    return [{**row, "currency": fault.get("currency", "XTS")} for row in rows]


def status_flaps(rows, _fault):
    """What was paid has failed, what has failed is paid."""
    other = {"COMPLETED": "FAILED", "FAILED": "COMPLETED"}
    return [{**row, "status": other.get(row["status"], row["status"])} for row in rows]


def unknown_status(rows, fault):
    return [{**row, "status": fault.get("status", "RESERVED")} for row in rows]


def all_completed(rows, _fault):
    """A lie: everything completed, no errors."""
    return [{**row, "status": "COMPLETED", "errorInformation": None} for row in rows]


def foreign_rows(rows, _fault):
    """Rows that nobody asked for, among those that were."""
    ids = ("transactionId", "clientCorrelationId")
    return rows + [{**row, **{name: f"stranger-{row['id']}" for name in ids}} for row in rows]


# -- the wire ------------------------------------------------------------------------------------------


def accept_then_drop(_write, _response, _fault):
    raise Dropped()


def accept_then_answer(write, _response, fault):
    """Done, and something else said of it: settings as for `custom`; a 412 unless told otherwise."""
    write.whole(custom({"status": 412, "body": advice("Process definition not found"), **fault}))


def slow(write, response, fault):
    """Done at once, told late."""
    time.sleep(fault.get("seconds", 2))
    write.whole(response)


def slow_drip(write, response, fault):
    """One byte at a time."""
    write.head(response, len(response.body))
    for byte in response.body:
        write.bytes(bytes([byte]))
        time.sleep(fault.get("seconds", 0.2))


def half_body(write, response, _fault):
    """Less than Content-Length promises, then the connection ends."""
    write.head(response, len(response.body))
    write.bytes(response.body[: len(response.body) // 2])
    write.close()


def oversized_body(write, response, fault):
    padding = fault.get("megabytes", 64) * 1024
    write.head(response, len(response.body) + padding * 1024)
    for _block in range(padding):
        write.bytes(b" " * 1024)
    write.bytes(response.body)


def endless_body(write, response, fault):
    end = time.monotonic() + fault.get("seconds", 60)
    write.head(response, None)
    while time.monotonic() < end:
        write.chunk(b" " * 4096)
    write.close()


def invalid_json(write, response, _fault):
    response.body = response.body[:-1] + b", NaN"
    write.whole(response)


def wrong_content_type(write, response, fault):
    response.headers["Content-Type"] = fault.get("content_type", "text/plain")
    write.whole(response)


def bad_signature(write, response, _fault):
    """The signature of something else."""
    given = response.headers.get("X-SIGNATURE", "")
    response.headers["X-SIGNATURE"] = given[:8][::-1] + given[8:]
    write.whole(response)


def no_signature(write, response, _fault):
    response.headers.pop("X-SIGNATURE", None)
    write.whole(response)


INSTEAD = (
    drop_before, slow_before, hang, html_500, empty_500, bad_gateway, unavailable, rate_limited, redirect,
    expired_token, custom,
)  # fmt: skip
DATA = (
    half_page, reorder, duplicate_rows, wrong_amount, wrong_currency, status_flaps, unknown_status,
    all_completed, foreign_rows,
)  # fmt: skip
WIRE = (
    accept_then_drop, accept_then_answer, slow, slow_drip, half_body, oversized_body, endless_body,
    invalid_json, wrong_content_type, bad_signature, no_signature,
)  # fmt: skip
CALLBACK = ("callback_lost", "callback_repeated", "callback_backwards", "callback_untyped")
KINDS = {
    **{function.__name__: ("instead", function) for function in INSTEAD},
    **{function.__name__: ("data", function) for function in DATA},
    **{function.__name__: ("wire", function) for function in WIRE},
    **dict.fromkeys(CALLBACK, ("callback", None)),
}


class Faults:
    """The faults that are switched on."""

    def __init__(self, seed=None):
        self._lock = threading.Lock()
        self._random = random.Random(seed)
        self._faults = []

    def add(self, entries):
        """Entries are dicts with `fault`, and any of DEFAULTS or the fault's own settings. ValueError."""
        entries = [entries] if isinstance(entries, dict) else entries
        for entry in entries:
            if entry.get("fault") not in KINDS:
                raise ValueError(f"no such fault: {entry.get('fault')}; there are {', '.join(KINDS)}")
            re.compile(entry.get("path", ""))
        with self._lock:
            self._faults += [{**_defaults(entry["fault"]), **entry, "hits": 0} for entry in entries]

    def clear(self):
        with self._lock:
            self._faults.clear()

    def listed(self):
        with self._lock:
            return [dict(fault) for fault in self._faults]

    def take(self, request):
        """The faults for a request, in the order in which they were switched on."""
        return self._take(lambda fault: _matches(fault, request))

    def take_callback(self):
        return [fault["fault"] for fault in self._take(lambda fault: fault["fault"] in CALLBACK)]

    def _take(self, fits):
        with self._lock:
            return [self._hit(fault) for fault in self._faults if fits(fault) and self._happens(fault)]

    def _happens(self, fault):
        left = fault["count"] is None or fault["hits"] < fault["count"]
        return left and self._random.random() < fault["probability"]

    @staticmethod
    def _hit(fault):
        fault["hits"] += 1
        return dict(fault)


def _defaults(kind):
    """Faults that make sense for status calls only leave the token endpoint alone."""
    status_only = KINDS[kind][0] == "data" or kind == "expired_token"
    return {**DEFAULTS, "path": "^/api/v1/"} if status_only else DEFAULTS


def _matches(fault, request):
    return (
        fault["fault"] not in CALLBACK
        and fault["server"] in ("", request.server)
        and fault["method"] in ("", request.method)
        and re.search(fault["path"], request.path)
    )


def replaced(taken):
    """The answer given instead of the hub's own, or None; may sleep, may raise Dropped."""
    for fault in taken:
        phase, function = KINDS[fault["fault"]]
        if phase == "instead" and (response := function(fault)) is not None:
            return response
    return None


def with_data_changed(taken, response):
    """Apply the data faults to the rows of a JSON answer."""
    changes = [fault for fault in taken if KINDS[fault["fault"]][0] == "data"]
    if changes and response.body:
        value = json.loads(response.body)
        for fault in changes:
            _change_rows(value, fault)
        response.body = json.dumps(value).encode()
    return response


def _change_rows(value, fault):
    for name in ("content", "data", "instructionList"):
        if isinstance(value, dict) and isinstance(value.get(name), list):
            value[name] = KINDS[fault["fault"]][1](value[name], fault)


def write_with(taken, write, response):
    """Send the answer, through the first wire fault if there is one."""
    for fault in taken:
        phase, function = KINDS[fault["fault"]]
        if phase == "wire":
            return function(write, response, fault)
    return write.whole(response)
