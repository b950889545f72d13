"""Faults of sensors and gateways, which every lifeline shares."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from math import isfinite

from services.alerts.detectors.out_of_range import OutOfRange
from services.alerts.detectors.spikes import Spikes
from services.alerts.detectors.stuck import Stuck
from services.alerts.lifelines.contract import SensorRule, SilenceRule, same_for_all
from services.core.alert_kind import AlertKind
from services.core.lifeline import Lifeline
from services.core.sensor import Sensor
from services.core.severity import Scheme, Severity
from services.core.text import Text
from services.core.threshold import Side, Threshold

_RESOLUTION = 1e-9
"""Share of the plausible range below which two values count as the same."""

_OUT_OF_RANGE = Threshold(
    Severity.MINOR,
    Side.ABOVE,
    raise_at=2,
    clear_at=1,
    off_delay=timedelta(minutes=10),
    source="default: two implausible values among five",
)
_STUCK = Threshold(
    Severity.MINOR,
    Side.ABOVE,
    raise_at=12,
    clear_at=1,
    source="default: one in 10^12 by the sensor's own habit of moving",
)
_SPIKY = Threshold(
    Severity.MINOR,
    Side.ABOVE,
    raise_at=4,
    clear_at=1,
    source="default: four isolated jumps among 36 values",
)
_SPIKE_FLOOR = 0.005
"""Share of the plausible range that a spike has to have at least."""


@dataclass(frozen=True, slots=True)
class Faults:
    """The fault rules of one lifeline."""

    sensor_rules: tuple[SensorRule, ...]
    sensor_silent: SilenceRule
    gateway_silent: SilenceRule


def faults_of(
    lifeline: Lifeline,
    resting: Mapping[str, float],
    jumping: frozenset[str] = frozenset(),
    switched: frozenset[str] = frozenset(),
) -> Faults:
    """The fault rules of a lifeline.

    ``resting`` is the value at which a quantity may rightly stand still, ``jumping`` names those that rightly jump,
    ``switched`` those that stand still until somebody switches and jump then: states of pumps and valves.
    """
    return Faults(
        sensor_rules=(
            _out_of_range(lifeline),
            _stuck(lifeline, resting, switched),
            _spiky(lifeline, jumping | switched),
        ),
        sensor_silent=_sensor_silent(lifeline),
        gateway_silent=_gateway_silent(lifeline),
    )


def _kind(lifeline: Lifeline, kind: str, label: Text, instruction: Text) -> AlertKind:
    return AlertKind(
        lifeline=lifeline,
        kind=kind,
        label=label,
        instruction=instruction,
        scheme=Scheme.DEVICE,
        sensor_fault=True,
        publishes_from=None,
    )


def _sensor_silent(lifeline: Lifeline) -> SilenceRule:
    return SilenceRule(
        name="sensor-silent",
        kind=_kind(
            lifeline,
            "sensor-silent",
            Text("Sensor silent", "监测点离线"),
            Text("Check the sensor's battery and its radio link.", "检查监测点电池和通信链路。"),
        ),
        raised=Text(
            "{sensor} has not reported for {lasting}; {limit} is tolerated.",
            "{sensor}已{lasting}未上报数据，容许时长为{limit}。",
        ),
        cleared=Text("{sensor} reports again after {lasting}.", "{sensor}离线{lasting}后恢复上报。"),
        severity=Severity.MINOR,
    )


def _gateway_silent(lifeline: Lifeline) -> SilenceRule:
    return SilenceRule(
        name="gateway-silent",
        kind=_kind(
            lifeline,
            "gateway-silent",
            Text("Gateway silent", "网关离线"),
            Text(
                "Check the gateway's power and network; until then watch its places by other means.",
                "检查网关供电和网络；恢复前采用其他手段值守相关点位。",
            ),
        ),
        raised=Text(
            "Gateway {asset} has not reported for {lasting}: {count} sensors are blind.",
            "网关{asset}已{lasting}未上报数据，{count}个监测点失去监测。",
        ),
        cleared=Text("Gateway {asset} reports again after {lasting}.", "网关{asset}离线{lasting}后恢复上报。"),
        severity=Severity.MODERATE,
    )


def _out_of_range(lifeline: Lifeline) -> SensorRule:
    def detector(sensor: Sensor) -> OutOfRange:
        low, high = sensor.plausible
        return OutOfRange(low, high)

    return SensorRule(
        name="sensor-out-of-range",
        kind=_kind(
            lifeline,
            "sensor-out-of-range",
            Text("Implausible values", "数据超量程"),
            Text("Do not trust the sensor; have it checked or replaced.", "该监测点数据不可信，安排检修或更换。"),
        ),
        raised=Text(
            "{score} of the last values of {sensor} lie outside {low} to {high} {unit} or are marked bad.",
            "{sensor}最近的数据中有{score}个超出{low}～{high} {unit}或被标记为无效。",
        ),
        cleared=Text(
            "{sensor} reports plausible values again: {value} {unit}.",
            "{sensor}数据恢复正常：{value} {unit}。",
        ),
        quantities=(),
        detector=detector,
        grades=same_for_all(_OUT_OF_RANGE),
        judges_bad=True,
        score_unit=Text("values", "个"),
    )


def _stuck(lifeline: Lifeline, resting: Mapping[str, float], switched: frozenset[str]) -> SensorRule:
    def detector(sensor: Sensor) -> Stuck:
        return Stuck(resolution=_span(sensor) * _RESOLUTION, rest=resting.get(sensor.quantity))

    def grades(sensor: Sensor) -> tuple[Threshold, ...]:
        return () if sensor.quantity in switched else (_STUCK,)

    return SensorRule(
        name="sensor-stuck",
        kind=_kind(
            lifeline,
            "sensor-stuck",
            Text("Value stands still", "数据僵死"),
            Text("Have the sensor checked; its place is not watched.", "安排检修；该点位当前失去有效监测。"),
        ),
        raised=Text(
            "{sensor} has shown exactly {value} {unit} for {lasting}, although it normally moves.",
            "{sensor}在{lasting}内数值始终为{value} {unit}，与其平时变化规律不符。",
        ),
        cleared=Text("{sensor} moves again: {value} {unit}.", "{sensor}数值恢复变化：{value} {unit}。"),
        quantities=(),
        detector=detector,
        grades=grades,
        score_unit=Text("powers of ten", "数量级"),
    )


def _spiky(lifeline: Lifeline, jumping: frozenset[str]) -> SensorRule:
    def detector(sensor: Sensor) -> Spikes:
        return Spikes(floor=_span(sensor) * _SPIKE_FLOOR)

    def grades(sensor: Sensor) -> tuple[Threshold, ...]:
        # How large a jump has to be is measured by what is plausible; without that, any value might be a spike.
        return () if sensor.quantity in jumping or not _span(sensor) else (_SPIKY,)

    return SensorRule(
        name="sensor-spiky",
        kind=_kind(
            lifeline,
            "sensor-spiky",
            Text("Isolated jumps", "数据跳变"),
            Text("Check the sensor's wiring and grounding.", "检查传感器接线和接地。"),
        ),
        raised=Text(
            "{score} of the last values of {sensor} jumped there and back; last {value} {unit}.",
            "{sensor}最近的数据中有{score}个孤立跳变，最新值{value} {unit}。",
        ),
        cleared=Text("{sensor} no longer jumps: {value} {unit}.", "{sensor}不再跳变：{value} {unit}。"),
        quantities=(),
        detector=detector,
        grades=grades,
        score_unit=Text("values", "个"),
    )


def _span(sensor: Sensor) -> float:
    """How wide the plausible range is; 0 where nothing is known of it."""
    low, high = sensor.plausible
    return high - low if isfinite(high - low) else 0.0
