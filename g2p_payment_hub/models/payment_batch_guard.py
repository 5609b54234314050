from odoo import _, api, models
from odoo.exceptions import AccessError, UserError

# What people may not write on a batch of a gateway, whatever rights OpenG2P gives them on the model.
GUARDED = {
    "name",
    "cycle_id",
    "external_batch_ref",
    "batch_has_started",
    "batch_has_completed",
    "payment_ids",
    "stats_issued_transactions",
    "stats_issued_amount",
    "stats_sent_transactions",
    "stats_sent_amount",
    "stats_paid_transactions",
    "stats_paid_amount",
    "stats_failed_transactions",
    "stats_failed_amount",
    "stats_datetime",
    "tag_id",
    "gateway_id",
    "company_id",
    "batch_state",
    "batch_currency_id",
    "payer_identifier_type",
    "payer_identifier",
    "note",
    "prepared_by_id",
    "maker_ids",
    "approved_by_id",
    "approved_at",
    "sent_by_id",
    "reject_reason",
    "check_result",
    "frozen_content",
    "frozen_digest",
    "approved_settings",
    "submission_ids",
    "event_ids",
    "event_head",
    "closed_loop_confirmed_by_id",
}


class PaymentBatch(models.Model):
    """OpenG2P lets people make, edit, copy and delete batches; those of a gateway are not theirs to touch."""

    _inherit = "g2p.payment.batch"

    @api.model_create_multi
    def create(self, vals_list):
        batches = super().create(vals_list)
        # Looked at afterwards, because values also come from defaults in the context.
        if not self.env.su and any(one.gateway_id or one.batch_state for one in batches.sudo()):
            raise AccessError(_("Batches of a gateway are made by Prepare Payments on the cycle only."))
        batches._check_takes_no_payment_of_a_gateway()
        return batches

    def write(self, vals):
        if not self.env.su and (
            {"gateway_id", "batch_state"} & set(vals)
            or (GUARDED & set(vals) and any(self.mapped("gateway_id")))
        ):
            raise AccessError(
                _(
                    "A batch of a gateway cannot be edited: what was approved is what is sent. Use its "
                    "buttons."
                )
            )
        result = super().write(vals)
        if "payment_ids" in vals:
            self._check_takes_no_payment_of_a_gateway()
        return result

    def _check_takes_no_payment_of_a_gateway(self):
        """In a batch of another payment manager it would be sent a second time."""
        others = self.sudo().filtered(lambda batch: not batch.gateway_id)
        if not self.env.su and others.payment_ids.gateway_id:
            raise AccessError(_("A payment of a gateway cannot be put into another batch."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never_once_prepared(self):
        if self.filtered("gateway_id"):
            raise UserError(
                _("A batch of a gateway is never deleted. Cancel it, and its payments can be prepared again.")
            )

    def copy(self, default=None):
        """OpenG2P's copy shares the payments of the original."""
        if self.filtered("gateway_id"):
            raise UserError(
                _("A batch of a gateway cannot be copied. Prepare payments on the cycle instead.")
            )
        return super().copy(default)
