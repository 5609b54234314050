"""Many payments to one institution in two exchanges: /bulkQuotes and /bulkTransfers of the newer connector.

npm's 18.0.2 has these addresses as well, but cannot do either: it waits under another name for the hub's
answer than the one it puts it under, and expects a body that it then does not read. It is recognised, and
refused.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from odoo.addons.g2p_payment_hub.client.errors import OutcomeUnknown, Reason, Refused
from odoo.addons.g2p_payment_hub.client.instructions import Instruction
from odoo.addons.g2p_payment_hub.client.outcomes import FailureType
from odoo.addons.g2p_payment_hub.client.references import derived_uuid

from . import answers, bodies, grammar, offers
from .catalogue import Rule, Step, StepFailed, Verdict
from .ids import TransferIds
from .parties import Payee
from .quotes import Quote
from .service import Service
from .settings import ConnectorSettings
from .transfer_state import COMMITTED, Transfer

MAX_ITEMS = 1000
# The connector reads no longer request: koa-body's limit for JSON, with room for the members around.
MAX_BYTES = 1_000_000
NO_BULK = "this version of the connector cannot pay in bulk"
_NOBODY = "00000000-0000-4000-8000-000000000000"
_NOT_TOLD = Rule(Verdict.TRY_AGAIN, FailureType.TECHNICAL)
Members = dict[str, Any]


class BulkItem(NamedTuple):
    payee: Payee
    instruction: Instruction
    ids: TransferIds


class BulkIds(NamedTuple):
    bulk_quote_id: str
    bulk_transfer_id: str


def bulk_ids(transfer_id: str, turn: int) -> BulkIds:
    """Of the bulk whose first payment has this transfer id: in one turn of its it is in one bulk only."""
    kinds = ("mojaloop bulk quote", "mojaloop bulk")
    return BulkIds(*(str(derived_uuid(kind, transfer_id, turn)) for kind in kinds))


def parts(items: Iterable[BulkItem]) -> Iterator[list[BulkItem]]:
    """Cut as the connector takes them: one institution each, and no more than 1000."""
    by_institution: dict[str, list[BulkItem]] = {}
    for item in items:
        by_institution.setdefault(item.payee.fsp_id, []).append(item)
    for group in by_institution.values():
        for start in range(0, len(group), MAX_ITEMS):
            yield group[start : start + MAX_ITEMS]


class Bulk:
    """The bulk calls of one connector. `service` and `settings` are its own: see `Connector.bulk`.

    The transaction of a payment has the id of its quote here, because that is how the connector makes it.
    """

    def __init__(self, service: Service, settings: ConnectorSettings):
        self._service = service
        self._settings = settings

    def check(self) -> None:
        """Refused(CONFIGURATION) by a connector that has no bulk, or has that of npm's 18.0.2."""
        answer = self._service.send("GET", f"/bulkTransfers/{_NOBODY}")
        if answer.status == 400:
            raise Refused(Reason.CONFIGURATION, NO_BULK)

    def quotes(self, items: list[BulkItem], ids: BulkIds, now: datetime) -> dict[str, Quote | StepFailed]:
        """What each of `parts` would cost: by reference, an offer that was checked, or why there is none.

        Raises as `Connector.quote`.
        """
        body = bodies.text_of(self._quotes_body(items, ids))
        try:
            said = answers.members(self._service.send("POST", "/bulkQuotes", body), Step.QUOTE)
        except OutcomeUnknown as error:
            if error.reason is Reason.TIMEOUT:
                self.check()  # all that 18.0.2 ever says
            raise
        rows = _by_id(said.get("individualQuoteResults"), "quoteId")
        expiration = said.get("expiration")
        return {
            item.instruction.reference: self._quoted(item, rows.get(item.ids.quote_id), expiration, now)
            for item in items
        }

    def _quoted(
        self, item: BulkItem, row: Members | None, expiration: Any, now: datetime
    ) -> Quote | StepFailed:
        if row is None:
            return StepFailed(Step.QUOTE, "", "nothing was said of this one", _NOT_TOLD)
        failure = _failure(row, Step.QUOTE)
        if failure is not None:
            return failure
        # The transaction that the payee's institution promises to pay has its quote's id.
        ids = TransferIds(item.ids.quote_id, item.ids.quote_id)
        offered = {"expiration": expiration, **row}
        try:
            quote = offers.quote(offered, item.payee, item.instruction, ids, self._settings.amount_type, now)
        except StepFailed as not_for_us:
            return not_for_us
        return quote.model_copy(update={"transfer_id": item.ids.transfer_id})

    def transfer_bodies(self, quotes: list[Quote], ids: BulkIds, now: datetime) -> dict[str, str]:
        """By transfer id, each one's part as a text, to be written down before `transfer` sends them
        together. Those that the connector would not read in one request have none."""
        latest = now + timedelta(seconds=self._settings.expiry_seconds + self._settings.limits.total)
        head = {
            "homeTransactionId": ids.bulk_transfer_id,
            "bulkTransferId": ids.bulk_transfer_id,
            "bulkQuoteId": ids.bulk_quote_id,
            "from": self._payer(),
        }
        texts, size = {}, 0
        for quote in quotes:
            part = self._transfer_of(quote)
            size += len(bodies.text_of(part).encode())
            if size > MAX_BYTES:
                break
            members = {"bulkTransfer": head, "individualTransfer": part}
            texts[quote.transfer_id] = bodies.text_of({"expiration": bodies.time_text(latest), **members})
        return texts

    def transfer(self, parts: list[str]) -> dict[str, Transfer | StepFailed]:
        """Sends texts of `transfer_bodies`, all of one bulk: by transfer id, what was said of each. Of those
        that are missing nobody knows anything: ask for them one by one.

        An error that is raised is about all of them; `state_of` judges it for each. A second time the
        connector would send other bytes under the same ids, so there is no second time.
        """
        members = [json.loads(part) for part in parts]
        transfers = [one["individualTransfer"] for one in members]
        request = {**members[0]["bulkTransfer"], "individualTransfers": transfers}
        answer = self._service.send("POST", "/bulkTransfers", bodies.text_of(request))
        return _results(answers.members(answer, Step.TRANSFER))

    def _quotes_body(self, items: list[BulkItem], ids: BulkIds) -> Members:
        return {
            "homeTransactionId": ids.bulk_quote_id,
            "bulkQuoteId": ids.bulk_quote_id,
            "from": self._payer(),
            "individualQuotes": [self._quote_of(item) for item in items],
        }

    def _payer(self) -> Members:
        payer = bodies.simple_payer(self._settings)
        return {**payer, "fspId": self._settings.dfsp_id}

    def _quote_of(self, item: BulkItem) -> Members:
        note = {"note": item.instruction.note} if item.instruction.note else {}
        return {
            "quoteId": item.ids.quote_id,
            "to": _to(item.payee),
            "amountType": self._settings.amount_type,
            **bodies.money(item.instruction),
            "transactionType": self._settings.scenario,
            **note,
        }

    def _transfer_of(self, quote: Quote) -> Members:
        return {
            "transferId": quote.transfer_id,
            "to": _to(quote.payee),
            "amountType": self._settings.amount_type,
            "currency": quote.currency,
            "amount": grammar.amount_text(quote.transfer_amount),
            "ilpPacket": quote.ilp_packet,
            "condition": quote.condition,
        }


