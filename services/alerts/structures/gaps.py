"""Values of gauges of which some may be missing, as JSON and back."""

from collections.abc import Sequence

import numpy as np

from services.alerts.structures.weather import Array


def packed(values: Array) -> list[float | None]:
    """A missing value (NaN) is ``None``, which JSON can say."""
    return [float(value) if np.isfinite(value) else None for value in values]


def unpacked(values: Sequence[float | None]) -> Array:
    """The inverse of ``packed``."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
