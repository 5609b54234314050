"""Secondary identifiers: telling the scheme which identifiers lead to us."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from odoo.addons.g2p_payment_hub.client.answers import MAX_DETAIL, told
from odoo.addons.g2p_payment_hub.client.kept import Text

from .answers import member


class Account(BaseModel):
    model_config = ConfigDict(frozen=True)

    id_type: str
    id_value: str
    id_sub_value: str = ""
    currency: str

    def members(self) -> dict[str, str]:
        members = {"idType": self.id_type, "idValue": self.id_value, "currency": self.currency}
        return {**members, "idSubValue": self.id_sub_value} if self.id_sub_value else members


class AccountResult(BaseModel):
    """`registered` is None when nothing was said of this one; `code` and `description` are the scheme's."""

    model_config = ConfigDict(frozen=True)

    account: Account
    registered: bool | None
    code: Text = ""
    description: Text = ""


def results_of(accounts: list[Account], said: Any) -> list[AccountResult]:
    """A result for each account, by its identifier: the answer is 200 even when all failed, and has an order
    of its own."""
    by_identifier: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in said if isinstance(said, list) else []:
        key = tuple(str(member({"row": row}, "row").get(name) or "") for name in _KEY)
        by_identifier[key] = row
    return [_result(account, by_identifier.get(_key_of(account))) for account in accounts]


_KEY = ("idType", "idValue", "idSubValue")


def _key_of(account: Account) -> tuple[str, ...]:
    return account.id_type, account.id_value, account.id_sub_value


def _result(account: Account, row: dict[str, Any] | None) -> AccountResult:
    if row is None:
        return AccountResult(account=account, registered=None)
    error = member(row, "error")
    return AccountResult(
        account=account,
        registered=not row.get("error"),
        code=str(error.get("statusCode") or "")[:16],
        description=told(error.get("message"))[:MAX_DETAIL],
    )
