from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Compare names again that were compared without their vowel signs."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    env["g2p.payee.verification"].search(
        [("state", "=", "found"), ("decision", "=", False)]
    )._compare_names_again()
