"""A database of the first release, with what it held, becomes what a new one is."""

import uuid
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import sqlalchemy
from alembic import command
from alembic.config import Config

from services.core.store import hypertables, limited_views, migrations, retention, rollup_tables, storage_level
from services.core.store.migrations import DatabaseNotReadyError, migrate
from services.core.store.storage_level import StorageLevel
from tests.fixtures.timescale import PostgresServer, Server, Store
from tests.storage.catalogue import catalogue
from tests.storage.summaries import TODAY, assert_summaries_are_right, bring_up_to_date, row, stored, write

OLD = TODAY - timedelta(days=5)


def _first_release(url: str, level: StorageLevel) -> None:
    """The schema and the chunks that the first release made."""
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=sqlalchemy.NullPool
    )
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    if level is not StorageLevel.PLAIN:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("create extension timescaledb")
            connection.execute(
                "select create_hypertable('reading', 'time', chunk_time_interval => interval '1 day', "
                "migrate_data => true)"
            )


def _contents(connection: psycopg.Connection) -> None:
    connection.execute(
        """
        insert into reading (sensor_key, time, value, quality, reason, received_at)
        select sensor, time, extract(hour from time) + sensor / 10.0,
            case when extract(minute from time) = 30 then 2 else 0 end,
            case when extract(minute from time) = 30 then 'out-of-range' end, time
        from generate_series(1, 3) sensor, generate_series(%s::timestamptz, %s, interval '10 minutes') time
        """,
        (OLD, OLD + timedelta(days=2)),
    )
    connection.execute(
        "insert into latest select distinct on (sensor_key) sensor_key, time, value, quality, reason, received_at "
        "from reading order by sensor_key, time desc"
    )
    connection.execute(
        """
        insert into feed (zone, sensor_keys, times, "values", qualities, reasons)
        values ('zone', '{1}', array[%s]::timestamptz[], '{5}', '{2}', '{device}')
        """,
        (OLD,),
    )
    connection.execute(
        "insert into rejection (topic, payload, reason, detail, received_at) "
        "values ('t', 'xyz', 'not-json', 'first', %(at)s), ('t', 'abc', 'not-json', 'second', %(at)s)",
        {"at": OLD},
    )


async def test_database_of_the_first_release_becomes_like_a_new_one(server: Server) -> None:
    with server.database(migrated=True) as url, psycopg.connect(url, autocommit=True) as connection:
        fresh = catalogue(connection)
    with server.database(migrated=False) as url:
        store = Store(server.level, url)
        _first_release(url, server.level)
        with store.connect() as connection:
            _contents(connection)
            counts = connection.execute("select count(*), sum(value), min(time), max(time) from reading").fetchone()
        steps = migrate(url)
        assert steps[0] == f"schema 0001 → {migrations.head()}"
        assert migrate(url) == []
        with store.connect() as connection:
            assert (
                connection.execute("select count(*), sum(value), min(time), max(time) from reading").fetchone()
                == counts
            )
            assert connection.execute("select distinct quality, reason from reading order by 1").fetchall() == [
                (0, 0),
                (2, 1),
            ]
            assert connection.execute("select count(*) from latest").fetchone() == (3,)
            assert connection.execute("select reasons, corrects from feed").fetchall() == [([2], False)]
            assert connection.execute("select count, detail from rejection").fetchall() == [(2, "second")]
            assert connection.execute("select count(*) from rejected_payload").fetchone() == (2,)
            found = catalogue(connection)
        for kind, parts in fresh.items():
            assert found[kind] == parts, f"{kind} differ from those of a new database"
        # What was there before is summarised, and what comes now joins it.
        await assert_summaries_are_right(store)
        await write(store, [row(1, OLD + timedelta(minutes=5), -1.0), row(2, TODAY, 3.0)])
        await bring_up_to_date(store)
        await assert_summaries_are_right(store)


