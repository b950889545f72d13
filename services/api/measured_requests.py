"""What every answer has in common: its time is measured by route, and it carries the headers that protect a browser."""

import time
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api import problems

_SECURITY_HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(self), microphone=(), payment=(), usb=()",
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
        "worker-src 'self' blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
}
_HEADERS = [(name.lower().encode(), value.encode()) for name, value in _SECURITY_HEADERS.items()]
_HTTPS_ONLY = (b"strict-transport-security", b"max-age=31536000")
_OURS = frozenset(name for name, _ in [*_HEADERS, _HTTPS_ONLY])


def request_seconds(metrics: CollectorRegistry) -> Histogram:
    """The metric, on record from the start: the application makes its middleware with the first request."""
    labels = ("method", "route", "status")
    return Histogram("lifeline_api_request_seconds", "Time until the answer began, by route", labels, registry=metrics)


class MeasuredRequests:
    """Looks at the beginning of an answer alone.

    What follows passes untouched: thousands of listeners to live events would pay for every hand that it goes through.
    """

    def __init__(self, app: ASGIApp, seconds: Histogram) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; measure and add the headers when the answer begins."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def begun(message: Message) -> None:
            if message["type"] == "http.response.start":
                path = getattr(scope.get("route"), "path", "unknown")
                method = scope["method"] if scope["method"] in problems.METHODS else "other"
                self._seconds.labels(method, path, message["status"]).observe(time.perf_counter() - began)
                others = [(name, value) for name, value in message["headers"] if name not in _OURS]
                https_only = [_HTTPS_ONLY] if scope["scheme"] == "https" else []
                message["headers"] = [*others, *_HEADERS, *https_only]
            await send(message)

        await self._app(scope, receive, begun)
