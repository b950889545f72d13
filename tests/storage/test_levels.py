"""Every level is what it says it is, applying it again changes nothing, and policies follow the settings."""

from datetime import timedelta

import psycopg

from services.core.store import hypertables, storage_level
from services.core.store.storage_level import StorageLevel
from services.core.store.storage_policy import StoragePolicy
from services.core.store.storage_size import storage_status
from tests.fixtures.timescale import Store
from tests.storage.catalogue import catalogue


async def test_level_is_detected(store: Store) -> None:
    with store.connect() as connection:
        assert storage_level.detect(connection) is store.level
    async with store.connection() as session:
        assert await storage_level.detected(session) is store.level


def test_applying_twice_does_nothing(store: Store) -> None:
    with store.connect() as connection:
        before = catalogue(connection)
        assert storage_level.apply(connection) == []
        assert storage_level.apply_policy(connection, StoragePolicy()) == []
        assert catalogue(connection) == before


def test_chunks_have_the_wanted_length(store: Store) -> None:
    with store.connect() as connection:
        wanted = StoragePolicy(chunk_interval=timedelta(hours=6))
        steps = storage_level.apply_policy(connection, wanted)
        if store.level is StorageLevel.PLAIN:
            assert steps == []
            return
        assert hypertables.is_hypertable(connection, "reading")
        assert hypertables.chunk_interval(connection, "reading") == timedelta(hours=6)
        assert storage_level.apply_policy(connection, wanted) == []
        storage_level.apply_policy(connection, StoragePolicy())
        assert hypertables.chunk_interval(connection, "reading") == timedelta(days=1)


def test_feed_is_followed_where_the_server_does_not_summarise(store: Store) -> None:
    with store.connect() as connection:
        consumers = {row[0] for row in connection.execute("select consumer from feed_cursor")}
    assert ("rollup" in consumers) == store.has_rollups


def test_jobs_of_the_server_follow_the_policy(community_store: Store) -> None:
    with community_store.connect() as connection:
        policy = StoragePolicy(
            compress_after=timedelta(days=5),
            refresh_every=timedelta(minutes=2),
            keep_raw=timedelta(days=30),
            keep_1m=timedelta(days=90),
        )
        assert storage_level.apply_policy(connection, policy)
        jobs = _jobs(connection)
        assert {kind: (start, end) for view, kind, start, end, _ in jobs if view == "reading_1m" and start} == {
            "policy_refresh_continuous_aggregate": ("30 days", "00:05:00")
        }
        assert ("reading", "policy_retention", None, None, "30 days") in jobs
        assert ("reading_1m", "policy_compression", None, None, "5 days") in jobs
        assert storage_level.apply_policy(connection, policy) == []

        storage_level.apply_policy(connection, StoragePolicy(compress_after=None))
        kinds = {kind for _, kind, *_ in _jobs(connection)}
        assert kinds == {"policy_refresh_continuous_aggregate"}, "for ever means that no job drops or compresses"


def _jobs(connection: psycopg.Connection) -> list[tuple[str | None, ...]]:
    return connection.execute(
        """
        select coalesce(aggregate.view_name, job.hypertable_name), job.proc_name, job.config->>'start_offset',
            job.config->>'end_offset', coalesce(job.config->>'drop_after', job.config->>'compress_after')
        from timescaledb_information.jobs job left join timescaledb_information.continuous_aggregates aggregate
            on aggregate.materialization_hypertable_name = job.hypertable_name
        where job.hypertable_name is not null
        """
    ).fetchall()


def test_status_names_every_part_of_the_store(store: Store) -> None:
    with store.connect() as connection:
        status = storage_status(connection)
    assert status.level is store.level
    assert (status.timescaledb is None) == (store.level is StorageLevel.PLAIN)
    assert {table.name for table in status.tables} >= {"reading", "feed", "latest", "superseded_reading"}
    assert [lag.name for lag in status.lags if lag.until is not None] == []
    assert (status.unread_feed_entries is None) != store.has_rollups
