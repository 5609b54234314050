import logging

from . import secret_keys
from .models.payment_manager import MODEL
from .models.payment_result_guard import forget_guard
from .secret_store import seal_all

_logger = logging.getLogger(__name__)


def post_init_hook(env):
    env["g2p.payment.gateway"]._log_safety()


def encrypt_secrets(env):
    """Encrypt what earlier versions kept as it was typed. Without a key it stays, unused, and the log and the
    gateway's form say so."""
    try:
        sealed, _lost = seal_all(env.cr)
    except secret_keys.NoKeys:
        env["g2p.payment.gateway"]._log_safety()
    else:
        env["g2p.payment.gateway.secret"].invalidate_model()
        _logger.info("secrets of gateways that are encrypted now: %s", sealed)


def uninstall_hook(env):
    """Odoo drops our tables whatever is in them. Wrappers of our managers would keep pointing at a model that
    is gone, and break their programs."""
    env["g2p.payment.batch"]._check_nothing_under_way()
    wrappers = env["g2p.program.payment.manager"].search([])
    wrappers.filtered(lambda one: one.manager_ref_id and one.manager_ref_id._name == MODEL).unlink()
    forget_guard(env.cr)
