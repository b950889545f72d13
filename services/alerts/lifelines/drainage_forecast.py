"""Waterlogging before it is there."""

from datetime import timedelta

from services.alerts.forecast.waterlogging_search import WaterloggingSearch
from services.alerts.lifelines.contract import Rule, SearchRule, Site
from services.core.alert_kind import AlertKind
from services.core.lifeline import Lifeline
from services.core.severity import Scheme, Severity
from services.core.text import Text
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


def _detector(site: Site) -> WaterloggingSearch | None:
    points = [sensor for sensor in site.sensors if sensor.quantity in _DEPTHS]
    gauges = [sensor for sensor in site.sensors if sensor.quantity == _RAIN]
    units = {sensor.id: conversion(sensor.unit, "cm") for sensor in points}
    known = [sensor for sensor in points if units[sensor.id] is not None]
    if not known:
        return None
    return WaterloggingSearch(
        _RAISED.name,
        [(sensor.id, sensor.longitude, sensor.latitude) for sensor in known],
        [(sensor.id, sensor.longitude, sensor.latitude) for sensor in gauges],
        cm={sensor.id: unit.scale for sensor in known if (unit := units[sensor.id]) is not None},
    )


WATERLOGGING_FORECAST = SearchRule(
    name="drainage-waterlogging-forecast",
    outcomes=(_RAISED,),
    quantities=(*sorted(_DEPTHS), _RAIN),
    detector=_detector,
    fields=frozenset({"grade", "minutes", "probability", "peak", "peak_low", "peak_high", "ending"}),
    step=timedelta(minutes=1),
)
