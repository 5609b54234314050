from odoo import _, api, fields, models
from odoo.exceptions import UserError

from odoo.addons.g2p_payment_hub.client.errors import GatewayError
from odoo.addons.g2p_payment_hub.models.roles import MAKERS, check_role

from ..client import grammar
from ..client.accounts import Account, AccountResult
from ..client.catalogue import StepFailed


class PayeeAliasWizard(models.TransientModel):
    """Tells the scheme that identifiers of registrants lead to our own institution, or that they no longer
    do."""

    _name = "g2p.payee.alias.wizard"
    _description = "Register Secondary Identifiers"

    gateway_id = fields.Many2one(
        "g2p.payment.gateway",
        required=True,
        domain="[('provider', '=', 'mojaloop'), ('state', '!=', 'disabled')]",
        default=lambda self: self._only_gateway(),
        help="The connector of the institution that keeps the registrants' accounts.",
    )
    currency_id = fields.Many2one(
        "res.currency",
        required=True,
        default=lambda self: self.env.company.currency_id,
        help="The currency in which payments under these identifiers arrive.",
    )
    line_ids = fields.One2many("g2p.payee.alias.wizard.line", "wizard_id", "Identifiers")

    @api.model
    def _only_gateway(self):
        gateways = self.env["g2p.payment.gateway"].search(
            [("provider", "=", "mojaloop"), ("state", "!=", "disabled")], limit=2
        )
        return gateways if len(gateways) == 1 else False

    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        if self.env.context.get("active_model") == "res.partner":
            partners = self.env.context.get("active_ids", [])
            values["line_ids"] = [fields.Command.create({"partner_id": partner}) for partner in partners]
        return values

    def action_register(self):
        return self._tell(lambda connector, lines: connector.register_accounts(lines._accounts()))

    def action_remove(self):
        explain = self.gateway_id._explain
        return self._tell(lambda connector, lines: _all_removed(connector, lines._accounts(), explain))

    def _tell(self, tell):
        self.ensure_one()
        check_role(self.env, MAKERS, _("Only a program manager may register identifiers of registrants."))
        self.gateway_id._check_can_verify()
        lines = self.line_ids
        lines._check_identifiers()
        self.gateway_id._mojaloop_claim_for_people()
        try:
            with self.gateway_id._mojaloop_connector() as connector:
                results = tell(connector, lines)
        except GatewayError as error:
            raise UserError(self.gateway_id._explain(error)) from error
        except StepFailed as error:
            said = f"{error.code} {error.description}"
            raise UserError(_("The scheme refused: %s", said)) from error
        for line, result in zip(lines, results, strict=True):
            line.write({"result": line._result_sentence(result), "works": bool(result.registered)})
        return {
            "type": "ir.actions.act_window",
            "name": _("Register Secondary Identifiers"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }


class PayeeAliasWizardLine(models.TransientModel):
    _name = "g2p.payee.alias.wizard.line"
    _description = "Secondary Identifier"

    wizard_id = fields.Many2one("g2p.payee.alias.wizard", required=True, ondelete="cascade")
    partner_id = fields.Many2one("res.partner", "Registrant", required=True)
    identifier_type = fields.Selection(
        [
            ("ALIAS", "Alias"),
            ("MSISDN", "Phone number"),
            ("EMAIL", "E-mail"),
            ("PERSONAL_ID", "Personal ID"),
            ("BUSINESS", "Business"),
            ("DEVICE", "Device"),
        ],
        required=True,
        default="ALIAS",
        help="What kind of identifier it is.",
    )
    sub_type = fields.Char("Kind", help="What kind of personal ID it is, for example PASSPORT. Mostly empty.")
    identifier = fields.Char(help="The identifier under which the registrant is to be found.")
    works = fields.Boolean(readonly=True)
    result = fields.Char(readonly=True, help="What the scheme said about this identifier.")

    def _check_identifiers(self):
        wrong = [line.partner_id.name for line in self if line._problems()]
        if wrong or not self:
            raise UserError(
                _("Mojaloop cannot carry the identifiers of: %s. Correct them.", ", ".join(wrong[:20]))
                if wrong
                else _("There is nothing to tell the scheme: add an identifier.")
            )

    def _problems(self):
        return grammar.identifier_problems(self.identifier_type, self._normalised(), self.sub_type or "")

    def _normalised(self):
        return grammar.normalised_identifier(self.identifier_type, self.identifier or "")

    def _accounts(self):
        return [
            Account(
                id_type=line.identifier_type,
                id_value=line._normalised(),
                id_sub_value=line.sub_type or "",
                currency=line.wizard_id.currency_id.name,
            )
            for line in self
        ]

    def _result_sentence(self, result):
        if result.registered:
            return _("Done.")
        if result.registered is None:
            return _("The scheme said nothing about this one. Try again.")
        said = f"{result.code} {result.description}".strip()
        return _("Not done: %s", said)


def _all_removed(connector, accounts, explain):
    """One by one, because the connector takes them back one by one; when it does not, no others are tried."""
    results = []
    for number, account in enumerate(accounts):
        try:
            results.append(_removed(connector, account))
        except GatewayError as error:
            why = explain(error)
            rest = accounts[number:]
            return results + [AccountResult(account=one, registered=False, description=why) for one in rest]
    return results


def _removed(connector, account):
    try:
        connector.remove_account(account.id_type, account.id_value, account.id_sub_value)
    except StepFailed as error:
        return AccountResult(
            account=account, registered=False, code=error.code, description=error.description
        )
    return AccountResult(account=account, registered=True)
