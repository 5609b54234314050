from odoo import _, api, fields, models


class PaymentExceptionDecide(models.TransientModel):
    _name = "g2p.payment.exception.decide.wizard"
    _description = "Decide Payment Exceptions"

    exception_ids = fields.Many2many("g2p.payment.exception", required=True)
    next_step = fields.Text("Suggested", compute="_compute_offer")
    possible = fields.Char(compute="_compute_offer", help="What all of these exceptions can be decided as.")
    decision = fields.Selection(
        selection=lambda self: [
            choice
            for choice in self.env["g2p.payment.exception"]
            ._fields["decision"]
            ._description_selection(self.env)
            if choice[0] != "settled"
        ],
        required=True,
        help="Declare paid: by evidence, which you attach. Declare failed: it was not paid, and can be. "
        "Accept the difference: paid, with the amount that the other side names. Reverse: it was paid, the "
        "money came back, and it can be paid again. Keep as it is: nothing changes.",
    )
    reason = fields.Char(
        required=True, help="How you know, for example: Letter of the bank of 3 March, number 17."
    )
    attachment_ids = fields.Many2many(
        "ir.attachment", string="Evidence", help="Letters, statements: needed to declare a payment paid."
    )

    @api.depends("exception_ids")
    def _compute_offer(self):
        for wizard in self:
            exceptions = wizard.exception_ids
            wizard.next_step = "\n".join(dict.fromkeys(exceptions.mapped("next_step")))
            wizard.possible = wizard._possible()

    def _possible(self):
        """With the evidence attached, where it needs some."""
        labels = dict(self._fields["decision"]._description_selection(self.env))
        fitting = [
            labels[decision]
            for decision in labels
            if not any(one._why_not(decision, True) for one in self.exception_ids)
        ]
        if not fitting:
            return _("Nothing fits all of them: decide them one by one.")
        return ", ".join(fitting)

    def action_decide(self):
        self.exception_ids._propose(self.decision, self.reason, self.attachment_ids)
        return {"type": "ir.actions.act_window_close"}
