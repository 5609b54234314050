"""The Toolkit's rules, made from the table of payees.

A rule file is a list, and the first rule that matches decides. Besides the Toolkit's own facts the conditions
use `payee` {ending} and `transfer` {state, changed, first, resent}, which js/toolkit.js adds; the parameter
`books` tells it what its books end with.
"""

import dataclasses

from .payees import HUB, PAYEE_FSP, PAYEES, SILENT, Error, Quote

_PARTIES = ("/parties/{Type}/{ID}", "/parties/{Type}/{ID}/{SubId}")
_QUOTES, _TRANSFERS, _TRANSFER = "/quotes", "/transfers", "/transfers/{ID}"
_NOW = "{$function.generic.curDateISO}"

# Both run in the Toolkit, which gives the request as JSON.
_QUOTE_SCRIPT = """
const { amount } = JSON.parse(request.body)
const [whole, part = ''] = amount.amount.split('.')
const units = BigInt(whole + part.padEnd(4, '0'))
const money = more => {
  const text = String(units + BigInt(more) * 10000n).padStart(5, '0')
  const decimals = text.slice(-4).replace(/0+$/, '')
  return { currency, amount: text.slice(0, -4) + (decimals && '.' + decimals) }
}
const currency = CURRENCY || amount.currency
custom.appendEventBody({ transferAmount: money(TRANSFER), payeeReceiveAmount: money(RECEIVE) })
"""
_PARTICIPANTS_SCRIPT = """
const { currency, partyList } = JSON.parse(request.body)
const errorInformation = { errorCode: '3204', errorDescription: 'Party not found' }
const one = partyId => partyId.partyIdentifier.endsWith('0404') ? { partyId, errorInformation } : { partyId }
custom.appendEventBody({ currency, partyList: partyList.map(one) })
"""


def make(step_seconds):
    """{"response", "validation", "callback": rules} for an adapter that waits so long for each step."""
    rules = _Rules(step_seconds)
    for payee in PAYEES:
        rules.add_exceptions(payee)
    rules.add_known_transfers()
    for payee in PAYEES:
        rules.add_parties(payee)
        rules.add_quotes(payee)
        rules.add_transfers(payee)
    rules.add_usual()
    return {kind: _numbered(found, kind) for kind, found in rules.lists.items()}


