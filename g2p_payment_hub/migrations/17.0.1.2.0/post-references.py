from odoo import SUPERUSER_ID, api

from odoo.addons.g2p_payment_hub.models.payment_manager_prepare import LAST_FORMER


def migrate(cr, version):
    """Entitlements that exist by now keep the former kind of references: see `_references`."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    if not env["ir.config_parameter"].get_param(LAST_FORMER):
        cr.execute("SELECT coalesce(max(id), 0) FROM g2p_entitlement")
        env["ir.config_parameter"].set_param(LAST_FORMER, cr.fetchone()[0])
