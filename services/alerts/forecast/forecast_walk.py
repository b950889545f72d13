"""Forecasts over a history as they would have been made: with what was read by then, and learnt from what had ended."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from services.alerts.forecast.depth_forecast import DepthForecast
from services.alerts.forecast.forecast_lessons import Kind, Lessons, Observed, feed, lessons_of
from services.alerts.forecast.outlook import Outlook

_FEWEST_FLOODINGS = 50
"""With fewer past floodings the default for any point forecasts as well as a forest."""
_RELEARN_S = 91 * 86400.0


class Schooling:
    """Grows a forest anew every ``relearn_s`` seconds from the floodings that had ended by then.

    The first is grown when it is first asked, if there are enough floodings. A longer history gives the same forests
    for the moments a shorter one covers.
    """

    __slots__ = ("_due_s", "_lessons", "_relearn_s", "_trees")

    def __init__(self, lessons: Lessons, *, relearn_s: float = _RELEARN_S, trees: int = 40) -> None:
        self._lessons = lessons
        self._relearn_s = relearn_s
        self._trees = trees
        self._due_s = float("-inf")

    def teach(self, forecast: DepthForecast, time_s: float) -> None:
        """Let the forecast take up a new forest, if one is due."""
        if time_s < self._due_s:
            return
        self._due_s = time_s + self._relearn_s
        past = self._lessons.before(time_s)
        if len(set(past.floodings)) >= _FEWEST_FLOODINGS:
            forecast.adopt(past.forest(trees=self._trees))


def walk(
    forecast: DepthForecast,
    history: Sequence[Observed],
    *,
    from_s: float = float("-inf"),
    every_s: float = 60.0,
    lessons: Lessons | None = None,
) -> Iterator[Outlook]:
    """The outlooks of each point after its own readings from ``from_s`` on, at most one in ``every_s`` seconds.

    ``forecast`` is fed the whole history, and taught anew every quarter of a year. ``lessons`` are those of this
    history, if they are there already.
    """
    readings = sorted(history)
    schooling = Schooling(lessons_of(forecast, readings) if lessons is None else lessons)
    told_s: dict[str, float] = {}
    for time_s, group in groupby(readings, key=lambda reading: reading.time_s):
        together = list(group)
        for reading in together:
            feed(forecast, reading)
        if time_s < from_s:
            continue
        schooling.teach(forecast, time_s)
        read = {reading.source for reading in together if reading.kind is Kind.DEPTH}
        due = [point for point in read if time_s - told_s.get(point, float("-inf")) >= every_s]
        for outlook in forecast.forecasts(time_s, due):
            told_s[outlook.point] = time_s
            yield outlook
