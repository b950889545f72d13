"""ID tokens that a provider, or somebody in its place, should not have sent; before a provider that hands out any."""

import asyncio
import base64
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import RSAKey

from services.api.identity_provider import IdentityProvider, ProviderError
from services.core.provider_groups import ProviderGroups

CLIENT, NONCE = "lifeline", "n-0S6_WzA2Mj"
OURS, THEIRS = RSAKey.generate_key(2048, {"kid": "ours"}), RSAKey.generate_key(2048, {"kid": "theirs"})


class _Provider(ThreadingHTTPServer):
    """Describes itself, shows its public key, and hands out ``token`` for whatever code."""

    token: object = None

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, path: str) -> dict[str, Any]:
        if path == "/keys":
            return {"keys": [OURS.as_dict(private=False)]}
        if path == "/token":
            return {"id_token": self.token}
        endpoints = {f"{name}_endpoint": f"{self.issuer}/{name}" for name in ("authorization", "token")}
        return {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys", **endpoints}


class _Handler(BaseHTTPRequestHandler):
    server: _Provider

    def do_GET(self) -> None:
        content = json.dumps(self.server.answer(self.path)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


@pytest.fixture(scope="module")
def provider() -> Iterator[_Provider]:
    with _Provider(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def claims(provider: _Provider, **changed: Any) -> dict[str, Any]:
    now = int(time.time())
    said = {"iss": provider.issuer, "aud": CLIENT, "sub": "sub-1", "iat": now, "exp": now + 300, "nonce": NONCE}
    return {name: value for name, value in (said | changed).items() if value is not None}


def signed(said: dict[str, Any], key: RSAKey = OURS, **header: str) -> str:
    return jwt.encode({"alg": "RS256", "kid": "ours", **header}, said, key)


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _unsigned(said: dict[str, Any]) -> str:
    return f"{_part(json.dumps({'alg': 'none'}).encode())}.{_part(json.dumps(said).encode())}."


def _signed_with_what_everybody_knows(said: dict[str, Any]) -> str:
    parts = [_part(json.dumps(part).encode()) for part in ({"alg": "HS256", "kid": "ours"}, said)]
    signature = hmac.digest(OURS.as_pem(private=False), ".".join(parts).encode(), "sha256")
    return ".".join([*parts, _part(signature)])


def _saying_something_else(said: dict[str, Any]) -> str:
    head, _, signature = signed(said).split(".")
    return f"{head}.{_part(json.dumps(said | {'sub': 'sub-2'}).encode())}.{signature}"


async def believed(provider: _Provider, token: object) -> str:
    provider.token = token
    asked = IdentityProvider(provider.issuer, CLIENT, None, "openid", groups=ProviderGroups())
    return (await asked.identity_behind("code", f"{provider.issuer}/back", NONCE, "v" * 43)).subject


async def test_what_the_provider_signed_for_us_is_believed(provider: _Provider) -> None:
    assert await believed(provider, signed(claims(provider))) == "sub-1"
    both = claims(provider, aud=[CLIENT, "another"], azp=CLIENT)
    assert await believed(provider, signed(both)) == "sub-1"


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "http://127.0.0.1:1"},
        {"iss": None},
        {"aud": "another"},
        {"aud": [CLIENT, "another"]},
        {"aud": None},
        {"sub": None},
        {"exp": 1_700_000_000},
        {"exp": "soon"},
        {"exp": None},
        {"iat": 4_000_000_000},
        {"nbf": 4_000_000_000},
        {"nonce": "another"},
        {"nonce": None},
        {"nonce": ["n"]},
    ],
    ids=str,
)
async def test_a_claim_that_is_not_right_is_not_believed(provider: _Provider, changed: dict[str, Any]) -> None:
    with pytest.raises(ProviderError):
        await believed(provider, signed(claims(provider, **changed)))


async def test_a_signature_that_is_not_the_provider_s_is_not_believed(provider: _Provider) -> None:
    said = claims(provider)
    genuine = signed(said)
    forged = {
        "not signed": _unsigned(said),
        "signed with the public key as a secret": _signed_with_what_everybody_knows(said),
        "signed by somebody else": signed(said, THEIRS),
        "signed by a key that nobody shows": signed(said, THEIRS, kid="theirs"),
        "says something else": _saying_something_else(said),
        "cut short": genuine[:-3],
        "without its signature": genuine.rpartition(".")[0],
        "no text": 7,
        "absent": None,
    }
    for how, token in forged.items():
        with pytest.raises(ProviderError):
            pytest.fail(f"believed a token that is {how}: {await believed(provider, token)}")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 2), replaced=st.binary(max_size=80) | st.text(max_size=40).map(str.encode))
def test_no_bytes_in_a_part_of_a_token_are_more_than_refused(provider: _Provider, place: int, replaced: bytes) -> None:
    parts = signed(claims(provider)).split(".")
    parts[place] = _part(replaced)
    with pytest.raises(ProviderError):
        asyncio.run(believed(provider, ".".join(parts)))
