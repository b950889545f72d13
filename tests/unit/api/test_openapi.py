"""The published description of the API."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from services.api.app import create_app
from services.core.settings import Settings

GOLDEN = Path(__file__).parents[2] / "golden" / "openapi.json"
"""Written anew by ``python -m tests.golden``."""
OPEN = {"/livez", "/readyz", "/metrics"}
DOORS = {"/api/v1/login", "/api/v1/login/provider", "/api/v1/login/provider/answer"}
"""Where people come in, who have no key yet."""
NEVER_TOO_LATE = "/login"
"""No state forbids it, and it takes no `Idempotency-Key`, whose first answer may have been lost."""
ASKED_BY_FILTER = {"/sta/v1.1/{path}", "/ogc/collections/{collection}/items"}
"""Their standards call a question that cannot be read 400."""


@cache
def description() -> dict[str, Any]:
    return create_app(Settings(database_url=SecretStr("postgresql://nowhere"))).openapi()


def described() -> str:
    return json.dumps(description(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in description()["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


OPERATIONS = [pytest.param(*found, id=f"{found[0]} {found[1]}") for found in operations()]


def test_the_description_is_the_committed_one() -> None:
    assert described() == GOLDEN.read_text("utf-8"), "if this is meant, run `python -m tests.golden`"


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_an_operation_says_what_it_is_for(method: str, path: str, operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"]


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_an_operation_says_how_it_can_fail(method: str, path: str, operation: dict[str, Any]) -> None:
    answers = {status for status in operation["responses"] if int(status) >= 400}
    if path in OPEN:
        assert answers == ({"503"} if path == "/readyz" else set())
        return
    expected = {"401", "403", "429", "503"}
    if "{" in path or path.startswith("/api/v1/login/provider"):
        expected.add("404")
    if method == "post" and not path.endswith(NEVER_TOO_LATE):
        expected.add("409")
    if operation.get("parameters") or "requestBody" in operation:
        expected.add("422")
    if "requestBody" in operation:
        expected.add("413")
    if "If-Match" in {parameter["name"] for parameter in operation.get("parameters", ())}:
        expected.add("412")
    if path in ASKED_BY_FILTER:
        expected.add("400")
    if method in ("get", "put", "patch"):
        # Something may have changed meanwhile, or there is none of it in this case: where that is so, it is said.
        answers.discard("409")
    assert answers == expected
    for status in expected:
        answer = operation["responses"][status]
        assert answer["description"]
        assert answer["content"] == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_an_operation_asks_for_a_key_unless_it_is_about_health(
    method: str, path: str, operation: dict[str, Any]
) -> None:
    assert ("security" in operation) == (path not in OPEN | DOORS)


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for inner in part.values():
            yield from _references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _references(inner)


def test_every_reference_leads_somewhere_and_every_model_is_used() -> None:
    whole = description()
    models = {f"#/components/schemas/{name}" for name in whole["components"]["schemas"]}
    assert set(_references(whole)) == models


def test_the_description_is_the_same_on_every_call() -> None:
    app = create_app(Settings(database_url=SecretStr("postgresql://nowhere")))
    assert json.dumps(app.openapi()) == json.dumps(app.openapi())


def test_the_application_needs_a_database() -> None:
    with pytest.raises(ValueError, match="LIFELINE_DATABASE_URL"):
        create_app(Settings(database_url=None))
