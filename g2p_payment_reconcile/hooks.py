def post_init_hook(env):
    """Installed again, or beside payments that need attention already."""
    env["g2p.payment.exception"]._adopt()
    env["g2p.payment.gateway"].with_context(active_test=False).search([])._ensure_callback_key()
