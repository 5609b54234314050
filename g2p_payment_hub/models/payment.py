from decimal import Decimal

from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import float_repr

from ..client.instructions import Instruction


class Payment(models.Model):
    """A payment through a gateway: made by Prepare Payments alone, edited by nobody, paid at most once."""

    _inherit = "g2p.payment"
    _no_user_defaults = True

    gateway_id = fields.Many2one(
        "g2p.payment.gateway",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="The gateway through which this payment goes; empty for other payment managers.",
    )
    partner_id = fields.Many2one(
        related=None,
        compute="_compute_partner_id",
        store=True,
        ondelete="restrict",
        help="For whom it was prepared, whoever the entitlement names by now.",
    )
    payee_identifier_type = fields.Char(readonly=True, help="What kind of identifier the account number is.")
    payee_bank = fields.Char(
        readonly=True,
        help="The bank that keeps the payee's account, by its BIC, where the payment manager sends it.",
    )
    payment_currency_id = fields.Many2one(
        "res.currency",
        readonly=True,
        help="The currency when the payment was prepared; a later change of the journal does not touch it.",
    )
    currency_id = fields.Many2one(
        related=None,
        compute="_compute_currency_id",
        store=True,
        help="That in which it was prepared, whatever the journal's is by now.",
    )
    check_problem = fields.Text(
        "Problems", readonly=True, help="What has to be mended before the batch can be approved."
    )
    adjustment = fields.Text(
        "Adjusted",
        readonly=True,
        copy=False,
        help="What travels otherwise than it is written here, because the payment system cannot carry it so.",
    )
    remote_reference = fields.Char(readonly=True, copy=False, help="The payment system's own reference.")
    remote_status = fields.Char(readonly=True, copy=False, help="The payment system's own word, last time.")
    failure_code = fields.Char(readonly=True, copy=False, help="The payment system's code for the failure.")
    failure_reason = fields.Char(readonly=True, copy=False, help="Why the payment failed.")
    failure_type = fields.Selection(
        [
            ("payee_unknown", "Payee Unknown"),
            ("account_closed", "Account Closed or Blocked"),
            ("limit", "Limit Exceeded"),
            ("insufficient_funds", "Insufficient Funds"),
            ("technical", "Technical"),
            ("rejected", "Rejected"),
            ("duplicate", "Duplicate"),
            ("not_sent", "Not Sent"),
            ("returned", "Returned"),
            ("declared", "Declared Failed by People"),
            ("other", "Other"),
        ],
        readonly=True,
        copy=False,
        help="Why the payment failed, in words that are the same for every payment system.",
    )
    remote_fee = fields.Monetary(
        "Fee",
        readonly=True,
        copy=False,
        currency_field="payment_currency_id",
        help="What the payment system charges for this payment, on top of its amount.",
    )
    remote_commission = fields.Monetary(
        "Commission",
        readonly=True,
        copy=False,
        currency_field="payment_currency_id",
        help="What the payee's institution gives back for this payment.",
    )
    reissue_of_id = fields.Many2one(
        "g2p.payment",
        "Re-issue of",
        readonly=True,
        copy=False,
        ondelete="restrict",
        help="The failed payment of the same entitlement in whose place this one was made.",
    )
    reissue_ids = fields.One2many("g2p.payment", "reissue_of_id", "Re-issued as", readonly=True, copy=False)
    event_ids = fields.One2many("g2p.payment.event", "payment_id", "Audit Trail", readonly=True)
    attention = fields.Char(
        "Needs Attention",
        readonly=True,
        copy=False,
        help="Why a person has to look at this payment: what the payment system says and what was approved "
        "do not agree.",
    )
    attention_type = fields.Char(
        readonly=True,
        copy=False,
        help="The type of the exception behind it. It stays when the add-on that decides exceptions goes.",
    )

    def init(self):
        """PostgreSQL holds what no code may break. Payments of other managers, which may hold duplicates,
        are left out, so that installing beside them works."""
        self.env.cr.execute(
            """
            -- invariant: one-live-payment
            CREATE UNIQUE INDEX IF NOT EXISTS g2p_payment_one_live_per_entitlement
                ON g2p_payment (entitlement_id)
             WHERE gateway_id IS NOT NULL AND status IS DISTINCT FROM 'failed';
            CREATE UNIQUE INDEX IF NOT EXISTS g2p_payment_unique_reference
                ON g2p_payment (name)
             WHERE gateway_id IS NOT NULL;
            -- invariant: reissued-once
            CREATE UNIQUE INDEX IF NOT EXISTS g2p_payment_reissued_once
                ON g2p_payment (reissue_of_id)
             WHERE reissue_of_id IS NOT NULL;
            CREATE INDEX IF NOT EXISTS g2p_payment_cycle ON g2p_payment (cycle_id);
            CREATE INDEX IF NOT EXISTS g2p_payment_entitlement ON g2p_payment (entitlement_id);
            CREATE INDEX IF NOT EXISTS g2p_payment_batch ON g2p_payment (batch_id);
            """
        )

    @api.depends("entitlement_id.partner_id")
    def _compute_partner_id(self):
        """Of a payment of a gateway it stays; of others it is the entitlement's, as in OpenG2P."""
        for payment in self:
            if not (payment.gateway_id and payment.partner_id):
                payment.partner_id = payment.entitlement_id.partner_id

    @api.depends("payment_currency_id", "journal_id.currency_id")
    def _compute_currency_id(self):
        for payment in self:
            payment.currency_id = payment.payment_currency_id or payment.journal_id.currency_id

    def send_payment(self):
        """OpenG2P's button does nothing; payments of a gateway go with their batch."""
        if self.filtered("gateway_id"):
            raise UserError(_("This payment is sent with its batch. Open the batch to send it."))
        return super().send_payment()

    @api.model
    def _may_have_paid(self):
        """Domain: payments that live, or have failed with a doubt. While an entitlement has one of them it is
        not paid again: OpenG2P's rule, and ours."""
        return ["|", ("status", "!=", "failed"), ("attention", "!=", False)]

    def _others_that_may_pay(self):
        """Entitlement to the other payments that may pay it, or may have; whoever asks, all of them count."""
        others = self.sudo().search(
            [
                ("entitlement_id", "in", self.entitlement_id.ids),
                ("id", "not in", self.ids),
                *self._may_have_paid(),
            ]
        )
        return others.grouped("entitlement_id")

    def _note_reissues(self):
        """In the audit trails of these payments and of those in whose place they were made."""
        new = self.filtered("reissue_of_id")
        for batch, payments in new.grouped("batch_id").items():
            batch._record([payment._reissue_event() for payment in payments])
        for batch, payments in new.reissue_of_id.filtered("batch_id").grouped("batch_id").items():
            batch._record([payment._reissued_event() for payment in payments])

    def _reissue_event(self):
        why = _(
            "Re-issue of %(payment)s: %(reason)s",
            payment=self.reissue_of_id.name,
            reason=self.reissue_of_id.failure_reason or "",
        )
        return {"payment_id": self.id, "to_state": self.state, "why": why}

    def _reissued_event(self):
        why = _(
            "Re-issued as %(payment)s in batch %(batch)s.",
            payment=self.reissue_ids.name,
            batch=self.reissue_ids.batch_id.name,
        )
        return {"payment_id": self.id, "from_state": self.status, "to_state": self.status, "why": why}

    def _give_up(self, reason):
        """Ends payments that never left. OpenG2P prepares an entitlement again when its payments failed. One
        that has its result, by a decision on evidence, keeps it."""
        open_ones = self.filtered(lambda payment: not payment.status)
        before = open_ones._statuses()
        values = {
            "status": "failed",
            "status_is_final": True,
            "status_datetime": fields.Datetime.now(),
            "failure_type": "not_sent",
            "failure_reason": reason,
            "check_problem": False,
        }
        open_ones.sudo().write(values)
        open_ones._record_changes(before)
        if open_ones:
            open_ones._on_results_written(list(values))

    def _on_results_written(self, field_names):
        """Hook: results were written for these payments; called once for each set, in the same transaction.

        Results of many payments are written by one SQL statement, so an override of `write` and an automation
        rule on updates never see them. Override this instead, work on the whole set, and call super().
        The audit trail has the results already. An error takes them back: they are learnt again later.

        :param field_names: the fields that were written, such as `status`, `amount_paid` or `attention`
        """

    def _heed_decision(self):
        """Hook: people, or a document that they applied, have given these payments their result, or taken it
        back, and not the payment system. Whoever still pays them looks at `status` in this transaction."""

    def _statuses(self):
        return {payment: payment.status or payment.state for payment in self}

    def _record_changes(self, before):
        """Adds to the audit trail of their batch what differs from `before` (see `_statuses`)."""
        for batch in self.batch_id:
            rows = [
                {
                    "payment_id": payment.id,
                    "from_state": before[payment],
                    "to_state": payment.status or payment.state,
                    "why": payment.attention or payment.failure_reason or payment.remote_status,
                    "remote_reference": payment.remote_reference,
                    "amount_paid": payment._paid_amount(),
                }
                for payment in self
                if payment.batch_id == batch and before[payment] != (payment.status or payment.state)
            ]
            batch._record(rows)

    def _write_sentences(self, name, sentences):
        """Writes the sentences of each payment into the field, and clears it on the others."""
        for payment, said in sentences.items():
            payment.sudo()[name] = "\n".join(said)
        self.filtered(lambda payment: payment[name] and payment not in sentences).sudo().write({name: False})

    def _take_payee(self, payee):
        """`payee`: columns as of the payment manager's `_payee_values`."""
        if any((self[name] or "") != value for name, value in payee.items()):
            self.write(payee)

    def _instructions(self, note):
        """One Instruction for each payment, in order of id: the same payments give the same file."""
        return [payment._instruction(note) for payment in self.sorted("id")]

    def _instruction(self, note):
        return Instruction(
            reference=self.name,
            payee_identifier_type=self.payee_identifier_type or "",
            payee_identifier=self.account_number or "",
            amount=self._amount(),
            currency=self.payment_currency_id.name or "",
            note=note or "",
            payee_dfsp=self.payee_bank or "",
        )

    def _amount(self):
        """What was approved."""
        return exact_amount(self.amount_issued, self.payment_currency_id)

    def _paid_amount(self):
        return exact_amount(self.amount_paid, self.payment_currency_id)

    def _is_still_due(self):
        """Whether its entitlement is still of the amount that was prepared, rounded as that was."""
        currency, due = self.payment_currency_id, self.entitlement_id.initial_amount
        return self._amount() == exact_amount(currency.round(due) if currency else due, currency)


def exact_amount(amount, currency):
    """The Decimal that a field's float stands for, with the digits of its currency."""
    return Decimal(float_repr(amount, currency.decimal_places if currency else 2))
