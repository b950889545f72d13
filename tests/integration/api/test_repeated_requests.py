"""Requests that are sent twice, too often, too large, or about something that has changed."""

import asyncio
from uuid import uuid4

import httpx
import pytest

from services.core.store import alerts
from tests.integration.api.harness import alert_at, client, connected, problem_of, serving

COMMENT = {"text": "said once"}


@pytest.fixture
async def alert(city_url: str, asset: str) -> str:
    async with connected(city_url) as connection:
        made = alert_at(asset)
        await alerts.add(connection, made, "system")
    return str(made.id)


async def comments(api: httpx.AsyncClient, alert: str) -> int:
    return len((await api.get(f"/alerts/{alert}/comments")).json())


async def test_a_request_sent_again_is_answered_again_and_done_once(api: httpx.AsyncClient, alert: str) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    first = await api.post(f"/alerts/{alert}/comments", json=COMMENT, headers=key)
    again = await api.post(f"/alerts/{alert}/comments", json=COMMENT, headers=key)
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert await comments(api, alert) == 1


async def test_the_same_key_for_another_request_is_refused(api: httpx.AsyncClient, alert: str) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    assert (await api.post(f"/alerts/{alert}/comments", json=COMMENT, headers=key)).status_code == 201
    other = await api.post(f"/alerts/{alert}/comments", json={"text": "another"}, headers=key)
    problem_of(other, 422, "not-valid")
    assert await comments(api, alert) == 1


async def test_requests_at_the_same_moment_are_done_once(api: httpx.AsyncClient, alert: str) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    answers = await asyncio.gather(
        *(api.post(f"/alerts/{alert}/comments", json=COMMENT, headers=key) for _ in range(6))
    )
    # Whoever comes between the work and its answer is told that it was done.
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert await comments(api, alert) == 1


async def test_what_failed_is_tried_anew(api: httpx.AsyncClient, alert: str) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    problem_of(await api.post(f"/alerts/{alert}/comments", json={"text": ""}, headers=key), 422, "not-valid")
    assert (await api.post(f"/alerts/{alert}/comments", json={"text": "now"}, headers=key)).status_code == 201


async def test_keys_of_different_callers_never_meet(api: httpx.AsyncClient, address: str, alert: str) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    async with client(address, "another") as another:
        for caller in (api, another):
            answer = await caller.post(f"/alerts/{alert}/comments", json=COMMENT, headers=key)
            assert "idempotent-replayed" not in answer.headers
    assert await comments(api, alert) == 2


async def test_a_secret_is_never_kept_to_be_shown_again(api: httpx.AsyncClient, city_url: str) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    asked = {"id": f"k-{uuid4().hex[:8]}", "actor": "x", "permissions": ["read"]}
    made = (await api.post("/keys", json=asked, headers=key)).json()
    problem_of(await api.post("/keys", json=asked, headers=key), 409, "not-possible")
    async with connected(city_url) as connection:
        cursor = await connection.execute("select body from idempotent_request where body is not null")
        assert all(made["key"].encode() not in row[0] for row in await cursor.fetchall())


async def test_a_change_of_what_was_changed_meanwhile_is_refused(api: httpx.AsyncClient, alert: str) -> None:
    seen = (await api.get(f"/alerts/{alert}")).headers["etag"]
    done = await api.post(f"/alerts/{alert}/acknowledge", headers={"If-Match": seen})
    assert done.status_code == 200
    verdict = {"verdict": "test", "reason": "a test"}
    late = await api.post(f"/alerts/{alert}/verdict", json=verdict, headers={"If-Match": seen})
    problem_of(late, 412, "changed-meanwhile")
    fresh = (await api.get(f"/alerts/{alert}")).headers["etag"]
    for tag in ('W/"1"', fresh.strip('"'), '"0"'):
        refused = await api.post(f"/alerts/{alert}/verdict", json=verdict, headers={"If-Match": tag})
        problem_of(refused, 412, "changed-meanwhile")
    answer = await api.post(f"/alerts/{alert}/verdict", json=verdict, headers={"If-Match": f'"0", {fresh}'})
    assert answer.status_code == 200


