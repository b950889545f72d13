"""Water supply: pressures and flows of the district metered areas, levels of the tanks."""

from collections.abc import Sequence
from datetime import timedelta

from services.alerts.bursts.night_draw import NIGHT_BEGINS_S, NIGHT_ENDS_S
from services.alerts.detectors.neighbour_residual import NeighbourResidual
from services.alerts.detectors.night_flow import NightFlow
from services.alerts.detectors.seasonal import Seasonal
from services.alerts.detectors.value import Value
from services.alerts.lifelines.contract import LifelineRules, SensorRule, ZoneRule, limits_of, same_for_all
from services.alerts.lifelines.faults import faults_of
from services.alerts.lifelines.water_bursts import BURST_SEARCH
from services.alerts.lifelines.water_kinds import LEAK, NIGHT_FLOW_HIGH, water_kind
from services.alerts.lifelines.water_leaks import LEAK_SEARCH
from services.alerts.lifelines.water_operation import QUANTITIES, RESTING, SEARCHES, SENSOR_RULES, SWITCHED
from services.core.alert_kind import AlertKind
from services.core.lifeline import Lifeline
from services.core.quantity import Quantity
from services.core.sensor import Sensor
from services.core.severity import Severity
from services.core.text import Text
from services.core.threshold import Side, Threshold

_KPA = {"kPa": 1.0, "MPa": 0.001, "m": 0.102, "bar": 0.01}
"""One kilopascal in the units in which pressure is declared."""
_LEAK_SIGNS = {"pressure": -1, "flow": 1}
"""A leak lowers the pressures near it and raises the flow towards it."""
_FLOORS = {"pressure": 0.5, "flow": 3.0}
"""Regressions are never trusted further than this, in kPa and m3/h: the instruments' classes allow no more."""
_CEILINGS = {"pressure": 42.0, "flow": 30.0}
"""A pressure may reach the highest grade, and comes down from it within an hour and a half; a meter may not by itself,
because what it shows more can also have gone on to the next zone."""


BURST = water_kind(
    "burst-suspected",
    Text("Burst suspected", "疑似爆管"),
    Text("Send a crew, look for water on the road, close the isolating valves.", "派员巡查路面冒水，关闭隔离阀门。"),
)
PRESSURE_LOW = water_kind(
    "pressure-low",
    Text("Water pressure low", "供水压力过低"),
    Text("Check pumps and valves, and inform customers if it lasts.", "检查泵站和阀门，持续低压时通知用户。"),
)
PRESSURE_HIGH = water_kind(
    "pressure-high",
    Text("Water pressure high", "供水压力过高"),
    Text("Check the pressure-reducing valves and the pumps.", "检查减压阀和泵站。"),
)
TANK_LEVEL = water_kind(
    "tank-level",
    Text("Tank level outside its limits", "水池液位超限"),
    Text("Check inflow, outflow and the level controller.", "检查进出水和液位控制。"),
)

PRESSURE = (
    Threshold(
        Severity.MODERATE,
        Side.BELOW,
        raise_at=140,
        clear_at=150,
        on_delay=timedelta(minutes=10),
        off_delay=timedelta(minutes=10),
        source="default: minimum service pressure 0.14 MPa, from background knowledge, to be confirmed on site",
    ),
    Threshold(
        Severity.MAJOR,
        Side.BELOW,
        raise_at=70,
        clear_at=80,
        on_delay=timedelta(minutes=5),
        off_delay=timedelta(minutes=10),
        source="default: half of the minimum service pressure, to be confirmed on site",
    ),
)
LEVEL = (
    Threshold(
        Severity.MODERATE,
        Side.BELOW,
        raise_at=0.5,
        clear_at=0.6,
        on_delay=timedelta(minutes=10),
        source="default: to be set from the tank's dead storage",
    ),
)

_LIMIT = Text(
    "{label}: {value} {unit} at {asset} (limit {limit} {unit}, for {lasting}).",
    "{label}：{asset}为{value} {unit}（限值{limit} {unit}，已持续{lasting}）。",
)
_NORMAL = Text("{asset} is back to {value} {unit} after {lasting}.", "{asset}已恢复至{value} {unit}，历时{lasting}。")


def _limit_rule(name: str, kind: AlertKind, quantity: str, side: Side) -> SensorRule:
    return SensorRule(
        name=name,
        kind=kind,
        raised=_LIMIT,
        cleared=_NORMAL,
        quantities=(quantity,),
        detector=lambda _: Value(),
        grades=limits_of(side),
    )


def _residual(sensors: Sequence[Sensor]) -> NeighbourResidual:
    return NeighbourResidual(
        [sensor.id for sensor in sensors],
        [_LEAK_SIGNS.get(sensor.quantity, 0) for sensor in sensors],
        [_FLOORS.get(sensor.quantity, 0.01) * _KPA.get(sensor.unit, 1.0) for sensor in sensors],
        [_CEILINGS.get(sensor.quantity, 0.0) for sensor in sensors],
    )


