"""Mojaloop's connector, sdk-scheme-adapter, as a payer uses it: with ids of our own, whatever the way.

Its outbound API as npm's 18.0.2 and the newer 24.19.4 have it. The call that does all in one is not used:
it pays before anybody has seen what it costs.
"""

import time
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from odoo.addons.g2p_payment_hub.client import clock
from odoo.addons.g2p_payment_hub.client.auth import TokenCache
from odoo.addons.g2p_payment_hub.client.errors import GatewayError, OutcomeUnknown, Reason, Refused
from odoo.addons.g2p_payment_hub.client.http import HttpClient
from odoo.addons.g2p_payment_hub.client.instructions import Instruction
from odoo.addons.g2p_payment_hub.client.outcomes import Check, FailureType

from . import answers, bodies, grammar, offers
from .accounts import Account, AccountResult, results_of
from .bulk import Bulk
from .catalogue import Step, StepFailed
from .ids import TransferIds
from .parties import Payee
from .quotes import Quote
from .service import Service
from .settings import ConnectorSettings, address_of
from .transfer_state import Transfer, is_not_known
from .turns import Turns

_PROCESS_TOKENS = TokenCache()
_PROCESS_TURNS = Turns()
NO_REMOVAL = "this version of the connector removes no identifiers"
PAYER_NOT_KNOWN = "the hub answers, and does not know the payer"
KNOWS_TOO_MUCH = "the connector says that it knows a transfer that does not exist"
_NO_SUCH_VERSION = "3001"
_ASKS_FOR_PARTY = "WAITING_FOR_PARTY_ACCEPTANCE"
_ASKS_FOR_QUOTE = "WAITING_FOR_QUOTE_ACCEPTANCE"


