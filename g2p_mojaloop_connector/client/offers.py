"""What the scheme offers and tells, checked before anybody believes it."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from odoo.addons.g2p_payment_hub.client.errors import OutcomeUnknown, Reason, Refused
from odoo.addons.g2p_payment_hub.client.instructions import Instruction
from odoo.addons.g2p_payment_hub.client.outcomes import FailureType

from . import answers, bodies, grammar, ilp
from .catalogue import Rule, Step, StepFailed, Verdict
from .ids import TransferIds
from .parties import Payee
from .quotes import Quote
from .transfer_state import Transfer

Members = dict[str, Any]
NO_IDS = "this version of the connector takes no transfer ids of ours"
# Nothing is wrong with the payment, but with what was said of it.
_NOT_OURS = Rule(Verdict.FAILED, FailureType.TECHNICAL)
# 18.0.2 answers any failed look-up with an empty party. Mostly it means that nobody has the identifier.
_NOBODY = Rule(Verdict.FAILED, FailureType.PAYEE_UNKNOWN)
_EXPIRED = Rule(Verdict.NEW_QUOTE, FailureType.TECHNICAL)


def payee(party: Members, id_type: str, id_value: str, sub_id: str = "") -> Payee:
    """The party of a look-up. StepFailed when there is none, when it is another one, and without an
    institution, for then it cannot be paid."""
    if not party:
        raise StepFailed(Step.LOOKUP, "", "nobody is known by this identifier", _NOBODY)
    identity = answers.member(party, "partyIdInfo")
    name = answers.member(answers.member(party, "personalInfo"), "complexName")
    found = Payee(
        fsp_id=_text(identity, "fspId"),
        id_type=_text(identity, "partyIdType"),
        id_value=_text(identity, "partyIdentifier"),
        id_sub_value=_text(identity, "partySubIdOrType"),
        name=_text(party, "name"),
        first_name=_text(name, "firstName"),
        middle_name=_text(name, "middleName"),
        last_name=_text(name, "lastName"),
    )
    return _right_one(found, id_type, id_value, sub_id)


def payee_of_state(state: Members, id_type: str, id_value: str, sub_id: str) -> Payee:
    """The same from the state of POST /transfers."""
    response = answers.member(answers.member(state, "getPartiesResponse"), "body")
    return payee(answers.member(response, "party"), id_type, id_value, sub_id)


def _right_one(found: Payee, id_type: str, id_value: str, sub_id: str) -> Payee:
    asked, told = (id_type, sub_id), (found.id_type, found.id_sub_value)
    if asked != told or not grammar.same_identifier(id_type, id_value, found.id_value):
        raise StepFailed(Step.LOOKUP, "", "another party was told than the one asked for", _NOT_OURS)
    if not found.fsp_id:
        raise StepFailed(Step.LOOKUP, "", "the party has no institution that could be paid", _NOT_OURS)
    return found


def _text(members: Members, name: str) -> str:
    value = members.get(name)
    return value[:128] if isinstance(value, str) else ""


def quote(
    offered: Members,
    payee: Payee,
    instruction: Instruction,
    ids: TransferIds,
    amount_type: str,
    now: datetime,
) -> Quote:
    """The offer, if it is one for this payment. StepFailed without a code when it is not."""
    try:
        transfer_amount = _amount(offered, "transferAmount", instruction.currency)
        if transfer_amount is None:
            raise ValueError("no transferAmount")
        found = Quote(
            quote_id=ids.quote_id,
            transfer_id=ids.transfer_id,
            payee=payee,
            currency=instruction.currency,
            amount=instruction.amount,
            transfer_amount=transfer_amount,
            payee_amount=_amount(offered, "payeeReceiveAmount", instruction.currency),
            fee=_amount(offered, "payeeFspFee", instruction.currency),
            commission=_amount(offered, "payeeFspCommission", instruction.currency),
            expiration=bodies.time_of(offered.get("expiration")),
            ilp_packet=offered.get("ilpPacket"),
            condition=offered.get("condition"),
        )
        _check(found, instruction, amount_type)
    except ValueError as error:
        reason = "what was offered cannot be understood" if isinstance(error, ValidationError) else error
        raise StepFailed(Step.QUOTE, "", f"not an offer for this payment: {reason}", _NOT_OURS) from error
    if found.expiration <= now:
        raise StepFailed(Step.QUOTE, "", "the offer has expired already", _EXPIRED)
    return found


def _check(found: Quote, instruction: Instruction, amount_type: str) -> None:
    if found.transfer_amount <= 0:
        raise ValueError("nothing would be transferred")
    if instruction.payee_dfsp and instruction.payee_dfsp != found.payee.fsp_id:
        raise ValueError("the payee's account is at another institution than the payment names")
    misses = found.payee_amount not in (None, found.amount) or found.arrives < found.amount
    if amount_type == "RECEIVE" and misses:
        raise ValueError("the payee would not receive the amount")
    if not ilp.is_condition(found.condition):
        raise ValueError("no condition")
    _check_packet(ilp.read(found.ilp_packet), found)


def _check_packet(packet: ilp.Packet, found: Quote) -> None:
    """Raise ValueError unless the packet is for this quote: the payee's institution commits itself to it."""
    carried = packet.transaction
    if (carried.get("transactionId"), carried.get("quoteId")) != (found.transfer_id, found.quote_id):
        raise ValueError("the packet is for another transaction")
    if _amount(carried, "amount", found.currency) != found.transfer_amount:
        raise ValueError("the packet is for another amount")
    if not packet.agrees_with(found.transfer_amount, found.condition):
        raise ValueError("the packet's head is for another amount or condition")


