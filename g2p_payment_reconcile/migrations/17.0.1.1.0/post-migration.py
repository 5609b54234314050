from odoo import SUPERUSER_ID, api

from odoo.addons.g2p_payment_reconcile.hooks import post_init_hook


def migrate(cr, version):
    """Version 1.0.0 had payments that need attention, and nobody who could decide them."""
    post_init_hook(api.Environment(cr, SUPERUSER_ID, {}))
