import re

from odoo import _, fields, models
from odoo.exceptions import AccessError, UserError

from ..models.roles import LOOKERS, check_role

_HASH = re.compile(r"[0-9a-f]{64}")


class PaymentAuditVerify(models.TransientModel):
    """Tells whether a head that was printed or mailed is part of the audit trail as it is now."""

    _name = "g2p.payment.audit.verify.wizard"
    _description = "Verify a Printed or Mailed Head"

    number = fields.Integer(
        required=True, help="The number of the event on the statement, or of the anchor in the message."
    )
    hash = fields.Char(required=True, help="The 64 letters and digits beside it; blanks do not matter.")
    found = fields.Selection([("yes", "Part of the Trail"), ("no", "Not Part of the Trail")], readonly=True)
    answer = fields.Text(readonly=True)

    def action_verify(self):
        self.ensure_one()
        check_role(
            self.env, LOOKERS, _("Only finance users, program managers and administrators verify the trail.")
        )
        digest = "".join((self.hash or "").split()).lower()
        if not _HASH.fullmatch(digest):
            raise UserError(_("A hash has 64 digits and letters from a to f. Copy all of it."))
        self.found, self.answer = self._verdict(digest)
        return {
            "type": "ir.actions.act_window",
            "name": _("Verify a Printed or Mailed Head"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }

    def _verdict(self, digest):
        same = [("number", "=", self.number), ("hash", "=", digest)]
        event = self.env["g2p.payment.event"].search(same, limit=1)
        if event:
            return self._of_event(event)
        anchor = self.env["g2p.payment.audit.anchor"].search(same)
        if anchor:
            return self._of_anchor(anchor)
        if self.env["g2p.payment.event"].sudo().search_count(same, limit=1):
            raise AccessError(
                _("This head is of a batch of another company. Ask somebody who may see its batches.")
            )
        return "no", _(
            "This head is not part of the trail. Check that number and hash are copied as they stand there. "
            "If they are, the audit trail was rewritten since: keep the paper or the message, and have "
            "somebody look who does not administer the database."
        )

    def _of_event(self, event):
        """The event is there; its hash counts only when the events before it lead to it."""
        batch = event.batch_id
        trail = next(event.sudo()._trails(batch))
        facts = {
            "batch": batch.name,
            "number": event.number,
            "when": fields.Datetime.context_timestamp(self, event.happened_at).strftime("%Y-%m-%d %H:%M:%S"),
        }
        if trail.broken and trail.broken <= event.number:
            return "no", _(
                "Event %(number)s of batch %(batch)s has this hash, but event %(broken)s before it was "
                "changed, or something is missing.",
                broken=trail.broken,
                **facts,
            )
        since = trail.count - event.number
        answer = _(
            "This head is part of the trail: event %(number)s of batch %(batch)s, of %(when)s. Nothing that "
            "happened until then was changed. Events since: %(since)s.",
            since=since,
            **facts,
        )
        if trail.broken:
            answer += " " + _("But event %s, which came later, does not fit.", trail.broken)
        return "yes", answer

    def _of_anchor(self, anchor):
        """Behind an anchor stand the anchors before it, and the events of all batches until then."""
        broken = anchor.sudo()._first_broken()
        if broken and broken <= anchor.number:
            return "no", _("Anchor %s was changed, or events that it stands for.", broken)
        changed = anchor.sudo()._changed_batches()
        if changed:
            return "no", _(
                "The anchor is there, but in these batches events were changed that it stands for: %s.",
                ", ".join(changed.mapped("name")),
            )
        return "yes", _(
            "This head is part of the trail: anchor %(number)s of %(when)s, over %(events)s events of "
            "%(batches)s batches. Nothing that happened until then was changed.",
            number=anchor.number,
            when=fields.Datetime.context_timestamp(self, anchor.happened_at).strftime("%Y-%m-%d %H:%M:%S"),
            events=anchor.event_count,
            batches=anchor.batch_count,
        )
