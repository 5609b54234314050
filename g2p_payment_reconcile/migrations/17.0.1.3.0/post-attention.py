from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Write the type of each open exception on its payment, where it survives this add-on."""
    exceptions = api.Environment(cr, SUPERUSER_ID, {})["g2p.payment.exception"]
    exceptions._refresh_attention(exceptions.search([("state", "!=", "closed")]))
