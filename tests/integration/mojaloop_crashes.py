"""`crashes` for the Mojaloop road: the other end is the real scheme adapter with the Testing Toolkit as the
hub."""

from collections import Counter

import crashes
from peers import MojaloopPeers

# Payees whose transfer is committed, refused in an unclear way although it is committed, and rejected.
_ENDINGS = ("7001", "0608", "0601")
# Then what waits is due, and the leases of workers that died are over.
_TIME_PASSES = """
UPDATE g2p_mojaloop_transfer
   SET next_at = NULL, lease_until = lease_until - interval '1 hour', body = {body}
 WHERE batch_id = {batch} AND state IN ('waiting', 'transferring', 'unknown')
   AND (next_at IS NOT NULL OR lease_until > now() AT TIME ZONE 'utc')
"""
# And the time of what was written down.
_EXPIRED = """regexp_replace(body, '"expiration":"[^"]*"', '"expiration":"2020-01-01T00:00:00.000Z"')"""


class Lane(crashes.Lane):
    scheduled_actions = (*crashes.Lane.scheduled_actions, "g2p_mojaloop_connector.cron_carry_on")
    flow = "steps"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        # One payment after the other, so that every crossing passes the same checkpoints.
        values = {"mojaloop_parallel": 1, "mojaloop_flow": self.flow}
        gateway_admin = self.world.people["gateway_admin"].client
        gateway_admin.write("g2p.payment.gateway", [self.world.gateway], values)


class TwoPhaseLane(Lane):
    flow = "two_phases"


def lane(environment, number, folder, software, kind=Lane):
    return crashes.lane(
        environment, number, folder, kind, lambda: MojaloopPeers(software, "--step-seconds", 5)
    )


class Crossing(crashes.Crossing):
    endings = _ENDINGS

    def _make_other_end_new(self):
        self.lane.hub.reset()

    def _hub_goes_on(self):
        pass

    def _act(self, state):
        if not state["jobs"]:
            # Step by step the same bytes may go again; in two phases only their time has to be over.
            body = "body" if self.lane.flow == "steps" else _EXPIRED
            self.lane.sql(_TIME_PASSES, batch=self.batch, body=body)
        super()._act(state)

    def _read_books(self):
        """What the hub booked, and the transfers that it was sent."""
        self._ledger = list(self.lane.hub.payments().values())
        self._uploads = [row["body"] for row in self.lane.hub.requests("post", "/transfers")]
        ids = {row["transferId"]: row["payee"] for row in self.lane.hub.transfers()}
        assert sorted(ids.values()) == sorted(self.payees), "one transfer for each payment"
        assert {body["transferId"] for body in self._uploads} == ids.keys()
        assert max(Counter(row["payee"] for row in self._ledger).values()) == 1, self._ledger
        assert self._paid_by_us() == {(row["transferId"], int(float(row["amount"]))) for row in self._ledger}

    def _paid_by_us(self):
        paid = [one for one in self._payments if one["status"] == "paid"]
        return {(one["remote_reference"], int(one["amount_paid"])) for one in paid}
