"""The add-ons' plain Python without Odoo: an add-on's __init__ needs Odoo, so its name is a bare package.

Under odoo.addons the add-ons know each other. For a process that does not import Odoo itself.
"""

import sys
import types
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_ADDONS = ("g2p_payment_hub", "g2p_payment_reconcile", "g2p_mojaloop_connector")


def _bare_package(name, *folders):
    if name not in sys.modules:
        package = types.ModuleType(name)
        package.__path__ = [str(_ROOT / folder) for folder in folders]
        sys.modules[name] = package


_bare_package("odoo")
_bare_package("odoo.addons")
for _addon in _ADDONS:
    _bare_package(f"odoo.addons.{_addon}", _addon)
    _bare_package(_addon, _addon)
for _folder in ("models", "evidence"):
    _bare_package(f"g2p_payment_reconcile.{_folder}", f"g2p_payment_reconcile/{_folder}")
