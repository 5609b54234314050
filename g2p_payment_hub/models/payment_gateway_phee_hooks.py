from datetime import timedelta, timezone

from odoo import _, models

from ..client import csv_file, raw_json
from ..client.auth import Credentials
from ..client.http import HttpLimits
from ..client.instructions import BatchFile
from ..client.payment_hub import OTHER_BATCH, PaymentHub
from ..client.settings import CLOSED_LOOP, HubSettings
from .payment_gateway_phee import PHEE
from .payment_gateway_token import GatewayTokens


class PaymentGateway(models.Model):
    """Mifos Payment Hub EE: what is sent to it, and asked of it, through its client."""

    _inherit = "g2p.payment.gateway"

    def _client(self, batch=None):
        """The plain client, on the terms that were approved with `batch`."""
        self.ensure_one()
        with self._making_client():
            return PaymentHub(self._phee_settings(batch), GatewayTokens(self))

    def _phee_settings(self, batch=None):
        """Whom to ask is as it is now: see `_check_keeps_address`."""
        secrets = self._secrets()
        terms = self._phee_terms(batch)
        evidence = terms["phee_closed_loop_evidence"]
        confirmed = bool(batch and batch.closed_loop_confirmed_by_id)
        return HubSettings(
            bulk_url=self.phee_bulk_url or "",
            operations_url=self.phee_operations_url or "",
            credentials=Credentials(
                tenant=self.phee_tenant or "",
                username=self.phee_username or "",
                password=secrets.get("phee_password", ""),
                client_id=self.phee_client_id or "",
                client_secret=secrets.get("phee_client_secret", ""),
            ),
            signing_key=secrets.get("phee_signing_key", ""),
            hub_certificate=self.phee_hub_certificate or "",
            ca_bundle=self.phee_ca_bundle or "",
            limits=HttpLimits(
                connect=self.phee_connect_timeout, read=self.phee_read_timeout, total=self.phee_total_timeout
            ),
            payment_mode=terms["phee_payment_mode"],
            purpose=terms["phee_purpose"] or "",
            institution=terms["phee_institution"] or "",
            program=terms["phee_program"] or "",
            verify_completed=terms["phee_verify_completed"],
            trust_closed_loop=evidence == "trust",
            confirmed_closed_loop=confirmed,
            raw_json=terms["phee_format"] == "raw",
            extra_headers=(
                {self.phee_header_name: secrets.get("phee_header_value", "")} if self.phee_header_name else {}
            ),
        )

    def _render(self, instructions, payer):
        if self.provider != PHEE:
            return super()._render(instructions, payer)
        form = raw_json if self.phee_format == "raw" else csv_file
        return form.render(instructions, payer, self.phee_payment_mode)

    def _submit(self, submission):
        if self.provider != PHEE:
            return super()._submit(submission)
        with self._or_not_sent(self._client, submission.batch_id) as hub:
            return hub.submit(_batch_file(submission))

    def _find_submission(self, submission, references=None):
        if self.provider != PHEE:
            return super()._find_submission(submission, references)
        batch = submission.batch_id
        # A backup restored since the approval has forgotten when it was sent.
        since = min(filter(None, (submission.started_at, batch.approved_at)))
        others = (
            self.env["g2p.payment.submission"]
            .sudo()
            .search(
                [
                    ("gateway_id", "=", self.id),
                    ("state", "=", "accepted"),
                    ("batch_id", "!=", batch.id),
                    ("started_at", ">=", since - timedelta(days=2)),
                ]
            )
        )
        with self._client(batch) as hub:
            return hub.find(
                _batch_file(submission),
                references or batch.payment_ids.mapped("name"),
                since.replace(tzinfo=timezone.utc),
                others.mapped("remote_reference"),
            )

    def _outcomes(self, submission, references):
        if self.provider != PHEE:
            yield from super()._outcomes(submission, references)
            return
        batch = submission.batch_id
        ended = self._phee_ended(batch, references)
        failed = {name for name, status in ended.items() if status == "failed"}
        with self._client(batch) as hub:
            yield from hub.outcomes(submission.remote_reference, references, set(ended), failed)

    def _why_no_rows(self, submission):
        if self.provider != PHEE:
            return super()._why_no_rows(submission)
        with self._client(submission.batch_id) as hub:
            known = hub.shows(submission.remote_reference)
        if known:
            return _(
                "%(gateway)s has the batch as %(reference)s and has begun none of its payments: it waits for "
                "its authorization there, was rejected there, or has only just arrived. Ask its operator "
                "whether it was authorized.",
                gateway=self.name,
                reference=submission.remote_reference,
            )
        return _(
            "%(gateway)s has accepted the batch as %(reference)s, and does not show it yet. If this goes on, "
            "ask its operator.",
            gateway=self.name,
            reference=submission.remote_reference,
        )

    def _outcomes_of(self, submission, receipt, references):
        if self.provider != PHEE:
            yield from super()._outcomes_of(submission, receipt, references)
            return
        with self._client(submission.batch_id) as hub:
            for page in hub.outcomes(receipt.reference, references):
                yield [outcome for outcome in page if outcome.reason_code != OTHER_BATCH]

    def _phee_ended(self, batch, references):
        """Map to their status those of the batch that are not open, and those that were taken out of it."""
        self.env.cr.execute(
            """
            SELECT name, status FROM g2p_payment
             WHERE batch_id = %(batch)s AND name <> ALL(%(open)s)
             UNION
            SELECT name, status FROM g2p_payment
             WHERE batch_id IS NULL
               AND id IN (SELECT payment_id FROM g2p_payment_event WHERE batch_id = %(batch)s)
            """,
            {"batch": batch.id, "open": list(references)},
        )
        return dict(self.env.cr.fetchall())

    def _confirms_payments(self, batch):
        if self.provider != PHEE:
            return super()._confirms_payments(batch)
        terms = self._phee_terms(batch)
        return terms["phee_payment_mode"] in CLOSED_LOOP and terms["phee_closed_loop_evidence"] == "operator"

    def _confirm_limit(self, batch):
        if self.provider != PHEE:
            return super()._confirm_limit(batch)
        return self._phee_terms(batch)["phee_confirm_limit"]

    def _check_connection(self):
        if self.provider != PHEE:
            return super()._check_connection()
        with self._client() as hub:
            return hub.check_connection()

    def _check_label(self, name):
        labels = {"bulk": _("Bulk processor"), "operations": _("Operations app")}
        return labels.get(name) or super()._check_label(name)


def _batch_file(submission):
    return BatchFile(
        filename=submission.filename,
        correlation_id=submission.key,
        # Gone once its batch was taken back; then it is looked for only.
        content=submission._frozen_content() or "",
        callback_url=submission._callback_url(),
    )
