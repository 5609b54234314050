"""What the payee's side asks for a payment, and whether that is within bounds."""

from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from odoo.addons.g2p_payment_hub.client.kept import Text

from .parties import Payee


class Quote(BaseModel):
    """An offer that has been checked: it is for this payee, these ids and this currency.

    All amounts are in `currency`. `amount` is what was to be paid, `transfer_amount` what will leave, and
    `payee_amount` what arrives, as far as it was told. `fee` and `commission` are the payee institution's.
    `expiration` has a time zone. `ilp_packet` and `condition` travel on as they are.
    """

    model_config = ConfigDict(frozen=True)

    quote_id: Text
    transfer_id: str
    payee: Payee
    currency: str
    amount: Decimal
    transfer_amount: Decimal
    payee_amount: Decimal | None = None
    fee: Decimal | None = None
    commission: Decimal | None = None
    expiration: datetime
    ilp_packet: str
    condition: str

    @property
    def payer_fee(self) -> Decimal:
        """What the payer pays on top; negative when the payee's institution gives more than it takes."""
        return self.transfer_amount - self.amount

    @property
    def arrives(self) -> Decimal:
        """What the payee gets. Where that is not told it follows from the other amounts (FSPIOP 1.1,
        "Quoting")."""
        if self.payee_amount is not None:
            return self.payee_amount
        return self.transfer_amount - (self.fee or 0) + (self.commission or 0)

    @property
    def cost(self) -> Decimal:
        """What the payment costs somebody: on top of the amount, or missing from what the payee receives."""
        return max(self.payer_fee, self.amount - self.arrives)

    def exceeds(self, limit_absolute: Decimal | None = None, limit_percent: Decimal | None = None) -> bool:
        """Whether the cost is above one of the limits; None is no limit, 0 allows no cost."""
        if limit_absolute is not None and self.cost > limit_absolute:
            return True
        return limit_percent is not None and self.cost * 100 > self.amount * limit_percent
