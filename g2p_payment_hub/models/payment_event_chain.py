"""Reads the trails of batches and verifies their chains, in pages, however long they are."""

from itertools import groupby
from operator import itemgetter

from odoo import api, models

from ..client.chain import HASHED, Trail, followed

_READ = (*HASHED, "amount_paid", "id", "previous_hash", "hash")
_PAGE = 5_000


class PaymentEvent(models.Model):
    _inherit = "g2p.payment.event"

    @api.model
    def _trails(self, batches):
        """Recompute the chain of each of these batches and yield a Trail for each, in no certain order."""
        self.env.flush_all()
        self.env.cr.execute("SELECT id, event_head FROM g2p_payment_batch WHERE id = ANY(%s)", [batches.ids])
        heads = dict(self.env.cr.fetchall())
        # Odoo's own groupby would keep all events in memory.
        pages = self._pages(list(heads))
        for batch_id, events in groupby(pages, itemgetter("batch_id")):  # pylint: disable=bad-builtin-groupby
            yield followed(batch_id, events, heads.pop(batch_id))
        for batch_id, head in heads.items():
            yield Trail(batch_id, 0, 1 if head else 0)

    @api.model
    def _pages(self, batch_ids):
        """Yield the events of the batches in the order of their chains; no more than a page is in memory."""
        names = ", ".join(f"{name}::text" if name == "amount_paid" else name for name in _READ)
        last = (0, 0)
        while True:
            self.env.cr.execute(
                f"""
                SELECT {names} FROM g2p_payment_event
                 WHERE batch_id = ANY(%s) AND (batch_id, number) > (%s, %s)
                 ORDER BY batch_id, number LIMIT %s
                """,  # only names of this file's own columns
                [batch_ids, *last, _PAGE],
            )
            page = self.env.cr.dictfetchall()
            yield from page
            if len(page) < _PAGE:
                return
            last = page[-1]["batch_id"], page[-1]["number"]

    @api.model
    def _first_broken(self, batch):
        """Return the number of the first event of the batch's trail that does not fit, 0 when all do."""
        return next(self._trails(batch)).broken
