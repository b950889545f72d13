"""Every error the API answers with, as RFC 9457 problem details that say what is wrong and what to do."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import psycopg
import psycopg_pool
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from rfc9457 import Problem
from starlette.exceptions import HTTPException
from starlette.routing import Match, Mount

from services.api import request_identity
from services.core.move import ChangedMeanwhileError, MoveNotAllowedError
from services.core.work_order import NotInEarnestError, ReasonMissingError, SamePersonError, SensorsDisagreeError

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
SCHEMA = "#/components/schemas/Problem"
_UNREADABLE = 400
_MOST_FAULTS = 1000
METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
"""Those of HTTP that any route may take."""

_MEANINGS: Mapping[int, str] = {
    400: "The question is not understood; `errors` names the option",
    401: "The key or the session is missing, unknown, over or revoked",
    403: "The caller may not do this, or not outside its part of the city",
    404: "There is no such thing",
    409: "Not possible as things stand; `possible` says what is",
    412: "The thing has changed since the version in `If-Match`",
    413: "The request is larger than is taken",
    422: "The request is not valid; `errors` names the fields",
    429: "Too many requests; `Retry-After` says when to go on",
    503: "The database is away; try again in a moment",
}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route may answer beside its result, for its ``responses``."""
    return {
        status: {"description": _MEANINGS[status], "content": {MEDIA_TYPE: {"schema": {"$ref": SCHEMA}}}}
        for status in statuses
    }


def not_valid(field: str, reason: str) -> Problem:
    """One field of the request is wrong in a way that its type does not show."""
    return _not_valid([{"field": field, "reason": reason}])


def not_understood(option: str, reason: str) -> Problem:
    """A question in one of the OGC's languages is wrong; these standards ask for this status."""
    return Problem(
        "Question not understood",
        type_="question-not-understood",
        status=400,
        detail=f"{option}: {reason}",
        errors=[{"field": option, "reason": reason}],
    )


def not_found(what: str, name: object) -> Problem:
    """There is no such thing."""
    return Problem(f"{what.capitalize()} not found", type_="not-found", status=404, detail=f"there is no {what} {name}")


def exists_already(what: str, name: object) -> Problem:
    """One of this name is there."""
    detail = f"{what} {name} is there already"
    return Problem("There is one already", type_="exists-already", status=409, detail=detail)


def not_possible(what: str, reason: str) -> Problem:
    """It cannot be asked of this one."""
    return Problem(f"Not possible with this {what}", type_="not-possible", status=409, detail=reason, possible=[])


def over(what: str, name: object) -> Problem:
    """It has ended, and nothing can be asked of it any more."""
    return Problem(
        f"{what.capitalize()} is over", type_="over", status=409, detail=f"{what} {name} has ended", possible=[]
    )


def no_key() -> Problem:
    """The request carries no key, or one that is unknown, expired or revoked."""
    return Problem(
        "Key needed",
        status=401,
        type_="key-needed",
        detail="log in, or send a valid API key as `Authorization: Bearer KEY`",
        headers={"WWW-Authenticate": "Bearer"},
    )


def not_permitted(permission: str) -> Problem:
    """The key is good but may not do this."""
    return Problem(
        "Not permitted",
        type_="not-permitted",
        status=403,
        detail=f"this key does not carry the permission {str(permission)!r}",
    )


def outside_limits() -> Problem:
    """The caller may do this, but not there."""
    return Problem(
        "Outside your limits",
        type_="outside-limits",
        status=403,
        detail="this lies outside the organisations, lifelines or zones that you are confined to",
    )


def foreign_origin() -> Problem:
    """A change came with a browser's cookie, and nothing shows that a page of ours meant it."""
    return Problem(
        "Not meant by a page of this service",
        type_="foreign-origin",
        status=403,
        detail="send the token of `GET /api/v1/me` as `X-CSRF-Token`, from a page of this service",
    )


def login_refused() -> Problem:
    """Name or password is wrong, or the user is disabled: which of them is not told."""
    return Problem(
        "Login refused", type_="login-refused", status=401, detail="name or password is wrong, or the user is disabled"
    )


def provider_away() -> Problem:
    """The identity provider does not answer, or not as one does."""
    return Problem(
        "The identity provider is away",
        type_="provider-away",
        status=503,
        detail="try again in a moment, or log in with a password",
        headers={"Retry-After": "10"},
    )


def too_many(wait_s: int) -> Problem:
    """Too many requests, or too many passwords tried."""
    return Problem(
        "Too many requests",
        type_="too-many",
        status=429,
        detail=f"go on in {wait_s} s",
        headers={"Retry-After": str(wait_s)},
    )


def too_large() -> Problem:
    """The request's body is larger than is taken."""
    return Problem("Request too large", type_="too-large", status=413, detail="send less at a time")


def changed_since(version: int | None) -> Problem:
    """The thing is not as the caller has seen it; without a version there is none."""
    detail = "there is none of this name" if version is None else f"it is at version {version} now: look at it again"
    return Problem("Changed meanwhile", type_="changed-meanwhile", status=412, detail=detail)


def register_changed() -> Problem:
    """An import would change other things than those that its preview has shown."""
    return Problem(
        "Changed meanwhile",
        type_="changed-meanwhile",
        status=412,
        detail="the file or the register is another one than was looked at, and other things would change: look again",
    )


