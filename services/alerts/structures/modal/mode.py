"""A way in which a bridge swings, as it was found in one window."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FoundMode:
    """Its frequency, and how far each sensor swings with it, the farthest 1 or -1."""

    frequency_hz: float
    shape: Mapping[str, float]