class _Rules:
    def __init__(self, step_seconds):
        self._milliseconds = lambda steps: round(1000 * steps * step_seconds)
        self.lists = {"response": [], "validation": [], "callback": []}

    # One payee

    def add_exceptions(self, payee):
        """Where even what the books know is not said."""
        if payee.transfer and payee.transfer.query == SILENT:
            self._silent("get", _TRANSFER, _is(payee))
        if payee.transfer and payee.transfer.fulfilment:
            for method, path in (("get", _TRANSFER), ("post", _TRANSFERS)):
                self._state(method, path, _is(payee), "COMMITTED", payee.transfer.fulfilment)

    def add_parties(self, payee):
        for path in _PARTIES:
            here = ("get", path, _is(payee))
            if isinstance(payee.party, Error):
                self._error("parties", *here, payee.party, source=HUB)
            elif payee.party == SILENT:
                self._silent(*here)
            else:
                self._party(*here, payee.fsp, payee.party or "{$payee.name}", self._milliseconds(payee.lag))

    def add_quotes(self, payee):
        here = ("post", _QUOTES, _is(payee))
        if isinstance(payee.quote, Error):
            self._error("quotes", *here, payee.quote)
        elif payee.quote == SILENT:
            self._silent(*here)
        elif payee.quote or payee.lag:
            self._quote(*here, payee.quote or Quote(), self._milliseconds(payee.lag))

    def add_transfers(self, payee):
        transfer = payee.transfer
        if transfer is None:
            if payee.lag:
                self._state("post", _TRANSFERS, _is(payee), "COMMITTED", delay=self._milliseconds(payee.lag))
            return
        books = (
            {"state": transfer.state, "after": self._milliseconds(transfer.after)} if transfer.state else None
        )
        lost = {} if transfer.state or not transfer.resend else {"transfer.first": True}
        here = ("post", _TRANSFERS, {**_is(payee), **lost})
        if isinstance(transfer.answer, Error):
            self._error("transfers", *here, transfer.answer, books=books)
        elif transfer.answer == SILENT:
            self._silent(*here, books=books)
        elif isinstance(transfer.answer, int):
            self._refusal(*here, transfer.answer, books=books)
        else:
            delay = self._milliseconds(transfer.delay)
            self._state(*here, transfer.answer, books=books, times=transfer.times, delay=delay)

    # Everybody

    def add_known_transfers(self):
        """Ids that were seen before are answered from the books, and a new body does not change them."""
        changed = Error("3106", "Modified request")
        self._error("transfers", "post", _TRANSFERS, {"transfer.changed": True}, changed, source=HUB)
        unknown = Error("3208", "Transfer ID not found")
        self._error("transfers", "get", _TRANSFER, {"transfer.state": "UNKNOWN"}, unknown, source=HUB)
        expired = Error("3303", "Transfer expired")
        self._error("transfers", "get", _TRANSFER, {"transfer.state": "EXPIRED"}, expired, source=HUB)
        for state in ("COMMITTED", "RESERVED", "ABORTED"):
            known = {"transfer.state": state}
            self._state("get", _TRANSFER, known, state)
            self._state("post", _TRANSFERS, {"transfer.resent": True, **known}, state)

    def add_usual(self):
        for path in _PARTIES:
            self._party("get", path, {}, PAYEE_FSP, "{$payee.name}")
        self._quote("post", _QUOTES, {}, Quote())
        self._state("post", _TRANSFERS, {}, "COMMITTED")
        script = _PARTICIPANTS_SCRIPT
        self._callback("participants", "post", "/participants", {}, {}, source=HUB, script=script)

    # One rule

    def _party(self, method, path, conditions, fsp, name, delay=0):
        identity = {
            "partyIdType": "{$request.params.Type}",
            "partyIdentifier": "{$request.params.ID}",
            "fspId": fsp,
        }
        if path.endswith("{SubId}"):
            identity["partySubIdOrType"] = "{$request.params.SubId}"
        body = {"party": {"partyIdInfo": identity, "name": name}}
        self._callback("parties", method, path, conditions, body, source=fsp, delay=delay)

    def _quote(self, method, path, conditions, quote, delay=0):
        amount = {"currency": "{$request.body.amount.currency}", "amount": "{$request.body.amount.amount}"}
        body = {"transferAmount": amount, "payeeReceiveAmount": dict(amount), "expiration": quote.expiration}
        for name, value in (("payeeFspFee", quote.fee), ("payeeFspCommission", quote.commission)):
            if value:
                body[name] = {**amount, "amount": value}
        script = ""
        if dataclasses.replace(quote, expiration="") != Quote(expiration=""):
            script = _QUOTE_SCRIPT.replace("TRANSFER", quote.transfer).replace("RECEIVE", quote.receive)
            script = script.replace("CURRENCY", repr(quote.currency))
        self._callback("quotes", method, path, conditions, body, delay=delay, script=script)

    def _state(self, method, path, conditions, state, fulfilment="", **more):
        body = {"transferState": state}
        if state == "COMMITTED":
            body["completedTimestamp"] = _NOW
        if fulfilment:
            body["fulfilment"] = fulfilment
        if method == "post" and "books" not in more:
            more["books"] = {"state": state, "after": more.get("delay", 0)}
        source = None if method == "post" else HUB
        self._callback("transfers", method, path, conditions, body, source=source, **more)

    def _callback(self, kind, method, path, conditions, body, source=None, script="", **more):
        parameters = {"headers": _headers(kind, source), "body": body, **_said(more)}
        if script:
            parameters["scripts"] = {"scriptingEngine": "javascript", "exec": script.strip().splitlines()}
        self._add("callback", method, path, conditions, "FIXED_CALLBACK", parameters)

    def _error(self, kind, method, path, conditions, error, source=None, **more):
        body = {"errorInformation": {"errorCode": error.code, "errorDescription": error.text}}
        parameters = {"headers": _headers(kind, source), "body": body, **_said(more)}
        self._add("validation", method, path, conditions, "FIXED_ERROR_CALLBACK", parameters)

    def _silent(self, method, path, conditions, **more):
        self._add("validation", method, path, conditions, "NO_CALLBACK", _said(more))

    def _refusal(self, method, path, conditions, status, **more):
        conditions = {**conditions, "transfer.resent": False}
        body = {
            "errorInformation": {"errorCode": "2003", "errorDescription": "Service currently unavailable"}
        }
        parameters = {"statusCode": str(status), "body": body, **_said(more)}
        self._add("response", method, path, conditions, "FIXED_RESPONSE", parameters)

    def _add(self, kind, method, path, conditions, event, parameters):
        wanted = [_condition("operationPath", path), _condition("method", method)]
        wanted += [_condition(*name.split("."), value) for name, value in conditions.items()]
        self.lists[kind].append(
            {"conditions": {"all": wanted}, "event": {"type": event, "params": parameters}}
        )


def _is(payee):
    return {"payee.ending": payee.ending}


def _condition(fact, *path_and_value):
    *path, value = path_and_value
    return {"fact": fact, "operator": "equal", "value": value, **({"path": path[0]} if path else {})}


def _headers(kind, source):
    """What the Toolkit sends a fixed callback with; by default in the name of whom the request was for."""
    return {
        "Content-Type": f"application/vnd.interoperability.{kind}+json;version=1.1",
        "Date": "{$request.headers.date}",
        "FSPIOP-Source": source or "{$request.headers.fspiop-destination}",
        "FSPIOP-Destination": "{$request.headers.fspiop-source}",
    }


def _said(more):
    return {name: value for name, value in more.items() if value}


def _numbered(rules, kind):
    return [
        {"ruleId": number, "priority": 1, "type": kind, "version": 1, **rule}
        for number, rule in enumerate(rules, 1)
    ]