def bulk_transfer_id_of(part: str) -> str:
    """Of a text of `Bulk.transfer_bodies`."""
    return json.loads(part)["bulkTransfer"]["bulkTransferId"]


def _to(payee: Payee) -> Members:
    return {**bodies.simple_party(payee), "fspId": payee.fsp_id}


def _by_id(rows: Any, name: str) -> dict[str, Members]:
    """Rows by their id; of an id that is told twice nothing is believed."""
    found: dict[str, Members] = {}
    twice: set[str] = set()
    for row in rows if isinstance(rows, list) else []:
        identifier = row.get(name) if isinstance(row, dict) else None
        if isinstance(identifier, str):
            (twice if identifier in found else set()).add(identifier)
            found[identifier] = row
    return {identifier: row for identifier, row in found.items() if identifier not in twice}


def _failure(row: Members, step: Step) -> StepFailed | None:
    code, description = answers.error_information(row)
    if code:
        return StepFailed(step, code, description)
    return StepFailed(step, "", "an error without a code") if row.get("lastError") else None


def _results(said: Members) -> dict[str, Transfer | StepFailed]:
    whole = said.get("bulkTransferState")
    rows = _by_id(said.get("individualTransferResults"), "transferId")
    told = {}
    for transfer_id, row in rows.items():
        failure = _failure(row, Step.TRANSFER)
        if failure and row.get("fulfilment"):
            continue  # paid and failed: nobody knows
        told[transfer_id] = failure or offers.transfer(_as_transfer(row, whole, said), transfer_id)
    return told


def _as_transfer(row: Members, whole: Any, said: Members) -> Members:
    """A row as PUT /transfers would tell it. That the whole is COMPLETED says that it came to an end, and a
    fulfilment by then that this payment was made; before, the payee's institution has merely agreed."""
    own = row.get("transferState")
    state = own or (COMMITTED if whole == "COMPLETED" and row.get("fulfilment") else "RESERVED")
    return {
        "transferState": state,
        "fulfilment": row.get("fulfilment"),
        "completedTimestamp": said.get("completedTimestamp"),
    }
