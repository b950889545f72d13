"""What a browser holds of a session, and how a request that it sends by itself is told from one that a page meant."""

import hmac
from urllib.parse import urlsplit

from fastapi import Request, Response

from services.api import problems

COOKIE = "__Host-lifeline_session"
"""The prefix keeps other hosts of the same domain from setting it, and is valid with ``Secure`` alone."""
PLAIN_COOKIE = "lifeline_session"
"""On a page of this very machine without TLS, where browsers refuse the prefix."""
CSRF_HEADER = "X-CSRF-Token"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def _is_plain(request: Request) -> bool:
    return request.url.scheme == "http" and request.url.hostname in _LOOPBACK


def token_of(request: Request) -> str | None:
    """What the session's cookie holds, where the browser sent one."""
    return request.cookies.get(PLAIN_COOKIE if _is_plain(request) else COOKIE) or None


def give(request: Request, response: Response, token: str, lasts_s: float) -> None:
    """Let the browser keep a session's token where no script can read it and no other site can make it be sent."""
    name = PLAIN_COOKIE if _is_plain(request) else COOKIE
    response.set_cookie(
        name, token, max_age=int(lasts_s), path="/", secure=not _is_plain(request), httponly=True, samesite="strict"
    )


def take_back(request: Request, response: Response) -> None:
    """Let the browser forget the token."""
    name = PLAIN_COOKIE if _is_plain(request) else COOKIE
    response.delete_cookie(name, path="/", secure=not _is_plain(request), httponly=True, samesite="strict")


def csrf_token(token: str) -> str:
    """What a page sends along with a change; whoever cannot read the API's answers cannot know it."""
    return hmac.digest(token.encode(), b"csrf", "sha256").hex()


def check_origin(request: Request, public_url: str | None) -> None:
    """Refuse a change that a page of another site sends.

    Raises:
        Problem: 403, the origin is not ours.
    """
    origin = request.headers.get("origin")
    if origin is None:
        return
    ours = {request.headers.get("host"), urlsplit(public_url or "").netloc}
    if urlsplit(origin).netloc not in ours - {None, ""}:
        raise problems.foreign_origin()


def check_meant(request: Request, token: str, public_url: str | None) -> None:
    """Refuse a change that comes with the cookie alone, as any site can make a browser send it.

    Raises:
        Problem: 403, the token in ``X-CSRF-Token`` is missing or wrong, or the origin is not ours.
    """
    if request.method in _SAFE:
        return
    check_origin(request, public_url)
    if not hmac.compare_digest(request.headers.get(CSRF_HEADER, "").encode(), csrf_token(token).encode()):
        raise problems.foreign_origin()
