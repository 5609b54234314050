from odoo import SUPERUSER_ID, _, models
from odoo.exceptions import AccessError


class Users(models.Model):
    """Whoever decides about money can be asked about it afterwards."""

    _inherit = "res.users"

    def _why_nobody(self):
        """Why this user decides nothing about money, whatever its groups; False for a person."""
        if self.id == SUPERUSER_ID:
            return _("The superuser cannot decide: it is nobody in particular. Log in as yourself.")
        return False

    def _check_somebody(self):
        if self._why_nobody():
            raise AccessError(self._why_nobody())
