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

    @api.constrains("callback_base_url", "state")
    def _check_callback_base_url(self):
        for gateway in self.filtered("callback_base_url"):
            url = gateway.callback_base_url
            plain = url.startswith("http://") and gateway.state != "live"
            if not (url.startswith("https://") or plain) or "?" in url or "#" in url or not url.isascii():
                raise ValidationError(
                    _("The callback address begins with https:// and has no question mark or hash sign.")
                )
