"""The database goes away while the alert process runs."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from services.demo.child import launch_command
from services.demo.postgres import EmbeddedPostgres
from tests.fixtures.processes import reachable_directory
from tests.integration.alerts.alert_harness import (
    AlertProcess,
    ReceiverProcess,
    alert_process,
    ask,
    at,
    prepare,
    store,
    tell,
    until,
)

AWAY, BACK = "database away, trying again", "database is back"
LONGEST_RETURN_S = 20.0


@pytest.fixture
def own_server() -> Iterator[EmbeddedPostgres]:
    """A server that a test may stop; it is not running yet."""
    with reachable_directory("alerts-postgres") as directory:
        server = EmbeddedPostgres(directory, wanted_port=0)
        server.prepare()
        yield server


@asynccontextmanager
async def serving(server: EmbeddedPostgres) -> AsyncIterator[None]:
    """The server runs for the length of the block, always on the same port."""
    user = (server.user.uid, server.user.gid) if server.user else None
    command = [*server.command(), "-c", "fsync=off", "-c", "full_page_writes=off"]
    with (server.data_dir / "postgres.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *launch_command(command, user=user), stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        await server.wait_ready()
        yield
    finally:
        process.send_signal(server.stop_signal)
        await process.wait()


def _terminate_all(url: str) -> int:
    with psycopg.connect(url) as connection:
        cursor = connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )
        return len(cursor.fetchall())


@pytest.mark.slow
async def test_terminated_connections_are_replaced_and_nothing_is_lost_or_judged_twice(
    city_url: str, alerts: AlertProcess, receiver: ReceiverProcess
) -> None:
    await receiver.start()
    await tell(city_url, receiver.receiver("gas-company"))
    await alerts.start()
    for minute in range(12):
        await store(city_url, [("M-1", at(minute), 30.0 if minute == 4 else 1.0)])
        if minute % 4 == 0:
            assert _terminate_all(city_url) >= 2
        await asyncio.sleep(0.1)
    await store(city_url, [("M-2", at(12), 30.0)])
    await until(lambda: len(ask(city_url, "select from alert")) == 2)
    # The job worker lives on as well.
    await until(lambda: len({each["webhook-id"] for each in receiver.attempts()}) == 4)
    await until(lambda: alerts.count(AWAY) == alerts.count(BACK) >= 1)
    assert alerts.process.poll() is None
    (first,) = ask(city_url, "select * from alert where asset = 'US-1'")
    assert first["finding_count"] == len(ask(city_url, "select from finding where alert = %s", first["id"]))
    states = ask(city_url, "select state from finding where asset = 'US-1' order by time")
    assert states[0] == {"state": "raised"}
    assert len({row["id"] for row in ask(city_url, "select id from finding")}) == len(
        ask(city_url, "select from finding")
    )


@pytest.mark.slow
async def test_a_stopped_server_is_reported_in_one_line_and_the_work_goes_on_when_it_is_back(
    own_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    url = own_server.url()
    with alert_process(url, tmp_path) as alerts:
        async with serving(own_server):
            prepare(url, tmp_path / "city")
            await alerts.start()
            await store(url, [("M-1", at(0), 30.0)])
            await until(lambda: len(ask(url, "select from alert")) == 1)
        await until(lambda: alerts.count(AWAY) == 1)
        # Long enough for both parts of the process to notice, and for their waits to have grown.
        await asyncio.sleep(8)
        async with serving(own_server):
            back_after_s = await until(lambda: alerts.count(BACK) == 1)
            assert back_after_s < LONGEST_RETURN_S
            assert alerts.process.poll() is None
            await store(url, [("M-2", at(1), 30.0), ("M-1", at(1), 31.0)])
            await until(lambda: len(ask(url, "select from alert")) == 2)
            assert len(ask(url, "select from finding")) == 2
            assert alerts.terminate() == 0
            assert (alerts.count(AWAY), alerts.count(BACK)) == (1, 1)
            assert "Traceback" not in alerts.log.read_text()


@pytest.mark.slow
async def test_a_process_started_before_its_database_waits_for_it(own_server: EmbeddedPostgres, tmp_path: Path) -> None:
    async with serving(own_server):
        prepare(own_server.url(), tmp_path / "city")
    with alert_process(own_server.url(), tmp_path) as alerts:
        await alerts.start("database not reachable, waiting")
        async with serving(own_server):
            await until(lambda: alerts.count("following the feed") == 1)
            assert alerts.terminate() == 0
