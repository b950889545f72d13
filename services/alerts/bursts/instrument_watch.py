"""Which instruments are not believed, because nothing in the model agrees with them."""

from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from services.alerts.detectors.contract import State
from services.alerts.hydraulics.epanet_model import Array

_ODD_ROWS = 12
"""So many more odd rows than others, an hour at five minutes, and an instrument is not believed any more: a valve that
was moved makes gauges odd as well, and shows before."""
_AGREES = 4.0
"""Deviations within which a value counts as agreeing."""
_AGREEING_ROWS = 36
"""So many rows in agreement, and it is believed again."""


@dataclass(slots=True)
class Disbelieved:
    """An instrument that is not believed: since when, by how much it was off last, and for how many rows it agrees."""

    since_s: float
    off: float
    agreeing_rows: int = 0


class InstrumentWatch:
    """Counts the rows in which an instrument was the odd one out, and forgets it until it agrees with the model again.

    Instruments are counted as those of the supply: pressures in metres, then flows in m3/h.
    """

    def __init__(self, size: int) -> None:
        self._odd_rows = [0] * size
        self.disbelieved: dict[int, Disbelieved] = {}

    def note(self, odd: set[int], heard: set[int], time_s: float) -> list[int]:
        """Take note of which of the instruments that were heard in a row were odd; those not believed from now on."""
        found = []
        for instrument in sorted(heard):
            change = 1 if instrument in odd else -1
            self._odd_rows[instrument] = max(self._odd_rows[instrument] + change, 0)
            if self._odd_rows[instrument] >= _ODD_ROWS:
                self.disbelieve(instrument, time_s)
                found.append(instrument)
        return found

    def disbelieve(self, instrument: int, time_s: float) -> None:
        """Believe it no longer."""
        self._odd_rows[instrument] = 0
        self.disbelieved[instrument] = Disbelieved(time_s, float("nan"))

    def forgive(self) -> None:
        """The model has changed: what was odd beside the old one says nothing."""
        self._odd_rows = [0] * len(self._odd_rows)

    def follow(self, beside: Array, deviation: Array) -> list[int]:
        """Compare with what the model says without them, ``beside`` it; those that are believed again."""
        found = []
        for instrument, memory in sorted(self.disbelieved.items()):
            off = float(beside[instrument])
            if not isfinite(off):
                continue
            memory.off = off
            agrees = abs(off) <= _AGREES * float(deviation[instrument])
            memory.agreeing_rows = memory.agreeing_rows + 1 if agrees else 0
            if memory.agreeing_rows >= _AGREEING_ROWS:
                found.append(instrument)
        for instrument in found:
            del self.disbelieved[instrument]
        return found

    def believed(self, measured: Array) -> Array:
        """What was measured without those that are not believed."""
        values = measured.copy()
        values[sorted(self.disbelieved)] = np.nan
        return values

    def state(self) -> dict[str, Any]:
        """Counts, and who is not believed."""
        return {
            "odd_rows": self._odd_rows,
            "disbelieved": [
                [instrument, each.since_s, each.off if isfinite(each.off) else None, each.agreeing_rows]
                for instrument, each in sorted(self.disbelieved.items())
            ],
        }

    def restore(self, state: State) -> None:
        """Go on where ``state`` was taken."""
        self._odd_rows = list(state["odd_rows"])
        self.disbelieved = {
            instrument: Disbelieved(since_s, float("nan") if off is None else off, rows)
            for instrument, since_s, off, rows in state["disbelieved"]
        }
