"""Batches that are paid, and workers that die over it."""

from contextlib import contextmanager
from unittest.mock import patch

from ..client import paying
from .common import MojaloopCase

FIRST = "27713800000"


class Killed(BaseException):
    """What a worker does not survive."""


class PayingCase(MojaloopCase):
    def _paid(self, count=1, runs=1, **values):
        """A batch that was sent, and after `runs` runs of its job."""
        batch = self._approved(count, **values)
        self._send(batch)
        for _number in range(runs):
            self._pay(batch)
        return batch

    def _pay_only(self, transfer):
        """A run of the job in which the others of the batch are not due."""
        self._sql(
            "UPDATE g2p_mojaloop_transfer SET next_at = now() at time zone 'utc' + interval '9 minutes'"
            " WHERE batch_id = %s AND id <> %s",
            transfer.batch_id.id,
            transfer.id,
        )
        transfer.submission_id.sudo()._pay()

    def _only(self, batch):
        """The one transfer, and its payment's outcome."""
        transfer = self._transfers(batch)
        self.assertEqual(len(transfer), 1)
        return transfer, self._outcomes(batch)[batch.payment_ids.name]

    @contextmanager
    def _worker_dies_at(self, work, before=False, way=paying):
        """`work` (a step of `way`) begins, does what it does, and nobody writes down what came of it; it does
        nothing when the worker dies `before`."""
        original = getattr(way, work)

        def dies(connector, task):
            if not before:
                original(connector, task)
            raise Killed

        with patch.object(way, work, dies):
            try:  # and not assertRaises, which takes back what was written
                yield
            except Killed:
                return
        self.fail("nobody died")

    def _forget_sending(self, batch, state="approved"):
        """The database is a backup again, from before the batch was sent; the scheme knows what it knows."""
        self._sql("DELETE FROM g2p_mojaloop_transfer WHERE batch_id = %s", batch.id)
        self._sql("DELETE FROM g2p_payment_event WHERE submission_id IS NOT NULL")
        self._sql("DELETE FROM g2p_payment_submission WHERE batch_id = %s", batch.id)
        self._sql("UPDATE g2p_payment_batch SET batch_state = %s WHERE id = %s", state, batch.id)
        self._sql("UPDATE g2p_payment SET state = 'issued' WHERE batch_id = %s", batch.id)

    def _lease_ends(self, batch):
        self._sql(
            "UPDATE g2p_mojaloop_transfer SET lease_until = now() at time zone 'utc' - interval '1 second'"
            " WHERE batch_id = %s AND lease_until IS NOT NULL",
            batch.id,
        )
