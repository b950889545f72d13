"""Channels of a plant that no longer fit the other channels and the hour before."""

from collections.abc import Mapping, Sequence
from math import isfinite, isnan, nan
from typing import Any, ClassVar, NamedTuple

import numpy as np

from services.alerts.detectors.contract import UNKNOWN, Claim, Score, SearchDetector, State
from services.alerts.detectors.gated_regression import GatedRegression
from services.alerts.detectors.open_trouble import OpenTrouble
from services.alerts.detectors.residual_limits import ResidualLimits
from services.alerts.detectors.running_covariance import Array
from services.core.finding import FindingState
from services.core.severity import Severity

_LEAST_SHARE = 0.0005
"""Share of a channel's range below which no residual is believed: what is recorded is rounded."""
_STANDSTILL_SHARE = 0.01
"""Share of the range of its quantity by which a channel that never moved has to move to be noticed."""
_LATE = 1.5
"""Steps between two rows beyond which the earlier one says nothing about the later one."""
_TINY = 1e-12
_SHOWN = 4
_CANDIDATES = 6
"""How many of the loudest channels are tried as the one that misleads the others."""
_CUT = 10.0
"""No channel counts more than this many times its limit when what is left unexplained is added up."""


class _Rows(NamedTuple):
    """A row, the one before, and what its channels differ from their regressions, also as multiples of their limits.

    ``moved`` are those of channels that never moved before, 0 for the others.
    """

    values: Array
    before: Array
    residual: Array
    ratios: Array
    moved: Array


