"""The sentences about bank messages that cannot be read."""

from odoo import _, api, models

from ..evidence.archive import MAX_MEMBERS
from ..evidence.lines import MAX_BYTES, Expected, FaultKind, Problem


class PaymentEvidence(models.Model):
    _inherit = "g2p.payment.evidence"

    @api.model
    def _read_kinds(self):
        return _(
            "Read are bank statements (camt.053, camt.052 and MT940), notifications (camt.054), interim "
            "reports (MT942) and status reports (pain.002), camt in the versions 02 to 12 and pain in 03 to "
            "14, alone or in a ZIP archive."
        )

    @api.model
    def _bank_sentences(self, values):
        """Problem to why the file cannot be read, and what to ask the bank for."""
        values = {**values, "kinds": self._read_kinds()}
        return {
            Problem.MESSAGE: _(
                "This is a message of another kind: %(detail)s. %(kinds)s Ask the bank for one of them.",
                **values,
            ),
            Problem.NO_VERSION: _(
                "This message (%(detail)s) does not say of which version it is: it has no namespace. Ask the "
                "bank for files with the namespace of ISO 20022.",
                **values,
            ),
            Problem.SEVERAL: _(
                "There are messages of several kinds in this file. Ask the bank for a file of each kind."
            ),
            Problem.CANCELLATION: _(
                "This is about the cancellation of a payment (%(detail)s), not about what was booked. If "
                "money came back, ask the bank for the statement (camt.053 or MT940) in which it is booked.",
                **values,
            ),
            Problem.ORDER: _(
                "This is an order to the bank (%(detail)s), not its answer. Ask the bank for the status "
                "report (pain.002) or the statement (camt.053 or MT940).",
                **values,
            ),
            Problem.ADVICE: _(
                "This is another message of SWIFT: %(detail)s. %(kinds)s Ask the bank for one of them.",
                **values,
            ),
            Problem.OTHER_KIND: _(
                "This is no bank message. %(kinds)s For a CSV file choose its mapping.", **values
            ),
            Problem.SPREADSHEET: _(
                "This is a document of an office program. Save it there as CSV, and choose a CSV mapping."
            ),
            Problem.PACKED: _(
                "This file is packed in a way that is not opened. Unpack it, and upload what was in it."
            ),
            **self._archive_sentences(values),
        }

    @api.model
    def _archive_sentences(self, values):
        unpack = _("Unpack it, and upload the files that you need.")
        values = {**values, "unpack": unpack, "size": MAX_BYTES // 1_000_000, "members": MAX_MEMBERS}
        return {
            Problem.ARCHIVE: _("This ZIP archive is damaged. Download it from the bank once more."),
            Problem.ARCHIVE_LOCKED: _("%(detail)s in this ZIP archive has a password. %(unpack)s", **values),
            Problem.ARCHIVE_MEMBERS: _(
                "There are %(detail)s files in this ZIP archive; %(members)s are read at most. %(unpack)s",
                **values,
            ),
            Problem.ARCHIVE_SIZE: _(
                "What is in this ZIP archive is larger than %(size)s MB. %(unpack)s", **values
            ),
            Problem.ARCHIVE_RATIO: _(
                "%(detail)s in this ZIP archive is packed as no bank message is. It was not opened.", **values
            ),
            Problem.ARCHIVE_NESTED: _("There is another archive in this ZIP archive. %(unpack)s", **values),
        }

    @api.model
    def _fault_sentence(self, fault):
        """Where a record is not as its message demands, and what was expected there."""
        values = {
            "line": fault.line,
            "element": _named(fault.element),
            "parent": _named(fault.parent),
            "value": fault.value,
            "words": fault.words,
        }
        if fault.kind is FaultKind.VALUE:
            return self._value_sentence(fault, values)
        sentence = {
            FaultKind.UNKNOWN: _(
                "Line %(line)s of the file: %(element)s does not belong in %(parent)s.", **values
            ),
            FaultKind.REPEATED: _(
                "Line %(line)s of the file: %(element)s stands in %(parent)s more than once.", **values
            ),
            FaultKind.MISSING: _(
                "Line %(line)s of the file: %(element)s is missing in %(parent)s.", **values
            ),
            FaultKind.TEXT: _(
                "Line %(line)s of the file: the text “%(value)s” stands in %(element)s, where only elements "
                "are expected.",
                **values,
            ),
            FaultKind.OTHER: _("Line %(line)s of the file: %(element)s cannot be read.", **values),
        }[fault.kind]
        if fault.kind is FaultKind.UNKNOWN and not fault.parent:
            return _("Line %(line)s of the file: %(element)s is no field of a bank statement.", **values)
        if fault.kind is FaultKind.UNKNOWN and fault.words:
            return sentence + " " + _("Expected there: %(words)s.", **values)
        return sentence

    @api.model
    def _value_sentence(self, fault, values):
        expected = {
            Expected.NUMBER: _("a number"),
            Expected.DATE: _("a date such as 2026-12-31"),
            Expected.MOMENT: _("a date and time such as 2026-12-31T12:00:00"),
            Expected.YES_NO: _("true or false"),
            Expected.WORD: _("one of these: %(words)s", **values),
            Expected.OTHER: "",
        }[fault.expected]
        if not expected:
            return _("Line %(line)s of the file: “%(value)s” in %(element)s cannot be read.", **values)
        return _(
            "Line %(line)s of the file: “%(value)s” stands in %(element)s, but expected is %(expected)s.",
            expected=expected,
            **values,
        )


def _named(element):
    """An element of XML, or a field of SWIFT that has its own signs."""
    return element if element.startswith(":") else f"<{element}>"
