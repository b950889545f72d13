"""A client of the service for programs that do other things while an answer is on its way (asyncio)."""

import asyncio
from collections.abc import AsyncIterator
from ssl import SSLContext
from types import TracebackType
from typing import Any, Self

import httpx
from httpx_sse import EventSource, SSEError
from pydantic import ValidationError

from services.client import exchange
from services.client.call import AnswerT, Call, Listing
from services.client.event import Choice, Event, read_event
from services.client.problem import AnswerError


class AsyncClient:
    """Sends calls and reads their answers; used in an ``async with``, which closes its connections."""

    def __init__(
        self,
        address: str,
        key: str | None,
        *,
        timeout_s: float = 20.0,
        patience_s: float = 30.0,
        verify: SSLContext | bool = True,
    ) -> None:
        """``address`` is that of the service, such as ``https://lifeline.example``; ``verify`` may be a private trust.

        A call that the service asks to repeat later is repeated for ``patience_s`` in all.
        """
        self._patience_s = patience_s
        self._http = httpx.AsyncClient(
            base_url=address, headers=exchange.headers(key), timeout=timeout_s, verify=verify
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def ask(self, call: Call[AnswerT]) -> AnswerT:
        """The answer to a call.

        Raises:
            ProblemError: the service refused.
            AwayError: it cannot be reached.
            AnswerError: the answer is not what the API's description promises.
        """
        return exchange.answer_of(call, await self._send(exchange.request_of(call)))

    async def all(self, listing: Listing[AnswerT]) -> AsyncIterator[AnswerT]:
        """Every item of a list; pages are fetched as they are needed.

        Raises:
            ProblemError: the service refused.
            AwayError: it cannot be reached.
            AnswerError: the answer is not what the API's description promises.
        """
        cursor: str | None = None
        while True:
            page = exchange.page_of(listing, await self._send(exchange.request_of(listing, cursor)))
            for item in page.items:
                yield item
            if (cursor := page.next) is None:
                return

    async def events(self, choice: Choice | None = None, *, after: str | None = None) -> AsyncIterator[Event]:
        """Live events for as long as somebody asks for the next; ``after`` is the position of the last one known.

        A lost connection is opened again where it broke, so that no event but new values is missed.

        Raises:
            ProblemError: the service refused, also when a key has ended.
            AwayError: it cannot be reached at the beginning.
            AnswerError: an event is not what the API's description promises.
        """
        position = after
        reconnecting = exchange.Reconnecting()
        while True:
            response: httpx.Response | None = None
            broken: httpx.TransportError | None = None
            try:
                async with self._http.stream(**exchange.stream_of(choice, position)) as response:
                    if response.is_success:
                        reconnecting.opened()
                        async for sent in EventSource(response).aiter_sse():
                            position = sent.id or position
                            if (event := read_event(sent)) is not None:
                                yield event
                    else:
                        await response.aread()
            except (SSEError, ValidationError) as error:
                raise AnswerError(str(error)) from error
            except httpx.TransportError as error:
                broken = error
            await asyncio.sleep(reconnecting.pause_s(response, broken))

    async def _send(self, request: dict[str, Any]) -> httpx.Response:
        patience = exchange.Patience(self._patience_s)
        while True:
            try:
                response = await self._http.request(**request)
            except httpx.TransportError as error:
                raise exchange.away(error) from error
            if (pause := patience.pause_s(response)) is None:
                return response
            await asyncio.sleep(pause)
