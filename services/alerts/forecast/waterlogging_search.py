"""Low points that are about to flood: forecasts for all, and a claim for each that is likely to pass a grade."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from math import isnan
from typing import Any, ClassVar, NamedTuple

from services.alerts.detectors.contract import Claim, ForecastDetector, ForecastPoint, Score, State, Trainable
from services.alerts.forecast.depth_forecast import GRADES_CM, DepthForecast
from services.alerts.forecast.forecast_lessons import Kind, Observed, feed, lessons_of
from services.alerts.forecast.hollow import FILM_CM
from services.alerts.forecast.low_points import Gauge, LowPoint, Nowcast
from services.alerts.forecast.outlook import Basis, Outlook
from services.core.finding import FindingState
from services.core.severity import Severity
from services.core.text import Text

_GRADES = tuple(zip(GRADES_CM, (Severity.MODERATE, Severity.MAJOR, Severity.CRITICAL), strict=True))
_DRY_CM = FILM_CM
_STIRS_CM = 3.0
"""Less than this on a road, now and in the next hour, is a wet road: nothing is said of it."""
_STANDS, _SURE_WET = 0.4, 0.85
"""Where water stands at such a share of a grade already, it is a question of a few centimetres whether it comes to it,
and the hollow of the register has it too deep: a warning from rain needs to be likelier there. So it does once the
rain falls that a radar has seen coming: what had to be said before was said before, and gauge, radar and register err
for all points of a zone together. Chosen with ``sure`` on simulated storms over registered places: of what was 50 to
85 % likely there, a quarter came; before the rain, of what was 65 to 85 % likely nine in ten."""
_FEWEST_FLOODINGS = 20
"""With fewer a forest knows less than the default; whether it knows more is tried on storms held back."""
_CAME = Text("the water has come", "积水已到达该等级")
_PASSED_BY = Text("it is no longer expected", "已不再预计出现积水")


class _Claimed(NamedTuple):
    """What was said of a point: since when, at which severity, and for which depth (cm)."""

    key: str
    since_s: float
    severity: Severity
    grade_cm: float


class WaterloggingSearch(ForecastDetector, Trainable):
    """Watches the low points of a zone and says which grade each is going to pass.

    A grade is claimed when it is likelier than ``sure`` in two rows one after the other and the water has not
    reached it; likelier still where water stands of which nothing was claimed, and in rain that was foretold. A
    claim ends when every grade ahead is less likely than ``unlikely``. ``points`` and ``gauges`` are (sensor,
    longitude, latitude), ``cm`` how many centimetres one of the unit of a point is, ``hollows`` what is known of
    how water collects there (``hollow.Hollow``), ``grades`` depths in cm with their severities. ``nowcasts``
    (sensor, longitude, latitude, minutes) tell rain in mm that is expected from the time of their readings on
    (``ExpectedRain``). The lowest grade is also claimed when the likely depth in 15, 30 or 60 minutes comes to that
    of ``expected``. ``reports_when_dry`` is false for sensors that are silent on a dry road.

    Sources: those of ``DepthForecast`` and ``Hollow``, whose forecasts these are.
    """

    name: ClassVar[str] = "waterlogging-forecast"
    version: ClassVar[str] = "4"
    learnt: ClassVar[tuple[str, ...]] = ("forest",)

    __slots__ = (
        "_claimed",
        "_claims",
        "_expected",
        "_forecast",
        "_likely",
        "_number",
        "cm",
        "columns",
        "expected",
        "gauges",
        "grades",
        "nowcasts",
        "outcome",
        "points",
        "reports_when_dry",
        "sure",
        "unlikely",
    )

    def __init__(
        self,
        outcome: str,
        points: Sequence[tuple[str, float, float]],
        gauges: Sequence[tuple[str, float, float]] = (),
        nowcasts: Sequence[tuple[str, float, float, int]] = (),
        *,
        cm: Mapping[str, float] | None = None,
        hollows: Mapping[str, Sequence[float]] | None = None,
        grades: Mapping[str, Sequence[tuple[float, int]]] | None = None,
        expected: Mapping[str, Mapping[str, float]] | None = None,
        reports_when_dry: bool = True,
        sure: float = 0.7,
        unlikely: float = 0.3,
    ) -> None:
        self.outcome = outcome
        self.points = [LowPoint(name, lon, lat) for name, lon, lat in points]
        self.gauges = [Gauge(*gauge) for gauge in gauges]
        self.nowcasts = [Nowcast(*nowcast) for nowcast in nowcasts]
        self.cm = dict(cm or {})
        self.sure = sure
        self.unlikely = unlikely
        sources: Sequence[LowPoint | Gauge | Nowcast] = (*self.points, *self.gauges, *self.nowcasts)
        self.columns = tuple(sorted(source.id for source in sources))
        self.grades = {
            point.id: [(float(cm), Severity(severity)) for cm, severity in (grades or {}).get(point.id, ())]
            or [*_GRADES]
            for point in self.points
        }
        self.expected = {
            point: {int(minutes): float(depth_cm) for minutes, depth_cm in limits.items()}
            for point, limits in sorted((expected or {}).items())
        }
        self.reports_when_dry = reports_when_dry
        self._forecast = DepthForecast(
            self.points,
            self.gauges,
            self.nowcasts,
            grades_cm=sorted({cm for told in self.grades.values() for cm, _ in told}),
            dry_cm=_DRY_CM if reports_when_dry else 0.0,
            reports_when_dry=reports_when_dry,
            hollows=hollows,
        )
        self._claimed: dict[str, _Claimed] = {}
        self._likely: dict[str, float] = {}
        self._number = 0
        self._claims: list[Claim] = []
        self._expected: list[ForecastPoint] = []

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "outcome": self.outcome,
            "points": [[point.id, point.lon, point.lat] for point in self.points],
            "gauges": [list(gauge) for gauge in self.gauges],
            "nowcasts": [list(nowcast) for nowcast in self.nowcasts],
            "cm": self.cm,
            "hollows": self._forecast.configuration()["hollows"],
            "grades": {point: [[cm, int(severity)] for cm, severity in told] for point, told in self.grades.items()},
            "expected": {
                point: {str(minutes): depth_cm for minutes, depth_cm in limits.items()}
                for point, limits in self.expected.items()
            },
            "reports_when_dry": self.reports_when_dry,
            "sure": self.sure,
            "unlikely": self.unlikely,
        }

    def score(self, time_s: float, row: Sequence[float]) -> Score:
        """The greatest probability of any grade that a point has not reached."""
        self.learn(time_s, row)
        outlooks = {outlook.point: outlook for outlook in self._forecast.forecasts(time_s)}
        self._claims, self._expected = [], []
        highest = 0.0
        for point in self.points:
            outlook = outlooks.get(point.id)
            highest = max(highest, self._follow(point.id, time_s, outlook))
            if outlook is not None:
                self._expect(outlook)
        return Score(highest)

    def learn(self, time_s: float, row: Sequence[float]) -> None:
        """Take a row without saying anything of it; a row that is scored is taken too."""
        for observed in self._observed(time_s, row):
            feed(self._forecast, observed)

    def train(self, history: Iterable[tuple[float, Sequence[float]]]) -> dict[str, Any]:
        """A forest grown from the floodings of a history.

        Raises:
            ValueError: there are too few.
        """
        observed = [each for time_s, row in history for each in self._observed(time_s, row)]
        lessons = lessons_of(self._forecast, observed)
        floodings = len(set(lessons.floodings))
        if floodings < _FEWEST_FLOODINGS:
            raise ValueError(f"{floodings} floodings to learn from, {_FEWEST_FLOODINGS} are needed")
        return lessons.forest()

    def adopt(self, parameters: State, model: str | None = None) -> None:
        """Take up what ``train`` returned; what was seen stays.

        Raises:
            KeyError: a part of the forest is missing.
            ValueError: it was grown from other features than these.
        """
        self._forecast.adopt(parameters, model)
        self._model = model

    def _observed(self, time_s: float, row: Sequence[float]) -> Iterator[Observed]:
        """What a row tells, rain first, then what is expected beside it; silent sensors left out."""
        values = dict(zip(self.columns, row, strict=True))
        for gauge in self.gauges:
            if not isnan(values[gauge.id]):
                yield Observed(time_s, Kind.RAIN, gauge.id, values[gauge.id])
        for nowcast in self.nowcasts:
            if not isnan(values[nowcast.id]):
                yield Observed(time_s, Kind.EXPECTED, nowcast.id, values[nowcast.id])
        for point in self.points:
            if not isnan(values[point.id]):
                yield Observed(time_s, Kind.DEPTH, point.id, values[point.id] * self.cm.get(point.id, 1.0))

    def _follow(self, point: str, time_s: float, outlook: Outlook | None) -> float:
        """Raise, change or end what is claimed of a point; the probability of the likeliest grade ahead."""
        # What this flooding has reached already is behind it: on the falling limb nothing is ahead.
        reached_cm = max(self._forecast.water.tracks[point].max_cm, 0.0 if outlook is None else outlook.depth_cm)
        grades = [cm for cm, _ in self.grades[point]]
        ahead = {} if outlook is None else {g: outlook.passing[g] for g in grades if reached_cm < g}
        claimed = self._claimed.get(point)
        described = outlook is not None and outlook.basis is Basis.RAIN and point in self._forecast.hollows
        stands_cm = reached_cm if described and claimed is None else 0.0
        sure = max(self.sure, _SURE_WET) if self._forecast.rains_as_told(point, time_s) else self.sure
        wanted = max((grade for grade, share in ahead.items() if share >= _enough(sure, grade, stands_cm)), default=0.0)
        if not wanted and outlook is not None and reached_cm < grades[0] and self._is_expected(outlook):
            wanted = grades[0]
        before = self._likely.get(point, 0.0)
        sure_cm = min(wanted, before)
        self._likely[point] = wanted
        if outlook is None or claimed is None:
            if outlook is not None and sure_cm > 0:
                self._claim(point, time_s, outlook, sure_cm, None)
        elif sure_cm > claimed.grade_cm:
            self._claim(point, time_s, outlook, sure_cm, claimed)
        elif max(ahead.values(), default=0.0) < self.unlikely:
            # Until nothing worse is likely it is one trouble, whatever has been reached of it.
            self._end(point, outlook, _CAME if reached_cm >= claimed.grade_cm else _PASSED_BY)
        return max(ahead.values(), default=0.0)

    def _is_expected(self, outlook: Outlook) -> bool:
        """Whether the likely depth in some minutes reaches what is warned of at the point so long before."""
        limits = self.expected.get(outlook.point, {})
        return any(outlook.ahead[minutes].likely >= depth_cm for minutes, depth_cm in limits.items())

    def _claim(self, point: str, time_s: float, outlook: Outlook, grade_cm: float, before: _Claimed | None) -> None:
        if before is None:
            self._number += 1
        key = f"{point}/{self._number}" if before is None else before.key
        since_s = time_s if before is None else before.since_s
        claimed = self._claimed[point] = _Claimed(key, since_s, dict(self.grades[point])[grade_cm], grade_cm)
        state = FindingState.RAISED if before is None else FindingState.CHANGED
        minutes = max(1, round(self._minutes_to(outlook, grade_cm)))
        fields: dict[str, str | Text] = {
            "grade": f"{grade_cm:g}",
            "probability": f"{100 * outlook.passing[grade_cm]:.0f}",
            "minutes": f"{minutes}",
            "peak": f"{outlook.peak.likely:.0f}",
            "peak_low": f"{outlook.peak.low:.0f}",
            "peak_high": f"{outlook.peak.high:.0f}",
        }
        self._claims.append(self._told(point, claimed, state, outlook, fields))

    def _end(self, point: str, outlook: Outlook, ending: Text) -> None:
        claimed = self._claimed.pop(point)
        fields: dict[str, str | Text] = {"grade": f"{claimed.grade_cm:g}", "ending": ending}
        ended = claimed._replace(severity=Severity.NORMAL)
        self._claims.append(self._told(point, ended, FindingState.CLEARED, outlook, fields))

    def _told(
        self, point: str, claimed: _Claimed, state: FindingState, outlook: Outlook, fields: Mapping[str, str | Text]
    ) -> Claim:
        a_cm = self.cm.get(point, 1.0)
        seen = {
            "basis": str(outlook.basis),
            "passing": {f"{grade:g}": round(share, 3) for grade, share in outlook.passing.items()},
            "peak_cm": [round(depth, 1) for depth in outlook.peak],
            "ahead_cm": {
                str(minutes): [round(each, 1) for each in spread] for minutes, spread in outlook.ahead.items()
            },
        }
        return Claim(
            self.outcome,
            claimed.key,
            state,
            claimed.severity,
            outlook.passing[claimed.grade_cm],
            claimed.since_s,
            (point,),
            value=outlook.depth_cm / a_cm,
            expected=outlook.peak.likely / a_cm,
            seen=seen,
            fields=fields,
        )

    @staticmethod
    def _minutes_to(outlook: Outlook, grade_cm: float) -> float:
        """When a grade is likely passed; where nobody tells, straight between the depths that are forecast."""
        if grade_cm in outlook.passes_min:
            return outlook.passes_min[grade_cm]
        course = [(0.0, outlook.depth_cm), *((float(m), s.likely) for m, s in sorted(outlook.ahead.items()))]
        peak_min = (outlook.peak_s - outlook.issued_s) / 60
        course = sorted([*course, (peak_min, outlook.peak.likely)])
        for (start, low), (end, high) in pairwise(course):
            if low < grade_cm <= high:
                return start + (end - start) * (grade_cm - low) / (high - low)
        return peak_min

    def _expect(self, outlook: Outlook) -> None:
        a_cm = self.cm.get(outlook.point, 1.0)
        if outlook.depth_cm < _STIRS_CM and max(spread.likely for spread in outlook.ahead.values()) < _STIRS_CM:
            return
        self._expected += [
            ForecastPoint(
                outlook.point,
                outlook.issued_s + 60 * minutes,
                spread.likely / a_cm,
                spread.low / a_cm,
                spread.high / a_cm,
            )
            for minutes, spread in sorted(outlook.ahead.items())
        ]

    def claims(self) -> Sequence[Claim]:
        """What changed with the row scored last."""
        return self._claims

    def forecasts(self) -> Sequence[ForecastPoint]:
        """The depth in 15, 30 and 60 minutes at every point where water stands or comes."""
        return self._expected

    def state(self) -> dict[str, Any]:
        """What was seen and what is claimed, as JSON."""
        return {
            "forecast": self._forecast.state(),
            "claimed": {point: list(claimed) for point, claimed in self._claimed.items()},
            "likely": {point: grade for point, grade in self._likely.items() if grade},
            "number": self._number,
        }

    def restore(self, state: State) -> None:
        """Go on where ``state`` was taken."""
        self._forecast.restore(state["forecast"])
        self._claimed = {
            point: _Claimed(key, since_s, Severity(severity), grade_cm)
            for point, (key, since_s, severity, grade_cm) in state["claimed"].items()
        }
        self._likely = dict(state["likely"])
        self._number = state["number"]


def _enough(sure: float, grade_cm: float, stands_cm: float) -> float:
    """How likely a grade has to be to be claimed, given the water that stands and of which nothing was claimed."""
    return max(sure, _SURE_WET) if stands_cm >= _STANDS * grade_cm else sure
