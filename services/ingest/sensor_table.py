"""The registered sensors in the form the hot path wants: a dictionary by name, arrays by key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from services.core.store.readings import SensorRow


@dataclass(frozen=True, slots=True, eq=False)
class SensorTable:
    """One state of the register; a change of the register makes a new table.

    ``rows`` finds a sensor by its identifier and by its address, ``keys`` only its key, ``keys_of_gateway`` only the
    keys of a gateway's own sensors. The arrays are indexed by key; ``zones`` numbers the names in ``zone_names``.
    ``converts`` says that some device sends another unit than the declared one.
    """

    rows: Mapping[str, SensorRow]
    keys: Mapping[str, int]
    keys_of_gateway: Mapping[str, Mapping[str, int]]
    plausible_low: NDArray[np.float64]
    plausible_high: NDArray[np.float64]
    zones: NDArray[np.int32]
    zone_names: Sequence[str]
    converts: bool

    @classmethod
    def of(cls, sensors: Mapping[str, SensorRow]) -> Self:
        """The table of some sensors by identifier."""
        size = max((row.key for row in sensors.values()), default=0) + 1
        low, high, zones = np.full(size, -np.inf), np.full(size, np.inf), np.zeros(size, np.int32)
        names = sorted({row.zone for row in sensors.values()})
        numbers = {name: number for number, name in enumerate(names)}
        for row in sensors.values():
            low[row.key], high[row.key], zones[row.key] = row.plausible_low, row.plausible_high, numbers[row.zone]
        # An address holds a colon and an identifier never does, so that neither hides the other.
        addresses = {row.address: row for row in sensors.values() if row.address is not None}
        converts = any(row.device_unit not in {None, row.unit} for row in sensors.values())
        rows = {**sensors, **addresses}
        keys_of_gateway: dict[str, dict[str, int]] = {}
        for name, row in rows.items():
            if row.gateway is not None:
                keys_of_gateway.setdefault(row.gateway, {})[name] = row.key
        keys = {name: row.key for name, row in rows.items()}
        return cls(rows, keys, keys_of_gateway, low, high, zones, names, converts)
