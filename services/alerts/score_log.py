"""Who wants to see every score, and not only what became of it."""

from collections.abc import Callable

ScoreLog = Callable[[float, str, float], None]
"""Called with event time (seconds since 1970), target (``<sensor>:<rule>``, ``zone:<rule>``), score (NaN: unknown)."""
