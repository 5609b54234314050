"""A gateway with a Connection Manager, for the tests of keys and certificates."""

from unittest.mock import patch

from ..client import keys
from .common import MojaloopCase
from .connection_manager import SECRET, Manager

BUTTONS = (
    "action_mojaloop_generate_request",
    "action_mojaloop_send_request",
    "action_mojaloop_fetch_certificate",
    "action_mojaloop_give_up_request",
    "action_mojaloop_publish_signing_key",
    "action_mojaloop_fetch_peer_keys",
    "action_mojaloop_publish_server_certificate",
    "action_mojaloop_fetch_hub_certificates",
    "action_mojaloop_publish_addresses",
    "action_mojaloop_fetch_hub_addresses",
    "action_mojaloop_refresh_steps",
    "action_mojaloop_download_files",
)
new_key = keys.new_key


class TrustCase(MojaloopCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin_user = cls._user(
            "gateway", "g2p_payment_hub.group_gateway_admin", "base.group_allow_export"
        )
        cls.signing_key = keys.public_key(new_key(2048))

    def setUp(self):
        super().setUp()
        self.connection_manager = Manager()
        self.addCleanup(self.connection_manager.stop)
        # 4096 bits take seconds.
        self._start(patch.object(keys, "new_key", lambda: new_key(2048)))
        self.gateway.write(
            {
                "mojaloop_cm_url": f"{self.connection_manager.url}/api",
                "mojaloop_cm_token_url": f"{self.connection_manager.url}/token",
                "mojaloop_cm_client_id": "treasury",
                "mojaloop_cm_client_secret": SECRET,
                "mojaloop_signing_key": self.signing_key,
                "mojaloop_ingress_url": "https://callbacks.treasury.example",
                "mojaloop_egress_addresses": "196.0.2.10 196.0.2.32/28",
            }
        )
        self.as_admin = self.gateway.with_user(self.admin_user)

    def _press(self, what):
        """What a button's notification says."""
        return self._message(getattr(self.as_admin, f"action_mojaloop_{what}")())

    def _step(self, step="certificate"):
        return self.as_admin.mojaloop_step_ids.filtered(lambda one: one.step == step)

    def _with_certificate(self, days=365):
        self._press("generate_request")
        self._press("send_request")
        self.connection_manager.sign(days)
        self._press("fetch_certificate")
        return self.gateway.mojaloop_client_certificate

    def _key(self, name):
        return self.gateway._secrets().get(name, "")

    def _publish(self, hub=None, **published):
        """What is said when the keys were fetched that others have published; `hub`: its name and its key."""
        rows = [{"dfspId": name, "publicKey": key} for name, key in published.items()]
        self.connection_manager.others["/dfsps/jwscerts"] = (200, rows)
        answer = (200, {"dfspId": hub[0], "publicKey": hub[1]}) if hub else (404, {})
        self.connection_manager.others["/hub/jwscerts"] = answer
        return self._press("fetch_peer_keys")
