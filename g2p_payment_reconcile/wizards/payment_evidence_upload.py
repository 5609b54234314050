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
        domain="[('gateway_id', 'in', (gateway_id, False))]",
        help="How a CSV file is read: a mapping of this gateway, or one that came with the add-on. Bank "
        "messages (camt.052, camt.053, camt.054, pain.002, MT940, MT942) need none. A ZIP archive is opened, "
        "and each file in it is read by itself.",
    )
    file = fields.Binary(attachment=False, exportable=False)
    filename = fields.Char()

    def action_upload(self):
        self.ensure_one()
        try:
            content = base64.b64decode(self.file or b"")
        except (binascii.Error, ValueError) as error:
            raise UserError(_("The file did not arrive whole. Choose it again.")) from error
        evidence, left_out = self.env["g2p.payment.evidence"]._upload_all(
            self.gateway_id, self.mapping_id, self.filename, content
        )
        # What was uploaded is kept once, where it belongs.
        self.file = False
        action = self._open(evidence)
        return self._told_first(left_out, action) if left_out else action

    def _open(self, evidence):
        if len(evidence) > 1:
            action = self.env["ir.actions.act_window"]._for_xml_id(
                "g2p_payment_reconcile.payment_evidence_action"
            )
            return {**action, "domain": [("id", "in", evidence.ids)]}
        return {
            "type": "ir.actions.act_window",
            "res_model": evidence._name,
            "view_mode": "form",
            "views": [(False, "form")],
            "res_id": evidence.id,
        }

    def _told_first(self, left_out, action):
        """Say which files of an archive were not taken, and stay until that is read."""
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"type": "warning", "sticky": True, "message": "\n".join(left_out), "next": action},
        }
