from odoo import _, models
from odoo.exceptions import UserError

from .payment_manager import MODEL


class Cycle(models.Model):
    """When the entitlements of a cycle may be paid, and through whom."""

    _inherit = "g2p.cycle"

    def _may_pay(self, again=False):
        """Whether its entitlements may be prepared; `again`: in the place of failed payments. Money can come
        back after everything was distributed."""
        states = (self.STATE_APPROVED, self.STATE_DISTRIBUTED) if again else (self.STATE_APPROVED,)
        return self.state in states

    def _hub_manager(self):
        """The program's payment manager; empty when it pays through no gateway."""
        manager = self.program_id.get_manager(self.program_id.MANAGER_PAYMENT)
        return manager if manager and manager._name == MODEL else self.env[MODEL]

    def send_payment(self):
        """Another manager would send batches that were prepared, and perhaps sent, for a gateway."""
        manager = self.program_id.get_manager(self.program_id.MANAGER_PAYMENT)
        if self.payment_batch_ids.filtered("gateway_id") and manager and manager._name != MODEL:
            raise UserError(
                _(
                    "This cycle has batches of a payment gateway, but the program's payment manager is now "
                    "another one. Open each batch and send it from there."
                )
            )
        return super().send_payment()
