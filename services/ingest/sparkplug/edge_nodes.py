"""All edge nodes that are heard: their messages become readings, and some of them are asked to be born again.

Pure: the clock is passed in. Memory is bounded by ``Limits``, whatever is published.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from google.protobuf.message import DecodeError

from services.core.rejection import RejectionReason
from services.core.store.readings import epoch_us
from services.ingest.message import Decoded, Message
from services.ingest.sparkplug.counts import Counts
from services.ingest.sparkplug.edge_node import EdgeNode, Outcome
from services.ingest.sparkplug.metric import DataType
from services.ingest.sparkplug.payload_pb2 import Metric, Payload
from services.ingest.sparkplug.topic import EdgeNodeName, Kind, SparkplugTopic, parse_topic

MAX_PAYLOAD_BYTES = 2 * 1024 * 1024
"""A birth of ten thousand metrics with their properties has about half of it."""
ENCODING = "application/x-protobuf"

_FIRST_PATIENCE_S = 5.0
_LONGEST_PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is remembered at the most: edge nodes, metrics of one of them, metrics of all."""

    edge_nodes: int = 5_000
    metrics_each: int = 20_000
    metrics: int = 500_000


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a message; ``rebirth`` is the edge node to be asked for a new birth, if one is."""

    decoded: Decoded
    rebirth: EdgeNodeName | None = None


@dataclass(slots=True)
class _Patience:
    """When an edge node may be asked again: at once, then after growing waits, so that one without an answer rests."""

    asked_at: float | None = None
    wait_s: float = _FIRST_PATIENCE_S

    def is_over(self, now_s: float) -> bool:
        if self.asked_at is not None:
            since = now_s - self.asked_at
            if since < self.wait_s:
                return False
            is_long_ago = since > 2 * _LONGEST_PATIENCE_S
            self.wait_s = _FIRST_PATIENCE_S if is_long_ago else min(_LONGEST_PATIENCE_S, 2 * self.wait_s)
        self.asked_at = now_s
        return True


@dataclass(slots=True)
class _Member:
    node: EdgeNode
    patience: _Patience = field(default_factory=_Patience)
    size: int = 0


class EdgeNodes:
    """Every edge node of the city; ``is_registered`` says whether an address is a sensor's."""

    def __init__(self, limits: Limits, is_registered: Callable[[str], bool], counts: Counts) -> None:
        self._limits = limits
        self._is_registered = is_registered
        self._counts = counts
        self._members: dict[EdgeNodeName, _Member] = {}
        self._size = 0
        self._is_full = False
        self._someone_died = False
        self._log = structlog.get_logger()

    def forget(self) -> None:
        """Nothing announced holds any more, because messages may have been missed."""
        self._someone_died = True
        for member in self._members.values():
            member.node.forget()
            self._measure(member)

    def take(self, message: Message, now_s: float) -> Taken:
        """Take a message in the order of delivery; ``now_s`` is a clock that never goes back."""
        topic = parse_topic(message.topic)
        if topic is None:
            return _refused(message, RejectionReason.BAD_TOPIC, "topic: is not one of an edge node", None)
        if len(message.payload) > MAX_PAYLOAD_BYTES:
            detail = f"payload: {len(message.payload)} bytes are more than {MAX_PAYLOAD_BYTES}"
            return _refused(message, RejectionReason.OVERSIZED, detail, topic)
        try:
            payload = Payload.FromString(message.payload)
        except DecodeError:
            return _refused(message, RejectionReason.BAD_ENCODING, "payload: is not a Sparkplug B payload", topic)
        self._counts.messages[topic.kind].inc()
        member = self._member(topic.edge_node)
        had_doubt, was_cut = member.node.doubt, member.node.is_cut
        outcome = member.node.take(topic, payload, epoch_us(message.received_at))
        self._measure(member)
        self._tell(member, topic.kind, had_doubt, was_cut, outcome)
        is_asked = self._is_to_be_asked(member, now_s)
        return Taken(_decoded(message, topic, outcome), topic.edge_node if is_asked else None)

    def _member(self, name: EdgeNodeName) -> _Member:
        member = self._members.get(name)
        if member is None:
            member = _Member(EdgeNode(name, self._is_registered))
            if self._has_room():
                self._members[name] = member
                self._counts.edge_nodes.set(len(self._members))
        others = self._size - member.size
        member.node.max_metrics = min(self._limits.metrics_each, max(0, self._limits.metrics - others))
        return member

    def _has_room(self) -> bool:
        if len(self._members) >= self._limits.edge_nodes and self._someone_died:
            self._someone_died = False
            for name in [name for name, member in self._members.items() if not member.node.is_born]:
                self._size -= self._members.pop(name).size
        has_room = len(self._members) < self._limits.edge_nodes
        if not has_room and not self._is_full:
            self._log.warning(
                "too many Sparkplug edge nodes: of further ones only metrics that carry a name are stored",
                remembered=len(self._members),
            )
        self._is_full = not has_room
        return has_room

    def _measure(self, member: _Member) -> None:
        if member.node.name in self._members:
            size = member.node.size
            self._size += size - member.size
            member.size = size

    def _is_to_be_asked(self, member: _Member, now_s: float) -> bool:
        if member.node.doubt is None or member.node.name not in self._members or not member.patience.is_over(now_s):
            return False
        self._log.info(
            "asking a Sparkplug edge node for a new birth", edge_node=str(member.node.name), because=member.node.doubt
        )
        self._counts.rebirths_asked.inc()
        return True

    def _tell(self, member: _Member, kind: Kind, had_doubt: str | None, was_cut: bool, outcome: Outcome) -> None:
        if outcome.ignored or outcome.unregistered or outcome.unnamed:
            self._counts.ignored.inc(outcome.ignored)
            self._counts.unregistered.inc(outcome.unregistered)
            self._counts.unnamed.inc(outcome.unnamed)
        if member.node.doubt is not None and had_doubt is None:
            self._counts.doubts.inc()
        if member.node.is_cut and not was_cut:
            self._log.warning(
                "a Sparkplug edge node announced more metrics than are remembered",
                edge_node=str(member.node.name),
                remembered=member.size,
            )
        if kind is Kind.NODE_DEATH and not member.node.is_born:
            self._someone_died = True
            self._log.info("a Sparkplug edge node has died", edge_node=str(member.node.name))


