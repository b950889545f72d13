"""What people say from the field: words, measurements, a place, and files that go with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Measurement:
    """What somebody measured by hand; ``unit`` is the unit of ``value`` as it was read off."""

    quantity: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class FieldFeedback:
    """One message from the field (现场反馈).

    ``at`` is when it was written, ``received_at`` when it reached the centre: a phone in a cellar sends later.
    ``position`` is longitude, latitude (WGS 84).
    """

    id: UUID
    work_order: UUID
    round: int
    author: str
    at: datetime
    received_at: datetime
    text: str
    measurements: Sequence[Measurement] = ()
    position: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A photo or file of an order; what it is was decided by its content."""

    id: UUID
    work_order: UUID
    feedback: UUID | None
    sha256: str
    name: str
    media_type: str
    size_bytes: int
    width: int | None
    height: int | None
    has_thumbnail: bool
    author: str
    at: datetime
