"""What is no JSON document is refused by every route that takes one, with what is wrong, and never by a failure."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.api.harness import problem_of
from tests.integration.api.test_keys import ROUTES, Route, named

DESCRIPTION = json.loads((Path(__file__).parents[2] / "golden" / "openapi.json").read_text("utf-8"))
BAD = {
    "nothing": b"",
    "no number": b"NaN",
    "no text": b'{"text": "\xff"}',
    "too deep": b"[" * 60_000,
    "cut off": b'{"text": "x"',
    "two documents": b"{} {}",
    "a list of nothing known": b"[1e999, -0]",
    "a number of many digits": b"9" * 5_000,
}


def _json_body(route: Route) -> dict[str, Any] | None:
    operation = DESCRIPTION["paths"].get(route.path, {}).get(route.method.lower(), {})
    content = operation.get("requestBody", {}).get("content", {})
    return operation["requestBody"] if "application/json" in content else None


TAKING = [route for route in ROUTES if _json_body(route) is not None]


def test_most_routes_that_change_something_take_a_document() -> None:
    assert len(TAKING) > 40


@pytest.mark.parametrize("route", TAKING, ids=named)
async def test_what_is_no_document_is_refused_as_the_whole_body(
    route: Route, address: str, api: httpx.AsyncClient
) -> None:
    url = route.request_path if route.path.startswith("/api/v1/") else f"{address}{route.path}"
    is_needed = bool((_json_body(route) or {}).get("required"))
    for what, body in BAD.items():
        if not body and not is_needed:
            continue
        answer = await api.request(route.method, url, content=body, headers={"Content-Type": "application/json"})
        problem = problem_of(answer, 422, "not-valid")
        fields = {error["field"].partition(".")[0] for error in problem["errors"]}
        assert fields == {"body"}, f"{what}: {problem}"


@pytest.mark.parametrize("route", TAKING, ids=named)
async def test_a_document_of_another_kind_is_refused(route: Route, address: str, api: httpx.AsyncClient) -> None:
    url = route.request_path if route.path.startswith("/api/v1/") else f"{address}{route.path}"
    answer = await api.request(route.method, url, content=b"<x/>", headers={"Content-Type": "application/xml"})
    assert answer.status_code in (415, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
