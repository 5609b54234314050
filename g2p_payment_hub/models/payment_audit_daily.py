"""Every day: verify, anchor, and hand the anchor to somebody outside. Payments never wait for it."""

import logging
from contextlib import contextmanager

from markupsafe import Markup

from odoo import _, api, fields, models

from ..client import anchor as outside
from ..client.errors import GatewayError
from ..client.http import HttpClient, HttpLimits
from .roles import APPROVERS, check_role, may

_logger = logging.getLogger(__name__)

AUDIT = "g2p_payment_hub.activity_audit"
ANCHOR = "g2p_payment_hub.activity_anchor"
EMAIL = "g2p_payment_hub.anchor_email"
URL = "g2p_payment_hub.anchor_url"
_SYSTEM = "base.group_system"
_LIMITS = HttpLimits(connect=10, read=20, total=60)


class PaymentAuditCheck(models.Model):
    _inherit = "g2p.payment.audit.check"

    @api.model
    def _cron_daily(self):
        """Verify and anchor in one transaction, hand over outside of it, write the result down in another."""
        Batch = self.env["g2p.payment.batch"].sudo()
        with Batch._own_transaction() as batch:
            checks = batch.env[self._name]._verify_daily()
            anchor = batch.env["g2p.payment.audit.anchor"]._make(sum(checks.mapped("finding_count")))
            anchor._begin_to_hand_over()
        self.env["g2p.payment.audit.anchor"].browse(anchor.id)._hand_over()

    @api.model
    def _verify_daily(self):
        batches = self.env["g2p.payment.batch"].sudo().search([("gateway_id", "!=", False)])
        checks = self.sudo().browse()
        for of_company in batches.grouped("company_id").values():
            check = self._verify(of_company, "daily")
            check._tell_who_looks(of_company)
            checks += check
        return checks + self._verify_anchors()

    @api.model
    def _verify_anchors(self):
        """Write down that an anchor does not fit; nothing when all do."""
        broken = self.env["g2p.payment.audit.anchor"].sudo()._first_broken()
        if not broken:
            return self.browse()
        return self.sudo().create(
            {
                "happened_at": fields.Datetime.now(),
                "user_id": self.env.uid,
                "origin": "daily",
                "result": "broken",
                "finding_count": 1,
                "findings": _("Anchor %s was changed, or events that it stands for.", broken),
            }
        )

    def _tell_who_looks(self, batches):
        """Call finance and administrators to what does not fit, on the newest batch of the company."""
        if self.result == "whole":
            batches._call_off(AUDIT)
        elif not batches._called(AUDIT):
            batch = batches.sorted("id")[-1]
            batch._call(
                AUDIT,
                batch._users_who(APPROVERS),
                _("The audit trail does not fit"),
                _(
                    "The daily check found %s things that do not fit. Open Audit Checks, and have somebody "
                    "look who does not administer the database.",
                    self.finding_count,
                ),
            )


class PaymentAuditAnchor(models.Model):
    _inherit = "g2p.payment.audit.anchor"

    def action_hand_over(self):
        """Try again."""
        check_role(self.env, _SYSTEM, _("Only an administrator of this system may hand an anchor over."))
        self.sudo()._hand_over()

    @api.model
    def _addresses(self):
        settings = self.env["ir.config_parameter"].sudo()
        return settings.get_param(EMAIL, ""), settings.get_param(URL, "")

    def _begin_to_hand_over(self):
        """A server that dies meanwhile leaves behind that the anchor was not handed over."""
        if any(self._addresses()):
            self.failure = _("It is not handed over yet.")

    def _hand_over(self):
        """Mail and post the anchor, each where an address is set; tell administrators when that failed."""
        self.ensure_one()
        email, url = self._addresses()
        if not (email or url):
            return
        failures = [self._posted(url) if url else "", self._mailed(email) if email else ""]
        failure = " ".join(filter(None, failures))
        with self._later() as anchor:
            anchor._write_down(failure)

    @contextmanager
    def _later(self):
        """This anchor in a transaction of its own; one that began earlier does not see a new anchor yet."""
        with self.env["g2p.payment.batch"]._own_transaction() as batch:
            yield self.with_env(batch.env).sudo()

    def _write_down(self, failure):
        self.write({"failure": failure} if failure else {"failure": False, "sent_at": fields.Datetime.now()})
        # One task is enough, however many days it fails.
        self.search([("number", "<", self.number)])._call_off(ANCHOR)
        users = self.env["res.users"].sudo().search([("share", "=", False)])
        self._keep_called(
            ANCHOR,
            users.filtered(lambda user: bool(failure) and may(user, _SYSTEM)),
            _("An anchor of the audit trail was not handed over"),
            _("%s Check the addresses under Settings > OpenG2P Payments.", failure),
        )

    def _posted(self, url):
        """Return why it could not be posted, or an empty text."""
        with self._later() as anchor:  # only reads
            message = anchor._message()
        client = self._outside_client()
        try:
            outside.post(client, url, message)
            return ""
        except GatewayError as error:
            return _("It could not be posted: %s.", error)
        finally:
            client.close()

    @api.model
    def _outside_client(self):
        return HttpClient(limits=_LIMITS)

    def _mailed(self, email):
        """Return why it could not be mailed, or an empty text."""
        try:
            with self._later() as anchor:
                mail_id = anchor.env["mail.mail"].create(anchor._mail(email)).id
            with self._later() as anchor:
                mail = anchor.env["mail.mail"].browse(mail_id)
                mail.send(raise_exception=True)
                why_not = False if mail.state == "sent" else mail.failure_reason or mail.state
        except Exception as error:  # pylint: disable=broad-except  # whatever a mail server does
            _logger.exception("anchor %s: the mail could not be sent", self.id)
            why_not = type(error).__name__
        return _("It could not be mailed: %s.", why_not) if why_not else ""

    def _mail(self, email):
        message = self._message()
        lines = [
            _(
                "Anchor of the audit trail of payments. Keep this message: with it an auditor can tell later "
                "whether the audit trail was rewritten."
            ),
            _("Number: %s", message.number),
            _("Hash: %s", message.hash),
            _("Hash of the anchor before: %s", message.previous_hash or "-"),
            _("Time (UTC): %s", message.happened_at),
            _("Events: %s", message.events),
            _("Batches: %s", message.batches),
            _("What the check found that does not fit: %s", message.findings),
            _("Database: %s", message.database),
        ]
        return {
            "subject": _("Audit trail of payments, anchor %s", message.number),
            "email_to": email,
            "body_html": Markup("<br/>").join(lines),
            "auto_delete": False,
        }