async def test_interrupted_filling_is_begun_again(rollup_store: Store) -> None:
    """Without its progress a summary is worked out from the readings: slow, but never wrong."""
    await write(rollup_store, [row(1, OLD + timedelta(minutes=number), float(number)) for number in range(100)])
    with rollup_store.connect() as connection:
        connection.execute("delete from rollup_progress")
        connection.execute(
            "insert into rollup_1m (sensor_key, bucket, count, suspect, bad) values (1, %s, 9, 9, 9)", (OLD,)
        )
    await assert_summaries_are_right(rollup_store)
    await bring_up_to_date(rollup_store)
    await assert_summaries_are_right(rollup_store)
    assert migrate(rollup_store.url) == ["summaries follow the readings; those of 1 days are written down"]
    await assert_summaries_are_right(rollup_store)
    await bring_up_to_date(rollup_store)
    await assert_summaries_are_right(rollup_store)


async def test_plain_tables_become_chunks_once_the_extension_may_be_created(apache_server: PostgresServer) -> None:
    """A role without the right gets the level plain; a later migration by one with the right moves everything."""
    role = f"role_{uuid.uuid4().hex}"
    with apache_server.database(migrated=False) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"create role {role} login password '{role}'; grant all on schema public to {role}")
        address = urlsplit(url)
        as_role = Store(
            StorageLevel.PLAIN, address._replace(netloc=f"{role}:{role}@{address.hostname}:{address.port}").geturl()
        )
        with pytest.raises(DatabaseNotReadyError, match=f"create schema limited authorization {role}"):
            migrate(as_role.url)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"create schema limited authorization {role}")
        steps = migrate(as_role.url)
        assert any("may not create it" in step for step in steps)
        with as_role.connect() as connection:
            assert limited_views.are_complete(connection)
        with as_role.connect() as connection:
            assert storage_level.detect(connection) is StorageLevel.PLAIN
        await write(as_role, [row(1, OLD + timedelta(hours=number), float(number)) for number in range(50)])
        await bring_up_to_date(as_role)
        await assert_summaries_are_right(as_role)

        store = Store(StorageLevel.TIMESCALE_APACHE, url)
        assert migrate(url) == ["TimescaleDB is in use", "readings are a hypertable"]
        with store.connect() as connection:
            assert storage_level.detect(connection) is StorageLevel.TIMESCALE_APACHE
            assert hypertables.is_hypertable(connection, "rollup_1m")
        await write(store, [row(1, OLD + timedelta(minutes=7), -7.0), row(2, TODAY, 3.0)])
        await bring_up_to_date(store)
        await assert_summaries_are_right(store)
    apache_server.execute("drop role {}", role)


async def _gave_up_aggregates(store: Store) -> None:
    """As a database was under the Apache licence, with readings that its tables have summarised."""
    with store.connect() as connection:
        for view in ("reading_1d", "reading_1h", "reading_1m"):
            connection.execute(f"drop materialized view {view}")
        rollup_tables.create(connection)
    await write(store, [row(1, OLD + timedelta(hours=number), float(number)) for number in range(50)])
    with store.connect() as connection:
        rollup_tables.fill(connection)
    await assert_summaries_are_right(store)


async def test_tables_become_aggregates_once_the_licence_allows(community_store: Store) -> None:
    await _gave_up_aggregates(community_store)
    with community_store.connect() as connection:
        assert "reading_1d is a continuous aggregate" in storage_level.apply(connection)
        assert not rollup_tables.exist(connection)
        assert storage_level.apply(connection) == []
        written = connection.execute("select count(*) from reading_1d").fetchone()
        assert written == (3,)
    await write(community_store, [row(1, OLD + timedelta(minutes=7), -7.0), row(2, TODAY, 3.0)])
    await bring_up_to_date(community_store)
    await assert_summaries_are_right(community_store)


async def test_summaries_of_dropped_readings_survive_another_licence(community_store: Store) -> None:
    await _gave_up_aggregates(community_store)
    async with community_store.connection() as session:
        readings = await stored(session)
        assert await retention.drop_readings(session, OLD + timedelta(days=1)) > 0
    with community_store.connect() as connection:
        storage_level.apply(connection)
        assert rollup_tables.exist(connection)
    await assert_summaries_are_right(community_store, readings)
