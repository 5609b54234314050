from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError

from ..client.chain import chained, seed
from .columns import Columns, tell_created

# How they are stored, for an INSERT of many rows at a time.
_COLUMNS = Columns(
    number="int",
    batch_id="int",
    submission_id="int",
    payment_id="int",
    user_id="int",
    happened_at="timestamp",
    from_state="varchar",
    to_state="varchar",
    why="varchar",
    digest="varchar",
    remote_reference="varchar",
    amount_paid="numeric",
    previous_hash="varchar",
    hash="varchar",
)


class PaymentEvent(models.Model):
    """The audit trail: what happened to a batch, its submissions and its payments, one row each, in order.

    Rows are only ever added. Each carries the hash of the row before, and the batch the hash of the last, so
    that a row changed, taken out or cut off behind the ORM's back is found by `_trails`.
    """

    _name = "g2p.payment.event"
    _description = "Payment Event"
    _no_user_defaults = True
    _order = "batch_id desc, number desc"
    _rec_name = "number"

    batch_id = fields.Many2one("g2p.payment.batch", required=True, readonly=True, ondelete="restrict")
    number = fields.Integer(required=True, readonly=True)
    submission_id = fields.Many2one("g2p.payment.submission", readonly=True, ondelete="restrict")
    payment_id = fields.Many2one("g2p.payment", readonly=True, ondelete="restrict", index="btree_not_null")
    user_id = fields.Many2one("res.users", "Who", required=True, readonly=True, ondelete="restrict")
    happened_at = fields.Datetime("When", required=True, readonly=True)
    from_state = fields.Char("From", readonly=True)
    to_state = fields.Char("To", readonly=True)
    from_label = fields.Char("Was", compute="_compute_labels")
    to_label = fields.Char("Became", compute="_compute_labels")
    why = fields.Char(readonly=True)
    digest = fields.Char("SHA-256 of the File", readonly=True)
    remote_reference = fields.Char(readonly=True, help="The payment system's own reference.")
    amount_paid = fields.Monetary(
        readonly=True, help="What the payment counted as paid from then on, where the event says so."
    )
    currency_id = fields.Many2one(related="payment_id.payment_currency_id", string="Currency")
    previous_hash = fields.Char(required=True, readonly=True)
    hash = fields.Char(required=True, readonly=True)

    _sql_constraints = [("number_unique", "unique(batch_id, number)", "This event exists already.")]

    @api.depends("from_state", "to_state")
    def _compute_labels(self):
        """The states in the words of the screens."""
        for event in self:
            labels = event._labels()
            event.from_label = labels.get(event.from_state, event.from_state)
            event.to_label = labels.get(event.to_state, event.to_state)

    def _labels(self):
        if self.payment_id:
            return {**self._words(self.payment_id, "state"), **self._words(self.payment_id, "status")}
        if self.submission_id:
            return self._words(self.submission_id, "state")
        return self._words(self.batch_id, "batch_state")

    def _words(self, records, name):
        return dict(records._fields[name]._description_selection(self.env))

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            raise AccessError(_("Events are written by what happens, not by people."))
        return super().create(vals_list)

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(_("An event cannot be changed: it is the record of what happened."))

    def unlink(self):  # pylint: disable=method-required-super
        # pylint: disable-next=no-raise-unlink  # `ondelete` would not stop an uninstallation
        raise UserError(_("An event cannot be deleted: it is the record of what happened."))

    @api.model
    def _record(self, batch, rows):
        """Adds rows, dicts of columns, to the trail of a batch; all in one statement.

        Two transactions cannot both add the same number: the second is refused by PostgreSQL.
        """
        if not rows:
            return
        last = self.sudo().search([("batch_id", "=", batch.id)], order="number desc", limit=1)
        number, previous = last.number, last.hash or seed(batch.id)
        now = fields.Datetime.now()
        values = []
        for row in rows:
            number += 1
            value = {
                "number": number,
                "batch_id": batch.id,
                "user_id": self.env.uid,
                "happened_at": now,
                **row,
            }
            value["why"] = " ".join((value.get("why") or "").split()) or False
            value["previous_hash"] = previous
            value["hash"] = previous = chained(previous, value)
            values.append(value)
        self._insert(values)
        batch.sudo().event_head = previous

    @api.model
    def _insert(self, values):
        """One INSERT: `create` makes one for each hundred rows, and a batch may have many thousands."""
        names = _COLUMNS.names
        self.env.flush_all()
        self.env.cr.execute(
            f"""
            INSERT INTO g2p_payment_event ({names}, create_uid, create_date, write_uid, write_date)
            SELECT {names}, %s, %s, %s, %s FROM unnest({_COLUMNS.arrays}) AS new ({names})
            RETURNING id
            """,  # only names of this file's own columns
            [*(self.env.uid, fields.Datetime.now()) * 2, *_COLUMNS.of(values)],
        )
        new = self.browse(event for (event,) in self.env.cr.fetchall())
        self.env["g2p.payment"].invalidate_model(["event_ids"])
        self.env["g2p.payment.batch"].invalidate_model(["event_ids"])
        tell_created(new, _COLUMNS)
