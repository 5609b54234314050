from decimal import Decimal

from odoo import _, models


class PaymentGateway(models.Model):
    """Finance approves a batch together with the settings that say to whom it goes, who pays, and what
    counts as paid. The batch keeps them: what is set here later is for the next batches."""

    _inherit = "g2p.payment.gateway"

    def _approved_fields(self):
        """Hook: the names of the settings that are approved with a batch; none of them secret, nor in need of
        being renewed, as keys and certificates are."""
        self.ensure_one()
        return ["state", *self._address_fields()]

    def _approved_settings(self):
        """Setting to value, for a batch to keep."""
        return {name: self[name] for name in self._approved_fields()}

    def _changed_since(self, approved):
        """The labels of the settings that differ from what was `approved`. A gateway that is disabled sends
        nothing, and may be enabled again as it was."""
        now = self._approved_settings()
        if self.state == "disabled":
            del now["state"]
        return [self._label(name) for name in now if name in approved and approved[name] != now[name]]

    def _settings_text(self, settings):
        """`settings` for people, one a line; what is empty is left out."""
        return "\n".join(
            f"{self._label(name)}: {self._setting_text(name, settings[name])}"
            for name in self._approved_fields()
            if settings.get(name) or (name in settings and self._fields[name].type in ("boolean", "float"))
        )

    def _setting_text(self, name, value):
        field = self._fields[name]
        if field.type == "boolean":
            return _("Yes") if value else _("No")
        if field.type == "float":
            return format(Decimal(str(value)).normalize(), "f")
        if field.type == "selection":
            return dict(field._description_selection(self.env)).get(value, value)
        return value
