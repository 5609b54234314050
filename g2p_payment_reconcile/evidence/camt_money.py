"""The amount of a payment in an entry of a bank statement, as it was ordered."""

from decimal import Decimal
from typing import Any, NamedTuple


class Money(NamedTuple):
    value: Decimal
    currency: str


def ordered_money(entry: Any, transaction: Any, alone: bool, ordered_sum: Money | None) -> Money | None:
    """Return what was ordered where the bank tells it and the booking agrees, else what was booked.

    A booking may hold the bank's charges beside the payment, or be in the currency of another account. The
    order counts only where the difference is explained: else the payee may have got something else.
    `alone` says that the entry holds for its only transaction, `ordered_sum` what all orders of a collective
    entry come to.
    """
    booked = _booked(entry, transaction, alone)
    ordered = instructed(transaction)
    total = _money(entry.amt)
    if ordered is None:
        return _without_charges(booked[0], entry, transaction, alone) if booked else None
    if not booked:
        explained = ordered_sum is not None and _is_total(total, ordered_sum, [entry])
        return ordered if explained else None
    same_currency = [money for money in booked if money.currency == ordered.currency]
    if not same_currency:
        return ordered
    if _is_credit(entry, transaction):
        return same_currency[0]
    tellers = [transaction, entry] if alone else [transaction]
    strange = [money for money in same_currency if not _is_total(money, ordered, tellers)]
    return strange[0] if strange else ordered


def instructed(transaction: Any) -> Money | None:
    return _money(_get(_get(_get(transaction, "amt_dtls"), "instd_amt"), "amt"))


def _booked(entry: Any, transaction: Any, alone: bool) -> list[Money]:
    """Return what the bank says of this transaction, the more telling first; the entry's own amount only
    where nothing else does. An exchanged payment was made in the other currency."""
    own = _money(_get(transaction, "amt"))
    made = _money(_get(_get(_get(transaction, "amt_dtls"), "tx_amt"), "amt"))
    if own and made and own.currency != made.currency:
        return [made, own]
    found = [money for money in (own, made) if money]
    return found or ([_money(entry.amt)] if alone and entry.amt else [])


def _without_charges(money: Money, entry: Any, transaction: Any, alone: bool) -> Money:
    """Take out charges that the bank says are included, as far as the entry's amount holds them as well."""
    if not alone or _is_credit(entry, transaction) or money != _money(entry.amt):
        return money
    included = _charges(transaction, money.currency, True) or _charges(entry, money.currency, True)
    return Money(money.value - included, money.currency) if 0 < included < money.value else money


def _is_total(total: Money | None, payment: Money, tellers: list[Any]) -> bool:
    """Return True where `total` is the payment alone, or with the charges that either of `tellers` or all of
    them tell: some banks tell the same charge twice."""
    if total is None or total.currency != payment.currency:
        return False
    charges = [_charges(teller, payment.currency) for teller in tellers]
    return total.value - payment.value in (Decimal(0), sum(charges), *charges)


def _charges(teller: Any, currency: str, included_only: bool = False) -> Decimal:
    found = Decimal(0)
    for record in _charge_records(_get(teller, "chrgs")):
        included = _get(record, "chrg_incl_ind")
        money = _money(_get(record, "amt") or _get(record, "ttl_chrgs_and_tax_amt"))
        if (
            money is None
            or money.currency != currency
            or included is False
            or (included_only and not included)
        ):
            continue
        found += -money.value if _word(_get(record, "cdt_dbt_ind")) == "CRDT" else money.value
    return found


def _charge_records(charges: Any) -> list[Any]:
    """Version 02 has a list of records; those after it one element, with a list in it or the sum alone."""
    groups = charges if isinstance(charges, list) else [charges]
    return [
        record
        for group in groups
        if group is not None
        for record in ([group] if hasattr(group, "amt") else group.rcrd or [group])
    ]


def _is_credit(entry: Any, transaction: Any) -> bool:
    return _word(_get(transaction, "cdt_dbt_ind") or entry.cdt_dbt_ind) == "CRDT"


def _word(value: Any) -> str:
    return str(getattr(value, "value", value) or "")


def _money(amount: Any) -> Money | None:
    return None if amount is None else Money(amount.value, amount.ccy)


def _get(value: Any, name: str) -> Any:
    return getattr(value, name, None)
