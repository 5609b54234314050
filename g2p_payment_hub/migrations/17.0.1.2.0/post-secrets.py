from odoo import SUPERUSER_ID, api

from odoo.addons.g2p_payment_hub.hooks import encrypt_secrets


def migrate(cr, version):
    """Earlier versions kept secrets as they were typed."""
    encrypt_secrets(api.Environment(cr, SUPERUSER_ID, {}))
