"""Bridges: what crosses them and how the structure answers."""

from datetime import timedelta

from services.alerts.detectors.value import Value
from services.alerts.lifelines.contract import LifelineRules, SensorRule, limits_of
from services.alerts.lifelines.faults import faults_of
from services.core.alert_kind import AlertKind
from services.core.lifeline import Lifeline
from services.core.quantity import Quantity
from services.core.severity import Scheme, Severity
from services.core.text import Text
from services.core.threshold import Side, Threshold

OVERLOAD = AlertKind(
    lifeline=Lifeline.BRIDGE,
    kind="overload",
    label=Text("Overweight vehicle", "超重车辆"),
    instruction=Text(
        "Stop the vehicle, keep others off the bridge, inspect the span.", "拦停车辆，禁止其他车辆上桥，检查桥跨结构。"
    ),
    scheme=Scheme.BRIDGE,
    sensor_fault=False,
    publishes_from=Severity.MAJOR,
)
STRUCTURE_LIMIT = AlertKind(
    lifeline=Lifeline.BRIDGE,
    kind="structure-limit",
    label=Text("Structural limit exceeded", "结构响应超限"),
    instruction=Text(
        "Compare with traffic and temperature, inspect; at limit 3 close the bridge.",
        "结合交通荷载和温度研判并现场检查；达到三级时封闭桥梁。",
    ),
    scheme=Scheme.BRIDGE,
    sensor_fault=False,
    publishes_from=Severity.CRITICAL,
)

VEHICLE_WEIGHT = (
    Threshold(
        Severity.MAJOR,
        Side.ABOVE,
        raise_at=55,
        clear_at=52,
        source="default: to be set from the bridge's posted limit",
    ),
    Threshold(
        Severity.CRITICAL,
        Side.ABOVE,
        raise_at=85,
        clear_at=80,
        source="default: first limit reported of one bridge, to be set from the bridge's design",
    ),
)


def design_limits(design_value: float, side: Side = Side.ABOVE) -> tuple[Threshold, ...]:
    """The ascending limits of a sensor whose quantity has a design value: 0.8 and 1.0 of it, default."""
    shares = ((Severity.MODERATE, 0.8), (Severity.MAJOR, 1.0))
    return tuple(
        Threshold(
            severity,
            side,
            raise_at=share * design_value,
            clear_at=share * design_value * 0.95,
            off_delay=timedelta(minutes=2),
            source=f"default: {share} of the design value, from background knowledge",
        )
        for severity, share in shares
    )


_RAISED = Text(
    "{label}: {value} {unit} at {asset} (limit {limit} {unit}).",
    "{label}：{asset}为{value} {unit}（限值{limit} {unit}）。",
)
_CLEARED = Text("{asset} is back to {value} {unit} after {lasting}.", "{asset}已恢复至{value} {unit}，历时{lasting}。")
_STRUCTURE = ("strain", "deflection", "deck_temperature", "acceleration_rms")

VEHICLE_OVER_LIMIT = SensorRule(
    name="bridge-vehicle-weight",
    kind=OVERLOAD,
    raised=Text(
        "A vehicle of {value} {unit} is on {asset}; the limit is {limit} {unit}.",
        "{asset}上有{value} {unit}的车辆，限值{limit} {unit}。",
    ),
    cleared=Text("The overweight vehicle has left {asset}.", "超重车辆已驶离{asset}。"),
    quantities=("vehicle_weight",),
    detector=lambda _: Value(),
    grades=limits_of(Side.ABOVE),
)
ABOVE_LIMIT = SensorRule(
    name="bridge-above-limit",
    kind=STRUCTURE_LIMIT,
    raised=_RAISED,
    cleared=_CLEARED,
    quantities=_STRUCTURE,
    detector=lambda _: Value(),
    grades=limits_of(Side.ABOVE),
)
BELOW_LIMIT = SensorRule(
    name="bridge-below-limit",
    kind=STRUCTURE_LIMIT,
    raised=_RAISED,
    cleared=_CLEARED,
    quantities=_STRUCTURE,
    detector=lambda _: Value(),
    grades=limits_of(Side.BELOW),
)

_EVENTS = frozenset({"vehicle_weight"})
_FAULTS = faults_of(Lifeline.BRIDGE, {"vehicle_weight": 0.0}, jumping=_EVENTS)

RULES = LifelineRules(
    lifeline=Lifeline.BRIDGE,
    quantities=(
        Quantity(Lifeline.BRIDGE, "strain", "µε", Text("Strain", "应变"), (-5000, 5000)),
        Quantity(Lifeline.BRIDGE, "deflection", "mm", Text("Deflection", "挠度"), (-2000, 2000)),
        Quantity(Lifeline.BRIDGE, "vehicle_weight", "t", Text("Vehicle weight", "车辆总重"), (0, 500), VEHICLE_WEIGHT),
        Quantity(Lifeline.BRIDGE, "deck_temperature", "degC", Text("Deck temperature", "桥面温度"), (-60, 90)),
        Quantity(Lifeline.BRIDGE, "acceleration_rms", "m/s2", Text("Acceleration (RMS)", "加速度均方根"), (0, 100)),
    ),
    sensor_rules=(VEHICLE_OVER_LIMIT, ABOVE_LIMIT, BELOW_LIMIT, *_FAULTS.sensor_rules),
    sensor_silent=_FAULTS.sensor_silent,
    gateway_silent=_FAULTS.gateway_silent,
    event_driven=_EVENTS,
)
