def uninstall_hook(env):
    """Wrappers of our managers would keep pointing at a model that is gone, and break their programs."""
    wrappers = env["g2p.program.payment.manager"].search([])
    wrappers.filtered(
        lambda wrapper: (
            wrapper.manager_ref_id and wrapper.manager_ref_id._name == "g2p.program.payment.manager.hub"
        )
    ).unlink()
