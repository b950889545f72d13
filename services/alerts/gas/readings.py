"""Which column tells what of which space, and the last values while they are fresh. Pure."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEL_PER_VOLUME = 20.0
"""%LEL of methane in one %vol: its lower explosive limit is 5 %vol."""
METHANE, ETHANE, ODORANT, TEMPERATURE, HUMIDITY, WATER, TILT = range(7)
_ROLES: Mapping[str, tuple[int, float]] = {
    "methane": (METHANE, 1.0),
    "methane_volume": (METHANE, LEL_PER_VOLUME),
    "ethane": (ETHANE, 1.0),
    "odorant": (ODORANT, 1.0),
    "space_temperature": (TEMPERATURE, 1.0),
    "space_humidity": (HUMIDITY, 1.0),
    "space_water_level": (WATER, 1.0),
    "cover_tilt": (TILT, 1.0),
}
VIBRATION = "ground_vibration"
QUANTITIES = (*sorted(_ROLES), VIBRATION)
ROLES = 7
_FRESH_S = 2700.0
"""A value counts for so long; devices report every half an hour at the slowest."""


class Channel(NamedTuple):
    """A sensor: what it measures, at which asset, and where it stands (degrees)."""

    id: str
    quantity: str
    asset: str
    longitude: float
    latitude: float


class Readings:
    """What is known now, by role and space; NaN where nothing is, or nothing fresh."""

    def __init__(self, channels: Sequence[Channel], spaces: Sequence[str]) -> None:
        """Lay out ``channels`` in the order of the columns; ``spaces`` are those that have a methane device."""
        at = {space: number for number, space in enumerate(spaces)}
        self.column: list[list[str]] = [[""] * len(spaces) for _ in range(ROLES)]
        self._from: list[tuple[int, int, int, float]] = []
        for position, channel in enumerate(channels):
            role, scale = _ROLES.get(channel.quantity, (-1, 1.0))
            if role >= 0 and channel.asset in at and not self.column[role][at[channel.asset]]:
                self.column[role][at[channel.asset]] = channel.id
                self._from.append((position, role, at[channel.asset], scale))
        self.values: Array = np.full((ROLES, len(spaces)), np.nan)
        self._heard_s: Array = np.full((ROLES, len(spaces)), -np.inf)

    def take(self, time_s: float, row: Sequence[float]) -> NDArray[np.bool_]:
        """Take a row; tells which spaces have new methane."""
        fresh = np.zeros(self.values.shape[1], dtype=bool)
        for position, role, space, scale in self._from:
            value = row[position]
            if isfinite(value):
                self.values[role, space] = value * scale
                self._heard_s[role, space] = time_s
                if role == METHANE:
                    fresh[space] = True
        stale = time_s - self._heard_s > _FRESH_S
        self.values[stale] = np.nan
        return fresh

    def state(self) -> dict[str, Any]:
        """The values and when they came, as JSON."""
        return {"values": packed(self.values), "heard_s": packed(self._heard_s)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken."""
        self.values = unpacked(state["values"])
        heard_s = unpacked(state["heard_s"])
        self._heard_s = np.where(np.isnan(heard_s), -np.inf, heard_s)


def packed(values: Array) -> Any:
    """An array as JSON: what is not finite is null."""
    return (
        np.where(np.isfinite(values), values, np.nan).astype(object).tolist() if values.size == 0 else _listed(values)
    )


def _listed(values: Array) -> Any:
    if values.ndim == 1:
        return [value if isfinite(value) else None for value in values.tolist()]
    return [_listed(part) for part in values]


def unpacked(listed: Any) -> Array:
    """Take up what ``packed`` returned; null is NaN."""
    return np.array(listed, dtype=np.float64)
