from odoo import api, models


class IrDefault(models.Model):
    _inherit = "ir.default"

    @api.model
    def _get_model_defaults(self, model_name, condition=False):
        """Every user may keep defaults of their own, and Odoo takes them also for what is made as superuser
        on their behalf. They give no value to what people may not write: see `_no_user_defaults`."""
        if getattr(self.env.get(model_name), "_no_user_defaults", False):
            return {}
        return super()._get_model_defaults(model_name, condition)
