"""Gas: methane in the spaces beside the pipes, pressure and flow in them."""

from dataclasses import replace
from datetime import timedelta

from services.alerts.detectors.rate import Rate
from services.alerts.detectors.seasonal import Seasonal
from services.alerts.detectors.value import Value
from services.alerts.lifelines.contract import LifelineRules, SensorRule, limits_of, same_for_all
from services.alerts.lifelines.fast_reporting import fast_reporting
from services.alerts.lifelines.faults import faults_of
from services.core.alert_kind import AlertKind
from services.core.lifeline import Lifeline
from services.core.quantity import Quantity
from services.core.sensor import Sensor
from services.core.severity import Scheme, Severity
from services.core.text import Text
from services.core.threshold import Side, Threshold

_OFF = timedelta(minutes=10)


def _methane(severity: Severity, lel: float, source: str, on_delay: timedelta = timedelta(0)) -> Threshold:
    return Threshold(
        severity,
        Side.ABOVE,
        raise_at=lel,
        clear_at=lel * 0.8,
        on_delay=on_delay,
        off_delay=_OFF,
        source=f"default: {source}",
    )


# One sensor that jumps to 6 %LEL may have met exhaust or sewer gas: the lower grades have to last. From 20 %LEL there
# is no waiting.
METHANE = (
    _methane(Severity.MINOR, 5, "attention, to be confirmed on site", timedelta(minutes=2)),
    _methane(Severity.MODERATE, 10, "half of the level reported as a leak", timedelta(minutes=1)),
    _methane(Severity.MAJOR, 20, "1 %vol, an operator's reported practice; 20 %LEL at a LEL of 5 %vol"),
    _methane(Severity.CRITICAL, 50, "half of the lower explosive limit, to be confirmed on site"),
)

METHANE_HIGH = AlertKind(
    lifeline=Lifeline.GAS,
    kind="methane-high",
    label=Text("Methane too high", "甲烷浓度超限"),
    instruction=Text(
        "Keep people and sparks away, sample the neighbouring manholes, find the leaking pipe and shut it off.",
        "疏散人员、严禁火源，检测相邻井室，查找泄漏管段并关阀。",
    ),
    scheme=Scheme.EMERGENCY,
    sensor_fault=False,
    publishes_from=Severity.MAJOR,
)

METHANE_LEVEL = SensorRule(
    name="gas-methane-level",
    kind=METHANE_HIGH,
    raised=Text(
        "Methane {value} {unit} at {asset} (limit {limit} {unit}, for {lasting}).",
        "{asset}甲烷浓度{value} {unit}（限值{limit} {unit}，已持续{lasting}）。",
    ),
    cleared=Text(
        "Methane at {asset} is back to {value} {unit} after {lasting}.",
        "{asset}甲烷浓度已回落至{value} {unit}，历时{lasting}。",
    ),
    quantities=("methane",),
    detector=lambda _: Value(),
    grades=limits_of(Side.ABOVE),
)

# A second value of 10 %LEL or more and a steep way up to it is a leak, whatever the level is at the moment.
METHANE_RISING = SensorRule(
    name="gas-methane-rising",
    kind=METHANE_HIGH,
    raised=Text(
        "Methane at {asset} rises by {score} {score_unit} and has come to {value} {unit}.",
        "{asset}甲烷浓度正以{score} {score_unit}的速度上升，现为{value} {unit}。",
    ),
    cleared=Text(
        "Methane at {asset} no longer rises: {value} {unit}.",
        "{asset}甲烷浓度不再上升：{value} {unit}。",
    ),
    quantities=("methane",),
    detector=lambda _: Rate(window_s=1500, floor=10),
    grades=same_for_all(
        Threshold(
            Severity.MAJOR,
            Side.ABOVE,
            raise_at=1,
            clear_at=0.2,
            off_delay=_OFF,
            source="default: 10 %LEL gained in ten minutes, to be confirmed on site",
        )
    ),
    score_unit=Text("%LEL/min", "%LEL/分钟"),
)

ATTENTION = fast_reporting(
    Lifeline.GAS,
    "gas-methane-attention",
    lambda _: Value(),
    {"methane": 5.0},
    "5 %LEL, where attention begins: what comes next must be seen in time",
)

