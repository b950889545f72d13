"""``Link`` on a page of a list: the address of the next one, for clients that know nothing of this API (RFC 8288)."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.schemas import Page

HEADER = "Link"
DESCRIBED = {
    "description": '`<…>; rel="next"`: where the next page is; absent on the last one',
    "schema": {"type": "string"},
}
"""The header in the API's description."""
_NEXT = b'"next":'


def is_page(answer: Any) -> bool:
    """Whether a route answers with a page of a list."""
    return isinstance(answer, type) and issubclass(answer, Page)


class PageLinks:
    """Reads the cursor at the end of a page, which every page has last, and says where it leads."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold the head of an answer back until its one body has come; what is no page passes at once."""
        head: Message | None = None

        async def linked(message: Message) -> None:
            nonlocal head
            if message["type"] == "http.response.start" and is_page(
                getattr(scope.get("route"), "response_model", None)
            ):
                head = message
                return
            if head is not None:
                if (cursor := _cursor(message.get("body", b""))) is not None:
                    link = f'<{_next_address(scope, cursor)}>; rel="next"'
                    head["headers"] = [*head["headers"], (HEADER.lower().encode(), link.encode())]
                held, head = head, None
                await send(held)
            await send(message)

        await self._app(scope, receive, linked)


def _cursor(body: bytes) -> str | None:
    begins = body.rfind(_NEXT)
    if begins < 0:
        return None
    try:
        cursor = json.loads(body[begins + len(_NEXT) :].removesuffix(b"}"))
    except ValueError:
        return None  # a problem whose words hold the name
    return cursor if isinstance(cursor, str) else None


def _next_address(scope: Scope, cursor: str) -> str:
    """Relative to the host, which may be another one before a proxy."""
    asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    kept = [(name, value) for name, value in asked if name != "cursor"]
    return f"{scope['path']}?{urlencode([*kept, ('cursor', cursor)])}"
