"""Says which nodes without a gauge on the road are going to flood, once a storm, and again when more do."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from services.alerts.detectors.contract import Claim, Suspect, claim_over
from services.alerts.sewers.floods_ahead import FLOODED_M, FloodsAhead
from services.alerts.sewers.pipe_sections import Array
from services.core.finding import FindingState
from services.core.severity import Severity

_WITHIN_MIN = 30
_SURE, _POSSIBLE = 0.5, 0.2
_ROWS_SURE = 2
_GROWN = 1.5
"""It is told again when so many times as many nodes are expected."""
_SHOWN = 12
_MAJOR_M = 0.15
"""The depth from which low points are told: deeper water stops cars."""


class _Told(NamedTuple):
    key: str
    since_s: float
    columns: tuple[str, ...]
    nodes: int
    place: str


class ToldFloods:
    """Claims about the nodes that the model expects to flood; those in ``others`` are told by others."""

    def __init__(self, outcome: str, names: Sequence[str], others: Collection[str]) -> None:
        self._outcome = outcome
        self._names = list(names)
        self._mine = np.array([name not in others for name in names])
        self._told: _Told | None = None
        self._sure_rows = 0
        self._number = 0

    def tell(self, time_s: float, ahead: FloodsAhead | None, columns: tuple[str, ...]) -> list[Claim]:
        """What the floods ahead give reason to say; ``columns`` are the rain gauges, the one with most rain first."""
        comes = np.zeros(len(self._names)) if ahead is None else ahead.comes(_WITHIN_MIN) * self._mine
        if ahead is None or comes.max(initial=0.0) < _POSSIBLE:
            self._sure_rows = 0
            return self._ended()
        expected = np.flatnonzero(comes >= _SURE)
        self._sure_rows = self._sure_rows + 1 if len(expected) else 0
        told = self._told
        if self._sure_rows < _ROWS_SURE or (told is not None and len(expected) < _GROWN * told.nodes):
            return []
        if told is None:
            self._number += 1
        order = sorted(expected.tolist(), key=lambda k: (-float(ahead.likely_m(_WITHIN_MIN)[k]), self._names[k]))
        now = self._told = _Told(
            f"floods/{self._number}" if told is None else told.key,
            time_s if told is None else told.since_s,
            columns if told is None else told.columns,
            len(expected),
            self._names[order[0]] if told is None else told.place,
        )
        state = FindingState.RAISED if told is None else FindingState.CHANGED
        return [self._claim(now, state, ahead, comes, order)]

    def _claim(self, told: _Told, state: FindingState, ahead: FloodsAhead, comes: Array, order: Sequence[int]) -> Claim:
        deepest_m = max(float(each.max()) for each in (ahead.likely_m(minutes) for minutes in ahead.street_m))
        shown = order[:_SHOWN]
        total = float(comes[shown].sum())
        return Claim(
            self._outcome,
            told.key,
            state,
            Severity.MAJOR if deepest_m >= _MAJOR_M else Severity.MODERATE,
            float(comes[shown].max()),
            told.since_s,
            told.columns,
            tuple(Suspect(self._names[k], round(float(comes[k]) / total, 4)) for k in shown),
            seen={"floods_next": floods_seen(ahead, self._names, shown)},
            fields={
                "place": told.place,
                "places": ", ".join(self._names[k] for k in shown[:3]),
                "probability": f"{100 * float(comes[shown].max()):.0f}",
                "nodes": str(told.nodes),
                "minutes": f"{min(ahead.likely_min(k) for k in shown):.0f}",
                "expected": f"{100 * deepest_m:.0f}",
            },
        )

    def _ended(self) -> list[Claim]:
        told, self._told = self._told, None
        if told is None:
            return []
        return [claim_over(self._outcome, told.key, told.since_s, told.columns, told.place)]

    def state(self) -> dict[str, Any]:
        """What was told, as JSON."""
        return {
            "told": None if self._told is None else list(self._told),
            "sure_rows": self._sure_rows,
            "number": self._number,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken."""
        self._told = None
        if state["told"] is not None:
            key, since_s, columns, nodes, place = state["told"]
            self._told = _Told(key, since_s, tuple(columns), nodes, place)
        self._sure_rows, self._number = state["sure_rows"], state["number"]


def floods_seen(ahead: FloodsAhead, names: Sequence[str], nodes: Sequence[int]) -> list[dict[str, Any]]:
    """As evidence: of each node when water comes, how likely, and how deep it stands in so many minutes."""
    return [
        {
            "asset": names[k],
            "in_min": round(ahead.likely_min(k), 1),
            "probability": round(float(ahead.comes(_WITHIN_MIN)[k]), 3),
            "depth_cm": {
                str(minutes): [round(100 * float(depth[k]), 1) for depth in ahead.spread_m(minutes)]
                for minutes in ahead.street_m
            },
        }
        for k in nodes
    ]


def floods_next(ahead: FloodsAhead, names: Sequence[str]) -> list[list[Any]]:
    """The nodes to which water comes or at which it stands more likely than not, soonest first, with minutes."""
    sure = [(k, ahead.likely_min(k)) for k in np.flatnonzero(ahead.comes(60) >= _SURE).tolist()]
    standing = [(k, 0.0) for k in np.flatnonzero(ahead.now_m >= FLOODED_M).tolist()]
    minutes = {**dict(sure), **dict(standing)}
    ranked = sorted(minutes, key=lambda k: (minutes[k], names[k]))[:_SHOWN]
    return [[names[k], round(minutes[k], 1)] for k in ranked]
