"""Gas: methane in the spaces beside the pipes, pressure and flow in them. What the quantities are, and their levels."""

from dataclasses import replace
from datetime import timedelta

from services.alerts.detectors.rate import Rate
from services.alerts.detectors.value import Value
from services.alerts.lifelines import gas_feeder_rules, gas_network_rules
from services.alerts.lifelines.contract import LifelineRules, SensorRule, limits_of, same_for_all
from services.alerts.lifelines.fast_reporting import fast_reporting
from services.alerts.lifelines.faults import faults_of
from services.alerts.lifelines.gas_causes import GAS_CAUSES, METHANE_HIGH
from services.alerts.lifelines.gas_works import GAS_WORKS
from services.core.alert_kind import AlertKind
from services.core.lifeline import Lifeline
from services.core.quantity import Quantity
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

_LEL_PERCENT_VOLUME = 0.05
"""1 %LEL of methane is 0.05 %vol: its lower explosive limit is 5 %vol."""
METHANE_VOLUME = tuple(
    replace(grade, raise_at=grade.raise_at * _LEL_PERCENT_VOLUME, clear_at=grade.clear_at * _LEL_PERCENT_VOLUME)
    for grade in METHANE
)

BATTERY = (
    Threshold(
        Severity.MINOR,
        Side.BELOW,
        raise_at=15.0,
        clear_at=25.0,
        on_delay=timedelta(hours=1),
        off_delay=timedelta(hours=1),
        source="default: a battery in the cold loses its last share at once; to be set by device",
    ),
)
BATTERY_LOW = SensorRule(
    name="gas-device-battery-low",
    kind=AlertKind(
        lifeline=Lifeline.GAS,
        kind="device-battery-low",
        label=Text("Battery of a device low", "设备电池电量低"),
        instruction=Text("Replace the battery before the place is no longer watched.", "在点位失去监测前更换电池。"),
        scheme=Scheme.DEVICE,
        sensor_fault=True,
        publishes_from=None,
    ),
    raised=Text(
        "The battery of the device at {asset} is down to {value} {unit} (limit {limit} {unit}).",
        "{asset}设备电池电量降至{value} {unit}（限值{limit} {unit}）。",
    ),
    cleared=Text("The battery at {asset} has {value} {unit} again.", "{asset}设备电池电量恢复至{value} {unit}。"),
    quantities=("battery",),
    detector=lambda _: Value(),
    grades=limits_of(Side.BELOW),
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
    quantities=("methane", "methane_volume"),
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

# What stands still for weeks in a quiet space is no fault of the device.
_FAULTS = faults_of(
    Lifeline.GAS,
    {
        "methane": 0.0,
        "methane_volume": 0.0,
        "ethane": 0.0,
        "odorant": 0.0,
        "gas_flow": 0.0,
        "feeder_flow": 0.0,
        "space_water_level": 0.0,
        "cover_tilt": 0.0,
        "ground_vibration": 0.0,
        "space_humidity": 100.0,
    },
    jumping=frozenset({"ground_vibration", "cover_tilt"}),
    switched=frozenset({"cut_off_valve_open", "battery"}),
)

RULES = LifelineRules(
    lifeline=Lifeline.GAS,
    quantities=(
        Quantity(Lifeline.GAS, "methane", "%LEL", Text("Methane", "甲烷浓度"), (0, 100), METHANE),
        Quantity(
            Lifeline.GAS, "methane_volume", "%VOL", Text("Methane by volume", "甲烷体积分数"), (0, 100), METHANE_VOLUME
        ),
        Quantity(Lifeline.GAS, "ethane", "ppm", Text("Ethane", "乙烷浓度"), (0, 50_000)),
        Quantity(Lifeline.GAS, "odorant", "mg/m3", Text("Odorant", "加臭剂浓度"), (0, 200)),
        Quantity(Lifeline.GAS, "space_temperature", "degC", Text("Temperature in the space", "空间内温度"), (-40, 85)),
        Quantity(Lifeline.GAS, "space_humidity", "%", Text("Humidity in the space", "空间内相对湿度"), (0, 100)),
        Quantity(Lifeline.GAS, "space_water_level", "cm", Text("Water in the space", "空间内积水深度"), (0, 1000)),
        Quantity(Lifeline.GAS, "cover_tilt", "deg", Text("Tilt of the cover", "井盖倾角"), (0, 180)),
        Quantity(Lifeline.GAS, "ground_vibration", "mm/s", Text("Ground vibration", "地面振动"), (0, 500)),
        Quantity(Lifeline.GAS, "battery", "%", Text("Battery", "电池电量"), (0, 100), BATTERY),
        *gas_network_rules.QUANTITIES,
        *gas_feeder_rules.QUANTITIES,
    ),
    sensor_rules=(
        METHANE_LEVEL,
        METHANE_RISING,
        ATTENTION,
        BATTERY_LOW,
        *gas_network_rules.SENSOR_RULES,
        *_FAULTS.sensor_rules,
    ),
    searches=(GAS_CAUSES, gas_network_rules.GAS_NETWORK, gas_feeder_rules.GAS_FEEDERS, GAS_WORKS),
    sensor_silent=_FAULTS.sensor_silent,
    gateway_silent=_FAULTS.gateway_silent,
    event_driven=frozenset({"ground_vibration", "cover_tilt"}),
)
