"""Who may do what: groups of OpenG2P and of this add-on, separated by commas as in `groups` of a field.

Every button asks here before it does anything: a view only hides it, and a remote call goes through no view.
"""

from odoo.exceptions import AccessError

FINANCE = "g2p_programs.g2p_finance_validator"
PROGRAM = "g2p_programs.g2p_program_manager"
_ADMIN = "g2p_registry_base.group_g2p_admin"

MAKERS = f"{PROGRAM},{_ADMIN}"  # prepare, correct and re-issue payments
APPROVERS = f"{FINANCE},{_ADMIN}"  # approve, send, and decide about money
LOOKERS = f"{FINANCE},{PROGRAM},{_ADMIN}"  # ask the other side, read statements
GATEWAY_ADMIN = "g2p_payment_hub.group_gateway_admin"  # settings, secrets and keys


def has_role(env, role):
    return may(env.user, role)


def may(user, role):
    return any(user.has_group(group) for group in role.split(","))


def check_role(env, role, sentence):
    """AccessError with the sentence, which says who may."""
    if not has_role(env, role):
        raise AccessError(sentence)
