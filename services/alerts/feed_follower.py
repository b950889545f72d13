"""Follows the feed: committed readings → engines of our units → the loop, exactly once and across restarts."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import structlog
from psycopg import AsyncConnection, errors

from services.alerts import lifelines, loop
from services.alerts.city_clock import CityClock
from services.alerts.lane import Lane, Taker
from services.alerts.lifelines.drainage_forecast import with_low_points
from services.alerts.membership import Membership
from services.alerts.metrics import Metrics
from services.alerts.models.adoption import with_models
from services.alerts.tracing.city_graph import CityGraph
from services.alerts.tracing.loss import DEFAULT_PRICE, WaterPrice
from services.alerts.units import State, Unit, Units
from services.alerts.zone_engine import ZoneEngine
from services.core.finding import Finding
from services.core.move import ChangedMeanwhileError
from services.core.sensor import Sensor
from services.core.store import (
    alert_kinds,
    detector_models,
    detector_state,
    feed,
    forecasts,
    inhibitions,
    network,
    networks,
    new_normals,
    sensors,
    shares,
    storms,
    works_permits,
)
from services.core.store.detector_state import StateRow
from services.core.store.feed import END, FeedEntry, FeedPosition
from services.core.store.pool import Pool
from services.core.store.shares import Place
from services.core.traces import TRACER

_ENTRIES_AT_ONCE = 1000
_READINGS_AT_ONCE = 200_000
"""Bounds what is held in memory after a long absence."""
_FORECASTS_KEPT = timedelta(days=30)
"""By the clock of the world: forecasts of a city that lives in another time are not missed."""
_PAST_EVERY = timedelta(hours=6)
_PAST_KEPT = timedelta(days=14)
"""What units remembered, for whoever judges an alert again; what an alert began from is kept as long as the alert."""
_COUNTED_BEHIND = 10_000
"""Waiting entries are counted no further: so many are too many."""
_COLLISIONS = (errors.UniqueViolation, errors.DeadlockDetected, ChangedMeanwhileError)
"""How the database tells two processes that conclude about the same asset at the same moment."""
_MOST_COLLISIONS = 5

log = structlog.get_logger()


class OvertakenError(Exception):
    """A share of this step has gone to another process without our noticing; nothing of the step was stored."""


@dataclass
class _City:
    """What the register says, read anew when it changes or a step failed.

    ``strangers`` are sensor keys that it does not hold and for which we have looked since.
    """

    units: dict[str, Unit]
    takers: dict[int, Taker]
    conclusions: loop.City
    sensor_count: int
    strangers: set[int] = field(default_factory=set)


class FeedFollower:
    """Judges what the feed brings for our shares, and stores conclusions, state and position in one transaction.

    Shares that stand at the same place in the feed form a lane and are read together. One that comes from another
    process stands elsewhere; the lane that is furthest behind takes its step first, until it has caught up.

    If anything fails, nothing of the step is stored and the memory is rebuilt from the database, so that the step
    is simply taken again.
    """

    def __init__(
        self,
        pool: Pool,
        membership: Membership,
        *,
        allowed_lateness: timedelta,
        idle_release: timedelta,
        metrics: Metrics | None = None,
        price: WaterPrice = DEFAULT_PRICE,
        reopens_within: timedelta = timedelta(0),
    ) -> None:
        """Follow for the shares that ``membership`` holds; ``price`` is what lost water costs.

        An episode that comes back ``reopens_within`` so long of its end is the same alert.
        """
        self._price = price
        self._reopens_within = reopens_within
        self._pool = pool
        self._membership = membership
        self._allowed_lateness = allowed_lateness
        self._idle_release_s = idle_release.total_seconds()
        self._units = Units(lifelines.discover())
        self._city: _City | None = None
        self._lanes: list[Lane] = []
        self._collisions = 0
        self.metrics = metrics or Metrics()
        self.readings_judged = 0

    def forget(self) -> None:
        """Read everything anew before the next step: the register changed, or a step failed."""
        self._city = None
        self._lanes.clear()

    async def step(self) -> bool:
        """Take the next entries, if any; ``False`` when there was nothing to do.

        Raises:
            OvertakenError: another process follows one of our shares; nothing of the step was stored.
        """
        try:
            moved = await self._step()
        except OvertakenError:
            self.forget()
            self._membership.forget()
            self.metrics.overtaken.inc()
            raise
        except _COLLISIONS as error:
            self.forget()
            self._collisions += 1
            if self._collisions > _MOST_COLLISIONS:
                raise
            log.info("another process concluded about the same at once; taking the step again", reason=str(error))
            return True
        except BaseException:
            self.forget()
            raise
        self._collisions = 0
        return moved

    async def _step(self) -> bool:
        await self._change_hands()
        if self._city is None or not self._lanes:
            return False
        lane, until = self._rearmost()
        if lane.wishes:
            await self._keep(self._city, lane, lane.position, [])
            return True
        async with self._pool.connection() as connection:
            entries = await _read(connection, lane.position, until)
        if await self._met_strangers(self._city, entries):
            return True
        if until < END and not entries:
            self._catch_up(lane, until)
            return True
        if not entries:
            return await self._take(self._city, lane, entries)
        size = {"lifeline.readings": sum(len(entry.values) for entry in entries)}
        with TRACER.start_as_current_span("judge readings", attributes=size):
            return await self._take(self._city, lane, entries)

    def _rearmost(self) -> tuple[Lane, FeedPosition]:
        """The lane that is furthest behind, and where the next one stands, at which they meet."""
        first, *others = sorted(self._lanes, key=lambda lane: lane.position)
        return first, min((lane.position for lane in others), default=END)

    async def _take(self, city: _City, lane: Lane, entries: list[FeedEntry]) -> bool:
        now = time.monotonic()
        if entries:
            lane.last_entry_at, lane.released = now, False
            found = await asyncio.to_thread(lane.judge, entries, city.takers)
            position = entries[-1].position
        elif not lane.released and now - lane.last_entry_at >= self._idle_release_s:
            found = await asyncio.to_thread(lane.release)
            position = lane.position
        else:
            return False
        await self._keep(city, lane, position, found)
        return True

    async def _keep(self, city: _City, lane: Lane, position: FeedPosition, found: list[Finding]) -> None:
        member, place = self._membership.instance, Place(position, lane.clock.time)
        settled = lane.settle_wishes(found)
        expected = [forecast for engine in lane.engines.values() for forecast in engine.take_forecasts()]
        changed = await asyncio.to_thread(_changed_state, lane)
        async with self._pool.connection() as connection:
            if not await shares.move_on(connection, member, sorted(lane.shares), lane.position, place):
                raise OvertakenError(f"a share at {lane.position} has gone to another process")
            for finding in sorted(found, key=lambda finding: (finding.time, finding.id)):
                await _conclude(connection, city.conclusions, finding)
            await detector_state.save(connection, changed)
            await forecasts.save(connection, expected)
            for wish, outcome in settled:
                await new_normals.settle(connection, wish, outcome)
        lane.position = position
        self.readings_judged += sum(engine.counts.judged for engine in lane.engines.values())
        self.metrics.steps.inc()
        self.metrics.findings.inc(len(found))
        self.metrics.unknown.inc(lane.take_unknown())
        self.metrics.take(lane.engines.values())

    async def _change_hands(self) -> None:
        """Let go of shares that went or should go to others, and take up those that came to us."""
        if self._membership.surplus:
            async with self._pool.connection() as connection:
                await self._membership.hand_over(connection)
        held = self._membership.held
        for lane in self._lanes:
            self._drop(lane, lane.shares - held)
        self._lanes = [lane for lane in self._lanes if lane.shares]
        new = held.difference(*(lane.shares for lane in self._lanes))
        if new:
            async with self._pool.connection() as connection:
                city = self._city = self._city or await self._survey(connection)
                await self._take_up(connection, city, new)

    def _drop(self, lane: Lane, gone: set[int]) -> None:
        if gone and self._city is not None:
            lane.shares -= gone
            for unit in [unit for unit in lane.engines if self._city.units[unit].share in gone]:
                del lane.engines[unit]
            lane.wishes = [wish for wish in lane.wishes if wish.zone in lane.engines]

    async def _take_up(self, connection: AsyncConnection, city: _City, new: frozenset[int]) -> None:
        units = [unit for unit in city.units.values() if unit.share in new]
        places = await shares.places(connection, sorted(new))
        states = await detector_state.load(connection, [unit.name for unit in units])
        wishes = await new_normals.waiting(connection)
        engines = await asyncio.to_thread(self._engines, units, states)
        weights = dict.fromkeys(new, 0)
        for unit in units:
            weights[unit.share] += len(unit.sensors)
        await shares.weigh(connection, self._membership.instance, weights)
        for share, place in sorted(places.items()):
            theirs = {unit.name: engines[unit.name] for unit in units if unit.share == share}
            clock = CityClock(place.city_time, city.sensor_count)
            # What was held when the last process ended is judged after the same silence as in one that ran through.
            asked = [wish for wish in wishes if wish.zone in theirs]
            self._lanes.append(Lane(place.position, clock, {share}, theirs, time.monotonic(), wishes=asked))
        self._merge()
        total = sum(len(lane.engines) for lane in self._lanes)
        log.info("following the feed", units=total, shares=len(self._membership.held), lanes=len(self._lanes))
        self.metrics.units.set(total)
        self.metrics.shares.set(len(self._membership.held))

    def _engines(self, units: Iterable[Unit], states: Mapping[str, State]) -> dict[str, ZoneEngine]:
        return {unit.name: unit.engine(self._allowed_lateness, states.get(unit.name, {})) for unit in units}

    def _catch_up(self, lane: Lane, until: FeedPosition) -> None:
        """Nothing is left between a lane and the next one."""
        lane.position = until
        self._merge()

    def _merge(self) -> None:
        merged: dict[FeedPosition, Lane] = {}
        for lane in self._lanes:
            if lane.position in merged:
                merged[lane.position].join(lane)
            else:
                merged[lane.position] = lane
        self._lanes = list(merged.values())

    async def _met_strangers(self, city: _City, entries: list[FeedEntry]) -> bool:
        """Whether entries name sensors that the city did not hold; it is read anew then, and the step taken again.

        Readings may be committed before the news of their sensor has reached this process.
        """
        strangers = {key for entry in entries for key in entry.sensor_keys} - city.takers.keys() - city.strangers
        if not strangers:
            return False
        self.forget()
        async with self._pool.connection() as connection:
            self._city = await self._survey(connection)
        self._city.strangers = (strangers | city.strangers) - self._city.takers.keys()
        return True

    async def _survey(self, connection: AsyncConnection) -> _City:
        registered = await sensors.load_sensors(connection)
        assets, links = await network.load_assets(connection), await network.load_links(connection)
        graph = CityGraph(assets, links)
        models = await networks.load_networks(connection)
        permits = await works_permits.load(connection)
        units = await asyncio.to_thread(self._units.of, registered, models, assets, links, permits)
        taught = {(each.rule, each.target): each for each in await detector_models.in_use(connection)}
        low_points = await storms.load_low_points(connection)
        units = {
            name: replace(unit, rules=with_models(with_low_points(unit.rules, low_points), taught))
            for name, unit in units.items()
        }
        conclusions = loop.City(
            kinds=await alert_kinds.load_alert_kinds(connection),
            graph=graph,
            sensor_assets={sensor.id: sensor.asset for sensor in registered},
            price=self._price,
            sensors={sensor.id: sensor for sensor in registered},
            causes=frozenset(kind for rule in await inhibitions.load_inhibitions(connection) for kind in rule.causes),
            reopens_within=self._reopens_within,
        )
        return _City(units, _takers(registered, units.values()), conclusions, len(registered))

    async def prune(self) -> None:
        """Drop what has been read, and keep from time to time what the units remember."""
        async with self._pool.connection() as connection:
            await feed.prune(connection)
            await forecasts.forget(connection, _FORECASTS_KEPT)
        async with self._pool.connection() as connection:
            await detector_state.keep_past(connection, datetime.now(UTC), every=_PAST_EVERY, keep=_PAST_KEPT)

    async def measure(self) -> None:
        """Note how far behind the feed our slowest share is."""
        if not self._lanes:
            self.metrics.behind_entries.set(0)
            self.metrics.behind_seconds.set(0)
            return
        lane, _ = self._rearmost()
        async with self._pool.connection() as connection:
            entries, since = await feed.behind(connection, lane.position, _COUNTED_BEHIND)
        self.metrics.behind_entries.set(entries)
        self.metrics.behind_seconds.set(0 if since is None else (datetime.now(UTC) - since).total_seconds())


async def _conclude(connection: AsyncConnection, city: loop.City, finding: Finding) -> None:
    alert = await loop.conclude(connection, city, finding)
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


def _changed_state(lane: Lane) -> list[StateRow]:
    return detector_state.written({unit: engine.changed_state() for unit, engine in lane.engines.items()})


def _takers(registered: Iterable[Sensor], units: Iterable[Unit]) -> dict[int, Taker]:
    by_sensor: dict[str, list[str]] = {}
    for unit in units:
        for sensor in unit.sensors:
            by_sensor.setdefault(sensor.id, []).append(unit.name)
    return {sensor.key: Taker(sensor.id, tuple(by_sensor.get(sensor.id, ()))) for sensor in registered}


async def _read(connection: AsyncConnection, after: FeedPosition, until: FeedPosition = END) -> list[FeedEntry]:
    """The next entries, without a part of a transaction: its zones are judged together."""
    limit = _ENTRIES_AT_ONCE
    while True:
        entries = await feed.read(connection, after, limit, _READINGS_AT_ONCE, until)
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
