from odoo import _, api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import email_normalize_all

from ..client.anchor import is_address
from .payment_audit_daily import EMAIL, URL


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    payment_anchor_email = fields.Char(
        "E-mail Address",
        config_parameter=EMAIL,
        help="The anchor of the audit trail is mailed here each day. Choose somebody who does not administer "
        "this database, for example the auditor.",
    )
    payment_anchor_url = fields.Char(
        "HTTPS Address",
        config_parameter=URL,
        help="The anchor of the audit trail is posted here each day, as JSON. Choose a server that the "
        "administrators of this database cannot change, for example one that only adds to its records.",
    )

    @api.constrains("payment_anchor_url")
    def _check_payment_anchor_url(self):
        for settings in self:
            if settings.payment_anchor_url and not is_address(settings.payment_anchor_url):
                raise ValidationError(
                    _("The address for anchors must begin with https:// and must not contain a user or #.")
                )

    @api.constrains("payment_anchor_email")
    def _check_payment_anchor_email(self):
        for settings in self:
            if settings.payment_anchor_email and not email_normalize_all(settings.payment_anchor_email):
                raise ValidationError(_("The e-mail address for anchors is not an address."))
