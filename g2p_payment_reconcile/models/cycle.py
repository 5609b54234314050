import logging

from psycopg2 import OperationalError

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from odoo.addons.g2p_payment_hub.models.roles import MAKERS, check_role

_logger = logging.getLogger(__name__)

# What has become of an entitlement, by all of its payments.
OUTCOMES = ("paid", "failed", "waiting", "unresolved", "unprepared", "undecided")
_PROGRESS = """
    SELECT cycle_id, outcome, count(*), coalesce(sum(CASE outcome WHEN 'paid' THEN paid ELSE due END), 0)
      FROM (
        SELECT entitlement.cycle_id,
               entitlement.initial_amount AS due,
               sum(payment.amount_paid) FILTER (WHERE payment.status = 'paid') AS paid,
               CASE
                   WHEN bool_or(payment.attention IS NOT NULL OR batch.batch_state = 'unknown')
                       THEN 'unresolved'
                   WHEN bool_or(payment.status = 'paid') THEN 'paid'
                   WHEN bool_or(payment.id IS NOT NULL AND payment.status IS NULL) THEN 'waiting'
                   WHEN bool_or(payment.id IS NOT NULL) THEN 'failed'
                   WHEN entitlement.state = 'approved' THEN 'unprepared'
                   ELSE 'undecided'
               END AS outcome
          FROM g2p_entitlement AS entitlement
          LEFT JOIN g2p_payment AS payment ON payment.entitlement_id = entitlement.id
          LEFT JOIN g2p_payment_batch AS batch ON batch.id = payment.batch_id
         WHERE entitlement.cycle_id = ANY(%s)
           AND (payment.id IS NOT NULL OR entitlement.state IN ('draft', 'pending_validation', 'approved'))
         GROUP BY entitlement.id
      ) AS of_entitlement
     GROUP BY cycle_id, outcome
"""


def money(amount, currency):
    """The amount as people read it; OpenG2P does without a currency where the journal has none."""
    return currency.format(amount) if currency else f"{amount:,.2f}"


