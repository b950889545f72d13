"""The trail can be written and read, and nothing else."""

import httpx
import psycopg
import pytest

from services.core.store import audit
from tests.integration.api.harness import connected


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
