"""What the lines of evidence are about."""

from decimal import Decimal

from odoo import _, models

from odoo.addons.g2p_payment_hub.models.columns import Columns, tell_written

_MATCH_COLUMNS = Columns(
    id="int",
    match="varchar",
    basis="varchar",
    payment_id="int",
    batch_id="int",
    effect="varchar",
    why="varchar",
)
_NAMED = 5  # payments in a sentence
# SQL: an unknown line that people have to decide. One that cannot be read may say anything of the payment it
# names, also that it was paid; money that came in under its reference may be that it came back. So may a
# charge that is no charge.
ASKS = """match = 'unknown' AND (status = ANY(%s)
          OR ((problem IS NOT NULL OR status IN ('other', 'fee')) AND payment_id IS NOT NULL)
          OR EXISTS (SELECT FROM g2p_payment_evidence_line_candidate
                      WHERE line_id = g2p_payment_evidence_line.id))"""


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
        named = self._named()
        facts = self._named_facts(named)
        self._tell_bookings_apart(named)
        self._match_unusable(matches, named, facts)
        self._match_duplicates(matches)
        self._match_fees(matches, named, facts)
        self._match_sums(matches, named)
        self._match_batches(matches)
        self._match_references(matches, named, facts)
        self._match_payees(matches)
        self._write_matches(matches)
        self._foresee()
        self._count()

    def _match_unusable(self, matches, named, facts):
        """Lines that cannot be read, and money that came in; with the payments of ours that they name."""
        self.env.cr.execute(
            """
            SELECT id, problem FROM g2p_payment_evidence_line
             WHERE evidence_id = %s AND (problem IS NOT NULL OR status = 'other')
            """,
            [self.id],
        )
        for line, problem in self.env.cr.fetchall():
            ours = [
                payment for payment in named[line].all if facts[payment]["gateway_id"] == self.gateway_id.id
            ]
            why = problem or _("Money that came in, and no return of a payment.")
            if ours and not problem:
                why = _(
                    "The line names this payment, and does not say whether the money left or came back. Ask "
                    "the bank."
                )
            if len(ours) == 1:
                matches[line] = {**unknown_row(line, why), "payment_id": ours[0]}
            else:
                matches[line] = unknown_row(line, why, ours)

    def _match_references(self, matches, named, facts):
        """Lines that name a payment of ours: to the letter, or in a bank's spelling.

        Where the spelling leaves a doubt, each payment that may be meant is one to look at.
        """
        self.env.cr.execute(
            """
            SELECT id, reference, status, amount::text AS amount, currency
              FROM g2p_payment_evidence_line WHERE evidence_id = %s
            """,
            [self.id],
        )
        for said in self.env.cr.dictfetchall():
            line, naming = said["id"], named[said["id"]]
            if line in matches:
                continue
            if naming.all:
                matches[line] = self._reference_row(said, naming, facts)
            elif said["reference"]:
                matches[line] = unknown_row(line, _("We never sent this reference."))

    def _reference_row(self, said, naming, facts):
        candidates = [facts[payment] for payment in sorted(naming.all)]
        why = self._spelling_doubt(said, naming, candidates)
        if why:
            return unknown_row(said["id"], why, [fact["id"] for fact in candidates])
        (fact,) = candidates
        return self._payment_row(said, fact, bool(naming.exact))

    def _spelling_doubt(self, said, naming, candidates):
        """Why it is not certain which payment the line names; False when it is."""
        if naming.exact:
            return False
        names = ", ".join(fact["name"] for fact in candidates[:_NAMED])
        if len(naming.whole) > 1:
            return _(
                "The line names %(count)s payments, or one in a spelling that may mean any of them: "
                "%(names)s. Ask the bank which was meant.",
                count=len(naming.whole),
                names=names,
            )
        if naming.almost:
            return _("The line almost names %(names)s. Ask the bank which payment was meant.", names=names)
        (fact,) = candidates
        if said["status"] == "waiting" or _is_money(said, fact):
            return False
        return _(
            "The line names %(names)s in another spelling, and not with the amount that was approved. Ask "
            "the bank which payment was meant.",
            names=names,
        )

    def _payment_row(self, said, fact, exact):
        """`exact`: the reference stands there to the letter."""
        line, payment = said["id"], fact["id"]
        if fact["gateway_id"] != self.gateway_id.id:
            agrees = fact["final"] and fact["status"] == said["status"] and _is_money(said, fact)
            why = _("This reference went through another gateway.")
            return unknown_row(line, why, [] if agrees else [payment])
        if not fact["was_sent"]:
            why = _(
                "This payment is in batch %s, of which nobody knows yet that it was sent. Look into this at "
                "once.",
                fact["batch"],
            )
            return {**unknown_row(line, why), "payment_id": payment}
        why = (
            _("The line names this payment's reference.")
            if exact
            else _("The line names this payment's reference in another spelling, and its amount.")
        )
        return matched_row(line, "matched", "reference", payment, fact["batch_id"], why)

    def _write_matches(self, matches):
        sets = ", ".join(f"{name} = told.{name}" for name in _MATCH_COLUMNS if name != "id")
        self.env.cr.execute(
            f"""
            UPDATE g2p_payment_evidence_line AS line SET {sets}
              FROM unnest({_MATCH_COLUMNS.arrays}) AS told ({_MATCH_COLUMNS.names}) WHERE line.id = told.id
            """,  # only names of this file's own columns
            _MATCH_COLUMNS.of(matches.values()),
        )
        candidates = [(line, payment) for line, row in matches.items() for payment in row["candidates"]]
        self.env.cr.execute(
            """
            DELETE FROM g2p_payment_evidence_line_candidate AS candidate
             USING g2p_payment_evidence_line AS line
             WHERE line.id = candidate.line_id AND line.evidence_id = %s;
            INSERT INTO g2p_payment_evidence_line_candidate (line_id, payment_id)
            SELECT * FROM unnest(%s::int[], %s::int[])
            """,
            [self.id, [line for line, _payment in candidates], [payment for _line, payment in candidates]],
        )
        lines = self.env["g2p.payment.evidence.line"].browse(matches)
        tell_written(lines, [*(name for name in _MATCH_COLUMNS if name != "id"), "candidate_ids"])


def matched_row(line, match, basis=None, payment=None, batch=None, why=None):
    return {
        "id": line,
        "match": match,
        "basis": basis,
        "payment_id": payment,
        "batch_id": batch,
        "effect": "none",
        "why": why,
        "candidates": [],
    }


def unknown_row(line, why, candidates=()):
    """`candidates`: the payments that may be meant, each of which waits for a person."""
    return {**matched_row(line, "unknown", why=why), "candidates": list(candidates)}


def _is_money(said, fact):
    """Whether the line says the very amount and currency of the payment."""
    if said["amount"] is None or not said["currency"]:
        return False
    return (Decimal(said["amount"]), said["currency"]) == (Decimal(fact["amount"]), fact["currency"])
