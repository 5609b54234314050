"""What OpenG2P may take back between approval and sending, in one place for all who pay."""

from odoo import _, api, models

# Another entitlement of the same cycle that was made for somebody else, who is the same registrant by now;
# while it may be paid or was, one person would get both.
MERGED = """
    SELECT other.id FROM g2p_entitlement AS other
     WHERE other.cycle_id = entitlement.cycle_id AND other.partner_id = entitlement.partner_id
       AND other.registrant_number <> entitlement.registrant_number
       AND (other.state = 'approved'
            OR EXISTS (SELECT FROM g2p_payment AS its
                        WHERE its.entitlement_id = other.id
                          AND (its.status IS DISTINCT FROM 'failed' OR its.attention IS NOT NULL)))
"""
# Nearly nobody, with an index of their own, and the only ones for whom others are looked for.
_WAS_MERGED = """
    EXISTS (SELECT FROM g2p_entitlement AS moved
             WHERE moved.cycle_id = entitlement.cycle_id AND moved.partner_id = entitlement.partner_id
               AND moved.registrant_number <> moved.partner_id)
"""
# Which stop holds, as a key of `_stop_sentences`; NULL when none does. For a query with these aliases.
STOP = f"""
    CASE WHEN program.active IS FALSE THEN 'program_archived'
         WHEN program.state = 'ended' THEN 'program_ended'
         WHEN beneficiary.disabled IS NOT NULL THEN 'disabled'
         WHEN beneficiary.active IS FALSE THEN 'archived'
         WHEN {_WAS_MERGED} THEN CASE WHEN EXISTS ({MERGED}) THEN 'merged' END
     END
"""


class Payment(models.Model):
    _inherit = "g2p.payment"

    def _stops(self):
        """Map to a sentence each of these payments that its beneficiary keeps from being paid."""
        self.env.flush_all()
        self.env.cr.execute(
            f"""
            SELECT payment.id, {STOP} AS stop,
                   CASE WHEN {_WAS_MERGED} THEN (
                       SELECT coalesce(its.name, merged.code)
                         FROM g2p_entitlement AS merged
                         LEFT JOIN g2p_payment AS its ON its.entitlement_id = merged.id
                        WHERE merged.id IN ({MERGED})
                        ORDER BY its.id DESC NULLS LAST LIMIT 1)
                   END
              FROM g2p_payment AS payment
              JOIN g2p_entitlement AS entitlement ON entitlement.id = payment.entitlement_id
              JOIN g2p_cycle AS cycle ON cycle.id = entitlement.cycle_id
              JOIN g2p_program AS program ON program.id = cycle.program_id
              JOIN res_partner AS beneficiary ON beneficiary.id = entitlement.partner_id
             WHERE payment.id = ANY(%s)
            """,  # pylint: disable=sql-injection  # texts of this file
            [self.ids],
        )
        sentences = self._stop_sentences()
        return {
            self.browse(payment): sentences[stop] % {"other": other}
            for payment, stop, other in self.env.cr.fetchall()
            if stop in sentences
        }

    @api.model
    def _stop_sentences(self):
        return {
            "disabled": _("The beneficiary is disabled."),
            "archived": _("The beneficiary is archived."),
            "merged": _(
                "The beneficiary was merged with that of %(other)s, so that one person would be paid twice. "
                "Cancel one of the two entitlements."
            ),
        }


class Cycle(models.Model):
    _inherit = "g2p.cycle"

    def _why_program_stopped(self):
        """Say what keeps the cycle's program from paying; False when nothing does."""
        program = self.sudo().program_id
        if not program.active:
            return _("The program %s is archived.", program.name)
        if program.state == "ended":
            return _("The program %s has ended.", program.name)
        return False