class ChannelResidual(SearchDetector):
    """Watches levels, flows, pressures and the states of pumps and valves for what does not fit together.

    Each channel is explained by all others in the same row, by the row before and by which pumps and valves are on
    (the quantities of ``switched``), with a ``GatedRegression`` that goes on learning while nothing is unusual: the
    balance of a tank, what a pump delivers between two levels, pressures at given flows. A value that was forged, a
    reading that was replayed, a pump that runs slower or out of turn breaks one of these relations, whatever the
    season demands. A residual counts as a multiple of the size it exceeds once in ``1 / share`` rows of ordinary
    operation. A channel that never moved is explained by its standstill.

    A trouble begins when a residual exceeds ``open_at`` times that size and ends after ``quiet_rows`` rows without
    one above ``keep_at`` times: a forged tank breaks its balance now and then, not every hour. Its claim names the
    fewest channels without which all others agree, looked for one by one, and the outcome that ``outcomes`` has for
    the quantity of the clearest one, or ``otherwise``. After ``severe_rows`` rows that show it, it is major, and named
    anew. What lasts more than ``accept_rows`` rows is the new normal.

    Rows are ``step_s`` apart; after a gap the row before explains nothing.
    Nothing is claimed before ``learn_until_s`` (seconds since 1970), or before ``learn_rows`` rows where nobody says
    how long the history is. Rows of the history that are unusual are not learnt from, unless they keep on.

    Sources: analytical redundancy (Gertler 1998); for water networks under attack Housh & Ohar (2018) and the
    comparison of Taormina et al. (2018), whose model-based residuals come from regressions here.
    """

    name: ClassVar[str] = "channel-residual"
    version: ClassVar[str] = "1"

    def __init__(
        self,
        columns: Sequence[str],
        quantities: Sequence[str],
        switched: Sequence[str],
        outcomes: Mapping[str, str],
        otherwise: str,
        *,
        step_s: float,
        learn_until_s: float | None = None,
        learn_rows: int = 2016,
        open_at: float = 1.75,
        keep_at: float = 0.8,
        quiet_rows: int = 5,
        severe_rows: int = 12,
        accept_rows: int = 336,
        share: float = 0.001,
        ridge: float = 0.0001,
        memory_rows: int = 17520,
    ) -> None:
        self.columns = tuple(columns)
        self.quantities = tuple(quantities)
        self.switched = tuple(switched)
        self.outcomes = dict(outcomes)
        self.otherwise = otherwise
        self.step_s = step_s
        self.learn_until_s = learn_until_s
        self.learn_rows = learn_rows
        self.open_at = open_at
        self.keep_at = keep_at
        self.quiet_rows = quiet_rows
        self.severe_rows = severe_rows
        self.accept_rows = accept_rows
        self.share = share
        self.ridge = ridge
        self.memory_rows = memory_rows
        size = len(self.columns)
        self._alike: Array = np.array([[a == b for b in quantities] for a in quantities], dtype=np.float64)
        gates = [quantity in switched for quantity in quantities]
        self._regression = GatedRegression(gates, ridge=ridge, memory_rows=memory_rows)
        self._limits = ResidualLimits(size, share)
        self._before: Array = np.full(size, nan)
        self._before_s = nan
        self._rows = 0
        self._unusual = 0
        self._accepting = 0
        self._trouble: OpenTrouble | None = None
        self._claims: list[Claim] = []

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "columns": list(self.columns),
            "quantities": list(self.quantities),
            "switched": list(self.switched),
            "outcomes": dict(self.outcomes),
            "otherwise": self.otherwise,
            "step_s": self.step_s,
            "learn_until_s": self.learn_until_s,
            "learn_rows": self.learn_rows,
            "open_at": self.open_at,
            "keep_at": self.keep_at,
            "quiet_rows": self.quiet_rows,
            "severe_rows": self.severe_rows,
            "accept_rows": self.accept_rows,
            "share": self.share,
            "ridge": self.ridge,
            "memory_rows": self.memory_rows,
        }

    def score(self, time_s: float, row: Sequence[float]) -> Score:
        """The largest residual as a multiple of its usual limit."""
        self._claims = []
        values: Array = np.array([value if isfinite(value) else nan for value in row], dtype=np.float64)
        before = self._row_before(time_s)
        self._before, self._before_s = values, time_s
        self._rows += 1
        residual = self._regression.residual(values, before)
        standing = self._limits.settled & (self._regression.high == self._regression.low) & np.isfinite(values)
        ratios = np.abs(residual) / self._believed()
        ratios = np.nan_to_num(ratios, nan=0.0, posinf=0.0)
        moved = np.where(standing, np.abs(values - self._regression.low) / self._least_move(), 0.0)
        residual = np.where(standing, values - self._regression.low, residual)
        if self._is_history(time_s):
            self._learn_history(values, before, residual, ratios)
        else:
            judged = _Rows(values, before, residual, np.maximum(ratios, moved), moved)
            ratios = judged.ratios
            self._follow(time_s, judged)
            if self._trouble is None:
                self._learn(values, before, residual)
        if not self._limits.settled:
            return UNKNOWN
        worst = int(ratios.argmax())
        expected = float(values[worst] - residual[worst]) if np.isfinite(residual[worst]) else None
        return Score(float(ratios[worst]), expected, self._seen(ratios), self.columns[worst])

    def claims(self) -> Sequence[Claim]:
        """What began, became worse or ended with the row scored last."""
        return self._claims

    def _is_history(self, time_s: float) -> bool:
        if self.learn_until_s is None:
            return self._rows <= self.learn_rows or not self._limits.settled
        return time_s < self.learn_until_s or not self._limits.settled

    def _row_before(self, time_s: float) -> Array:
        """The values of the row before, none if that was longer ago than rows are apart."""
        late = not 0 < time_s - self._before_s <= _LATE * self.step_s
        return np.full(len(self._before), nan) if late else self._before

    def _believed(self) -> Array:
        """The limit of each residual, never less than the rounding of its channel allows."""
        limits = self._limits.limits()
        believed: Array = np.maximum(
            np.maximum(limits, _LEAST_SHARE * (self._regression.high - self._regression.low)), _TINY
        )
        return believed

    def _least_move(self) -> Array:
        """By how much a channel that stood still has to move: a share of what others of its quantity do."""
        spans = np.nan_to_num(np.maximum(self._regression.high - self._regression.low, np.abs(self._regression.high)))
        least: Array = np.maximum(_STANDSTILL_SHARE * (self._alike * spans).max(axis=1), _TINY)
        return least

    def _learn_history(self, values: Array, before: Array, residual: Array, ratios: Array) -> None:
        """Learn, but from what is unusual only when it keeps on, as soon as the limits can tell."""
        unusual = self._limits.mature and bool((ratios > self.open_at).any())
        self._unusual = self._unusual + 1 if unusual else 0
        if not unusual or self._unusual > self.accept_rows:
            self._learn(values, before, residual)

    def _learn(self, values: Array, before: Array, residual: Array) -> None:
        self._limits.learn(np.abs(residual))
        self._regression.learn(values, before)

    def _follow(self, time_s: float, judged: _Rows) -> None:
        ratios = judged.ratios
        if self._accepting:
            self._accepting -= 1
            return
        if self._trouble is None:
            if (ratios > self.open_at).any():
                self._open(time_s, judged)
            return
        trouble = self._trouble
        trouble.add(ratios, self.keep_at)
        if trouble.rows > self.accept_rows:
            self._accepting = self.accept_rows
        if self._accepting or trouble.quiet_rows >= self.quiet_rows:
            self._trouble = None
            self._claim(FindingState.CLEARED, trouble, judged)
        elif trouble.loud_rows >= self.severe_rows and not trouble.severe and ratios.max() > 1:
            trouble.severe = True
            trouble.named = tuple(dict.fromkeys((*self._misleading(judged), *trouble.named)))[:_SHOWN]
            self._claim(FindingState.CHANGED, trouble, judged)

    def _open(self, time_s: float, judged: _Rows) -> None:
        named = self._misleading(judged)
        clearest = self.columns.index(named[0])
        trouble = OpenTrouble(self.outcomes.get(self.quantities[clearest], self.otherwise), time_s, len(self.columns))
        trouble.named = named
        trouble.add(judged.ratios, self.keep_at)
        self._trouble = trouble
        self._claim(FindingState.RAISED, trouble, judged)

    def _misleading(self, judged: _Rows) -> tuple[str, ...]:
        """The channels without which the others agree, the one that explains most first.

        A channel that is wrong spoils the regressions of all it explains, so the loudest one need not be to blame:
        each of the loudest is left out of everything in turn, and the one without which least is left unexplained is.
        """
        by_move = np.argsort(-judged.moved, kind="stable")[:_SHOWN]
        named = [int(column) for column in by_move if judged.moved[column] > 1]
        ratios = self._ratios_without(judged, named)
        while len(named) < _SHOWN and ratios.max() > 1:
            loudest = [int(column) for column in np.argsort(-ratios, kind="stable")[:_CANDIDATES] if ratios[column] > 1]
            left = {column: self._ratios_without(judged, [*named, column]) for column in loudest}
            best = min(loudest, key=lambda column: float(np.minimum(left[column], _CUT).sum()))
            named.append(best)
            ratios = left[best]
        return tuple(self.columns[column] for column in named) or (self.columns[int(judged.ratios.argmax())],)

    def _ratios_without(self, judged: _Rows, left_out: Sequence[int]) -> Array:
        values, before = judged.values.copy(), judged.before.copy()
        values[list(left_out)], before[list(left_out)] = nan, nan
        residual = self._regression.residual(values, before)
        ratios: Array = np.nan_to_num(np.abs(residual) / self._believed(), nan=0.0, posinf=0.0)
        return ratios

    def _difference(self, judged: _Rows, channel: int, misleading: Sequence[int]) -> float:
        """What a channel differs from those that are not to blame too; from all where these do not suffice."""
        values, before = judged.values.copy(), judged.before.copy()
        values[list(misleading)], before[list(misleading)] = nan, nan
        difference = float(self._regression.residual(values, before)[channel])
        return difference if isfinite(difference) else float(judged.residual[channel])

    def _claim(self, state: FindingState, trouble: OpenTrouble, judged: _Rows) -> None:
        columns = trouble.order(self.columns)
        first = self.columns.index(columns[0])
        value, off = float(judged.values[first]), float(judged.residual[first])
        if state is not FindingState.CLEARED and not judged.moved[first]:
            off = self._difference(judged, first, [self.columns.index(name) for name in columns[1:]])
        severity = Severity.MAJOR if trouble.severe else Severity.MODERATE
        self._claims.append(
            Claim(
                outcome=trouble.outcome,
                key=trouble.key,
                state=state,
                severity=Severity.NORMAL if state is FindingState.CLEARED else severity,
                score=float(judged.ratios.max()),
                since_s=trouble.since_s,
                columns=columns,
                value=value if isfinite(value) else None,
                expected=value - off if isfinite(value - off) else None,
                seen=self._seen(judged.ratios),
            )
        )

    def _seen(self, ratios: Array) -> dict[str, Any]:
        order = np.argsort(-ratios, kind="stable")[:_SHOWN]
        return {
            "order": [self.columns[column] for column in order],
            "multiples": [round(float(ratios[column]), 3) for column in order],
        }

    def state(self) -> dict[str, Any]:
        """Regressions, limits, the row before and the open trouble."""
        return {
            "regression": self._regression.state(),
            "limits": self._limits.state(),
            "before": _packed(self._before),
            "before_s": _known(self._before_s),
            "rows": self._rows,
            "unusual": self._unusual,
            "accepting": self._accepting,
            "trouble": None if self._trouble is None else self._trouble.state(),
        }

    def restore(self, state: State) -> None:
        """Take up regressions, limits, the row before and the open trouble."""
        self._regression.restore(state["regression"])
        self._limits.restore(state["limits"])
        self._before = _unpacked(state["before"])
        self._before_s = nan if state["before_s"] is None else state["before_s"]
        self._rows = state["rows"]
        self._unusual = state["unusual"]
        self._accepting = state["accepting"]
        self._trouble = None if state["trouble"] is None else OpenTrouble.restored(state["trouble"])
        self._claims = []


def _known(value: float) -> float | None:
    return None if isnan(value) else value


def _packed(values: Array) -> list[float | None]:
    return [_known(value) for value in values.tolist()]


def _unpacked(values: Sequence[float | None]) -> Array:
    return np.array([nan if value is None else value for value in values], dtype=np.float64)
