"""A low point as a bucket with a hole: what can be said before any flooding was seen there."""

from collections.abc import Mapping, Sequence
from math import exp, log
from typing import Any

_FADES_MIN = 20.0
"""Inflow falls by e in this time: the life of a shower's cell, 20 to 30 minutes (Foote & Mohr 1979), less the way."""
_DRAIN_PER_MIN = 1 / 45
"""A street drains half its water in half an hour, until its own recessions say otherwise."""
_GAIN = 3.0
"""Centimetres of depth for a centimetre of rain: three times the sag's own surface drains into it."""
_PRIOR = 20.0
_MEMORY = 500.0
_WIDTH = 1.0
"""Logarithm of inflow by which it may differ, one standard deviation, until errors say otherwise."""
_NARROWEST, _WIDEST = 0.3, 2.5
_STEP = 0.05
_OUTSIDE = 0.2
_Z80 = 1.2816
_DEEP_ENOUGH_CM = 2.0
_LONGEST_MIN = 180
_FLOOR_CM = 1.0

Spread = tuple[float, float, float]
"""Depths that are passed with 90, 50 and 10 %."""


class Reservoir:
    """Forecasts depth with inflow ``q`` that fades and an outflow in proportion to the depth, h' = q - b h.

    ``q`` now is what the last rise takes, or what the last rain gives, whichever is more. ``b`` is learnt from
    recessions, the gain from rain to inflow from rises, both as geometric means that begin at a default; how far the
    forecast may be wrong, from how often the depth later lay outside (adaptive conformal inference, Gibbs & Candès
    2021). Depths in cm, rates in cm/min, rain in mm/min.
    """

    __slots__ = ("_counts", "_logs", "_promise", "width")

    def __init__(self) -> None:
        self._logs = {"drain": log(_DRAIN_PER_MIN), "gain": log(_GAIN)}
        self._counts = {"drain": _PRIOR, "gain": _PRIOR}
        self._promise: tuple[float, float, float] | None = None
        self.width = _WIDTH

    @property
    def drain_per_min(self) -> float:
        """The share of the depth that drains in a minute."""
        return exp(self._logs["drain"])

    @property
    def gain(self) -> float:
        """Centimetres of depth for a centimetre of rain."""
        return exp(self._logs["gain"])

    def learn(self, time_s: float, depth_cm: float, rate_cm_min: float, rain_mm_min: float | None) -> None:
        """Take a depth, how fast it changes, and the rain of the last quarter of an hour, if that is known."""
        self._keep_promise(time_s, depth_cm)
        if depth_cm < _DEEP_ENOUGH_CM:
            return
        if rate_cm_min < 0 and not rain_mm_min:
            self._learn("drain", min(max(-rate_cm_min / depth_cm, 1e-3), 1.0))
        if rate_cm_min > 0 and rain_mm_min:
            inflow = rate_cm_min + self.drain_per_min * depth_cm
            self._learn("gain", min(max(inflow / (rain_mm_min / 10), 0.1), 100.0))

    def inflow_cm_min(self, depth_cm: float, rate_cm_min: float, rain_mm_min: float | None) -> float:
        """What runs in now: what the rise takes, or what the rain gives."""
        taken = max(rate_cm_min + self.drain_per_min * depth_cm, 0.0) if depth_cm > 0 else 0.0
        return max(taken, self.gain * rain_mm_min / 10) if rain_mm_min is not None else taken

    def depth_cm(self, depth_cm: float, inflow_cm_min: float, minutes: float) -> float:
        """The depth after ``minutes``; the solution of h' = q exp(-t / fades) - b h."""
        drain = self.drain_per_min
        # At equal rates the solution takes another form; a thousandth aside it is the same to a millimetre.
        difference = drain - 1 / _FADES_MIN
        difference = difference if abs(difference) > 1e-3 else 1e-3  # noqa: PLR2004  # see above
        left = exp(-drain * minutes)
        return max(depth_cm * left + inflow_cm_min * (exp(-(drain - difference) * minutes) - left) / difference, 0.0)

    def spread(self, depth_cm: float, inflow_cm_min: float, minutes: float) -> Spread:
        """The depth after ``minutes``, with what it may be if inflow is less or more than it seems."""
        factor = exp(_Z80 * self.width)
        low, likely, high = (
            self.depth_cm(depth_cm, inflow, minutes)
            for inflow in (inflow_cm_min / factor, inflow_cm_min, inflow_cm_min * factor)
        )
        return max(low - _FLOOR_CM, 0.0), likely, high + _FLOOR_CM

    def peak(self, depth_cm: float, inflow_cm_min: float, max_cm: float) -> tuple[Spread, float]:
        """The greatest depth from now on, never less than what was, and in how many minutes it comes."""
        path = [self.spread(depth_cm, inflow_cm_min, minutes) for minutes in range(0, _LONGEST_MIN, 3)]
        likely = max(range(len(path)), key=lambda step: path[step][1])
        low, middle, high = (max(max_cm, *(each[part] for each in path)) for part in range(3))
        return (low, middle, high), 3.0 * likely

    def promise(self, until_s: float, spread: Spread) -> None:
        """Remember a forecast, if none is open, to see later how it did."""
        if self._promise is None:
            self._promise = (until_s, spread[0], spread[2])

    def _keep_promise(self, time_s: float, depth_cm: float) -> None:
        if self._promise is None or time_s < self._promise[0]:
            return
        until_s, low, high = self._promise
        self._promise = None
        if time_s - until_s < 600:  # noqa: PLR2004  # ten minutes later it is no longer what was promised
            outside = not low <= depth_cm <= high
            wider = self.width * exp(_STEP * ((1.0 if outside else 0.0) - _OUTSIDE))
            self.width = min(max(wider, _NARROWEST), _WIDEST)

    def _learn(self, name: str, value: float) -> None:
        self._counts[name] = min(self._counts[name] + 1, _MEMORY)
        self._logs[name] += (log(value) - self._logs[name]) / self._counts[name]

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON."""
        return {
            "logs": dict(self._logs),
            "counts": dict(self._counts),
            "promise": None if self._promise is None else list(self._promise),
            "width": self.width,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where the reservoir that returned ``state`` stood."""
        self._logs, self._counts = dict(state["logs"]), dict(state["counts"])
        promise: Sequence[float] | None = state["promise"]
        self._promise = None if promise is None else (promise[0], promise[1], promise[2])
        self.width = state["width"]
