from odoo import api, fields, models
from odoo.tools.sql import column_exists, create_column


class Entitlement(models.Model):
    """Remember for whom an entitlement was made: when two registrants are merged, every reference to one of
    them becomes one to the other, past the ORM, and two entitlements of one cycle look like one person's."""

    _inherit = "g2p.entitlement"

    registrant_number = fields.Integer(
        compute="_compute_registrant_number",
        store=True,
        help="The database's number of the registrant for whom it was made. It is no reference, so that a "
        "merge of registrants leaves it as it is.",
    )

    def _auto_init(self):
        """Fill the column of what is there in one statement: there may be millions."""
        if not column_exists(self.env.cr, self._table, "registrant_number"):
            create_column(self.env.cr, self._table, "registrant_number", "int4")
            self.env.cr.execute("UPDATE g2p_entitlement SET registrant_number = partner_id")
        return super()._auto_init()

    def init(self):
        """Index what is asked of each payment before it leaves: see `payment_stops`."""
        self.env.cr.execute(
            """
            CREATE INDEX IF NOT EXISTS g2p_entitlement_registrant
                ON g2p_entitlement (partner_id, cycle_id);
            CREATE INDEX IF NOT EXISTS g2p_entitlement_moved
                ON g2p_entitlement (partner_id, cycle_id) WHERE registrant_number <> partner_id
            """
        )

    @api.depends("partner_id")
    def _compute_registrant_number(self):
        for entitlement in self:
            entitlement.registrant_number = entitlement.partner_id.id
