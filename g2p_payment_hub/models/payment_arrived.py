"""Find what is at the payment system although we gave it up: an answer was no, or none was seen."""

from collections import defaultdict
from typing import NamedTuple

from odoo import _, api, models

from ..client.errors import GatewayError, NotSent, Reason
from ..client.outcomes import FoundTwice, OutcomeStatus
from .payment_task import FIND, listed


class Arrived(NamedTuple):
    """Hold what the payment system of `gateway` shows under `reference`, its own name.

    `told` maps the references of payments that may have been paid to the outcomes of each; `unseen` are those
    of which it does not show yet what became of them. `submission_id` is the attempt, where one is known.
    """

    gateway_id: int
    reference: str
    told: dict
    unseen: list
    submission_id: int = False


class Payment(models.Model):
    _inherit = "g2p.payment"

    def _in_doubt(self, told):
        """Hook: filter those of these payments that may have been paid by what is `told` of them, reference
        to outcomes, and about which people have not decided in view of it."""
        return self.filtered(
            lambda payment: any(
                outcome.status is not OutcomeStatus.FAILED for outcome in told.get(payment.name, ())
            )
        )

    @api.model
    def _raise_arrived(self, arrived):
        """Hook: put each payment before a person; return the batches whose people see to it."""
        payments = self.sudo().search(
            [("name", "in", list(arrived.told)), ("gateway_id", "=", arrived.gateway_id)]
        )
        payments.write({"attention": _("The payment system has it, as %s.", arrived.reference)})
        return payments._batches_of_origin()

    def _batches_of_origin(self):
        """Return the batches of these payments; of one that was set aside those in whose trail it stands."""
        return self.batch_id | self.filtered(lambda payment: not payment.batch_id).event_ids.batch_id

    def _with_companions(self, reference):
        """Return these payments, and all others that stand or stood in their batches, which left together;
        without those that the payment system has accepted under this very `reference`."""
        batches = self._batches_of_origin()
        stood = self.search([("event_ids.batch_id", "in", batches.ids), ("batch_id", "=", False)])
        accepted = batches.filtered(lambda batch: batch._accepted_submission().remote_reference == reference)
        return self | (batches.payment_ids | stood) - accepted.payment_ids

    def _denied_that_arrived(self, gateway):
        """List what has arrived after all of attempts to send these payments, given up and now to be paid
        through `gateway`: attempts that two people declared missing, and those that another gateway's payment
        system refused, or something before it. NotSent while a payment system cannot tell."""
        through, arrived = gateway, []
        # One that was set aside stands in no batch any more, but in the audit trail of that which it left.
        batches = self.sudo().event_ids.batch_id
        for attempt in batches.submission_ids.filtered(
            lambda one: one.state == "not_received" or (one.state == "refused" and one.gateway_id != through)
        ):
            gateway = attempt.gateway_id
            payments = self.filtered(lambda payment, gateway=gateway: payment.gateway_id == gateway)
            try:
                receipt = payments and gateway._ask_unless_gone(
                    gateway._find_submission, attempt, payments.mapped("name")
                )
                if receipt:
                    arrived.append(attempt._arrived(receipt, payments))
            except GatewayError as error:
                raise NotSent(error.reason, f"{gateway.name} {error.detail}") from error
        return arrived


