import base64
import hashlib

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.g2p_payment_hub.models.roles import APPROVERS, check_role, has_role

from ..evidence import archive, bank_file
from ..evidence.lines import MAX_BYTES, EvidenceError, Problem

# draft -> matched -> applied, or by way of applying when a job does it
#   +--------+--> discarded       applying -> matched when the match has changed since it was seen
NEXT = {
    "draft": {"matched", "discarded"},
    "matched": {"applying", "applied", "discarded"},
    "applying": {"applied", "matched"},
    "applied": set(),
    "discarded": set(),
}
# What takes longer than a click is done by a job.
SYNC_BYTES = 500_000
SYNC_LINES = 2_000
DECIDE = "g2p_payment_reconcile.activity_decide_evidence"
APPLY = "g2p_payment_reconcile.activity_apply_evidence"


class PaymentEvidence(models.Model):
    """A bank statement or a hub's result file, read line by line.

    One finance user uploads it and everybody sees what it would change; another applies it. What is applied
    goes through the same code as what the payment system says when it is asked.
    """

    _name = "g2p.payment.evidence"
    _description = "Payment Evidence"
    _inherit = ["g2p.payment.task.mixin"]
    _mail_post_access = "read"
    _order = "id desc"
    _no_user_defaults = True

    name = fields.Char("File Name", required=True, readonly=True)
    gateway_id = fields.Many2one(
        "g2p.payment.gateway", required=True, readonly=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    mapping_id = fields.Many2one(
        "g2p.payment.evidence.mapping", "CSV Mapping", readonly=True, ondelete="restrict"
    )
    format = fields.Selection(
        [
            ("csv", "CSV"),
            ("camt_052", "Report of the Day (camt.052)"),
            ("camt_053", "Bank Statement (camt.053)"),
            ("camt_054", "Notification (camt.054)"),
            ("pain_002", "Status Report (pain.002)"),
            ("mt940", "Bank Statement (MT940)"),
            ("mt942", "Interim Report (MT942)"),
        ],
        readonly=True,
    )
    source = fields.Char(readonly=True, help="Files of one source name the same transaction alike.")
    accounts = fields.Char(readonly=True, help="The accounts that the file says it is about.")
    account_warning = fields.Char(compute="_compute_account_warning")
    file = fields.Binary(
        attachment=True,
        readonly=True,
        exportable=False,
        groups="g2p_payment_hub.group_payment_file",
        help="The file as it was uploaded.",
    )
    digest = fields.Char("SHA-256", required=True, readonly=True, help="Fingerprint of the file.")
    state = fields.Selection(
        [
            ("draft", "Being Read"),
            ("matched", "Preview"),
            ("applying", "Being Applied"),
            ("applied", "Applied"),
            ("discarded", "Discarded"),
        ],
        required=True,
        readonly=True,
        default="draft",
        index=True,
        tracking=True,
        help="Preview: nothing has changed yet. Applied: the payments have the results of this file.",
    )
    uploaded_by_id = fields.Many2one("res.users", "Uploaded by", required=True, readonly=True)
    uploaded_at = fields.Datetime("Uploaded on", required=True, readonly=True)
    applied_by_id = fields.Many2one("res.users", "Applied by", readonly=True, tracking=True)
    applied_at = fields.Datetime("Applied on", readonly=True)
    discarded_by_id = fields.Many2one("res.users", "Discarded by", readonly=True)
    read_problem = fields.Char("Problem", readonly=True, help="Why the file cannot be read.")
    line_ids = fields.One2many("g2p.payment.evidence.line", "evidence_id", "Lines", readonly=True)
    reconciliation_ids = fields.One2many(
        "g2p.payment.reconciliation", "evidence_id", "Reconciliations", readonly=True
    )
    line_count = fields.Integer("Number of Lines", readonly=True)
    matched_count = fields.Integer("Matched", readonly=True)
    payee_count = fields.Integer(
        "Matched by Payee", readonly=True, help="Lines without our reference, matched by payee and amount."
    )
    duplicate_count = fields.Integer("Duplicates", readonly=True)
    unknown_count = fields.Integer("Unknown", readonly=True)
    unreadable_count = fields.Integer(
        "Cannot Be Read", readonly=True, help="Lines about which nothing is applied, among the unknown ones."
    )
    question_count = fields.Integer("To Decide", readonly=True)
    preview = fields.Char(readonly=True, help="Fingerprint of what the preview shows.")
    totals = fields.Html(compute="_compute_totals", sanitize=False, help="Counts and sums of the lines.")
    apply_blocked_reason = fields.Char(compute="_compute_apply_blocked_reason")

    _sql_constraints = [
        (
            "two_people_apply",
            "check(applied_by_id is null or applied_by_id <> uploaded_by_id)",
            "Who uploaded evidence cannot apply it. Ask another finance user.",
        ),
        (
            "applied_by_somebody",
            "check(state not in ('applying', 'applied') or applied_by_id is not null)",
            "Evidence is applied by a person.",
        ),
    ]

    def init(self):
        """The same file twice is said, unless the first was discarded."""
        self.env.cr.execute(
            """
            CREATE UNIQUE INDEX IF NOT EXISTS g2p_payment_evidence_once
                ON g2p_payment_evidence (gateway_id, digest) WHERE state <> 'discarded'
            """
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(_("Evidence is never deleted. Discard it if it is the wrong file."))

    # What people do

    @api.model
    def _upload_all(self, gateway, mapping, name, content):
        """Upload a file, or each file of a ZIP archive by itself. Return the records, and a sentence for each
        file of the archive that was not taken. UserError where nothing can be read."""
        if not archive.is_archive(content):
            return self._upload(gateway, mapping, name, content), []
        self._check_role(_("Only a finance validator may upload evidence."))
        try:
            members = archive.read(content)
        except EvidenceError as error:
            raise UserError(self._file_sentence(error)) from error
        evidence, left_out = self.browse(), []
        for member in members:
            try:
                with self.env.cr.savepoint():
                    evidence += self._upload(gateway, mapping, member.name, member.content)
            except AccessError:
                raise
            except UserError as error:
                left_out.append(_("%(file)s was not taken. %(why)s", file=member.name, why=error))
        if not evidence:
            raise UserError("\n".join(left_out))
        for read in evidence if left_out else ():
            read.sudo()._message_log(
                body=_("From %(archive)s. %(left_out)s", archive=name, left_out=" ".join(left_out))
            )
        return evidence, left_out

    @api.model
    def _upload(self, gateway, mapping, name, content):
        """Keeps the file and reads it, at once or by a job; the record. `mapping` is for CSV alone: a bank's
        message says itself how it is read.

        UserError with what is wrong with a file that cannot be read.
        """
        if bank_file.is_bank_message(content):
            mapping = mapping.browse()
        self._check_role(_("Only a finance validator may upload evidence."))
        if not self.env["g2p.payment.gateway"].search_count([("id", "=", gateway.id)]):
            raise AccessError(_("You may not see this gateway. Choose one of your companies."))
        if mapping.gateway_id not in (gateway, gateway.browse()):
            raise UserError(_("The mapping is another gateway's. Choose one of this gateway."))
        if len(content) > MAX_BYTES:
            raise UserError(self._file_sentence(EvidenceError(Problem.TOO_LARGE)))
        digest = hashlib.sha256(content).hexdigest()
        self._check_not_uploaded(gateway, digest)
        evidence = self.sudo().create(
            {
                "name": " ".join((name or "").split())[:200] or _("Evidence"),
                "gateway_id": gateway.id,
                "company_id": gateway.company_id.id,
                "mapping_id": mapping.id,
                "file": base64.b64encode(content),
                "digest": digest,
                "uploaded_by_id": self.env.uid,
                "uploaded_at": fields.Datetime.now(),
            }
        )
        evidence = evidence.sudo(False)
        if len(content) <= SYNC_BYTES:
            evidence._read_file()
        else:
            evidence._in_job("_read_in_job", _("Read %s", evidence.name))
        return evidence

    @api.model
    def _check_not_uploaded(self, gateway, digest):
        before = self.sudo().search(
            [("gateway_id", "=", gateway.id), ("digest", "=", digest), ("state", "!=", "discarded")], limit=1
        )
        if before:
            raise UserError(
                _(
                    "%(user)s uploaded this very file already, as %(name)s (number %(id)s). Open it in the "
                    "list of payment evidence.",
                    user=before.uploaded_by_id.name,
                    name=before.name,
                    id=before.id,
                )
            )

    def action_apply(self):
        """The second person makes what the preview shows so; the page tells in the context which preview that
        was. Says so when it is no longer true."""
        self.ensure_one()
        self._check_role(_("Only a finance validator may apply evidence."))
        blocked = self._why_not_apply()
        if blocked:
            raise UserError(blocked)
        if self.env.context.get("preview") != self.preview:
            raise UserError(_("The preview has changed since you opened it. Reload the page and look again."))
        if self.line_count > SYNC_LINES:
            self._advance("applying", **self._applied_by_me())
            self._in_job("_apply_in_job", _("Apply %s", self.name))
            return self.gateway_id._notification(
                "success", _("The file is being applied. Reload the page in a moment.")
            )
        self._batches()._lock()
        if not self._still_as_seen():
            return self._changed_notification()
        self._apply()
        return True

    def action_discard(self):
        """Nothing was applied, and the file may be uploaded again."""
        self.ensure_one()
        self._check_role(_("Only a finance validator may discard evidence."))
        self._advance("discarded", discarded_by_id=self.env.uid)

    def action_match_again(self):
        """After the payments, or other evidence, have changed, or when the job that was to apply it died."""
        self.ensure_one()
        self._check_role(_("Only a finance validator may match evidence."))
        if self.state == "applying":
            self._advance("matched", applied_by_id=False, applied_at=False)
        if self.state != "matched":
            raise UserError(_("Only evidence in preview can be matched again. Reload the page."))
        self._match()

    def action_open_lines(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": _("Lines of %s", self.name),
            "res_model": "g2p.payment.evidence.line",
            "view_mode": "tree,form,pivot",
            "domain": [("evidence_id", "=", self.id)],
        }

    def action_open_unreadable(self):
        return {**self.action_open_lines(), "context": {"search_default_unreadable": 1}}

    def action_open_reconciliations(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": _("Reconciliations by %s", self.name),
            "res_model": "g2p.payment.reconciliation",
            "view_mode": "tree,form",
            "domain": [("evidence_id", "=", self.id)],
        }

    def _check_role(self, sentence):
        self.env.user._check_somebody()
        check_role(self.env, APPROVERS, sentence)

    @api.depends("state", "uploaded_by_id")
    @api.depends_context("uid")
    def _compute_apply_blocked_reason(self):
        for evidence in self:
            evidence.apply_blocked_reason = evidence.state == "matched" and evidence._why_not_apply()

    def _why_not_apply(self):
        if self.state != "matched":
            return _("Only evidence in preview can be applied. Reload the page to see what happened.")
        if not has_role(self.env, APPROVERS):
            return _("A finance validator applies this.")
        # invariant: uploader-does-not-apply
        if self.uploaded_by_id == self.env.user:
            return _("You uploaded this file, so another finance validator must apply it.")
        return False

    def _applied_by_me(self):
        return {"applied_by_id": self.env.uid, "applied_at": fields.Datetime.now()}

    def _advance(self, state, **values):
        """The one place where `state` changes. UserError when the move is not in NEXT."""
        labels = dict(self._fields["state"]._description_selection(self.env))
        if state not in NEXT[self.state]:
            raise UserError(
                _(
                    "%(name)s is %(from)s and cannot become %(to)s. Reload the page to see what happened.",
                    name=self.name,
                    to=labels[state],
                    **{"from": labels[self.state]},
                )
            )
        self.sudo().write({"state": state, **values})
        self._keep_called(
            APPLY,
            self._finance_users() - self.uploaded_by_id if state == "matched" else self.env["res.users"],
            _("Look at %s and apply it", self.name),
            _("It was uploaded as evidence, and nothing changes until a second person applies it."),
        )

    def _in_job(self, method, description):
        delayed = self.with_delay(
            identity_key=f"g2p_payment_reconcile.{method}.{self.id}",
            description=description,
        )
        getattr(delayed, method)()

    def _changed_notification(self):
        return self.gateway_id._notification(
            "warning",
            _(
                "Nothing was applied: payments have changed since this preview was made. It shows now how "
                "things are; look at it again and press Apply."
            ),
        )
