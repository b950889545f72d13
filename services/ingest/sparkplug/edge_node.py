"""What an edge node has said of itself since its birth, and what its messages mean in the light of it. Pure.

Eclipse Sparkplug 3.0.0: births name every metric with its type and an alias, data may send the alias alone; the
messages of an edge node and its devices count one sequence number up, 0 to 255, so that a lost one is noticed.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from services.core import wire
from services.core.reading import Quality
from services.core.rejection import RejectionReason
from services.core.sensor_address import MAX_LENGTH, sparkplug_address
from services.ingest.sparkplug.metric import is_number, number, unit_and_quality
from services.ingest.sparkplug.payload_pb2 import Metric, Payload
from services.ingest.sparkplug.topic import EdgeNodeName, Kind, SparkplugTopic

_SEQUENCE_LENGTH = 256
_BIRTH_NUMBER = "bdSeq"
_CONTROLS = ("Node Control/", "Device Control/")


class Value(NamedTuple):
    """One number of one metric; the time is epoch microseconds."""

    address: str
    time_us: int
    value: float
    unit: str | None
    quality: Quality | None


class Fault(NamedTuple):
    """A metric that says something impossible."""

    reason: RejectionReason
    detail: str
    address: str | None


@dataclass(slots=True)
class Outcome:
    """What a message held.

    ``ignored`` counts metrics that hold no number by design, ``unregistered`` values of metrics that are no sensors and
    were handed on once before, ``unnamed`` values that came by an alias or for a type nobody has announced.
    """

    values: list[Value] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    ignored: int = 0
    unregistered: int = 0
    unnamed: int = 0


@dataclass(slots=True)
class _Announced:
    """A metric as the birth described it; ``datatype`` is ``None`` where it is not read."""

    address: str
    datatype: int | None
    unit: str | None


@dataclass(slots=True)
class _Scope:
    """The metrics of the edge node itself, or of one of its devices."""

    names: dict[str, _Announced] = field(default_factory=dict)
    aliases: dict[int, _Announced] = field(default_factory=dict)


class EdgeNode:
    """One edge node with its devices.

    ``doubt`` says why only a new birth can make it understood again. Of ``max_metrics`` at the most is remembered what
    was announced; ``is_cut`` says that there were more.
    """

    def __init__(self, name: EdgeNodeName, is_registered: Callable[[str], bool]) -> None:
        self.name = name
        self.is_born = False
        self.doubt: str | None = None
        self.is_cut = False
        self.max_metrics = 0
        self._is_registered = is_registered
        self._birth_number: int | None = None
        self._sequence: int | None = None
        self._scopes: dict[str | None, _Scope] = {}
        self._told: set[str] = set()
        self._announced = 0

    @property
    def size(self) -> int:
        """How much is remembered of it, counted in metrics and devices."""
        return self._announced + len(self._told)

    def take(self, topic: SparkplugTopic, payload: Payload, received_us: int) -> Outcome:
        """Take one message in the order in which the edge node sent it."""
        outcome = Outcome()
        if topic.kind is Kind.NODE_DEATH:
            self._die(payload)
            return outcome
        self._count(topic.kind, payload)
        if topic.kind is Kind.NODE_BIRTH:
            self._be_born(payload)
        if topic.kind in {Kind.NODE_BIRTH, Kind.DEVICE_BIRTH}:
            self._announce(topic.device, payload, outcome)
        elif topic.kind is Kind.DEVICE_DEATH:
            self._drop(topic.device)
            return outcome
        self._read(topic.device, payload, received_us, outcome)
        return outcome

    def forget(self) -> None:
        """Nothing that was announced holds any more: the edge node is gone, or was out of hearing."""
        self.is_born, self.doubt, self.is_cut = False, None, False
        self._birth_number = self._sequence = None
        self._scopes.clear()
        self._announced = 0

    def _drop(self, device: str | None) -> None:
        scope = self._scopes.pop(device, None)
        if scope is not None:
            self._announced -= 1 + len(scope.names)

    def _die(self, payload: Payload) -> None:
        """A death of an earlier session, which comes late when a connection broke, is told by its birth number."""
        number_ = _birth_number(payload)
        if number_ is None or self._birth_number is None or number_ == self._birth_number:
            self.forget()

    def _be_born(self, payload: Payload) -> None:
        self.forget()
        self.is_born = True
        self._birth_number = _birth_number(payload)
        self._sequence = payload.seq % _SEQUENCE_LENGTH

    def _count(self, kind: Kind, payload: Payload) -> None:
        if kind is Kind.NODE_BIRTH:
            return
        if not self.is_born:
            self.doubt = "it spoke before its birth was heard"
        elif payload.HasField("seq") and self._sequence is not None:
            expected = (self._sequence + 1) % _SEQUENCE_LENGTH
            if payload.seq != expected:
                self.doubt = f"message {payload.seq} came where {expected} was due"
            self._sequence = payload.seq % _SEQUENCE_LENGTH

    def _announce(self, device: str | None, payload: Payload, outcome: Outcome) -> None:
        scope = _Scope()
        self._drop(device)
        room = self.max_metrics - self._announced
        for metric in payload.metrics:
            if not metric.name or _is_control(metric.name):
                continue
            if len(scope.names) >= room:
                self.is_cut = True
                break
            announced = self._describe(device, metric, outcome)
            scope.names[metric.name] = announced
            if metric.HasField("alias"):
                scope.aliases[metric.alias] = announced
        if self.is_born:
            self._scopes[device] = scope
            self._announced += 1 + len(scope.names)

    def _describe(self, device: str | None, metric: Metric, outcome: Outcome) -> _Announced:
        address = sparkplug_address(self.name.group, self.name.node, device, metric.name)
        is_read = is_number(metric.datatype) and len(address) <= MAX_LENGTH and metric.name.isprintable()
        if is_read and device is not None and self._has_own(f"{device}/{metric.name}"):
            detail = f"metrics: {metric.name} of device {device} has the address of a metric of the edge node itself"
            outcome.faults.append(Fault(RejectionReason.BAD_FIELD, detail, address))
            is_read = False
        if not is_read:
            return _Announced("", None, None)
        return _Announced(address, metric.datatype, unit_and_quality(metric)[0])

    def _has_own(self, name: str) -> bool:
        own = self._scopes.get(None)
        return own is not None and name in own.names and own.names[name].datatype is not None

    def _read(self, device: str | None, payload: Payload, received_us: int, outcome: Outcome) -> None:
        scope = self._scopes.get(device)
        if scope is None:
            scope = _Scope()
            if self.is_born:
                self.doubt = f"device {device} spoke before its birth was heard"
        sent_us = _epoch_us(payload.timestamp) or received_us
        for metric in payload.metrics:
            if _is_control(metric.name):
                continue
            announced = scope.names.get(metric.name) if metric.name else scope.aliases.get(metric.alias)
            if announced is None:
                announced = self._unannounced(device, metric)
            if announced is None:
                outcome.unnamed += 1
            elif announced.datatype is None:
                outcome.ignored += 1
            else:
                self._add(announced, metric, sent_us, outcome)

    def _unannounced(self, device: str | None, metric: Metric) -> _Announced | None:
        """A metric no birth named; read all the same where it names itself and its type."""
        if self.is_born and self.doubt is None and not self.is_cut:
            what = f"metric {metric.name[:64]!r}" if metric.name else f"alias {metric.alias}"
            self.doubt = f"{what} was not in a birth"
        if not metric.name or not (metric.HasField("datatype") or _tells_its_type(metric)):
            return None
        return (
            self._describe(device, metric, Outcome()) if metric.HasField("datatype") else self._untyped(device, metric)
        )

    def _untyped(self, device: str | None, metric: Metric) -> _Announced:
        address = sparkplug_address(self.name.group, self.name.node, device, metric.name)
        return _Announced(address, 0, None) if len(address) <= MAX_LENGTH else _Announced("", None, None)

    def _add(self, announced: _Announced, metric: Metric, sent_us: int, outcome: Outcome) -> None:
        value = number(metric, announced.datatype)
        if value is None:
            outcome.ignored += 1
            return
        if self._is_repeatedly_unregistered(announced.address):
            outcome.unregistered += 1
            return
        time_us = _epoch_us(metric.timestamp) if metric.timestamp else sent_us
        if time_us is None:
            detail = f"timestamp: {metric.timestamp} is not in milliseconds since 1970"
            outcome.faults.append(Fault(RejectionReason.BAD_TIME, detail, announced.address))
        elif not math.isfinite(value):
            detail = f"value: {value} of {announced.address} is no finite number"
            outcome.faults.append(Fault(RejectionReason.NOT_FINITE, detail, announced.address))
        else:
            unit, quality = unit_and_quality(metric)
            outcome.values.append(Value(announced.address, time_us, value, unit or announced.unit, quality))

    def _is_repeatedly_unregistered(self, address: str) -> bool:
        if self._is_registered(address):
            return False
        if address in self._told or len(self._told) >= self.max_metrics:
            return True
        self._told.add(address)
        return False


def _is_control(name: str) -> bool:
    return name == _BIRTH_NUMBER or name.startswith(_CONTROLS)


def _tells_its_type(metric: Metric) -> bool:
    return metric.WhichOneof("value") in {"float_value", "double_value", "boolean_value"}


def _birth_number(payload: Payload) -> int | None:
    for metric in payload.metrics:
        if metric.name == _BIRTH_NUMBER and not metric.is_null:
            return metric.long_value or metric.int_value
    return None


def _epoch_us(milliseconds: int) -> int | None:
    return milliseconds * 1000 if wire.EARLIEST_MS <= milliseconds <= wire.LATEST_MS else None
