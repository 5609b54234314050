from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError

from ..client.instructions import digest
from .roles import APPROVERS, MAKERS, check_role, has_role


class PaymentBatch(models.Model):
    """Four eyes: who prepared a batch cannot approve it, and what was approved is frozen."""

    _inherit = "g2p.payment.batch"

    approved_settings = fields.Json(
        readonly=True,
        copy=False,
        help="The gateway's settings as they were approved; empty where that was before they were kept.",
    )
    settings_text = fields.Text(
        "Gateway's Settings",
        compute="_compute_settings_text",
        help="To whom the batch goes, how it is paid, and what counts as paid: as they were approved, or as "
        "they are approved next.",
    )

    to_approve_digest = fields.Char(
        compute="_compute_to_approve_digest", help="Fingerprint of what the page shows to who approves it."
    )

    @api.depends("event_head", "settings_text")
    def _compute_to_approve_digest(self):
        for batch in self:
            batch.to_approve_digest = digest(f"{batch.event_head} {batch.settings_text}")

    @api.depends("approved_settings", "gateway_id")
    def _compute_settings_text(self):
        for batch in self:
            gateway = batch.gateway_id.sudo()
            settings = gateway and (batch.approved_settings or gateway._approved_settings())
            batch.settings_text = gateway._settings_text(settings) if gateway else False

    def _why_not_approve(self):
        if not has_role(self.env, APPROVERS):
            return _("A finance validator approves this batch.")
        nobody = self.env.user._why_nobody()
        if nobody:
            return nobody
        # invariant: preparer-does-not-approve
        if self.env.user in self.maker_ids:
            return _("You prepared or changed this batch, so another finance user must approve it.")
        return False

    def action_approve(self):
        for batch in self:
            batch._approve()

    def _approve(self):
        check_role(self.env, APPROVERS, _("Only a finance validator may approve a batch."))
        self._lock()
        self._check_may_be_approved()
        content = self._render()
        gateway = self.gateway_id.sudo()
        settings = gateway._approved_settings()
        self._advance(
            "approved",
            _(
                "SHA-256 of the file: %(digest)s; %(settings)s",
                digest=digest(content),
                settings=gateway._settings_text(settings).replace("\n", "; "),
            ),
            approved_by_id=self.env.uid,
            approved_at=fields.Datetime.now(),
            frozen_content=content,
            frozen_digest=digest(content),
            approved_settings=settings,
            reject_reason=False,
        )

    def _check_may_be_approved(self):
        """By this user, as it is now and as the page showed it."""
        self._expect("to_approve")
        reason = self._why_not_approve()
        if reason:
            raise AccessError(reason)
        if self.env.context.get("seen", self.to_approve_digest) != self.to_approve_digest:
            raise UserError(
                _(
                    "%s, or its gateway, has changed since you opened it. Reload the page and look again.",
                    self.name,
                )
            )
        if self._check():
            raise UserError(
                _(
                    "Problems appeared since the batch was checked. Reject it to have them mended:\n%s",
                    "\n".join(self._problems_without_names()[:20]),
                )
            )

    def _reject(self, reason):
        check_role(self.env, APPROVERS, _("Only a finance validator may reject a batch."))
        if not (reason or "").strip():
            raise UserError(_("Give a reason: who prepared the batch has to know what to change."))
        self._lock()
        self._check_may_be_changed()
        self._advance("rejected", reason, reject_reason=reason, **self._thawed())

    def _check_may_be_changed(self):
        """An attempt that was declared missing may arrive yet, and then pays the batch as it was. It may be
        changed only when it cannot be sent as it was: before anything is sent, the payment system is asked
        for the earlier attempts and for the payments that were taken out."""
        for batch in self.filtered(lambda one: one.batch_state == "approved"):
            missing = any(one.state == "not_received" for one in batch.sudo().submission_ids)
            if missing and not batch._why_not_as_approved():
                raise UserError(
                    _(
                        "Two people declared that an attempt to send this batch never arrived. In case it "
                        "does, the batch can only be sent again as it is."
                    )
                )

    def _thawed(self):
        return {
            "approved_by_id": False,
            "approved_at": False,
            "frozen_content": False,
            "frozen_digest": False,
            "approved_settings": False,
        }

    def action_back_to_draft(self):
        check_role(self.env, MAKERS, _("Only a program manager may take a batch back to draft."))
        self._lock()
        self._check_may_be_changed()
        for batch in self:
            batch._made_by_me()
            batch._advance("draft", _("Taken back to be changed."), **batch._thawed())
            batch._check()

    def action_cancel(self):
        """Ends a batch that has not left. Its entitlements can be prepared again."""
        check_role(self.env, MAKERS, _("Only a program manager may cancel a batch."))
        self._lock()
        for batch in self:
            batch._advance("cancelled", _("Its entitlements can be prepared again."), **batch._thawed())
            batch.payment_ids._give_up(_("The batch was cancelled before it was sent."))
            batch._refresh_statistics()
