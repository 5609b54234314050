"""What the lines of evidence are about."""

from odoo import _, models

from odoo.addons.g2p_payment_hub.models.columns import Columns

from .payment import BATCH_OF

_MATCH_COLUMNS = Columns(
    id="int",
    match="varchar",
    basis="varchar",
    payment_id="int",
    batch_id="int",
    effect="varchar",
    why="varchar",
)
# SQL: an unknown line that people have to decide. One that cannot be read may say anything of the payment it
# names, also that it was paid; money that came in under its reference may be that it came back.
ASKS = """match = 'unknown' AND (status = ANY(%s)
          OR ((problem IS NOT NULL OR status = 'other') AND payment_id IS NOT NULL))"""


class PaymentEvidence(models.Model):
    _inherit = "g2p.payment.evidence"

    def _match(self):
        """Says for each line what it is about, in a number of statements that does not grow with the lines.

        First what was read before, then by reference, then by payee and amount. What is not certain is never
        guessed: it stays unknown, with its candidates named.
        """
        self.ensure_one()
        self.env.flush_all()
        matches = {}
        self._match_unusable(matches)
        self._match_duplicates(matches)
        self._match_references(matches)
        self._match_payees(matches)
        self._write_matches(matches)
        self._foresee()
        self._count()

    def _match_unusable(self, matches):
        """Lines that cannot be read, and money that came in; with the payment of ours that they name."""
        self.env.cr.execute(
            """
            SELECT line.id, line.problem, payment.id
              FROM g2p_payment_evidence_line AS line
              LEFT JOIN g2p_payment AS payment
                ON payment.name = line.reference AND payment.gateway_id = line.gateway_id
               AND payment.company_id = line.company_id
             WHERE line.evidence_id = %s AND (line.problem IS NOT NULL OR line.status = 'other')
            """,
            [self.id],
        )
        for line, problem, payment in self.env.cr.fetchall():
            why = problem or _("Money that came in, and no return of a payment.")
            if payment and not problem:
                why = _(
                    "The line names this payment, and does not say whether the money left or came back. Ask "
                    "the bank."
                )
            matches[line] = {**unknown_row(line, why), "payment_id": payment}

    def _match_duplicates(self, matches):
        """The very same lines, of this file or of one that was applied, unless they were unknown then."""
        self.env.cr.execute(
            """
            SELECT line.id, before.number, before.name, before.in_this_file
              FROM g2p_payment_evidence_line AS line
              JOIN (SELECT DISTINCT ON (told.fingerprint) told.fingerprint, told.id, told.number,
                           evidence.name, evidence.id = %s AS in_this_file
                      FROM g2p_payment_evidence_line AS told
                      JOIN g2p_payment_evidence AS evidence ON evidence.id = told.evidence_id
                     WHERE told.gateway_id = %s
                       AND told.fingerprint IN (SELECT fingerprint FROM g2p_payment_evidence_line
                                                 WHERE evidence_id = %s)
                       AND (evidence.id = %s OR (evidence.state = 'applied' AND told.match = 'matched'))
                     ORDER BY told.fingerprint, in_this_file, told.id) AS before
                ON before.fingerprint = line.fingerprint AND before.id <> line.id
             WHERE line.evidence_id = %s
            """,
            [self.id, self.gateway_id.id, self.id, self.id, self.id],
        )
        for line, number, name, in_this_file in self.env.cr.fetchall():
            if line in matches:
                continue
            why = _("This line was applied already: line %(number)s of %(name)s.", number=number, name=name)
            if in_this_file:
                why = _("This is line %s once more.", number)
            matches[line] = matched_row(line, "duplicate", why=why)

    def _match_references(self, matches):
        """Lines that name a reference of ours, exactly."""
        self.env.cr.execute(
            f"""
            SELECT line.id, payment.id, {BATCH_OF}, payment.gateway_id = line.gateway_id,
                   payment.status_is_final IS TRUE
                   OR (payment.state = 'sent' AND batch.batch_state IN ('sent', 'done')),
                   batch.name
              FROM g2p_payment_evidence_line AS line
              LEFT JOIN g2p_payment AS payment
                ON payment.name = line.reference AND payment.gateway_id IS NOT NULL
               AND payment.company_id = line.company_id
              LEFT JOIN g2p_payment_batch AS batch ON batch.id = payment.batch_id
             WHERE line.evidence_id = %s AND line.reference IS NOT NULL
            """,  # only an expression of this add-on
            [self.id],
        )
        for line, payment, batch, same_gateway, was_sent, batch_name in self.env.cr.fetchall():
            if line in matches:
                continue
            if payment and same_gateway and was_sent:
                why = _("The line names this payment's reference.")
                matches[line] = matched_row(line, "matched", "reference", payment, batch, why)
            elif payment and same_gateway:
                why = _(
                    "This payment is in batch %s, of which nobody knows yet that it was sent. Look into this "
                    "at once.",
                    batch_name,
                )
                matches[line] = {**unknown_row(line, why), "payment_id": payment}
            elif payment:
                matches[line] = unknown_row(line, _("This reference went through another gateway."))
            else:
                matches[line] = unknown_row(line, _("We never sent this reference."))

    def _write_matches(self, matches):
        sets = ", ".join(f"{name} = told.{name}" for name in _MATCH_COLUMNS if name != "id")
        self.env.cr.execute(
            f"""
            UPDATE g2p_payment_evidence_line AS line SET {sets}
              FROM unnest({_MATCH_COLUMNS.arrays}) AS told ({_MATCH_COLUMNS.names}) WHERE line.id = told.id
            """,  # only names of this file's own columns
            _MATCH_COLUMNS.of(matches.values()),
        )
        self.env["g2p.payment.evidence.line"].invalidate_model()


def matched_row(line, match, basis=None, payment=None, batch=None, why=None):
    return {
        "id": line,
        "match": match,
        "basis": basis,
        "payment_id": payment,
        "batch_id": batch,
        "effect": "none",
        "why": why,
    }


def unknown_row(line, why):
    return matched_row(line, "unknown", why=why)
