"""One name for a request in its answer, in its problem, in its trace and in every line of the log that it causes."""

import re
import uuid

import structlog
from opentelemetry import trace
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.core import traces

HEADER = "X-Request-ID"
_NAME = re.compile(r"[A-Za-z0-9_.-]{8,64}")


class NamedRequests:
    """Names each request: as the caller or a proxy named it, where that can stand in a log, or anew."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on with the name in the context of the log, and put it on the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        name = _given(scope) or str(uuid.uuid4())
        # What handles a mistake of ours stands outside of this, and finds it here.
        scope.setdefault("state", {})["request_id"] = name
        trace.get_current_span().set_attribute(traces.REQUEST_ID, name)

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (HEADER.lower().encode(), name.encode())]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=name):
            await self._app(scope, receive, named)


def current() -> str | None:
    """The name of the request that is answered now; ``None`` outside of one."""
    found: str | None = structlog.contextvars.get_contextvars().get("request_id")
    return found


def _given(scope: Scope) -> str | None:
    value = next((value for name, value in scope["headers"] if name == HEADER.lower().encode()), b"")
    text: str = value.decode("latin-1")
    return text if _NAME.fullmatch(text) else None