NEIGHBOUR_RESIDUAL = ZoneRule(
    name="water-neighbour-residual",
    kind=LEAK,
    raised=Text(
        "{asset}: {value} {unit}, where the zone's other {count} instruments explain {expected} {unit}, for {lasting}:"
        " a leak nearby is likely.",
        "{asset}：{value} {unit}，分区内其余{count}个测点的推算值为{expected} {unit}，"
        "已持续{lasting}，附近可能存在漏损。",
    ),
    cleared=Text(
        "{asset} agrees with the zone's other instruments again: {value} {unit}.",
        "{asset}与分区内其他测点恢复一致：{value} {unit}。",
    ),
    quantities=("pressure", "flow", "tank_level"),
    detector=_residual,
    grades=(
        Threshold(
            Severity.MODERATE,
            Side.ABOVE,
            raise_at=16,
            clear_at=8,
            source="default: three rows at the cut of eight deviations, less a drift of one",
        ),
        Threshold(
            Severity.MAJOR,
            Side.ABOVE,
            raise_at=40,
            clear_at=8,
            source="default: six rows at the cut of eight deviations, less a drift of one",
        ),
    ),
    minimum_sensors=3,
    score_unit=Text("summed deviations", "累计偏差"),
)

FLOW_UNUSUAL = SensorRule(
    name="water-flow-above-usual",
    kind=BURST,
    raised=Text(
        "Flow at {asset} is {value} {unit}; at this time of day {expected} {unit} is usual.",
        "{asset}流量{value} {unit}，该时段通常为{expected} {unit}。",
    ),
    cleared=_NORMAL,
    quantities=("flow",),
    detector=lambda _: Seasonal(floor=4, relative_floor=0.06),
    grades=same_for_all(
        Threshold(
            Severity.MODERATE,
            Side.ABOVE,
            raise_at=8,
            clear_at=4,
            on_delay=timedelta(minutes=10),
            off_delay=timedelta(minutes=10),
            source="default: eight robust deviations, at least 48 % above usual",
        )
    ),
    score_unit=Text("deviations", "倍标准差"),
)

NIGHT_FLOW = SensorRule(
    name="water-night-flow",
    kind=NIGHT_FLOW_HIGH,
    raised=Text(
        "Last night's least flow at {asset} was {score} {score_unit} above that of the nights before ({expected}).",
        "{asset}昨夜最小流量比往夜（{expected}）高出{score} {score_unit}。",
    ),
    cleared=Text("Night flow at {asset} is back to what is usual.", "{asset}夜间最小流量已恢复正常。"),
    quantities=("flow",),
    detector=lambda _: NightFlow(NIGHT_BEGINS_S, NIGHT_ENDS_S),
    grades=same_for_all(
        Threshold(
            Severity.MINOR,
            Side.ABOVE,
            raise_at=4,
            clear_at=2,
            source="default: 4 m3/h, a leak worth listening for",
        ),
        Threshold(
            Severity.MODERATE,
            Side.ABOVE,
            raise_at=20,
            clear_at=10,
            source="default: 20 m3/h, five times a leak worth listening for",
        ),
    ),
    score_unit=Text("m3/h", "m3/h"),
)

_FAULTS = faults_of(Lifeline.WATER, {"flow": 0.0, "tank_level": 0.0, **RESTING}, switched=SWITCHED)

RULES = LifelineRules(
    lifeline=Lifeline.WATER,
    quantities=(
        Quantity(Lifeline.WATER, "pressure", "kPa", Text("Water pressure", "供水压力"), (-150, 2500), PRESSURE),
        Quantity(Lifeline.WATER, "flow", "m3/h", Text("Flow", "流量"), (-20_000, 20_000)),
        Quantity(Lifeline.WATER, "tank_level", "m", Text("Tank level", "水池液位"), (0, 50), LEVEL),
        *QUANTITIES,
    ),
    sensor_rules=(
        _limit_rule("water-pressure-below-limit", PRESSURE_LOW, "pressure", Side.BELOW),
        _limit_rule("water-pressure-above-limit", PRESSURE_HIGH, "pressure", Side.ABOVE),
        _limit_rule("water-tank-below-limit", TANK_LEVEL, "tank_level", Side.BELOW),
        _limit_rule("water-tank-above-limit", TANK_LEVEL, "tank_level", Side.ABOVE),
        FLOW_UNUSUAL,
        NIGHT_FLOW,
        *SENSOR_RULES,
        *_FAULTS.sensor_rules,
    ),
    zone_rules=(NEIGHBOUR_RESIDUAL,),
    searches=(*SEARCHES, LEAK_SEARCH, BURST_SEARCH),
    sensor_silent=_FAULTS.sensor_silent,
    gateway_silent=_FAULTS.gateway_silent,
)
