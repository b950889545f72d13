"""How a call becomes a request and a response an answer, the same for both clients. Pure but for the name it gives."""

import time
import uuid
from collections.abc import Callable
from functools import cache
from typing import Any

import httpx
from pydantic import TypeAdapter, ValidationError

from services.client.call import AnswerT, Call, Listing, Method, Page
from services.client.event import Choice
from services.client.problem import AnswerError, AwayError, ProblemError, problem_of, wait_s

STREAM = "/api/v1/stream"
SILENCE_S = 45.0
"""A stream says something every 15 s; one that is silent for so long is dead."""
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
_OVERLOADED = 429
_FAULT_OF_THE_SERVICE = 500


def headers(key: str | None) -> dict[str, str]:
    """What every request carries."""
    return {} if key is None else {"Authorization": f"Bearer {key}"}


def request_of(call: Call[Any], cursor: str | None = None) -> dict[str, Any]:
    """The arguments of httpx for a call; of a list the page behind ``cursor``.

    What creates or changes something gets a name of its own, by which the service does it once however often it is
    sent.
    """
    request: dict[str, Any] = {"method": call.method.value, "url": call.path, "params": call.parameters, "headers": {}}
    if cursor is not None:
        request["params"]["cursor"] = cursor
    if call.content is not None:
        request["json"] = call.content
    if call.method is not Method.GET:
        request["headers"]["Idempotency-Key"] = str(uuid.uuid4())
    if call.version is not None:
        request["headers"]["If-Match"] = f'"{call.version}"'
    return request


def stream_of(choice: Choice | None, position: str | None) -> dict[str, Any]:
    """The arguments of httpx for live events behind a position."""
    sent = {"Accept": "text/event-stream"} | ({} if position is None else {"Last-Event-ID": position})
    query = {} if choice is None else choice.parameters
    return {"method": "GET", "url": STREAM, "params": query, "headers": sent, "timeout": SILENCE_S}


def answer_of(call: Call[AnswerT], response: httpx.Response) -> AnswerT:
    """The answer as a value.

    Raises:
        ProblemError: the service refused.
        AnswerError: the answer is not what the API's description promises.
    """
    found: AnswerT = _read(call.answer, response)
    return found


def page_of(listing: Listing[AnswerT], response: httpx.Response) -> Page[AnswerT]:
    """A page of a list as a value.

    Raises:
        ProblemError: the service refused.
        AnswerError: the answer is not what the API's description promises.
    """
    item: Any = listing.answer
    found: Page[AnswerT] = _read(Page[item], response)
    return found


def _read(kind: Any, response: httpx.Response) -> Any:
    if not response.is_success:
        raise ProblemError(problem_of(response))
    try:
        return _reader(kind).validate_json(response.content)
    except ValidationError as error:
        raise AnswerError(f"{response.url.path}: {error}") from error


@cache
def _reader(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


class Patience:
    """How long one call is tried again where the service asks to wait, all waiting together."""

    def __init__(self, longest_s: float, now_s: Callable[[], float] = time.time) -> None:
        """``now_s`` gives the time of day in seconds since 1970."""
        self._left_s = longest_s
        self._now_s = now_s

    def pause_s(self, response: httpx.Response) -> float | None:
        """How many seconds to wait before the same request again; ``None``: it is not tried again."""
        pause = wait_s(response, self._now_s())
        if pause is None or pause > self._left_s:
            return None
        # A service that asks for no time at all is not asked forever.
        pause = max(pause, 0.1)
        self._left_s -= pause
        return pause


class Reconnecting:
    """Whether and when a stream that broke is opened again: not at all before it was open once."""

    def __init__(self, now_s: Callable[[], float] = time.time) -> None:
        """``now_s`` gives the time of day in seconds since 1970."""
        self._now_s = now_s
        self._was_open = False
        self._pause_s = FIRST_PAUSE_S

    def opened(self) -> None:
        """The stream is open."""
        self._was_open = True
        self._pause_s = FIRST_PAUSE_S

    def pause_s(self, response: httpx.Response | None, error: httpx.TransportError | None = None) -> float:
        """How many seconds to wait: twice as long each time, or as long as the service asks.

        Raises:
            ProblemError: the service refused, and would again.
            AwayError: it was never there.
        """
        if response is not None and not response.is_success:
            problem = problem_of(response)
            passes = problem.status == _OVERLOADED or problem.status >= _FAULT_OF_THE_SERVICE
            if not (self._was_open and passes):
                raise ProblemError(problem)
            asked = wait_s(response, self._now_s())
            if asked is not None:
                return asked
        elif error is not None and not self._was_open:
            raise away(error)
        pause, self._pause_s = self._pause_s, min(2 * self._pause_s, LONGEST_PAUSE_S)
        return pause


def away(error: httpx.TransportError) -> AwayError:
    """What happened on the way, for a person."""
    return AwayError(f"the service cannot be reached: {str(error) or type(error).__name__}")
