from odoo import api, fields, models


class NotificationManager(models.Model):
    _name = "g2p.program.notification.manager"
    _description = "Notification Manager"
    _inherit = "g2p.manager.mixin"

    program_id = fields.Many2one("g2p.program", ondelete="cascade")

    @api.model
    def _selection_manager_ref_id(self):
        return [
            *super()._selection_manager_ref_id(),
            ("g2p.program.notification.manager.sms", "SMS Notification"),
        ]


class BaseNotificationManager(models.AbstractModel):
    _name = "g2p.base.program.notification.manager"
    _description = "Base Notification Manager"

    name = fields.Char("Manager Name", required=True)
    program_id = fields.Many2one("g2p.program", required=True)


class SMSNotificationManager(models.Model):
    _name = "g2p.program.notification.manager.sms"
    _inherit = ["g2p.base.program.notification.manager", "g2p.manager.source.mixin"]
    _description = "SMS Notification Manager"
