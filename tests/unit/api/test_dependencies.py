"""What every request passes through stays on the loop."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import SecretStr

from services.api.app import create_app
from services.core.settings import Settings


def _called(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    if dependant.call is not None:
        yield dependant.call
    for each in dependant.dependencies:
        yield from _called(each)


def _stays_on_the_loop(call: Callable[..., Any]) -> bool:
    code = call if inspect.isroutine(call) else type(call).__call__
    return inspect.iscoroutinefunction(code) or inspect.isasyncgenfunction(code)


def test_no_request_waits_for_a_worker_thread() -> None:
    app = create_app(Settings(database_url=SecretStr("postgresql://nowhere")))
    routes = [context.route for context in iter_route_contexts(app.routes) if isinstance(context.route, APIRoute)]
    calls = {call for route in routes for call in _called(route.dependant)}
    assert len(calls) > len(routes), "the routes were not found with what they depend on"
    plain = sorted(repr(call) for call in calls if not _stays_on_the_loop(call))
    assert not plain, "a thread is waited for at every request; write `async def`"
