"""The messages of a plan: drawn many at once, so that drawing costs little beside sending."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.core.wire import (
    WireGatewayColumns,
    WireGatewayReading,
    WireNumbered,
    WireReading,
    gateway_readings_topic,
    sensor_readings_topic,
)
from simulators.load.field import CHANGE_KPA, SensorGroup
from simulators.load.garbage import BROKEN_PAYLOAD, Garbage, kinds_for, spoilt
from simulators.load.plan import LoadPlan
from simulators.load.tally import COLUMNS, GARBAGE, Counts

_ENTRIES_AT_ONCE = 8192
_NEW, _DUPLICATE, _CHANGED, _GARBAGE = range(4)
_BROKEN = GARBAGE.index(Garbage.BROKEN)
_FIRST_GARBAGE_COLUMN = COLUMNS.index(GARBAGE[0])


class LoadMessage(NamedTuple):
    """One message, how many entries it holds, and what they add to the tally."""

    gateway: int
    topic: str
    payload: bytes
    entries: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class Contents:
    """What goes into one message: entries or columns, and what it adds to the tally.

    ``broken`` says that the message cannot be read; then there is nothing else in it.
    """

    sensor: str
    readings: Any
    entries: int
    counts: Counts
    broken: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """Some messages' entries, a row for each message."""

    kinds: NDArray[np.int8]
    numbers: NDArray[np.int64]
    garbage: NDArray[np.int8]


