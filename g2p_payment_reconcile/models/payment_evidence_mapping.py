from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..evidence import csv_date, csv_file
from ..evidence.csv_mapping import WORDS, plain

_COLUMNS = {
    "reference": "reference_column",
    "remote_reference": "remote_reference_column",
    "payee": "payee_column",
    "payee_name": "payee_name_column",
    "amount": "amount_column",
    "debit": "debit_column",
    "credit": "credit_column",
    "currency": "currency_column",
    "status": "status_column",
    "direction": "direction_column",
    "kind": "kind_column",
    "date": "date_column",
    "reason_code": "reason_code_column",
    "reason": "reason_column",
}
_LISTS = (*WORDS, "out_words", "in_words", "kind_words", "doubtful_codes", "empty_words")
_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_THOUSANDS = {"none": "", "comma": ",", "indian": ",", "point": ".", "space": " ", "apostrophe": "'"}
_OTHER = "other"
# Odoo does not tell %y from %Y in the keys of a selection.
_SHORT_YEARS = {"day_month_short_year": "%d/%m/%y", "month_day_short_year": "%m/%d/%y"}


class PaymentEvidenceMapping(models.Model):
    """How a gateway's CSV statements or result files are read."""

    _name = "g2p.payment.evidence.mapping"
    _description = "CSV Mapping of Payment Evidence"
    _inherit = ["mail.thread"]
    _order = "gateway_id, name"

    name = fields.Char(required=True, help="For example: Statement of the Bank of Test.")
    gateway_id = fields.Many2one(
        "g2p.payment.gateway",
        ondelete="cascade",
        index=True,
        help="The gateway whose payments these files are about. Empty for a mapping that came with the "
        "add-on: all gateways can use it.",
    )
    company_id = fields.Many2one("res.company", related="gateway_id.company_id", store=True)
    active = fields.Boolean(default=True)
    note = fields.Text(help="What these files are, where they come from, and what to mind.")

    # The file

    encoding = fields.Selection(
        [
            ("utf-8-sig", "UTF-8"),
            ("cp1252", "Windows, Western (CP1252)"),
            ("cp1250", "Windows, Central European (CP1250)"),
            ("cp1251", "Windows, Cyrillic (CP1251)"),
            ("cp1256", "Windows, Arabic (CP1256)"),
            ("iso8859-15", "ISO 8859-15"),
            ("utf-16", "UTF-16"),
        ],
        required=True,
        default="utf-8-sig",
        help="If letters with accents look wrong, try another. A file that says itself that it is UTF-8 or "
        "UTF-16 (by a byte order mark) is read as that.",
    )
    delimiter = fields.Selection(
        [("comma", "Comma"), ("semicolon", "Semicolon"), ("tab", "Tab"), ("pipe", "Vertical Bar")],
        required=True,
        default="comma",
        help="What stands between the columns.",
    )
    header = fields.Selection(
        [
            ("first", "In the first line"),
            ("find", "In one of the first 50 lines"),
            ("none", "Nowhere: columns have numbers"),
        ],
        "Names of the Columns",
        required=True,
        default="first",
        tracking=True,
        help="Where the line with the names of the columns is. Choose one of the first 50 lines where other "
        "lines come before it, and not always as many. In a file without such a line columns are given by "
        "their number: 1 is the first.",
    )
    skip_lines = fields.Integer(
        "Lines to Leave Out", help="How many lines at the top of the file are not looked at."
    )
    column_count = fields.Integer(
        "Number of Columns",
        tracking=True,
        help="How many columns each line has. A line with more or fewer is left to a person. A comma at the "
        "end of the lines makes no column.",
    )
    json_cells = fields.Boolean(
        "JSON in a Cell",
        tracking=True,
        help="A cell has a JSON object as it is, with its commas and quotes. Then 9.errorCode names the "
        "member errorCode of the object in column 9.",
    )
    empty_words = fields.Char(
        "Words for Nothing",
        tracking=True,
        help="What stands in cells that are empty, with commas between the words: null, N/A, -",
    )
    decimal_sign = fields.Selection(
        [(".", "Point: 1234.50"), (",", "Comma: 1234,50")],
        required=True,
        default=".",
        tracking=True,
        help="What stands before the cents.",
    )
    thousands_sign = fields.Selection(
        [
            ("none", "None: 1234567"),
            ("comma", "Comma: 1,234,567"),
            ("indian", "Comma, Indian: 12,34,567"),
            ("point", "Point: 1.234.567"),
            ("space", "Blank: 1 234 567"),
            ("apostrophe", "Apostrophe: 1'234'567"),
        ],
        required=True,
        default="none",
        tracking=True,
        help="What stands between the thousands. An amount written in another way is left to a person. "
        "Currencies beside the amount, minus signs after it, and brackets for minus are understood.",
    )
    date_format = fields.Selection(
        [
            ("%Y-%m-%d", "2026-12-31"),
            ("%d.%m.%Y", "31.12.2026"),
            ("%d/%m/%Y", "31/12/2026"),
            ("%m/%d/%Y", "12/31/2026"),
            ("%d-%m-%Y", "31-12-2026"),
            ("%Y%m%d", "20261231"),
            ("day_month_short_year", "31/12/26"),
            ("month_day_short_year", "12/31/26"),
            ("%d-%b-%Y", "31-Dec-2026"),
            ("%Y-%m-%d %H:%M:%S", "2026-12-31 23:59:59"),
            ("%Y-%m-%dT%H:%M:%S", "2026-12-31T23:59:59"),
            ("%d/%m/%Y %H:%M:%S", "31/12/2026 23:59:59"),
            (_OTHER, "Another format"),
        ],
        required=True,
        default="%Y-%m-%d",
        tracking=True,
        help="How days are written. A time of day after the day is left out, with or without fractions and "
        "time zone.",
    )
    date_format_other = fields.Char(
        "Own Format",
        tracking=True,
        help="%d day, %m month, %b month's name in English (Dec), %Y year, %y year of two digits, %H:%M:%S "
        "time, %Z time zone. For example %d %b %Y reads 31 Dec 2026. Several formats with | between them: "
        "%Y-%m-%d | %d-%m-%Y. A day that two of them read as different days is left to a person.",
    )
    date_example = fields.Char("Reads", compute="_compute_date_example")

    # The columns

    reference_column = fields.Char(
        "Our Reference",
        tracking=True,
        help="The column with the reference that we gave the payment.",
    )
    uuid_is_theirs = fields.Boolean(
        "A UUID Is Theirs",
        tracking=True,
        help="One column has our reference, or theirs: a UUID in it is theirs, everything else ours.",
    )
    remote_reference_column = fields.Char(
        "Their Reference",
        help="The column with the bank's or hub's own number of the transaction. With it, two bookings of "
        "the same payment are told from one that is shown twice.",
    )
    same_references = fields.Boolean(
        "Numbers as Told",
        help="Their reference is the one that the payment system also tells when it is asked, as in a hub's "
        "result file. Then a payment that is known under another one was paid twice. Leave it off for banks, "
        "which have numbers of their own.",
    )
    payee_column = fields.Char(
        "Payee",
        tracking=True,
        help="The column with the payee's account or phone number. Needed to match lines without our "
        "reference.",
    )
    payee_separator = fields.Char(
        "Name after",
        tracking=True,
        help="What stands between number and name where the column of the payee has both: - for "
        "254700000001 - AMINA. A number with hidden digits (2547****001) is taken as a name.",
    )
    payee_name_column = fields.Char(
        "Payee's Name", help="Shown to people only: names do not identify anybody."
    )
    amount_column = fields.Char(
        "Amount", tracking=True, help="The column with the amount, whether it left or came in."
    )
    paid_sign = fields.Selection(
        [
            ("none", "No meaning: amounts have no sign"),
            ("negative", "Minus: the money left the account"),
            ("positive", "Minus: the money came in"),
        ],
        "Sign of the Amount",
        required=True,
        default="none",
        tracking=True,
        help="What a minus before the amount means. Without a meaning, a line with a minus is left to a "
        "person.",
    )
    debit_column = fields.Char(
        "Money Out",
        tracking=True,
        help="The column with amounts that left the account: Money Out, Withdrawn, Debit.",
    )
    debit_sign = fields.Selection(
        [("positive", "Without a minus: 100.00"), ("negative", "With a minus: -100.00")],
        "Money Out Is Written",
        required=True,
        default="positive",
        tracking=True,
        help="How amounts in the column of money out are written. One written in the other way is left to a "
        "person: it may have been taken back.",
    )
    credit_column = fields.Char(
        "Money In",
        tracking=True,
        help="The column with amounts that came in: Money In, Paid In, Credit. They are no payments of ours.",
    )
    currency_column = fields.Char("Currency", help="The column. Empty where all amounts are in one currency.")
    currency_id = fields.Many2one(
        "res.currency",
        "Always in",
        tracking=True,
        help="The currency of all amounts, or of those lines that name none.",
    )
    date_column = fields.Char("Date", help="The column. Needed to match lines without our reference.")
    reason_code_column = fields.Char(
        "Reason Code",
        help="The column with the code of a failure, as of ISO 20022 where it has one.",
    )
    reason_column = fields.Char("Reason", help="The column with the reason in words.")

    # What became of the payment

    direction_column = fields.Char(
        "Debit or Credit",
        tracking=True,
        help="The column with a word that says whether the money left or came in: D/C, DR/CR, S/H, Af/Bij.",
    )
    out_words = fields.Char(
        "Money Left",
        tracking=True,
        help="The words that say that money left the account, with commas between them: D, DR, Debit, S, Af. "
        "They may also stand beside the amount: 100.00 DR.",
    )
    in_words = fields.Char(
        "Money Came In", tracking=True, help="The words that say that money came in: C, CR, Credit, H, Bij."
    )
    kind_column = fields.Char(
        "Kind of Transaction",
        tracking=True,
        help="The column that tells payments from fees and other bookings. A line of a kind that stands "
        "nowhere here is left to a person.",
    )
    kind_words = fields.Char(
        "Kinds of Payments",
        tracking=True,
        help="The kinds that are payments to people, with commas between them.",
    )
    status_column = fields.Char(
        "Status",
        tracking=True,
        help="The column that says what became of the payment. Its word counts more than any sign: a line "
        "that says Failed is failed, also when its amount has a minus. Empty for a statement that shows "
        "only what was booked: then money that left the account is a payment.",
    )
    paid_words = fields.Char(
        "Paid",
        tracking=True,
        help="The words of the status column that mean paid, with commas between them. Small and capital "
        "letters are the same. A line with a word that stands nowhere here is left to a person. Money that "
        "came in is no payment, whatever the word.",
    )
    failed_words = fields.Char("Failed", tracking=True, help="The words that mean: nothing was paid.")
    returned_words = fields.Char(
        "Returned", tracking=True, help="The words that mean: it was paid, and the money came back."
    )
    waiting_words = fields.Char("Waiting", tracking=True, help="The words that mean: not decided yet.")
    other_words = fields.Char(
        "Not a Payment of Ours",
        tracking=True,
        help="The words that mean: this line is not about a payment of ours, for example a fee or an opening "
        "balance. They count in the columns Status, Debit or Credit, and Kind of Transaction, and more than "
        "everything else.",
    )
    paid_has_no_reason = fields.Boolean(
        tracking=True,
        help="A line that says paid and gives a reason of failure all the same is left to a person.",
    )
    doubtful_codes = fields.Char(
        tracking=True,
        help="Reason codes after which nobody knows whether the money moved, with commas between them: "
        "TimeOut. A line that says failed for one of them is left to a person.",
    )

    _sql_constraints = [
        ("name_unique", "unique(gateway_id, name)", "This gateway has a mapping of this name already."),
        (
            "skip_lines_in_range",
            "check(coalesce(skip_lines, 0) between 0 and 1000)",
            "The lines to leave out are 0 to 1000.",
        ),
        (
            "columns_without_names_are_counted",
            "check(header <> 'none' or coalesce(column_count, 0) between 1 and 500)",
            "Say how many columns the file has: 1 to 500. Without names they are found by their numbers.",
        ),
    ]

    @api.depends("date_format", "date_format_other")
    def _compute_date_example(self):
        for mapping in self:
            date_format = mapping._date_format()
            mapping.date_example = csv_date.is_usable(date_format) and csv_date.example(date_format)

    @api.constrains("decimal_sign", "thousands_sign")
    def _check_signs(self):
        for mapping in self:
            if mapping.decimal_sign == _THOUSANDS[mapping.thousands_sign]:
                raise ValidationError(
                    _("The same sign cannot stand before the cents and between the thousands. Correct one.")
                )

    @api.constrains("date_format", "date_format_other")
    def _check_date_format(self):
        for mapping in self:
            if not csv_date.is_usable(mapping._date_format()):
                raise ValidationError(
                    _(
                        "The date format %(format)s cannot be used. It needs a day (%%d), a month (%%m or "
                        "%%b) and a year (%%Y or %%y), each of them once. For example %%d.%%m.%%Y reads "
                        "31.12.2026.",
                        format=mapping.date_format_other or "",
                    )
                )

    @api.constrains("header", "column_count", "json_cells", *_COLUMNS.values())
    def _check_column_numbers(self):
        for mapping in self.filtered(lambda mapping: mapping.header == "none"):
            read_as = mapping._csv_mapping()
            wrong = [
                getattr(read_as, column)
                for column in _COLUMNS
                if getattr(read_as, column) and read_as.column_of(getattr(read_as, column)) is None
            ]
            if wrong:
                raise ValidationError(
                    _(
                        "This file has no names of columns: %(column)s has to be a number from 1 to "
                        "%(count)s.",
                        column=wrong[0],
                        count=mapping.column_count,
                    )
                )

    @api.constrains("status_column", "direction_column", "kind_column", *_LISTS)
    def _check_words(self):
        for mapping in self:
            read_as = mapping._csv_mapping()
            for names in ((*WORDS,), ("out_words", "in_words", "other_words"), ("kind_words", "other_words")):
                words = [plain(word) for name in names for word in getattr(read_as, name)]
                if len(words) != len(set(words)):
                    raise ValidationError(_("A word cannot mean two things. Correct the words."))
            if mapping.status_column and not read_as.paid_words + read_as.failed_words:
                raise ValidationError(_("Say which words of the status mean paid, and which failed."))
            if mapping.direction_column and not read_as.out_words:
                raise ValidationError(_("Say which words mean that the money left the account."))
            if mapping.kind_column and not read_as.kind_words:
                raise ValidationError(_("Say which kinds of transactions are payments."))

    @api.constrains(
        "amount_column", "debit_column", "status_column", "paid_sign", "direction_column", "out_words"
    )
    def _check_explained(self):
        for mapping in self:
            if not mapping.amount_column and not mapping.debit_column:
                raise ValidationError(_("Name the column of the amount, or the one of money out."))
            if not mapping.status_column and not mapping._csv_mapping().tells_direction():
                raise ValidationError(
                    _(
                        "Say how the file tells that a payment was made: by a column with its status, the "
                        "sign of the amount, a column of money out, or words as D and C."
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        mappings = super().create(vals_list)
        mappings._require_gateway()
        return mappings

    def write(self, values):
        if not self.env.su and not all(mapping.gateway_id for mapping in self):
            raise UserError(
                _(
                    "This mapping came with the add-on, and all gateways use it. Press Use for a Gateway to "
                    "get one that you can change."
                )
            )
        result = super().write(values)
        self._require_gateway()
        return result

    def _require_gateway(self):
        """Raise ValidationError for a mapping of no gateway: only the add-on brings such."""
        if not self.env.su and not all(mapping.gateway_id for mapping in self):
            raise ValidationError(_("Choose the gateway whose payments these files are about."))

    def action_use(self):
        """Open a copy that can be changed, still without a gateway."""
        self.ensure_one()
        values = self.copy_data()[0]
        return {
            "type": "ir.actions.act_window",
            "name": _("Mapping for a Gateway"),
            "res_model": self._name,
            "view_mode": "form",
            "context": {
                **{f"default_{name}": value for name, value in values.items() if name in self._fields},
                "default_name": self.name,
            },
        }

    def action_try(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": _("Try %s on a File", self.name),
            "res_model": "g2p.payment.evidence.mapping.try",
            "view_mode": "form",
            "target": "new",
            "context": {"default_mapping_id": self.id, "dialog_size": "extra-large"},
        }

    def _date_format(self):
        if self.date_format == _OTHER:
            return (self.date_format_other or "").strip()
        return _SHORT_YEARS.get(self.date_format, self.date_format or "")

    def _csv_mapping(self):
        """As the plain reader takes it."""
        return csv_file.CsvMapping(
            encoding=self.encoding,
            delimiter=_DELIMITERS[self.delimiter],
            skip_lines=self.skip_lines,
            find_header=self.header == "find",
            has_header=self.header != "none",
            column_count=self.column_count,
            json_cells=self.json_cells,
            decimal_sign=self.decimal_sign,
            thousands_sign=_THOUSANDS[self.thousands_sign],
            indian_groups=self.thousands_sign == "indian",
            date_format=self._date_format(),
            fixed_currency=self.currency_id.name or "",
            uuid_is_theirs=self.uuid_is_theirs,
            payee_separator=(self.payee_separator or "").strip(),
            paid_sign="" if self.paid_sign == "none" else self.paid_sign,
            debit_sign=self.debit_sign,
            paid_has_no_reason=self.paid_has_no_reason,
            **{theirs: (self[ours] or "").strip() for theirs, ours in _COLUMNS.items()},
            **{name: _split(self[name]) for name in _LISTS},
        )


def _split(words):
    return tuple(filter(None, (word.strip() for word in (words or "").split(","))))
