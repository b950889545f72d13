"""Every error the API answers with, as RFC 9457 problem details that say what is wrong and what to do."""

from collections.abc import Mapping
from typing import Any

import psycopg
import psycopg_pool
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from rfc9457 import Problem
from starlette.exceptions import HTTPException

from services.core.move import ChangedMeanwhileError, MoveNotAllowedError
from services.core.work_order import NotInEarnestError, ReasonMissingError, SamePersonError, SensorsDisagreeError

MEDIA_TYPE = "application/problem+json"
SCHEMA = "#/components/schemas/Problem"

_MEANINGS: Mapping[int, str] = {
    401: "The key is missing, unknown, expired or revoked",
    403: "The key does not carry the permission",
    404: "There is no such thing",
    409: "Not possible as things stand; `possible` says what is",
    422: "The request is not valid; `errors` names the fields",
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
        detail="send a valid API key as `Authorization: Bearer KEY`",
        headers={"WWW-Authenticate": "Bearer"},
    )


def not_permitted(permission: str) -> Problem:
    """The key is good but may not do this."""
    return Problem(
        "Not permitted",
        type_="not-permitted",
        status=403,
        detail=f"this key does not carry the permission {permission!r}",
    )


def _answer(problem: Problem) -> JSONResponse:
    return JSONResponse(
        problem.marshal(),
        status_code=problem.status,
        headers=dict(problem.headers or {}),
        media_type=MEDIA_TYPE,
    )


async def _on_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for this class alone
    return _answer(error)


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
    return _answer(Problem(title, type_=type_, status=409, detail=detail, **extra))


async def _on_missing_reason(_: Request, error: Exception) -> Response:
    return _answer(not_valid("note", str(error)))


async def _on_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class alone
    fields = [
        {"field": ".".join(str(part) for part in entry["loc"]), "reason": entry["msg"]} for entry in error.errors()
    ]
    return _answer(_not_valid(fields))


def _not_valid(fields: list[dict[str, str]]) -> Problem:
    named = "; ".join(f"{field['field']}: {field['reason']}" for field in fields)
    return Problem("Request not valid", type_="not-valid", detail=named, status=422, errors=fields)


async def _on_unstorable(_: Request, error: Exception) -> Response:
    detail = f"the database cannot hold a value of the request: {str(error).splitlines()[0]}"
    return _answer(Problem("Request not valid", type_="not-valid", detail=detail, status=422))


async def _on_mistake(_: Request, error: Exception) -> Response:
    detail = f"this is our mistake, and it is in the log ({type(error).__name__})"
    return _answer(Problem("Internal error", type_="internal", status=500, detail=detail))


async def _on_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
    problem = Problem(str(error.detail), type_="about:blank", status=error.status_code)
    problem.headers = dict(error.headers or {})
    return _answer(problem)


async def _on_database(_: Request, error: Exception) -> Response:
    problem = Problem(
        "The database is away",
        type_="database-away",
        status=503,
        detail=f"try again in a moment ({type(error).__name__})",
        headers={"Retry-After": "2"},
    )
    return _answer(problem)


def install(app: FastAPI) -> None:
    """Answer every kind of error as a problem."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(ReasonMissingError, _on_missing_reason)
    for kind in (MoveNotAllowedError, NotInEarnestError, ChangedMeanwhileError, psycopg.errors.UniqueViolation):
        app.add_exception_handler(kind, _on_move)
    app.add_exception_handler(psycopg.DataError, _on_unstorable)
    app.add_exception_handler(Exception, _on_mistake)
    for trouble in (psycopg.OperationalError, psycopg_pool.PoolTimeout, psycopg_pool.PoolClosed):
        app.add_exception_handler(trouble, _on_database)
