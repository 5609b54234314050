from odoo import api, fields, models


class CycleDistribute(models.TransientModel):
    _name = "g2p.cycle.distribute.wizard"
    _description = "Mark a Cycle as Distributed"

    cycle_id = fields.Many2one("g2p.cycle", required=True)
    remains = fields.Text("Remains Unpaid", compute="_compute_remains")

    @api.depends("cycle_id")
    def _compute_remains(self):
        for wizard in self:
            wizard.remains = "\n".join(wizard.cycle_id._remains_unpaid()) or False

    def action_distribute(self):
        self.cycle_id._check_may_end_payments()
        self.cycle_id._end_payments()
        return {"type": "ir.actions.act_window_close"}