class Cycle(models.Model):
    """How far the payments of a cycle have come, and its end when all of them are final."""

    _inherit = "g2p.cycle"

    payments_currency_id = fields.Many2one(
        "res.currency", "Paid in", compute="_compute_payments_currency", help="Empty when there are several."
    )
    paid_count = fields.Integer("Paid", compute="_compute_payment_progress")
    paid_amount = fields.Monetary(
        "Amount Paid", compute="_compute_payment_progress", currency_field="payments_currency_id"
    )
    failed_count = fields.Integer(
        "Failed",
        compute="_compute_payment_progress",
        help="Entitlements whose payments have all failed. They can be issued again.",
    )
    failed_amount = fields.Monetary(
        "Amount Failed", compute="_compute_payment_progress", currency_field="payments_currency_id"
    )
    waiting_count = fields.Integer(
        "Waiting",
        compute="_compute_payment_progress",
        help="Entitlements with a payment that has no result yet.",
    )
    waiting_amount = fields.Monetary(
        "Amount Waiting", compute="_compute_payment_progress", currency_field="payments_currency_id"
    )
    unresolved_count = fields.Integer(
        "Unresolved",
        compute="_compute_payment_progress",
        help="Entitlements with a payment about which a person has to decide.",
    )
    unresolved_amount = fields.Monetary(
        "Amount Unresolved", compute="_compute_payment_progress", currency_field="payments_currency_id"
    )
    unprepared_count = fields.Integer(
        "Not Prepared",
        compute="_compute_payment_progress",
        help="Approved entitlements for which no payment was ever prepared.",
    )
    unprepared_amount = fields.Monetary(
        "Amount Not Prepared", compute="_compute_payment_progress", currency_field="payments_currency_id"
    )
    paid_part = fields.Float(
        "Paid (%)", compute="_compute_payment_progress", help="Entitlements paid, in percent."
    )
    has_gateway_batches = fields.Boolean(compute="_compute_payment_progress")

    def _compute_payments_currency(self):
        """That in which its payments were prepared, whatever the journal's is by now; before that the
        journal's."""
        left = [("cycle_id", "in", self.ids), ("failure_type", "!=", "not_sent")]
        used = dict(
            self.env["g2p.payment"].sudo()._read_group(left, ["cycle_id"], ["payment_currency_id:recordset"])
        )
        for cycle in self:
            mine = used.get(cycle) or cycle.sudo().program_id.journal_id.currency_id
            cycle.payments_currency_id = mine if len(mine) == 1 else False

    def _money(self, amount):
        return money(amount, self.payments_currency_id)

    def _compute_payment_progress(self):
        progress = self._payment_progress()
        batches = self.env["g2p.payment.batch"].sudo()
        gateway = batches._read_group(
            [("cycle_id", "in", self.ids), ("gateway_id", "!=", False)], ["cycle_id"]
        )
        through_gateway = {cycle.id for (cycle,) in gateway}
        for cycle in self:
            mine = progress.get(cycle.id, {})
            for outcome in OUTCOMES[:-1]:
                cycle[f"{outcome}_count"], cycle[f"{outcome}_amount"] = mine.get(outcome, (0, 0))
            total = sum(count for count, _amount in mine.values())
            cycle.paid_part = 100 * cycle.paid_count / total if total else 0
            cycle.has_gateway_batches = cycle.id in through_gateway

    def _payment_progress(self):
        """Cycle id to {outcome: (entitlements, amount)}; one statement, however many payments there are."""
        self.env["g2p.entitlement"].flush_model()
        self.env["g2p.payment"].flush_model()
        self.env["g2p.payment.batch"].flush_model(["batch_state"])
        self.env.cr.execute(_PROGRESS, [self.ids])
        progress = {}
        for cycle, outcome, count, amount in self.env.cr.fetchall():
            progress.setdefault(cycle, {})[outcome] = (count, amount)
        return progress

    # The end of a cycle

    def write(self, vals):
        """OpenG2P's cycle has no buttons for payments any more once it is distributed, and nothing of it is
        issued again once it is ended."""
        if vals.get("state") in (self.STATE_DISTRIBUTED, self.STATE_ENDED):
            for cycle in self:
                why_not = cycle._why_payments_open()
                if why_not:
                    raise UserError(why_not)
        return super().write(vals)

    def _why_payments_open(self):
        """Why payments through a gateway are not all final; False when they are."""
        self.invalidate_recordset(["unresolved_count", "waiting_count", "has_gateway_batches"])
        if not self.has_gateway_batches:
            return False
        open_batches = (
            self.env["g2p.payment.batch"]
            .sudo()
            .search(
                [
                    ("cycle_id", "=", self.id),
                    ("gateway_id", "!=", False),
                    ("batch_state", "not in", ("done", "cancelled")),
                ]
            )
        )
        if not (self.unresolved_count or self.waiting_count or open_batches):
            return False
        return _(
            "The payments of %(cycle)s are not all final: %(unresolved)s unresolved, %(waiting)s waiting for "
            "a result, in batches: %(batches)s.",
            cycle=self.name,
            unresolved=self.unresolved_count,
            waiting=self.waiting_count,
            batches=", ".join(open_batches.mapped("name")) or _("none open"),
        )

    def _remains_unpaid(self):
        """Sentences that say what is not paid though final."""
        mine = self._payment_progress().get(self.id, {})
        return [
            self._remains_sentence(outcome, *mine[outcome])
            for outcome in ("failed", "unprepared", "undecided")
            if outcome in mine
        ]

    def _remains_sentence(self, outcome, count, amount):
        told = {"count": count, "amount": self._money(amount)}
        return {
            "failed": _("Failed, and not issued again: %(count)s, %(amount)s.", **told),
            "unprepared": _("Approved, and never prepared: %(count)s, %(amount)s.", **told),
            "undecided": _("Not approved yet: %(count)s, %(amount)s.", **told),
        }[outcome]

    @api.model
    def _cron_mark_distributed(self):
        """Ends the cycles in which everything is paid. One that cannot be ended does not hold up others."""
        batches = self.env["g2p.payment.batch"].sudo()
        cycles = batches._read_group(
            [("gateway_id", "!=", False), ("cycle_id.state", "=", self.STATE_APPROVED)], ["cycle_id"]
        )
        for (cycle,) in cycles:
            try:
                with self.env.cr.savepoint():
                    if not cycle._why_payments_open() and not cycle._remains_unpaid():
                        cycle._end_payments()
            except UserError as error:
                _logger.info("cycle %s cannot be marked as distributed: %s", cycle.id, error)
            except OperationalError:
                raise  # another transaction was in the way: at the next turn
            except Exception:  # pylint: disable=broad-except  # of whatever the program's manager does then
                _logger.exception("cycle %s cannot be marked as distributed", cycle.id)

    def action_distribute(self):
        """Says what remains unpaid and asks whether the cycle is to end so."""
        self.ensure_one()
        self._check_may_end_payments()
        return {
            "type": "ir.actions.act_window",
            "name": _("Mark as Distributed"),
            "res_model": "g2p.cycle.distribute.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {"default_cycle_id": self.id},
        }

    def _check_may_end_payments(self):
        check_role(self.env, MAKERS, _("Only a program manager may mark a cycle as distributed."))
        why_not = self._why_payments_open()
        if why_not:
            raise UserError(why_not)

    def _end_payments(self):
        """OpenG2P's own step, and a note that says with what result."""
        if self.state != self.STATE_APPROVED:
            raise UserError(_("Only an approved cycle can be marked as distributed."))
        if not self.program_id.get_manager(self.program_id.MANAGER_CYCLE):
            raise UserError(_("The program has no cycle manager, who marks its cycles as distributed."))
        remains = self._remains_unpaid()
        self.mark_distributed()
        # Odoo lets nobody without an e-mail address post.
        self.sudo().message_post(
            body=_(
                "Distributed: %(count)s entitlements paid, %(amount)s. %(remains)s",
                count=self.paid_count,
                amount=self._money(self.paid_amount),
                remains=" ".join(remains) or _("Nothing remains unpaid."),
            )
        )
