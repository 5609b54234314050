import hashlib
import json
from itertools import groupby
from operator import itemgetter

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError

from ..client.anchor import Anchor

# What may change on an anchor: what came of handing it over.
_HANDED_OVER = {"sent_at", "failure"}
_PAGE = 5_000
# What the first anchor has for the hash of the anchor before.
_SEED = hashlib.sha256(b"g2p.payment.audit.anchor").hexdigest()


class PaymentAuditAnchor(models.Model):
    """The heads of all audit trails at a moment, under one hash that follows the hash of the anchor before.

    Kept by somebody outside, the hash shows whether whoever owns the database has rewritten what happened
    until then.
    """

    _name = "g2p.payment.audit.anchor"
    _inherit = ["g2p.payment.task.mixin"]
    _description = "Anchor of the Audit Trail"
    _order = "number desc"
    _rec_name = "number"
    _no_user_defaults = True

    number = fields.Integer(required=True, readonly=True)
    happened_at = fields.Datetime("When", required=True, readonly=True)
    event_count = fields.Integer("Events", readonly=True, help="All events until then.")
    batch_count = fields.Integer("Batches", readonly=True, help="All batches with events until then.")
    finding_count = fields.Integer(
        "Findings", readonly=True, help="What the check right before had found that does not fit."
    )
    previous_hash = fields.Char(required=True, readonly=True)
    hash = fields.Char(required=True, readonly=True)
    head_ids = fields.One2many(
        "g2p.payment.audit.head",
        "anchor_id",
        "Heads",
        readonly=True,
        help="The last event of each batch in which something happened since the anchor before.",
    )
    sent_at = fields.Datetime("Handed over on", readonly=True)
    failure = fields.Char("Not Handed over", readonly=True, help="Why it could not be handed over.")

    _sql_constraints = [("number_unique", "unique(number)", "This anchor exists already.")]

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            raise AccessError(_("Anchors are made by the scheduled action, not by people."))
        return super().create(vals_list)

    def write(self, vals):
        if set(vals) - _HANDED_OVER or not self.env.su:
            raise UserError(_("An anchor cannot be changed: others hold its hash."))
        return super().write(vals)

    def unlink(self):  # pylint: disable=method-required-super
        # pylint: disable-next=no-raise-unlink  # `ondelete` would not stop an uninstallation
        raise UserError(_("An anchor cannot be deleted: others hold its hash."))

    @api.model
    def _make(self, finding_count=0):
        """Anchor the heads as they are now; only batches with news since the last anchor get a line."""
        last = self.sudo().search([], limit=1)
        self.env.flush_all()
        self.env.cr.execute("SELECT count(*), count(DISTINCT batch_id) FROM g2p_payment_event")
        event_count, batch_count = self.env.cr.fetchone()
        values = {
            "number": last.number + 1,
            "happened_at": fields.Datetime.now(),
            "event_count": event_count,
            "batch_count": batch_count,
            "finding_count": finding_count,
            "previous_hash": last.hash or _SEED,
        }
        heads = self._new_heads()
        head_values = [dict(zip(("batch_id", "number", "hash"), head, strict=True)) for head in heads]
        return self.sudo().create(
            {
                **values,
                "hash": _hash(values, heads),
                "head_ids": [fields.Command.create(head) for head in head_values],
            }
        )

    @api.model
    def _new_heads(self):
        """Return (batch, number, hash) of the last events that no anchor has yet, in the order of batches."""
        self.env.cr.execute(
            """
            SELECT batch.id, last.number, last.hash
              FROM g2p_payment_batch AS batch
              JOIN LATERAL (SELECT number, hash FROM g2p_payment_event WHERE batch_id = batch.id
                             ORDER BY number DESC LIMIT 1) AS last ON true
              LEFT JOIN LATERAL (SELECT number, hash FROM g2p_payment_audit_head WHERE batch_id = batch.id
                                  ORDER BY id DESC LIMIT 1) AS anchored ON true
             WHERE (anchored.number, anchored.hash) IS DISTINCT FROM (last.number, last.hash)
             ORDER BY batch.id
            """
        )
        return self.env.cr.fetchall()

    # Verifying

    @api.model
    def _first_broken(self):
        """Return the number of the first anchor that does not fit, 0 when all do.

        An anchor fits when its hash is that of its figures and heads, follows the anchor before, and each of
        its heads is an event still.
        """
        self.env.flush_all()
        self.env.cr.execute(
            """
            SELECT min(anchor.number) FROM g2p_payment_audit_head AS head
              JOIN g2p_payment_audit_anchor AS anchor ON anchor.id = head.anchor_id
              LEFT JOIN g2p_payment_event AS event
                ON event.batch_id = head.batch_id AND event.number = head.number
             WHERE event.hash IS DISTINCT FROM head.hash
            """
        )
        (lost,) = self.env.cr.fetchone()
        broken = [number for number in (lost, self._first_changed()) if number]
        return min(broken, default=0)

    def _changed_batches(self):
        """Return the batches in which an event was changed that this anchor, or one before it, stands for."""
        self.env.cr.execute(
            """
            SELECT head.batch_id, max(head.number) FROM g2p_payment_audit_head AS head
              JOIN g2p_payment_audit_anchor AS anchor ON anchor.id = head.anchor_id
             WHERE anchor.number <= %s GROUP BY head.batch_id
            """,
            [self.number],
        )
        until = dict(self.env.cr.fetchall())
        Batch = self.env["g2p.payment.batch"]
        trails = self.env["g2p.payment.event"]._trails(Batch.browse(until))
        return Batch.browse(
            trail.batch_id for trail in trails if trail.broken and trail.broken <= until[trail.batch_id]
        )

    @api.model
    def _first_changed(self):
        # Odoo's own groupby would keep all heads in memory.
        heads = groupby(self._heads(), itemgetter("anchor_id"))  # pylint: disable=bad-builtin-groupby
        anchor_id, lines = next(heads, (None, ()))
        previous, count = _SEED, 0
        self.env.cr.execute(
            """
            SELECT id, number, happened_at, event_count, batch_count, finding_count, previous_hash, hash
              FROM g2p_payment_audit_anchor ORDER BY number
            """
        )
        for anchor in self.env.cr.dictfetchall():
            count += 1
            mine = []
            if anchor_id == anchor["id"]:
                mine = [(line["batch_id"], line["number"], line["hash"]) for line in lines]
                anchor_id, lines = next(heads, (None, ()))
            expected = (count, previous, _hash(anchor, mine))
            if (anchor["number"], anchor["previous_hash"], anchor["hash"]) != expected:
                return count
            previous = anchor["hash"]
        return 0

    @api.model
    def _heads(self):
        """Yield the lines of all anchors, in pages."""
        last = (0, 0)
        while True:
            self.env.cr.execute(
                """
                SELECT head.anchor_id, head.batch_id, head.number, head.hash, anchor.number AS of_anchor
                  FROM g2p_payment_audit_head AS head
                  JOIN g2p_payment_audit_anchor AS anchor ON anchor.id = head.anchor_id
                 WHERE (anchor.number, head.batch_id) > (%s, %s)
                 ORDER BY anchor.number, head.batch_id LIMIT %s
                """,
                [*last, _PAGE],
            )
            page = self.env.cr.dictfetchall()
            yield from page
            if len(page) < _PAGE:
                return
            last = page[-1]["of_anchor"], page[-1]["batch_id"]

    def _message(self):
        """Return what is handed over."""
        return Anchor(
            database=self.env["ir.config_parameter"].sudo().get_param("database.uuid", ""),
            number=self.number,
            hash=self.hash,
            previous_hash=self.previous_hash,
            happened_at=f"{self.happened_at.isoformat()}Z",
            events=self.event_count,
            batches=self.batch_count,
            findings=self.finding_count,
        )


