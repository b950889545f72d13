"""Follows the feed: committed readings → zone engines → the loop, exactly once and across restarts."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from itertools import chain
from typing import Any

import structlog
from psycopg import AsyncConnection

from services.alerts import lifelines, loop
from services.alerts.city_clock import CityClock
from services.alerts.lifelines.contract import LifelineRules
from services.alerts.tracing.city_graph import CityGraph
from services.alerts.zone_engine import ZoneEngine
from services.core.finding import Finding
from services.core.reading import Quality, QualityReason, Reading
from services.core.sensor import Sensor
from services.core.store import alert_kinds, detector_state, feed, network, sensors
from services.core.store.feed import FeedEntry, FeedPosition
from services.core.store.pool import Pool

_ENTRIES_AT_ONCE = 1000
_READINGS_AT_ONCE = 200_000
"""Bounds what is held in memory after a long absence."""
_SLICE = timedelta(minutes=1)
"""Event time between two looks at who has fallen silent."""
_MISFITS = (LookupError, TypeError, ValueError, AttributeError)
"""How a detector's code meets a state that it did not write."""

log = structlog.get_logger()


class OvertakenError(Exception):
    """Another process has moved the position in the feed: this one has lost it without noticing."""


@dataclass
class _Memory:
    """What the follower holds between two steps; thrown away and read anew after any failure.

    ``stored`` is the position in the database, ``strangers`` are sensor keys that the register does not hold.
    """

    position: FeedPosition
    stored: FeedPosition
    clock: CityClock
    engines: dict[str, ZoneEngine]
    sensors_by_key: dict[int, Sensor]
    city: loop.City
    strangers: set[int] = field(default_factory=set)


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
        self._released = False
        self.readings_judged = 0

    def forget(self) -> None:
        """Read everything anew before the next step: the register changed, or a step failed."""
        self._memory = None

    async def step(self) -> bool:
        """Take the next entries, if any; ``False`` when there was nothing to do.

        Raises:
            OvertakenError: another process follows the feed too; nothing of the step was stored.
        """
        try:
            return await self._step()
        except BaseException:
            self.forget()
            raise

    async def _step(self) -> bool:
        async with self._pool.connection() as connection:
            memory = self._memory = self._memory or await self._recall(connection)
            entries = await _read(connection, memory.position)
            strangers = _strangers(entries, memory)
            if strangers:
                # Readings may be committed before the news of their sensor has reached this process.
                strangers |= memory.strangers
                memory = self._memory = await self._recall(connection)
                memory.strangers = strangers - memory.sensors_by_key.keys()
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
            if memory.clock.see(chain.from_iterable(by_zone.values())) and memory.clock.time is not None:
                for engine in memory.engines.values():
                    found += engine.advance(memory.clock.time)
        memory.position = entries[-1].position
        return found

    async def _keep(self, memory: _Memory, found: list[Finding]) -> None:
        async with self._pool.connection() as connection:
            position, _ = await feed.load_cursor(connection, self._consumer, lock=True)
            if position != memory.stored:
                raise OvertakenError(f"the feed stands at {position}, not at {memory.stored}")
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
            await feed.save_cursor(connection, self._consumer, memory.position, memory.clock.time)
        memory.stored = memory.position

    async def _recall(self, connection: AsyncConnection) -> _Memory:
        position, city_time = await feed.load_cursor(connection, self._consumer)
        registered = await sensors.load_sensors(connection)
        graph = CityGraph(await network.load_assets(connection), await network.load_links(connection))
        states = await detector_state.load(connection)
        engines = _restored_engines(registered, self._allowed_lateness, states)
        # What was held when the last process ended is judged after the same silence as in one that ran through.
        self._last_entry_at = time.monotonic()
        self._released = False
        log.info("following the feed", zones=len(engines), sensors=len(registered), position=str(position))
        return _Memory(
            position=position,
            stored=position,
            clock=CityClock(city_time, len(registered)),
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


def _restored_engines(
    registered: Iterable[Sensor], allowed_lateness: timedelta, states: Mapping[str, Mapping[str, Any]]
) -> dict[str, ZoneEngine]:
    rules = lifelines.discover()
    by_zone: dict[str, list[Sensor]] = {}
    for sensor in registered:
        by_zone.setdefault(sensor.zone, []).append(sensor)
    return {
        zone: _restored_engine(zone, rules[members[0].lifeline], members, allowed_lateness, states.get(zone, {}))
        for zone, members in sorted(by_zone.items())
        if members[0].lifeline in rules
    }


def _restored_engine(
    zone: str,
    rules: LifelineRules,
    members: Sequence[Sensor],
    allowed_lateness: timedelta,
    state: Mapping[str, Mapping[str, Any]],
) -> ZoneEngine:
    """The engine of a zone where it stopped. Parts of the state that today's code cannot read are dropped.

    The state may have been written by another version of a detector. Its target then starts afresh, as a new sensor
    would, and one line says so; the others go on.
    """

    def build() -> ZoneEngine:
        return ZoneEngine(zone, rules, members, allowed_lateness=allowed_lateness)

    engine = build()
    try:
        engine.restore(state)
    except _MISFITS:
        fitting, misfits = _sorted_out(build(), state)
        log.warning("detector state does not fit this version; starting these afresh", zone=zone, targets=misfits)
        engine = build()
        engine.restore(fitting)
    return engine


def _sorted_out(
    probe: ZoneEngine, state: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, Mapping[str, Any]], dict[str, str]]:
    """The parts of a zone's state that can be read, and why the others cannot; ``probe`` is spoilt by it."""
    fitting: dict[str, Mapping[str, Any]] = {}
    misfits: dict[str, str] = {}
    for target, part in sorted(state.items()):
        try:
            probe.restore({target: part})
        except _MISFITS as error:
            misfits[target] = f"{type(error).__name__}: {error}"
        else:
            fitting[target] = part
    return fitting, misfits


