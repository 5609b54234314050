import logging

from odoo import _, api, fields, models
from odoo.exceptions import ValidationError

from .. import secret_keys

_logger = logging.getLogger(__name__)


class PaymentGateway(models.Model):
    """What keeps secrets and results safe outside this add-on: a key on the server, and templates that not
    everybody may program."""

    _inherit = "g2p.payment.gateway"

    safety_problem = fields.Text("To Be Made Safe", compute="_compute_safety_problem")

    @api.depends("state")
    def _compute_safety_problem(self):
        for gateway in self:
            gateway.safety_problem = "\n".join(gateway._safety_problems()) or False

    def _safety_problems(self):
        """Sentences about the server, and about secrets that it cannot read."""
        return [*(self._key_problems() or self._secret_problems()), *self._template_problems()]

    @api.model
    def _key_problems(self):
        try:
            secret_keys.seal("")
        except secret_keys.NoKeys as error:
            return [self._why_no_keys(error.reason)]
        return []

    def _secret_problems(self):
        """Why kept secrets cannot be read: a missing key, or the names of those that have to be typed again.
        What nobody types is made anew by its own button."""
        typed = [("gateway_id", "in", self._origin.ids), ("name", "in", self._secret_fields())]
        lost = []
        for secret in self.env["g2p.payment.gateway.secret"].sudo().search(typed):
            try:
                secret_keys.check(secret.value, secret.gateway_id.id, secret.name)
            except secret_keys.NoKeys as error:
                return [self._why_no_keys(error.reason)]
            except secret_keys.NotReadable:
                if not secret_keys.is_sealed(secret.value):
                    return [self._why_not_encrypted()]
                lost.append(secret.name)
        return [self._why_not_readable(lost)] if lost else []

    @api.model
    def _why_no_keys(self, reason):
        """The sentence for the reason of a NoKeys."""
        sentences = {
            "none": _(
                "This server has no key for the secrets of gateways, so none can be stored or used. Have the "
                "server's administrator make one: %(option)s in Odoo's configuration.",
                option=secret_keys.OPTION,
            ),
            "missing": _(
                "The key file for the secrets of gateways is missing on this server, so none can be stored "
                "or used. Have the server's administrator restore it, or make one: %(option)s in Odoo's "
                "configuration.",
                option=secret_keys.OPTION,
            ),
            "open": _(
                "Others on this server can read the key file for the secrets of gateways, so it is not "
                "used. Have the server's administrator set its mode to 0600."
            ),
        }
        broken = _(
            "The key for the secrets of gateways cannot be read on this server, so none can be stored or "
            "used. Have the server's administrator look at it: %(option)s in Odoo's configuration.",
            option=secret_keys.OPTION,
        )
        return sentences.get(reason, broken)

    def _why_not_readable(self, names):
        made_here = _("a key made here")
        labels = [self._label(name) if name in self._fields else made_here for name in names]
        return _(
            "This server does not have the key with which secrets of the gateway %(gateway)s were encrypted. "
            "Have the server's administrator restore its key file, or enter them again: %(secrets)s.",
            gateway=self.name,
            secrets=", ".join(labels),
        )

    @api.model
    def _why_not_encrypted(self):
        return _(
            "Secrets of gateways are not encrypted yet, so they are not used. Have the server's "
            "administrator run: odoo-bin g2p_payment_keys --encrypt."
        )

    @api.model
    def _why_not_for_templates(self):
        return _("Templates, and code that is kept in the database, read no secrets of gateways.")

    def _check_settings(self):
        return super()._check_settings() + self._secret_problems()

    # Templates

    @api.model
    def _template_problems(self):
        if not self._everybody_programs_templates():
            return []
        return [
            _(
                "Every user of this Odoo may write code in templates of e-mails, and such code may do "
                "anything. Have an administrator switch on Restrict Template Rendering in the general "
                "settings; no gateway is set to Live before."
            )
        ]

    @api.model
    def _everybody_programs_templates(self):
        """Asks the groups, and not the setting: its parameter can be written without them."""
        everybody = self.env.ref("base.group_user").sudo()
        editors = self.env.ref("mail.group_mail_template_editor", raise_if_not_found=False)
        seen = self.env["res.groups"].sudo()
        todo = everybody
        while todo:
            seen |= todo
            todo = todo.implied_ids - seen
        return bool(editors) and editors in seen

    @api.constrains("state")
    def _check_templates_are_restricted(self):
        if "live" in self.mapped("state"):
            problems = self._template_problems()
            if problems:
                raise ValidationError(problems[0])

    @api.model
    def _log_safety(self):
        """For whoever installs or upgrades: what is still to be done."""
        for problem in [*self._key_problems(), *self._template_problems()]:
            _logger.warning("%s", problem)