class PaymentAuditHead(models.Model):
    """The last event of a batch at the moment of an anchor."""

    _name = "g2p.payment.audit.head"
    _description = "Anchored Head of an Audit Trail"
    _order = "id"

    anchor_id = fields.Many2one(
        "g2p.payment.audit.anchor", required=True, readonly=True, ondelete="restrict", index=True
    )
    batch_id = fields.Many2one(
        "g2p.payment.batch", required=True, readonly=True, ondelete="restrict", index=True
    )
    number = fields.Integer("Event", required=True, readonly=True)
    hash = fields.Char(required=True, readonly=True)

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            raise AccessError(_("Anchors are made by the scheduled action, not by people."))
        return super().create(vals_list)

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(_("An anchor cannot be changed: others hold its hash."))

    def unlink(self):  # pylint: disable=method-required-super
        # pylint: disable-next=no-raise-unlink  # `ondelete` would not stop an uninstallation
        raise UserError(_("An anchor cannot be deleted: others hold its hash."))


def _hash(values, heads):
    facts = ("number", "happened_at", "event_count", "batch_count", "finding_count")
    head = [values["previous_hash"], *(str(values[name] or 0) for name in facts)]
    whole = hashlib.sha256(json.dumps(head).encode())
    for line in heads:
        whole.update(json.dumps(line).encode())
    return whole.hexdigest()
