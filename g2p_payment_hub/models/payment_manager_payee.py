import logging

from odoo import fields, models

from .payment_manager import MODEL

_logger = logging.getLogger(__name__)


class PaymentHubManager(models.Model):
    """By what the payment system finds the payees; one query for all of them."""

    _inherit = MODEL

    def _payee_values(self, partners):
        """Partner id to the columns of a payment that say whom to pay, for each of the partners."""
        identifiers = self._payee_identifiers(partners)
        banks = self._payee_banks(partners) if self.send_payee_bank else {}
        return {
            partner.id: {
                "account_number": identifiers.get(partner.id, ""),
                "payee_identifier_type": self.payee_identifier_type,
                "payee_bank": banks.get(partner.id, ""),
            }
            for partner in partners
        }

    def _payee_banks(self, partners):
        if self.payee_field not in ("bank_account", "iban"):
            return {}
        return {
            account.partner_id.id: (account.bank_id.bic or "").strip()
            for account in self._accounts_last_to_first(partners)
        }

    def _payee_identifiers(self, partners):
        """Partner id to the identifier by which the payment system finds the payee; no entry when none."""
        return getattr(self, f"_payees_by_{self.payee_field}")(partners)

    def _payees_by_phone(self, partners):
        phones = self.env["g2p.phone.number"].search(
            [("partner_id", "in", partners.ids), ("disabled", "=", False)], order="id"
        )
        return {
            phone.partner_id.id: "".join(filter(str.isdigit, phone.phone_sanitized or phone.phone_no))
            for phone in phones
        }

    def _payees_by_bank_account(self, partners):
        return {
            account.partner_id.id: account.sanitized_acc_number or ""
            for account in self._accounts_last_to_first(partners)
        }

    def _payees_by_iban(self, partners):
        return {account.partner_id.id: _iban(account) for account in self._accounts_last_to_first(partners)}

    def _accounts_last_to_first(self, partners):
        accounts = self.env["res.partner.bank"].search([("partner_id", "in", partners.ids)])
        return reversed(accounts.sorted(lambda account: (account.sequence, account.id)))

    def _payees_by_email(self, partners):
        return {partner.id: partner.email.strip() for partner in partners if partner.email}

    def _payees_by_reg_id(self, partners):
        today = fields.Date.context_today(self)
        ids = self.env["g2p.reg.id"].search(
            [
                ("partner_id", "in", partners.ids),
                ("id_type", "=", self.payee_id_type_id.id),
                ("status", "!=", "invalid"),
                "|",
                ("expiry_date", "=", False),
                ("expiry_date", ">=", today),
            ]
        )
        return {one.partner_id.id: (one.value or "").strip() for one in ids}


def _iban(account):
    """OpenG2P computes it, and raises for countries without IBAN and for numbers of another length."""
    try:
        return account.iban or ""
    except Exception:  # pylint: disable=broad-except  # schwifty has no common base among its errors here
        _logger.info("bank account %s has no valid IBAN", account.id)
        return ""
