"""What is watched: nodes, segments and structures, and how they are connected."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from services.core.lifeline import Lifeline
from services.core.text import Text


@dataclass(frozen=True, slots=True)
class Asset:
    """A node, a segment or a structure.

    ``kind`` is the lifeline's own word (``pipe``, ``valve``, ``manhole``, ``low-point``, ``bearing`` …).
    ``geometry`` is GeoJSON in WGS 84, longitude first. ``properties`` are free facts such as ``diameter_mm``,
    ``material`` or ``built``.
    """

    id: str
    lifeline: Lifeline
    kind: str
    zone: str
    name: Text
    geometry: Mapping[str, Any]
    organisation: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)


class LinkKind(StrEnum):
    """How two assets touch."""

    FLOW = "flow"
    """Water or gas goes from the first to the second."""
    ADJACENT = "adjacent"
    """No pipe joins them, but what leaks from one can reach the other (a gas pipe beside a sewer manhole)."""
    PART_OF = "part-of"
    """The first is a part of the second (a bearing of a bridge, a sensor post of a low point)."""


@dataclass(frozen=True, slots=True)
class Link:
    """A directed connection or an adjacency between two assets; ``length_m`` is along the pipe or through soil."""

    source: str
    target: str
    kind: LinkKind
    length_m: float
