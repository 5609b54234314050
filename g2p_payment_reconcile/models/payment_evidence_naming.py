"""Which payments of ours the lines of evidence name, to the letter or in a bank's spelling."""

from typing import NamedTuple

from odoo import models

from odoo.addons.g2p_payment_hub.client.references import normal_form

from ..evidence.spelling import PIECE, Spelling
from .payment import BATCH_OF

# SQL: as client/references.py's `normal_form`, of what we wrote ourselves.
FORM = """translate(upper(regexp_replace({}, '[^0-9A-Za-z]', '', 'g') COLLATE "C"), 'OIL', '011')"""


class Naming(NamedTuple):
    """Ids of the payments that a line means: the one of its very reference; those that it names in another
    spelling; those that it almost names. `as_theirs`: ours stands where the bank's own should."""

    exact: int | None = None
    whole: frozenset = frozenset()
    almost: frozenset = frozenset()
    as_theirs: bool = False

    @property
    def all(self):
        return {self.exact} if self.exact else self.whole | self.almost


class PaymentEvidence(models.Model):
    _inherit = "g2p.payment.evidence"

    def _named(self):
        """Line id to its Naming, for each line. Only those without our very reference are looked into."""
        self.env.cr.execute(
            """
            SELECT line.id, payment.id, line.remote_reference,
                   CASE WHEN payment.id IS NULL THEN
                        array_remove(
                            ARRAY[line.reference, line.remote_reference, line.reason, line.free_text], NULL)
                   END
              FROM g2p_payment_evidence_line AS line
              LEFT JOIN g2p_payment AS payment
                ON payment.name = line.reference AND payment.gateway_id IS NOT NULL
               AND payment.company_id = line.company_id
             WHERE line.evidence_id = %s
             ORDER BY line.id
            """,
            [self.id],
        )
        rows = self.env.cr.fetchall()
        spellings = {line: Spelling(texts) for line, exact, _theirs, texts in rows if not exact}
        payments = self._payments_by_piece({piece for text in spellings.values() for piece in text.pieces()})
        forms = {payment: form for found in payments.values() for payment, form in found}
        named = {}
        for line, exact, theirs, _texts in rows:
            if exact:
                named[line] = Naming(exact)
                continue
            whole, almost = spellings[line].named(payments)
            written = normal_form(theirs or "")
            named[line] = Naming(None, whole, almost, any(forms[payment] in written for payment in whole))
        return named

    def _payments_by_piece(self, pieces):
        """Beginning or end of a normal form to the payments that have it, as {(id, normal form)}."""
        if not pieces:
            return {}
        form = FORM.format("name")
        self.env.cr.execute(
            f"""
            SELECT id, {form} FROM g2p_payment
             WHERE gateway_id IS NOT NULL AND company_id = %s
               AND (left({form}, {PIECE}) = ANY(%s) OR right({form}, {PIECE}) = ANY(%s))
            """,  # only an expression of this file
            [self.company_id.id, list(pieces), list(pieces)],
        )
        payments = {}
        for payment, written in self.env.cr.fetchall():
            for piece in (written[:PIECE], written[-PIECE:]):
                payments.setdefault(piece, set()).add((payment, written))
        return payments

    def _named_facts(self, named):
        """Payment id to what has to be known of it, by dicts."""
        self.env.cr.execute(
            f"""
            SELECT payment.id, payment.name, {BATCH_OF} AS batch_id, payment.gateway_id, payment.status,
                   payment.status_is_final IS TRUE AS final,
                   payment.status_is_final IS TRUE
                   OR (payment.state = 'sent' AND batch.batch_state IN ('sent', 'done')) AS was_sent,
                   payment.amount_issued::text AS amount, currency.name AS currency, batch.name AS batch
              FROM g2p_payment AS payment
              LEFT JOIN g2p_payment_batch AS batch ON batch.id = payment.batch_id
              LEFT JOIN res_currency AS currency ON currency.id = payment.payment_currency_id
             WHERE payment.id = ANY(%s)
            """,  # only an expression of this add-on
            [list({payment for naming in named.values() for payment in naming.all})],
        )
        return {fact["id"]: fact for fact in self.env.cr.dictfetchall()}


class Payment(models.Model):
    _inherit = "g2p.payment"

    def init(self):
        """By which payments are found among all that ever were, however their references are spelled."""
        super().init()
        form = FORM.format("name")
        for side in ("left", "right"):
            self.env.cr.execute(  # pylint: disable=sql-injection  # only an expression of this file
                f"""
                CREATE INDEX IF NOT EXISTS g2p_payment_reference_{side}
                    ON g2p_payment (({side}({form}, {PIECE}))) WHERE gateway_id IS NOT NULL
                """
            )
