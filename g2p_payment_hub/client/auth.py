"""Access tokens of the operations app (ph-ee-operations-app v1.20.2, `AuthorizationServerConfig`)."""

import hashlib
import threading
import time
from collections.abc import Callable

from pydantic import BaseModel, ConfigDict, SecretStr

from .errors import GatewayError, OutcomeUnknown, Reason, Refused
from .http import Answer, HttpClient

RENEW_BEFORE_EXPIRY = 60  # seconds
_PATH = "/oauth/token"


class Credentials(BaseModel):
    """Who we are to the operations app. The client pair is `client` and empty by default, as in the hub."""

    model_config = ConfigDict(frozen=True)

    tenant: str
    username: str
    password: SecretStr
    client_id: str = "client"
    client_secret: SecretStr = SecretStr("")

    def cache_key(self, url: str) -> str:
        parts = (url, self.tenant, self.username, self.password.get_secret_value(), self.client_id)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


class Token(BaseModel):
    model_config = ConfigDict(frozen=True)

    access: SecretStr
    refresh: SecretStr
    expires_at: float


class TokenCache:
    """Tokens of this process, one for each address, tenant and user. Safe between threads."""

    def __init__(self, clock: Callable[[], float] = time.time):
        self.clock = clock
        self._lock = threading.RLock()
        self._tokens: dict[str, Token] = {}

    def get(self, http: HttpClient, url: str, credentials: Credentials) -> str:
        """A token with some life left; asks for one under the lock, so that threads do not ask together.

        Refused(LOGIN) when user, password or client are wrong, Refused(TENANT) when the tenant may be.
        """
        key = credentials.cache_key(url)
        with self._lock:
            token = self._tokens.get(key)
            if token is None or token.expires_at - RENEW_BEFORE_EXPIRY <= self.clock():
                token = self._renewed(http, url, credentials, token)
                self._tokens[key] = token
            return token.access.get_secret_value()

    def forget(self, url: str, credentials: Credentials) -> None:
        """Drops a token that the other side has rejected."""
        with self._lock:
            self._tokens.pop(credentials.cache_key(url), None)

    def _renewed(
        self, http: HttpClient, url: str, credentials: Credentials, old: Token | None
    ) -> Token:
        if old is not None and old.refresh.get_secret_value():
            form = {"grant_type": "refresh_token", "refresh_token": old.refresh.get_secret_value()}
            try:
                return self._ask(http, url, credentials, form)
            except Refused:
                pass  # a refresh token lives for half a day: log in anew
        form = {
            "grant_type": "password",
            "username": credentials.username,
            "password": credentials.password.get_secret_value(),
        }
        return self._ask(http, url, credentials, form)

    def _ask(
        self, http: HttpClient, url: str, credentials: Credentials, form: dict[str, str]
    ) -> Token:
        # In the form and not in the query, which ends up in access logs.
        answer = http.send(
            "POST",
            url.rstrip("/") + _PATH,
            data=form,
            headers={"Platform-TenantId": credentials.tenant, "Accept": "application/json"},
            auth=(credentials.client_id, credentials.client_secret.get_secret_value()),
        )
        if answer.status != 200:
            raise _login_error(answer)
        return self._token(answer)

    def _token(self, answer: Answer) -> Token:
        body = answer.json()
        try:
            return Token(
                access=body["access_token"],
                refresh=body.get("refresh_token") or "",
                expires_at=self.clock() + int(body["expires_in"]),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise OutcomeUnknown(Reason.NOT_UNDERSTOOD, "no token in the answer") from error


def _login_error(answer: Answer) -> GatewayError:
    if answer.status in (400, 401, 403):
        return Refused(Reason.LOGIN, f"HTTP {answer.status}")
    if answer.status == 500 and not answer.body.strip():
        # `TenantAwareHeaderFilter`: a missing or unknown tenant, and nothing else known, answers so.
        return Refused(Reason.TENANT, "HTTP 500 without a body")
    return OutcomeUnknown(Reason.SERVER_ERROR, f"HTTP {answer.status}")
