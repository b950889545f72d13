"""What is remembered of one part of a network, and whether water leaves it."""

from collections import deque
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.alerts.bursts.evidence import Evidence, weigh
from services.alerts.bursts.parts import Part
from services.alerts.bursts.supply_state import SupplyState
from services.alerts.detectors.contract import State
from services.alerts.detectors.running_covariance import RunningCovariance
from services.alerts.hydraulics.epanet_model import Array

_DRIFT = 2.0
_CUT = 8.0
_MOST = 42.0
"""One row counts six at the most, and no row counts for ever."""
_WARM_UP = 288
_MEMORY_ROWS = 4032
"""A day of rows at five minutes is learnt before anything is told, two weeks are remembered."""
_BELIEVED_ROWS = 288
"""As many rows of experience count as much as what is known beforehand about the noise."""
_UNUSUAL = 5.0
"""Deviations beyond which a row is not learnt from."""
_QUIET_ROWS = 6
"""So many rows in a row without a sign of it, and a loss has ended."""
_RECENT = 36
_SAME = 0.5
_STRAYS_ROWS = 24
"""Errors of rows a few minutes apart have so much in common, of rows two hours apart nothing: so long demands stray."""


class PartWatch:
    """The departures of a part's instruments: what is usual, and a running sum for a loss at each of its pipes.

    A sum adds up by how many deviations, less a drift, each row speaks for a loss at its pipe; a row that does not
    takes the drift off a second time, so that a repair is soon seen.

    Source: Page (1954) for the sums.
    """

    def __init__(self, part: Part) -> None:
        self.part = part
        self.sums: Array = np.zeros(len(part.pipes))
        self._since: Array = np.full(len(part.pipes), np.nan)
        self._usual = RunningCovariance(len(part.measured), _MEMORY_ROWS)
        self._recent: deque[tuple[float, list[float]]] = deque(maxlen=_RECENT)
        self._open: tuple[int, list[float]] | None = None
        self._is_doubted = False
        self._quiet_rows = 0
        self._followed: NDArray[np.intp] = np.zeros(0, dtype=np.intp)

    @property
    def is_ready(self) -> bool:
        """Whether enough has been learnt to judge."""
        return bool((self._usual.pairs.diagonal() >= _WARM_UP).any())

    @property
    def begin_s(self) -> float:
        """When the largest sum began to grow, seconds since 1970."""
        return float(self._since[int(self.sums.argmax())])

    def weighed(self, residual: Array, supply: SupplyState, left: Array) -> Evidence | None:
        """What the fit left of a row at all instruments of the supply, weighed; ``None`` where it tells nothing."""
        departure = self._departure(residual)
        if not np.isfinite(departure).any():
            return None
        measured = self.part.measured
        signatures = self.signatures(supply, left)[measured]
        errors = np.eye(len(measured))
        is_instrument = measured < supply.size
        errors[:, is_instrument] = left[np.ix_(measured, measured[is_instrument])]
        return weigh(departure, signatures, errors, self._covariance(supply), float(self.part.draw_m3h.sum()))

    def odd(self, residual: Array, evidence: Evidence | None) -> set[int]:
        """The instruments of the supply that spoke in this row and were left out of what was weighed."""
        if evidence is None:
            return set()
        spoke = np.isfinite(self._departure(residual))
        return {int(each) for each in self.part.measured[spoke & ~evidence.heard]}

    def take(self, time_s: float, residual: Array, evidence: Evidence) -> None:
        """Add a row to the sums and, while a loss is told, to its mean."""
        self._add_up(time_s, evidence.deviations)
        row = np.where(evidence.heard, self._departure(residual), np.nan).tolist()
        self._recent.append((time_s, row))
        if self._is_doubted and self.sums.max() <= 0:
            self._open, self._is_doubted = None, False
        if self._open is not None:
            self._open = _one_more(self._open, row)
            shows = np.nanmax(evidence.deviations[self._followed], initial=-np.inf) >= _DRIFT
            self._quiet_rows = 0 if shows else self._quiet_rows + 1

    def signatures(self, supply: SupplyState, left: Array) -> Array:
        """By instrument of the supply, what each m3/h lost from the middle of each pipe of the part leaves of it."""
        ends = supply.model.ends[self.part.pipes]
        by_node = supply.answers.drawing
        answer: Array = left @ (0.5 * (by_node[:, ends[:, 0]] + by_node[:, ends[:, 1]]))
        return answer

    def learn(self, residual: Array, evidence: Evidence | None) -> None:
        """Take a row without a loss into what is usual; what is off or unusual is left out."""
        values = residual[self.part.measured]
        if evidence is not None:
            if np.nanmax(evidence.deviations, initial=0.0) > _UNUSUAL:
                return
            values = np.where(evidence.heard, values, np.nan)
        self._usual.learn(values.tolist())

    def _departure(self, residual: Array) -> Array:
        values = residual[self.part.measured]
        return np.where(self._usual.usable(values, _WARM_UP), values - self._usual.mean, np.nan)

    def _covariance(self, supply: SupplyState) -> Array:
        """Of one row's departures: experience and what is known beforehand, by how many rows were learnt."""
        measured = self.part.measured
        known = supply.noise[np.ix_(measured, measured)]
        rows = self._usual.pairs.min()
        covariance: Array = (rows * self._usual.covariance + _BELIEVED_ROWS * known) / (rows + _BELIEVED_ROWS)
        return covariance

    def _add_up(self, time_s: float, deviations: Array) -> None:
        capped = np.minimum(deviations, _CUT)
        steps = capped - np.where(capped < _DRIFT / 2, 2 * _DRIFT, _DRIFT)
        # Where a loss would not show, nobody knows whether it goes on.
        sums = np.where(np.isnan(deviations), self.sums, np.clip(self.sums + steps, 0.0, _MOST))
        # A row that speaks louder than all before it together begins anew: what was before is noise.
        begins = np.isnan(self._since) | (steps > self.sums)
        self._since = np.where(sums <= 0, np.nan, np.where(begins, time_s, self._since))
        self.sums = sums

    def open(self) -> None:
        """A loss may be told: its rows are added up from its begin on."""
        begin_s, self._quiet_rows = self.begin_s, 0
        if self._is_doubted:
            self._is_doubted = False
            return
        self._open = (0, [0.0] * len(self.part.measured))
        for time_s, row in self._recent:
            if time_s >= begin_s:
                self._open = _one_more(self._open, row)

    def follow(self, pipes: Collection[int]) -> None:
        """The loss is at one of these links of the model."""
        self._followed = np.flatnonzero(np.isin(self.part.pipes, list(pipes)))

    @property
    def is_over(self) -> bool:
        """Whether nothing shows the loss any more."""
        return self._quiet_rows >= _QUIET_ROWS

    def usual(self, instrument: int) -> float:
        """What the fit usually leaves at an instrument of the supply; 0 where that is not known yet."""
        position = np.flatnonzero(self.part.measured == instrument)
        usual = self._usual.mean[position[0]] if len(position) else 0.0
        return float(usual) if np.isfinite(usual) else 0.0

    def close(self) -> None:
        """The loss has ended, or is none of this part's; all sums begin anew."""
        self._open, self._is_doubted, self._quiet_rows = None, False, 0
        self.sums = np.zeros(len(self.part.pipes))
        self._since = np.full(len(self.part.pipes), np.nan)

    @property
    def shows(self) -> bool:
        """Whether the row taken last showed the loss that is followed."""
        return self._quiet_rows == 0

    @property
    def rows(self) -> int:
        """How many rows have been added up since the loss began; 0 where none is told."""
        return 0 if self._open is None else self._open[0]

    def mean(self, supply: SupplyState) -> tuple[Array, Array]:
        """The mean departure of all instruments of the supply since the loss began, and the covariance of its error.

        Raises:
            RuntimeError: no loss has been told.
        """
        if self._open is None:
            raise RuntimeError("no loss is followed")
        count, sums = self._open
        independent = count / (1 + (min(count, _STRAYS_ROWS) - 1) * _SAME)
        return self._of_supply(np.array(sums) / max(count, 1), self._covariance(supply) / max(independent, 1.0), supply)

    def row(self, residual: Array, supply: SupplyState) -> tuple[Array, Array]:
        """The departure of all instruments of the supply in one row, and the covariance of its error."""
        return self._of_supply(self._departure(residual), self._covariance(supply), supply)

    def _of_supply(self, departure: Array, covariance: Array, supply: SupplyState) -> tuple[Array, Array]:
        size, measured = len(supply.noise), self.part.measured
        everywhere, error = np.full(size, np.nan), np.zeros((size, size))
        everywhere[measured] = departure
        error[np.ix_(measured, measured)] = covariance
        return everywhere, error

    def doubt(self) -> None:
        """What the sums tell is no more than noise so far; its rows go on being added up while any sum is left."""
        self._is_doubted = True
        self.sums = self.sums / 2

    def state(self) -> dict[str, Any]:
        """Sums, what is usual, and recent rows."""
        return {
            "sums": self.sums.tolist(),
            "since": [None if np.isnan(since) else since for since in self._since.tolist()],
            "usual": self._usual.state(),
            "recent": [[time_s, _packed(row)] for time_s, row in self._recent],
            "open": None if self._open is None else [self._open[0], _packed(self._open[1])],
            "is_doubted": self._is_doubted,
            "quiet_rows": self._quiet_rows,
            "followed": self._followed.tolist(),
        }

    def restore(self, state: State) -> None:
        """Go on where ``state`` was taken."""
        self.sums = np.array(state["sums"], dtype=np.float64)
        self._since = np.array([np.nan if each is None else each for each in state["since"]], dtype=np.float64)
        self._usual.restore(state["usual"])
        self._recent = deque(((time_s, _unpacked(row)) for time_s, row in state["recent"]), maxlen=_RECENT)
        self._open = None if state["open"] is None else (state["open"][0], _unpacked(state["open"][1]))
        self._is_doubted = state["is_doubted"]
        self._quiet_rows = state["quiet_rows"]
        self._followed = np.array(state["followed"], dtype=np.intp)


def _one_more(sums: tuple[int, list[float]], row: list[float]) -> tuple[int, list[float]]:
    """One more row added; an instrument that was silent or off in one row of a loss does not count for it."""
    return sums[0] + 1, [total + value for total, value in zip(sums[1], row, strict=True)]


def _packed(row: list[float]) -> list[float | None]:
    return [value if np.isfinite(value) else None for value in row]


def _unpacked(row: list[float | None]) -> list[float]:
    return [float("nan") if value is None else value for value in row]
