import logging

from psycopg2 import OperationalError
from psycopg2.errors import LockNotAvailable

from odoo import _, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.job import identity_exact

from ..client.csv_file import plain_note
from ..client.instructions import Instruction
from ..client.references import derived_reference, former_reference
from .payment import exact_amount
from .payment_manager import MODEL
from .roles import MAKERS, has_role

_logger = logging.getLogger(__name__)

# System parameter: the id of the last entitlement from before the upgrade to version 1.2.0.
LAST_FORMER = "g2p_payment_hub.last_entitlement_with_former_reference"


class PaymentHubManager(models.Model):
    """Prepares the payments of a cycle in batches, once for each entitlement."""

    _inherit = MODEL

    # More entitlements than this are prepared by a background job.
    MAX_ENTITLEMENTS_FOR_SYNC_PREPARE = 2000

    def prepare_payments(self, cycle, entitlements=None):
        """OpenG2P's Prepare button. Makes payments and batches; says in one message what it did."""
        self.ensure_one()
        self._check_may_prepare()
        self._check_program(cycle)
        payable = self._payable(cycle, entitlements)
        again = bool(payable) and all(count for count, _last in self._earlier(payable).values())
        if not cycle._may_pay(again):
            return self._say("danger", _("The cycle is not approved. Approve it, then prepare payments."))
        stopped = cycle._why_program_stopped()
        if stopped:
            return self._say("danger", _("%s Nothing is prepared.", stopped))
        if cycle.locked:
            return self._say("danger", _("The cycle is locked: %s", cycle.locked_reason or ""))
        if not payable:
            return self._say("warning", self._why_nothing_payable(cycle, entitlements))
        if len(payable) > self.MAX_ENTITLEMENTS_FOR_SYNC_PREPARE:
            self._prepare_payments_async(cycle, payable, len(payable))
            return self._say("info", _("%s payments are being prepared in the background.", len(payable)))
        _payments, batches = self._prepare_payments(cycle, payable)
        return self._say("success", self._prepared_sentence(batches), sticky=bool(batches._drafts()))

    def _check_may_prepare(self):
        if not self.env.su and not has_role(self.env, MAKERS):
            raise AccessError(_("Only a program manager may prepare payments."))

    def _payable(self, cycle, entitlements=None):
        """Approved entitlements of the cycle that have no payment, or only failed ones (OpenG2P's rule for
        paying again) about which there is no doubt. Two queries, however many there are."""
        approved = self.env["g2p.entitlement"].search(self._approved(cycle, entitlements))
        # Whoever asks, every payment counts, also one that this user may not see.
        payments = self.env["g2p.payment"].sudo()
        may_have_paid = [("entitlement_id.cycle_id", "=", cycle.id), *payments._may_have_paid()]
        alive = payments._read_group(may_have_paid, ["entitlement_id"])
        taken = {entitlement.id for (entitlement,) in alive}
        return approved.filtered(lambda entitlement: entitlement.id not in taken)

    def _approved(self, cycle, entitlements):
        """Domain: the approved entitlements of the cycle, of these alone unless they are None."""
        these = [] if entitlements is None else [("id", "in", entitlements.ids)]
        return [("cycle_id", "=", cycle.id), ("state", "=", "approved"), *these]

    def _why_nothing_payable(self, cycle, entitlements):
        if self.env["g2p.entitlement"].search_count(self._approved(cycle, entitlements), limit=1):
            return _("There is nothing to prepare: every approved entitlement has its payment already.")
        return _("There is nothing to prepare: no entitlement is approved. Approve the entitlements first.")

    def _prepare_payments_async(self, cycle, entitlements, entitlements_count):
        """Pressed twice it is still one job; for other entitlements of the cycle it is another, which must
        not be taken for the first."""
        self.with_delay(
            identity_key=identity_exact,
            description=_(
                "Prepare %(count)s payments of %(cycle)s", count=entitlements_count, cycle=cycle.name
            ),
        )._prepare_job(cycle, entitlements)

    def _prepare_job(self, cycle, entitlements):
        """What came of it stands in the cycle's history: whoever pressed the button has gone on."""
        try:
            self._lock(cycle)
        except UserError as error:
            raise RetryableJobError(str(error), seconds=10, ignore_retry=True) from error
        payable = self._payable(cycle, entitlements)
        self._earlier_batches(payable)._lock_in_job()
        # As superuser, because Odoo lets nobody without an e-mail address post.
        cycle.sudo().message_post(body=self._prepare_or_say_why_not(cycle, payable))

    def _prepare_or_say_why_not(self, cycle, payable):
        try:
            with self.env.cr.savepoint():
                _payments, batches = self._prepare_payments(cycle, payable)
            return self._prepared_sentence(batches)
        except (OperationalError, RetryableJobError):
            raise  # another transaction was in the way: queue_job comes back
        except UserError as error:
            return _("No payments were prepared. %s", error)
        except Exception as error:  # pylint: disable=broad-except  # or nobody would learn of it
            _logger.exception("cycle %s: preparing ended in an error", cycle.id)
            return _(
                "No payments were prepared, because of an error of this server: %s", type(error).__name__
            )

    def _prepare_payments(self, cycle, entitlements):
        """(payments, batches) for entitlements that are payable; both empty when there are none.

        Whoever comes second is refused by the lock, retried by Odoo with a fresh view of the database, and
        then finds nothing left to pay; and were there no lock, PostgreSQL's unique index refuses. The lock on
        the batches of failed payments does the same with who writes down just now that they were paid after
        all.
        """
        self.ensure_one()
        self._check_program(cycle)
        no_payments, no_batches = self.env["g2p.payment"], self.env["g2p.payment.batch"]
        self._lock(cycle)
        self._earlier_batches(entitlements)._lock()
        entitlements &= self._payable(cycle, entitlements)
        if not entitlements:
            return no_payments, no_batches
        values = self._payment_values(cycle, entitlements)
        instructions = {value["name"]: self._instruction(value, cycle) for value in values}
        groups = self.gateway_id._split(instructions.values(), self._payer(), self.batch_size)
        batches = self._create_batches(cycle, len(groups))
        batch_of = {
            one.reference: batch.id for batch, group in zip(batches, groups, strict=True) for one in group
        }
        for value in values:
            value["batch_id"] = batch_of[value["name"]]
        # Payments of a gateway can only be made here: see payment_guard.py.
        payments = no_payments.sudo().create(values).sudo(False)
        batches._take_payments(payments)
        payments.sudo()._note_reissues()
        batches._request_approval()
        return payments, batches

    def _lock(self, cycle):
        """Serialises preparing of a cycle. The empty update makes a transaction that began before ours ended
        fail as a serialization conflict, which Odoo repeats, instead of working on an old view."""
        try:
            self.env.cr.execute("SELECT id FROM g2p_cycle WHERE id = %s FOR UPDATE NOWAIT", [cycle.id])
        except LockNotAvailable as error:
            raise UserError(
                _("Somebody else is preparing payments of this cycle right now. Try again in a minute.")
            ) from error
        self.env.cr.execute("UPDATE g2p_cycle SET id = id WHERE id = %s", [cycle.id])

    def _earlier_batches(self, entitlements):
        """The batches with payments of these entitlements, whoever may see them."""
        earlier = [("entitlement_id", "in", entitlements.ids), ("gateway_id", "!=", False)]
        payments = self.env["g2p.payment"].sudo()
        batches = payments._read_group([*earlier, ("batch_id", "!=", False)], ["batch_id"])
        return self.env["g2p.payment.batch"].sudo().concat(*(batch for (batch,) in batches))

    def _payment_values(self, cycle, entitlements):
        payees = self._payee_values(entitlements.partner_id)
        earlier = self._earlier(entitlements)
        currency = self.currency_id
        return [
            {
                "name": name,
                "entitlement_id": entitlement.id,
                "partner_id": entitlement.partner_id.id,
                "reissue_of_id": earlier[entitlement.id][1],
                "cycle_id": cycle.id,
                "gateway_id": self.gateway_id.id,
                "company_id": self.gateway_id.company_id.id,
                **payees[entitlement.partner_id.id],
                "amount_issued": entitlement.initial_amount,
                "payment_fee": entitlement.transfer_fee,
                "payment_currency_id": currency.id,
                "state": "issued",
            }
            for entitlement, name in zip(entitlements, self._references(entitlements, earlier), strict=True)
        ]

    def _references(self, entitlements, earlier):
        """Name the next payment of each entitlement; `earlier`: see `_earlier`.

        Entitlements from before references had a check character keep the former kind, so that after the
        restoring of a backup from before the upgrade a payment that was sent has the name that the payment
        system knows.
        """
        root = self.gateway_id._reference_key()
        last_former = int(self.env["ir.config_parameter"].sudo().get_param(LAST_FORMER, 0))
        return [
            (former_reference if entitlement.id <= last_former else derived_reference)(
                # The id alone would name somebody else, once a restored backup has given it out again.
                *(root, "payment", entitlement.id, entitlement.code, earlier[entitlement.id][0])
            )
            for entitlement in entitlements
        ]

    def _earlier(self, entitlements):
        """Entitlement id to (how often it was prepared before, the last of these payments or False); payments
        of a gateway are never deleted, so the number only grows."""
        rows = (
            self.env["g2p.payment"]
            .sudo()
            ._read_group(
                [("entitlement_id", "in", entitlements.ids), ("gateway_id", "!=", False)],
                ["entitlement_id"],
                ["__count", "id:max"],
            )
        )
        none = dict.fromkeys(entitlements.ids, (0, False))
        return {**none, **{entitlement.id: (count, last) for entitlement, count, last in rows}}

    def _note(self, cycle):
        return plain_note(f"{self.program_id.name} {cycle.name}")

    def _instruction(self, value, cycle):
        currency = self.env["res.currency"].browse(value["payment_currency_id"])
        return Instruction(
            reference=value["name"],
            payee_identifier_type=value["payee_identifier_type"],
            payee_identifier=value["account_number"],
            amount=exact_amount(value["amount_issued"], currency),
            currency=currency.name or "",
            note=self._note(cycle),
            payee_dfsp=value["payee_bank"],
        )

    def _create_batches(self, cycle, count):
        values = {
            "cycle_id": cycle.id,
            "gateway_id": self.gateway_id.id,
            **self._payer_values(),
            "note": self._note(cycle),
            "batch_currency_id": self.currency_id.id,
            "company_id": self.gateway_id.company_id.id,
            "prepared_by_id": self.env.uid,
            "maker_ids": [fields.Command.set([self.env.uid])],
            "batch_state": "draft",
        }
        names = [self.env["ir.sequence"].next_by_code("g2p.payment.batch.hub") for _index in range(count)]
        batches = self.env["g2p.payment.batch"].sudo()
        return batches.create([{**values, "name": name} for name in names]).sudo(False)

    def _prepared_sentence(self, batches):
        if not batches:
            return _("There is nothing to prepare: every approved entitlement has its payment already.")
        drafts = batches._drafts()
        sentence = _(
            "Payments prepared: %(payments)s, in batches: %(batches)s.",
            payments=sum(batches.mapped("payment_count")),
            batches=len(batches),
        )
        next_step = (
            _("Batches with problems: %s. Open them, mend the problems and request approval.", len(drafts))
            if drafts
            else _("A finance validator can approve them now.")
        )
        return f"{sentence} {next_step}"
