"""Parts of the API in which nothing can be changed say so."""

from collections.abc import Sequence

from rfc9457 import Problem
from starlette.types import ASGIApp, Receive, Scope, Send

from services.api import problems

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class ReadOnly:
    """Answers every change below some paths with 405 and where changes are made instead."""

    def __init__(self, app: ASGIApp, paths: Sequence[str]) -> None:
        self._app = app
        self._paths = tuple(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what reads."""
        if scope["type"] != "http" or scope["method"] in _READING or not scope["path"].startswith(self._paths):
            await self._app(scope, receive, send)
            return
        refusal = Problem(
            "For reading only",
            type_="read-only",
            status=405,
            detail="readings come in over MQTT and the register is imported; here both are read",
            headers={"Allow": "GET"},
        )
        await problems.answer(refusal)(scope, receive, send)
