import base64
import binascii

from odoo import _, fields, models
from odoo.exceptions import UserError


class PaymentEvidenceUpload(models.TransientModel):
    _name = "g2p.payment.evidence.upload.wizard"
    _description = "Upload Payment Evidence"

    gateway_id = fields.Many2one(
        "g2p.payment.gateway", required=True, help="The gateway whose payments the file is about."
    )
    mapping_id = fields.Many2one(
        "g2p.payment.evidence.mapping",
        "CSV Mapping",
        domain="[('gateway_id', '=', gateway_id)]",
        help="How a CSV file is read. Leave it empty for bank messages in XML: camt.053, camt.054 and "
        "pain.002.",
    )
    file = fields.Binary(attachment=False, exportable=False)
    filename = fields.Char()

    def action_upload(self):
        self.ensure_one()
        try:
            content = base64.b64decode(self.file or b"")
        except (binascii.Error, ValueError) as error:
            raise UserError(_("The file did not arrive whole. Choose it again.")) from error
        evidence = self.env["g2p.payment.evidence"]._upload(
            self.gateway_id, self.mapping_id, self.filename, content
        )
        # What was uploaded is kept once, where it belongs.
        self.file = False
        return {
            "type": "ir.actions.act_window",
            "res_model": evidence._name,
            "view_mode": "form",
            "res_id": evidence.id,
        }
