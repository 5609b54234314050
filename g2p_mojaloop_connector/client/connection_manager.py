"""The scheme's Connection Manager (connection-manager-api 1.6), where institutions and hub exchange
certificates, signing keys and addresses. Everything may be repeated: what is there already is not made again.
"""

from datetime import datetime
from enum import Enum
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from odoo.addons.g2p_payment_hub.client import kept
from odoo.addons.g2p_payment_hub.client.answers import MAX_DETAIL, told
from odoo.addons.g2p_payment_hub.client.auth import TokenCache
from odoo.addons.g2p_payment_hub.client.errors import GatewayError, NotSent, OutcomeUnknown, Reason, Refused
from odoo.addons.g2p_payment_hub.client.http import Answer, HttpClient, HttpLimits

from . import bodies
from .login import ClientCredentials
from .service import Service

_PROCESS_TOKENS = TokenCache()


class ManagerSettings(BaseModel):
    """`url` ends before /dfsps; mostly with /api."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    url: str
    dfsp_id: str
    login: ClientCredentials | None = None
    extra_headers: dict[str, SecretStr] = Field(default_factory=dict)
    ca_bundle: str = ""
    limits: HttpLimits = HttpLimits()


class EnrollmentState(str, Enum):
    WAITING = "waiting"  # for the hub's operator
    SIGNED = "signed"
    INVALID = "invalid"


class Enrollment(BaseModel):
    """What became of a request for a certificate; `certificate` is PEM once it is signed."""

    model_config = ConfigDict(frozen=True)

    enrollment_id: str
    state: EnrollmentState
    certificate: str = ""


class ConnectionManager:
    """One Connection Manager as one institution; `close` it after use, or use it in a `with`.

    Every method raises a GatewayError: Refused when it said no, NotSent when nothing arrived, and
    OutcomeUnknown otherwise. After each of them the same call may be made again.
    """

    def __init__(self, settings: ManagerSettings, tokens: TokenCache | None = None):
        self._ours = f"/dfsps/{quote(settings.dfsp_id, safe='')}"
        self._service = Service(
            settings.url,
            HttpClient(settings.ca_bundle, settings.limits),
            tokens or _PROCESS_TOKENS,
            settings.login,
            {name: value.get_secret_value() for name, value in settings.extra_headers.items()},
        )

    def __enter__(self) -> "ConnectionManager":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        self._service.close()

    # Our certificate for mutual TLS

    def enroll(self, request: str) -> Enrollment:
        """Asks for a certificate (`request` is PEM), unless this very request was made already."""
        for row in self._list(f"{self._ours}/enrollments/inbound"):
            if str(row.get("csr") or "").strip() == request.strip():
                return _enrollment(row)
        made = self._post(f"{self._ours}/enrollments/inbound", {"clientCSR": request})
        return self.enrollment(_enrollment(made).enrollment_id)

    def enrollment(self, enrollment_id: str) -> Enrollment:
        """What became of it by now."""
        return _enrollment(self._get(f"{self._ours}/enrollments/inbound/{quote(enrollment_id, safe='')}"))

    # Whom to trust

    def hub_authority(self) -> str:
        """PEM of the hub's authority with what links to it; "" when it is a public one."""
        return _chain(self._get("/hub/ca", missing={}))

    def hub_server_certificates(self) -> str:
        """PEM of the hub's server certificate and its chain; "" when none is published."""
        return _chain(self._get("/hub/servercerts", missing={}))

    def publish_server_certificate(self, certificate: str, between: str = "", root: str = "") -> str:
        """PEM of the certificate that our listener shows to the hub, of what links it to its authority, and
        of that, unless it is a public one. What is published before is replaced. "", or what the manager,
        which takes it all the same, finds wrong with it."""
        authority = _pem(rootCertificate=root, intermediateChain=between)
        wrong = _objection(self._post(f"{self._ours}/ca", authority)) if authority else ""
        server = self._post(f"{self._ours}/servercerts", {"serverCertificate": certificate, **authority})
        return wrong or _objection(server)

    # Signing keys

    def publish_signing_key(self, public_key: str, created_at: datetime) -> str:
        """Our public key (PEM), with which the others check what we sign. Replaces an older one. "", or what
        the manager finds wrong with it."""
        made = int(created_at.timestamp())
        return _objection(self._post(f"{self._ours}/jwscerts", {"publicKey": public_key, "createdAt": made}))

    def signing_keys(self) -> dict[str, str]:
        """Public keys (PEM) of all institutions, by their names. Some managers list the hub as well."""
        rows = self._list("/dfsps/jwscerts")
        keys = {_text(row, "dfspId"): _text(row, "publicKey") for row in rows}
        return {name: key for name, key in keys.items() if name and key}

    def hub_signing_key(self) -> tuple[str, str]:
        """The name under which the hub signs, and its public key (PEM); "" for what is not told."""
        row = self._get("/hub/jwscerts", missing={})
        return _text(row, "dfspId"), _text(row, "publicKey")

    # Addresses

    def publish_callback_url(self, url: str) -> list[str]:
        """Where the hub calls us back. Returns the others that stay published: only the hub's operator may
        take them out."""
        return self._publish(f"{self._ours}/endpoints/ingress/urls", "url", [{"url": url}])

    def publish_addresses(self, addresses: list[str], ports: list[str], description: str = "") -> list[str]:
        """The addresses (or ranges, as in 10.0.0.0/24) from which our requests come. Returns as
        `publish_callback_url`."""
        values = [{"address": address, "ports": ports} for address in addresses]
        return self._publish(f"{self._ours}/endpoints/egress/ips", "address", values, description=description)

    def _publish(self, path: str, name: str, values: list[dict[str, Any]], **more: str) -> list[str]:
        rows = self._list(path)
        for value in values:
            if not any(_covers(row.get("value"), value) for row in rows):
                self._post(path, {"value": {**value, **more}})
        ours = {value[name] for value in values}
        return [one for one in _values(rows, name) if one not in ours]

    def hub_urls(self) -> list[str]:
        """Where the hub takes requests."""
        return _values(self._list("/hub/endpoints/ingress/urls"), "url")

    def hub_addresses(self) -> list[str]:
        """From where the hub calls us back."""
        return _values(self._list("/hub/endpoints/egress/ips"), "address")

    # How far we are

    def status(self) -> dict[str, str]:
        """By step (ENDPOINTS, CSR_EXCHANGE, ...): NOT_STARTED, IN_PROGRESS or COMPLETED, in the manager's
        words. It publishes one phase with steps; the service answers with a list of them."""
        answer = _parsed(self._service.send("GET", f"{self._ours}/status"), dict | list)
        phases = answer if isinstance(answer, list) else [answer]
        steps = [phase.get("steps") for phase in phases if isinstance(phase, dict)]
        rows = [row for some in steps if isinstance(some, list) for row in some if isinstance(row, dict)]
        return {_text(row, "identifier"): _text(row, "status") for row in rows}

    # Exchanges

    def _get(self, path: str, missing: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self._service.send("GET", path)
        if answer.status == 404 and missing is not None:
            return missing
        return _parsed(answer, dict)

    def _list(self, path: str) -> list[dict[str, Any]]:
        answer = self._service.send("GET", path)
        if answer.status == 404:
            return []
        return [row for row in _parsed(answer, list) if isinstance(row, dict)]

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return _parsed(self._service.send("POST", path, bodies.text_of(body)), dict)


def _parsed(answer: Answer, kind: Any) -> Any:
    if answer.status not in (200, 201):
        raise _error_of(answer)
    body = answer.json()
    if not isinstance(body, kind):
        raise OutcomeUnknown(Reason.NOT_UNDERSTOOD, f"HTTP {answer.status}")
    return body


def _error_of(answer: Answer) -> GatewayError:
    if answer.status in (401, 403):
        return Refused(Reason.LOGIN, f"HTTP {answer.status}")
    if answer.status == 429:
        return NotSent(Reason.BUSY, "HTTP 429")
    if 400 <= answer.status < 500:
        return Refused(Reason.CONFIGURATION, f"HTTP {answer.status} {_message(answer)}".strip())
    if answer.status < 400:
        return OutcomeUnknown(Reason.NOT_UNDERSTOOD, f"HTTP {answer.status}")
    return OutcomeUnknown(Reason.SERVER_ERROR, f"HTTP {answer.status}")


def _message(answer: Answer) -> str:
    try:
        body = answer.json()
    except OutcomeUnknown:
        return ""
    return told(body.get("message"))[:MAX_DETAIL] if isinstance(body, dict) else ""


_STATES = {"CERT_SIGNED": EnrollmentState.SIGNED, "INVALID": EnrollmentState.INVALID}


def _enrollment(row: dict[str, Any]) -> Enrollment:
    identifier = row.get("id")
    if not isinstance(identifier, int | str) or identifier == "":
        raise OutcomeUnknown(Reason.NOT_UNDERSTOOD, "an enrollment without an id")
    state = _STATES.get(_text(row, "state"), EnrollmentState.WAITING)
    certificate = _text(row, "certificate")
    if state is EnrollmentState.SIGNED and not certificate:
        raise OutcomeUnknown(Reason.NOT_UNDERSTOOD, "signed, without a certificate")
    return Enrollment(enrollment_id=kept.text(str(identifier)), state=state, certificate=certificate)


def _chain(members: dict[str, Any]) -> str:
    """The certificates of an answer in one text, the server's own first; a chain is a text or a list."""
    names = ("serverCertificate", "intermediateChain", "rootCertificate")
    parts = [members.get(name) for name in names]
    texts = [one for part in parts for one in (part if isinstance(part, list) else [part])]
    texts = [kept.marked(text).strip() for text in texts if isinstance(text, str)]
    return "\n".join(filter(None, texts))


def _objection(members: dict[str, Any]) -> str:
    """What the manager finds wrong with what it has taken, or ""."""
    if members.get("validationState") != "INVALID":
        return ""
    rows = members.get("validations")
    rows = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    wrong = [row for row in rows if row.get("result") == "INVALID"]
    said = [_text(row, "message") or _text(row, "validationCode") for row in wrong]
    return told("; ".join(filter(None, said)) or "INVALID")[:MAX_DETAIL]


def _covers(published: Any, value: dict[str, Any]) -> bool:
    """Whether what is published has every member of ours."""
    return isinstance(published, dict) and all(published.get(name) == one for name, one in value.items())


def _values(rows: list[dict[str, Any]], name: str) -> list[str]:
    values = [row.get("value") for row in rows]
    texts = [_text(value, name) for value in values if isinstance(value, dict)]
    return [text for text in texts if text]


def _pem(**members: str) -> dict[str, str]:
    return {name: text for name, text in members.items() if text}


def _text(members: dict[str, Any], name: str) -> str:
    value = members.get(name)
    return kept.marked(value) if isinstance(value, str) else ""
