"""What the API answers about readings: current values, histories, gaps, availability, who is heard."""

from datetime import date, datetime
from enum import StrEnum

from pydantic import Field

from services.api.schemas import Answer
from services.core.lifeline import Lifeline
from services.core.store.history_source import Source
from services.core.store.liveness import GatewayLiveness, SensorLiveness

_QUALITY = Field(description="0 good, 1 suspect, 2 bad")
_RECEIVED_PERCENT = Field(description="received of expected, 100 at the most; null where nothing was expected")
_USABLE_PERCENT = Field(description="the same without bad readings")


class LatestAnswer(Answer):
    """A sensor's newest value by measurement time."""

    sensor: str
    time: datetime
    value: float
    quality: int = _QUALITY
    reason: str | None = Field(description="why the value is marked, in one word")
    received_at: datetime


class Shape(StrEnum):
    """How a history is made small: into summaries of equal stretches of time, or to readings that keep its shape."""

    BUCKETS = "buckets"
    LTTB = "lttb"
    MINMAX = "minmax"


class HistoryPoint(Answer):
    """One bucket of a sensor's history; bad readings are counted in ``bad`` and not in the rest."""

    time: datetime = Field(description="start of the bucket")
    minimum: float | None
    maximum: float | None
    mean: float | None
    last: float | None
    count: int = Field(description="good and suspect readings")
    suspect: int
    bad: int


class HistorySample(Answer):
    """One good or suspect reading."""

    time: datetime
    value: float
    quality: int = _QUALITY


class HistoryAnswer(Answer):
    """A sensor's history: ``points`` in the shape of buckets, ``samples`` in the other shapes."""

    sensor: str
    unit: str
    shape: Shape
    source: Source = Field(
        description="what was read: the readings or what is kept of each minute, hour or day (UTC); of these the first "
        "may begin before `start`"
    )
    bucket_s: float | None = Field(description="length of a bucket; null for samples")
    points: list[HistoryPoint]
    samples: list[HistorySample]


class GapAnswer(Answer):
    """A stretch in which a sensor was not heard; ``start`` and ``end`` are the part that lies in the range."""

    start: datetime
    end: datetime
    last_before: datetime | None = Field(description="the reading before it; null: it had never reported")
    first_after: datetime | None = Field(description="the reading that ended it; null: it lasts")
    missing: int = Field(description="readings that were due between start and end")


class AvailabilityDay(Answer):
    """One day (UTC) of a sensor."""

    day: date
    expected: int = Field(description="by the declared interval, of the part of the day that is over")
    received: int = Field(description="readings of any quality")
    bad: int
    received_percent: float | None = _RECEIVED_PERCENT
    usable_percent: float | None = _USABLE_PERCENT


class AvailabilityAnswer(Answer):
    """How much of what a sensor ought to have reported came in, day by day."""

    sensor: str
    interval_s: float
    days: list[AvailabilityDay]


class AvailabilityTotal(Answer):
    """One day (UTC) of many sensors; none of them counts for more than was expected of it."""

    day: date
    sensors: int
    expected: int
    received: int
    usable: int
    received_percent: float | None = _RECEIVED_PERCENT
    usable_percent: float | None = _USABLE_PERCENT


class LivenessAnswer(Answer):
    """Whether a sensor is heard, by the service's clock."""

    sensor: str
    lifeline: Lifeline
    zone: str
    gateway: str | None
    interval_s: float
    state: SensorLiveness
    last_received_at: datetime | None
    silent_s: float | None = Field(description="since the last value came in")


class GatewayAnswer(Answer):
    """Whether the sensors behind a gateway are heard, by the service's clock."""

    gateway: str
    state: GatewayLiveness
    sensors: int
    silent: int = Field(description="those that are silent now or never reported")
    never: int
    last_received_at: datetime | None
