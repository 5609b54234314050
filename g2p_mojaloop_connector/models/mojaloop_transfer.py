from datetime import timedelta

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from ..client import orders, results
from ..client.ids import transfer_ids

# waiting ------> transferring --> committed | failed | suspect | unknown
#   |  ^               |
#   |  +---------------+ (it surely did not leave)
#   +-> failed, or what the scheme says of an id that it knows already: committed | suspect | unknown
# unknown ------> committed | failed | suspect | waiting (the scheme never had it, and it was never posted)
NEXT = {
    "waiting": {"waiting", "transferring", "committed", "failed", "suspect", "unknown"},
    "transferring": {"waiting", "committed", "failed", "suspect", "unknown"},
    "unknown": {"unknown", "waiting", "committed", "failed", "suspect"},
    "committed": set(),
    "failed": set(),
    "suspect": set(),
}
# A payment is tried under this many ids at the most.
MAX_ATTEMPTS = 5
# It may have left, and the scheme has not said, or not proved, what became of it.
UNSETTLED = ("transferring", "unknown")
FINAL = ("committed", "failed", "suspect")


def attempt_ids(reference, first=1):
    """The transfer ids of all attempts at this payment from the `first` on, also of those which a restored
    backup may have forgotten."""
    return [transfer_ids(reference, attempt).transfer_id for attempt in range(first, MAX_ATTEMPTS + 1)]


