"""A city as the simulators know it: assets, links, sensors and the people behind them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

Fact = str | int | float
LonLat = tuple[float, float]
RAW_VIBRATION = "acceleration"
"""The quantity of accelerometers whose gateway publishes windows of samples."""


class Words(NamedTuple):
    """A name in English and in Chinese (zh-CN)."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Zone:
    """A district metered area, gas district, catchment or bridge; ``ring`` is a closed polygon."""

    id: str
    lifeline: str
    name: Words
    ring: tuple[LonLat, ...]


@dataclass(frozen=True, slots=True)
class Asset:
    """A node (one point) or a segment or bridge (several points), longitude first, WGS 84."""

    id: str
    lifeline: str
    kind: str
    zone: str
    name: Words
    organisation: str
    points: tuple[LonLat, ...]
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def number(self, fact: str) -> float:
        """A numeric fact, such as ``diameter_mm``.

        Raises:
            ValueError: the asset does not state it, so that its physics cannot be computed.
        """
        value = self.facts.get(fact)
        if isinstance(value, int | float):
            return float(value)
        raise ValueError(f"asset {self.id} ({self.kind}) states no number {fact!r}")


@dataclass(frozen=True, slots=True)
class Link:
    """``flow`` from source to target, ``adjacent`` through soil, or ``part-of``."""

    source: str
    target: str
    kind: str
    length_m: float


@dataclass(frozen=True, slots=True)
class Sensor:
    """One quantity of one asset; ``gateway`` collects its values."""

    id: str
    lifeline: str
    quantity: str
    unit: str
    asset: str
    position: LonLat
    interval_s: int
    gateway: str

    @property
    def is_read(self) -> bool:
        """Whether it reports readings. A raw accelerometer publishes windows, a tracked mode is identified in them."""
        return self.quantity != RAW_VIBRATION and not self.quantity.startswith("tracked_mode_")


@dataclass(frozen=True, slots=True)
class Threshold:
    """A limit of one sensor that differs from its quantity's default."""

    sensor: str
    severity: int
    side: str
    raise_at: float
    clear_at: float
    on_delay_s: int
    off_delay_s: int
    source: str


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation; ``role`` is owner, regulator, emergency or centre."""

    id: str
    name: Words
    role: str
    lifelines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """A fictional person and post."""

    id: str
    organisation: str
    name: str
    post: Words
    phone: str


@dataclass(frozen=True)
class City:
    """Everything a city folder holds."""

    id: str
    name: Words
    timezone: str
    centre: LonLat
    organisations: tuple[Organisation, ...]
    people: tuple[Person, ...]
    zones: tuple[Zone, ...]
    assets: tuple[Asset, ...]
    links: tuple[Link, ...]
    sensors: tuple[Sensor, ...]
    thresholds: tuple[Threshold, ...]

    @cached_property
    def asset(self) -> Mapping[str, Asset]:
        """Assets by id."""
        return {asset.id: asset for asset in self.assets}

    @cached_property
    def sensor(self) -> Mapping[str, Sensor]:
        """Sensors by id."""
        return {sensor.id: sensor for sensor in self.sensors}

    def sensors_of(self, lifeline: str) -> tuple[Sensor, ...]:
        """The sensors of one lifeline that report readings, in the folder's order."""
        return tuple(sensor for sensor in self.sensors if sensor.lifeline == lifeline and sensor.is_read)

    def assets_of(self, lifeline: str, kind: str | None = None) -> tuple[Asset, ...]:
        """The assets of one lifeline, or of one kind in it, in the folder's order."""
        return tuple(a for a in self.assets if a.lifeline == lifeline and kind in {None, a.kind})

    def flow_links(self, lifeline: str) -> tuple[Link, ...]:
        """The flow links between assets of one lifeline."""
        return tuple(k for k in self.links if k.kind == "flow" and self.asset[k.source].lifeline == lifeline)
