from odoo import api, fields, models
from odoo.tools import safe_eval

WRAPPERS = (
    "g2p.eligibility.manager",
    "g2p.deduplication.manager",
    "g2p.program.notification.manager",
    "g2p.program.manager",
    "g2p.cycle.manager",
    "g2p.program.entitlement.manager",
    "g2p.program.payment.manager",
)


class BaseProgramsManager(models.AbstractModel):
    _name = "base.programs.manager"
    _description = "Base Manager"

    def _get_eval_context(self):
        return {
            "datetime": safe_eval.datetime,
            "dateutil": safe_eval.dateutil,
            "time": safe_eval.time,
            "uid": self.env.uid,
            "user": self.env.user,
        }

    def _safe_eval(self, string, locals_dict=None):
        return safe_eval.safe_eval(string, {**self._get_eval_context(), **(locals_dict or {})})


class ManagerMixin(models.AbstractModel):
    """The wrapper: what a program holds, pointing at the record that does the work."""

    _name = "g2p.manager.mixin"
    _description = "Manager Mixin"

    manager_id = fields.Integer("Manager ID")
    manager_ref_id = fields.Reference(string="Manager", selection="_selection_manager_ref_id", required=True)

    @api.model
    def _selection_manager_ref_id(self):
        return []

    def open_manager_form(self):
        self.ensure_one()
        manager = self.manager_ref_id
        if not manager:
            return {
                "type": "ir.actions.client",
                "tag": "display_notification",
                "params": {"title": "ERROR!", "message": "Choose a manager first.", "type": "danger"},
            }
        action = manager.get_formview_action()
        action.update(
            views=[(manager.get_manager_view_id(), "form")],
            res_id=manager.id,
            target="new",
            context=self.env.context,
        )
        return action


class ManagerSourceMixin(models.AbstractModel):
    """The concrete manager, which takes its wrappers with it when it goes."""

    _name = "g2p.manager.source.mixin"
    _description = "Manager Data Source Mixin"

    @api.model_create_multi
    def create(self, vals_list):
        return super().create(vals_list)

    def unlink(self):
        for manager in self:
            wrappers = self.get_managers_for_unlink(f"{manager._name},{manager.id}")
            if wrappers:
                wrappers.unlink()
        return super().unlink()

    @api.model
    def get_managers_for_unlink(self, manager_ref):
        for model in WRAPPERS:
            wrappers = self.env[model].search([("manager_ref_id", "=", manager_ref)])
            if wrappers:
                return wrappers

    def get_manager_view_id(self):
        return self.env["ir.ui.view"].search([("model", "=", self._name), ("type", "=", "form")], limit=1).id
