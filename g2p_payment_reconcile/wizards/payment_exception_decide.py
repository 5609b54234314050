from odoo import fields, models


class PaymentExceptionDecide(models.TransientModel):
    _name = "g2p.payment.exception.decide.wizard"
    _description = "Decide Payment Exceptions"

    exception_ids = fields.Many2many("g2p.payment.exception", required=True)
    decision = fields.Selection(
        selection=lambda self: [
            choice
            for choice in self.env["g2p.payment.exception"]
            ._fields["decision"]
            ._description_selection(self.env)
            if choice[0] != "settled"
        ],
        required=True,
        help="Declare paid: by evidence, which you attach. Declare failed: it can be paid again. Accept the "
        "difference: paid, with the amount that the other side names. Reverse: it was paid, the money came "
        "back, and it can be paid again. Keep as it is: nothing changes.",
    )
    reason = fields.Char(
        required=True, help="How you know, for example: Letter of the bank of 3 March, number 17."
    )
    attachment_ids = fields.Many2many(
        "ir.attachment", string="Evidence", help="Letters, statements: needed to declare a payment paid."
    )

    def action_decide(self):
        self.exception_ids._propose(self.decision, self.reason, self.attachment_ids)
        return {"type": "ir.actions.act_window_close"}
