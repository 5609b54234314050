import ipaddress
import re
from urllib.parse import urlsplit

from odoo import _, api, models
from odoo.exceptions import UserError, ValidationError

from ..client.errors import NotSent, Reason

_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")


class PaymentGateway(models.Model):
    """What the settings of every provider are held against."""

    _inherit = "g2p.payment.gateway"

    def _label(self, name):
        return self._fields[name]._description_string(self.env)

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
        if not _HEADER_NAME.fullmatch(self[name]):
            raise ValidationError(_("An extra header's name has letters, digits and hyphens only."))

    def _check_header_text(self, name):
        """What travels as an HTTP header."""
        text = self[name] or ""
        if text != text.strip() or not (text.isascii() and text.isprintable()):
            raise ValidationError(
                _("%s: only letters without accents, digits and signs can travel.", self._label(name))
            )

    @api.model
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


def _is_this_machine(host):
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
