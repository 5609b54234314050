"""A payment as it is handed to the client of Payment Hub EE, and who pays it."""

from decimal import Decimal

from g2p_payment_hub.client.instructions import Instruction, Payer

PAYER = Payer(identifier_type="MSISDN", identifier="123456789")


def instruction(**changes):
    values = {
        "reference": "0aBcDeFgHiJkLmNoPqRsTu",
        "payee_identifier_type": "MSISDN",
        "payee_identifier": "27713800001",
        "amount": Decimal("120.00"),
        "currency": "USD",
        "note": "Cycle 1 - May 2026",
        **changes,
    }
    return Instruction(**values)
