"""A batch as JSON, the other form that ph-ee-bulk-processor v1.13.1 takes (`BatchRequestDTO`).

The hub turns it into a file under a name of its own, so that a lost one is not found again by name: CSV is
the better choice. It always writes the file anew, so the rules for values are the stricter ones.
"""

import json
from collections.abc import Iterable

from .csv_file import amount_text, checked, has_dfsp
from .instructions import Instruction, Payer


def render(instructions: Iterable[Instruction], payer: Payer, payment_mode: str) -> str:
    """The request body, ASCII. ValueError as `csv_file.checked`, and when a row names an institution."""
    instructions = checked(instructions, payer, payment_mode, rewritten=True)
    if has_dfsp(instructions):
        raise ValueError("the hub takes no payee institution in this form")
    return json.dumps([_row(one, payer, payment_mode) for one in instructions], separators=(",", ":"))


def _row(instruction: Instruction, payer: Payer, payment_mode: str) -> dict[str, object]:
    return {
        "requestId": instruction.reference,
        "paymentMode": payment_mode,
        "amount": amount_text(instruction.amount),
        "currency": instruction.currency,
        "descriptionText": instruction.note,
        "creditParty": [{"key": instruction.payee_identifier_type, "value": instruction.payee_identifier}],
        "debitParty": [{"key": payer.identifier_type, "value": payer.identifier}],
    }
