"""Requests to one service: its address, our headers, and a token when it wants one."""

from collections.abc import Mapping
from typing import Any

from odoo.addons.g2p_payment_hub.client.auth import TokenCache
from odoo.addons.g2p_payment_hub.client.http import Answer, HttpClient

from .login import ClientCredentials


class Service:
    """Sends one request at a time, and none twice, except that a token which was turned away is replaced
    once: then the request was not looked at."""

    def __init__(
        self,
        url: str,
        http: HttpClient,
        tokens: TokenCache,
        login: ClientCredentials | None = None,
        headers: Mapping[str, str] | None = None,
    ):
        self._url = url.rstrip("/")
        self._http = http
        self._tokens = tokens
        self._login = login
        self._headers = {**(headers or {}), "Accept": "application/json"}

    def close(self) -> None:
        self._http.close()

    def send(self, method: str, path: str, body: str | None = None, **arguments: Any) -> Answer:
        """`path` starts with a slash; `body` is JSON. Errors as `HttpClient.send` and `TokenCache.get`."""
        token = self._token()
        answer = self._send(method, path, body, token, arguments)
        if answer.status == 401 and token:
            self._tokens.forget(self._login.token_url, self._login, token)
            answer = self._send(method, path, body, self._token(), arguments)
        return answer

    def _token(self) -> str:
        if self._login is None:
            return ""
        return self._tokens.get(self._http, self._login.token_url, self._login)

    def _send(
        self, method: str, path: str, body: str | None, token: str, arguments: dict[str, Any]
    ) -> Answer:
        headers = dict(self._headers)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
            arguments = {**arguments, "data": body.encode()}
        return self._http.send(method, self._url + path, headers=headers, **arguments)
