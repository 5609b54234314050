import ipaddress

from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError

from odoo.addons.g2p_payment_hub.client import kept


class PaymentGateway(models.Model):
    """Where the hub reaches the connector, and from where the connector's requests come; and the same of the
    hub, for whoever keeps the connector and its firewall."""

    _inherit = "g2p.payment.gateway"

    mojaloop_ingress_url = fields.Char(
        "Ingress URL",
        tracking=True,
        help="Where the hub reaches your connector with its callbacks, for example "
        "https://callbacks.treasury.example.",
    )
    mojaloop_egress_addresses = fields.Char(
        "Egress Addresses",
        tracking=True,
        help="The addresses from which your connector's requests come, with blanks between them: 196.0.2.10 "
        "or a range such as 196.0.2.0/28.",
    )
    mojaloop_egress_ports = fields.Char(
        "Egress Ports",
        default="443",
        tracking=True,
        help="The hub's ports that your connector's requests go to, with blanks between them.",
    )

    mojaloop_hub_urls = fields.Text(
        "Hub's URLs",
        readonly=True,
        copy=False,
        help="Where the hub takes requests, as the Connection Manager says: for the connector's settings.",
    )
    mojaloop_hub_addresses = fields.Text(
        "Hub's Egress Addresses",
        readonly=True,
        copy=False,
        help="The addresses from which the hub calls your connector, as the Connection Manager says: for "
        "your firewall.",
    )

    @api.constrains("mojaloop_ingress_url", "state")
    def _check_mojaloop_ingress_url(self):
        self._check_urls("mojaloop_ingress_url")

    @api.constrains("mojaloop_egress_addresses", "mojaloop_egress_ports")
    def _check_mojaloop_egress(self):
        for gateway in self:
            for address in (gateway.mojaloop_egress_addresses or "").split():
                try:
                    ipaddress.ip_network(address)
                except ValueError as error:
                    raise ValidationError(
                        _(
                            "Egress Addresses: %s is neither an address nor a range such as 10.0.0.0/24.",
                            address,
                        )
                    ) from error
            for port in (gateway.mojaloop_egress_ports or "").split():
                if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536):
                    raise ValidationError(_("Egress Ports: %s is not a port number (1 to 65535).", port))

    def action_mojaloop_publish_addresses(self):
        self._mojaloop_check_trusted()
        url, name = self.mojaloop_ingress_url, self.name
        addresses = (self.mojaloop_egress_addresses or "").split()
        ports = (self.mojaloop_egress_ports or "").split()
        if not url or not addresses or not ports:
            raise UserError(
                _("There is nothing to publish. Fill in ingress URL, egress addresses and ports first.")
            )

        def publish(manager):
            return manager.publish_callback_url(url) + manager.publish_addresses(addresses, ports, name)

        return self._mojaloop_exchange(["addresses"], publish, self._mojaloop_came_of_addresses)

    def _mojaloop_came_of_addresses(self, others):
        said = _("Published. The hub's operator has to let them in.")
        if others:
            listed = ", ".join(kept.text(one) for one in others[:20])
            still = _(
                "Still listed there, and not yours any more: %s. Have the operator take them out.", listed
            )
            said = f"{said} {still}"
        return {"addresses": ("done", said)}

    def action_mojaloop_fetch_hub_addresses(self):
        self._mojaloop_check_trusted()
        return self._mojaloop_exchange(
            ["hub_addresses"],
            lambda manager: (manager.hub_urls(), manager.hub_addresses()),
            self._mojaloop_keep_hub_addresses,
        )

    def _mojaloop_keep_hub_addresses(self, fetched):
        """What is not published any more is not kept."""
        urls, addresses = fetched
        texts = {
            "mojaloop_hub_urls": "\n".join(kept.text(url) for url in urls),
            "mojaloop_hub_addresses": "\n".join(kept.text(address) for address in addresses),
        }
        if any((self[name] or "") != text for name, text in texts.items()):
            self.write(texts)
        if not urls or not addresses:
            said = _("The hub has not published all of them yet. Fetch again later.")
            return {"hub_addresses": ("todo", said)}
        said = _("Fetched. Give them to whoever keeps the connector and its firewall.")
        return {"hub_addresses": ("done", said)}
