"""``Idempotency-Key``: a request that is sent again because its answer was lost is answered again, and done once."""

import hashlib
from dataclasses import dataclass

import psycopg
import psycopg_pool
import structlog
from fastapi import Request, Response
from psycopg import AsyncConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api import problems
from services.core.store import idempotent_requests

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
LONGEST_KEY = 200
_LONGEST_ANSWER = 1 << 20
_STATE = "idempotency"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Claim:
    """Which answer is to be kept."""

    caller: str
    key: str


class AnsweredBeforeError(Exception):
    """The request was done already; carries what it was answered."""

    def __init__(self, earlier: idempotent_requests.EarlierRequest) -> None:
        super().__init__("answered before")
        self.earlier = earlier


async def claim(request: Request, connection: AsyncConnection, caller: str, *, is_secret: bool) -> None:
    """Take the request's key in the transaction of its work, where it is a POST that carries one.

    Of a request with secrets in it or in its answer neither is kept, not even a digest, which passwords are guessed by;
    it is still done once.

    Raises:
        AnsweredBeforeError: it was done already.
        Problem: 422, the key was used for another request; 409, it was done and its answer is lost.
    """
    key = request.headers.get(HEADER)
    if key is None or request.method != "POST":
        return
    if not 1 <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise problems.not_valid("header.idempotency-key", f"1 to {LONGEST_KEY} printable ASCII characters")
    if request.headers.get("content-type", "").startswith("multipart/"):
        raise problems.not_valid("header.idempotency-key", "files are known by their content and need no key")
    asked = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    digest = hashlib.sha256(asked if is_secret else asked + await request.body()).digest()
    earlier = await idempotent_requests.claim(connection, caller, key, digest)
    if earlier is None:
        if not is_secret:
            setattr(request.state, _STATE, Claim(caller, key))
        return
    if earlier.digest != digest:
        raise problems.not_valid("header.idempotency-key", "this key was used for another request")
    if earlier.status is None:
        raise problems.not_possible("request", "it was done already, and its answer is lost: look at what is there")
    raise AnsweredBeforeError(earlier)


async def on_answered_before(_: Request, error: Exception) -> Response:
    """The answer of the first time."""
    assert isinstance(error, AnsweredBeforeError)  # noqa: S101 - registered for this class alone
    earlier = error.earlier
    return Response(
        earlier.body or b"",
        status_code=earlier.status or 200,
        media_type=earlier.media_type,
        headers={REPLAYED: "true"},
    )


class KeptAnswers:
    """Keeps the answers of claimed requests; by then the work is committed, so that nothing is lost but the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, and keep the whole answer of a claimed request before its end is sent."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})
        start: Message = {}
        body = bytearray()

        async def kept(message: Message) -> None:
            nonlocal start
            claimed: Claim | None = scope["state"].get(_STATE)
            if claimed is not None:
                if message["type"] == "http.response.start":
                    start = message
                elif len(body) <= _LONGEST_ANSWER:
                    body.extend(message.get("body", b""))
                if start and not message.get("more_body", False) and message["type"] == "http.response.body":
                    await _keep(scope, claimed, start, bytes(body))
            await send(message)

        await self._app(scope, receive, kept)


async def _keep(scope: Scope, claimed: Claim, start: Message, body: bytes) -> None:
    status: int = start["status"]
    if status >= 300 or len(body) > _LONGEST_ANSWER:  # noqa: PLR2004 - what failed was undone, with its claim
        return
    media_type = next((value.decode() for name, value in start["headers"] if name == b"content-type"), None)
    try:
        async with scope["app"].state.pool.connection(timeout=5.0) as connection:
            await idempotent_requests.keep_answer(
                connection, claimed.caller, claimed.key, status=status, media_type=media_type, body=body
            )
    except (psycopg.Error, psycopg_pool.PoolTimeout) as error:
        log.warning("the answer to a request could not be kept", reason=type(error).__name__)
