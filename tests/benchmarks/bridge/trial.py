"""One drawn bridge under every case: what is told, when, beside plain methods on the same readings."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from services.alerts.detectors.contract import Claim
from services.alerts.structures.causes import CAUSES
from services.alerts.structures.channels import ALL, SLOW
from services.alerts.structures.structure_search import StructureSearch
from services.core.finding import FindingState
from simulators.bridge_benchmark.case import HEALTHY, Case, readings_of
from simulators.bridge_benchmark.drawn_bridge import DrawnBridge
from simulators.bridge_benchmark.recording import Extent, bridge_of
from simulators.noise import Vector
from tests.benchmarks.bridge.plain_charts import PLAIN, alarming_days

CAUSE_OF = {
    "stiffness-loss": "stiffness",
    "settlement": "settlement",
    "cable-loss": "cable",
    "bearing-stuck": "bearing",
    "scour": "scour",
    "collision": "collision",
}
"""The cause that names each kind of case; those of a sensor are named ``sensor``."""
_DAY_H = 24.0


@dataclass(frozen=True, slots=True)
class Told:
    """One claim that was raised: hours since the case began (or since one may no longer learn), cause, sensors."""

    after_h: float
    cause: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was told of one case; ``alarming`` are the shares of days on which each method rang."""

    bridge: str
    is_stayed: bool
    case: Case
    told: tuple[Told, ...]
    days: int
    alarming: dict[str, float]
    plain_after_d: dict[str, float | None]

    @property
    def cause(self) -> str:
        """The cause that would be right."""
        return CAUSE_OF.get(self.case.kind, "sensor")

    @property
    def first(self) -> Told | None:
        """The first thing told of the structure, or of the sensor that lies."""
        fit = (each for each in self.told if (each.cause == "sensor") == (self.cause == "sensor"))
        return next((each for each in fit if not self.case.sensor or self.case.sensor in each.columns), None)

    @property
    def is_named(self) -> bool:
        """Whether the right cause was told, first or after a correction."""
        return any(
            each.cause == self.cause and (not self.case.sensor or self.case.sensor in each.columns)
            for each in self.told
        )


def outcomes_of(seed: int, number: int, extent: Extent) -> list[Outcome]:
    """Every case of one bridge. The healthy past is walked through once and taken up again for each."""
    bridge, cases = bridge_of(seed, number, extent)
    healthy = _rows(bridge, HEALTHY, extent)
    times_s = extent.hours * 3600
    learnt = round(extent.learnt_days * 86400 / extent.step_s)
    search = _search(bridge, extent)
    _walk(search, times_s[:learnt], healthy[:learnt])
    kept = json.loads(json.dumps(search.state(), allow_nan=False))
    judged = [gauge for gauge in bridge.gauges if gauge.quantity in ALL]
    slow = [k for k, gauge in enumerate(judged) if gauge.quantity in SLOW]
    found = []
    for case in (HEALTHY, *cases):
        rows = healthy if case is HEALTHY else _rows(bridge, case, extent)
        search = _search(bridge, extent)
        search.restore(kept)
        claims = _walk(search, times_s[learnt:], rows[learnt:])
        begins_h = extent.hours[learnt] if case is HEALTHY else extent.hours[extent.onset]
        told = tuple(
            Told((time_s / 3600) - begins_h, claim.outcome, claim.columns)
            for time_s, claim in claims
            if claim.state is FindingState.RAISED
        )
        days = {name: alarming_days(name, rows[:, slow], learnt, extent.step_s) for name in PLAIN}
        onset_day = int((begins_h - extent.hours[learnt]) // _DAY_H)
        found.append(
            Outcome(
                bridge.name,
                bridge.is_stayed,
                case,
                tuple(each for each in told if each.after_h >= 0),
                len(next(iter(days.values()))),
                {"compensated": _share_of_days(claims, times_s[learnt], times_s[-1])}
                | {name: float(np.mean(rang)) for name, rang in days.items()},
                {name: _first_day(rang[onset_day:]) for name, rang in days.items()},
            )
        )
    return found


def _search(bridge: DrawnBridge, extent: Extent) -> StructureSearch:
    channels = [(g.id, g.quantity, g.asset, g.unit) for g in bridge.gauges if g.quantity in ALL]
    return StructureSearch(channels, {cause: cause for cause in CAUSES}, extent.learnt_days * 86400.0)


def _rows(bridge: DrawnBridge, case: Case, extent: Extent) -> Vector:
    readings = readings_of(bridge, case, extent.onset, extent.hours)
    rows: Vector = np.array([readings[g.id] for g in bridge.gauges if g.quantity in ALL]).T
    return rows


def _walk(search: StructureSearch, times_s: Vector, rows: Vector) -> list[tuple[float, Claim]]:
    claims = []
    for time_s, row in zip(times_s.tolist(), rows.tolist(), strict=True):
        search.score(time_s, row)
        claims += [(time_s, claim) for claim in search.claims()]
    return claims


def _share_of_days(claims: Sequence[tuple[float, Claim]], begin_s: float, end_s: float) -> float:
    """The share of days on which at least one trouble of the structure or of a sensor was told to go on."""
    rang = np.zeros(max(1, round((end_s - begin_s) / 86400)), dtype=bool)
    since: dict[str, float] = {}

    def mark(from_s: float, until_s: float) -> None:
        rang[int((from_s - begin_s) // 86400) : int((until_s - begin_s) // 86400) + 1] = True

    for time_s, claim in claims:
        if claim.state is FindingState.RAISED:
            since[claim.key] = time_s
        elif claim.state is FindingState.CLEARED:
            mark(since.pop(claim.key, begin_s), time_s)
    for begun_s in since.values():
        mark(begun_s, end_s)
    return float(rang.mean())


def _first_day(rang: Any) -> float | None:
    found = np.flatnonzero(rang)
    return float(found[0] + 1) if len(found) else None