def wrong_rows(faults: Sequence[str]) -> Problem:
    """Files of a city folder are wrong; each fault names its file, line and field before the first colon."""
    placed = [fault.partition(": ") for fault in faults[:_MOST_FAULTS]]
    fields = [{"field": place, "reason": reason or place} for place, _, reason in placed]
    if len(faults) > _MOST_FAULTS:
        fields.append({"field": "body", "reason": f"and {len(faults) - _MOST_FAULTS} more"})
    return _not_valid(fields)


def answer(problem: Problem, request_id: str | None = None) -> JSONResponse:
    """A problem as the answer that it is, with the name of the request it answers."""
    name = request_id or request_identity.current()
    return JSONResponse(
        problem.marshal() | ({} if name is None else {"request_id": name}),
        status_code=problem.status,
        headers=dict(problem.headers or {}),
        media_type=MEDIA_TYPE,
    )


async def _on_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for this class alone
    return answer(error)


async def _on_move(_: Request, error: Exception) -> Response:
    extra: dict[str, Any] = {}
    if isinstance(error, MoveNotAllowedError):
        extra = {"state": error.state, "possible": list(error.allowed)}
    kinds = {
        MoveNotAllowedError: ("Step not possible now", "step-not-possible"),
        SensorsDisagreeError: ("The sensors do not agree", "sensors-disagree"),
        SamePersonError: ("Somebody else has to do this", "same-person"),
        NotInEarnestError: ("Not over yet", "not-over"),
        ChangedMeanwhileError: ("Changed meanwhile", "changed-meanwhile"),
        psycopg.errors.UniqueViolation: ("There is one already", "exists-already"),
    }
    title, type_ = next(words for kind, words in kinds.items() if isinstance(error, kind))
    detail = "one is running already" if isinstance(error, psycopg.Error) else str(error)
    return answer(Problem(title, type_=type_, status=409, detail=detail, **extra))


async def _on_missing_reason(_: Request, error: Exception) -> Response:
    return answer(not_valid("note", str(error)))


async def _on_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class alone
    fields = [
        {"field": ".".join(str(part) for part in entry["loc"]), "reason": entry["msg"]} for entry in error.errors()
    ]
    return answer(_not_valid(fields))


def _not_valid(fields: list[dict[str, str]]) -> Problem:
    named = "; ".join(f"{field['field']}: {field['reason']}" for field in fields)
    return Problem("Request not valid", type_="not-valid", detail=named, status=422, errors=fields)


async def _on_unstorable(_: Request, error: Exception) -> Response:
    detail = f"the database cannot hold a value of the request: {str(error).splitlines()[0]}"
    return answer(Problem("Request not valid", type_="not-valid", detail=detail, status=422))


async def _on_mistake(request: Request, error: Exception) -> Response:
    name: str | None = getattr(request.state, "request_id", None)
    log.error("a request failed by our mistake", request_id=name, error=type(error).__name__)
    detail = f"this is our mistake, and it is in the log ({type(error).__name__})"
    response = answer(Problem("Internal error", type_="internal", status=500, detail=detail), name)
    response.headers[request_identity.HEADER] = name or ""
    return response


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
    if error.status_code == _UNREADABLE:
        # The framework's own word for a body that is no text, or a form without end.
        return answer(not_valid("body", str(error.detail)))
    taken = _methods_taken(request)
    if taken and request.method not in taken:
        return answer(_not_taken(request.method, taken))
    problem = Problem(str(error.detail), type_="about:blank", status=error.status_code)
    problem.headers = dict(error.headers or {})
    return answer(problem)


def _methods_taken(request: Request) -> set[str]:
    """What may be done with the address, by all of its routes.

    Without this the first of several routes would speak for all of them, or the dashboard's files for none of them.
    """
    routes = [route for route in request.app.routes if not isinstance(route, Mount)]
    return {
        method
        for method in METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    }


def _not_taken(method: str, taken: Collection[str]) -> Problem:
    allowed = ", ".join(sorted(taken))
    return Problem(
        "Method not allowed",
        type_="method-not-allowed",
        status=405,
        detail=f"{method} cannot be done here, but {allowed}",
        headers={"Allow": allowed},
    )


async def _on_outside(_: Request, __: Exception) -> Response:
    return answer(outside_limits())


async def _on_database(_: Request, error: Exception) -> Response:
    problem = Problem(
        "The database is away",
        type_="database-away",
        status=503,
        detail=f"try again in a moment ({type(error).__name__})",
        headers={"Retry-After": "2"},
    )
    return answer(problem)


def install(app: FastAPI) -> None:
    """Answer every kind of error as a problem."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(ReasonMissingError, _on_missing_reason)
    for kind in (MoveNotAllowedError, NotInEarnestError, ChangedMeanwhileError, psycopg.errors.UniqueViolation):
        app.add_exception_handler(kind, _on_move)
    # What a confined caller writes must fall within its part, says the view that it is written through.
    app.add_exception_handler(psycopg.errors.WithCheckOptionViolation, _on_outside)
    app.add_exception_handler(psycopg.DataError, _on_unstorable)
    app.add_exception_handler(Exception, _on_mistake)
    for trouble in (psycopg.OperationalError, psycopg_pool.PoolTimeout, psycopg_pool.PoolClosed):
        app.add_exception_handler(trouble, _on_database)
