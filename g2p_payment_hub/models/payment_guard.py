from odoo import _, api, models
from odoo.exceptions import AccessError, UserError

# What people may not write on a payment of a gateway, whatever rights OpenG2P gives them on the model.
GUARDED = {
    "name",
    "entitlement_id",
    "partner_id",
    "cycle_id",
    "batch_id",
    "state",
    "status",
    "status_is_final",
    "status_datetime",
    "account_number",
    "amount_issued",
    "amount_paid",
    "payment_fee",
    "issuance_date",
    "payment_datetime",
    "currency_id",
    "journal_id",
    "company_id",
    "gateway_id",
    "payee_identifier_type",
    "payee_bank",
    "payment_currency_id",
    "check_problem",
    "adjustment",
    "remote_reference",
    "remote_status",
    "failure_code",
    "failure_reason",
    "failure_type",
    "remote_fee",
    "remote_commission",
    "attention",
    "attention_type",
    "event_ids",
    "reissue_of_id",
    "reissue_ids",
}


class Payment(models.Model):
    """OpenG2P lets people make, edit, copy and delete payments; not those of a gateway."""

    _inherit = "g2p.payment"

    @api.model_create_multi
    def create(self, vals_list):
        payments = super().create(vals_list)
        # Looked at afterwards, because values also come from defaults in the context.
        if not self.env.su and any(
            one.gateway_id or one.batch_id.gateway_id or one.reissue_of_id for one in payments.sudo()
        ):
            raise AccessError(_("Payments of a gateway are made by Prepare Payments on the cycle only."))
        payments.filtered(lambda one: not one.gateway_id)._check_not_paid_by_a_gateway()
        return payments

    def _check_not_paid_by_a_gateway(self):
        """Whichever payment manager a program has by now, a doubt about a payment of a gateway counts."""
        for payments in self._others_that_may_pay().values():
            doubtful = payments.filtered("gateway_id")[:1]
            if doubtful:
                raise UserError(
                    _(
                        "The payment %(payment)s through %(gateway)s may pay the same entitlement, or have "
                        "paid it. Find out before it is paid in another way.",
                        payment=doubtful.name,
                        gateway=doubtful.gateway_id.name,
                    )
                )

    def copy(self, default=None):
        if not self.env.su and self.sudo().gateway_id:
            raise AccessError(
                _("A payment of a gateway cannot be copied. Prepare payments on the cycle instead.")
            )
        return super().copy(default)

    def write(self, vals):
        self._check_guard(vals)
        return super().write(vals)

    def _check_guard(self, vals):
        # invariant: guarded-fields
        if self.env.su:
            return
        batch_taken = (
            vals.get("batch_id") and self.env["g2p.payment.batch"].browse(vals["batch_id"]).sudo().gateway_id
        )
        if (
            vals.get("gateway_id")
            or vals.get("reissue_of_id")
            or batch_taken
            or (GUARDED & set(vals) and any(self.sudo().mapped("gateway_id")))
        ):
            raise AccessError(
                _(
                    "A payment of a gateway cannot be edited: what was approved is what is sent. Cancel "
                    "its batch instead."
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_never_once_prepared(self):
        if self.filtered("gateway_id"):
            raise UserError(
                _("A payment of a gateway is never deleted. Cancel its batch, and it can be prepared again.")
            )
