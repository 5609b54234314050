import re

from odoo import api, fields, models

from ..client import keys

# It becomes the name of a file.
_NAME = re.compile(r"(?!\.)[^/\\\x00-\x1f\x7f\ufffd]{1,64}")


class MojaloopPeerKey(models.Model):
    """The public key with which the signatures of another institution, or of the hub, are checked, as the
    scheme's Connection Manager publishes it. Only fetching writes here."""

    _name = "g2p.mojaloop.peer.key"
    _description = "Mojaloop Key of Another Institution"
    _order = "fsp"
    _rec_name = "fsp"

    gateway_id = fields.Many2one(
        "g2p.payment.gateway", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one("res.company", related="gateway_id.company_id", store=True)
    fsp = fields.Char("Institution", required=True, readonly=True, help="Its name in the scheme (DFSP ID).")
    is_hub = fields.Boolean("Hub", readonly=True, help="Whether this is the scheme's hub itself.")
    public_key = fields.Text(required=True, readonly=True, help="Public key or certificate, PEM.")
    fetched_at = fields.Datetime(required=True, readonly=True, help="When the manager last showed this key.")
    valid_until = fields.Datetime(readonly=True, help="The end of its certificate. A bare key has none.")

    _sql_constraints = [
        ("fsp_unique", "unique(gateway_id, fsp)", "A gateway keeps one key of an institution.")
    ]

    @api.model
    def _replace(self, gateway, published, hub=""):
        """Keeps exactly the keys of `published`, name to PEM; `hub` is the name of the hub, if it is among
        them. Returns the names of those that are none."""
        kept = {one.fsp: one for one in self.search([("gateway_id", "=", gateway.id)])}
        now, usable, new = fields.Datetime.now(), set(), []
        for fsp, pem in published.items():
            vals = self._values(fsp, pem)
            if not vals:
                continue
            usable.add(fsp)
            vals.update(fetched_at=now, is_hub=fsp == hub)
            if fsp in kept:
                kept[fsp].write(vals)
            else:
                new.append({**vals, "gateway_id": gateway.id, "fsp": fsp})
        self.create(new)
        self.union(*(one for fsp, one in kept.items() if fsp not in usable)).unlink()
        return sorted(set(published) - usable)

    @api.model
    def _values(self, fsp, pem):
        """None when it is no key, or the name of nobody."""
        try:
            keys.load_public_key(pem)
            end = keys.first_end(pem)
        except ValueError:
            return None
        if not _NAME.fullmatch(fsp):
            return None
        return {"public_key": pem, "valid_until": end and end.replace(tzinfo=None)}
