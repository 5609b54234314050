from odoo import api, fields, models

# Country: length of the bank's part and of the account's part, and whether the bank's part has letters.
# Only countries whose IBAN is these two parts and nothing else.
IBAN_COUNTRIES = {
    "AT": (5, 11, False),
    "DE": (8, 10, False),
    "GE": (2, 16, True),
    "NL": (4, 10, True),
    "PK": (4, 16, True),
    "SA": (2, 18, False),
}


class InvalidIBAN(ValueError):
    """No IBAN can be made of these parts."""


def generate_iban(country, bank, account):
    if country not in IBAN_COUNTRIES:
        raise InvalidIBAN(f"{country} has no IBAN")
    bank_length, account_length, letters = IBAN_COUNTRIES[country]
    bank, account = (bank or "").upper(), account.replace(" ", "").upper()
    well_formed = (bank.isalpha() or bank.isdigit()) if letters else bank.isdigit()
    if len(bank) != bank_length or not well_formed or not account.isalnum() or len(account) > account_length:
        raise InvalidIBAN(f"not a bank and an account of {country}")
    bban = bank + account.zfill(account_length)
    digits = "".join(str(int(char, 36)) for char in f"{bban}{country}00")
    return f"{country}{98 - int(digits) % 97:02d}{bban}"


class ResPartnerBank(models.Model):
    _inherit = "res.partner.bank"

    iban = fields.Char(compute="_compute_account_number", string="IBAN")

    @api.depends("acc_number", "bank_id")
    def _compute_account_number(self):
        """Raises for a country without IBAN: whoever reads the field has to be ready for it."""
        for account in self:
            account.iban = ""
            country = account.bank_id.country
            if country and account.acc_number:
                account.iban = generate_iban(country.code, account.bank_id.bic, account.acc_number)