class MojaloopTransfer(models.Model):
    """One attempt at one payment: a transfer of the scheme, under an id of our own.

    The id is derived from payment and attempt and written down before the scheme first hears of it, so that
    whoever goes on after a crash uses the same. The body is written down, in the state Transferring, before
    it leaves; from then on the scheme is asked, and nothing else is sent under another id.
    """

    _name = "g2p.mojaloop.transfer"
    _description = "Mojaloop Transfer"
    _order = "id desc"
    _no_user_defaults = True
    _rec_name = "transfer_id"

    payment_id = fields.Many2one("g2p.payment", required=True, readonly=True, ondelete="restrict", index=True)
    partner_id = fields.Many2one("res.partner", "Registrant", related="payment_id.partner_id")
    submission_id = fields.Many2one(
        "g2p.payment.submission", required=True, readonly=True, ondelete="restrict", index=True
    )
    batch_id = fields.Many2one("g2p.payment.batch", related="submission_id.batch_id", store=True, index=True)
    gateway_id = fields.Many2one("g2p.payment.gateway", related="submission_id.gateway_id", store=True)
    company_id = fields.Many2one("res.company", related="submission_id.company_id", store=True)
    attempt = fields.Integer(
        required=True,
        readonly=True,
        help="A payment gets another attempt only when the scheme has ended the one before without moving "
        "money.",
    )
    transfer_id = fields.Char(
        "Transfer ID", required=True, readonly=True, help="Derived from payment and attempt."
    )
    order = fields.Text(
        required=True,
        readonly=True,
        groups="g2p_payment_hub.group_payment_file",
        help="The payment's line of the file as it was approved.",
    )
    state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("transferring", "Transferring"),
            ("unknown", "Unknown"),
            ("committed", "Committed"),
            ("failed", "Failed"),
            ("suspect", "Suspect"),
        ],
        required=True,
        readonly=True,
        default="waiting",
        index=True,
        help="Waiting: no money can have moved. Transferring: the transfer may have left. Unknown: the "
        "scheme is asked until it says what became of it. Committed: paid, with proof. Failed: ended without "
        "money. Suspect: the scheme says committed, and the proof does not fit: a person has to look.",
    )
    quote_id = fields.Char("Quote ID", readonly=True)
    payee_fsp = fields.Char("Payee's Institution", readonly=True)
    payee_name = fields.Char(
        readonly=True,
        groups="g2p_payment_hub.group_payment_file",
        help="The name that the payee's institution knows.",
    )
    transfer_amount = fields.Char(readonly=True, help="What leaves the payer, as the quote says.")
    payee_amount = fields.Char("Payee Receives", readonly=True, help="As the quote says.")
    currency = fields.Char(readonly=True, help="Of all amounts of the quote.")
    fee = fields.Char(readonly=True, help="What the payee's institution takes, as the quote says.")
    commission = fields.Char(readonly=True, help="What the payee's institution gives, as the quote says.")
    condition = fields.Char(readonly=True, help="The proof of payment has to match it.")
    bulk_transfer_id = fields.Char(
        "Bulk Transfer ID", readonly=True, index="btree_not_null", help="The bulk with which it left last."
    )
    body = fields.Text(
        readonly=True, groups="g2p_payment_hub.group_payment_file", help="What was sent, to the byte."
    )
    expires_at = fields.Datetime(readonly=True, help="After this the scheme does not carry it out any more.")
    transfer_state = fields.Char("State at the Scheme", readonly=True, help="The scheme's own word.")
    fulfilment = fields.Char(readonly=True, help="The proof of payment.")
    completed_at = fields.Datetime(readonly=True)
    error_step = fields.Char("Failed Step", readonly=True)
    error_code = fields.Char(readonly=True, help="The scheme's code.")
    error_description = fields.Char(readonly=True)
    failure_type = fields.Char(readonly=True)
    turn = fields.Integer(readonly=True, help="How often it was begun; each time with a quote of its own.")
    tries = fields.Integer(readonly=True, help="How often it failed before money could move.")
    asks = fields.Integer("Questions", readonly=True, help="How often the scheme was asked for it.")
    taken = fields.Boolean(
        "Id is Taken", readonly=True, help="The scheme has said that it has this id with another content."
    )
    heard = fields.Boolean(
        "No Heard Once",
        readonly=True,
        help="The scheme has said no. It counts when it says so again, with nothing else under way.",
    )
    next_at = fields.Datetime("Next Turn", readonly=True, help="Not before; empty: at once.")
    lease = fields.Char(readonly=True, help="The run that works on it.")
    lease_until = fields.Datetime(readonly=True, help="Until then a worker is taken to be busy with it.")

    _sql_constraints = [
        ("transfer_id_unique", "unique(transfer_id)", "This transfer exists already."),
        ("attempt_unique", "unique(payment_id, attempt)", "This attempt exists already."),
    ]

    def init(self):
        """PostgreSQL holds what no code may break: a payment has one transfer that can move money."""
        self.env.cr.execute(
            """
            -- invariant: one-live-transfer
            CREATE UNIQUE INDEX IF NOT EXISTS g2p_mojaloop_transfer_one_live
                ON g2p_mojaloop_transfer (payment_id)
             WHERE state <> 'failed';
            CREATE INDEX IF NOT EXISTS g2p_mojaloop_transfer_due
                ON g2p_mojaloop_transfer (submission_id, next_at)
             WHERE state IN ('waiting', 'transferring', 'unknown')
            """
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(_("A transfer is never deleted: it is the record of what was sent."))

    # Attempts

    @api.model
    def _begin(self, submission):
        """The first attempt at each payment of the batch, as it was approved."""
        _terms, lines = orders.parse(submission._frozen_content())
        payments = {payment.name: payment for payment in submission.batch_id.sudo().payment_ids}
        self.sudo().create(
            [
                self._attempt_values(submission, payments[line.reference].id, line.reference, 1, line)
                for line in lines
            ]
        )
        # Some may have been decided while the batch was on its way.
        self._heed_decisions(submission.batch_id.payment_ids)

    @api.model
    def _begin_again(self, transfers):
        """The next attempt at payments whose last one ended without money, under an id of its own."""
        self.sudo().create(
            [
                {
                    **self._attempt_values(
                        one.submission_id, one.payment_id.id, one.payment_id.name, one.attempt + 1
                    ),
                    "order": one.order,
                    "next_at": fields.Datetime.now() + timedelta(seconds=results.WAITS[0]),
                }
                for one in transfers.sudo()
                if one.attempt < MAX_ATTEMPTS and not one.decided
            ]
        )

    @api.model
    def _attempt_values(self, submission, payment_id, reference, attempt, line=None):
        return {
            "submission_id": submission.id,
            "payment_id": payment_id,
            "attempt": attempt,
            "transfer_id": transfer_ids(reference, attempt).transfer_id,
            "order": line and line.model_dump_json(),
        }