class Connector:
    """One connector, for one run of work in one thread; `close` it after use, or use it in a `with`.

    Every method raises `StepFailed` when the other side said no, in Mojaloop's words, and a GatewayError when
    the exchange itself went wrong: NotSent, Refused by the connector before it did anything, or
    OutcomeUnknown. Before `transfer` no money moves, so that after any of these the payment may simply be
    tried again; after an error of `transfer` only `state_of` tells.

    npm's 18.0.2 hands answers of single steps that run at the same time to the wrong ones. Look-ups and
    quotes are checked against what was asked for, and a yes to a transfer by its fulfilment; but a no may
    have been another's, and counts when it is heard with nothing else under way. In two phases nothing is
    mixed up.

    The way of one payment:

        payee, quote = connector.offer(instruction, transfer_ids(reference, attempt), now)
        quote.exceeds(...)                                # then `decline`, and that was it
        body = connector.transfer_body(quote, now)        # to be written down, and committed
        said = connector.transfer(body)                   # or the error it raised
        state_of(said, order_of(body), now, grace)        # ask(transfer_id) until it is final
    """

    def __init__(
        self, settings: ConnectorSettings, tokens: TokenCache | None = None, turns: Turns | None = None
    ):
        self._settings = settings
        self._address = address_of(settings.url)
        self._turns = turns or _PROCESS_TURNS
        self._service = Service(
            settings.url,
            HttpClient(settings.ca_bundle, settings.limits, settings.identity()),
            tokens or _PROCESS_TOKENS,
            settings.login,
            settings.plain_extra_headers(),
        )

    def __enter__(self) -> "Connector":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        self._service.close()

    def _turn(self, path: str) -> AbstractContextManager[None]:
        return self._turns.turn(self._address + path)

    # Before money moves

    def lookup(self, id_type: str, id_value: str, sub_id: str = "") -> Payee:
        """Who has this identifier, and where. StepFailed with PAYEE_UNKNOWN when nobody has.

        ValueError when the identifier is not in Mojaloop's grammar: look at `grammar.problems` first.
        """
        path = _party_path("/parties", id_type, id_value, sub_id)
        with self._turn(path):
            said = answers.members(self._service.send("GET", path), Step.LOOKUP)
        party = answers.member(answers.member(said, "party"), "body")
        return offers.payee(party, id_type, id_value, sub_id)

    def quote(self, payee: Payee, instruction: Instruction, ids: TransferIds, now: datetime) -> Quote:
        """What paying this payee would cost. `now` has a time zone.

        The offer is checked: a StepFailed without a code says that it is not for this payment.
        """
        body = bodies.quote(self._settings, payee, instruction, ids, now)
        said = answers.members(self._service.send("POST", "/quotes", body), Step.QUOTE)
        offered = answers.member(answers.member(said, "quotes"), "body")
        return offers.quote(offered, payee, instruction, ids, self._settings.amount_type, now)

    def offer(self, instruction: Instruction, ids: TransferIds, now: datetime) -> tuple[Payee, Quote]:
        """Look-up and quote, by whatever this connector offers for it.

        With `two_phase` the quote's id is the connector's own. Refused with `offers.NO_IDS` by newer
        connectors, which would make the transfer's as well. A StepFailed of the verdict ASK says that it may
        have paid.
        """
        if self._settings.two_phase:
            quote = self._begin(instruction, ids.transfer_id, now)
            return quote.payee, quote
        id_type, sub_id = grammar.split_type(instruction.payee_identifier_type)
        payee = self.lookup(id_type, instruction.payee_identifier, sub_id)
        return payee, self.quote(payee, instruction, ids, now)

    def _begin(self, instruction: Instruction, transfer_id: str, now: datetime) -> Quote:
        id_type, sub_id = grammar.split_type(instruction.payee_identifier_type)
        body = bodies.whole_transfer(self._settings, instruction, transfer_id)
        with self._turn(_party_path("/parties", id_type, instruction.payee_identifier, sub_id)):
            state = self._begun(body)
        if state.get("currentState") == _ASKS_FOR_PARTY:
            offers.check_transfer_id(state, transfer_id)
            offers.payee_of_state(state, id_type, instruction.payee_identifier, sub_id)
            state = self._advanced("PUT", f"/transfers/{transfer_id}", bodies.text_of({"acceptParty": True}))
        if state.get("currentState") != _ASKS_FOR_QUOTE:
            raise offers.paid_unasked(state)
        offers.check_transfer_id(state, transfer_id)
        payee = offers.payee_of_state(state, id_type, instruction.payee_identifier, sub_id)
        ids = TransferIds(quote_id=str(state.get("quoteId")), transfer_id=transfer_id)
        offered = answers.member(answers.member(state, "quoteResponse"), "body")
        return offers.quote(offered, payee, instruction, ids, self._settings.amount_type, now)

    def _begun(self, body: str) -> dict[str, Any]:
        """Newer connectors know no `transferId` there, and say so."""
        try:
            return self._advanced("POST", "/transfers", body)
        except Refused as error:
            if "additional properties" in error.detail:
                raise offers.no_ids() from error
            raise

    def _advanced(self, method: str, path: str, body: str) -> dict[str, Any]:
        """A failure with a quote in its state: the transfer was next, and nobody had accepted."""
        answer = self._service.send(method, path, body)
        failed = answers.member(answers.object_of(answer), "transferState")
        if failed.get("quoteResponse"):
            raise offers.paid_unasked(failed)
        return answers.members(answer, Step.QUOTE)

    def decline(self, quote: Quote) -> None:
        """Says no to a quote. Step by step there is nothing to say: a quote that is not used expires."""
        if self._settings.two_phase:
            body = bodies.text_of({"acceptQuote": False})
            answers.members(self._service.send("PUT", f"/transfers/{quote.transfer_id}", body), Step.QUOTE)

    def transfer_body(self, quote: Quote, now: datetime) -> str:
        """The transfer as a text, to be written down before `transfer` sends it. `now` has a time zone."""
        make = bodies.acceptance if self._settings.two_phase else bodies.transfer
        return make(self._settings, quote, now)

    # Money moves

    def transfer(self, body: str) -> Transfer:
        """Sends a text of `transfer_body`. Only what is written down and committed may be given to this."""
        return self._transfer(body, Step.TRANSFER)

    def resend(self, body: str) -> Transfer:
        """Sends the same text again, where `state_of` said RESEND. What is said against a second copy does
        not always speak of the first one, and is judged with more care."""
        return self._transfer(body, Step.RESEND)

    def _transfer(self, body: str, step: Step) -> Transfer:
        order = bodies.order_of(body)
        if order.repeatable:
            said = answers.members(self._service.send("POST", "/simpleTransfers", body), step)
            return offers.transfer(
                answers.member(answers.member(said, "transfer"), "body"), order.transfer_id
            )
        return self._accept(order.transfer_id, step)

    def _accept(self, transfer_id: str, step: Step) -> Transfer:
        """OutcomeUnknown also after a 204: then the connector had given the transfer up."""
        body = bodies.text_of({"acceptQuote": True})
        answer = self._service.send("PUT", f"/transfers/{transfer_id}", body)
        return offers.transfer_of_state(answers.members(answer, step), transfer_id)

    def ask(self, transfer_id: str) -> Transfer:
        """What the hub says of a transfer now."""
        path = f"/transfers/{transfer_id}"
        with self._turn(path):
            said = answers.state_of_transfer(self._service.send("GET", path))
        return offers.transfer_of_state(said, transfer_id)

    # Accounts

    def register_accounts(self, accounts: list[Account]) -> list[AccountResult]:
        """Tells the scheme that these identifiers are ours; a result for each, in order."""
        body = bodies.text_of([account.members() for account in accounts])
        said = answers.members(self._service.send("POST", "/accounts", body), Step.ACCOUNTS)
        return results_of(accounts, said.get("response"))

    def remove_account(self, id_type: str, id_value: str, sub_id: str = "") -> None:
        """Takes one back. Refused with NO_REMOVAL by 18.0.2, which cannot."""
        path = _party_path("/accounts", id_type, id_value, sub_id)
        try:
            said = answers.members(self._service.send("DELETE", path), Step.ACCOUNTS)
        except Refused as error:
            if error.reason is Reason.CONFIGURATION:
                raise Refused(error.reason, NO_REMOVAL) from error
            raise
        for one in said.get("response") or []:
            error = answers.member(one, "error")
            if error:
                raise StepFailed(Step.ACCOUNTS, str(error.get("statusCode") or "")[:16])

    # Many payments at once

    def bulk(self) -> Bulk:
        """The bulk calls, of the newer connector only."""
        return Bulk(self._service, self._settings)

    # The connection

    def check_connection(self, steps: bool = True) -> list[Check]:
        """What works and what does not, one line each, without anything that could pay.

        The connector answers the first even while it hangs. So the scheme is asked for the payer, if there is
        one, and for a transfer that does not exist: nobody is paid while such questions are not answered.
        Without `steps` both are left out: they would come on top of those under way.
        """
        checks = [("connector", self.reach)]
        if steps and self._settings.payer.id_value:
            checks.append(("hub", self._reach_hub))
        if steps:
            checks.append(("transfers", self._reach_transfers))
        if self._settings.bulk:
            checks.append(("bulk", self._reach_bulk))
        return [_check(name, probe) for name, probe in checks]

    def reach(self) -> str:
        """How far the connector's clock is from ours; a GatewayError when it does not answer."""
        answer = self._service.send("GET", "/")
        if answer.status != 200:
            answers.members(answer, Step.LOOKUP)
        return clock.skew_text(answer, time.time())

    def _reach_hub(self) -> str:
        payer = self._settings.payer
        try:
            payee = self.lookup(payer.id_type, payer.id_value, payer.id_sub_value)
        except StepFailed as failure:
            if failure.failure_type is not FailureType.PAYEE_UNKNOWN:
                raise
            return PAYER_NOT_KNOWN
        return payee.fsp_id

    def _reach_transfers(self) -> str:
        """Ask for an id that nobody has, another one each time: 18.0.2 stumbles over two questions about one
        id, and newer connectors keep what was said of it."""
        try:
            self.ask(str(uuid.uuid4()))
        except StepFailed as failure:
            if is_not_known(failure):
                return ""
            if failure.code == _NO_SUCH_VERSION:
                raise Refused(Reason.CONFIGURATION, answers.WRONG_VERSION) from failure
            raise
        raise OutcomeUnknown(Reason.NOT_UNDERSTOOD, KNOWS_TOO_MUCH)

    def _reach_bulk(self) -> str:
        self.bulk().check()
        return ""


def _check(name: str, probe: Callable[[], str]) -> Check:
    try:
        return Check(name=name, ok=True, detail=probe())
    except GatewayError as error:
        return Check(name=name, ok=False, reason=error.reason, detail=error.detail)
    except StepFailed as failure:
        return Check(name=name, ok=False, detail=f"{failure.code} {failure.description}".strip())
    except ValueError as error:  # the payer is no party
        return Check(name=name, ok=False, reason=Reason.CONFIGURATION, detail=str(error))


def _party_path(start: str, id_type: str, id_value: str, sub_id: str) -> str:
    """Nothing in it needs escaping. ValueError when the identifier is not in Mojaloop's grammar."""
    found = grammar.identifier_problems(id_type, id_value, sub_id)
    if found:
        raise ValueError(f"not an identifier: {found[0].value}")
    return "/".join(part for part in (start, id_type, id_value, sub_id) if part)
