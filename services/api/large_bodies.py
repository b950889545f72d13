"""What a request that is too large is answered: as a problem, like every other refusal.

The framework measures bodies outside everything that is added to it, and answers in plain text.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api import problems

_TOO_LARGE = 413


class LargeBodies:
    """Puts a problem in the place of the framework's answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on but an answer 413 that is no problem yet."""
        is_replaced = False

        async def answered(message: Message) -> None:
            nonlocal is_replaced
            if message["type"] == "http.response.start" and message["status"] == _TOO_LARGE:
                kinds = [value for name, value in message["headers"] if name.lower() == b"content-type"]
                is_replaced = problems.MEDIA_TYPE.encode() not in kinds
                if is_replaced:
                    await problems.answer(problems.too_large())(scope, receive, send)
            if not is_replaced:
                await send(message)

        await self._app(scope, receive, answered)
