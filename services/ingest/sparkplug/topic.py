"""Topics of Sparkplug B, version spBv1.0 (Eclipse Sparkplug 3.0.0, chapter 4)."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

NAMESPACE = "spBv1.0"
_MAX_NAME = 128
_NODE_PARTS, _DEVICE_PARTS = 4, 5


class Kind(StrEnum):
    """What an edge node says; the words are those of the topic."""

    NODE_BIRTH = "NBIRTH"
    NODE_DATA = "NDATA"
    NODE_DEATH = "NDEATH"
    DEVICE_BIRTH = "DBIRTH"
    DEVICE_DATA = "DDATA"
    DEVICE_DEATH = "DDEATH"

    @property
    def is_of_device(self) -> bool:
        """Whether the topic names a device below the edge node."""
        return self.startswith("D")


FILTERS = tuple(f"{NAMESPACE}/+/{kind}/+{'/+' if kind.is_of_device else ''}" for kind in Kind)
"""Topic filters under which edge nodes publish; commands to them are left out."""

_KINDS = {kind.value: kind for kind in Kind}


@dataclass(frozen=True, slots=True)
class EdgeNodeName:
    """An edge node is known by its group and its own name together."""

    group: str
    node: str

    def __str__(self) -> str:
        return f"{self.group}/{self.node}"

    @property
    def command_topic(self) -> str:
        """Where the edge node hears commands."""
        return f"{NAMESPACE}/{self.group}/NCMD/{self.node}"


@dataclass(frozen=True, slots=True)
class SparkplugTopic:
    """A parsed topic; ``device`` is set for messages of a device."""

    kind: Kind
    edge_node: EdgeNodeName
    device: str | None


@lru_cache(maxsize=65_536)
def parse_topic(topic: str) -> SparkplugTopic | None:
    """Take a topic apart; ``None`` when it is not one an edge node publishes to, or its names are absurdly long."""
    parts = topic.split("/")
    kind = _KINDS.get(parts[2]) if len(parts) > 2 and parts[0] == NAMESPACE else None  # noqa: PLR2004 - the kind's place
    if kind is None or len(parts) != (_DEVICE_PARTS if kind.is_of_device else _NODE_PARTS):
        return None
    names = (parts[1], *parts[3:])
    if any(not 0 < len(name) <= _MAX_NAME or not name.isprintable() for name in names):
        return None
    return SparkplugTopic(kind, EdgeNodeName(parts[1], parts[3]), parts[4] if kind.is_of_device else None)


def state_topic(host_id: str) -> str:
    """Where a host says whether it is there, retained."""
    return f"{NAMESPACE}/STATE/{host_id}"