class PaymentBatch(models.Model):
    _inherit = "g2p.payment.batch"

    def _find_at_payment_system(self):
        """Return (receipt, list of Arrived): an attempt at this very file that the payment system knows, or
        what else it has of these people's payments, so that nothing may be sent.

        A backup was restored, what was declared missing arrived after all, or something between us and the
        payment system said no after that had said yes. The attempt that is about to begin is one of them: a
        restored backup has forgotten that it began.
        """
        problems = self.gateway_id._check_ready()
        if problems:
            raise NotSent(Reason.NOT_READY, " ".join(problems))
        found, twice, arrived = None, False, []
        upcoming = self.env["g2p.payment.submission"]._upcoming(self)
        for submission in [*self.submission_ids.sorted("attempt"), upcoming]:
            receipts = submission._find_all()
            if receipts and submission.digest == self.frozen_digest and not receipts[1:]:
                found = found or receipts[0]
                continue
            # Its payees are paid, but they are not those of today's file; or it is there twice.
            arrived += [submission._arrived(receipt, self.payment_ids, whole=True) for receipt in receipts]
            twice = twice or (submission.digest == self.frozen_digest and receipts)
        if not found:
            arrived += self._given_up_that_arrived(upcoming)
        in_doubt = [one for one in arrived if one.told or one.unseen]
        if twice and not in_doubt:
            raise FoundTwice(twice)
        return (None if in_doubt else found), in_doubt

    def _given_up_that_arrived(self, submission):
        """List what payment systems have of earlier payments of the same entitlements, which were cancelled
        or set aside because they had not left."""
        given_up = (
            self.env["g2p.payment"]
            .sudo()
            .search(
                [
                    ("entitlement_id", "in", self.payment_ids.entitlement_id.ids),
                    ("gateway_id", "!=", False),
                    ("state", "=", "issued"),
                    ("status", "=", "failed"),
                ]
            )
        )
        arrived = []
        ours = given_up.filtered(lambda payment: payment.gateway_id == self.gateway_id)
        if ours:
            receipts = submission._find_all(ours.mapped("name"))
            arrived += [submission._arrived(receipt, ours) for receipt in receipts]
        return arrived + given_up._denied_that_arrived(self.gateway_id)

    def _why_not_beside(self, arrived):
        """Say what is at the payment system already, and who has to do what about it."""
        told = [name for one in arrived for name in one.told]
        unseen = [name for one in arrived for name in one.unseen]
        where = ", ".join(dict.fromkeys(one.reference for one in arrived))
        owners = self._owners_of(arrived)
        sentences = []
        if told:
            sentences.append(
                _(
                    "Nothing was sent: %(gateway)s has payments that were given up here, in %(where)s: "
                    "%(payments)s. They wait as exceptions for %(owners)s: find out which of them were paid, "
                    "decide each, and set aside whose payee has the money.",
                    gateway=self.gateway_id.name,
                    where=where,
                    payments=listed(told),
                    owners=owners,
                )
            )
        if unseen:
            sentences.append(
                _(
                    "Nothing was sent: %(gateway)s has an earlier attempt at these payments, as %(where)s, "
                    "and does not show yet what became of %(payments)s. Send again when it does, or have "
                    "%(owners)s ask its operator.",
                    gateway=self.gateway_id.name,
                    where=where,
                    payments=listed(unseen),
                    owners=owners,
                )
            )
        return " ".join(sentences)

    def _owners_of(self, arrived):
        names = [name for one in arrived for name in [*one.told, *one.unseen]]
        payments = self.env["g2p.payment"].sudo().search([("name", "in", names)])
        batches = payments._batches_of_origin() or self
        return listed(sorted({user.name for batch in batches for user in batch.sudo()._owners()}))

    def _note_arrived(self, arrived):
        """Put what is at the payment system before the people whose payments these are."""
        Payments = self.env["g2p.payment"]
        for one in arrived:
            for batch in Payments._raise_arrived(one) if one.told else self:
                batch._keep_called(
                    FIND,
                    batch._owners(),
                    _("Find out what was paid of %s", batch.name),
                    self._why_not_beside([one]),
                )


class PaymentSubmission(models.Model):
    _inherit = "g2p.payment.submission"

    def _find_all(self, references=None):
        """List the receipts of what the payment system has of it: none, one, or by mistake several."""
        try:
            receipt = self.gateway_id._find_submission(self, references)
        except FoundTwice as error:
            return list(error.receipts)
        return [receipt] if receipt else []

    def _arrived(self, receipt, payments, whole=False):
        """Return an Arrived: what the payment system says of these payments in what it calls `receipt`.

        `whole`: an attempt at all of them was found, so that what it does not show yet may still be paid.
        """
        payments = payments.sudo()
        companions = payments._with_companions(receipt.reference)
        told = defaultdict(list)
        for page in self.gateway_id._outcomes_of(self, receipt, companions.mapped("name")):
            for outcome in page:
                told[outcome.reference].append(outcome)
        doubtful = companions._in_doubt(told)
        mine = payments.filtered(lambda payment: payment.name not in told)
        unseen = mine.mapped("name") if whole or len(mine) == len(payments) else []
        return Arrived(
            gateway_id=self.gateway_id.id,
            reference=receipt.reference,
            told={payment.name: told[payment.name] for payment in doubtful},
            unseen=unseen,
            submission_id=self._origin.id,
        )
