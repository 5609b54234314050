"""Holds the last events of batches, submissions and payments against what their records say now."""

from typing import NamedTuple

from odoo import _, api, models

# More are counted, and not named.
NAMED = 50
_OF_PAYMENTS = """
    WITH held AS (
        SELECT payment_id AS id FROM g2p_payment_event
         WHERE batch_id = ANY(%(batches)s) AND payment_id IS NOT NULL
         UNION SELECT id FROM g2p_payment WHERE batch_id = ANY(%(batches)s) AND gateway_id IS NOT NULL
    ), moved AS (
        SELECT DISTINCT ON (payment_id) payment_id, to_state FROM g2p_payment_event
         WHERE payment_id IN (SELECT id FROM held) AND to_state IS DISTINCT FROM from_state
         ORDER BY payment_id, id DESC
    ), paid AS (
        SELECT DISTINCT ON (payment_id) payment_id, amount_paid FROM g2p_payment_event
         WHERE payment_id IN (SELECT id FROM held) AND amount_paid IS NOT NULL
         ORDER BY payment_id, id DESC
    ), compared AS (
        SELECT held.id, coalesce(payment.name, held.id::text) AS name, payment.id IS NULL AS gone,
               payment.status, payment.state, coalesce(payment.status_is_final, false) AS final,
               coalesce(payment.amount_paid, 0) AS amount_paid, paid.amount_paid AS told_amount,
               CASE WHEN moved.to_state IN ('paid', 'failed') THEN moved.to_state END AS told_status
          FROM held
          LEFT JOIN g2p_payment AS payment ON payment.id = held.id
          LEFT JOIN moved ON moved.payment_id = held.id
          LEFT JOIN paid ON paid.payment_id = held.id
    )
    SELECT 'g2p.payment' AS model, compared.name, field, told, kept, count(*) OVER () AS total
      FROM compared
     CROSS JOIN LATERAL (VALUES
           ('id', compared.name, CASE WHEN NOT gone THEN compared.name END),
           ('status', told_status, CASE WHEN gone THEN told_status ELSE status END),
           ('status_is_final', (told_status IS NOT NULL)::text,
            CASE WHEN gone THEN (told_status IS NOT NULL)::text ELSE final::text END),
           ('state', CASE WHEN told_status = 'paid' THEN 'reconciled' END,
            CASE WHEN told_status = 'paid' THEN coalesce(state, 'reconciled') END),
           ('amount_paid', CASE WHEN told_amount <> amount_paid AND NOT gone THEN told_amount::text END,
            CASE WHEN told_amount <> amount_paid AND NOT gone THEN amount_paid::text END)
           ) AS facts (field, told, kept)
     WHERE told IS DISTINCT FROM kept
     ORDER BY compared.id LIMIT %(named)s
"""
_OF_BATCHES = """
    WITH moved AS (
        SELECT DISTINCT ON (batch_id) batch_id, to_state FROM g2p_payment_event
         WHERE batch_id = ANY(%(batches)s) AND payment_id IS NULL AND submission_id IS NULL
           AND to_state IS DISTINCT FROM from_state
         ORDER BY batch_id, number DESC
    ), approved AS (
        SELECT DISTINCT ON (batch_id) batch_id, user_id, digest FROM g2p_payment_event
         WHERE batch_id = ANY(%(batches)s) AND payment_id IS NULL AND submission_id IS NULL
           AND from_state = 'to_approve' AND to_state = 'approved'
         ORDER BY batch_id, number DESC
    )
    SELECT 'g2p.payment.batch' AS model, batch.name, field, told, kept, count(*) OVER () AS total
      FROM g2p_payment_batch AS batch
      LEFT JOIN moved ON moved.batch_id = batch.id
      LEFT JOIN approved ON approved.batch_id = batch.id
      LEFT JOIN res_users AS teller ON teller.id = approved.user_id
      LEFT JOIN res_users AS keeper ON keeper.id = batch.approved_by_id
     CROSS JOIN LATERAL (VALUES
           ('batch_state', coalesce(moved.to_state, 'draft'), coalesce(batch.batch_state, 'draft')),
           ('approved_by_id', CASE WHEN keeper.id IS NOT NULL THEN coalesce(teller.login, '-') END,
            keeper.login),
           ('frozen_digest', CASE WHEN batch.frozen_digest IS NOT NULL THEN coalesce(approved.digest, '-')
            END, batch.frozen_digest),
           ('frozen_content', batch.frozen_digest,
            CASE WHEN batch.frozen_digest IS NOT NULL
                 THEN encode(sha256(convert_to(coalesce(batch.frozen_content, ''), 'UTF8')), 'hex') END)
           ) AS facts (field, told, kept)
     WHERE batch.id = ANY(%(batches)s) AND told IS DISTINCT FROM kept
     ORDER BY batch.id LIMIT %(named)s
"""
_OF_SUBMISSIONS = """
    WITH moved AS (
        SELECT DISTINCT ON (submission_id) submission_id, to_state, digest FROM g2p_payment_event
         WHERE batch_id = ANY(%(batches)s) AND submission_id IS NOT NULL AND payment_id IS NULL
           AND to_state IS DISTINCT FROM from_state AND to_state = ANY(%(states)s)
         ORDER BY submission_id, number DESC
    )
    SELECT 'g2p.payment.submission' AS model, submission.filename AS name, field, told, kept,
           count(*) OVER () AS total
      FROM g2p_payment_submission AS submission
      LEFT JOIN moved ON moved.submission_id = submission.id
     CROSS JOIN LATERAL (VALUES
           ('state', moved.to_state, submission.state), ('digest', moved.digest, submission.digest)
           ) AS facts (field, told, kept)
     WHERE submission.batch_id = ANY(%(batches)s) AND told IS DISTINCT FROM kept
     ORDER BY submission.id LIMIT %(named)s
"""


class Differences(NamedTuple):
    """Count the facts of records that are not what the trail says, with sentences on the first of them."""

    count: int
    sentences: list


class PaymentEvent(models.Model):
    _inherit = "g2p.payment.event"

    @api.model
    def _differences(self, batches):
        """Return in what the batches, their submissions and payments differ from their last events.

        Three statements, however many payments there are.
        """
        self.env.flush_all()
        states = [state for state, _label in self.env["g2p.payment.submission"]._fields["state"].selection]
        values = {"batches": batches.ids, "states": states, "named": NAMED}
        count, sentences = 0, []
        for query in (_OF_BATCHES, _OF_SUBMISSIONS, _OF_PAYMENTS):
            self.env.cr.execute(query, values)
            rows = self.env.cr.dictfetchall()
            count += rows[0]["total"] if rows else 0
            for row in rows:
                sentences.append(self._difference_sentence(row))
        return Differences(count, sentences[:NAMED])

    @api.model
    def _difference_sentence(self, row):
        if row["field"] == "id":
            return _("%s: the audit trail has this payment, but the payment is gone.", row["name"])
        if row["field"] == "frozen_content":
            return _("%s: the file is not the one that was approved.", row["name"])
        field = self.env[row["model"]]._fields[row["field"]]
        return _(
            "%(record)s: %(field)s is %(kept)s, but the audit trail says %(told)s.",
            record=row["name"],
            field=field._description_string(self.env),
            kept=self._in_words(field, row["kept"]),
            told=self._in_words(field, row["told"]),
        )

    @api.model
    def _in_words(self, field, value):
        if field.type == "selection":
            value = dict(field._description_selection(self.env)).get(value, value)
        if field.type == "boolean":
            value = _("yes") if value == "true" else _("no")
        return value or _("empty")
