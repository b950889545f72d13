"""A payload that could not become a reading."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class RejectionReason(StrEnum):
    """Why a payload was set aside; the codes are part of the published contract."""

    BAD_TOPIC = "bad-topic"
    BAD_JSON = "bad-json"
    BAD_FIELD = "bad-field"
    NOT_FINITE = "not-finite"
    BAD_TIME = "bad-time"
    OVERSIZED = "oversized"
    UNKNOWN_SENSOR = "unknown-sensor"
    WRONG_UNIT = "wrong-unit"


@dataclass(frozen=True, slots=True)
class Rejection:
    """What arrived, where, and why it was refused.

    ``detail`` names the field and the reason in one sentence. ``payload`` is what arrived, cut to the stated
    limit; for a batch with one bad entry it is that entry alone, because the good ones were stored.
    """

    topic: str
    payload: bytes
    reason: RejectionReason
    detail: str
    received_at: datetime
    sensor: str | None = None
