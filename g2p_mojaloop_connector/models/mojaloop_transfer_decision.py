from odoo import _, api, fields, models
from odoo.exceptions import UserError

from ..client import results
from .mojaloop_transfer import UNSETTLED

OPEN = ("waiting", *UNSETTLED)


class MojaloopTransfer(models.Model):
    """What people decide about a payment, its transfer heeds: it is not begun, asked for or sent again.

    A decision writes the row that the paying job claims, so that PostgreSQL lets only one of the two go on
    without having seen the other. What is under way at that moment comes to its end; when that is not what
    was decided, reconciliation is told. Before an entitlement is paid again, the scheme is asked for what was
    declared failed while nobody knew.
    """

    _inherit = "g2p.mojaloop.transfer"

    decided = fields.Selection(
        [("paid", "Paid"), ("failed", "Failed")],
        "Decided as",
        readonly=True,
        index="btree_not_null",
        help="What people decided about its payment when the scheme had not said, or not proved, what became "
        "of it. It is not begun, asked for or sent again unless that decision is taken back.",
    )

    @api.model
    def _heed_decisions(self, payments):
        """These payments were decided by people, or are open again."""
        payments = payments.sudo()
        # It may be sent again from here on, so what the scheme did not know before says nothing any more.
        payments.filtered("mojaloop_unknown_at").mojaloop_unknown_at = False
        results = {one.id: one.status if one.status_is_final else False for one in payments}
        touched = self.sudo().search(
            [
                ("payment_id", "in", payments.ids),
                "|",
                ("decided", "!=", False),
                ("state", "in", (*OPEN, "suspect")),
            ]
        )
        for decided, transfers in touched.grouped(lambda one: results[one.payment_id.id]).items():
            transfers.decided = decided

    def _contradicts_decision(self):
        """Whether it came to another end than people decided meanwhile."""
        ends = {"committed": "paid", "failed": "failed"}
        return bool(self.decided) and ends.get(self.state, self.decided) != self.decided

    @api.model
    def _check_declared_failed(self, gateway, payments):
        """Asks the scheme for transfers of the same entitlements that were declared failed while nobody knew
        what became of them. UserError when one has paid or still may; errors of the client when the scheme
        cannot tell."""
        declared = self.sudo().search(
            [
                ("payment_id.entitlement_id", "in", payments.sudo().entitlement_id.ids),
                ("decided", "=", "failed"),
                ("state", "in", OPEN),
                # What never left through another gateway may be why it is paid through this one.
                "|",
                ("gateway_id", "=", gateway.id),
                ("state", "in", UNSETTLED),
            ]
        )
        in_time = next(((one.payment_id, one.transfer_id) for one in declared if one._is_in_time()), None)
        may_pay = in_time or declared._may_pay(payments.batch_id)
        if may_pay:
            payment, transfer_id = may_pay
            raise UserError(
                _(
                    "%(reference)s, which was declared failed, is not over at the scheme: its transfer "
                    "%(transfer)s may have paid the same entitlement. Ask the scheme's operator; if it was "
                    "paid, take that decision back.",
                    reference=payment.name,
                    transfer=transfer_id,
                )
            )

    def _may_pay(self, batch):
        """(payment, transfer id) of the first of these that its scheme has carried out, or still may, under
        this attempt's id or a later one's; None when there is none. Each gateway is asked for its own."""
        for gateway, transfers in self.grouped("gateway_id").items():
            found = gateway._ask_unless_gone(gateway._mojaloop_may_pay, batch, transfers)
            if found:
                return found
        return None

    @api.model
    def _are_asked_again(self, gateways):
        """Whether some of these gateways' transfers will be asked for before their entitlements are paid
        again: they may have left, were declared failed, and nothing else has been sent in their place."""
        declared = self.sudo().search(
            [
                ("gateway_id", "in", gateways.ids),
                ("decided", "=", "failed"),
                ("state", "in", UNSETTLED),
                ("payment_id.entitlement_id.state", "=", "approved"),
            ]
        )
        others = declared.payment_id._others_that_may_pay()
        sent = [entitlement for entitlement, of in others.items() if set(of.mapped("state")) != {"issued"}]
        return any(entitlement not in sent for entitlement in declared.payment_id.entitlement_id)

    def _is_in_time(self):
        """Whether the scheme may still come to know of it, and carry it out."""
        return bool(self.expires_at) and fields.Datetime.now() < self.expires_at + results.GRACE
