"""A message as the broker delivered it, and what was found in it."""

from dataclasses import dataclass, field
from datetime import datetime

from services.core.rejection import MAX_KEPT_BYTES, Rejection, RejectionReason
from services.core.store.gateway_sequences import BatchNumber
from services.core.wire import WireWindow


@dataclass(frozen=True, slots=True)
class Message:
    """What the broker delivered, and when; ``content_type`` is the publisher's own word, or empty."""

    topic: str
    payload: bytes
    received_at: datetime
    content_type: str = ""

    def reject(
        self,
        reason: RejectionReason,
        detail: str,
        *,
        entry: bytes | None = None,
        sensor: str | None = None,
        sender: str | None = None,
        encoding: str | None = None,
    ) -> Rejection:
        """Set the message, or one entry of it, aside; what is kept of the bytes is cut."""
        kept = self.payload if entry is None else entry
        if encoding is None:
            encoding = self.content_type if entry is None else "application/json"
        return Rejection(self.topic, kept[:MAX_KEPT_BYTES], reason, detail, self.received_at, sensor, sender, encoding)


@dataclass(slots=True)
class Decoded:
    """The readings of one message as columns of the same length, and what was refused of it.

    ``sensors`` are identifiers or addresses, ``times_us`` epoch microseconds. ``units`` and ``qualities`` are
    ``None`` when no entry has one. ``gateway`` is set when only that gateway's own sensors may be in the message.
    ``window`` is raw vibration, which comes alone.
    """

    sensors: list[str] = field(default_factory=list)
    times_us: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    units: list[str | None] | None = None
    qualities: list[int | None] | None = None
    rejections: list[Rejection] = field(default_factory=list)
    gateway: str | None = None
    sender: str | None = None
    batch_number: BatchNumber | None = None
    window: WireWindow | None = None
