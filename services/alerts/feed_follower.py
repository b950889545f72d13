"""Follows the feed: committed readings → zone engines → the loop, exactly once and across restarts."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from psycopg import AsyncConnection

from services.alerts import lifelines, loop
from services.alerts.tracing.city_graph import CityGraph
from services.alerts.zone_engine import ZoneEngine
from services.core.finding import Finding
from services.core.reading import Quality, Reading
from services.core.sensor import Sensor
from services.core.store import alert_kinds, detector_state, feed, network, sensors
from services.core.store.feed import FeedEntry, FeedPosition
from services.core.store.pool import Pool

_ENTRIES_AT_ONCE = 1000
_SLICE = timedelta(minutes=1)
"""Event time between two looks at who has fallen silent."""

log = structlog.get_logger()


@dataclass
class _Memory:
    """What the follower holds between two steps; thrown away and read anew after any failure."""

    position: FeedPosition
    city_time: datetime | None
    engines: dict[str, ZoneEngine]
    sensors_by_key: dict[int, Sensor]
    city: loop.City


class FeedFollower:
    """Judges what the feed brings and stores conclusions, detector state and position in one transaction.

    If anything fails, nothing of the step is stored and the memory is rebuilt from the database, so that the step
    is simply taken again.
    """

    def __init__(self, pool: Pool, consumer: str, *, allowed_lateness: timedelta, idle_release: timedelta) -> None:
        """Follow as ``consumer``; one consumer name is followed by one process at a time."""
        self._pool = pool
        self._consumer = consumer
        self._allowed_lateness = allowed_lateness
        self._idle_release_s = idle_release.total_seconds()
        self._memory: _Memory | None = None
        self._last_entry_at = time.monotonic()
        self._released = True
        self.readings_judged = 0

    def forget(self) -> None:
        """Read everything anew before the next step: the register changed, or a step failed."""
        self._memory = None

    async def step(self) -> bool:
        """Take the next entries, if any; ``False`` when there was nothing to do."""
        try:
            return await self._step()
        except BaseException:
            self.forget()
            raise

    async def _step(self) -> bool:
        async with self._pool.connection() as connection:
            memory = self._memory = self._memory or await self._recall(connection)
            entries = _whole_transactions(await feed.read(connection, memory.position, _ENTRIES_AT_ONCE))
        if entries:
            self._last_entry_at = time.monotonic()
            self._released = False
            found = await asyncio.to_thread(self._judge, memory, entries)
        elif not self._released and time.monotonic() - self._last_entry_at >= self._idle_release_s:
            self._released = True
            found = await asyncio.to_thread(_release, memory)
        else:
            return False
        await self._keep(memory, found)
        return True

    def _judge(self, memory: _Memory, entries: list[FeedEntry]) -> list[Finding]:
        """Judge slice by slice of event time, so that a long backlog does not look like silence."""
        found: list[Finding] = []
        for _, by_zone in sorted(_slices(entries, memory.sensors_by_key).items()):
            for zone, readings in by_zone.items():
                self.readings_judged += len(readings)
                if zone in memory.engines:
                    found += memory.engines[zone].observe(readings)
            newest = max(reading.time for readings in by_zone.values() for reading in readings)
            if memory.city_time is None or newest > memory.city_time:
                memory.city_time = newest
                for engine in memory.engines.values():
                    found += engine.advance(newest)
        memory.position = entries[-1].position
        return found

    async def _keep(self, memory: _Memory, found: list[Finding]) -> None:
        async with self._pool.connection() as connection:
            for finding in sorted(found, key=lambda finding: (finding.time, finding.id)):
                alert = await loop.conclude(connection, memory.city, finding)
                if alert is not None:
                    log.info(
                        "finding",
                        kind=finding.kind,
                        state=finding.state,
                        severity=int(finding.severity),
                        asset=finding.asset,
                        event_time=finding.time.isoformat(),
                        alert=str(alert.id),
                    )
            for zone, engine in memory.engines.items():
                await detector_state.save(connection, zone, engine.changed_state())
            await feed.save_cursor(connection, self._consumer, memory.position, memory.city_time)

    async def _recall(self, connection: AsyncConnection) -> _Memory:
        position, city_time = await feed.load_cursor(connection, self._consumer)
        registered = await sensors.load_sensors(connection)
        graph = CityGraph(await network.load_assets(connection), await network.load_links(connection))
        states = await detector_state.load(connection)
        engines = _build_engines(registered, self._allowed_lateness)
        for zone, engine in engines.items():
            engine.restore(states.get(zone, {}))
        log.info("following the feed", zones=len(engines), sensors=len(registered), position=str(position))
        return _Memory(
            position=position,
            city_time=city_time,
            engines=engines,
            sensors_by_key={sensor.key: sensor for sensor in registered},
            city=loop.City(
                kinds=await alert_kinds.load_alert_kinds(connection),
                graph=graph,
                sensor_assets={sensor.id: sensor.asset for sensor in registered},
            ),
        )

    async def prune(self) -> None:
        """Drop what has been read."""
        async with self._pool.connection() as connection:
            await feed.prune(connection)


def _build_engines(registered: Iterable[Sensor], allowed_lateness: timedelta) -> dict[str, ZoneEngine]:
    rules = lifelines.discover()
    by_zone: dict[str, list[Sensor]] = {}
    for sensor in registered:
        by_zone.setdefault(sensor.zone, []).append(sensor)
    return {
        zone: ZoneEngine(zone, rules[members[0].lifeline], members, allowed_lateness=allowed_lateness)
        for zone, members in sorted(by_zone.items())
        if members[0].lifeline in rules
    }


def _release(memory: _Memory) -> list[Finding]:
    return [finding for engine in memory.engines.values() for finding in engine.release()]


def _whole_transactions(entries: list[FeedEntry]) -> list[FeedEntry]:
    """Without the last transaction when it may have been cut: zones of one transaction are judged together."""
    if len(entries) < _ENTRIES_AT_ONCE:
        return entries
    last = entries[-1].position.transaction_id
    return [entry for entry in entries if entry.position.transaction_id != last] or entries


def _slices(
    entries: Iterable[FeedEntry], sensors_by_key: dict[int, Sensor]
) -> dict[float, dict[str, list[Reading]]]:
    slices: dict[float, dict[str, list[Reading]]] = {}
    width_s = _SLICE.total_seconds()
    for entry in entries:
        for reading in _readings(entry, sensors_by_key):
            begin = reading.time.timestamp() // width_s
            slices.setdefault(begin, {}).setdefault(entry.zone, []).append(reading)
    return slices


def _readings(entry: FeedEntry, sensors_by_key: dict[int, Sensor]) -> Iterable[Reading]:
    columns = zip(entry.sensor_keys, entry.times, entry.values, entry.qualities, entry.reasons, strict=True)
    for key, moment, value, quality, reason in columns:
        sensor = sensors_by_key.get(key)
        if sensor is not None:
            yield Reading(
                sensor=sensor.id,
                time=moment.astimezone(UTC),
                value=value,
                quality=Quality(quality),
                received_at=entry.received_at,
                reason=reason,
            )
