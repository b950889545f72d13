"""How a bridge is doing, put into a grade with its reasons, twice a day. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from uuid import UUID

from services.core.severity import Severity
from services.core.text import Text


class HealthGrade(IntEnum):
    """From 1, sound, to 4, close it; 0 where too little is heard. Grades of this service, of no standard."""

    UNKNOWN = 0
    SOUND = 1
    ATTENTION = 2
    IMPAIRED = 3
    CRITICAL = 4

    @property
    def label(self) -> Text:
        """The words for it."""
        return _LABELS[self]


_LABELS = {
    HealthGrade.UNKNOWN: Text("Unknown: too few sensors are heard", "未知：在线监测点过少"),
    HealthGrade.SOUND: Text("Sound", "良好"),
    HealthGrade.ATTENTION: Text("Attention", "关注"),
    HealthGrade.IMPAIRED: Text("Impaired", "受损"),
    HealthGrade.CRITICAL: Text("Critical: traffic is to be stopped", "危险：应中断交通"),
}
_HEARD_SHARE = 0.5
"""With less than half of its sensors nothing good is said of a bridge; a default of this service."""
_MOST_HEARD_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class StandingAlert:
    """An alert of a bridge that has not ended."""

    alert: UUID
    kind: str
    label: Text
    severity: Severity
    sensor_fault: bool
    asset: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class BridgeFacts:
    """What is known of a bridge at a moment: how many of its sensors are heard, what stands, what was too heavy."""

    zone: str
    sensors: int
    heard: int
    standing: Sequence[StandingAlert]
    overloads: int


@dataclass(frozen=True, slots=True)
class HealthEvaluation:
    """A grade with its reasons, as it was known at ``evaluated_at``.

    ``proposes_closure`` asks a person to close the bridge to traffic; nothing is closed by this service.
    """

    zone: str
    evaluated_at: datetime
    grade: HealthGrade
    reasons: tuple[Text, ...]
    alerts: tuple[UUID, ...]
    sensors: int
    heard: int
    overloads: int
    proposes_closure: bool


def evaluate(facts: BridgeFacts, evaluated_at: datetime) -> HealthEvaluation:
    """Grade a bridge: the worst trouble of the structure decides, and what is not heard cannot be called sound."""
    structural = [each for each in facts.standing if not each.sensor_fault]
    faults = [each for each in facts.standing if each.sensor_fault]
    worst = max((each.severity for each in structural), default=Severity.NORMAL)
    grade = _grade(worst, facts, len(faults))
    ranked = sorted(structural, key=lambda each: (-each.severity, each.started_at, each.asset))
    reasons = [_standing(each) for each in ranked]
    if facts.overloads:
        reasons.append(
            Text(
                f"{facts.overloads} vehicles over the limit in the last twelve hours",
                f"近12小时有{facts.overloads}辆超重车辆通过",
            )
        )
    if faults:
        reasons.append(
            Text(
                f"{len(faults)} alerts about sensors, which are not relied on",
                f"{len(faults)}条监测设备报警，相关数据不予采信",
            )
        )
    if facts.heard < facts.sensors:
        reasons.append(
            Text(f"{facts.heard} of {facts.sensors} sensors are heard", f"{facts.sensors}个监测点中{facts.heard}个在线")
        )
    return HealthEvaluation(
        zone=facts.zone,
        evaluated_at=evaluated_at,
        grade=grade,
        reasons=tuple(reasons) or (Text("Nothing stands against it", "未发现异常"),),
        alerts=tuple(each.alert for each in ranked),
        sensors=facts.sensors,
        heard=facts.heard,
        overloads=facts.overloads,
        proposes_closure=worst is Severity.CRITICAL,
    )


def _grade(worst: Severity, facts: BridgeFacts, faults: int) -> HealthGrade:
    if worst is Severity.CRITICAL:
        return HealthGrade.CRITICAL
    if worst is Severity.MAJOR:
        return HealthGrade.IMPAIRED
    if facts.heard < _HEARD_SHARE * facts.sensors or not facts.sensors:
        return HealthGrade.UNKNOWN
    if worst is not Severity.NORMAL or facts.overloads or faults or facts.heard < _MOST_HEARD_SHARE * facts.sensors:
        return HealthGrade.ATTENTION
    return HealthGrade.SOUND


def _standing(alert: StandingAlert) -> Text:
    since = alert.started_at.strftime("%Y-%m-%d %H:%M UTC")
    return Text(f"{alert.label.en} at {alert.asset} since {since}", f"{alert.asset}{alert.label.zh}，自{since}起")
