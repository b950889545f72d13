"""What goes wrong between a client and the service, as exceptions that say what to do."""

from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx
from pydantic import BaseModel, ValidationError


class ClientError(Exception):
    """Whatever keeps a call from being answered."""


class AwayError(ClientError):
    """The service cannot be reached, or the connection to it broke."""


class AnswerError(ClientError):
    """The service answered with something that its description does not promise."""


class WrongField(BaseModel):
    """A field of the request and what is wrong with it."""

    field: str
    reason: str


class Problem(BaseModel):
    """An error as the service tells it (RFC 9457)."""

    type: str = "about:blank"
    """a word to decide by"""
    title: str
    status: int
    detail: str | None = None
    """what is wrong and what to do"""
    errors: list[WrongField] | None = None
    """422: every field that is wrong"""
    state: str | None = None
    """409: where the thing stands"""
    possible: list[str] | None = None
    """409: the steps that may be taken now"""
    request_id: str | None = None
    """what the request is called in the service's log"""


class ProblemError(ClientError):
    """The service refused; ``problem`` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(_sentence(problem))
        self.problem = problem


def problem_of(response: httpx.Response) -> Problem:
    """The problem that an answer carries; of a proxy that knows no problems, its status in words."""
    if response.headers.get("content-type", "").startswith("application/problem+json"):
        try:
            return Problem.model_validate_json(response.content)
        except ValidationError:
            pass
    status = response.status_code
    named = status in {known.value for known in HTTPStatus}
    return Problem(title=HTTPStatus(status).phrase if named else f"Status {status}", status=status)


def wait_s(response: httpx.Response, now_s: float) -> float | None:
    """After how many seconds an answer asks to come again; ``None`` where it does not ask for that.

    ``now_s`` is the time of day in seconds since 1970: ``Retry-After`` (RFC 9110) may be a moment as well.
    """
    if response.status_code not in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        return None
    text = response.headers.get("retry-after", "")
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now_s)
    except ValueError:
        return None


def _sentence(problem: Problem) -> str:
    parts = [problem.title if problem.detail is None else f"{problem.title}: {problem.detail}"]
    parts += [f"{wrong.field}: {wrong.reason}" for wrong in problem.errors or ()]
    if problem.possible:
        parts.append(f"possible now: {', '.join(problem.possible)}")
    if problem.request_id is not None:
        parts.append(f"request {problem.request_id}")
    return "; ".join(parts)