async def test_a_key_that_somebody_else_replaced_meanwhile_is_not_replaced_again(api: httpx.AsyncClient) -> None:
    name = f"twice-{uuid4().hex[:8]}"
    issued = (await api.post("/keys", json={"id": name, "actor": "a test", "permissions": ["read"]})).json()
    (listed,) = [key for key in (await api.get("/keys")).json() if key["id"] == name]
    assert listed["version"] == issued["version"]
    seen = {"If-Match": f'"{issued["version"]}"'}
    replaced = await api.post(f"/keys/{name}/rotate", json={}, headers=seen)
    assert (replaced.status_code, replaced.json()["version"] == issued["version"]) == (200, False)
    for deed in ("rotate", "revoke"):
        problem_of(await api.post(f"/keys/{name}/{deed}", json={}, headers=seen), 412, "changed-meanwhile")
    newest = {"If-Match": f'"{replaced.json()["version"]}"'}
    assert (await api.post(f"/keys/{name}/revoke", headers=newest)).status_code == 200


async def test_a_key_is_issued_rotated_confined_and_ended(api: httpx.AsyncClient, address: str) -> None:
    name = f"k-{uuid4().hex[:8]}"
    asked = {"id": name, "actor": "a system", "permissions": ["read"], "limits": {"lifelines": ["gas"]}}
    problem_of(await api.post("/keys", json=asked | {"expires_at": "2020-01-01T00:00:00Z"}), 422, "not-valid")
    made = await api.post("/keys", json=asked)
    assert made.status_code == 201, made.text
    problem_of(await api.post("/keys", json=asked), 409, "exists-already")
    old = made.json()["key"]
    rotated = (await api.post(f"/keys/{name}/rotate", json={"overlap_s": 3600})).json()
    for key in (old, rotated["key"]):
        async with client(address, None) as caller:
            caller.headers["Authorization"] = f"Bearer {key}"
            sensors = (await caller.get("/sensors")).json()["items"]
            assert {sensor["lifeline"] for sensor in sensors} == {"gas"}
    at_once = (await api.post(f"/keys/{name}/rotate", json={"overlap_s": 0})).json()["key"]
    async with client(address, None) as caller:
        for key, status in ((old, 401), (rotated["key"], 401), (at_once, 200)):
            caller.headers["Authorization"] = f"Bearer {key}"
            assert (await caller.get("/sensors")).status_code == status
        assert (await api.post(f"/keys/{name}/revoke")).json()["revoked_at"] is not None
        problem_of(await caller.get("/sensors"), 401, "key-needed")
    listed = (await api.get("/keys")).json()
    assert name in {key["id"] for key in listed}
    assert not any("key" in key for key in listed)


async def test_whoever_sends_too_much_has_to_wait(city_url: str) -> None:
    with serving(city_url, call_rate=1.0, call_burst=20) as slow:
        async with client(slow) as caller, client(slow, "another") as another:
            statuses = [(await caller.get("/me")).status_code for _ in range(25)]
            assert statuses[:20] == [200] * 20
            refused = await caller.get("/me")
            problem_of(refused, 429, "too-many")
            assert int(refused.headers["retry-after"]) >= 1
            assert (await another.get("/me")).status_code == 200
        async with client(slow, None) as stranger:
            stranger.headers["Authorization"] = "Bearer lk_wrong"
            statuses = [(await stranger.get("/me")).status_code for _ in range(25)]
            assert statuses[0] == 401
            assert statuses[-1] == 429


async def test_a_body_that_is_too_large_is_refused_unread(api: httpx.AsyncClient, alert: str) -> None:
    large = await api.post(f"/alerts/{alert}/comments", json={"text": "x" * 200_000})
    problem_of(large, 413, "too-large")
