"""A way in which a bridge swings, as it is known from many windows of raw vibration."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class KnownMode:
    """A mode under the number that it keeps; frequency (Hz) and shape follow what is seen.

    ``shape`` says how far each sensor swings with it, the farthest 1 or -1. ``missed`` counts the windows since it was
    seen last. It is ``is_confirmed`` once it was seen often enough not to be a passing vehicle's.
    """

    number: int
    frequency_hz: float
    shape: Mapping[str, float]
    sightings: int
    missed: int
    is_confirmed: bool
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class ModeSighting:
    """A known mode seen again: ``likeness`` is the modal assurance criterion of both shapes, 1 when they are alike.

    ``event`` is the gateway's own word for why it kept the window; ``None`` where the clock said so.
    """

    number: int
    seen_at: datetime
    frequency_hz: float
    likeness: float
    event: str | None
