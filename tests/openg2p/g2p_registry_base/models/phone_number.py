from odoo import api, fields, models


class G2PPhoneNumber(models.Model):
    _name = "g2p.phone.number"
    _description = "Phone Number"
    _order = "id desc"
    _rec_name = "phone_no"

    partner_id = fields.Many2one(
        "res.partner", "Registrant", required=True, domain=[("is_registrant", "=", True)]
    )
    phone_no = fields.Char("Phone Number", required=True)
    phone_sanitized = fields.Char(compute="_compute_phone_sanitized", store=True)
    date_collected = fields.Date(default=fields.Date.today)
    disabled = fields.Datetime("Date Disabled")
    disabled_by = fields.Many2one("res.users")
    country_id = fields.Many2one("res.country")

    @api.depends("phone_no", "country_id")
    def _compute_phone_sanitized(self):
        """Without the phonenumbers library this is a copy; with it a bad number raises."""
        for phone in self:
            phone.phone_sanitized = phone.phone_no and str(
                phone._phone_format(
                    number=phone.phone_no,
                    country=phone.country_id,
                    force_format="E164",
                    raise_exception=True,
                )
            )

    def disable_phone(self):
        enabled = self.filtered(lambda phone: not phone.disabled)
        enabled.write({"disabled": fields.Datetime.now(), "disabled_by": self.env.uid})

    def enable_phone(self):
        self.write({"disabled": False, "disabled_by": False})
