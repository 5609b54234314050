"""The figures that people see before they apply evidence."""

import hashlib
import json

from markupsafe import Markup

from odoo import _, api, models

from odoo.addons.g2p_payment_hub.models.columns import tell_written

from .payment_gateway import plain_account

_COUNTED = ["preview"] + [
    f"{what}_count" for what in ("matched", "payee", "duplicate", "unknown", "unreadable", "question")
]


class PaymentEvidence(models.Model):
    _inherit = "g2p.payment.evidence"

    def _shown(self):
        """Fingerprint of what the lines are taken to be about, and of what applying does."""
        self.env.cr.execute(
            """
            SELECT id, match, basis, payment_id, effect, repeated,
                   ARRAY(SELECT payment_id FROM g2p_payment_evidence_line_candidate
                          WHERE line_id = line.id ORDER BY payment_id)
              FROM g2p_payment_evidence_line AS line WHERE evidence_id = %s ORDER BY id
            """,
            [self.id],
        )
        return hashlib.sha256(json.dumps(self.env.cr.fetchall()).encode()).hexdigest()

    def _count(self):
        self.env.cr.execute(
            """
            UPDATE g2p_payment_evidence AS evidence
               SET preview = %s, matched_count = counted.matched, payee_count = counted.payee,
                   duplicate_count = counted.duplicate, unknown_count = counted.unknown,
                   unreadable_count = counted.unreadable, question_count = counted.question,
                   repeated_count = counted.repeated
              FROM (SELECT count(*) FILTER (WHERE match = 'matched') AS matched,
                           count(*) FILTER (WHERE basis = 'payee') AS payee,
                           count(*) FILTER (WHERE match = 'duplicate') AS duplicate,
                           count(*) FILTER (WHERE match = 'unknown') AS unknown,
                           count(*) FILTER (WHERE problem IS NOT NULL) AS unreadable,
                           count(*) FILTER (WHERE repeated) AS repeated,
                           count(*) FILTER (WHERE effect = 'question') AS question
                      FROM g2p_payment_evidence_line WHERE evidence_id = %s) AS counted
             WHERE evidence.id = %s
            """,
            [self._shown(), self.id, self.id],
        )
        tell_written(self, _COUNTED)

    @api.depends("accounts", "gateway_id.evidence_accounts")
    def _compute_account_warning(self):
        """Said of a statement of an account from which no payment of this gateway leaves, as far as that is
        known."""
        for evidence in self:
            ours = evidence.gateway_id.sudo()._paying_accounts()
            theirs = {plain_account(account): account for account in (evidence.accounts or "").split(", ")}
            others = [account for plain, account in theirs.items() if plain and plain not in ours]
            evidence.account_warning = bool(ours and others) and _(
                "This file is about the account %(theirs)s, but payments through %(gateway)s leave from "
                "%(ours)s. Make sure that it is the right file before you apply it.",
                theirs=", ".join(others),
                gateway=evidence.gateway_id.name,
                ours=", ".join(ours.values()),
            )

    def _compute_totals(self):
        """A row for each thing that happens to lines, in each currency; the sums are PostgreSQL's."""
        line = self.env["g2p.payment.evidence.line"]
        labels = {
            name: dict(line._fields[name]._description_selection(self.env))
            for name in ("match", "basis", "effect", "status")
        }
        head = (_("Match"), _("Matched by"), _("The Lines say"), _("Applying does"), _("Lines"), _("Sum"))
        for evidence in self:
            self.env.cr.execute(
                """
                SELECT match, basis, status, effect, count(*), coalesce(sum(amount), 0)::text, currency
                  FROM g2p_payment_evidence_line WHERE evidence_id = %s
                 GROUP BY match, basis, status, effect, currency
                 ORDER BY match, basis DESC, status, effect, currency
                """,
                [evidence.id],
            )
            unreadable = _("Cannot be read")
            rows = [
                (
                    labels["match"].get(match, ""),
                    labels["basis"].get(basis, ""),
                    labels["status"].get(status) or unreadable,
                    labels["effect"].get(effect, ""),
                    count,
                    f"{amount} {currency or ''}".strip(),
                )
                for match, basis, status, effect, count, amount, currency in self.env.cr.fetchall()
            ]
            evidence.totals = html_table(head, rows) if rows else Markup("")


def html_table(head, rows):
    cells = Markup("").join(Markup('<th scope="col">%s</th>') % name for name in head)
    body = Markup("").join(
        Markup("<tr>%s</tr>") % Markup("").join(Markup("<td>%s</td>") % cell for cell in row) for row in rows
    )
    return Markup('<table class="table table-sm"><thead><tr>%s</tr></thead><tbody>%s</tbody></table>') % (
        cells,
        body,
    )
