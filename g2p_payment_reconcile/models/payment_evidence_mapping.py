import base64
import binascii

from markupsafe import Markup

from odoo import _, api, fields, models
from odoo.exceptions import ValidationError

from ..evidence import csv_file
from ..evidence.lines import EvidenceError

_SHOWN = 10  # lines of the sample
_SAMPLE_BYTES = 1_000_000
_COLUMNS = {
    "reference": "reference_column",
    "remote_reference": "remote_reference_column",
    "payee": "payee_column",
    "payee_name": "payee_name_column",
    "amount": "amount_column",
    "currency": "currency_column",
    "status": "status_column",
    "date": "date_column",
    "reason_code": "reason_code_column",
    "reason": "reason_column",
}
_WORDS = ("paid_words", "failed_words", "returned_words", "waiting_words")
_FORM = ("encoding", "delimiter", "skip_lines", "decimal_sign", "thousands_sign", "date_format")
_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_THOUSANDS = {"none": "", "comma": ",", "point": ".", "space": " ", "apostrophe": "'"}


class PaymentEvidenceMapping(models.Model):
    """How a gateway's CSV statements or result files are read."""

    _name = "g2p.payment.evidence.mapping"
    _description = "CSV Mapping of Payment Evidence"
    _inherit = ["mail.thread"]
    _order = "gateway_id, name"

    name = fields.Char(required=True, help="For example: Statement of the Bank of Test.")
    gateway_id = fields.Many2one(
        "g2p.payment.gateway",
        required=True,
        ondelete="cascade",
        index=True,
        help="The gateway whose payments these files are about.",
    )
    company_id = fields.Many2one("res.company", related="gateway_id.company_id", store=True)
    active = fields.Boolean(default=True)
    encoding = fields.Selection(
        [
            ("utf-8-sig", "UTF-8"),
            ("cp1252", "Windows, Western (CP1252)"),
            ("iso8859-15", "ISO 8859-15"),
            ("utf-16", "UTF-16"),
        ],
        required=True,
        default="utf-8-sig",
        help="If letters with accents look wrong, try another.",
    )
    delimiter = fields.Selection(
        [("comma", "Comma"), ("semicolon", "Semicolon"), ("tab", "Tab"), ("pipe", "Vertical Bar")],
        required=True,
        default="comma",
        help="What stands between the columns.",
    )
    skip_lines = fields.Integer(
        "Lines before the Header", help="How many lines come before the one with the names of the columns."
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
            ("none", "None: 1234"),
            ("comma", "Comma: 1,234"),
            ("point", "Point: 1.234"),
            ("space", "Blank: 1 234"),
            ("apostrophe", "Apostrophe: 1'234"),
        ],
        required=True,
        default="none",
        tracking=True,
        help="What stands between the thousands. An amount written in another way is left to a person.",
    )
    date_format = fields.Selection(
        [
            ("%Y-%m-%d", "2026-12-31"),
            ("%d.%m.%Y", "31.12.2026"),
            ("%d/%m/%Y", "31/12/2026"),
            ("%m/%d/%Y", "12/31/2026"),
            ("%d-%m-%Y", "31-12-2026"),
            ("%Y%m%d", "20261231"),
            ("%Y-%m-%d %H:%M:%S", "2026-12-31 23:59:59"),
            ("%Y-%m-%dT%H:%M:%S", "2026-12-31T23:59:59"),
            ("%d/%m/%Y %H:%M:%S", "31/12/2026 23:59:59"),
        ],
        required=True,
        default="%Y-%m-%d",
        help="How dates are written.",
    )
    reference_column = fields.Char(
        "Our Reference", tracking=True, help="Name of the column with the reference that we gave the payment."
    )
    remote_reference_column = fields.Char(
        "Their Reference",
        help="Name of the column with the bank's or hub's own number of the transaction. With it, two "
        "bookings of the same payment are told from one that is shown twice.",
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
        help="Name of the column with the payee's account or phone number. Needed to match lines without our "
        "reference.",
    )
    payee_name_column = fields.Char(
        "Payee's Name", help="Shown to people only: names do not identify anybody."
    )
    amount_column = fields.Char("Amount", required=True, tracking=True, help="Name of the column.")
    currency_column = fields.Char(
        "Currency", help="Name of the column. Empty where all amounts are in one currency."
    )
    currency_id = fields.Many2one(
        "res.currency",
        "Always in",
        tracking=True,
        help="The currency of all amounts, or of those lines that name none.",
    )
    status_column = fields.Char(
        "Status",
        tracking=True,
        help="Name of the column that says what became of the payment. Empty for a statement in which the "
        "money that left the account is negative: then a negative amount is a payment.",
    )
    date_column = fields.Char("Date", help="Name of the column. Needed to match lines without our reference.")
    reason_code_column = fields.Char(
        "Reason Code", help="Name of the column with the code of a failure, as of ISO 20022 where it has one."
    )
    reason_column = fields.Char("Reason", help="Name of the column with the reason in words.")
    paid_words = fields.Char(
        "Paid",
        tracking=True,
        help="The words of the status column that mean paid, with commas between them. Small and capital "
        "letters are the same. A line with a word that stands nowhere here is left to a person.",
    )
    failed_words = fields.Char("Failed", tracking=True, help="The words that mean: nothing was paid.")
    returned_words = fields.Char(
        "Returned", tracking=True, help="The words that mean: it was paid, and the money came back."
    )
    waiting_words = fields.Char("Waiting", tracking=True, help="The words that mean: not decided yet.")
    sample = fields.Binary(
        store=False,
        exportable=False,
        help="A file to try the mapping on. It is not kept, and matches nothing.",
    )
    sample_result = fields.Html(store=False, readonly=True, sanitize=False)

    _sql_constraints = [
        ("name_unique", "unique(gateway_id, name)", "This gateway has a mapping of this name already."),
        (
            "skip_lines_in_range",
            "check(coalesce(skip_lines, 0) between 0 and 1000)",
            "The lines before the header are 0 to 1000.",
        ),
    ]

    @api.constrains("decimal_sign", "thousands_sign")
    def _check_signs(self):
        for mapping in self:
            if mapping.decimal_sign == _THOUSANDS[mapping.thousands_sign]:
                raise ValidationError(
                    _("The same sign cannot stand before the cents and between the thousands. Correct one.")
                )

    @api.constrains("status_column", *_WORDS)
    def _check_words(self):
        for mapping in self:
            read_as = mapping._csv_mapping()
            if len(read_as.words()) != sum(len(getattr(read_as, name)) for name in _WORDS):
                raise ValidationError(_("A word of the status cannot mean two things. Correct the words."))
            if mapping.status_column and not read_as.paid_words + read_as.failed_words:
                raise ValidationError(_("Say which words of the status mean paid, and which failed."))

    def _csv_mapping(self):
        """As the plain reader takes it."""
        return csv_file.CsvMapping(
            encoding=self.encoding,
            delimiter=_DELIMITERS[self.delimiter],
            skip_lines=self.skip_lines,
            decimal_sign=self.decimal_sign,
            thousands_sign=_THOUSANDS[self.thousands_sign],
            date_format=self.date_format,
            fixed_currency=self.currency_id.name or "",
            **{theirs: (self[ours] or "").strip() for theirs, ours in _COLUMNS.items()},
            **{
                name: tuple(filter(None, (word.strip() for word in (self[name] or "").split(","))))
                for name in _WORDS
            },
        )

    @api.onchange("sample", "currency_id", *_FORM, *_COLUMNS.values(), *_WORDS)
    def _onchange_sample(self):
        for mapping in self:
            mapping.sample_result = mapping.sample and mapping._try(mapping.sample)

    def _try(self, sample):
        """What the first lines of a sample would be read as."""
        try:
            content = base64.b64decode(sample)
        except (binascii.Error, ValueError):
            return Markup("<p>%s</p>") % _("Choose the file again.")
        if len(content) > _SAMPLE_BYTES:
            return Markup("<p>%s</p>") % _("This is too large to try. Take a file of at most 1 MB.")
        if not self.amount_column:
            return Markup("<p>%s</p>") % _("Name the column of the amount first.")
        evidence = self.env["g2p.payment.evidence"]
        try:
            lines = csv_file.read(content, self._csv_mapping())
        except EvidenceError as error:
            return Markup('<p class="text-danger">%s</p>') % evidence._file_sentence(error)
        labels = dict(
            self.env["g2p.payment.evidence.line"]._fields["status"]._description_selection(self.env)
        )
        rows = [
            (
                line.number,
                labels.get(line.status and line.status.value) or evidence._line_sentence(line),
                line.reference,
                line.payee or line.payee_name,
                "" if line.amount is None else f"{line.amount} {line.currency}",
                line.happened_on or "",
                line.reason_code or line.reason,
            )
            for line in lines[:_SHOWN]
        ]
        head = (_("Line"), _("Read as"), _("Reference"), _("Payee"), _("Amount"), _("Date"), _("Reason"))
        return _table(head, rows)


def _table(head, rows):
    cells = Markup("").join(Markup('<th scope="col">%s</th>') % name for name in head)
    body = Markup("").join(
        Markup("<tr>%s</tr>") % Markup("").join(Markup("<td>%s</td>") % cell for cell in row) for row in rows
    )
    return Markup('<table class="table table-sm"><thead><tr>%s</tr></thead><tbody>%s</tbody></table>') % (
        cells,
        body,
    )
