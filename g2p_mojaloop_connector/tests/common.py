"""A gateway with Mojaloop's connector, and a scheme behind it that keeps a ledger, for the tests of the
add-on."""

import base64
import hashlib
import hmac
import json
import threading
from contextlib import closing, contextmanager
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from unittest.mock import patch

from odoo.sql_db import db_connect

from odoo.addons.g2p_payment_hub.client.errors import OutcomeUnknown, Reason
from odoo.addons.g2p_payment_hub.client.http import Answer
from odoo.addons.g2p_payment_hub.tests.common import GATEWAY, PaymentHubCase

from ..client import connector
from ..models import payment_gateway_claim
from .newer_adapter import SILENT

TIMEOUT = "timeout"


class Scheme:
    """Stands for the connector (sdk-scheme-adapter 18.0.2, by its outbound HTTP interface) and the hub behind
    it.

    `faults`: payee's identifier and step ("lookup", "quote", "transfer", "ask") to what happens there
    instead: an error code of Mojaloop's, TIMEOUT, an exception that is raised before the hub hears of it,
    or, for a transfer, a state. With `lose_replies` a transfer is carried out and its answer lost. `fee` is
    asked for on top, or what `fees` has for a payee; `names_fees`: whether quotes say so. `institutions`,
    `names` and `told`: payee's identifier to where its account is, what it is called there, and members of
    what is told of its transfers. `mixed_up`: payee's identifier and step to an error code that belongs to
    another payment and is answered once, whatever happened. `ledger`: transfer id to what was paid;
    `posts`: the bodies of all transfers, as they came, and `quoted` the ids of all quotes.
    """

    def __init__(self):
        self.faults, self.ledger, self.posts, self.requests = {}, {}, [], []
        self.states, self.bodies, self.names = {}, {}, {}
        self.lose_replies, self.fee, self.down, self.wrong_fulfilment = set(), "0", None, set()
        self.accounts, self.refused_accounts = set(), set()
        self.mixed_up, self.institutions, self.fees, self.quoted = {}, {}, {}, []
        self.told, self.names_fees = {}, True
        self._payees, self._secrets, self._quotes = {}, {}, {}
        self._lock = threading.Lock()

    def send(self, method, path, body=None):
        with self._lock:
            self.requests.append((method, path))
            if self.down:
                raise self.down
            return self._answer(method, path, json.loads(body) if body else None, body)

    def _answer(self, method, path, body, text):
        step, _slash, rest = path.strip("/").partition("/")
        if not step:
            return _answer(200)
        return getattr(self, f"_{method.lower()}_{step}")(*filter(None, (rest, body)), text=text)

    def _get_parties(self, path, text):
        id_type, identifier, *sub = path.split("/")
        if self.mixed_up.pop((identifier, "lookup"), None):
            return _answer(200, {"party": {"body": {}}})
        failed = self._fault(identifier, "lookup", lambda _code: _answer(200, {"party": {"body": {}}}))
        if failed:
            return failed
        party = {"partyIdType": id_type, "partyIdentifier": identifier, "fspId": self.institution(identifier)}
        if sub:
            party["partySubIdOrType"] = sub[0]
        named = {"partyIdInfo": party, "name": self.names.get(identifier, "Somebody")}
        return _answer(200, {"party": {"body": named}, "currentState": "COMPLETED"})

    def institution(self, identifier):
        return self.institutions.get(identifier, "payeefsp")

    def _post_quotes(self, body, text):
        request = body["quotesPostRequest"]
        self.quoted.append(request["quoteId"])
        identifier = request["payee"]["partyIdInfo"]["partyIdentifier"]

        def with_code(code):
            return _answer(200, {"quotes": {"errorInformation": _error(code)}})

        failed = self._fault(identifier, "quote", with_code)
        if failed:
            return failed
        if self._quotes.setdefault(request["quoteId"], text) != text:
            return with_code("3106")
        self._payees[request["transactionId"]] = identifier
        offer = self._offer(request, identifier)
        return _answer(200, {"quotes": {"body": offer}, "currentState": "COMPLETED"})

    def _offer(self, request, identifier):
        fee = self.fees.get(identifier, self.fee)
        total = str(Decimal(request["amount"]["amount"]) + Decimal(fee))
        money = {"currency": request["amount"]["currency"], "amount": total}
        carried = {**request, "amount": money}
        packet = _packet(json.dumps(carried))
        fulfilment = hmac.new(b"secret", packet.encode(), hashlib.sha256).digest()
        self._secrets[_text(hashlib.sha256(fulfilment).digest())] = _text(fulfilment)
        offer = {
            "transferAmount": money,
            "payeeReceiveAmount": request["amount"],
            "expiration": "2040-01-01T00:00:00.000Z",
            "ilpPacket": packet,
            "condition": _text(hashlib.sha256(fulfilment).digest()),
        }
        named = self.names_fees and fee != "0"
        fees = {"payeeFspFee": {**money, "amount": fee}} if named else {}
        return {**offer, **fees}

    def _post_simpleTransfers(self, body, text):
        request = body["transfersPostRequest"]
        failed = self._transferred(
            request,
            text,
            lambda code: _answer(200, {"transfer": {"body": {"errorInformation": _error(code)}}}),
        )
        return failed or _answer(200, {"transfer": {"body": self._told(request["transferId"])}})

    def _transferred(self, request, text, with_code):
        """The hub gets a transfer; what is answered when it is not simply carried out."""
        transfer_id = request["transferId"]
        self.posts.append(text)
        identifier = self._payees[transfer_id]
        failed = self._fault(identifier, "transfer", with_code)
        if failed:
            return failed
        if self.bodies.setdefault(transfer_id, text) != text:
            return with_code("3106")
        state = self.states.setdefault(transfer_id, self.faults.get((identifier, "state"), "COMMITTED"))
        if state == "COMMITTED":
            self._pay(transfer_id, identifier, request)
        if (identifier, "transfer") in self.mixed_up:
            return with_code(self.mixed_up.pop((identifier, "transfer")))
        if identifier in self.lose_replies:
            raise OutcomeUnknown(Reason.CONNECTION_LOST)
        return None

    def _pay(self, transfer_id, identifier, request):
        self.ledger.setdefault(
            transfer_id,
            {"payee": identifier, **request["amount"], "condition": request["condition"]},
        )

    def commit(self, transfer_id):
        """A transfer that the hub had put aside is carried out after all."""
        request = json.loads(self.bodies[transfer_id])["transfersPostRequest"]
        self.states[transfer_id] = "COMMITTED"
        self._pay(transfer_id, self._payees[transfer_id], request)

    def _get_transfers(self, transfer_id, text):
        fault = self.faults.get((self._payees.get(transfer_id), "ask"))
        if isinstance(fault, Exception):
            raise fault
        return self._answer_question(transfer_id, self._hub_says(transfer_id, fault))

    def _hub_says(self, transfer_id, fault):
        """Return the members of PUT /transfers, or what is there instead: see `newer_adapter`."""
        if fault == TIMEOUT:
            return SILENT
        code = fault or (None if transfer_id in self.states else "3208")
        return {"errorInformation": _error(code)} if code else self._told(transfer_id)

    def _answer_question(self, transfer_id, hub):
        """Answer as 18.0.2, which keeps nothing of a question."""
        if hub == SILENT:
            return _answer(504, {"message": f"Timeout getting transfer {transfer_id}", "statusCode": "504"})
        if "errorInformation" in hub:
            return _answer(500, _asked(hub["errorInformation"]["errorCode"]))
        return _answer(200, {"transferId": transfer_id, "currentState": "COMPLETED", "fulfil": {"body": hub}})

    def _post_accounts(self, body, text):
        response = []
        for one in body:
            row = {"idType": one["idType"], "idValue": one["idValue"]}
            if one["idValue"] in self.refused_accounts:
                row["error"] = {"statusCode": "3204", "message": "Error 3204"}
            else:
                self.accounts.add((one["idType"], one["idValue"], one["currency"]))
            response.append(row)
        return _answer(200, {"response": response, "currentState": "COMPLETED"})

    def _delete_accounts(self, path, text):
        id_type, identifier = path.split("/")
        known = {one for one in self.accounts if one[:2] == (id_type, identifier)}
        self.accounts -= known
        if not known:
            return _answer(404, {"errorInformation": _error("3204")})
        return _answer(200, {"response": [], "currentState": "COMPLETED"})

    def _told(self, transfer_id):
        state = self.states[transfer_id]
        told = {"transferState": state}
        payee = self._payees.get(transfer_id)
        if state == "COMMITTED":
            condition = self.ledger[transfer_id]["condition"]
            wrong = payee in self.wrong_fulfilment or self.mixed_up.pop((payee, "fulfilment"), None)
            told["fulfilment"] = _text(b"\0" * 32) if wrong else self._secrets[condition]
            told["completedTimestamp"] = f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%S}.000Z"
        return {**told, **self.told.get(payee, {})}

    def _fault(self, identifier, step, with_code):
        fault = self.faults.get((identifier, step))
        if isinstance(fault, Exception):
            raise fault
        if fault == TIMEOUT:
            return _answer(500, {"message": "Timeout", "statusCode": "500"})
        return with_code(fault) if fault else None

    def paid(self):
        """Payee's identifier and amount, sorted."""
        return sorted((one["payee"], one["amount"]) for one in self.ledger.values())


