from odoo import _, api, fields, models

from odoo.addons.g2p_payment_hub.models.roles import APPROVERS, LOOKERS, check_role

from .mojaloop_transfer import UNSETTLED
from .payment_gateway import MOJALOOP
from .payment_submission import RESUME


class PaymentBatch(models.Model):
    """How the transfers of a batch go and who its payees are, and what people do about it."""

    _inherit = "g2p.payment.batch"

    mojaloop_transfer_count = fields.Integer("Transfers", compute="_compute_mojaloop_transfers")
    mojaloop_unsettled_count = fields.Integer(
        "Transfers under Way",
        compute="_compute_mojaloop_transfers",
        help="Transfers of which nobody knows yet what becomes of them.",
    )
    mojaloop_paused_reason = fields.Char(
        "Paused", compute="_compute_mojaloop_run", help="Why no further payment of this batch is begun."
    )
    mojaloop_run_answer = fields.Char("Last Run", compute="_compute_mojaloop_run")

    can_verify_payees = fields.Boolean(compute="_compute_payee_verifications")
    payee_verification_count = fields.Integer("Payees Verified", compute="_compute_payee_verifications")
    payee_doubt_count = fields.Integer(
        "Payees in Doubt",
        compute="_compute_payee_verifications",
        help="Payees whom the scheme does not know, or knows by another name, and about whom nobody has "
        "decided that they are the right ones.",
    )

    def _compute_payee_verifications(self):
        counts = self.env["g2p.payee.verification"]._count_of(self)
        for batch in self:
            batch.can_verify_payees = batch.gateway_id.provider == MOJALOOP
            batch.payee_verification_count, batch.payee_doubt_count = counts.get(batch.id, (0, 0))

    def _compute_mojaloop_transfers(self):
        counts = self.env["g2p.mojaloop.transfer"]._read_group(
            [("batch_id", "in", self.ids)], ["batch_id", "state", "decided"], ["__count"]
        )
        for batch in self:
            mine = [(state, decided, count) for one, state, decided, count in counts if one == batch]
            batch.mojaloop_transfer_count = sum(count for _state, _decided, count in mine)
            batch.mojaloop_unsettled_count = sum(
                count for state, decided, count in mine if state in UNSETTLED and not decided
            )

    def _call_who_is_next(self, state, why):
        super()._call_who_is_next(state, why)
        if state == "done":
            self._call_off(RESUME)

    @api.depends("submission_ids.paused_reason", "submission_ids.run_answer", "batch_state")
    def _compute_mojaloop_run(self):
        """Of a batch that is over, nothing keeps anybody from anything."""
        for batch in self:
            accepted = batch.sudo()._accepted_submission()
            pending = accepted if batch.batch_state != "done" else accepted.browse()
            batch.mojaloop_paused_reason = pending.paused_reason
            batch.mojaloop_run_answer = pending.run_answer

    def _given_up_that_arrived(self, submission):
        """Nor may the scheme still carry out, or have carried out, what people declared failed while nobody
        knew what became of it."""
        arrived = super()._given_up_that_arrived(submission)
        self.env["g2p.mojaloop.transfer"]._check_declared_failed(self.gateway_id, self.payment_ids)
        return arrived

    def action_resume_paying(self):
        """A finance user has mended what paused the batch: its payments go on."""
        check_role(self.env, APPROVERS, _("Only a finance validator may resume a paused batch."))
        self._lock()
        for batch in self.filtered("mojaloop_paused_reason"):
            batch.submission_ids.filtered("paused_reason")._resume()

    def action_verify_payees(self):
        """Asks the scheme who the payees are; no money moves, and nothing is approved or stopped by it."""
        self.ensure_one()
        check_role(self.env, LOOKERS, _("Only program managers and finance users may verify payees."))
        self.gateway_id._check_can_verify()
        waiting = self.payment_ids.filtered(lambda one: one.mojaloop_verification_id.state == "waiting")
        rows = [
            {
                "partner_id": payment.partner_id.id,
                "payment_id": payment.id,
                "batch_id": self.id,
                "identifier_type": payment.payee_identifier_type,
                "identifier": payment.account_number,
            }
            for payment in self.payment_ids - waiting
        ]
        self.env["g2p.payee.verification"]._ask_for(self.gateway_id, rows)
        # Their job may have failed, or somebody has deleted it.
        waiting.mojaloop_verification_id._queue_look_ups()
        return self.gateway_id._notification(
            "success",
            _("The scheme is being asked for %s payees. Reload the page in a moment.", len(self.payment_ids)),
        )

    def action_open_verifications(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": _("Payees of %s", self.name),
            "res_model": "g2p.payee.verification",
            "view_mode": "tree,form",
            "domain": [("id", "in", self.payment_ids.mojaloop_verification_id.ids)],
        }

    def action_open_transfers(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": _("Transfers of %s", self.name),
            "res_model": "g2p.mojaloop.transfer",
            "view_mode": "tree,form",
            "domain": [("batch_id", "=", self.id)],
        }