class GatewayTraffic:
    """What one gateway sends, without end; its first message holds new readings only."""

    def __init__(self, plan: LoadPlan, gateway: int) -> None:
        self._plan = plan
        self._gateway = gateway
        self._group = SensorGroup(plan, gateway)
        self._form = plan.form_of(gateway)
        self._garbage = np.array([GARBAGE.index(kind) for kind in kinds_for(self._form, plan.gateways)], np.int8)
        self._rng = np.random.default_rng([plan.seed, gateway])
        self._next = 0
        self._last_new = 0

    def contents(self) -> Iterator[Contents]:
        """The messages, one after the other."""
        size = self._plan.batch_of(self._gateway)
        while True:
            yield from self._written(self._draw(max(1, _ENTRIES_AT_ONCE // size), size))

    def messages(self) -> Iterator[LoadMessage]:
        """The messages as bytes; numbered ones count from 1, in a buffer named after the start of the plan."""
        plan, form = self._plan, self._form
        encode = form.encoder()
        buffer = f"load-{plan.start_ms}-{plan.seed}"
        topic = gateway_readings_topic(plan.city, plan.gateway_names[self._gateway])
        for number, contents in enumerate(self.contents(), 1):
            if form.is_single:
                topic = sensor_readings_topic(plan.city, contents.sensor)
            if contents.broken:
                payload = BROKEN_PAYLOAD
            elif form.numbered:
                payload = encode(WireNumbered(seq=number, readings=contents.readings, buffer=buffer))
            else:
                payload = encode(contents.readings)
            yield LoadMessage(self._gateway, topic, payload, contents.entries, contents.counts)

    def _draw(self, messages: int, size: int) -> _Drawn:
        shares, shape = self._plan.shares, (messages, size)
        limits = np.cumsum([shares.garbage, shares.duplicates, shares.changed])
        kinds = np.array([_GARBAGE, _DUPLICATE, _CHANGED, _NEW], np.int8)[
            np.searchsorted(limits, self._rng.random(shape), side="right")
        ]
        if self._next == 0:
            kinds[0] = _NEW
        is_new = kinds == _NEW
        new_in = is_new.sum(axis=1)
        begins = self._next + np.concatenate(([0], np.cumsum(new_in)[:-1]))
        # A moment is changed once at the most: the first readings of the message before are, each in its turn.
        rank = np.cumsum(kinds == _CHANGED, axis=1) - 1
        new_before = np.concatenate(([self._last_new], new_in[:-1]))
        kinds[(kinds == _CHANGED) & (rank >= new_before[:, None])] = _DUPLICATE
        numbers = (self._rng.random(shape) * begins[:, None]).astype(np.int64)
        numbers = np.where(kinds == _CHANGED, (begins - new_before)[:, None] + rank, numbers)
        numbers[is_new] = self._next + np.arange(int(new_in.sum()))
        garbage = self._garbage[self._rng.integers(0, len(self._garbage), shape)]
        self._next += int(new_in.sum())
        self._last_new = int(new_in[-1])
        return _Drawn(kinds, numbers, garbage)

    def _written(self, drawn: _Drawn) -> Iterator[Contents]:
        messages, size = drawn.kinds.shape
        readings = self._group.readings(drawn.numbers.ravel())
        names = self._plan.sensor_names
        sensors = [names[sensor] for sensor in readings.sensors.tolist()]
        times = readings.times_ms.tolist()
        values = (readings.values + (drawn.kinds.ravel() == _CHANGED) * CHANGE_KPA).tolist()
        counts = _count(drawn, readings.late.reshape(messages, size))
        spoilt_in = (drawn.kinds == _GARBAGE).any(axis=1).tolist()
        for message in range(messages):
            entries = slice(message * size, (message + 1) * size)
            of_message = sensors[entries], times[entries], values[entries]
            if spoilt_in[message]:
                yield from self._with_garbage(drawn, message, of_message, counts[message])
            else:
                yield Contents(of_message[0][0], self._readings(*of_message), size, counts[message])

    def _readings(self, sensors: list[str], times: list[Any], values: list[float]) -> Any:
        if self._form.is_columns:
            return WireGatewayColumns(sensor=sensors, time=times, value=values)
        if self._form.is_single:
            return WireReading(time=times[0], value=values[0])
        return [
            WireGatewayReading(sensor=sensor, time=time, value=value)
            for sensor, time, value in zip(sensors, times, values, strict=True)
        ]

    def _with_garbage(
        self, drawn: _Drawn, message: int, of_message: tuple[list[str], list[int], list[float]], counts: Counts
    ) -> Iterator[Contents]:
        """One message, and another for each of its entries that stands for a broken message."""
        entries: list[dict[str, Any]] = []
        for position, (sensor, time, value) in enumerate(zip(*of_message, strict=True)):
            entry = {"sensor": sensor, "time": time, "value": value}
            if drawn.kinds[message, position] == _GARBAGE:
                kind = GARBAGE[drawn.garbage[message, position]]
                if kind is Garbage.BROKEN:
                    continue
                entry = spoilt(kind, {**entry, "sensor": self._named(kind, sensor)}, self._form)
            entries.append(entry)
        broken = np.zeros_like(counts)
        broken[_FIRST_GARBAGE_COLUMN + _BROKEN] = 1
        count_of_broken = int(counts[_FIRST_GARBAGE_COLUMN + _BROKEN])
        if entries:
            readable = counts - count_of_broken * broken
            yield Contents(entries[0]["sensor"], self._mixed(entries), len(entries), readable)
        for _ in range(count_of_broken):
            yield Contents(of_message[0][0], None, 1, broken, broken=True)

    def _named(self, kind: Garbage, sensor: str) -> str:
        if kind is Garbage.UNKNOWN_SENSOR:
            return f"{self._plan.prefix}-nobody-{self._gateway}"
        if kind is Garbage.FOREIGN_SENSOR:
            return self._plan.sensor_names[(self._gateway + 1) % self._plan.gateways]
        return sensor

    def _mixed(self, entries: list[dict[str, Any]]) -> Any:
        if self._form.is_single:
            return {name: value for name, value in entries[0].items() if name != "sensor"}
        if not self._form.is_columns:
            return entries
        columns = ["sensor", "time", "value", *(["unit"] if any("unit" in entry for entry in entries) else [])]
        return {column: [entry.get(column) for entry in entries] for column in columns}


def _count(drawn: _Drawn, late: NDArray[np.bool_]) -> NDArray[np.int64]:
    """A row for each message, in the order of the tally's columns."""
    kinds = drawn.kinds
    of_kind = [kinds == _NEW, (kinds == _NEW) & late, kinds == _DUPLICATE, kinds == _CHANGED]
    of_garbage = [(kinds == _GARBAGE) & (drawn.garbage == number) for number in range(len(GARBAGE))]
    return np.stack([rows.sum(axis=1) for rows in (*of_kind, *of_garbage)], axis=1).astype(np.int64)


def messages_of(
    plan: LoadPlan, entries: float = math.inf, until: Callable[[], bool] = lambda: False
) -> Iterator[LoadMessage]:
    """The messages of all gateways, each in turn: at least so many entries, or fewer when ``until`` says so."""
    senders = [GatewayTraffic(plan, gateway).messages() for gateway in range(plan.gateways)]
    sent = 0
    for sender in cycle(senders):
        if sent >= entries or until():
            return
        message = next(sender)
        sent += message.entries
        yield message
