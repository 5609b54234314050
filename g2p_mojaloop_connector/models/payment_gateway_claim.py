import time

from odoo import _, models
from odoo.exceptions import UserError

from odoo.addons.queue_job.exception import RetryableJobError

from ..client.settings import address_of

# How long a job waits for another one's run to end before it makes room for others, and how long people do:
# longer than a run begins anything.
JOB_WAITS, PEOPLE_WAIT = 5, 45
_LOOK_EVERY = 0.1


class PaymentGateway(models.Model):
    """One at a time through one connector, whatever gateways lead to it: so the pace holds for all of them
    together, and no more is under way than the connector can tell apart."""

    _inherit = "g2p.payment.gateway"

    def _mojaloop_claim(self):
        """For a job. The claim goes with its own transaction, also when its worker dies."""
        if not self._mojaloop_is_claimed(JOB_WAITS):
            raise RetryableJobError(
                "Another job is at work through this connector.", seconds=10, ignore_retry=True
            )

    def _mojaloop_claim_step(self):
        """For a job that pays nothing and keeps no pace: it waits only where the connector mixes up steps."""
        if self.mojaloop_parallel == 1:
            self._mojaloop_claim()

    def _mojaloop_claim_for_people(self):
        """For somebody at a screen, in the same way."""
        if self.mojaloop_parallel == 1 and not self._mojaloop_is_claimed(PEOPLE_WAIT):
            raise UserError(
                _(
                    "The connector of %s is busy with other payments or look-ups, and takes one at a time. "
                    "Try again in a minute.",
                    self.name,
                )
            )

    def _mojaloop_is_claimed(self, seconds):
        """Whether this transaction has the connector to itself now, after waiting for it so long."""
        until = time.monotonic() + seconds
        while not self._mojaloop_try_to_claim():
            if time.monotonic() >= until:
                return False
            time.sleep(_LOOK_EVERY)
        return True

    def _mojaloop_try_to_claim(self):
        self.env.cr.execute(
            "SELECT pg_try_advisory_xact_lock(hashtext('g2p_mojaloop_connector'), hashtext(%s))",
            [address_of(self.mojaloop_url or "")],
        )
        return self.env.cr.fetchone()[0]
