"""What a decision of people moves on a payment, and how that is taken back."""

import json

from odoo import _, fields, models
from odoo.exceptions import UserError

# What a decision moves, and what is put back when it is taken back.
_RESULT = (
    "state",
    "status",
    "status_is_final",
    "amount_paid",
    "payment_datetime",
    "remote_reference",
    "failure_code",
    "failure_reason",
    "failure_type",
    "returned_at",
    "returned_amount",
)


class Payment(models.Model):
    _inherit = "g2p.payment"

    def _decided_values(self, exception):
        """The columns of the payment that a decision moves; empty when it moves nothing."""
        return getattr(self, f"_decided_{exception.decision}")(exception)

    def _decided_keep_as_is(self, _exception):
        return {}

    def _decided_declare_paid(self, exception):
        return {
            "state": "reconciled",
            "status": "paid",
            "status_is_final": True,
            "amount_paid": self.amount_issued,
            "payment_datetime": exception.their_at,
            "failure_code": False,
            "failure_reason": False,
            "failure_type": False,
            "returned_at": False,
            "returned_amount": False,
        }

    def _decided_accept_difference(self, exception):
        return {**self._decided_declare_paid(exception), "amount_paid": exception.their_amount}

    def _decided_declare_failed(self, exception):
        return {
            # OpenG2P counts what is reconciled as sent.
            "state": "issued" if self.state == "issued" else "reconciled",
            "status": "failed",
            "status_is_final": True,
            "amount_paid": 0,
            "payment_datetime": False,
            "failure_code": exception.their_code,
            "failure_reason": exception.reason,
            "failure_type": "declared",
        }

    def _decided_reverse(self, exception):
        """What came back may be less than what was paid, as after a bank's fee."""
        told = exception.type == "returned" and exception.their_currency == self.payment_currency_id.name
        return {
            **self._decided_declare_failed(exception),
            "payment_datetime": self.payment_datetime,
            "failure_type": "returned",
            "returned_at": exception.their_at or fields.Datetime.now(),
            "returned_amount": (told and exception.their_amount) or self.amount_paid,
        }

    def _result_as_text(self):
        """What `_put_back` takes."""
        return json.dumps(self.read(list(_RESULT), load="_classic_write")[0], default=str)

    def _put_back(self, text, why, batch):
        """The result as it was before a decision, unless the batch has gone on: what can no longer leave does
        not become open again, or nobody could close it; what has left is sent."""
        before = {name: value for name, value in json.loads(text).items() if name in _RESULT}
        if not before["status"] and self.batch_id.batch_state in (False, "cancelled"):
            before.update(status="failed", status_is_final=True, state="issued", failure_type="not_sent")
            before["failure_reason"] = _("It was taken out of its batch before that was sent.")
        elif not before["status"] and self.batch_id.batch_state in ("sent", "done"):
            before["state"] = "sent"
        self._decide(before, why, batch)

    def _decide(self, values, why, batch, digest=False):
        """The one place where a final result moves: by a decision of people, or because one is taken back.

        `values` are columns of `_RESULT`, `batch` where it came up. UserError when the entitlement has
        another live payment by now.
        """
        self.ensure_one()
        if values["status"] != "failed":
            self._check_no_other_is_live()
        before = self.status or self.state
        values = {**values, "status_datetime": fields.Datetime.now()}
        self.sudo().write(values)
        self._heed_decision()
        # One that was set aside stands in no batch any more, and its trail in that which it stood in.
        (self.batch_id or batch or self.sudo().event_ids.batch_id[:1])._record(
            [
                {
                    "payment_id": self.id,
                    "from_state": before,
                    "to_state": self.status or self.state,
                    "why": why,
                    "digest": digest,
                    "remote_reference": self.remote_reference,
                    "amount_paid": self._paid_amount(),
                }
            ]
        )
        self._on_results_written(list(values))

    def _check_no_other_is_live(self):
        """PostgreSQL refuses a second live payment as well; this says so in words."""
        other = self.sudo().search(
            [
                ("entitlement_id", "=", self.entitlement_id.id),
                ("gateway_id", "!=", False),
                ("id", "!=", self.id),
                "|",
                ("status", "=", False),
                ("status", "!=", "failed"),
            ],
            limit=1,
        )
        if other:
            raise UserError(
                _(
                    "This entitlement has been prepared again: %(reference)s in batch %(batch)s. While that "
                    "is under way or paid, this one cannot count as paid or open. Cancel that batch if it "
                    "has not left; otherwise keep this as it is, and write down how the money comes back.",
                    reference=other.name,
                    batch=other.batch_id.name or "",
                )
            )
