import uuid

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from ..client import batching
from ..client.errors import NotSent, Reason
from .notification import notification
from .payment_gateway_secret import KEPT, REFERENCES
from .roles import GATEWAY_ADMIN, check_role


class PaymentGateway(models.Model):
    """How to reach a payment system.

    A provider is one entry of `provider`, fields with its prefix, and the hooks below that say
    "Hook": each checks `provider` first and otherwise calls `super()`.
    """

    _name = "g2p.payment.gateway"
    _description = "Payment Gateway"
    _inherit = ["g2p.payment.task.mixin"]
    _order = "state desc, name"

    name = fields.Char(required=True, help="How people recognise this gateway, for example the bank's name.")
    provider = fields.Selection(
        [("payment_hub_ee", "Mifos Payment Hub EE")],
        required=True,
        default="payment_hub_ee",
        tracking=True,
        help="The payment system at the other end.",
    )
    state = fields.Selection(
        [("disabled", "Disabled"), ("test", "Test"), ("live", "Live")],
        required=True,
        default="disabled",
        tracking=True,
        copy=False,
        help="Disabled: nothing is sent. Test: the system at the other end moves no real money; addresses on "
        "this very machine may do without TLS. Live: real money moves.",
    )
    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company,
        tracking=True,
        help="Only programs of this company can pay through this gateway.",
    )
    recovery_minutes = fields.Integer(
        "Waiting Time (minutes)",
        required=True,
        default=60,
        tracking=True,
        help="How long a batch may take to show up at the payment system. When nobody knows whether a batch "
        "arrived, two people may declare that it never did only after this time.",
    )
    active = fields.Boolean(default=True, tracking=True)

    _sql_constraints = [
        (
            "waiting_time_is_not_too_short",
            "check(recovery_minutes >= 5)",
            "The waiting time is five minutes at least: a batch that has arrived shows up at the payment "
            "system only some time later. Correct the gateway's waiting time.",
        ),
    ]

    # Secrets: see `payment_gateway_secret.secret`.

    @api.model
    def _secret_fields(self):
        """Hook: the names of the provider's secret fields."""
        return []

    def _compute_secrets(self):
        """Says only that there is one."""
        for gateway in self:
            kept = gateway._sealed_secrets()
            for name in self._secret_fields():
                gateway[name] = KEPT if name in kept else False

    def _keep_secret(self, name):
        for gateway in self:
            # A new form sends each secret, typed or not.
            if gateway[name] != KEPT and (gateway[name] or name in gateway._secrets()):
                self.env["g2p.payment.gateway.secret"]._keep(gateway, name, gateway[name])
                gateway._message_log(body=_("%s was set anew.", gateway._label(name)))
        # What was typed must not come back with the answer to this very request.
        self.invalidate_recordset([name])

    def _secrets(self):
        """Field name to secret, for the client and nobody else: templates and code in the database are
        refused. No method returns a secret as text, because the queue keeps what its jobs return."""
        return self.env["g2p.payment.gateway.secret"]._of(self)

    def _sealed_secrets(self):
        """Field name to ciphertext, for those who only ask which secrets there are."""
        return self.env["g2p.payment.gateway.secret"]._sealed(self)

    @api.model_create_multi
    def create(self, vals_list):
        gateways = super().create(vals_list)
        for gateway in gateways:
            gateway._reference_key()
        return gateways

    def _reference_key(self):
        """From which references and file names are derived: the same after a backup is restored, and another
        in every installation. Not the database's UUID, which changes with a restored copy and which in
        OpenG2P everybody may write."""
        key = self._sealed_secrets().get(REFERENCES)
        if not key:
            key = str(uuid.uuid4())
            self.env["g2p.payment.gateway.secret"]._keep(self, REFERENCES, key)
        return key

    # Hooks

    def _check_ready(self):
        """Sentences that say what keeps anything from being sent; empty when ready."""
        self.ensure_one()
        disabled = _("The gateway %s is disabled or archived. An administrator has to enable it.", self.name)
        off = self.state == "disabled" or not self.active
        return ([disabled] if off else []) + self._check_settings()

    def _is_of_company(self, company):
        """Whether programs of this company pay through this gateway; those of no company may."""
        return not company or company == self.sudo().company_id

    def _check_settings(self):
        """Hook: sentences that say what is missing in the gateway's settings."""
        return []

    def _split(self, instructions, payer, max_rows):
        """Hook: the instructions, in order, cut into batches that the system takes: a list of lists."""
        self.ensure_one()
        return batching.split(instructions, max_rows, max_rows, lambda _one: 1, lambda one: one.reference)

    def _check_instructions(self, instructions, payer):
        """Hook: problems that a person can mend: a dict of reference to a list of sentences."""
        self.ensure_one()
        return {}

    def _adjustments(self, instructions):
        """Hook: what travels otherwise than it is written here, because the payment system cannot carry it
        so: a dict of reference to a list of sentences."""
        self.ensure_one()
        return {}

    def _check_payer(self, payer):
        """Hook: sentences that say what is wrong with the payer."""
        self.ensure_one()
        return []

    def _render(self, instructions, payer):
        """Hook: the text that is frozen at approval and sent as it is."""
        self._not_supported()

    def _submit(self, submission):
        """Hook: sends the submission once. Returns a Receipt; raises NotSent, Refused or OutcomeUnknown, and
        any other error counts as OutcomeUnknown."""
        raise NotSent(Reason.NOT_READY, self._unsupported_sentence())

    def _find_submission(self, submission, references=None):
        """Hook: the Receipt of a submission whose outcome is unknown, None if the system shows no trace.
        `references` are those of its payments, unless others are looked for in its place.

        Raises a GatewayError while it cannot tell."""
        self._not_supported()

    def _outcomes(self, submission, references):
        """Hook: yields lists of Outcome for the submission; `references` are those still open.

        Raises a GatewayError when nothing was learnt: ask later."""
        self._not_supported()

    def _why_no_rows(self, submission):
        """Hook: a sentence about an accepted submission of which the payment system lists no payment at all;
        False where that says nothing."""
        return False

    def _outcomes_of(self, submission, receipt, references):
        """Hook: yields lists of Outcome for payments that were given up, `references`, in what the payment
        system calls `receipt.reference`; `submission` is an attempt at them, perhaps one that is not in the
        database. Raises a GatewayError while it cannot tell."""
        return []

    def _check_callback(self, call):
        """Hook: whether a Call that says that there is news comes from the payment system, where that can
        sign. A signed one is of these minutes and taken once: `_take` of g2p.payment.callback.seen."""
        self.ensure_one()
        return True

    def _hear_news(self, call):
        """Hook: a Call to the gateway's own address; what its path names is asked for sooner. Nothing else
        may come of it."""
        self.ensure_one()

    def _confirm_limit(self, batch):
        """Hook: return the sum up to which `_confirms_payments` asks for no statement."""
        return 0

    def _confirms_payments(self, batch):
        """Hook: whether a finance user has to confirm that the money of `batch` moved."""
        return False

    def _check_connection(self):
        """Hook: a list of Check, one for each thing that was tried. Changes nothing anywhere."""
        self._not_supported()

    def _not_supported(self):
        raise UserError(self._unsupported_sentence())

    def _unsupported_sentence(self):
        kinds = dict(self._fields["provider"]._description_selection(self.env))
        return _(
            "The provider %s is not installed. Install its add-on, or choose another gateway.",
            kinds.get(self.provider, self.provider),
        )

    @api.model
    def _address_fields(self):
        """Hook: the fields that say which payment system this is, and who we are to it."""
        return ["provider"]

    def _check_keeps_address(self, vals):
        """Another system, asked whether it has what was sent to this one, would say no."""
        waits = self._changes(vals, self._address_fields()) and self._waits_for_answers()
        if waits or (self._changes(vals, self._asked_fields()) and self._asks_again()):
            raise UserError(
                _(
                    "Nobody knows yet what became of something that left for this payment system. Change its "
                    "address after that, or make another gateway."
                )
            )

    def _changes(self, vals, names):
        return any(
            name in vals and any(gateway[name] != (vals[name] or False) for gateway in self) for name in names
        )

    @api.model
    def _asked_fields(self):
        """Hook: those of `_address_fields` that say whom to ask, where that is not whom to send to."""
        return self._address_fields()

    def _asks_again(self):
        """Hook: whether a batch that was declared missing may be sent again: the system that may have it
        after all is asked first."""
        missing = [
            ("gateway_id", "in", self.ids),
            ("state", "=", "not_received"),
            ("batch_id.batch_state", "not in", ("sent", "done", "cancelled")),
        ]
        return bool(self.env["g2p.payment.submission"].sudo().search_count(missing, limit=1))

    def _waits_for_answers(self):
        """Hook: whether something may have left of which the payment system still has to be asked."""
        pending = [("gateway_id", "in", self.ids), ("state", "in", ("in_flight", "unknown"))]
        return bool(self.env["g2p.payment.submission"].sudo().search_count(pending, limit=1))

    def write(self, vals):
        """What was prepared for one kind of payment system cannot be sent through another, nor what one
        company owes by another."""
        self._check_keeps_address(vals)
        others = self.filtered(
            lambda gateway: (
                vals.get("provider", gateway.provider) != gateway.provider
                or vals.get("company_id", gateway.company_id.id) != gateway.company_id.id
            )
        )
        if others and self.env["g2p.payment.batch"].sudo().search_count(
            [("gateway_id", "in", others.ids)], limit=1
        ):
            raise UserError(
                _("Batches use this gateway already. Make another gateway for the other provider or company.")
            )
        return super().write(vals)

    # What people do

    def action_test_connection(self):
        """Says what works and what does not; also for a gateway that is still disabled."""
        self.ensure_one()
        check_role(
            self.env, GATEWAY_ADMIN, _("Only a payment gateway administrator may test the connection.")
        )
        problems = self._check_settings()
        unsafe = [problem for problem in self._safety_problems() if problem not in problems]
        if problems:
            return self._notification("danger", " ".join(problems + unsafe))
        checks = self._check_connection()
        works = all(check.ok for check in checks)
        sentences = [self._check_sentence(check) for check in checks]
        kind = "danger" if not works else "warning" if unsafe else "success"
        return self._notification(kind, " ".join(sentences + unsafe))

    def _check_sentence(self, check):
        label = self._check_label(check.name)
        if check.ok:
            return _("%s: works.", label)
        why = self._explain(NotSent(check.reason, check.detail)) if check.reason else check.detail
        return _("%(what)s: does not work. %(why)s", what=label, why=why)

    def _check_label(self, name):
        """The words for the name of a Check."""
        return name

    def _notification(self, kind, message):
        return notification(self.name, kind, message, sticky=kind != "success")

    def _submit_or_say_why(self, submission):
        """`_submit`, or NotSent when the gateway has been disabled or emptied meanwhile."""
        problems = self._check_ready()
        if problems:
            raise NotSent(Reason.NOT_READY, " ".join(problems))
        return self._submit(submission)
