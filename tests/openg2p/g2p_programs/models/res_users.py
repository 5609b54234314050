from odoo import models


class ResUsers(models.Model):
    _inherit = "res.users"

    def write(self, vals):
        """Whoever manages programs and is no administrator loses the right to create contacts."""
        res = super().write(vals)
        contact_creation = self.env.ref("base.group_partner_manager")
        for user in self:
            if not user.has_group("g2p_programs.g2p_program_manager"):
                continue
            if user._is_admin() or user.has_group("g2p_registry_base.group_g2p_admin"):
                continue
            self.env.cr.execute(
                "DELETE FROM res_groups_users_rel WHERE uid = %s AND gid = %s", (user.id, contact_creation.id)
            )
            user.invalidate_recordset()
        return res