def _refused(message: Message, reason: RejectionReason, detail: str, topic: SparkplugTopic | None) -> Taken:
    sender = str(topic.edge_node) if topic else None
    return Taken(Decoded(rejections=[message.reject(reason, detail, sender=sender, encoding=ENCODING)], sender=sender))


def _decoded(message: Message, topic: SparkplugTopic, outcome: Outcome) -> Decoded:
    sender = str(topic.edge_node)
    decoded = Decoded(sender=sender)
    for fault in outcome.faults:
        decoded.rejections.append(
            message.reject(fault.reason, fault.detail, sensor=fault.address, sender=sender, encoding=ENCODING)
        )
    if outcome.values:
        addresses, times_us, values, units, qualities = zip(*outcome.values, strict=True)
        decoded.sensors, decoded.times_us, decoded.values = list(addresses), list(times_us), list(values)
        decoded.units = list(units) if any(unit is not None for unit in units) else None
        decoded.qualities = list(qualities) if any(quality is not None for quality in qualities) else None
    return decoded


def rebirth_request(timestamp_ms: int) -> bytes:
    """The payload of a command that asks an edge node to be born again (Eclipse Sparkplug 3.0.0, chapter 6).

    Commands carry no sequence number.
    """
    metric = Metric(name="Node Control/Rebirth", timestamp=timestamp_ms, datatype=DataType.BOOLEAN, boolean_value=True)
    return Payload(timestamp=timestamp_ms, metrics=[metric]).SerializeToString()
