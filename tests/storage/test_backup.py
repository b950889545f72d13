"""A backup, restored on another server, holds the same, and the service goes on where it was."""

import os
import subprocess
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from services.core.store import feed, latest, rollup_tables, shares
from services.core.store.feed import FeedPosition
from services.core.store.migrations import migrate
from services.core.store.storage_level import StorageLevel
from services.demo.postgres_home import installed_binaries
from services.demo.system_user import SystemUser
from tests.fixtures.timescale import HOME, PROGRAMS, PostgresServer, Store
from tests.storage.catalogue import catalogue
from tests.storage.summaries import NOW, TODAY, assert_summaries_are_right, bring_up_to_date, row, rows, write

DEPLOY = Path(__file__).parents[2] / "deploy"
OLD = TODAY - timedelta(days=4)
CHECKSUMS = {
    "reading": "sensor_key, time",
    "superseded_reading": "sensor_key, time, received_at",
    "reading_1m": "sensor_key, bucket",
    "reading_1h": "sensor_key, bucket",
    "reading_1d": "sensor_key, bucket",
    "rollup_progress": "summary",
    "zone": "id",
    "audit": "id",
}


@pytest.fixture
def programs(rollup_server: PostgresServer, tmp_path: Path) -> Path:
    """The folder of PostgreSQL's programs that belong to the server."""
    if rollup_server.level is StorageLevel.PLAIN:
        return installed_binaries(SystemUser.for_database())
    # Debian 13's programs, by its own loader and libraries: in a directory of their own they would not see our files.
    debian = HOME / "debian"
    loader = next((debian / "usr").glob("lib*/ld-linux-*"))
    libraries = next((debian / "usr/lib").glob("*-linux-gnu"))
    for name in ("pg_dump", "pg_restore", "psql"):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\nexec {loader} --library-path {libraries} {debian}{PROGRAMS}/{name} "$@"\n')
        program.chmod(0o755)
    return tmp_path


def _run(script: str, file: Path, url: str, programs: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "LIFELINE_DATABASE_URL": url, "PG_PROGRAMS": str(programs)}
    return subprocess.run(
        [DEPLOY / script, file], env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def _contents(connection: psycopg.Connection) -> dict[str, object]:
    found: dict[str, object] = {
        name: connection.execute(
            f"select count(*), md5(string_agg(line::text, ';' order by {order})) from {name} line"
        ).fetchone()
        for name, order in CHECKSUMS.items()
    }
    found["feed"] = connection.execute(
        'select sensor_keys, times, "values", qualities, reasons, corrects from feed order by transaction_id, id'
    ).fetchall()
    return found


async def test_restored_database_holds_the_same_and_goes_on(
    rollup_server: PostgresServer, programs: Path, tmp_path: Path
) -> None:
    server, level = rollup_server, rollup_server.level
    backup = tmp_path / "lifeline.dump"
    with server.database(migrated=True) as url:
        store = Store(level, url)
        await _live_for_a_while(store)
        with store.connect() as connection:
            before, structure = _contents(connection), catalogue(connection)
        done = _run("backup.sh", backup, url, programs)
        assert done.returncode == 0, done.stderr
        assert backup.stat().st_mode & 0o077 == 0, "others may read the backup"
    with server.database(migrated=False) as url:
        store = Store(level, url)
        done = _run("restore.sh", backup, url, programs)
        assert done.returncode == 0, done.stderr
        with store.connect() as connection:
            assert _contents(connection) == before
            assert catalogue(connection) == structure
        assert migrate(url) == []
        # What no reader had taken is still before it, and what comes now comes behind that.
        await write(store, [row(1, NOW, 77.0), row(3, OLD + timedelta(minutes=1), 78.0)])
        await _assert_feed_goes_on(store)
        await bring_up_to_date(store)
        await assert_summaries_are_right(store)
        again = _run("restore.sh", backup, url, programs)
        assert again.returncode == 1
        assert "not empty" in again.stderr


async def _live_for_a_while(store: Store) -> None:
    """Some history that every reader has taken, and some that none has."""
    with store.connect() as connection:
        connection.execute("insert into zone values ('zone', 'water', 'Zone', '片区')")
        # Numbers of transactions that the new server is far from.
        for _ in range(300):
            connection.execute("select pg_current_xact_id()")
    await write(store, rows([1, 2], OLD, OLD + timedelta(days=2), timedelta(minutes=3)))
    await write(store, [row(1, OLD, -1.0)])
    await bring_up_to_date(store)
    async with store.connection() as session:
        while await latest.follow(session):
            pass
    await write(store, rows([1, 2], NOW - timedelta(hours=1), NOW, timedelta(minutes=1)))


async def _assert_feed_goes_on(store: Store) -> None:
    async with store.connection() as session:
        place = (await shares.places(session, [0]))[0].position
        entries = await feed.read(session, place, 1000)
        assert [entry.values for entry in entries][-1] == [77.0, 78.0]
        assert sum(len(entry.values) for entry in entries) == 2 * 960 + 1 + 2 * 60 + 2
        behind = await feed.load_cursor(session, rollup_tables.CONSUMER)
        assert behind > FeedPosition(0, 0)
        left = await feed.read(session, behind, 1000)
        assert sum(len(entry.values) for entry in left) == 2 * 60 + 2
        while await latest.follow(session):
            pass
        cursor = await session.execute("select value from latest where sensor_key = 1")
        assert await cursor.fetchone() == (77.0,)


def test_backup_of_nothing_says_why(programs: Path, tmp_path: Path) -> None:
    file = tmp_path / "lifeline.dump"
    nobody = urlsplit("postgresql://nobody:wrong@127.0.0.1:1/none").geturl()
    done = _run("backup.sh", file, nobody, programs)
    assert done.returncode != 0
    assert "127.0.0.1" in done.stderr
    assert "wrong" not in done.stderr
    assert list(tmp_path.glob("lifeline*")) == [], "half a backup looks like a whole one"
