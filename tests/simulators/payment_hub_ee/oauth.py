"""Tokens of ph-ee-operations-app v1.20.2 (AuthorizationServerConfig, AudienceVerifier)."""

import base64
import binascii
import hmac
import json
import uuid

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from .web import answer, html

CLIENT_ID, CLIENT_SECRET = "client", ""
AUDIENCE = "identity-provider"


class BadToken(Exception):
    """The text is the error_description of the answer."""


class Tokens:
    """RS256 tokens for the tenants; stateless, so they outlive a restart with the same key."""

    def __init__(self, key, clock, settings, password):
        self._key, self._clock, self._settings = key, clock, settings
        self._password = password

    # -- /oauth/token ----------------------------------------------------------------------------------

    def token(self, request):
        """Answer of POST /oauth/token."""
        if not self._known_client(request.headers.get("Authorization", "")):
            return html(401, "Unauthorized")
        form = request.form()
        grant = form.get("grant_type")
        if grant == "password":
            return self._password_grant(request.tenant, form)
        if grant == "refresh_token":
            return self._refresh_grant(request.tenant, form)
        text = f"Unsupported grant type: {grant}" if grant else "Missing grant type"
        return answer(400, {"error": text})

    @staticmethod
    def _known_client(header):
        kind, _blank, value = header.partition(" ")
        try:
            given = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, ValueError):
            return False
        return kind.lower() == "basic" and hmac.compare_digest(given, f"{CLIENT_ID}:{CLIENT_SECRET}")

    def _password_grant(self, tenant, form):
        name = form.get("username", "") == self._settings.username
        word = hmac.compare_digest(form.get("password", "").encode(), self._password.encode())
        return self._grant(tenant) if name and word else self._invalid_credentials()

    def _refresh_grant(self, tenant, form):
        try:
            claims = self._claims(form.get("refresh_token", ""))
        except BadToken as error:
            return answer(400, {"error": str(error)})
        if claims.get("ati") is None or tenant not in claims["aud"]:
            return answer(400, {"error": "Invalid refresh token"})
        return self._grant(tenant)

    def _invalid_credentials(self):
        body = {
            "timestamp": int(self._clock.shown() * 1000),
            "status": "401",
            "error": "Unauthorized",
            "message": "Invalid credentials",
            "path": "/oauth/token",
        }
        return answer(401, body, "text/plain;charset=UTF-8")

    def _grant(self, tenant):
        settings = self._settings
        claims = {
            "aud": [AUDIENCE, tenant],
            "user_name": settings.username,
            "scope": ["identity"],
            "authorities": ["ALL_FUNCTIONS"],
            "client_id": CLIENT_ID,
            "jti": str(uuid.uuid4()),
        }
        refresh = {**claims, "ati": claims["jti"], "jti": str(uuid.uuid4())}
        body = {
            "access_token": self._encode(claims, settings.token_seconds),
            "token_type": "bearer",
            "refresh_token": self._encode(refresh, settings.refresh_seconds),
            "expires_in": int(settings.token_seconds),
            "scope": "identity",
            "jti": claims["jti"],
        }
        return answer(200, body)

    # -- Bearer ----------------------------------------------------------------------------------------

    def refusal(self, request):
        """The answer to a call under /api/v1 that may not go on, or None."""
        header = request.headers.get("Authorization", "")
        if not header.lower().startswith("bearer "):
            return None if self._settings.no_auth else unauthorized()
        try:
            claims = self._claims(header[7:].strip())
        except BadToken as error:
            return invalid_token(str(error))
        if "ati" in claims or request.tenant not in claims["aud"]:
            return invalid_token("Encoded token is not for this tenant")
        return None

    # -- JWT -------------------------------------------------------------------------------------------

    def _encode(self, claims, seconds):
        head = _pack({"alg": "RS256", "typ": "JWT"})
        body = _pack({**claims, "exp": self._clock.now() + seconds})
        signature = self._key.sign(f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{head}.{body}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"

    def _claims(self, token):
        """The claims of a token that we made and that has not expired."""
        try:
            head, body, signature = token.split(".")
            self._key.public_key().verify(
                _unpack(signature), f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256()
            )
            claims = json.loads(_unpack(body))
        except (ValueError, InvalidSignature):
            raise BadToken("Cannot convert access token to JSON") from None
        if claims["exp"] <= self._clock.now():
            raise BadToken(f"Access token expired: {token}")
        return claims


def invalid_token(description):
    response = answer(401, {"error": "invalid_token", "error_description": description})
    response.headers["WWW-Authenticate"] = (
        f'Bearer realm="{AUDIENCE}", error="invalid_token", error_description="{description}"'
    )
    return response


def unauthorized():
    text = "Full authentication is required to access this resource"
    response = answer(401, {"error": "unauthorized", "error_description": text})
    response.headers["WWW-Authenticate"] = (
        f'Bearer realm="{AUDIENCE}", error="unauthorized", error_description="{text}"'
    )
    return response


def _pack(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _unpack(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
