"""The cause that was told last, and the claims that raise, change and end it."""

from collections.abc import Callable, Mapping, Sequence
from math import isfinite, nan
from typing import Any, NamedTuple

import numpy as np

from services.alerts.detectors.contract import Claim, Suspect, claim_over
from services.alerts.sewers.channels import Gauged, shown
from services.alerts.sewers.diagnosis import BESIDE_OFF, Diagnosis, Verdict
from services.alerts.sewers.excess import Excess
from services.alerts.sewers.expectation import Expectation
from services.alerts.sewers.flow_routing import FlowRouting
from services.alerts.sewers.pipe_sections import Array
from services.alerts.sewers.suspicions import Cause, Suspicion
from services.core.finding import FindingState
from services.core.severity import Severity

_ROWS_SURE, _ROWS_OTHER = 2, 12
"""So many rows one after the other have to agree on a cause; more on another one than was named: when a trouble ends,
what it left runs off."""
_TELLS_AGAIN_S = 3600.0
"""So long after it was told, another suspect may take the first place of the same trouble."""
_SHOWN_SUSPECTS = 10
_SEVERITY = {
    Cause.BLOCKAGE: Severity.MODERATE,
    Cause.PUMP: Severity.MAJOR,
    Cause.GATE: Severity.MAJOR,
    Cause.OUTFALL: Severity.MODERATE,
    Cause.INFLOW: Severity.MINOR,
    Cause.SENSOR: Severity.MINOR,
}
_SEEPS = "infiltration"
"""The rule for inflow that came as groundwater does."""
Traces = Callable[[int, str], Mapping[str, Any]]
"""What an asset's trouble does next under the suspicion of a column of the trial, as evidence."""


class _Claimed(NamedTuple):
    cause: Cause
    outcome: str
    key: str
    since_s: float
    columns: tuple[str, ...]
    asset: str


class ToldCause:
    """Says each cause once, again when its first suspect becomes another, and when it is over."""

    def __init__(
        self, outcomes: Mapping[str, str], gauges: Sequence[Gauged], expected: Expectation, excess: Excess
    ) -> None:
        self._outcomes = outcomes
        self._excess = excess
        self._gauges = gauges
        self._expected = expected
        self._claimed: _Claimed | None = None
        self._told_s = nan
        self._number = 0

    @property
    def cause(self) -> Cause | None:
        """The cause that is told and has not ended."""
        return None if self._claimed is None else self._claimed.cause

    def tell(
        self, time_s: float, verdict: Verdict, diagnosis: Diagnosis, sound: FlowRouting, traces: Traces
    ) -> list[Claim]:
        """What a verdict gives reason to say; ``sound`` are the sewers as they should be."""
        is_other = self._claimed is not None and self._claimed.cause is not verdict.cause
        trial = diagnosis.trial
        if trial is None or str(verdict.cause) not in self._outcomes:
            return []
        if verdict.rows < (_ROWS_OTHER if is_other else _ROWS_SURE):
            return []
        ended = self.end() if is_other else []
        suspects = _suspects(trial.suspicions, verdict.shares, verdict.cause)
        before = self._claimed
        if before is not None and (before.asset == suspects[0].asset or time_s - self._told_s < _TELLS_AGAIN_S):
            return ended
        self._told_s = time_s
        if before is None:
            self._number += 1
        key = f"cause/{self._number}" if before is None else before.key
        since_s = diagnosis.onset_s if before is None else before.since_s
        columns = self._columns()
        outcome = self._outcome(verdict.cause, columns[0]) if before is None else before.outcome
        claimed = self._claimed = _Claimed(verdict.cause, outcome, key, since_s, columns, suspects[0].asset)
        best = max(
            (k for k, each in enumerate(trial.suspicions) if each.cause is verdict.cause),
            key=lambda k: (float(verdict.shares[k]), -k),
        )
        seen = {
            **traces(best, claimed.asset),
            "size": trial.suspicions[best].size,
            "high": diagnosis.high,
            "low": diagnosis.low,
        }
        if verdict.cause is Cause.INFLOW:
            seen["rose_min"] = round(self._excess.rose_min(self._number_of(columns[0])))
        state = FindingState.RAISED if before is None else FindingState.CHANGED
        return [*ended, self._claim(claimed, state, suspects, verdict.by_cause[verdict.cause], sound=sound, seen=seen)]

    def end(self) -> list[Claim]:
        """Say that what was told is over, if something was."""
        claimed, self._claimed = self._claimed, None
        if claimed is None:
            return []
        return [claim_over(claimed.outcome, claimed.key, claimed.since_s, claimed.columns, claimed.asset)]

    def _outcome(self, cause: Cause, column: str) -> str:
        """The rule for a cause; inflow is told apart by how it came."""
        seeps = cause is Cause.INFLOW and self._excess.seeps(self._number_of(column))
        return self._outcomes[_SEEPS if seeps and _SEEPS in self._outcomes else str(cause)]

    def _number_of(self, column: str) -> int:
        return next(k for k, gauge in enumerate(self._gauges) if gauge.channel.id == column)

    def _columns(self) -> tuple[str, ...]:
        """The sensors that are off, most first; at least one."""
        order = np.argsort(-np.abs(self._expected.off), kind="stable").tolist()
        return tuple(self._gauges[k].channel.id for k in order if abs(self._expected.off[k]) >= BESIDE_OFF) or (
            self._gauges[order[0]].channel.id,
        )

    def _claim(
        self,
        claimed: _Claimed,
        state: FindingState,
        suspects: tuple[Suspect, ...],
        share: float,
        *,
        sound: FlowRouting,
        seen: Mapping[str, Any],
    ) -> Claim:
        first = self._number_of(claimed.columns[0])
        gauge = self._gauges[first]
        usual = float(shown(sound, [gauge])[0, 0] + self._expected.bias[first]) / gauge.scale
        return Claim(
            claimed.outcome,
            claimed.key,
            state,
            _SEVERITY[claimed.cause],
            share,
            claimed.since_s,
            claimed.columns,
            suspects,
            expected=round(usual, 3),
            seen=seen,
            fields={
                "place": claimed.asset,
                "places": ", ".join(f"{s.asset} ({100 * s.probability:.0f} %)" for s in suspects[:3]),
                "probability": f"{100 * share:.0f}",
                "expected": f"{usual:.2f}",
            },
        )

    def state(self) -> dict[str, Any]:
        """What was told, as JSON."""
        claimed = self._claimed
        told = None if claimed is None else [str(claimed.cause), *claimed[1:4], list(claimed.columns), claimed.asset]
        return {
            "claimed": told,
            "told_s": self._told_s if isfinite(self._told_s) else None,
            "number": self._number,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken."""
        self._claimed = None
        if state["claimed"] is not None:
            cause, outcome, key, since_s, columns, asset = state["claimed"]
            self._claimed = _Claimed(Cause(cause), outcome, key, since_s, tuple(columns), asset)
        self._told_s = nan if state["told_s"] is None else state["told_s"]
        self._number = state["number"]


def _suspects(suspected: Sequence[Suspicion], shares: Array, cause: Cause) -> tuple[Suspect, ...]:
    """The assets of a cause, likeliest first; their shares are those of all causes together."""
    by_asset: dict[str, float] = {}
    for each, share in zip(suspected, shares.tolist(), strict=True):
        if each.cause is cause:
            by_asset[each.asset] = by_asset.get(each.asset, 0.0) + share
    ranked = sorted(by_asset, key=lambda asset: (-by_asset[asset], asset))[:_SHOWN_SUSPECTS]
    return tuple(Suspect(asset, round(by_asset[asset], 4)) for asset in ranked)