def _release(memory: _Memory) -> list[Finding]:
    return [finding for engine in memory.engines.values() for finding in engine.release()]


async def _read(connection: AsyncConnection, after: FeedPosition) -> list[FeedEntry]:
    """The next entries, without a part of a transaction: its zones are judged together."""
    limit = _ENTRIES_AT_ONCE
    while True:
        entries = await feed.read(connection, after, limit, _READINGS_AT_ONCE)
        whole = _whole_transactions(entries, limit)
        if whole or not entries:
            return whole
        limit *= 2


def _whole_transactions(entries: list[FeedEntry], limit: int) -> list[FeedEntry]:
    """Without the last transaction when ``limit`` may have cut it; nothing when there is no other."""
    if len(entries) < limit:
        return entries
    last = entries[-1].position.transaction_id
    return [entry for entry in entries if entry.position.transaction_id != last]


def _strangers(entries: Iterable[FeedEntry], memory: _Memory) -> set[int]:
    """Sensor keys that the register did not hold when it was read last, and for which nobody has looked since."""
    keys = {key for entry in entries for key in entry.sensor_keys}
    return keys - memory.sensors_by_key.keys() - memory.strangers


def _slices(
    entries: Iterable[FeedEntry], sensors_by_key: Mapping[int, Sensor]
) -> dict[float, dict[str, list[Reading]]]:
    """Readings by slice of event time and by the zone to which their sensor belongs now."""
    slices: dict[float, dict[str, list[Reading]]] = {}
    width_s = _SLICE.total_seconds()
    for entry in entries:
        if entry.corrects:  # the moment was judged with the value that came first
            continue
        columns = zip(entry.sensor_keys, entry.times, entry.values, entry.qualities, entry.reasons, strict=True)
        for key, moment, value, quality, reason in columns:
            sensor = sensors_by_key.get(key)
            if sensor is not None:
                reading = Reading(
                    sensor=sensor.id,
                    time=moment.astimezone(UTC),
                    value=value,
                    quality=Quality(quality),
                    received_at=entry.received_at,
                    reason=QualityReason.of_code(reason),
                )
                by_zone = slices.setdefault(moment.timestamp() // width_s, {})
                by_zone.setdefault(sensor.zone, []).append(reading)
    return slices
