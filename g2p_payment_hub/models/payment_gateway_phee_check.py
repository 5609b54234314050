from odoo import _, api, models

from ..client import batching, csv_file
from ..client.csv_file import Problem
from ..client.settings import rewrites_file
from .payment_gateway_phee import PHEE

_MAX_ROWS_BYTES = csv_file.MAX_BYTES - len(csv_file.DFSP_HEADER)


class PaymentGateway(models.Model):
    """Mifos Payment Hub EE: what it would reject, swallow or mangle is found before approval."""

    _inherit = "g2p.payment.gateway"

    def _split(self, instructions, payer, max_rows):
        if self.provider != PHEE:
            return super()._split(instructions, payer, max_rows)
        return batching.split(
            instructions,
            max_rows,
            _MAX_ROWS_BYTES,
            # A row that is too large for any batch has a problem of its own, which keeps it from travelling.
            size=lambda one: min(csv_file.row_bytes(one, payer, self.phee_payment_mode), _MAX_ROWS_BYTES),
            # Rows without a payee never travel: they are problems of their own, not look-alikes.
            look_alike=lambda one: csv_file.look_alike(one) if one.payee_identifier else one.reference,
        )

    def _check_instructions(self, instructions, payer):
        if self.provider != PHEE:
            return super()._check_instructions(instructions, payer)
        # Not from the client's settings: those need the secrets, and a server without its key checks as well.
        rewritten = rewrites_file(self.phee_format == "raw", self.phee_institution, self.phee_program)
        sentences = self._phee_problem_sentences()
        found = {}
        for one in instructions:
            problems = [sentences[problem] for problem in csv_file.problems(one, rewritten)]
            found[one.reference] = problems + self._phee_mode_problems(one)
        self._phee_batch_problems(instructions, payer, found)
        return {reference: problems for reference, problems in found.items() if problems}

    def _phee_mode_problems(self, instruction):
        phone_only = self.phee_payment_mode in ("mojaloop", "gsma")
        if phone_only and instruction.payee_identifier_type.upper() != "MSISDN":
            return [_("The hub's payment mode pays to phone numbers only. Choose the phone number as payee.")]
        return []

    def _phee_batch_problems(self, instructions, payer, found):
        """What one payment does to another of its batch; preparing avoids it, mending a payee may bring
        it."""
        seen, filled = set(), 0
        names_banks = csv_file.has_dfsp(instructions)
        for one in instructions:
            filled += csv_file.row_bytes(one, payer, self.phee_payment_mode)
            if filled > _MAX_ROWS_BYTES:
                found[one.reference].append(_("The batch is too large for the hub. Set this payment aside."))
            if one.payee_identifier and csv_file.look_alike(one) in seen:
                found[one.reference].append(
                    _(
                        "Another payment of this batch has the same payee and amount, and the hub would "
                        "pay only "
                        "one of them. Set this payment aside."
                    )
                )
            seen.add(csv_file.look_alike(one))
            if names_banks and not one.payee_dfsp:
                found[one.reference].append(
                    _("The payee's bank has no BIC, and the others' do. Complete the bank.")
                )
            if names_banks and self.phee_format == "raw":
                found[one.reference].append(
                    _("The hub takes no payee's bank in JSON. Choose CSV on the gateway, or name no banks.")
                )

    @api.model
    def _phee_problem_sentences(self):
        return {
            Problem.NO_PAYEE: _("The beneficiary has no payee identifier. Complete the registrant."),
            Problem.PAYEE_CHARACTERS: _(
                "The payee identifier is too long or has characters that the hub cannot carry. Correct the "
                "registrant."
            ),
            Problem.PAYEE_TYPE: _(
                "The type of the payee identifier is not valid. Correct the payment manager."
            ),
            Problem.AMOUNT_NOT_POSITIVE: _("The amount is not positive. Correct the entitlement."),
            Problem.AMOUNT_DECIMALS: _("The hub carries whole amounts only. Correct the entitlement."),
            Problem.AMOUNT_TOO_LARGE: _("The amount is too large for the hub. Correct the entitlement."),
            Problem.NO_CURRENCY: _(
                "There is no currency. Give the program a journal with a currency, cancel this batch and "
                "prepare again."
            ),
            Problem.REFERENCE: _("The payment's reference is not one that the hub can carry."),
            Problem.DFSP: _(
                "The payee's bank has characters that the hub cannot carry. Correct the bank's BIC."
            ),
            Problem.NOTE: _("The note has characters that the hub cannot carry."),
        }

    def _check_payer(self, payer):
        problems = super()._check_payer(payer)
        if self.provider != PHEE:
            return problems
        if not (self.phee_institution and self.phee_program) and not payer.identifier:
            problems.append(
                _("There is no payer. Give the payment manager a payer identifier, then read again.")
            )
        if not csv_file.payer_fits(payer):
            problems.append(
                _(
                    "The payer has characters that the hub cannot carry. Correct the payment manager, then "
                    "read again."
                )
            )
        return problems
