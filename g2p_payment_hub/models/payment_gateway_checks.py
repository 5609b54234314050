import ipaddress
import re
from contextlib import contextmanager
from urllib.parse import urlsplit

import pydantic

from odoo import _, api, models
from odoo.exceptions import UserError, ValidationError

from ..client.errors import NotSent, Reason
from .payment_gateway_secret import KEPT

_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")


class PaymentGateway(models.Model):
    """What the settings of every provider are held against."""

    _inherit = "g2p.payment.gateway"

    @api.model
    def _secrets_sent_to(self):
        """Hook: a secret field to the names of the addresses to which it is sent as it is."""
        return {}

    def write(self, vals):
        """A secret is for the server for which it was typed in: whoever enters another address could read it
        there, or let others."""
        moved = [(gateway, gateway._secrets_that_move(vals)) for gateway in self]
        result = super().write(vals)
        for gateway, names in moved:
            gateway._forget_secrets(names)
        return result

    def _secrets_that_move(self, vals):
        """The secret fields, none of them typed in with these `vals`, that another server would get."""
        return [
            name
            for name, addresses in self._secrets_sent_to().items()
            if vals.get(name, KEPT) == KEPT
            and any(
                self[one] and _server(vals[one]) != _server(self[one]) for one in addresses if one in vals
            )
        ]

    def _forget_secrets(self, names):
        kept = self._sealed_secrets()
        for name in filter(kept.get, names):
            self.env["g2p.payment.gateway.secret"]._keep(self, name, False)
            self._message_log(
                body=_("%s was forgotten: it was for another address. Enter it again.", self._label(name))
            )
        self.invalidate_recordset(names)

    def _label(self, name):
        return self._fields[name]._description_string(self.env)

    def _lacking(self, names):
        """Sentences about those of these settings that are empty."""
        settings, sentences = self.sudo(), []
        for name in names:
            if not settings[name]:
                label = self._label(name)
                sentences.append(
                    _("The gateway %(gateway)s lacks: %(field)s.", gateway=self.name, field=label)
                )
        return sentences

    @contextmanager
    def _making_client(self):
        """What the client finds wrong with its settings is said to people."""
        try:
            yield
        except ValueError as error:
            why = "" if isinstance(error, pydantic.ValidationError) else str(error)
            raise UserError(
                _(
                    "The settings of the gateway %(gateway)s cannot be used. %(why)s",
                    gateway=self.name,
                    why=why,
                ).strip()
            ) from error

    def _check_urls(self, *names):
        for gateway in self:
            for name in names:
                if gateway[name]:
                    gateway._check_url(name)

    def _check_url(self, name):
        """https, except to this very machine while nothing is live; no credentials, query or fragment."""
        scheme, host = _scheme_and_host(self[name])
        if not host:
            raise ValidationError(
                _(
                    "%s: the address is a host and a path, without user, question mark or hash sign.",
                    self._label(name),
                )
            )
        plain_allowed = self.state != "live" and _is_this_machine(host)
        if scheme != "https" and not (scheme == "http" and plain_allowed):
            raise ValidationError(_("%s: the address must begin with https://.", self._label(name)))

    def _check_header_name(self, name):
        for gateway in self:
            if gateway[name] and not _HEADER_NAME.fullmatch(gateway[name]):
                raise ValidationError(_("An extra header's name has letters, digits and hyphens only."))

    def _check_header_texts(self, *names):
        """What travels as HTTP headers."""
        for gateway in self:
            for name in names:
                text = gateway[name] or ""
                if text != text.strip() or not (text.isascii() and text.isprintable()):
                    raise ValidationError(
                        _("%s: only letters without accents, digits and signs can travel.", self._label(name))
                    )

    def _check_no_private_key(self, *names):
        """A file often has both, the certificate and its key."""
        for gateway in self:
            for name in names:
                if "PRIVATE KEY" in (gateway[name] or ""):
                    raise ValidationError(
                        _(
                            "%s: there is a private key in it, and everybody who sees the gateway can read "
                            "this. Leave the certificates, and enter a key in the field for it.",
                            self._label(name),
                        )
                    )

    def _check_loads(self, name, text, load, explanation):
        try:
            if text:
                load(text)
        except (ValueError, TypeError) as error:
            raise ValidationError(
                _("%(field)s cannot be used. %(why)s", field=self._label(name), why=explanation)
            ) from error

    @api.model
    def _or_not_sent(self, make, *arguments):
        """`make(...)`; a sentence that it raises for people is why nothing is sent."""
        try:
            return make(*arguments)
        except UserError as error:
            raise NotSent(Reason.NOT_READY, str(error)) from error


def _scheme_and_host(url):
    """Both empty when the address is not one, or says more than scheme, host, port and path."""
    try:
        parts = urlsplit(url)
        host = parts.hostname if parts.port != 0 else None
    except ValueError:
        return "", ""
    if not host or "@" in parts.netloc or any(char in "?#" or char.isspace() for char in url):
        return "", ""
    return parts.scheme, host


def _server(url):
    """What of an address says who reads there; what is no address is refused elsewhere."""
    try:
        parts = urlsplit(url or "")
        return parts.scheme, parts.hostname, parts.port
    except ValueError:
        return None


def _is_this_machine(host):
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
