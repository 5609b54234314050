from odoo import _, api, fields, models
from odoo.exceptions import UserError

from odoo.addons.g2p_payment_hub.models.roles import LOOKERS, check_role


class PayeeVerifyWizard(models.TransientModel):
    _name = "g2p.payee.verify.wizard"
    _description = "Verify Payees"

    partner_ids = fields.Many2many("res.partner", string="Registrants", required=True)
    manager_id = fields.Many2one(
        "g2p.program.payment.manager.hub",
        "Payment Manager",
        required=True,
        domain="[('gateway_id.provider', '=', 'mojaloop')]",
        help="Its gateway is asked, for the identifier by which it would pay.",
    )

    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        if self.env.context.get("active_model") == "res.partner":
            values["partner_ids"] = [fields.Command.set(self.env.context.get("active_ids", []))]
        return values

    def action_verify(self):
        self.ensure_one()
        check_role(self.env, LOOKERS, _("Only program managers and finance users may verify payees."))
        manager, gateway = self.manager_id, self.manager_id.gateway_id
        gateway._check_can_verify()
        payees = manager._payee_values(self.partner_ids)
        without = self.partner_ids.filtered(lambda partner: not payees[partner.id]["account_number"])
        if without:
            raise UserError(
                _(
                    "These registrants have no identifier by which %(manager)s could pay them: %(names)s",
                    manager=manager.name,
                    names=", ".join(without[:20].mapped("name")),
                )
            )
        verifications = self.env["g2p.payee.verification"]._ask_for(
            gateway,
            [
                {
                    "partner_id": partner.id,
                    "identifier_type": payees[partner.id]["payee_identifier_type"],
                    "identifier": payees[partner.id]["account_number"],
                }
                for partner in self.partner_ids
            ],
        )
        return {
            "type": "ir.actions.act_window",
            "name": _("Payee Verifications"),
            "res_model": "g2p.payee.verification",
            "view_mode": "tree,form",
            "domain": [("id", "in", verifications.ids)],
        }
