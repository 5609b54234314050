"""What was approved, as text: the line of the terms and one line for each payment, in canonical JSON."""

import json
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from odoo.addons.g2p_payment_hub.client.instructions import Instruction

from . import grammar
from .parties import Party

# How a batch goes through the connector.
STEP_BY_STEP, TWO_PHASES, BULK = "steps", "two_phases", "bulk"


class Terms(BaseModel):
    """What all payments of a batch have in common. A quote may ask for a fee of `fee_limit` plus
    `fee_limit_percent` of the amount. Batches approved before there was a choice have no `flow`."""

    model_config = ConfigDict(frozen=True)

    dfsp_id: str
    payer: Party
    scenario: str
    initiator_type: str
    amount_type: str
    fee_limit: str
    fee_limit_percent: str
    flow: str = STEP_BY_STEP

    def allowed_fee(self, amount: Decimal) -> Decimal:
        return Decimal(self.fee_limit) + amount * Decimal(self.fee_limit_percent) / 100


class Order(BaseModel):
    """One payment as it will be made."""

    model_config = ConfigDict(frozen=True)

    reference: str
    id_type: str
    id_value: str
    id_sub_value: str = ""
    amount: str
    currency: str
    note: str = ""
    fsp_id: str = ""

    def instruction(self) -> Instruction:
        kind = f"{self.id_type}/{self.id_sub_value}" if self.id_sub_value else self.id_type
        return Instruction(
            reference=self.reference,
            payee_identifier_type=kind,
            payee_identifier=self.id_value,
            amount=Decimal(self.amount),
            currency=self.currency,
            note=self.note,
            payee_dfsp=self.fsp_id,
        )


def order(instruction: Instruction) -> Order:
    """ValueError when the amount cannot be carried."""
    sent, _changes = grammar.normalised(instruction)
    id_type, sub_id = grammar.split_type(sent.payee_identifier_type)
    return Order(
        reference=sent.reference,
        id_type=id_type,
        id_value=sent.payee_identifier,
        id_sub_value=sub_id,
        amount=grammar.amount_text(sent.amount),
        currency=sent.currency,
        note=sent.note,
        fsp_id=sent.payee_dfsp,
    )


def render(instructions: list[Instruction], terms: Terms) -> str:
    """The same payments on the same terms give the same text."""
    return "".join(_line(one) + "\n" for one in [terms, *map(order, instructions)])


def parse(content: str) -> tuple[Terms, list[Order]]:
    """What `render` wrote. ValueError on anything else."""
    first, *others = content.removesuffix("\n").split("\n")
    return Terms.model_validate_json(first), [Order.model_validate_json(line) for line in others]


def _line(model: BaseModel) -> str:
    return json.dumps(model.model_dump(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
