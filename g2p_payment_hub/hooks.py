from .models.payment_manager import MODEL


def uninstall_hook(env):
    """Odoo drops our tables whatever is in them. Wrappers of our managers would keep pointing at a model that
    is gone, and break their programs."""
    env["g2p.payment.batch"]._check_nothing_under_way()
    wrappers = env["g2p.program.payment.manager"].search([])
    wrappers.filtered(lambda one: one.manager_ref_id and one.manager_ref_id._name == MODEL).unlink()
