from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Earlier versions had fewer steps of the exchange with the Connection Manager."""
    api.Environment(cr, SUPERUSER_ID, {})["g2p.payment.gateway"].with_context(active_test=False).search(
        []
    )._mojaloop_make_steps()
