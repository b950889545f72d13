"""A payload that could not become a reading."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

MAX_KEPT_BYTES = 65_536
"""A payload of this length or more is cut when it is set aside, and can then not be read again."""
ENTRY_ENCODING = "application/json"
"""How one entry of a message is kept: as the wire contract writes a reading."""
CUT_MARK = "…"
"""Ends a topic that was too long to be kept whole."""


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
    BAD_ENCODING = "bad-encoding"
    NOT_YOURS = "not-yours"


@dataclass(frozen=True, slots=True)
class Rejection:
    """What arrived, where, and why it was refused.

    ``detail`` names the field and the reason in one sentence. ``payload`` is what arrived, cut to the stated
    limit; for a batch with one bad entry it is that entry alone, because the good ones were stored. ``sender`` is
    who published it, as far as the topic or the message tells. ``encoding`` says how ``payload`` is to be read again:
    a content type, or empty when the bytes tell by themselves.
    """

    topic: str
    payload: bytes
    reason: RejectionReason
    detail: str
    received_at: datetime
    sensor: str | None = None
    sender: str | None = None
    encoding: str = ""


class Obstacle(StrEnum):
    """Why a kept payload cannot be read again, whatever changes; the codes are part of the published contract."""

    CUT = "cut"
    """The payload, or its topic, was too long to be kept whole."""
    NEEDS_BIRTH = "needs-birth"
    """A Sparkplug message means something only behind the birth of its edge node."""


def find_obstacle(topic: str, encoding: str, *, is_cut: bool) -> Obstacle | None:
    """What keeps a payload from being read again; ``None`` when nothing does."""
    if is_cut or topic.endswith(CUT_MARK):
        return Obstacle.CUT
    if topic.startswith("spBv1.0/") and encoding != ENTRY_ENCODING:
        return Obstacle.NEEDS_BIRTH
    return None
