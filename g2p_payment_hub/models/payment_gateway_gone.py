from markupsafe import escape

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError

from ..client.errors import GatewayError, Reason
from .payment_task import CONFIRM_GONE
from .roles import APPROVERS, check_role, has_role

# What gateway administrators, who may write everything else, do not decide.
GUARDED = {"gone_declared_by_id", "gone_reason", "gone_confirmed_by_id", "gone_at"}
_MAY_HAVE_LEFT = ("in_flight", "unknown", "accepted", "not_received")


class PaymentGateway(models.Model):
    """A payment system that is switched off for good can no longer be asked what became of a batch, and what
    it may have paid would be paid by nobody else for ever. Two people decide that it is gone.

    Nothing is sent through the gateway any more. What was declared missing needs no look-up, and may be paid
    through another gateway although this one does not answer. While it answers, its answer counts.
    """

    _inherit = "g2p.payment.gateway"

    gone_declared_by_id = fields.Many2one(
        "res.users", "Declared Gone by", readonly=True, copy=False, help="The first of two people."
    )
    gone_reason = fields.Char(
        "Gone because",
        readonly=True,
        copy=False,
        help="How those who decided know that the payment system will never answer again, and what it paid.",
    )
    gone_confirmed_by_id = fields.Many2one(
        "res.users",
        "Confirmed Gone by",
        readonly=True,
        copy=False,
        help="The second. From then on nothing is sent through this gateway, and other gateways may pay what "
        "was declared missing here, although this payment system cannot be asked any more.",
    )
    gone_at = fields.Datetime("Gone since", readonly=True, copy=False, help="When the second person agreed.")
    gone_blocked_reason = fields.Char(compute="_compute_gone_blocked_reasons")
    gone_confirm_blocked_reason = fields.Char(compute="_compute_gone_blocked_reasons")

    _sql_constraints = [
        (
            "two_people_decide_that_it_is_gone",
            "check(gone_confirmed_by_id is null or coalesce(gone_confirmed_by_id <> gone_declared_by_id, "
            "false))",
            "Two people decide that a payment system is gone.",
        ),
    ]

    @api.model_create_multi
    def create(self, vals_list):
        gateways = super().create(vals_list)
        # Looked at afterwards, because values also come from defaults.
        if not self.env.su and any(gateway[name] for gateway in gateways for name in GUARDED):
            raise AccessError(self._decided_by_two_people())
        return gateways

    def write(self, vals):
        if not self.env.su and GUARDED & set(vals):
            raise AccessError(self._decided_by_two_people())
        if vals.get("state", "disabled") != "disabled" and any(self.mapped("gone_confirmed_by_id")):
            raise UserError(
                _(
                    "Two people decided that this payment system is gone for good. A finance validator has "
                    "to take that back before it is used again."
                )
            )
        return super().write(vals)

    @api.model
    def _decided_by_two_people(self):
        return _("Two finance validators decide that a payment system is gone, with the buttons for it.")

    @api.depends("state", "active", "gone_declared_by_id", "gone_confirmed_by_id")
    @api.depends_context("uid")
    def _compute_gone_blocked_reasons(self):
        for gateway in self:
            gateway.gone_blocked_reason = gateway._why_not_gone()
            gateway.gone_confirm_blocked_reason = gateway._why_not_confirm_gone()

    def _why_not_gone(self):
        """Why this user cannot declare the payment system gone; False when nothing is in the way."""
        if not has_role(self.env, APPROVERS):
            return _("Two finance validators decide whether a payment system is gone.")
        nobody = self.env.user._why_nobody()
        if nobody:
            return nobody
        if self.gone_confirmed_by_id:
            return _("Two people have decided already that this payment system is gone.")
        if self.state != "disabled" and self.active:
            return _("This gateway is in use. A gateway administrator has to disable it first.")
        busy = [("gateway_id", "in", self.ids), ("state", "=", "in_flight")]
        if self.env["g2p.payment.submission"].sudo().search_count(busy, limit=1):
            return _("A batch is being sent through this gateway. Wait until it is known what came of it.")
        return False

    def _why_not_confirm_gone(self):
        reason = self._why_not_gone()
        if reason:
            return reason
        if not self.gone_declared_by_id:
            return _("Nobody has declared this payment system gone yet.")
        if self.gone_declared_by_id == self.env.user:
            return _("You declared it gone yourself, so another finance validator must confirm.")
        return False

    def _declare_gone(self, reason):
        """The first of two people says that the payment system will never answer again."""
        self.ensure_one()
        reason = " ".join((reason or "").split())
        blocked = self._why_not_gone()
        if blocked:
            raise UserError(blocked)
        if not reason:
            raise UserError(_("Give a reason: the second person and the auditor have to know how you know."))
        self.sudo().write({"gone_declared_by_id": self.env.uid, "gone_reason": reason})
        self._message_log(body=_("Declared gone for good, to be confirmed by a second person: %s", reason))
        self._keep_called(
            CONFIRM_GONE,
            self._finance_users() - self.env.user,
            _("Confirm that the payment system of %s is gone", self.name),
            escape(reason),
        )

    def action_confirm_gone(self):
        """The second of two people agrees."""
        self.ensure_one()
        blocked = self._why_not_confirm_gone()
        if blocked:
            raise UserError(blocked)
        self.sudo().write({"gone_confirmed_by_id": self.env.uid, "gone_at": fields.Datetime.now()})
        self._call_off(CONFIRM_GONE)
        self._say_of_all_that_may_have_left(
            _(
                "%(first)s and %(second)s decided that the payment system of %(gateway)s is gone for good: "
                "%(reason)s",
                first=self.gone_declared_by_id.name,
                second=self.env.user.name,
                gateway=self.name,
                reason=self.gone_reason,
            )
        )

    def action_withdraw_gone(self):
        """It answers again, or it was a mistake; one person is enough to be careful again."""
        self.ensure_one()
        check_role(self.env, APPROVERS, _("Only a finance validator may take this back."))
        if not self.gone_declared_by_id:
            raise UserError(_("Nobody has declared this payment system gone."))
        was_gone = self.gone_confirmed_by_id
        self.sudo().write(dict.fromkeys(GUARDED, False))
        self._call_off(CONFIRM_GONE)
        why = _("That the payment system of %s is gone for good is taken back.", self.name)
        if was_gone:
            self._say_of_all_that_may_have_left(why)
        else:
            self._message_log(body=why)

    def _say_of_all_that_may_have_left(self, why):
        """In the gateway's history, and in the audit trail of each batch that it may have."""
        self._message_log(body=why)
        left = [("gateway_id", "=", self.id), ("state", "in", _MAY_HAVE_LEFT)]
        batches = self.env["g2p.payment.submission"].sudo().search(left).batch_id.sudo(False)
        batches._lock()
        for batch in batches:
            batch._record([{"from_state": batch.batch_state, "to_state": batch.batch_state, "why": why}])

    def _ask_unless_gone(self, ask, *arguments):
        """What `ask(...)` gives; None where the payment system does not answer any more, as two people have
        decided. An answer that is not clear is one."""
        try:
            return ask(*arguments)
        except (GatewayError, UserError) as error:
            if not self.sudo().gone_confirmed_by_id or getattr(error, "reason", None) is Reason.AMBIGUOUS:
                raise
            return None