def _amount(members: Members, name: str, currency: str) -> Decimal | None:
    """None when it is not told. ValueError when it is no amount, and in another currency."""
    if members.get(name) is None:
        return None
    money = answers.member(members, name)
    if money.get("currency") != currency:
        raise ValueError(f"{name} is in another currency")
    return grammar.amount_of(money.get("amount"))


def transfer(said: Members, transfer_id: str) -> Transfer:
    """What PUT /transfers of the hub's said. OutcomeUnknown when that is nothing."""
    state = said.get("transferState")
    if not isinstance(state, str) or not state:
        raise OutcomeUnknown(Reason.NOT_UNDERSTOOD, "no transferState")
    return Transfer(
        transfer_id=transfer_id,
        state=state[:32],
        fulfilment=_text(said, "fulfilment"),
        completed_at=_time(said.get("completedTimestamp")),
    )


def transfer_of_state(state: Members, transfer_id: str) -> Transfer:
    """Read the same from a state of the connector's. Its own word COMPLETED says nothing about the money, and
    its `lastError` may be an earlier question's."""
    if state.get("transferId") != transfer_id:
        raise OutcomeUnknown(Reason.NOT_UNDERSTOOD, "told of another transfer")
    return transfer(answers.member(answers.member(state, "fulfil"), "body"), transfer_id)


def _time(text: object) -> datetime | None:
    try:
        return bodies.time_of(text)
    except ValueError:
        return None


def check_transfer_id(state: Members, transfer_id: str) -> None:
    """Refused with NO_IDS unless POST /transfers has taken the id that it was given."""
    if state.get("transferId") != transfer_id:
        raise no_ids()


def no_ids() -> Refused:
    return Refused(Reason.CONFIGURATION, NO_IDS)


def paid_unasked(state: Members) -> StepFailed:
    """The connector does not wait until its quote is accepted: it may have paid already."""
    rule = Rule(Verdict.PAUSE_BATCH, FailureType.TECHNICAL)
    word = _text(state, "currentState")[:40]
    text = f"the connector did not wait for its quote to be accepted ({word}): look at AUTO_ACCEPT_QUOTES"
    paid = any(state.get(name) for name in ("prepare", "fulfil", "lastError")) or word == "COMPLETED"
    ask = rule._replace(verdict=Verdict.ASK)
    return StepFailed(Step.TRANSFER, "", text, ask if paid else rule, _text(state, "transferId"))
