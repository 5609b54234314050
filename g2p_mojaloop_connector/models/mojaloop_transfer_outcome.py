from datetime import timezone
from decimal import Decimal

from odoo import _, api, fields, models

from odoo.addons.g2p_payment_hub.client.errors import NotSent, Reason
from odoo.addons.g2p_payment_hub.client.outcomes import FailureType, Outcome, OutcomeStatus

from ..client.results import FEE

_STATUS = {
    "committed": OutcomeStatus.PAID,
    "failed": OutcomeStatus.FAILED,
    "suspect": OutcomeStatus.SUSPECT,
}


class MojaloopTransfer(models.Model):
    """What whoever reconciles is told of transfers."""

    _inherit = "g2p.mojaloop.transfer"

    reason = fields.Char(
        "Why",
        compute="_compute_reason",
        help="What the scheme or the connector said last, when it was not what was asked for.",
    )

    @api.depends("error_step", "error_code", "error_description")
    def _compute_reason(self):
        for transfer in self:
            said = transfer.error_code or transfer.error_description
            transfer.reason = transfer._reason() if said else False

    def _outcomes(self, references):
        """One Outcome for each payment: of its last attempt, and of any before it that moved money. Of the
        others what the scheme says against a decision of people."""
        wanted, last = set(references), {}
        for transfer in self.sorted("attempt"):
            last[transfer.payment_id] = transfer
        return [
            transfer._outcome()
            for transfer in self
            if transfer._contradicts_decision()
            or transfer.payment_id.name in wanted
            and (transfer == last[transfer.payment_id] or transfer.state in ("committed", "suspect"))
        ]

    def _outcome(self):
        failed = self.state == "failed"
        moved = self.state == "committed"
        return Outcome(
            reference=self.payment_id.name,
            status=_STATUS.get(self.state, OutcomeStatus.WAITING),
            amount=self._arrives(),
            currency=self.currency or "",
            remote_reference=self.transfer_id,
            remote_status=self.transfer_state or self.state,
            reason_code=(self.error_code or "") if failed else "",
            reason=self._reason() if failed else "",
            failure_type=(self.failure_type or FailureType.OTHER.value) if failed else None,
            fee=self._on_top() if moved else None,
            commission=_decimal(self.commission) if moved else None,
            completed_at=self.completed_at.replace(tzinfo=timezone.utc) if self.completed_at else None,
        )

    def _arrives(self):
        """What the payee gets; a quote that does not say it has it in its other amounts."""
        if self.payee_amount or not self.transfer_amount:
            return _decimal(self.payee_amount)
        return Decimal(self.transfer_amount) - Decimal(self.fee or 0) + Decimal(self.commission or 0)

    def _on_top(self):
        """What leaves beyond what arrives. Not every institution calls it a fee."""
        named = _decimal(self.fee)
        if not self.payee_amount:
            return named
        gap = Decimal(self.transfer_amount) - Decimal(self.payee_amount) + Decimal(self.commission or 0)
        return gap if gap > 0 else named

    def _reason(self):
        if self.error_code == FEE:
            return _("The fee is above the limit: %s", self.error_description)
        ours = next((reason for reason in Reason if reason.value == self.error_code), None)
        if ours and not self.error_step:
            return self.gateway_id._explain(NotSent(ours, self.error_description or ""))
        step = self._error_steps().get(self.error_step)
        said = self.error_description or self.error_code or self.transfer_state or ""
        return _("%(step)s: %(said)s", step=step, said=said) if step else said

    @api.model
    def _error_steps(self):
        return {
            "lookup": _("Looking the payee up"),
            "quote": _("Asking for a quote"),
            "transfer": _("Transfer"),
            "resend": _("Transfer"),
            "ask": _("Transfer"),
        }


def _decimal(text):
    return Decimal(text) if text else None
