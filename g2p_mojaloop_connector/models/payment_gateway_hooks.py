from datetime import timedelta

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from odoo.addons.g2p_payment_hub.client.errors import GatewayError
from odoo.addons.g2p_payment_hub.client.instructions import Payer
from odoo.addons.g2p_payment_hub.client.outcomes import Outcome, OutcomeStatus, Receipt
from odoo.addons.queue_job.exception import RetryableJobError

from ..client import answers, grammar, orders, paying
from ..client.bulk import NO_BULK
from ..client.connector import KNOWS_TOO_MUCH, NO_REMOVAL
from ..client.grammar import Problem
from ..client.offers import NO_IDS
from ..client.parties import Party
from .mojaloop_transfer import attempt_ids
from .payment_gateway import MOJALOOP

# Payments reach their results within seconds; whoever asks for outcomes may begin soon.
POLL_AFTER = 10
# The look before sending takes so long at a time, well below a worker's time limit, and goes on from there.
ASK_SECONDS = 30
# What the scheme did not know counts so long.
UNKNOWN_FOR = timedelta(days=1)


class PaymentGateway(models.Model):
    """The hooks of a gateway, for Mojaloop's connector."""

    _inherit = "g2p.payment.gateway"

    def _mojaloop_payer(self, payer):
        """The program's own payer, or else the gateway's."""
        if payer.identifier:
            id_type, sub_id = grammar.split_type(payer.identifier_type)
            identifier = payer.identifier
        else:
            id_type, sub_id = self.mojaloop_payer_type or "", self.mojaloop_payer_sub_id or ""
            identifier = self.mojaloop_payer_identifier or ""
        return Party(
            id_type=id_type,
            id_value=grammar.normalised_identifier(id_type, identifier),
            id_sub_value=sub_id,
            display_name=grammar.display_name(self.mojaloop_payer_name or ""),
        )

    def _mojaloop_terms(self, payer):
        fee_limit, fee_limit_percent = self._mojaloop_fee_limits()
        return orders.Terms(
            dfsp_id=self.mojaloop_dfsp_id or "",
            payer=self._mojaloop_payer(payer),
            scenario=self.mojaloop_scenario or "",
            initiator_type=self.mojaloop_initiator_type or "",
            amount_type="RECEIVE",
            fee_limit=fee_limit,
            fee_limit_percent=fee_limit_percent,
            flow=self.mojaloop_flow,
        )

    def _mojaloop_terms_of_gateway(self):
        """For questions that no batch asks."""
        return self._mojaloop_terms(Payer())

    def _check_can_verify(self):
        """UserError unless payees can be looked up through this gateway now."""
        if self.provider != MOJALOOP:
            raise UserError(_("Only gateways of a Mojaloop connector can verify payees."))
        problems = self._check_ready()
        if problems:
            raise UserError(" ".join(problems))

    # Before approval

    def _check_instructions(self, instructions, payer):
        if self.provider != MOJALOOP:
            return super()._check_instructions(instructions, payer)
        sentences = self._mojaloop_problem_sentences()
        found = {}
        for one in instructions:
            problems = grammar.problems(grammar.normalised(one)[0])
            if problems:
                found[one.reference] = [sentences[problem] for problem in problems]
        return found

    def _adjustments(self, instructions):
        if self.provider != MOJALOOP:
            return super()._adjustments(instructions)
        labels = {
            "payee_identifier": _("Payee"),
            "note": _("Note"),
            "payee_dfsp": _("Payee's institution"),
        }
        found = {}
        for instruction in instructions:
            for change in grammar.normalised(instruction)[1]:
                sentence = _("%(what)s: travels as %(after)s", what=labels[change.field], after=change.after)
                found.setdefault(instruction.reference, []).append(sentence)
        return found

    @api.model
    def _mojaloop_problem_sentences(self):
        return {
            Problem.NO_PAYEE: _("The beneficiary has no payee identifier. Complete the registrant."),
            Problem.PAYEE_TYPE: _(
                "Mojaloop does not know this type of payee identifier. Correct the payment manager: MSISDN, "
                "ACCOUNT_ID, IBAN, ALIAS, EMAIL, BUSINESS, DEVICE, or for example PERSONAL_ID/PASSPORT."
            ),
            Problem.PAYEE_CHARACTERS: _(
                "The payee identifier has characters that Mojaloop cannot carry. Correct the registrant."
            ),
            Problem.PAYEE_TOO_LONG: _(
                "The payee identifier is longer than 128 characters. Correct the registrant."
            ),
            Problem.MSISDN: _(
                "The phone number is not one with its country's code, 7 to 15 digits. Correct the registrant."
            ),
            Problem.EMAIL: _("The e-mail address is not one. Correct the registrant."),
            Problem.IBAN: _("The IBAN is not valid. Correct the registrant's bank account."),
            Problem.AMOUNT_NOT_POSITIVE: _("The amount is not positive. Correct the entitlement."),
            Problem.AMOUNT_DECIMALS: _(
                "The amount has more decimals than its currency. Correct the entitlement."
            ),
            Problem.AMOUNT_TOO_LARGE: _("The amount is too large for Mojaloop. Correct the entitlement."),
            Problem.NO_CURRENCY: _(
                "There is no currency. Give the program a journal with a currency, cancel this batch and "
                "prepare again."
            ),
            Problem.NOTE_TOO_LONG: _("The note is longer than 128 characters."),
            Problem.NOTE_CHARACTERS: _("The note has characters that Mojaloop cannot carry."),
            Problem.DFSP: _(
                "The payee's bank has a BIC that is no name of an institution. Correct the bank, or do not "
                "name banks."
            ),
        }

    def _check_payer(self, payer):
        problems = super()._check_payer(payer)
        if self.provider != MOJALOOP:
            return problems
        party = self._mojaloop_payer(payer)
        if not party.id_value:
            problems.append(
                _("There is no payer. Give the payment manager or the gateway one, then read again.")
            )
        elif grammar.identifier_problems(party.id_type, party.id_value, party.id_sub_value):
            problems.append(
                _(
                    "Mojaloop cannot carry this payer. Correct its type or identifier on the payment manager "
                    "or the gateway, then read again."
                )
            )
        return problems

    def _render(self, instructions, payer):
        if self.provider != MOJALOOP:
            return super()._render(instructions, payer)
        return orders.render(instructions, self._mojaloop_terms(payer))

    # Sending, and what came of it

    def _submit(self, submission):
        """Nothing leaves here: once the connector answers, and can pay in bulk where that was approved, the
        batch is taken over by the paying job, whose transfers are written in the transaction that accepts the
        submission."""
        if self.provider != MOJALOOP:
            return super()._submit(submission)
        terms, _orders = orders.parse(submission._frozen_content())
        with self._or_not_sent(self._mojaloop_connector, terms) as connector:
            connector.reach()
            if terms.flow == orders.BULK:
                connector.bulk().check()
        return Receipt(reference=submission.key, poll_after=POLL_AFTER)

    def _find_submission(self, submission, references=None):
        """A worker that died before the transfers were written has told the connector nothing, and every
        transfer begins with the question whether the scheme knows it. So a batch of unknown outcome is taken
        over as it is. Payments given up are asked for by the ids that they would have had."""
        if self.provider != MOJALOOP:
            return super()._find_submission(submission, references)
        if references:
            known = self._mojaloop_known(submission.batch_id, references)
            return Receipt(reference=known) if known else None
        if submission.state == "unknown" or submission.sudo().transfer_ids:
            return Receipt(reference=submission.key, poll_after=POLL_AFTER)
        return None

    def _outcomes_of(self, submission, receipt, references):
        """The scheme knows one of them by an id of ours, and nothing more is asked: a person has to."""
        if self.provider != MOJALOOP:
            yield from super()._outcomes_of(submission, receipt, references)
            return
        yield [
            _suspect(name, receipt.reference) for name in references if receipt.reference in attempt_ids(name)
        ]

    def _mojaloop_known(self, batch, references):
        """The first of the transfer ids of these payments that the scheme knows, and about which people have
        not decided: what they have decided about one says nothing of the others.

        Of how many it may be asked in one run depends on the gateway's pace. So what it does not know is
        written down, and a later run asks for the others. A payment that was given up is sent by nobody, and
        what had left before a backup was restored reaches the scheme within minutes."""
        payments = self._mojaloop_not_asked(references)
        ids = [attempt_ids(payment.name) for payment in payments]
        found = self._mojaloop_first(paying.is_known, batch, payments, ids, _in_doubt)
        return found and found[1]

    def _mojaloop_first(self, asks, batch, payments, ids, counts=list, alone=False):
        """(payment, transfer id) of the first of `payments` of which `asks(connector, its ids)` gives one
        that `counts`; None when there is none. Those of which it gives False are not asked for again soon."""
        self._mojaloop_claim_step()
        with self._mojaloop_workers(self._mojaloop_terms_of_gateway()) as workers:
            said = workers.run(asks, ids, ASK_SECONDS, paying.not_asked, alone)
        answers = list(zip(payments, said, strict=True))
        no = payments.browse(one.id for one, answer in answers if answer is False)
        if no:
            batch._write_down(lambda batch: no.with_env(batch.env)._mojaloop_unknown())
        known = {payment: answer for payment, answer in answers if isinstance(answer, str)}
        for payment in counts(known):
            return payment, known[payment]
        errors = [error for error in said if isinstance(error, GatewayError)]
        if errors:
            raise errors[0]
        if None in said:
            raise RetryableJobError("There are more payments to ask for.", seconds=1, ignore_retry=True)
        return None

    def _mojaloop_not_asked(self, references):
        """Those of which the scheme has not said lately that it does not know them."""
        now = fields.Datetime.now()
        return (
            self.env["g2p.payment"]
            .sudo()
            .search(
                [
                    ("name", "in", references),
                    ("gateway_id", "=", self.id),
                    "|",
                    ("mojaloop_unknown_at", "=", False),
                    "|",
                    ("mojaloop_unknown_at", "<", now - UNKNOWN_FOR),
                    ("mojaloop_unknown_at", ">", now),  # the clock was set back since
                ],
                order="id",
            )
        )

    def _mojaloop_may_pay(self, batch, transfers):
        """(payment, transfer id) of the first of these transfers of ours that the scheme has carried out, or
        still may, under this id or one after it; None when there is none."""
        problems = self._check_settings()  # a gateway that sends nothing any more is asked all the same
        if problems:
            raise UserError(" ".join(problems))
        payments = self._mojaloop_not_asked(transfers.payment_id.mapped("name"))
        open_ones = transfers.filtered(lambda one: one.payment_id in payments)
        ids = [attempt_ids(one.payment_id.name, one.attempt) for one in open_ones]
        owners = payments.browse(one.payment_id.id for one in open_ones)
        return self._mojaloop_first(paying.may_pay, batch, owners, ids, alone=True)

    def _outcomes(self, submission, references):
        """What the paying job has learnt; it asks the scheme by itself."""
        if self.provider != MOJALOOP:
            yield from super()._outcomes(submission, references)
            return
        transfers = self.env["g2p.mojaloop.transfer"].sudo().search([("submission_id", "=", submission.id)])
        yield transfers._outcomes(references)

    @api.model
    def _explain(self, error):
        sentences = {
            NO_BULK: _(
                "This version of the connector cannot pay in bulk (npm's 18.0.2 cannot). Use a newer one, or "
                "choose another payment flow on the gateway and have the batch approved on it."
            ),
            NO_REMOVAL: _(
                "This version of the connector cannot remove identifiers (npm's 18.0.2 cannot). Have the "
                "scheme's operator remove them, or use a newer one."
            ),
            answers.WRONG_VERSION: _(
                "The hub refuses the questions of the connector for transfers (406), so that nobody could "
                "say what became of a payment, and none is begun. Have RESOURCE_VERSIONS of the connector "
                "set to versions that the hub has, for example transfers=1.1,quotes=1.1, and start it anew."
            ),
            answers.OLD_STEPS: _(
                "The hub refuses the single steps of the connector (406): they speak version 1.0, whatever "
                "its settings say, and the hub has only newer ones. Ask the scheme's operator for a hub that "
                "speaks FSPIOP 1.x as well."
            ),
            KNOWS_TOO_MUCH: _(
                "The connector says that it knows a transfer that does not exist. Do not pay through it; "
                "show this to whoever keeps it."
            ),
            NO_IDS: _(
                "In two phases this version of the connector takes no transfer ids of ours, so that nobody "
                "could ask for a payment that was forgotten here. Choose Step by Step on the gateway, and "
                "have the batch approved on it."
            ),
        }
        return sentences.get(error.detail) or super()._explain(error)

    def _asks_again(self):
        return super()._asks_again() or self.env["g2p.mojaloop.transfer"]._are_asked_again(self)

    def _waits_for_answers(self):
        """Another system would say of a transfer under way that it does not know it."""
        unsettled = [
            ("gateway_id", "in", self.ids),
            ("state", "not in", ("failed", "committed")),
            ("decided", "=", False),
        ]
        return super()._waits_for_answers() or bool(
            self.env["g2p.mojaloop.transfer"].sudo().search_count(unsettled, limit=1)
        )


def _suspect(reference, transfer_id):
    return Outcome(reference=reference, status=OutcomeStatus.SUSPECT, remote_reference=transfer_id)


def _in_doubt(known):
    """Return those of these payments, each with the id that the scheme knows, that are for people."""
    told = {payment.name: [_suspect(payment.name, transfer_id)] for payment, transfer_id in known.items()}
    payments = [payment.id for payment in known]
    return next(iter(known)).browse(payments)._in_doubt(told) if known else []
