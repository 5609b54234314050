"""The safety mechanisms, each with the edit that removes it and the tests that should notice."""

from . import evidence, hub, hub_client, mojaloop_client, mojaloop_transfers, mojaloop_trust, reconcile

MUTANTS = (
    *hub.MUTANTS,
    *hub_client.MUTANTS,
    *reconcile.MUTANTS,
    *evidence.MUTANTS,
    *mojaloop_client.MUTANTS,
    *mojaloop_transfers.MUTANTS,
    *mojaloop_trust.MUTANTS,
)
