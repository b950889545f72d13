"""An OpenID Connect provider: authorization code with PKCE, and an ID token that is looked at before it is believed.

Follows OpenID Connect Core 1.0 (3.1), Discovery 1.0 (4) and RFC 7636.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from services.core.limits import Limits
from services.core.provider_groups import ProviderGroups
from services.core.role import Role
from services.core.settings import Settings

_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures with the provider's public keys alone: ``none`` and shared secrets are refused."""
_LEEWAY_S = 60
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_TIMEOUT_S = 10.0


class ProviderError(Exception):
    """The provider is away, or says something that is not to be believed; the message says what."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the provider vouches for, and what its groups mean here."""

    issuer: str
    subject: str
    name: str
    label: str
    roles: frozenset[Role]
    limits: Limits


class IdentityProvider:
    """The provider that the settings name."""

    def __init__(
        self, issuer: str, client_id: str, client_secret: str | None, scopes: str, *, groups: ProviderGroups
    ) -> None:
        """Nothing is asked of the provider before somebody logs in.

        Raises:
            ValueError: the issuer is neither HTTPS nor on this machine.
        """
        parts = urlsplit(issuer)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise ValueError("LIFELINE_OIDC_ISSUER must begin with https://")
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._scopes = scopes
        self._groups = groups

    async def address_to_begin(self, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Where to send a browser that wants to log in.

        Raises:
            ProviderError: it does not answer as a provider does.
        """
        async with self._client() as client:
            described = await self._described(client)
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": self._scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        endpoint = str(described["authorization_endpoint"])
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(asked)}"

    async def identity_behind(self, code: str, redirect_uri: str, nonce: str, verifier: str) -> Identity:
        """Whom a code that a browser came back with stands for.

        Raises:
            ProviderError: the code is refused, or the token that it is exchanged for is not to be believed.
        """
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self._client_id,
            "code_verifier": verifier,
        }
        async with self._client() as client:
            described = await self._described(client)
            how = described.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
            credentials = None
            if self._client_secret is not None and "client_secret_basic" in how:
                credentials = httpx.BasicAuth(self._client_id, self._client_secret)
            elif self._client_secret is not None:
                asked["client_secret"] = self._client_secret
            tokens = await _answer(client, "POST", str(described["token_endpoint"]), data=asked, auth=credentials)
            keys = await _answer(client, "GET", str(described["jwks_uri"]))
        return self._identity(self._believed(tokens.get("id_token"), keys, nonce))

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=_TIMEOUT_S, follow_redirects=False)

    async def _described(self, client: httpx.AsyncClient) -> Mapping[str, Any]:
        described = await _answer(client, "GET", f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if described.get("issuer") != self._issuer:
            raise ProviderError(f"the provider calls itself {described.get('issuer')!r}")
        for endpoint in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not isinstance(described.get(endpoint), str):
                raise ProviderError(f"the provider names no {endpoint}")
        return described

    def _believed(self, token: object, keys: Any, nonce: str) -> Mapping[str, Any]:
        """What a token says, once signature, issuer, audience, time and nonce are right."""
        if not isinstance(token, str):
            raise ProviderError("the provider sent no ID token")
        expected = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        try:
            claims = jwt.decode(token, KeySet.import_key_set(keys), algorithms=list(_ALGORITHMS)).claims
            expected.validate(claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise ProviderError(f"the ID token is not to be believed ({type(error).__name__}: {error})") from None
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise ProviderError("the ID token was made for another login")
        if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != self._client_id:
            raise ProviderError("the ID token was made for another service")
        return dict(claims)

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        subject = str(claims["sub"])
        name = str(claims.get("preferred_username") or claims.get("email") or subject).strip().lower()
        groups = self._groups.groups_in(claims)
        label = str(claims.get("name") or name)[:100]
        return Identity(
            self._issuer, subject, name, label, self._groups.roles_of(groups), self._groups.limits_of(groups)
        )


def challenge_of(verifier: str) -> str:
    """What is told of a verifier before the verifier itself (RFC 7636, S256)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


async def _answer(client: httpx.AsyncClient, method: str, address: str, **more: Any) -> dict[str, Any]:
    try:
        response = await client.request(method, address, headers={"Accept": "application/json"}, **more)
        response.raise_for_status()
        answer = response.json()
    except (httpx.HTTPError, ValueError) as error:
        raise ProviderError(f"the provider did not answer as expected ({type(error).__name__})") from None
    if not isinstance(answer, dict):
        raise ProviderError("the provider did not answer as expected")
    return answer


def provider_of(settings: Settings) -> IdentityProvider | None:
    """The provider that the settings name, if they name one.

    Raises:
        ValueError: what they say of it cannot be right.
    """
    if settings.oidc_issuer is None:
        return None
    secret = settings.oidc_client_secret
    return IdentityProvider(
        settings.oidc_issuer,
        settings.oidc_client_id,
        None if secret is None else secret.get_secret_value(),
        settings.oidc_scopes,
        groups=ProviderGroups(settings.oidc_role_claim, settings.oidc_roles, settings.oidc_limits),
    )
