from odoo import api, models
from odoo.tools.misc import clean_context


class OwnDefaults(models.AbstractModel):
    """For records that the add-ons write on behalf of people: a caller's context gives them no values.

    Odoo takes `default_<field>` of the context for each field that `create` is not told, read-only and
    guarded ones as well, and anybody may send a context.
    """

    _name = "g2p.payment.own.defaults"
    _description = "Defaults of Payment Records"

    @api.model
    def default_get(self, fields_list):
        ours = self.with_context(**clean_context(self.env.context)) if self.env.su else self
        return super(OwnDefaults, ours).default_get(fields_list)
