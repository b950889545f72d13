"""One row fitted and weighed without what cannot be believed: instruments that agree with nothing, and empty pipes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from services.alerts.bursts.evidence import Evidence
from services.alerts.bursts.instrument_watch import InstrumentWatch
from services.alerts.bursts.part_watch import PartWatch
from services.alerts.bursts.supply_state import Departure, SupplyState
from services.alerts.detectors.contract import State
from services.alerts.hydraulics.epanet_model import Array

_REFITS = 3
"""A row is fitted again without its odd instruments at the most so often."""
_EMPTY_M = 1.0
"""A pressure below this is that of a pipe without water."""
_LEAST_EMPTY = 2
"""One gauge at nothing may be broken; so many together are a part that is cut off from its source."""
_REFILLS_ROWS = 12
"""Until so many rows after the last one without water, pipes fill and nothing in the part is as usual."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A fitted row: what each part says of a loss, and which instruments are from now on believed no longer, or again.

    ``evidences`` has ``None`` for a part that says nothing. Instruments are counted as those of the supply.
    """

    departure: Departure
    evidences: Sequence[Evidence | None]
    disbelieved: Sequence[int]
    believed_again: Sequence[int]


class RowWeighing:
    """Decides row by row which instruments to believe, and weighs what they say."""

    def __init__(self, supply: SupplyState, parts: Sequence[PartWatch]) -> None:
        """``supply`` is fitted by every row; ``parts`` are those of it that may lose water."""
        self._supply = supply
        self._parts = parts
        self.instruments = InstrumentWatch(supply.size)
        self._unsupplied_rows = [0] * len(parts)

    def believed(self, values: Array) -> Array:
        """A row by column, NaN where an instrument is not believed or its part is without water."""
        supply = self._supply
        measured = self.instruments.believed(values[supply.columns])
        self._note_empty(measured)
        for watch, rows in zip(self._parts, self._unsupplied_rows, strict=True):
            if rows:
                measured[watch.part.measured[watch.part.measured < supply.size]] = np.nan
        believed = values.copy()
        believed[supply.columns] = measured
        return believed

    @property
    def is_supplied(self) -> bool:
        """Whether every part has water."""
        return not any(self._unsupplied_rows)

    def _note_empty(self, measured: Array) -> None:
        count = len(self._supply.metering.pressure)
        empty = {int(each) for each in np.flatnonzero(measured[:count] < _EMPTY_M)}
        cut_off = [len(empty & set(watch.part.measured.tolist())) >= _LEAST_EMPTY for watch in self._parts]
        borders = {
            int(each)
            for watch, is_cut_off in zip(self._parts, cut_off, strict=True)
            for each in watch.part.measured
            if is_cut_off and count <= each < self._supply.size
        }
        for number, watch in enumerate(self._parts):
            if cut_off[number] or not borders.isdisjoint(watch.part.measured.tolist()):
                self._unsupplied_rows[number] = _REFILLS_ROWS
            else:
                self._unsupplied_rows[number] = max(self._unsupplied_rows[number] - 1, 0)

    def weigh(self, time_s: float, values: Array, believed: Array, departure: Departure) -> Weighed | None:
        """Weigh a row that was fitted, and fit it again without its odd instruments; ``None`` without a solution.

        ``values`` are those of all instruments, ``believed`` those that were fitted.
        """
        supply, columns = self._supply, self._supply.columns
        heard = {position for position, column in enumerate(columns) if np.isfinite(believed[column])}
        left_out: set[int] = set()
        departure = self._comparable(departure)
        fitted, evidences = departure, self._evidences(departure)
        for _ in range(_REFITS):
            odd = self._odd(fitted, evidences)
            if not odd:
                break
            left_out |= odd
            believed = believed.copy()
            believed[columns[sorted(left_out)]] = np.nan
            again = supply.take(believed)
            if again is None:
                return None
            fitted = self._comparable(again)
            evidences = self._evidences(fitted)
        disbelieved = self.instruments.note(left_out, heard, time_s)
        return Weighed(fitted, evidences, disbelieved, self._believed_again(values))

    def _comparable(self, departure: Departure) -> Departure:
        """What a part draws beside the others tells nothing while one of them is without water."""
        if self.is_supplied:
            return departure
        residual = departure.residual.copy()
        residual[self._supply.size :] = np.nan
        return replace(departure, residual=residual)

    def _evidences(self, departure: Departure) -> list[Evidence | None]:
        return [watch.weighed(departure.residual, self._supply, departure.left) for watch in self._parts]

    def _odd(self, departure: Departure, evidences: Sequence[Evidence | None]) -> set[int]:
        """The instruments that are odd in every part in which they are measured."""
        odd: set[int] = set()
        spared: set[int] = set()
        for watch, evidence in zip(self._parts, evidences, strict=True):
            found = watch.odd(departure.residual, evidence)
            odd |= found
            spared |= {int(each) for each in watch.part.measured} - found
        return {each for each in odd - spared if each < self._supply.size}

    def _believed_again(self, values: Array) -> list[int]:
        supply = self._supply
        usual = np.array([self._usual(position) for position in range(supply.size)])
        deviation = np.sqrt(supply.answers.noise.diagonal())
        return self.instruments.follow(values[supply.columns] - supply.shown - usual, deviation)

    def _usual(self, instrument: int) -> float:
        return next((watch.usual(instrument) for watch in self._parts if instrument in watch.part.measured), 0.0)

    def state(self) -> dict[str, Any]:
        """Which instruments are not believed, and which parts were without water."""
        return {"instruments": self.instruments.state(), "unsupplied_rows": self._unsupplied_rows}

    def restore(self, state: State) -> None:
        """Go on where ``state`` was taken."""
        self.instruments.restore(state["instruments"])
        self._unsupplied_rows = list(state["unsupplied_rows"])
