"""Whatever the client asks is in the API's description, and so is what it takes an answer for."""

import inspect
import json
from collections.abc import Iterator
from types import GenericAlias
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from services.client import answers, calls
from services.client.asset import AssetCollection
from services.client.call import Call, Listing, Method
from services.client.event import Choice
from services.client.exchange import STREAM
from tests.golden import client_answers

DESCRIPTION = json.loads(client_answers.DESCRIPTION.read_text("utf-8"))
ASKED = [name for name, found in inspect.getmembers(calls, inspect.isfunction) if found.__module__ == calls.__name__]


def called(name: str) -> Call[Any]:
    """The call with everything in it that can be given."""
    function = getattr(calls, name)
    given: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        given[parameter.name] = {"limit": 7, "version": 3, "severity": 2, "points": 100}.get(parameter.name, "text")
    found: Call[Any] = function(**given)
    return found


def operation_of(call: Call[Any]) -> dict[str, Any]:
    operation: dict[str, Any] = DESCRIPTION["paths"][call.route][call.method.value.lower()]
    return operation


def parameters(operation: dict[str, Any], place: str) -> set[str]:
    return {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == place}


def schema_names(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"].rsplit("/", 1)[-1]
        for inner in part.values():
            yield from schema_names(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from schema_names(inner)


@pytest.mark.parametrize("name", ASKED)
def test_a_call_is_one_that_the_api_has(name: str) -> None:
    call = called(name)
    operation = operation_of(call)
    allowed = parameters(operation, "query") if "parameters" in operation else set()
    assert set(call.query) <= allowed
    assert set(call.places) == (parameters(operation, "path") if "parameters" in operation else set())
    if isinstance(call, Listing):
        assert "cursor" in allowed or not call.query.keys() & {"limit", "cursor"}
    if call.method is Method.POST:
        assert {"Idempotency-Key"} <= parameters(operation, "header")
    if call.version is not None:
        assert "If-Match" in parameters(operation, "header")


@pytest.mark.parametrize("name", [name for name in ASKED if called(name).body is not None])
def test_a_body_has_the_fields_that_the_api_takes(name: str) -> None:
    call = called(name)
    assert call.body is not None
    (model,) = schema_names(operation_of(call)["requestBody"])
    schema = DESCRIPTION["components"]["schemas"][model]
    assert set(schema.get("required", ())) <= set(call.body) <= set(schema["properties"])


@pytest.mark.parametrize("name", ASKED)
def test_an_answer_is_of_the_model_that_the_api_names(name: str) -> None:
    call = called(name)
    if call.answer is AssetCollection:
        return  # GeoJSON, described by its own standard; a test with the real service reads it.
    success = next(answer for status, answer in operation_of(call)["responses"].items() if status.startswith("2"))
    (described,) = schema_names(success["content"]["application/json"]["schema"])
    answer = get_args(call.answer)[0] if isinstance(call.answer, GenericAlias) else call.answer
    assert described == (f"Page_{answer.__name__}_" if isinstance(call, Listing) else answer.__name__)


def test_a_listener_chooses_by_what_the_stream_knows() -> None:
    choice = Choice(types=["alert"], lifeline="gas", zone="G1", severity=2)
    assert set(choice.parameters) <= parameters(DESCRIPTION["paths"][STREAM]["get"], "query")


def test_the_models_are_those_of_the_description() -> None:
    wanted = "if this is meant, run `python -m tests.golden`"
    assert client_answers.written() == client_answers.ANSWERS.read_text("utf-8"), wanted


def test_an_answer_may_have_more_than_the_client_knows() -> None:
    text = answers.TextAnswer.model_validate({"en": "leak", "zh": "泄漏", "de": "Leck"})
    assert (text.en, text.zh) == ("leak", "泄漏")
    with pytest.raises(ValidationError):
        answers.TextAnswer.model_validate({"en": "leak"})


def test_a_name_of_any_letters_stays_one_part_of_the_path() -> None:
    assert calls.sensor("gas/../admin?x=1").path == "/api/v1/sensors/gas%2F..%2Fadmin%3Fx%3D1"
