from odoo import api, fields, models

from ..client import keys


class MojaloopPeerKey(models.Model):
    """The public key with which another institution's signatures are checked, as the scheme's Connection
    Manager publishes it. Only fetching writes here."""

    _name = "g2p.mojaloop.peer.key"
    _description = "Mojaloop Key of Another Institution"
    _order = "fsp"
    _rec_name = "fsp"

    gateway_id = fields.Many2one(
        "g2p.payment.gateway", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one("res.company", related="gateway_id.company_id", store=True)
    fsp = fields.Char("Institution", required=True, readonly=True, help="Its name in the scheme (DFSP ID).")
    public_key = fields.Text(required=True, readonly=True, help="Public key or certificate, PEM.")
    fetched_at = fields.Datetime(required=True, readonly=True, help="When the manager last showed this key.")
    valid_until = fields.Datetime(readonly=True, help="The end of its certificate. A bare key has none.")

    _sql_constraints = [
        ("fsp_unique", "unique(gateway_id, fsp)", "A gateway keeps one key of an institution.")
    ]

    @api.model
    def _replace(self, gateway, published):
        """Keeps exactly the keys of `published`, name to PEM. Returns the names of those that are none."""
        kept = {one.fsp: one for one in self.search([("gateway_id", "=", gateway.id)])}
        now, usable, new = fields.Datetime.now(), set(), []
        for fsp, pem in published.items():
            try:
                keys.load_public_key(pem)
                end = keys.first_end(pem)
            except ValueError:
                continue
            usable.add(fsp)
            vals = {"public_key": pem, "fetched_at": now, "valid_until": end and end.replace(tzinfo=None)}
            if fsp in kept:
                kept[fsp].write(vals)
            else:
                new.append({**vals, "gateway_id": gateway.id, "fsp": fsp})
        self.create(new)
        self.union(*(one for fsp, one in kept.items() if fsp not in usable)).unlink()
        return sorted(set(published) - usable)
