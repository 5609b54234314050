"""Access tokens of the operations app (ph-ee-operations-app v1.20.2, `AuthorizationServerConfig`)."""

import contextlib
import hashlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from pydantic import BaseModel, ConfigDict, SecretStr

from .errors import GatewayError, NotSent, OutcomeUnknown, Reason, Refused
from .http import Answer, HttpClient

RENEW_BEFORE_EXPIRY = 60  # seconds
_PATH = "/oauth/token"


class Credentials(BaseModel):
    """Who we are to the operations app. The client pair is `client` and empty by default, as in the hub."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    tenant: str
    username: str
    password: SecretStr
    client_id: str = "client"
    client_secret: SecretStr = SecretStr("")

    def login(self, http: HttpClient, url: str, headers: Mapping[str, str]) -> "Login":
        return _Login(http, url, self, headers)

    def cache_key(self, url: str) -> str:
        secrets = (self.password.get_secret_value(), self.client_secret.get_secret_value())
        parts = (url, self.tenant, self.username, self.client_id, *secrets)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


class Token(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    access: SecretStr
    refresh: SecretStr
    renew_at: float


class Login(Protocol):
    """How to ask for a token: anew, or with the refresh token of an earlier one. Errors as
    `TokenCache.get`."""

    def fresh(self) -> Answer: ...

    def refresh(self, token: SecretStr) -> Answer: ...


class Account(Protocol):
    """Who asks for a token: `Credentials`, or those of another kind of payment system."""

    def login(self, http: HttpClient, url: str, headers: Mapping[str, str]) -> Login: ...

    def cache_key(self, url: str) -> str: ...


class Slot:
    """Where a token is kept; whoever holds it is the only one."""

    def __init__(self, token: Token | None = None):
        self.token = token


class TokenCache:
    """Tokens of this process, one for each address, tenant and user. Safe between threads.

    `slot` is what another place to keep them, shared between processes, overrides.
    """

    def __init__(self, clock: Callable[[], float] = time.time):
        self.clock = clock
        # One for each token: a hub that does not answer must not keep the others waiting.
        self._locks: dict[str, threading.Lock] = defaultdict(threading.Lock)
        self._slots: dict[str, Slot] = defaultdict(Slot)

    @contextlib.contextmanager
    def slot(self, key: str) -> Iterator[Slot]:
        """The slot of a token, locked; what is put into it is kept at the end of the `with`."""
        with self._locks[key]:
            yield self._slots[key]

    def get(
        self, http: HttpClient, url: str, credentials: Account, headers: Mapping[str, str] | None = None
    ) -> str:
        """A token with some life left; asks for one under the lock, so that threads do not ask together.

        Refused(LOGIN) when user, password or client are wrong, Refused(TENANT) when the tenant may be.
        """
        with self.slot(credentials.cache_key(url)) as slot:
            if slot.token is None or slot.token.renew_at <= self.clock():
                slot.token = self._renewed(credentials.login(http, url, headers or {}), slot.token)
            return slot.token.access.get_secret_value()

    def forget(self, url: str, credentials: Account, access: str) -> None:
        """Never gives out again a token that was rejected; another thread may have a newer one already."""
        with self.slot(credentials.cache_key(url)) as slot:
            if slot.token is not None and slot.token.access.get_secret_value() == access:
                slot.token = slot.token.model_copy(update={"renew_at": 0.0})

    def _renewed(self, login: Login, old: Token | None) -> Token:
        if old is not None and old.refresh.get_secret_value():
            # A refresh token lives for half a day; when it is refused, log in anew.
            with contextlib.suppress(Refused):
                return self._token(login.refresh(old.refresh))
        return self._token(login.fresh())

    def _token(self, answer: Answer) -> Token:
        body = answer.json()
        try:
            lifetime = int(body["expires_in"])
            return Token(
                access=body["access_token"],
                refresh=body.get("refresh_token") or "",
                renew_at=self.clock() + lifetime - min(RENEW_BEFORE_EXPIRY, lifetime / 2),
            )
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise OutcomeUnknown(Reason.NOT_UNDERSTOOD, "no token in the answer") from error


class _Login:
    """The two ways to ask for a token."""

    def __init__(self, http: HttpClient, url: str, credentials: Credentials, headers: Mapping[str, str]):
        self._http = http
        self._url = url.rstrip("/") + _PATH
        self._credentials = credentials
        self._headers = {**headers, "Platform-TenantId": credentials.tenant, "Accept": "application/json"}

    def refresh(self, token: SecretStr) -> Answer:
        return self._ask({"grant_type": "refresh_token", "refresh_token": token.get_secret_value()})

    def fresh(self) -> Answer:
        password = self._credentials.password.get_secret_value()
        return self._ask(
            {"grant_type": "password", "username": self._credentials.username, "password": password}
        )

    def _ask(self, form: dict[str, str]) -> Answer:
        # In the form and not in the query, which ends up in access logs.
        secret = self._credentials.client_secret.get_secret_value()
        answer = self._http.send(
            "POST", self._url, data=form, headers=self._headers, auth=(self._credentials.client_id, secret)
        )
        if answer.status != 200:
            raise login_error(answer)
        return answer


def login_error(answer: Answer) -> GatewayError:
    if answer.status in (400, 401, 403):
        return Refused(Reason.LOGIN, f"HTTP {answer.status}")
    if answer.status == 500 and not answer.body.strip():
        # `TenantAwareHeaderFilter`: a missing or unknown tenant, and nothing else known, answers so.
        return Refused(Reason.TENANT, "HTTP 500 without a body")
    if answer.status == 429:
        return NotSent(Reason.BUSY, "HTTP 429")
    return OutcomeUnknown(Reason.SERVER_ERROR, f"HTTP {answer.status}")
