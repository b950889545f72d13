"""Waterlogging before it is there."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial

from services.alerts.forecast.expected_rain import HORIZONS_MIN
from services.alerts.forecast.waterlogging_search import WaterloggingSearch
from services.alerts.lifelines.contract import LifelineRules, Rule, SearchRule, Site
from services.core.alert_kind import AlertKind
from services.core.lifeline import Lifeline
from services.core.low_point import LowPoint
from services.core.sensor import Sensor
from services.core.severity import Scheme, Severity
from services.core.text import Text
from services.core.threshold import Side
from services.core.units import conversion

_DEPTHS = frozenset({"road_depth", "water_depth"})
_RAIN = "rain_intensity"

EXPECTED = AlertKind(
    lifeline=Lifeline.DRAINAGE,
    kind="waterlogging-expected",
    label=Text("Waterlogging expected", "预计出现积水"),
    instruction=Text(
        "Send people and pumps to the place, prepare the closure, warn who is on the way there.",
        "人员和泵车赶赴现场，做好封路准备，提醒途经人员和车辆。",
    ),
    scheme=Scheme.EMERGENCY,
    sensor_fault=False,
    publishes_from=Severity.MAJOR,
)

_RAISED = Rule(
    name="drainage-waterlogging-expected",
    kind=EXPECTED,
    raised=Text(
        "{asset} is going to pass {grade} cm in about {minutes} min ({probability} %); it stands at {value} {unit}, the"
        " peak is expected at {peak} cm ({peak_low} to {peak_high}).",
        "{asset}预计约{minutes}分钟后超过{grade}厘米（概率{probability}%）；现为{value} {unit}，"
        "预计峰值{peak}厘米（{peak_low}～{peak_high}）。",
    ),
    cleared=Text(
        "{grade} cm at {asset}: {ending}; it stands at {value} {unit}.",
        "{asset}（{grade}厘米）：{ending}；现为{value} {unit}。",
    ),
)


EXPECTED_CM: Mapping[int, float] = {15: 27.0, 30: 27.0, 60: 27.0}
"""From which likely depth in so many minutes water is warned of, where ``low_points.csv`` has no depths of the place:
default, 27 cm, heavy waterlogging in a vendor's practice and the grade from which warnings are published by rule; to be
confirmed on site."""


def waterlogging_forecast(low_points: Mapping[str, LowPoint]) -> SearchRule:
    """The rule where the register tells of some assets how water collects there; elsewhere it begins with a default."""
    return SearchRule(
        name="drainage-waterlogging-forecast",
        outcomes=(_RAISED,),
        quantities=(*sorted(_DEPTHS), _RAIN, *HORIZONS_MIN),
        detector=partial(_detector, low_points),
        fields=frozenset({"grade", "minutes", "probability", "peak", "peak_low", "peak_high", "ending"}),
        seldom=frozenset(HORIZONS_MIN),
        step=timedelta(minutes=1),
    )


def with_low_points(rules: LifelineRules, low_points: Iterable[LowPoint]) -> LifelineRules:
    """The same rules, whose forecast of waterlogging knows the registered low points."""
    told = waterlogging_forecast({point.asset: point for point in low_points})
    return replace(rules, searches=tuple(told if search.name == told.name else search for search in rules.searches))


def _detector(low_points: Mapping[str, LowPoint], site: Site) -> WaterloggingSearch | None:
    points = [sensor for sensor in site.sensors if sensor.quantity in _DEPTHS]
    gauges = [sensor for sensor in site.sensors if sensor.quantity == _RAIN]
    units = {sensor.id: unit.scale for sensor in points if (unit := conversion(sensor.unit, "cm")) is not None}
    known = [sensor for sensor in points if sensor.id in units]
    if not known:
        return None
    registered = {sensor.id: low_points[sensor.asset] for sensor in known if sensor.asset in low_points}
    return WaterloggingSearch(
        _RAISED.name,
        [(sensor.id, sensor.longitude, sensor.latitude) for sensor in known],
        [(sensor.id, sensor.longitude, sensor.latitude) for sensor in gauges],
        [
            (sensor.id, sensor.longitude, sensor.latitude, HORIZONS_MIN[sensor.quantity])
            for sensor in site.sensors
            if sensor.quantity in HORIZONS_MIN and sensor.unit == "mm"
        ],
        cm=units,
        hollows={name: point.hollow for name, point in registered.items() if point.hollow is not None},
        grades={sensor.id: _grades(sensor, units[sensor.id]) for sensor in known},
        expected={
            sensor.id: {
                str(minutes): depth_cm
                for minutes, depth_cm in {**EXPECTED_CM, **_own_limits(registered.get(sensor.id))}.items()
            }
            for sensor in known
        },
        reports_when_dry=any(sensor.quantity == "road_depth" for sensor in known),
    )


def _grades(sensor: Sensor, a_unit_cm: float) -> list[tuple[float, int]]:
    """Depth in cm and severity of each limit of a sensor, from shallow to deep."""
    return sorted(
        (round(limit.raise_at * a_unit_cm, 6), int(limit.severity))
        for limit in sensor.thresholds
        if limit.side is Side.ABOVE
    )


def _own_limits(point: LowPoint | None) -> dict[int, float]:
    return {} if point is None else point.expected_cm


WATERLOGGING_FORECAST = waterlogging_forecast({})
