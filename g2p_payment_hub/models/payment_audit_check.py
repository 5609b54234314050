from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError

from .notification import notification
from .payment_event_held import NAMED
from .roles import LOOKERS, check_role


class PaymentAuditCheck(models.Model):
    """A check of the audit trail: who verified what, when, and with what result. Rows are only ever added."""

    _name = "g2p.payment.audit.check"
    _description = "Check of the Audit Trail"
    _order = "id desc"
    _rec_name = "happened_at"
    _no_user_defaults = True

    happened_at = fields.Datetime("When", required=True, readonly=True)
    user_id = fields.Many2one("res.users", "Who", required=True, readonly=True, ondelete="restrict")
    origin = fields.Selection(
        [("person", "Button"), ("daily", "Daily Check")], "Started by", required=True, readonly=True
    )
    company_id = fields.Many2one("res.company", readonly=True, ondelete="restrict", index=True)
    batch_id = fields.Many2one(
        "g2p.payment.batch",
        readonly=True,
        ondelete="restrict",
        index="btree_not_null",
        help="Empty when all batches of the company were checked.",
    )
    batch_count = fields.Integer("Batches", readonly=True)
    event_count = fields.Integer("Events", readonly=True)
    result = fields.Selection(
        [
            ("whole", "Intact"),
            ("differs", "Records Differ"),
            ("broken", "Broken"),
        ],
        required=True,
        readonly=True,
        help="Broken: an event was changed, or something is missing. Records differ: the events are intact, "
        "but a batch or a payment says something else than its last event.",
    )
    finding_count = fields.Integer("Number of Findings", readonly=True)
    findings = fields.Text(readonly=True, help="What does not fit; the first of many.")

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            raise AccessError(_("Checks are written down by verifying, not by people."))
        return super().create(vals_list)

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(_("A check cannot be changed: it is the record of who verified what."))

    def unlink(self):  # pylint: disable=method-required-super
        # pylint: disable-next=no-raise-unlink  # `ondelete` would not stop an uninstallation
        raise UserError(_("A check cannot be deleted: it is the record of who verified what."))

    @api.model
    def _verify(self, batches, origin="person"):
        """Verify the trails of these batches, hold them against the records, and write down the result.

        All batches are of one company. The check of a single batch names it.
        """
        found = self._find(batches)
        only = batches if len(batches) == 1 and origin == "person" else batches.browse()
        return self.sudo().create(
            {
                "happened_at": fields.Datetime.now(),
                "user_id": self.env.uid,
                "origin": origin,
                "company_id": batches.sudo().company_id[:1].id,
                "batch_id": only.id,
                "batch_count": len(batches),
                **found,
            }
        )

    @api.model
    def _find(self, batches):
        """Return what a check says: the columns `event_count`, `result`, `finding_count` and `findings`."""
        Event = self.env["g2p.payment.event"].sudo()
        trails = []
        event_count = 0
        for trail in Event._trails(batches):
            event_count += trail.count
            if trail.broken:
                trails.append(trail)
        differences = Event._differences(batches)
        sentences = self._broken_sentences(trails) + differences.sentences
        result = "whole"
        if trails or differences.count:
            result = "broken" if trails else "differs"
        return {
            "event_count": event_count,
            "result": result,
            "finding_count": len(trails) + differences.count,
            "findings": "\n".join(sentences[:NAMED]) or False,
        }

    @api.model
    def _broken_sentences(self, trails):
        batches = self.env["g2p.payment.batch"].sudo().browse(trail.batch_id for trail in trails[:NAMED])
        sentences = []
        for trail, batch in zip(trails, batches, strict=False):
            sentences.append(
                _(
                    "%(batch)s: the audit trail is broken at event %(number)s: it was changed, or something "
                    "is missing.",
                    batch=batch.name,
                    number=trail.broken,
                )
            )
        return sentences

    @api.model
    def action_verify_all(self):
        """Verify all batches that this user may see."""
        check_role(
            self.env, LOOKERS, _("Only finance users, program managers and administrators verify the trail.")
        )
        batches = self.env["g2p.payment.batch"].search([("gateway_id", "!=", False)])
        checks = self.browse()
        for of_company in batches.grouped("company_id").values():
            checks += self._verify(of_company)
        return checks._said(_("Audit Trail"))

    def _said(self, title):
        """Return the message about these checks."""
        bad = self.filtered(lambda check: check.result != "whole")
        if bad:
            lines = "\n".join(bad.mapped("findings")).splitlines()
            more = sum(bad.mapped("finding_count")) - len(lines[:5])
            if more > 0:
                lines[5:] = [_("And %s more, which the list of checks names.", more)]
            return notification(title, "danger", " ".join(lines), sticky=True)
        message = _(
            "The audit trail is whole: %s events, and what they say is what the records say.",
            sum(self.mapped("event_count")),
        )
        return notification(title, "success", message, sticky=False)
