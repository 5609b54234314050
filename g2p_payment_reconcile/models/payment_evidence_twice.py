"""The same booking told once more, or another one? Where nothing tells, a person says so."""

from odoo import _, fields, models
from odoo.exceptions import UserError

from .payment_evidence_line import NUMBER
from .payment_evidence_match import matched_row
from .payment_evidence_naming import FORM

# Each booking of these is one that happened.
BOOKED = ("paid", "returned")
# Records of states, not of bookings: that one is told again does not mean that it happened again.
TELLS_STATES = "pain_002"


class PaymentEvidence(models.Model):
    _inherit = "g2p.payment.evidence"

    repeated_count = fields.Integer("Repeated", readonly=True)
    repeats = fields.Selection(
        [("same", "The Same Bookings"), ("again", "Booked Again")],
        "Repeated Lines are",
        readonly=True,
        tracking=True,
        help="What a person says of lines that repeat others to which the bank gave no number of their own.",
    )

    def action_repeats_same(self):
        """The bank tells of the same bookings once more, as in statements that overlap."""
        self._say_of_repeats("same")

    def action_repeats_again(self):
        """The repeated lines are bookings of their own, each of which a person decides."""
        self._say_of_repeats("again")

    def _say_of_repeats(self, answer):
        self.ensure_one()
        self._check_role(_("Only a finance validator may say what repeated lines are."))
        if self.state != "matched" or not self.repeated_count:
            raise UserError(_("There are no repeated lines to decide about. Reload the page."))
        self.sudo().repeats = answer
        self._match()

    def _why_not_apply(self):
        return super()._why_not_apply() or (
            bool(self.repeated_count and not self.repeats)
            and _(
                "%(count)s lines say the same as lines that were applied before, and the bank gives them no "
                "number of their own. Say first, above, whether they are the same bookings.",
                count=self.repeated_count,
            )
        )

    def _tell_bookings_apart(self, named):
        """Unname bookings whose number other bookings of this source have too, or is our own reference."""
        tells_bookings = self.format != TELLS_STATES and not self.mapping_id.same_references
        ours = [line for line, naming in named.items() if naming.as_theirs]
        whom = f"coalesce({FORM.format('%(line)s.reference')}, %(line)s.payee)"
        told, line = ({"line": name} for name in ("told", "line"))
        self.env.cr.execute(
            f"""
            UPDATE g2p_payment_evidence_line AS line SET named = FALSE
             WHERE line.evidence_id = %s AND line.named
               AND (line.id = ANY(%s)
                    OR (line.status = ANY(%s) AND EXISTS (
                        SELECT FROM g2p_payment_evidence_line AS told
                          JOIN g2p_payment_evidence AS evidence ON evidence.id = told.evidence_id
                         WHERE {NUMBER.format("told.remote_reference")}
                               = {NUMBER.format("line.remote_reference")}
                           AND told.remote_reference IS NOT NULL AND told.status = ANY(%s)
                           AND evidence.id <> %s AND evidence.state = 'applied'
                           AND evidence.gateway_id = %s AND evidence.source = %s
                           AND ({whom % told}, told.amount, told.currency, told.happened_on, told.status)
                               IS DISTINCT FROM
                               ({whom % line}, line.amount, line.currency, line.happened_on, line.status))))
            """,  # only expressions of this add-on
            [
                self.id,
                ours,
                list(BOOKED if tells_bookings else ()),
                list(BOOKED),
                self.id,
                self.gateway_id.id,
                self.source,
            ],
        )

    def _match_duplicates(self, matches):
        """Find the very same lines, of this file or of one that was applied, but those of nothing known.

        Where neither the bank's own number nor its statement says that it is the same booking, it may have
        been booked once more.
        """
        repeated = []
        for told in self._lines_before():
            line = told["id"]
            if line in matches:
                continue
            in_doubt = not (told["certain"] or self.format == TELLS_STATES)
            if in_doubt:
                repeated.append(line)
            if not in_doubt or self.repeats == "same":
                matches[line] = matched_row(line, "duplicate", why=self._duplicate_sentence(told, in_doubt))
        self.env.cr.execute(
            "UPDATE g2p_payment_evidence_line SET repeated = id = ANY(%s) WHERE evidence_id = %s",
            [repeated, self.id],
        )

    def _duplicate_sentence(self, told, in_doubt):
        where = {"number": told["number"], "name": told["name"]}
        if in_doubt:
            return _("It was said to be the same booking as line %(number)s of %(name)s.", **where)
        if told["here"]:
            return _("This is line %s once more.", told["number"])
        return _("This line was applied already: line %(number)s of %(name)s.", **where)

    def _lines_before(self):
        """For each line of this file the one that said the same before, if any."""
        self.env.cr.execute(
            """
            SELECT DISTINCT ON (line.id) line.id, told.number, evidence.name, evidence.id = %s AS here,
                   line.named IS NOT FALSE OR line.status IS NULL OR line.status <> ALL(%s)
                   OR coalesce(told.statement = line.statement AND evidence.id <> %s, FALSE)
                   OR evidence.id = ANY(%s) AS certain
              FROM g2p_payment_evidence_line AS line
              JOIN g2p_payment_evidence_line AS told
                ON told.fingerprint = line.fingerprint AND told.gateway_id = line.gateway_id
              JOIN g2p_payment_evidence AS evidence ON evidence.id = told.evidence_id
             WHERE line.evidence_id = %s
               AND ((evidence.id = %s AND told.id < line.id)
                    OR (evidence.id <> %s AND evidence.state = 'applied'
                        AND (told.match = 'matched'
                             OR (line.named IS FALSE
                                 AND EXISTS (SELECT FROM g2p_payment_evidence_line_candidate
                                              WHERE line_id = told.id)))))
             ORDER BY line.id, certain DESC, here, told.id
            """,
            [self.id, list(BOOKED), self.id, self._same_files(), self.id, self.id, self.id],
        )
        return self.env.cr.dictfetchall()

    def _same_files(self):
        """Ids of the applied files that say, line by line, what this one says.

        Only where no statement has a name of its own, and one line at least has the bank's number.
        """
        lines = "SELECT fingerprint FROM g2p_payment_evidence_line WHERE evidence_id"
        self.env.cr.execute(
            f"""
            SELECT evidence.id FROM g2p_payment_evidence AS evidence
             WHERE evidence.gateway_id = %s AND evidence.source = %s AND evidence.state = 'applied'
               AND evidence.line_count = %s AND evidence.id <> %s
               AND (SELECT bool_and(statement IS NULL) AND bool_or(named) FROM g2p_payment_evidence_line
                     WHERE evidence_id = %s)
               AND NOT EXISTS ({lines} = %s EXCEPT {lines} = evidence.id)
            """,  # only names of this file's own columns
            [self.gateway_id.id, self.source, self.line_count, self.id, self.id, self.id],
        )
        return [evidence for (evidence,) in self.env.cr.fetchall()]
