import re
from datetime import timedelta

from odoo import _, api, fields, models

from ..client.references import derived_uuid
from .payment_task import FIND

# A worker that has not said what came of a submission by then is taken for dead.
LEASE = timedelta(minutes=15)
# Kept free at the end of the lease for the upload itself; no time-out of a gateway is longer.
LONGEST_UPLOAD = timedelta(minutes=10)
NEXT = {
    "in_flight": {"accepted", "refused", "not_sent", "unknown"},
    "unknown": {"accepted", "not_received", "not_sent", "refused"},
    "accepted": set(),
    "refused": {"accepted"},
    "not_sent": set(),
    "not_received": {"accepted"},
}
BATCH_STATE = {"refused": "refused", "not_sent": "approved", "unknown": "unknown", "not_received": "approved"}


class PaymentSubmission(models.Model):
    """One attempt to hand a batch to its payment system, written down before anything leaves.

    in_flight -> accepted | refused | not_sent | unknown;  unknown -> accepted | not_received, and, when the
    worker that was taken for dead comes back and knows, refused | not_sent;  refused, not_received ->
    accepted, when the payment system has it all the same
    """

    _name = "g2p.payment.submission"
    _description = "Payment Submission"
    _order = "id desc"
    _rec_name = "filename"
    _no_user_defaults = True

    batch_id = fields.Many2one(
        "g2p.payment.batch", required=True, readonly=True, ondelete="restrict", index=True
    )
    gateway_id = fields.Many2one("g2p.payment.gateway", required=True, readonly=True, ondelete="restrict")
    company_id = fields.Many2one("res.company", related="gateway_id.company_id", store=True)
    attempt = fields.Integer(required=True, readonly=True)
    key = fields.Char(
        required=True, readonly=True, help="Derived from database, batch and attempt: the correlation id."
    )
    filename = fields.Char(required=True, readonly=True, help="Under this name the file travels.")
    digest = fields.Char("SHA-256", required=True, readonly=True, help="Fingerprint of the file.")
    state = fields.Selection(
        [
            ("in_flight", "In Flight"),
            ("accepted", "Accepted"),
            ("refused", "Refused"),
            ("not_sent", "Not Sent"),
            ("unknown", "Unknown"),
            ("not_received", "Not Received"),
        ],
        required=True,
        readonly=True,
        default="in_flight",
        index=True,
        help="In flight: it may have left. Unknown: nobody knows whether it arrived.",
    )
    remote_reference = fields.Char(readonly=True, help="The payment system's own name for the batch.")
    answer = fields.Char(readonly=True, help="What came of it, in a sentence.")
    started_at = fields.Datetime(required=True, readonly=True)
    ended_at = fields.Datetime(readonly=True)
    lease_until = fields.Datetime(
        readonly=True, help="Until then a worker is taken to be busy with this submission."
    )
    poll_after = fields.Integer(readonly=True, help="Seconds the payment system asks us to wait.")

    _sql_constraints = [
        ("key_unique", "unique(key)", "This submission exists already."),
        ("filename_unique", "unique(filename)", "A submission with this file name exists already."),
    ]

    def init(self):
        self.env.cr.execute(
            """
            -- invariant: one-live-submission
            CREATE UNIQUE INDEX IF NOT EXISTS g2p_payment_submission_one_live
                ON g2p_payment_submission (batch_id)
             WHERE state IN ('in_flight', 'unknown', 'accepted')
            """
        )

    @api.model
    def _open(self, batch):
        """Writes the next attempt down."""
        now = fields.Datetime.now()
        submission = self.sudo().create(
            {**self._next_values(batch), "state": "in_flight", "started_at": now, "lease_until": now + LEASE}
        )
        submission._record(False, "in_flight", _("Attempt %s begins.", submission.attempt))
        return submission

    @api.model
    def _upcoming(self, batch):
        """The next attempt before it begins: a record that is not in the database."""
        return self.sudo().new({**self._next_values(batch), "started_at": fields.Datetime.now()})

    @api.model
    def _next_values(self, batch):
        """The same attempt at the same file always has the same key and file name, also in a database
        restored from a backup: under it the file is looked for before it is sent."""
        attempt = batch._next_attempt()
        root = batch.gateway_id._reference_key()
        key = derived_uuid(root, "submission", batch.id, attempt, batch.frozen_digest)
        return {
            "batch_id": batch.id,
            "gateway_id": batch.gateway_id.id,
            "attempt": attempt,
            "key": str(key),
            "filename": f"{_for_a_filename(batch.name)}-{key.hex[:12]}.csv",
            "digest": batch.frozen_digest,
        }

    def _has_time_to_send(self):
        """Whether an upload that begins now is over before others take this worker for dead."""
        return fields.Datetime.now() + LONGEST_UPLOAD <= self.lease_until

    def _callback_url(self):
        """Hook: where the payment system may say that there is news; empty when nobody listens."""
        return ""

    def _have_news(self):
        """Hook: there is something new to be learnt about its payments; who asks for outcomes asks now."""

    def _frozen_content(self):
        """What was approved, to the byte."""
        return self.sudo().batch_id.frozen_content

    def _advance(self, state, answer, **values):
        """The one place where `state` changes; a move that is not in NEXT is a fault in the code."""
        self.ensure_one()
        if state not in NEXT[self.state]:
            raise ValueError(f"submission {self.id}: {self.state} cannot become {state}")
        before = self.state
        self.sudo().write(
            {
                "state": state,
                "answer": answer,
                "ended_at": fields.Datetime.now(),
                "lease_until": False,
                **values,
            }
        )
        self._record(before, state, answer)

    def _note(self, why):
        """Something that people did about it, without a change of state."""
        self._record(self.state, self.state, why)
        self.batch_id._message_log(body=why)

    def _record(self, before, after, why):
        self.env["g2p.payment.event"]._record(
            self.batch_id,
            [
                {
                    "submission_id": self.id,
                    "from_state": before,
                    "to_state": after,
                    "why": why,
                    "digest": self.digest,
                    "remote_reference": self.remote_reference,
                }
            ],
        )

    def _close(self, state, answer):
        """An attempt that was not accepted, and what that means for its batch."""
        self._advance(state, answer)
        self.batch_id._advance(BATCH_STATE[state], answer)
        if state == "unknown":
            self._call_for_a_person()

    def _accept(self, receipt):
        self._advance(
            "accepted",
            _("Accepted as %s.", receipt.reference),
            remote_reference=receipt.reference,
            poll_after=receipt.poll_after,
        )
        self.batch_id._mark_sent(receipt)

    def _call_for_a_person(self):
        batch = self.batch_id
        batch._keep_called(
            FIND,
            batch._owners(),
            _("Find out whether %s arrived", batch.name),
            _(
                "Nobody knows whether the payment system has this batch. Do not prepare or send its payments "
                "in another way. Ask the payment system for the file %s.",
                self.filename,
            ),
        )


def _for_a_filename(name):
    """Whatever an administrator makes of the batches' sequence: payment systems take plain names only."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", name)[:100]
