"""The trail can be written and read, and nothing else."""

import httpx
import psycopg
import pytest

from services.core.permission import Permission
from services.core.store import api_keys, audit
from tests.integration.api.harness import client, connected


@pytest.mark.parametrize(
    "statement",
    [
        "update audit set actor = 'somebody else'",
        "update audit set after = null where id = 1",
        "delete from audit",
        "truncate audit",
        "truncate audit cascade",
    ],
)
async def test_the_trail_refuses_to_be_changed(city_url: str, statement: str) -> None:
    async with connected(city_url) as connection:
        await audit.record(connection, actor="duty officer", action="test", subject_kind="test", subject="x")
    async with connected(city_url) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
            await connection.execute(statement.encode())
        await connection.rollback()
        (entry, *_) = await audit.entries_of(connection, ["x"])
        assert entry.actor == "duty officer"


async def test_a_line_of_a_transaction_that_is_rolled_back_is_not_there(city_url: str) -> None:
    async with connected(city_url) as connection:
        await audit.record(connection, actor="a", action="given-up", subject_kind="test", subject="y")
        await connection.rollback()
    async with connected(city_url) as connection:
        assert await audit.entries_of(connection, ["y"]) == []


async def test_the_trail_is_read_newest_first_with_before_and_after(api: httpx.AsyncClient, city_url: str) -> None:
    async with connected(city_url) as connection:
        for number in range(3):
            before, after = {"state": number}, {"state": number + 1}
            await audit.record(
                connection, actor="a", action="step", subject_kind="test", subject="z", before=before, after=after
            )
    lines = (await api.get("/audit", params={"limit": 3})).json()["items"]
    assert [line["after"]["state"] for line in lines] == [3, 2, 1]
    assert [line["before"]["state"] for line in lines] == [2, 1, 0]
    assert [line["id"] for line in lines] == sorted((line["id"] for line in lines), reverse=True)


async def test_a_line_says_from_where_and_with_which_key(api: httpx.AsyncClient, city_url: str) -> None:
    body = {
        "kind": "silence",
        "matcher": {"zone": "none"},
        "starts_at": "2099-01-01T00:00:00Z",
        "ends_at": "2099-01-02T00:00:00Z",
        "reason": "a test",
    }
    answer = await api.post("/silences", json=body)
    assert answer.status_code == 201, answer.text
    (line,) = (await api.get("/audit", params={"limit": 1})).json()["items"]
    assert (line["address"], line["key_name"], line["actor"]) == ("127.0.0.1", "everything", "everything")
    async with connected(city_url) as connection:
        await audit.record(connection, actor="a", action="by-itself", subject_kind="test", subject="from-within")
        (entry,) = await audit.entries_of(connection, ["from-within"])
    assert (entry.address, entry.key_name) == (None, None)


async def test_a_refused_key_is_in_the_trail(address: str, api: httpx.AsyncClient) -> None:
    async with client(address, None) as caller:
        caller.headers["Authorization"] = "Bearer lk_a-guess"
        for _ in range(3):
            assert (await caller.get("/alerts")).status_code == 401
    async with client(address, "read") as caller:
        assert (await caller.get("/audit")).status_code == 403
    lines = [
        line
        for line in (await api.get("/audit", params={"limit": 10})).json()["items"]
        if line["action"] == "key.refused"
    ]
    assert len(lines) == 2, "the second and third guess of the same minute are counted by a later line"
    permission, guess = lines
    assert (permission["key_name"], permission["after"]["reason"]) == ("read", "may not audit")
    assert (guess["actor"], guess["key_name"], guess["after"]["reason"]) == ("nobody", None, "unknown")
    assert guess["address"] == "127.0.0.1"
    assert "a-guess" not in str(lines), "no key that was tried is written down"


async def test_keys_that_come_and_go_are_in_the_trail(city_url: str) -> None:
    async with connected(city_url) as connection:
        for permissions in ([Permission.READ], [Permission.READ], [Permission.READ, Permission.OPERATE]):
            await api_keys.save_key(connection, "guest", "lk_guest", "guest", permissions, issuer="keeper")
        assert await api_keys.revoke_key(connection, "guest", actor="keeper")
        assert not await api_keys.revoke_key(connection, "guest", actor="keeper")
        entries = await audit.entries_of(connection, ["guest"])
    assert [entry.action for entry in entries] == ["key.issue", "key.issue", "key.revoke"]
    assert entries[1].before == {"actor": "guest", "permissions": ["read"]}
    assert "lk_guest" not in str(entries)


async def test_other_limits_of_a_sensor_are_in_the_trail_and_the_earlier_ones_are_kept(city_url: str) -> None:
    async with connected(city_url) as connection:
        cursor = await connection.execute("select id, thresholds from sensor where thresholds is null limit 1")
        (sensor, _) = (await cursor.fetchall())[0]
        await connection.execute("update sensor set thresholds = '[]' where id = %s", (sensor,))
        await connection.execute("update sensor set thresholds = '[]' where id = %s", (sensor,))
        (entry,) = await audit.entries_of(connection, [sensor])
        cursor = await connection.execute(
            "select version, row -> 'thresholds' from sensor_version where sensor = %s order by version", (sensor,)
        )
        assert await cursor.fetchall() == [(1, None), (2, [])]
    assert entry.action == "sensor.limits"
    assert (entry.before or {})["thresholds"] is None
    assert (entry.after or {})["thresholds"] == []
