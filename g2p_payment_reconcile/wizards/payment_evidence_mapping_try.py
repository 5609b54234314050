import base64
import binascii
from collections import Counter

from markupsafe import Markup

from odoo import _, api, fields, models

from ..evidence import csv_file
from ..evidence.lines import EvidenceError
from ..models.payment_evidence_preview import html_table

_SHOWN = 10  # lines of the file
_PROBLEMS_SHOWN = 5  # below them
_MAX_BYTES = 10_000_000
_COLOURS = {"paid": "text-bg-success", "failed": "text-bg-warning", None: "text-bg-danger"}


class PaymentEvidenceMappingTry(models.TransientModel):
    """Show how a mapping reads a file. Nothing is kept: neither the file nor what is in it."""

    _name = "g2p.payment.evidence.mapping.try"
    _description = "Try a CSV Mapping on a File"

    mapping_id = fields.Many2one("g2p.payment.evidence.mapping", "CSV Mapping", required=True, readonly=True)
    file = fields.Binary(
        store=False, exportable=False, help="It is read and shown. It is not kept, and changes nothing."
    )
    filename = fields.Char(store=False)
    result = fields.Html(store=False, readonly=True, sanitize=False)

    @api.onchange("file")
    def _onchange_file(self):
        for wizard in self:
            wizard.result = wizard.file and wizard._result()

    def _result(self):
        try:
            content = base64.b64decode(self.file)
        except (binascii.Error, ValueError):
            return _alert(_("The file did not arrive whole. Choose it again."))
        if len(content) > _MAX_BYTES:
            return _alert(_("This file is too large to try. Take a part of it, of at most 10 MB."))
        try:
            lines = csv_file.read(content, self.mapping_id._csv_mapping())
        except EvidenceError as error:
            return _alert(self.env["g2p.payment.evidence"]._file_sentence(error))
        return self._counts(lines) + self._first_lines(lines)

    def _counts(self, lines):
        """Count the lines of the whole file by what they say."""
        labels = self._labels()
        counts = Counter(line.status and line.status.value for line in lines)
        labels[None] = _("Cannot be read")
        badges = [
            Markup('<span class="badge rounded-pill me-2 fs-6 %s">%s: %s</span>')
            % (_COLOURS.get(status, "text-bg-secondary"), label, counts[status])
            for status, label in labels.items()
            if counts[status]
        ]
        return _titled(_("The whole file: %s lines", len(lines)), Markup("").join(badges))

    def _first_lines(self, lines):
        """Show the first lines, and below them the first ones that cannot be read."""
        head = (
            _("Line"),
            _("Read as"),
            _("Problem"),
            _("Our Reference"),
            _("Their Reference"),
            _("Payee"),
            _("Amount"),
            _("Currency"),
            _("Date"),
            _("Reason"),
        )
        first, others = lines[:_SHOWN], lines[_SHOWN:]
        result = _titled(_("The first lines"), html_table(head, map(self._row, first)))
        unreadable = [line for line in others if line.problem][:_PROBLEMS_SHOWN]
        if unreadable:
            title = _("The first lines below these that cannot be read")
            result += _titled(title, html_table(head, map(self._row, unreadable)))
        return result

    def _row(self, line):
        problem = self.env["g2p.payment.evidence"]._line_sentence(line)
        return (
            line.number,
            self._labels().get(line.status and line.status.value) or _("Cannot be read"),
            problem and Markup('<span class="text-danger">%s</span>') % problem or "",
            line.reference,
            line.remote_reference,
            " ".join(filter(None, (line.payee, line.payee_name))),
            "" if line.amount is None else f"{line.amount:f}",
            line.currency,
            line.happened_on and Markup('<span class="text-nowrap">%s</span>') % line.happened_on or "",
            " ".join(filter(None, (line.reason_code, line.reason))),
        )

    def _labels(self):
        return dict(self.env["g2p.payment.evidence.line"]._fields["status"]._description_selection(self.env))


def _titled(title, content):
    return Markup('<h4 class="mt-3">%s</h4><div class="table-responsive">%s</div>') % (title, content)


def _alert(sentence):
    return Markup('<div class="alert alert-danger" role="alert">%s</div>') % sentence
