"""Any input at all: nothing is answered that the description does not say, and nothing fails by our mistake."""

import asyncio
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import booleans
from jsonschema import Draft202012Validator
from schemathesis import GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    negative_data_rejection,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation

from services.core.store import alerts, audit
from tests.integration.api.harness import alert_at, connected, key_of

EXAMPLES = int(os.environ.get("LIFELINE_FUZZ_EXAMPLES", "4"))
"""For each operation, as many that fit the description and as many that do not."""


def refuses_what_does_not_fit(
    context: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> bool | None:
    """As ``negative_data_rejection``, but what is nested in a query is written flat, and fits again."""
    if any(_is_flattened(value) or name in NAMES for name, value in (case.query or {}).items()):
        return None
    refused: bool | None = negative_data_rejection(context, response, case)
    return refused


def has_all_fields(
    context: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> bool | None:
    """A list is whole for whoever asks for no fields, though its description lets it have few."""
    del context
    answer = case.operation.definition.raw["responses"].get("200", {}).get("content", {}).get("application/json", {})
    whole = next(iter(answer.get("schema", {}).get("anyOf", [])), None)
    if response.status_code == httpx.codes.OK and whole is not None and "fields" not in (case.query or {}):
        jsonschema.validate(response.json(), whole | {"components": DESCRIPTION["components"]}, Draft202012Validator)
    return None


def _is_flattened(value: object) -> bool:
    """Of lists the names of fields are written by commas, and an empty one is not written at all."""
    if isinstance(value, list):
        return not value or not all(isinstance(each, str) for each in value)
    return isinstance(value, dict)


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    refuses_what_does_not_fit,
    has_all_fields,
]
NAMES = {"sensor"}
"""Lists of names in a query; a number, a word of JSON and nothing at all are names there."""
HEADERS = {"Authorization": f"Bearer {key_of('everything')}"}
ENDLESS = {"/api/v1/stream"}
"""Never ends; ``test_live_events`` asks it what it does not understand."""
DESCRIPTION = json.loads((Path(__file__).parents[2] / "golden" / "openapi.json").read_text("utf-8"))
CONFIGURATION = {"checks": {"negative_data_rejection": {"expected-statuses": ["4xx", 503]}}}
SCHEMA = schemathesis.openapi.from_dict(DESCRIPTION, config=schemathesis.Config.from_dict(CONFIGURATION))


def takes_anything(operation: APIOperation[Any, Any, Any, Any]) -> bool:
    """Whether there is something to get wrong."""
    return bool(operation.path_parameters or operation.query or operation.headers or operation.body)


FOUND = [found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok)]
assert len(FOUND) == sum(len(methods) for methods in DESCRIPTION["paths"].values())
OPERATIONS = [operation for operation in FOUND if operation.path not in ENDLESS]
ASKED = [
    (operation, mode)
    for operation in OPERATIONS
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    if mode is GenerationMode.POSITIVE or takes_anything(operation)
]


@pytest.fixture(scope="module")
def known(address: str, city_url: str) -> Mapping[str, str]:
    """The names of some things that are there, by what they are called in paths."""
    alert = alert_at("WP-001")

    async def raised() -> None:
        async with connected(city_url) as connection:
            await alerts.add(connection, alert, audit.SYSTEM)

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(raised())
    with httpx.Client(base_url=f"{address}/api/v1", headers=HEADERS) as caller:
        warning = caller.post(f"/alerts/{alert.id}/warning", json={"severity": 3}).json()
        (order,) = caller.get("/work-orders", params={"alert": str(alert.id)}).json()["items"]
        plan = caller.get("/response-plans").json()[0]
    return {
        "alert": str(alert.id),
        "warning": warning["id"],
        "order": order["id"],
        "incident": order["incident"],
        "plan": plan["id"],
        "asset": alert.asset,
        "sensor": alert.sensors[0],
        "zone": alert.zone,
        "lifeline": alert.lifeline,
    }


@pytest.mark.parametrize(
    ("operation", "mode"), ASKED, ids=[f"{each.method} {each.path} {mode.value}" for each, mode in ASKED]
)
def test_every_answer_is_as_described(
    operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode, address: str, known: Mapping[str, str]
) -> None:
    @given(case=operation.as_strategy(generation_mode=mode), is_there=booleans())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: schemathesis.Case[Any], is_there: bool) -> None:
        checks = CHECKS
        if is_there and case.path_parameters:
            case.path_parameters |= {name: known[name] for name in case.path_parameters if name in known}
            checks = [check for check in CHECKS if check is not refuses_what_does_not_fit]
        case.call_and_validate(base_url=address, headers=HEADERS, checks=checks, timeout=20)

    ask()
