"""What passes pumps, gates, weirs and inlets at the levels on their two sides. Pure."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from services.alerts.sewers.pipe_sections import Array
from services.alerts.sewers.sewer_network import Device

_GRAVITY = 9.81
_NUDGE_M = 2e-3


class Devices:
    """All devices of a network side by side; levels are by device and supposition."""

    def __init__(self, devices: Sequence[Device], floor_m: Array) -> None:
        """``floor_m`` is the invert of the node in which each device begins."""
        self._floor = floor_m[:, None]
        self._sill = self._floor + np.array([d.offset_m for d in devices])[:, None]
        kinds = np.array([d.kind for d in devices], dtype="<U8")
        self.is_pump: NDArray[np.bool_] = (kinds == "pump")[:, None]
        self._is_inlet = (kinds == "inlet")[:, None]
        self._is_weir = (kinds == "weir")[:, None]
        self._flap = np.array([d.has_flap for d in devices], dtype=bool)[:, None] | self.is_pump
        self._width = np.array([d.width_m * d.coefficient for d in devices])[:, None]
        self._height = np.array([max(d.height_m, 1e-3) for d in devices])[:, None]
        self._on = np.array([d.on_m for d in devices])[:, None]
        self._off = np.array([d.off_m for d in devices])[:, None]
        self._begins, self._lengths, self._rises = _segments(devices)

    def switched(self, start_m: Array, running: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which pumps run now: from their start on until they have drawn the water down."""
        depth = start_m - self._floor
        return np.where(depth >= self._on, True, (depth > self._off) & running) | ~self.is_pump

    def flows(
        self, start_m: Array, end_m: Array, opened: Array, running: NDArray[np.bool_]
    ) -> tuple[Array, Array, Array]:
        """Flow in m3/s, and how it changes with the level at the start and at the end."""
        share = opened * running
        nudge = np.array([0.0, _NUDGE_M])
        # Three looks at once: at the levels themselves, a little higher at the start, a little higher at the end.
        highs = start_m + nudge[[0, 1, 0], None, None]
        lows = end_m + nudge[[0, 0, 1], None, None]
        here, start_up, end_up = self._passes(highs, lows) * share
        return here, np.maximum((start_up - here) / _NUDGE_M, 0.0), np.minimum((end_up - here) / _NUDGE_M, 0.0)

    def _passes(self, start_m: Array, end_m: Array) -> Array:
        forth = self._one_way(start_m, end_m)
        back = np.where(self._flap, 0.0, self._one_way(end_m, start_m))
        passes: Array = forth - back
        return passes

    def _one_way(self, high: Array, low: Array) -> Array:
        over = high - self._sill
        drop = np.clip(high - np.maximum(low, self._sill), 0.0, None)
        # Where the sewer stands higher than the road the difference of level drives an inlet.
        asked = np.where(self.is_pump, high - self._floor, np.minimum(over, drop))
        wet = np.clip(over, 0.0, None)
        fall = np.minimum(drop, np.maximum(wet - self._height / 2, wet / 2))
        gate = self._width * np.minimum(wet, self._height) * np.sqrt(2 * _GRAVITY * fall)
        weir = self._width * wet * np.sqrt(drop)
        by_curve = np.where(self.is_pump | self._is_inlet, self._curve(asked), gate)
        passes: Array = np.where(self._is_weir, weir, by_curve)
        return passes

    def _curve(self, asked: Array) -> Array:
        parts = np.clip(asked[..., None] - self._begins[:, None, :], 0.0, self._lengths[:, None, :])
        curve: Array = (parts * self._rises[:, None, :]).sum(axis=-1)
        return curve


def _segments(devices: Sequence[Device]) -> tuple[Array, Array, Array]:
    """Begin, length and slope of the straight pieces of each curve, all with equally many of them."""
    most = max([len(d.points) for d in devices] or [2])
    shape = (len(devices), max(most, 2))
    begins, lengths, rises = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for row, device in enumerate(devices):
        points = device.points
        if points and points[0][1] > 0:
            # A curve that begins above nothing jumps there; a steep piece has an answer everywhere.
            points = ((points[0][0] - 1e-2, 0.0), *points)
        for k, ((low, first), (high, last)) in enumerate(pairwise(points)):
            begins[row, k], lengths[row, k] = low, max(high - low, 0.0)
            rises[row, k] = (last - first) / (high - low) if high > low else 0.0
    return begins, lengths, rises