class _Service:
    """In the place of the client's own, which sends requests."""

    scheme = None

    def __init__(self, *_settings):
        pass

    def close(self):
        pass

    def send(self, method, path, body=None):
        return self.scheme.send(method, path, body)


def _answer(status, members=None):
    return Answer(status, {}, json.dumps(members or {}).encode())


def _error(code):
    return {"errorCode": code, "errorDescription": f"Error {code}"}


def _asked(code, doing="retrieving"):
    """Tell of a callback with an error as 18.0.2 does: its sentence has the body in JavaScript's own form."""
    text = f"{{ errorInformation: {{ errorCode: '{code}', errorDescription: 'Error {code}' }} }}"
    last = {"httpStatusCode": 500, "mojaloopError": {"errorInformation": _error(code)}}
    return {
        "message": f"Got an error response {doing} transfer: {text}",
        "statusCode": code,
        "transferState": {"currentState": "ERROR_OCCURRED", "lastError": last},
    }


def _text(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _packet(carried):
    """An Interledger payment, as far as a payer reads it."""
    content = bytes(8) + _variable(b"g.payeefsp") + _variable(_text(carried.encode()).encode()) + b"\0"
    return _text(b"\x01" + _variable(content))


def _variable(data):
    if len(data) < 128:
        return bytes([len(data)]) + data
    size = len(data).to_bytes((len(data).bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(size)]) + size + data


class MojaloopCase(PaymentHubCase):
    scheme_class = Scheme

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.payment_hub = cls.gateway
        cls.gateway = cls._mojaloop()
        cls.manager.gateway_id = cls.gateway

    def setUp(self):
        super().setUp()
        self.scheme = self.scheme_class()
        service = type("Service", (_Service,), {"scheme": self.scheme})
        self._start(patch.object(connector, "Service", service))

    @classmethod
    def _mojaloop(cls, **values):
        return cls.env[GATEWAY].create(
            {
                "name": "Test Switch",
                "provider": "mojaloop",
                "state": "test",
                "mojaloop_url": "http://127.0.0.1:4001",
                "mojaloop_dfsp_id": "treasury",
                "mojaloop_payer_name": "Treasury",
                **values,
            }
        )

    @contextmanager
    def _connector_is_busy(self):
        """Another worker has this connector to itself, and nobody has the patience to wait for it."""
        with (
            closing(db_connect(self.cr.dbname).cursor()) as another,
            patch.object(payment_gateway_claim, "JOB_WAITS", 0),
            patch.object(payment_gateway_claim, "PEOPLE_WAIT", 0),
        ):
            another.execute(
                "SELECT pg_advisory_xact_lock(hashtext('g2p_mojaloop_connector'), hashtext('127.0.0.1:4001'))"
            )
            yield

    def _transfers(self, batch):
        return self.env["g2p.mojaloop.transfer"].search([("batch_id", "=", batch.id)], order="id")

    def _send(self, batches, user=None):
        """What the Send button does, with its job run at once; the job that pays waits in the queue."""
        batches.with_user(user or self.finance_user).send_payment()
        for batch in batches:
            for job in self._jobs(batch).filtered(lambda job: job.state == "pending"):
                self._run(job)
                job.state = "done"

    def _pay(self, batch):
        """What the queue's worker does with the batch's job, once all waits are over."""
        self._hurry(batch)
        batch._accepted_submission().sudo()._pay()

    def _hurry(self, batch):
        self._sql(
            "UPDATE g2p_mojaloop_transfer SET next_at = NULL"
            " WHERE batch_id = %s AND state IN ('waiting', 'unknown', 'transferring')",
            batch.id,
        )

    def _expire(self, batch):
        """The time of the transfers that were sent is over, and the hub's grace as well."""
        for transfer in self._transfers(batch).sudo().filtered("body"):
            body = json.loads(transfer.body)
            over = datetime.now(timezone.utc) - timedelta(minutes=10)
            body.get("transfersPostRequest", body)["expiration"] = f"{over:%Y-%m-%dT%H:%M:%S}.000Z"
            self._sql(
                "UPDATE g2p_mojaloop_transfer SET body = %s WHERE id = %s", json.dumps(body), transfer.id
            )

    def _outcomes(self, batch):
        """Reference to the outcome of each payment, as whoever reconciles gets them."""
        submission = batch._accepted_submission()
        pages = self.gateway._outcomes(submission, batch.payment_ids.mapped("name"))
        return {one.reference: one for page in pages for one in page}
