"""The lines of a file, and the sentences about what cannot be read."""

import base64
import logging

from psycopg2 import OperationalError

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from odoo.addons.g2p_payment_hub.client.kept import MAX_TEXT
from odoo.addons.g2p_payment_hub.models.columns import Columns, tell_created

from ..evidence import bank_file, csv_file
from ..evidence.bookings import fingerprints, tell_apart
from ..evidence.lines import MAX_BYTES, MAX_LINES, EvidenceError, Problem

_logger = logging.getLogger(__name__)

_LINE_COLUMNS = Columns(
    number="int",
    reference="varchar",
    remote_reference="varchar",
    payee="varchar",
    payee_name="varchar",
    amount="numeric",
    currency="varchar",
    status="varchar",
    remote_status="varchar",
    happened_on="date",
    reason_code="varchar",
    reason="varchar",
    failure_type="varchar",
    free_text="text",
    entry_number="int",
    entry_reference="varchar",
    raw="text",
    statement="varchar",
    named="boolean",
    fingerprint="varchar",
    problem="varchar",
)


class PaymentEvidence(models.Model):
    _inherit = "g2p.payment.evidence"

    def _read_in_job(self):
        """A file that cannot be read is discarded, with the reason."""
        if self.state != "draft":
            return _("Nothing to do: the file has been read.")
        try:
            with self.env.cr.savepoint():
                self._read_file()
        except UserError as error:
            self._advance("discarded", read_problem=str(error))
        except OperationalError:
            raise  # another transaction was in the way: queue_job comes back
        except Exception as error:  # pylint: disable=broad-except  # or it would be read for ever
            _logger.exception("evidence %s: reading ended in an error", self.id)
            why = _("It could not be read, because of an error of this server: %s", type(error).__name__)
            self._advance("discarded", read_problem=why)
        return self.name

    def _read_file(self):
        """Takes the lines out of the file and matches them."""
        content = base64.b64decode(self.sudo().with_context(bin_size=False).file)
        kind, accounts = "csv", []
        try:
            if self.mapping_id:
                lines = csv_file.read(content, self.mapping_id._csv_mapping())
            else:
                kind, lines, accounts = bank_file.read(content)
        except EvidenceError as error:
            raise UserError(self._file_sentence(error)) from error
        source = f"csv {self.mapping_id.id}" if self.mapping_id else kind
        self._insert_lines(lines)
        accounts = ", ".join(accounts)[:MAX_TEXT]
        self._advance("matched", format=kind, source=source, accounts=accounts, line_count=len(lines))
        self._match()

    def _insert_lines(self, lines):
        """One INSERT, however many they are."""
        named = tell_apart(lines)
        rows = [
            _cut(
                {
                    **line.model_dump(mode="python"),
                    "status": line.status and line.status.value,
                    "failure_type": line.failure_type and line.failure_type.value,
                    "problem": self._line_sentence(line),
                    "named": is_named,
                    "fingerprint": fingerprint,
                }
            )
            for line, is_named, fingerprint in zip(lines, named, fingerprints(lines, named), strict=True)
        ]
        names = _LINE_COLUMNS.names
        told = ", ".join(f"told.{name}" for name in _LINE_COLUMNS)
        now = fields.Datetime.now()
        self.env.flush_all()
        self.env.cr.execute(
            f"""
            INSERT INTO g2p_payment_evidence_line (
                {names}, evidence_id, gateway_id, company_id, currency_id, create_uid, create_date, write_uid,
                write_date)
            SELECT {told}, %s, %s, %s, res_currency.id, %s, %s, %s, %s
              FROM unnest({_LINE_COLUMNS.arrays}) WITH ORDINALITY AS told ({names}, position)
              LEFT JOIN res_currency ON res_currency.name = told.currency
             ORDER BY told.position
            RETURNING id
            """,  # only names of this file's own columns
            [
                *(self.id, self.gateway_id.id, self.company_id.id),
                *(self.env.uid, now, self.env.uid, now),
                *_LINE_COLUMNS.of(rows),
            ],
        )
        new = self.env["g2p.payment.evidence.line"].browse(line for (line,) in self.env.cr.fetchall())
        new.invalidate_model()
        self.invalidate_recordset()
        tell_created(new, [*_LINE_COLUMNS, "evidence_id", "gateway_id", "company_id", "currency_id"])

    @api.model
    def _file_sentence(self, error):
        """Why a file cannot be read, in which line, and what next."""
        values = {"line": error.line, "detail": error.detail}
        return {
            **self._bank_sentences(values),
            Problem.EMPTY: _("There is nothing in this file to read. Nothing was changed."),
            Problem.TOO_LARGE: _(
                "This file is larger than %s MB. Take one for a shorter time.", MAX_BYTES // 1_000_000
            ),
            Problem.TOO_MANY_LINES: _("This file has more than %s lines. Take a shorter one.", MAX_LINES),
            Problem.ENCODING: _(
                "Line %(line)s has letters that cannot be read. Choose another encoding in the CSV mapping.",
                **values,
            ),
            Problem.NO_COLUMN: _(
                "Line %(line)s should have the names of the columns, but there is no column %(detail)s. "
                "Correct the CSV mapping, or take the right file.",
                **values,
            ),
            Problem.COLUMN_TWICE: _(
                "Line %(line)s has two columns %(detail)s. Nobody knows which one is meant.", **values
            ),
            Problem.QUOTES: _(
                "Line %(line)s is not CSV (%(detail)s). Check the file and the CSV mapping.", **values
            ),
            Problem.NOT_XML: _(
                "This is not an XML file that can be read (line %(line)s: %(detail)s). For a CSV file choose "
                "its mapping.",
                **values,
            ),
            Problem.DOCTYPE: _(
                "This XML file declares a document type, which no bank message does. It was not read."
            ),
        }[error.problem]

    @api.model
    def _line_sentence(self, line):
        """Why a line cannot be read; False when it can."""
        detail = line.problem_detail
        return {
            Problem.CELLS: _("The line has %s cells, other than the header.", detail),
            Problem.QUOTES: _(
                "The quotes of the line are not as CSV demands (%s). Look into the file.", detail
            ),
            Problem.JSON: _("The JSON in the line cannot be read: %s.", detail),
            Problem.AMOUNT: _("The amount cannot be read: %s.", detail),
            Problem.SIGN: _("The CSV mapping does not say what the sign of this amount means: %s.", detail),
            Problem.CURRENCY: _("The line names two currencies: %s.", detail),
            Problem.DIRECTION: _(
                "The line does not say clearly whether money left the account or came in: %s.", detail or "-"
            ),
            Problem.KIND: _(
                "The CSV mapping does not say whether transactions of this kind are payments: %s.",
                detail or "-",
            ),
            Problem.PAID_WITH_REASON: _(
                "The line says paid, and gives a reason of failure all the same: %s.", detail
            ),
            Problem.DOUBTFUL: _(
                "The line says failed for a reason that leaves open whether the money moved: %s. Ask the "
                "payment system.",
                detail,
            ),
            Problem.DATE: _("The date cannot be read: %s.", detail),
            Problem.STATUS: _("The CSV mapping does not say what this status means: %s.", detail),
            Problem.SCHEMA: line.fault
            and self._fault_sentence(line.fault)
            or _("The record is not as its message demands: %s", detail),
        }.get(line.problem, False)


def _cut(row):
    """No more of a text than an index takes; all of it stands in the file."""
    return {
        name: value[:MAX_TEXT] if isinstance(value, str) and name not in ("raw", "free_text") else value
        for name, value in row.items()
    }
