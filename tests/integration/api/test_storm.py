"""The storm at one look, and warnings that are handed over."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.integration.api.harness import client, problem_of
from tests.unit.core.test_cap_message import RAINSTORM

_XML = {"Content-Type": "application/cap+xml"}


@pytest.fixture(scope="module")
def low_point() -> str:
    """An underpass of the demo city, with what its register says."""
    return "LP-06"


def _message(identifier: str, **times: datetime) -> bytes:
    now = datetime.now(UTC)
    sent, expires = times.get("sent", now), times.get("expires", now + timedelta(hours=3))
    text = RAINSTORM.replace("34010041600000_20260714164000", identifier)
    text = text.replace("2026-07-14T16:40:00+08:00", sent.isoformat()).replace(
        "2026-07-14T17:00:00+08:00", sent.isoformat()
    )
    start, end = text.index("<area>"), text.index("</area>") + len("</area>")
    return (text[:start] + text[end:]).replace("2026-07-14T22:00:00+08:00", expires.isoformat()).encode()


async def _place(api: httpx.AsyncClient, asset: str) -> dict[str, Any]:
    storm = (await api.get("/storm")).json()
    found: dict[str, Any] = next(place for place in storm["places"] if place["asset"] == asset)
    return found


async def test_a_warning_handed_over_is_in_force_and_prepares_places(api: httpx.AsyncClient, low_point: str) -> None:
    taken = await api.post("/weather-warnings", content=_message("H-1"), headers=_XML)
    assert taken.status_code == 201, taken.text
    assert taken.json()["is_new"]
    again = await api.post("/weather-warnings", content=_message("H-1"), headers=_XML)
    assert again.status_code == 201
    storm = (await api.get("/storm")).json()
    assert storm["severity"] == 3
    assert "H-1" in [warning["identifier"] for warning in storm["warnings"]]
    place = await _place(api, low_point)
    assert place["person"]["phone"]
    assert {(task["task"], task["quantity"]) for task in place["tasks"]} == {
        ("person", 1),
        ("mobile-pumps", 2),
        ("sandbags", 300),
        ("barriers", 2),
    }


async def test_a_task_is_done_once_and_the_trail_says_by_whom(api: httpx.AsyncClient, low_point: str) -> None:
    await api.post("/weather-warnings", content=_message("H-2"), headers=_XML)
    task = next(each for each in (await _place(api, low_point))["tasks"] if each["state"] == "open")
    done = await api.post(f"/storm/tasks/{task['id']}/done")
    assert done.status_code == 200, done.text
    assert (done.json()["state"], bool(done.json()["changed_by"])) == ("done", True)
    problem_of(await api.post(f"/storm/tasks/{task['id']}/done"), 409, "step-not-possible")
    problem_of(await api.post("/storm/tasks/999999/done"), 404, "not-found")
    entries = (await api.get("/audit")).json()["items"]
    assert any(entry["action"] == "storm-task.done" and entry["subject"] == str(task["id"]) for entry in entries)


async def test_an_expired_warning_is_not_in_force(api: httpx.AsyncClient) -> None:
    now = datetime.now(UTC)
    old = _message("H-3", sent=now - timedelta(days=2), expires=now - timedelta(days=1))
    await api.post("/weather-warnings", content=old, headers=_XML)
    names = [each["identifier"] for each in (await api.get("/weather-warnings")).json()]
    assert "H-3" not in names
    everything = (await api.get("/weather-warnings", params={"in_force": False})).json()
    assert "H-3" in [each["identifier"] for each in everything]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is no XML"),
        (b"<alert/>", "is no CAP alert"),
        (RAINSTORM.replace(">Severe<", ">Orange<").encode(), "severity"),
        (RAINSTORM.replace(">Actual<", ">Test<").encode(), "not to be acted on"),
        (b"\xff\xfe<", "is not UTF-8"),
    ],
)
async def test_what_cannot_be_read_is_refused_with_its_reason(
    api: httpx.AsyncClient, content: bytes, reason: str
) -> None:
    problem = problem_of(await api.post("/weather-warnings", content=content, headers=_XML), 422, "not-valid")
    assert reason in problem["errors"][0]["reason"]


async def test_a_reader_sees_the_storm_and_changes_nothing(address: str) -> None:
    async with client(address, "read") as reader:
        assert (await reader.get("/storm")).status_code == 200
        problem_of(await reader.post("/storm/tasks/1/done"), 403, "not-permitted")
        problem_of(await reader.post("/weather-warnings", content=b"<alert/>", headers=_XML), 403, "not-permitted")
