def uninstall_hook(env):
    """Odoo drops our tables whatever is in them."""
    env["g2p.payment.gateway"]._check_may_leave_mojaloop()
