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
    """

    asset: str
    person: str | None
    pumps: tuple[str, ...]
    mobile_pumps: int
    sandbags: int
    barriers: int
    prepare_from: Severity


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
