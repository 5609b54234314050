from odoo import api, fields, models

# Our steps, and what the Connection Manager calls them (DfspNetworkConfigService).
_AT_THE_MANAGER = {
    "certificate": "CSR_EXCHANGE",
    "signing_key": "JWS_CERTIFICATES",
    "server_certificate": "SERVER_CERTIFICATES_EXCHANGE",
    "addresses": "ENDPOINTS",
}


class MojaloopTrustStep(models.Model):
    """How far one part of the exchange with the Connection Manager is. Only the gateway's buttons write
    here."""

    _name = "g2p.mojaloop.trust.step"
    _description = "Mojaloop Trust Step"
    _order = "gateway_id, id"
    _rec_name = "step"

    gateway_id = fields.Many2one(
        "g2p.payment.gateway", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one("res.company", related="gateway_id.company_id", store=True)
    step = fields.Selection(
        [
            ("certificate", "Client Certificate"),
            ("signing_key", "Signing Key"),
            ("peer_keys", "Keys of Others"),
            ("hub_key", "Hub's Signing Key"),
            ("server_certificate", "Server Certificate"),
            ("hub_authority", "Hub's Authority"),
            ("hub_server", "Hub's Server Certificate"),
            ("addresses", "Addresses"),
            ("hub_addresses", "Hub's Addresses"),
        ],
        required=True,
        readonly=True,
    )
    state = fields.Selection(
        [("todo", "To Do"), ("requested", "Requested"), ("done", "Done"), ("refused", "Refused")],
        required=True,
        readonly=True,
        default="todo",
    )
    changed_at = fields.Datetime("When", readonly=True, help="When this was last tried.")
    sentence = fields.Char("What Came of It", readonly=True)
    manager_status = fields.Char(
        "At the Manager",
        readonly=True,
        help="What the Connection Manager said at the last Refresh, in its words.",
    )

    _sql_constraints = [("step_unique", "unique(gateway_id, step)", "A gateway has each step once.")]

    @api.model
    def _make(self, gateways):
        """The steps that these gateways lack."""
        steps = [name for name, _label in self._fields["step"].selection]
        self.create(
            [
                {"gateway_id": gateway.id, "step": step}
                for gateway in gateways
                for step in steps
                if step not in gateway.sudo().mojaloop_step_ids.mapped("step")
            ]
        )

    def _set_state(self, state, sentence):
        self.write({"state": state, "changed_at": fields.Datetime.now(), "sentence": sentence})

    def _note_manager_status(self, status):
        """`status` as the Connection Manager tells it: step in its words to state in its words."""
        for step in self:
            step.manager_status = status.get(_AT_THE_MANAGER.get(step.step), False)
