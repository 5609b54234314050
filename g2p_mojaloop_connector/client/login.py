"""Access tokens by OAuth 2.0 client credentials (RFC 6749, 4.4), for what stands in front of a connector and
for the Connection Manager."""

import hashlib
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, SecretStr

from odoo.addons.g2p_payment_hub.client.auth import login_error
from odoo.addons.g2p_payment_hub.client.http import Answer, HttpClient


class ClientCredentials(BaseModel):
    """For `TokenCache`; its `url` is where tokens are given out."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    token_url: str
    client_id: str
    client_secret: SecretStr
    scope: str = ""

    def cache_key(self, url: str) -> str:
        parts = (url, self.client_id, self.client_secret.get_secret_value(), self.scope)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def login(self, http: HttpClient, url: str, headers: Mapping[str, str]) -> "ClientLogin":
        return ClientLogin(http, url, self, headers)


class ClientLogin:
    """Asks for a token. Refused(LOGIN) when id or secret are wrong."""

    def __init__(
        self, http: HttpClient, url: str, credentials: ClientCredentials, headers: Mapping[str, str]
    ):
        self._http = http
        self._url = url
        self._credentials = credentials
        self._headers = {**headers, "Accept": "application/json"}

    def refresh(self, _token: SecretStr) -> Answer:
        """A refresh token should not be given for client credentials (RFC 6749, 4.4.3), and is not needed."""
        return self.fresh()

    def fresh(self) -> Answer:
        form = {"grant_type": "client_credentials"}
        if self._credentials.scope:
            form["scope"] = self._credentials.scope
        pair = (self._credentials.client_id, self._credentials.client_secret.get_secret_value())
        answer = self._http.send("POST", self._url, data=form, headers=self._headers, auth=pair)
        if answer.status != 200:
            raise login_error(answer)
        return answer
