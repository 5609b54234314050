from odoo import _, api, fields, models
from odoo.exceptions import ValidationError


class PaymentGateway(models.Model):
    _inherit = "g2p.payment.gateway"

    callback_base_url = fields.Char(
        "Callback Address",
        help="The address, https, under which the payment system reaches this server, for example "
        "https://payments.example. With it the payment system can say that there is news, and results come "
        "sooner; they come without it as well.",
    )
    result_hours = fields.Integer(
        "Deadline (hours)",
        default=72,
        help="How many hours after a batch was accepted its payments have to have their results. What is "
        "silent longer becomes an exception, and its owner gets a task. 0: never.",
    )
    watch_days = fields.Integer(
        "Watch after Done (days)",
        default=30,
        help="How many days after a batch was accepted the payment system is asked once a day whether "
        "anything changed in a batch that is done: returned payments, late results.",
    )

    _sql_constraints = [
        (
            "waits_are_not_negative",
            "check(coalesce(result_hours, 0) >= 0 and coalesce(watch_days, 0) >= 0)",
            "The deadline and the days after Done cannot be negative.",
        ),
    ]

    @api.constrains("callback_base_url", "state")
    def _check_callback_base_url(self):
        for gateway in self.filtered("callback_base_url"):
            url = gateway.callback_base_url
            plain = url.startswith("http://") and gateway.state != "live"
            if not (url.startswith("https://") or plain) or "?" in url or "#" in url or not url.isascii():
                raise ValidationError(
                    _("The callback address begins with https:// and has no question mark or hash sign.")
                )
