"""Limits of sensors as the API asks for them and answers them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator

from services.api.schemas import Answer, ThresholdAnswer
from services.core.sensor import Sensor
from services.core.severity import Severity
from services.core.store import thresholds
from services.core.store.sensor_thresholds import ByHand, SensorThresholds
from services.core.threshold import Side, Threshold
from services.core.threshold_trial import Exceedance, TrialSide

MOST_GRADES = 16
_LONGEST_DELAY_S = 7 * 86_400
_MOST_TOLD = 500
_Delay = Annotated[float, Field(ge=0, le=_LONGEST_DELAY_S, allow_inf_nan=False)]
_Value = Annotated[float, Field(ge=-1e12, le=1e12, allow_inf_nan=False)]


class ThresholdRequest(BaseModel):
    """One grade of a limit, in the sensor's unit: reached at `raise_at` for `on_delay_s`, left behind `clear_at`."""

    severity: Annotated[int, Field(ge=1, le=4)]
    side: Side
    raise_at: _Value
    clear_at: _Value
    on_delay_s: _Delay = 0.0
    off_delay_s: _Delay = 0.0
    source: Annotated[str, Field(max_length=300, pattern="^[^\x00]*$")] = "set by hand"

    @model_validator(mode="after")
    def _clears_after_it_raises(self) -> Self:
        self.threshold()
        return self

    def threshold(self) -> Threshold:
        """The grade.

        Raises:
            ValueError: it would clear before it raises.
        """
        on_delay, off_delay = timedelta(seconds=self.on_delay_s), timedelta(seconds=self.off_delay_s)
        severity = Severity(self.severity)
        return Threshold(severity, self.side, self.raise_at, self.clear_at, on_delay, off_delay, self.source)


class ThresholdsTried(BaseModel):
    """Limits that are looked at before they count."""

    thresholds: Annotated[list[ThresholdRequest], Field(min_length=1, max_length=MOST_GRADES)]

    @model_validator(mode="after")
    def _grows_with_severity(self) -> Self:
        for side in Side:
            grades = sorted((each for each in self.thresholds if each.side is side), key=lambda each: each.severity)
            for milder, worse in pairwise(grades):
                if milder.severity == worse.severity:
                    raise ValueError(f"severity {worse.severity} {side} is there twice")
                is_beyond = (
                    worse.raise_at >= milder.raise_at if side is Side.ABOVE else worse.raise_at <= milder.raise_at
                )
                if not is_beyond:
                    raise ValueError(
                        f"severity {worse.severity} {side} is raised at {worse.raise_at:g}, before severity "
                        f"{milder.severity} at {milder.raise_at:g}"
                    )
        return self

    def limits(self) -> tuple[Threshold, ...]:
        """The grades."""
        return tuple(each.threshold() for each in self.thresholds)


class ThresholdsRequest(ThresholdsTried):
    """Limits to count from now on, and why."""

    reason: Annotated[str, Field(min_length=1, max_length=2000, pattern="^[^\x00]*$")]


class ByHandAnswer(Answer):
    """Who set limits by hand, when and why."""

    reason: str
    author: str
    at: datetime


class SensorThresholdsAnswer(Answer):
    """The limits of a sensor that count, and those that would without a hand."""

    sensor: str
    unit: str
    plausible: tuple[float, float] = Field(description="what lies outside is bad and reaches no limit")
    in_force: list[ThresholdAnswer]
    by_hand: ByHandAnswer | None = Field(description="who set them; null where they are those of the register")
    registered: list[ThresholdAnswer] = Field(description="of the city folder, or else the defaults of the quantity")
    version: int = Field(description="of the sensor's record; for `If-Match`")


class ExceedanceAnswer(Answer):
    """One stretch of time over a limit, as an alert would have told of it."""

    side: Side
    started_at: datetime
    ended_at: datetime | None = Field(description="null: it holds at the end")
    severity: int = Field(description="the highest")
    peak_value: float
    peak_at: datetime
    is_shared: bool = Field(description="the other limits tell of it too: overlapping in time, on the same side")


class SeverityTimeAnswer(Answer):
    """How often a severity was the highest of an exceedance, and how long it was the one that held."""

    severity: int
    count: int
    duration_s: float


class TrialSideAnswer(Answer):
    """What some limits tell in the time looked at."""

    count: int
    per_day: float
    unshared: int = Field(description="exceedances that the other limits do not tell of")
    severities: list[SeverityTimeAnswer]
    exceedances: list[ExceedanceAnswer] = Field(description=f"the latest {_MOST_TOLD}, by when they began")


class ThresholdTrialAnswer(Answer):
    """What would have happened: the same readings, graded by the limits that count and by those tried."""

    sensor: str
    unit: str
    start: datetime
    end: datetime
    readings: int
    bad: int = Field(description="of these, readings that are bad and reach no limit")
    in_force: TrialSideAnswer
    tried: TrialSideAnswer


def answered(limits: Iterable[Threshold]) -> list[ThresholdAnswer]:
    """Limits as every answer has them."""
    return [ThresholdAnswer(**limit) for limit in thresholds.to_json(limits)]


def who(by_hand: ByHand | None) -> ByHandAnswer | None:
    """Who set limits by hand."""
    return None if by_hand is None else ByHandAnswer.model_validate(by_hand)


def thresholds_answer(sensor: Sensor, found: SensorThresholds, version: int) -> SensorThresholdsAnswer:
    """The limits of a sensor."""
    return SensorThresholdsAnswer(
        sensor=sensor.id,
        unit=sensor.unit,
        plausible=sensor.plausible,
        in_force=answered(found.in_force),
        by_hand=who(found.by_hand),
        registered=answered(found.without_hand),
        version=version,
    )


def trial_side(found: TrialSide, days: float) -> TrialSideAnswer:
    """What some limits tell in so many days."""
    told = found.told
    latest = list(zip(told, found.shared, strict=True))[-_MOST_TOLD:]
    return TrialSideAnswer(
        count=len(told),
        per_day=len(told) / days,
        unshared=found.shared.count(False),
        severities=[
            SeverityTimeAnswer(
                severity=severity,
                count=sum(each.severity is severity for each in told),
                duration_s=sum(spent_s for each in told for held, spent_s in each.spent_s if held is severity),
            )
            for severity in Severity
            if severity is not Severity.NORMAL
        ],
        exceedances=[_exceedance(each, is_shared=is_shared) for each, is_shared in latest],
    )


def _exceedance(told: Exceedance, *, is_shared: bool) -> ExceedanceAnswer:
    return ExceedanceAnswer(
        side=told.side,
        started_at=_moment(told.began_s),
        ended_at=None if told.ended_s is None else _moment(told.ended_s),
        severity=told.severity,
        peak_value=told.peak,
        peak_at=_moment(told.peak_s),
        is_shared=is_shared,
    )


def _moment(time_s: float) -> datetime:
    return datetime.fromtimestamp(time_s, UTC)
