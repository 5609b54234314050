from odoo import _, api, fields, models

from ..client.outcomes import SAME_DATA_MAY_WORK, FailureType


class Payment(models.Model):
    """What a failure means for whoever has to do something about it."""

    _inherit = "g2p.payment"

    failure_advice = fields.Char(
        "What to Do", compute="_compute_failure_advice", help="What to do before it is paid again."
    )
    same_data_may_work = fields.Boolean(
        compute="_compute_failure_advice",
        help="Whether the same payee and amount may be tried again as they are.",
    )

    @api.depends("failure_type", "status")
    def _compute_failure_advice(self):
        advice = self._failure_advice()
        for payment in self:
            failed = payment.status == "failed"
            kind = FailureType(payment.failure_type or "other")
            payment.failure_advice = failed and advice[kind]
            payment.same_data_may_work = failed and kind in SAME_DATA_MAY_WORK

    @api.model
    def _failure_advice(self):
        return {
            FailureType.PAYEE_UNKNOWN: _(
                "The payment system does not know this payee. Correct the payee's number on the registrant."
            ),
            FailureType.ACCOUNT_CLOSED: _(
                "The payee's account is closed or blocked. Ask the payee for another account, or to have it "
                "opened again."
            ),
            FailureType.LIMIT: _(
                "A limit was reached: of the account, or of what a payment may cost. Try again when it is "
                "raised or a new period begins."
            ),
            FailureType.INSUFFICIENT_FUNDS: _("The paying account was short of money. Fund it first."),
            FailureType.TECHNICAL: _(
                "The payment system had a fault of its own. Try again; if it happens again, ask its operator."
            ),
            FailureType.REJECTED: _(
                "The payee's institution, or a person, said no. Ask why, and correct the payee's data."
            ),
            FailureType.DUPLICATE: _(
                "The payment system took it for the same as another payment. Make sure that both are due."
            ),
            FailureType.NOT_SENT: _("It never left. Mend what kept it back, if anything did."),
            FailureType.RETURNED: _(
                "The money came back after it was paid. Find out why, and correct the payee's data."
            ),
            FailureType.DECLARED: _(
                "People decided that it was not paid. Read their reason before it is paid again."
            ),
            FailureType.OTHER: _(
                "The payment system gives a reason that we do not know. Ask its operator what it means."
            ),
        }
