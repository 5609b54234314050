from odoo import _, api, models
from odoo.exceptions import ValidationError


class QueueJobChannel(models.Model):
    _inherit = "queue.job.channel"

    @api.constrains("parent_id", "name")
    def parent_required(self):
        """Replaces queue_job's own check: a name beginning with root needs no parent."""
        for channel in self:
            if channel.name and not channel.name.startswith("root") and not channel.parent_id:
                raise ValidationError(_("Parent channel required."))
