"""Places where water collects first, who answers for them, and what is prepared there before a storm."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from services.core.severity import Severity
from services.core.text import Text
from services.core.weather_warning import WeatherWarning

Ring = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class LowPoint:
    """A low point (易涝点).

    ``person`` is the identifier of who answers for it, ``pumps`` the pumps that drain it; ``mobile_pumps``,
    ``sandbags`` and ``barriers`` are how many are brought there from warnings of ``prepare_from`` on.
    ``contributing_ha`` drain to it, its gullies swallow ``drain_m3_s``, and ``storage_m3`` stand there when it is 40 cm
    deep: with all three its floodings are foretold from the rain. ``expected_15min_cm`` and so on are the depths from
    which water expected in so many minutes is warned of; ``None`` is the default of the drainage rules.
    """

    asset: str
    person: str | None
    pumps: tuple[str, ...]
    mobile_pumps: int
    sandbags: int
    barriers: int
    prepare_from: Severity
    contributing_ha: float | None = None
    drain_m3_s: float | None = None
    storage_m3: float | None = None
    expected_15min_cm: float | None = None
    expected_30min_cm: float | None = None
    expected_60min_cm: float | None = None

    @property
    def hollow(self) -> tuple[float, float, float] | None:
        """Area (ha), drain (m3/s) and volume (m3), if all three are registered."""
        if self.contributing_ha is None or self.drain_m3_s is None or self.storage_m3 is None:
            return None
        return self.contributing_ha, self.drain_m3_s, self.storage_m3

    @property
    def expected_cm(self) -> dict[int, float]:
        """The depths from which water in so many minutes is warned of, where the place has its own."""
        told = {15: self.expected_15min_cm, 30: self.expected_30min_cm, 60: self.expected_60min_cm}
        return {minutes: depth_cm for minutes, depth_cm in told.items() if depth_cm is not None}


class StormTask(StrEnum):
    """What is done at a low point before the water comes."""

    PERSON = "person"
    MOBILE_PUMPS = "mobile-pumps"
    SANDBAGS = "sandbags"
    BARRIERS = "barriers"


class TaskState(StrEnum):
    """Open, carried out, or no longer needed because the warning is over."""

    OPEN = "open"
    DONE = "done"
    STOOD_DOWN = "stood-down"


TASK_WORDS = {
    StormTask.PERSON: Text("is at the place", "到岗值守"),
    StormTask.MOBILE_PUMPS: Text("mobile pumps", "移动泵车"),
    StormTask.SANDBAGS: Text("sandbags", "沙袋"),
    StormTask.BARRIERS: Text("barriers and signs for the closure", "封路护栏与警示牌"),
}


class Preparation(NamedTuple):
    """One task at one place, and how many of it."""

    asset: str
    task: StormTask
    quantity: int


def preparations(
    warning: WeatherWarning, low_points: Sequence[LowPoint], places: dict[str, tuple[float, float]]
) -> Iterator[Preparation]:
    """What a warning asks for: at the low points in its area whose level it reaches.

    ``places`` are longitude and latitude by asset; a low point without one counts as inside.
    """
    if not warning.brings_water:
        return
    for point in low_points:
        if warning.severity < point.prepare_from or not covers(warning, places.get(point.asset)):
            continue
        if point.person is not None:
            yield Preparation(point.asset, StormTask.PERSON, 1)
        wanted = {
            StormTask.MOBILE_PUMPS: point.mobile_pumps,
            StormTask.SANDBAGS: point.sandbags,
            StormTask.BARRIERS: point.barriers,
        }
        for task, quantity in wanted.items():
            if quantity:
                yield Preparation(point.asset, task, quantity)


def covers(warning: WeatherWarning, place: tuple[float, float] | None) -> bool:
    """Whether a place lies in a warning's area; one without an area is for everywhere."""
    return place is None or not warning.areas or any(_inside(ring, place) for ring in warning.areas)


def _inside(ring: Ring, place: tuple[float, float]) -> bool:
    """By the number of edges east of the place (ray casting)."""
    longitude, latitude = place
    inside = False
    for (west, south), (east, north) in pairwise(ring):
        if (south > latitude) != (north > latitude):
            crossing = west + (latitude - south) / (north - south) * (east - west)
            inside ^= longitude < crossing
    return inside
