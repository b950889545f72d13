"""What a reading means that came after its moment was judged. Pure.

Nothing that was said is taken back. The limits are asked once more about the time around the reading, with it and
without it; what it makes worse is a finding of its own.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from services.core.grading import Grading
from services.core.severity import Severity
from services.core.threshold import Threshold

REACH_S = 86400.0
"""A reading further behind the zone's time than this is history: stored, and judged no more."""
REMEMBERED = 60
"""Late readings of one sensor that are remembered, so that a lasting trouble that came late is one trouble."""

Point = tuple[float, float]
"""Event time in seconds since 1970, and a value."""


class LateTrouble(NamedTuple):
    """A trouble that only shows with a late reading.

    ``since_s`` is its first value beyond a limit; at ``known_s`` the limits ``holding`` were met by ``value``.
    ``over`` is the first point behind it at which everything was back, ``None`` where there is none yet.
    """

    severity: Severity
    holding: tuple[Threshold, ...]
    since_s: float
    known_s: float
    value: float
    over: Point | None


class _Step(NamedTuple):
    """A point, and how the limits stand since then; ``since_s`` is set where one holds or has yet to last."""

    point: Point
    severity: Severity
    holding: tuple[Threshold, ...]
    since_s: float | None


def late_trouble(
    known: Iterable[Point], late: Point, grades: Sequence[Threshold], tolerated_s: float
) -> LateTrouble | None:
    """What a late reading makes worse among the ``known`` ones, in any order; usually nothing.

    Delays count as they do in time: a limit that has to last is met only if the neighbouring values say so, and values
    further apart than ``tolerated_s`` say nothing about the time between them.
    """
    values = dict(known)
    if values.get(late[0]) == late[1]:
        return None
    course = _course({**values, late[0]: late[1]}, grades, tolerated_s)
    first = last = next(number for number, step in enumerate(course) if step.point[0] == late[0])
    if course[first].since_s is None:
        return None
    while first > 0 and course[first - 1].since_s is not None:
        first -= 1
    while last < len(course) and course[last].since_s is not None:
        last += 1
    episode = course[first:last]
    worst = max(episode, key=lambda step: step.severity)
    told = {step.point[0]: step.severity for step in _course(values, grades, tolerated_s)}
    if worst.severity <= max(told.get(step.point[0], Severity.NORMAL) for step in episode):
        return None
    since_s = episode[0].point[0]
    over = course[last].point if last < len(course) else None
    return LateTrouble(worst.severity, worst.holding, since_s, worst.point[0], worst.point[1], over)


def _course(values: dict[float, float], grades: Sequence[Threshold], tolerated_s: float) -> list[_Step]:
    grading = Grading(grades)
    steps: list[_Step] = []
    for point in sorted(values.items()):
        if steps and point[0] - steps[-1].point[0] > tolerated_s:
            grading.interrupt()
        severity = grading.observe(*point)
        steps.append(_Step(point, severity, grading.reached, grading.started_s))
    return steps
