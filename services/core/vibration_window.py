"""Raw vibration of several sensors of a bridge over some minutes, as a gateway kept it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class VibrationWindow:
    """Channels sampled at the same moments.

    ``samples`` are little-endian 32-bit floats, channel after channel in the order of ``sensors``, in each sensor's
    declared unit. ``event`` is the gateway's own word for why it kept the window; ``None`` where the clock said so.
    """

    zone: str
    gateway: str
    sensors: tuple[str, ...]
    started_at: datetime
    rate_hz: float
    samples: bytes
    event: str | None
    received_at: datetime

    @property
    def samples_each(self) -> int:
        """How many samples each channel has."""
        return len(self.samples) // 4 // len(self.sensors)

    @property
    def ended_at(self) -> datetime:
        """When the last sample was taken."""
        return self.started_at + timedelta(seconds=(self.samples_each - 1) / self.rate_hz)

    @property
    def rows(self) -> NDArray[np.float64]:
        """The samples with a row for each sensor."""
        return np.frombuffer(self.samples, "<f4").reshape(len(self.sensors), -1).astype(np.float64)
