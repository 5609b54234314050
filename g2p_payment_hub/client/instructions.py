"""What to pay: one instruction for each payee, and the file that carries a batch of them."""

import hashlib
from decimal import Decimal

from pydantic import BaseModel, ConfigDict


class Instruction(BaseModel):
    """One payment order.

    `reference` is ours and unique; outcomes are matched by it and by nothing else.
    `amount` is in major units of `currency` (ISO 4217 alphabetic code). `payee_dfsp` is the payment system's
    name for the institution that keeps the payee's account; mostly it finds that out itself.
    """

    model_config = ConfigDict(frozen=True)

    reference: str
    payee_identifier_type: str
    payee_identifier: str
    amount: Decimal
    currency: str
    note: str = ""
    payee_dfsp: str = ""


class Payer(BaseModel):
    """The account that pays. Both may be empty where the hub keeps a budget account."""

    model_config = ConfigDict(frozen=True)

    identifier_type: str = ""
    identifier: str = ""


class BatchFile(BaseModel):
    """A batch as it travels: the same bytes at approval, at signing and on the wire.

    `filename` is unique for each attempt, because it is how a lost batch is found again. `callback_url` is
    where the system may say that there is news; it has no query, because the hub adds one.
    """

    model_config = ConfigDict(frozen=True)

    filename: str
    correlation_id: str
    content: str
    callback_url: str = ""

    @property
    def digest(self) -> str:
        return digest(self.content)


def digest(content: str) -> str:
    """SHA-256 of the file's text, 64 lower-case hexadecimal digits."""
    return hashlib.sha256(content.encode()).hexdigest()
