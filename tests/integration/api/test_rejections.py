"""Rejections over the API: found, looked at, read again, dismissed."""

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.core.rejection import Rejection, RejectionReason
from services.core.store.rejections import write_rejections
from services.demo.broker import EmbeddedBroker
from tests.integration.api.harness import client, connected, problem_of
from tests.integration.ingest_harness import ingest_process, now_ms, publish, settings_for, single, tables_of, until

MOMENT = datetime(2026, 7, 14, 6, 0, tzinfo=UTC)


def refused(number: int, **changes: Any) -> Rejection:
    fields: dict[str, Any] = {
        "topic": f"lifeline/v1/test/sensors/s{number}/readings",
        "payload": b"{}",
        "reason": RejectionReason.BAD_FIELD,
        "detail": "value: is missing",
        "received_at": MOMENT + timedelta(minutes=number // 2),
        "sensor": f"s{number}",
        "sender": "g0" if number % 2 else "g1",
    }
    return Rejection(**(fields | changes))


async def write(city_url: str, *given: Rejection) -> None:
    async with connected(city_url) as connection:
        await write_rejections(connection, given)


@pytest.fixture(autouse=True)
async def _none_before(city_url: str) -> AsyncIterator[None]:
    yield
    async with connected(city_url) as connection:
        await connection.execute("delete from rejection")


async def listed(api: httpx.AsyncClient, **wanted: Any) -> list[dict[str, Any]]:
    response = await api.get("/rejections", params=wanted)
    assert response.status_code == 200, response.text
    items: list[dict[str, Any]] = response.json()["items"]
    return items


async def test_pages_hold_everything_once_the_newest_first(api: httpx.AsyncClient, city_url: str) -> None:
    await write(city_url, *(refused(number) for number in range(23)))
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await api.get("/rejections", params={"limit": 5, **cursor})).json()
        found += page["items"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert len({item["id"] for item in found}) == len(found) == 23
    assert [item["last_seen"] for item in found] == sorted((item["last_seen"] for item in found), reverse=True)


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({}, 11),
        ({"reason": "bad-field"}, 10),
        ({"reason": "bad-topic"}, 1),
        ({"sensor": "s3"}, 1),
        ({"sender": "g0"}, 5),
        ({"topic_prefix": "lifeline/v1/test/sensors/s1"}, 1),
        ({"topic_prefix": "100%"}, 1),
        ({"since": (MOMENT + timedelta(minutes=3)).isoformat()}, 4),
        ({"since": (MOMENT + timedelta(minutes=3)).isoformat(), "sender": "g1"}, 2),
        ({"sensor": "s'; drop table rejection; --"}, 0),
    ],
)
async def test_filters_find_what_they_say(
    api: httpx.AsyncClient, city_url: str, wanted: dict[str, str], count: int
) -> None:
    odd = refused(0, topic="100%", reason=RejectionReason.BAD_TOPIC, sensor=None, sender=None)
    await write(city_url, *(refused(number) for number in range(10)), odd)
    assert len(await listed(api, **wanted)) == count


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"reason": "mood"}, "query.reason"),
        ({"since": "yesterday"}, "query.since"),
        ({"since": "2026-07-14T06:00:00"}, "query.since"),
        ({"sensor": "a\x00b"}, "query.sensor"),
        ({"topic_prefix": "x" * 2_000}, "query.topic_prefix"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_malformed_filter_names_the_field(
    api: httpx.AsyncClient, method: str, wanted: dict[str, str], field: str
) -> None:
    path = "/rejections" if method == "GET" else "/rejections/reprocess"
    problem = problem_of(await api.request(method, path, params=wanted), 422, "not-valid")
    assert [error["field"] for error in problem["errors"]] == [field]


async def test_one_rejection_counts_and_shows_any_bytes_that_arrived(api: httpx.AsyncClient, city_url: str) -> None:
    odd = [b'{"value": "\xe9\xab\x98"}', b"\xff\xfe", b"a\x00\x1b[2J", b"", b"x" * 300_000]
    given = [refused(3, payload=payload, received_at=MOMENT + timedelta(minutes=n)) for n, payload in enumerate(odd)]
    await write(city_url, *given)
    (item,) = await listed(api)
    assert (item["count"], item["kept"], item["sender"]) == (5, 5, "g0")
    assert item["payload"] == "x" * 1_000
    assert item["first_seen"].startswith("2026-07-14T06:00:00")
    assert item["last_seen"] == item["received_at"]
    assert item["last_seen"].startswith("2026-07-14T06:04:00")
    detail = (await api.get(f"/rejections/{item['id']}")).json()
    payloads = detail.pop("payloads")
    assert detail == item
    assert [payload["text"] for payload in payloads] == ["x" * 65_536, "", "a\x00\x1b[2J", None, '{"value": "高"}']
    assert [payload["base64"] for payload in payloads] == [
        None,
        None,
        None,
        base64.b64encode(b"\xff\xfe").decode(),
        None,
    ]
    assert [payload["is_cut"] for payload in payloads] == [True, False, False, False, False]
    assert [payload["obstacle"] for payload in payloads] == ["cut", None, None, None, None]


async def test_a_sparkplug_message_says_that_it_cannot_be_read_again(api: httpx.AsyncClient, city_url: str) -> None:
    await write(city_url, refused(0, topic="spBv1.0/g/NDATA/n", payload=b"\x08\x01", encoding="application/x-protobuf"))
    (item,) = await listed(api)
    (payload,) = (await api.get(f"/rejections/{item['id']}")).json()["payloads"]
    assert payload["obstacle"] == "needs-birth"


async def test_a_request_is_marked_audited_and_told(api: httpx.AsyncClient, city_url: str) -> None:
    await write(city_url, *(refused(number) for number in range(4)), refused(0))
    async with connected(city_url) as listener:
        await listener.set_autocommit(True)
        await listener.execute("listen lifeline_rejection")
        (item,) = await listed(api, sensor="s0")
        response = await api.post(f"/rejections/{item['id']}/reprocess")
        assert (response.status_code, response.json()) == (202, {"rejections": 1, "payloads": 2})
        assert [notice async for notice in listener.notifies(timeout=5, stop_after=1)]
    response = await api.post("/rejections/reprocess", params={"sender": "g0"})
    assert (response.status_code, response.json()) == (202, {"rejections": 2, "payloads": 2})
    requested = {one["sensor"]: one["reprocess_requested_by"] for one in await listed(api)}
    assert requested == {"s0": "everything", "s1": "everything", "s2": None, "s3": "everything"}
    first, second = (await api.get("/audit", params={"limit": 2})).json()["items"]
    assert {line["action"] for line in (first, second)} == {"rejection.reprocess"}
    assert first["after"] == {"selection": {"sender": "g0"}, "rejections": 2, "payloads": 2}
    assert (second["subject"], second["actor"]) == (str(item["id"]), "everything")


async def test_dismissing_forgets_and_is_audited(api: httpx.AsyncClient, city_url: str) -> None:
    await write(city_url, refused(1), refused(1), refused(2))
    (item,) = await listed(api, sensor="s1")
    assert (await api.delete(f"/rejections/{item['id']}")).status_code == 204
    problem_of(await api.delete(f"/rejections/{item['id']}"), 404, "not-found")
    assert [one["sensor"] for one in await listed(api)] == ["s2"]
    (line,) = (await api.get("/audit", params={"limit": 1})).json()["items"]
    assert (line["action"], line["subject"]) == ("rejection.dismiss", str(item["id"]))
    assert (line["before"]["count"], line["before"]["topic"]) == (2, item["topic"])


@pytest.mark.parametrize("who", ["read", "handle", "audit"])
async def test_only_an_operator_may_reprocess_or_dismiss(address: str, city_url: str, who: str) -> None:
    await write(city_url, refused(1))
    async with client(address) as everything:
        (item,) = await listed(everything)
    async with client(address, who) as caller:
        problem_of(await caller.post("/rejections/reprocess"), 403, "not-permitted")
        problem_of(await caller.post(f"/rejections/{item['id']}/reprocess"), 403, "not-permitted")
        problem_of(await caller.delete(f"/rejections/{item['id']}"), 403, "not-permitted")
    async with client(address) as everything:
        (after,) = await listed(everything)
    assert after["reprocess_requested_at"] is None


@pytest.mark.parametrize("identifier", ["x", "-1", str(10**30)])
async def test_an_identifier_that_cannot_be_is_refused(api: httpx.AsyncClient, identifier: str) -> None:
    problem_of(await api.get(f"/rejections/{identifier}"), 422, "not-valid")


async def test_what_an_unknown_sensor_sent_becomes_readings_when_an_operator_asks(
    api: httpx.AsyncClient, address: str, city_url: str, mosquitto_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    start = now_ms() - 60_000
    with tables_of(city_url) as tables:
        async with ingest_process(settings_for(mosquitto_broker, city_url), tmp_path / "log"):
            await publish(mosquitto_broker.url, [single("just-installed", start + number, 1.0) for number in range(20)])
            await until(lambda: tables.rejected() == 20)
            (item,) = await listed(api, reason="unknown-sensor")
            assert (item["sensor"], item["count"]) == ("just-installed", 20)
            tables.do(
                "insert into sensor (id, lifeline, quantity, unit, asset, zone, longitude, latitude, interval_s)"
                " select 'just-installed', lifeline, quantity, unit, asset, zone, longitude, latitude, interval_s"
                " from sensor order by id limit 1"
            )
            async with client(address, "operate") as operator:
                response = await operator.post(f"/rejections/{item['id']}/reprocess")
            assert response.status_code == 202
            await until(lambda: tables.count("reading") == 20)
            await until(lambda: tables.count("rejection") == 0)
        problem_of(await api.get(f"/rejections/{item['id']}"), 404, "not-found")
