"""The names of a quote and of a transfer: ours, and known before anything is sent."""

from typing import NamedTuple

from odoo.addons.g2p_payment_hub.client.references import derived_uuid


class TransferIds(NamedTuple):
    """`transfer_id` is the transaction's id as well, as in Mojaloop's own SDK."""

    quote_id: str
    transfer_id: str


def transfer_ids(reference: str, attempt: int) -> TransferIds:
    """Lower-case UUIDs of version 5, which FSPIOP 1.x takes.

    One payment and attempt always give the same two, so that whoever repeats an attempt after a crash repeats
    the transfer, and does not make a second one. `attempt` counts quotes: a new one needs the certainty that
    no money moves for the one before.
    """
    return TransferIds(
        quote_id=str(derived_uuid("mojaloop quote", reference, attempt)),
        transfer_id=str(derived_uuid("mojaloop transfer", reference, attempt)),
    )
