def uninstall_hook(env):
    """Odoo drops our tables whatever is in them."""
    env["g2p.payment.batch"]._check_nothing_to_reconcile()


def post_init_hook(env):
    """Installed again, or beside batches that were sent and payments that need attention already."""
    env["g2p.payment.exception"]._adopt()
    env["g2p.payment.submission"]._adopt()
    env["g2p.payment.gateway"].with_context(active_test=False).search([])._ensure_callback_key()
