from odoo import _, models
from odoo.exceptions import UserError

from odoo.addons.g2p_payment_hub.client.outcomes import Check
from odoo.addons.g2p_payment_hub.models.payment_gateway_token import GatewayTokens

from ..client import orders
from ..client.connector import PAYER_NOT_KNOWN, Connector
from ..client.login import ClientCredentials
from ..client.settings import ConnectorSettings, limits_for
from ..client.workers import Pace, Workers
from .payment_gateway import MOJALOOP

# Why a test of the connection has not asked the scheme.
_BUSY, _NO_PAYER = "busy", "no_payer"


class PaymentGateway(models.Model):
    """How the connector is reached, and whether it is."""

    _inherit = "g2p.payment.gateway"

    def _mojaloop_settings(self, terms):
        """How to reach the connector, on the terms that were approved."""
        secrets = self._secrets()
        login = None
        if self.mojaloop_token_url:
            login = ClientCredentials(
                token_url=self.mojaloop_token_url,
                client_id=self.mojaloop_client_id or "",
                client_secret=secrets.get("mojaloop_client_secret", ""),
            )
        header = self.mojaloop_header_name
        two_phase = terms.flow == orders.TWO_PHASES
        return ConnectorSettings(
            url=self.mojaloop_url or "",
            dfsp_id=terms.dfsp_id,
            payer=terms.payer,
            scenario=terms.scenario,
            initiator_type=terms.initiator_type,
            amount_type=terms.amount_type,
            login=login,
            extra_headers={header: secrets.get("mojaloop_header_value", "")} if header else {},
            ca_bundle=self.mojaloop_ca_bundle or "",
            client_certificate=self.mojaloop_client_certificate or "",
            # A key whose certificate was taken away stays behind: nobody sees it any more.
            client_key=secrets.get("mojaloop_client_key", "") if self.mojaloop_client_certificate else "",
            step_timeout=self.mojaloop_step_timeout,
            limits=limits_for(self.mojaloop_step_timeout, two_phase),
            expiry_seconds=self.mojaloop_expiry_seconds,
            two_phase=two_phase,
            bulk=terms.flow == orders.BULK,
        )

    def _mojaloop_workers(self, terms):
        """Threads that talk to the connector."""
        return Workers(self._mojaloop_connect(terms), self.mojaloop_parallel, Pace(self.mojaloop_per_second))

    def _mojaloop_connector(self, terms=None):
        """One connector; `terms` are those of the gateway unless a batch was approved on others."""
        return self._mojaloop_connect(terms or self._mojaloop_terms_of_gateway())()

    def _mojaloop_connect(self, terms):
        """What gives a thread its connector: the secrets are read here, because threads touch no record."""
        tokens = GatewayTokens(self)
        with self._making_client():
            settings = self._mojaloop_settings(terms)
            Connector(settings, tokens).close()  # certificates that cannot be used are told here
        return lambda: Connector(settings, tokens)

    def _check_settings(self):
        problems = super()._check_settings()
        if self.provider == MOJALOOP and not problems:
            try:
                self.sudo()._mojaloop_connect(self._mojaloop_terms_of_gateway())
            except UserError as error:
                problems.append(str(error))
        return problems

    def _check_connection(self):
        if self.provider != MOJALOOP:
            return super()._check_connection()
        free = self.mojaloop_parallel > 1 or self._mojaloop_try_to_claim()
        with self._mojaloop_connector() as connector:
            checks = connector.check_connection(steps=free)
        if any(check.name == "hub" for check in checks):
            return checks
        return [*checks, Check(name=_NO_PAYER if free else _BUSY, ok=True)]

    def _check_sentence(self, check):
        sentences = {
            _BUSY: _(
                "Scheme: not asked, because the connector is busy with payments or look-ups. Try again in a "
                "minute."
            ),
            _NO_PAYER: _("Scheme: not asked. Fill in Payer, and it is asked for that one."),
            PAYER_NOT_KNOWN: _("Scheme: answers, and does not know the payer."),
        }
        told = self.provider == MOJALOOP and check.ok
        return (told and sentences.get(check.detail or check.name)) or super()._check_sentence(check)

    def _check_label(self, name):
        if self.provider != MOJALOOP:
            return super()._check_label(name)
        labels = {
            "connector": _("Connector"),
            "hub": _("Scheme"),
            "transfers": _("Questions for Transfers"),
            "bulk": _("Bulk"),
        }
        return labels.get(name, name)