PRESSURE_LOW = AlertKind(
    lifeline=Lifeline.GAS,
    kind="gas-pressure-low",
    label=Text("Gas pressure low", "燃气压力过低"),
    instruction=Text(
        "Check the regulator and the valves upstream, and look for a broken main.",
        "检查上游调压设备和阀门，排查管道破损。",
    ),
    scheme=Scheme.EMERGENCY,
    sensor_fault=False,
    publishes_from=None,
)
PRESSURE_HIGH = replace(
    PRESSURE_LOW,
    kind="gas-pressure-high",
    label=Text("Gas pressure high", "燃气压力过高"),
    instruction=Text("Check the regulator and its relief valve.", "检查调压设备和安全放散阀。"),
)
FLOW_HIGH = replace(
    PRESSURE_LOW,
    kind="gas-flow-high",
    label=Text("Gas flow unusually high", "燃气流量异常偏高"),
    instruction=Text("Compare with customers' use and look for a broken main.", "核对用户用气情况，排查管道破损。"),
)

_LIMIT = Text("{asset}: {value} {unit}, limit {limit} {unit}.", "{asset}：{value} {unit}，限值{limit} {unit}。")
_NORMAL = Text("{asset}: back to {value} {unit} after {lasting}.", "{asset}：已恢复至{value} {unit}，历时{lasting}。")

PRESSURE_BELOW_LIMIT = SensorRule(
    name="gas-pressure-below-limit",
    kind=PRESSURE_LOW,
    raised=_LIMIT,
    cleared=_NORMAL,
    quantities=("gas_pressure",),
    detector=lambda _: Value(),
    grades=limits_of(Side.BELOW),
)
PRESSURE_ABOVE_LIMIT = SensorRule(
    name="gas-pressure-above-limit",
    kind=PRESSURE_HIGH,
    raised=_LIMIT,
    cleared=_NORMAL,
    quantities=("gas_pressure",),
    detector=lambda _: Value(),
    grades=limits_of(Side.ABOVE),
)


def _usual(sensor: Sensor) -> Seasonal:
    low, high = sensor.plausible
    return Seasonal(floor=(high - low) * 1e-4, relative_floor=0.05)


PRESSURE_UNUSUAL = SensorRule(
    name="gas-pressure-below-usual",
    kind=PRESSURE_LOW,
    raised=Text(
        "Gas pressure at {asset} is {value} {unit}; at this time of day {expected} {unit} is usual.",
        "{asset}燃气压力{value} {unit}，该时段通常为{expected} {unit}。",
    ),
    cleared=_NORMAL,
    quantities=("gas_pressure",),
    detector=_usual,
    grades=same_for_all(
        Threshold(
            Severity.MODERATE,
            Side.BELOW,
            raise_at=-6,
            clear_at=-3,
            on_delay=timedelta(minutes=10),
            off_delay=_OFF,
            source="default: six robust deviations, at least 30 % below usual; no common limit exists",
        )
    ),
    score_unit=Text("deviations", "倍标准差"),
)
FLOW_UNUSUAL = SensorRule(
    name="gas-flow-above-usual",
    kind=FLOW_HIGH,
    raised=Text(
        "Gas flow at {asset} is {value} {unit}; at this time of day {expected} {unit} is usual.",
        "{asset}燃气流量{value} {unit}，该时段通常为{expected} {unit}。",
    ),
    cleared=_NORMAL,
    quantities=("gas_flow",),
    detector=lambda _: Seasonal(floor=5, relative_floor=0.1),
    grades=same_for_all(
        Threshold(
            Severity.MINOR,
            Side.ABOVE,
            raise_at=8,
            clear_at=4,
            on_delay=timedelta(minutes=15),
            off_delay=_OFF,
            source="default: eight robust deviations, at least 80 % above usual; no common limit exists",
        )
    ),
    score_unit=Text("deviations", "倍标准差"),
)

_FAULTS = faults_of(Lifeline.GAS, {"methane": 0.0, "gas_flow": 0.0})

RULES = LifelineRules(
    lifeline=Lifeline.GAS,
    quantities=(
        Quantity(Lifeline.GAS, "methane", "%LEL", Text("Methane", "甲烷浓度"), (0, 100), METHANE),
        Quantity(Lifeline.GAS, "gas_pressure", "kPa", Text("Gas pressure", "燃气压力"), (0, 4000)),
        Quantity(Lifeline.GAS, "gas_flow", "m3/h", Text("Gas flow", "燃气流量"), (0, 100_000)),
    ),
    sensor_rules=(
        METHANE_LEVEL,
        METHANE_RISING,
        ATTENTION,
        PRESSURE_BELOW_LIMIT,
        PRESSURE_ABOVE_LIMIT,
        PRESSURE_UNUSUAL,
        FLOW_UNUSUAL,
        *_FAULTS.sensor_rules,
    ),
    sensor_silent=_FAULTS.sensor_silent,
    gateway_silent=_FAULTS.gateway_silent,
)
