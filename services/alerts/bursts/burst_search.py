"""Follows a network with its model and tells where water suddenly leaves it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, ClassVar

import numpy as np

from services.alerts.bursts.evidence import Evidence
from services.alerts.bursts.part_watch import PartWatch
from services.alerts.bursts.places import Located, locate
from services.alerts.bursts.supply_state import Departure, SupplyState
from services.alerts.detectors.contract import UNKNOWN, Claim, Score, SearchDetector, State, Suspect
from services.alerts.hydraulics.followed import severity_of
from services.alerts.hydraulics.metering import Channel
from services.core.finding import FindingState
from services.core.severity import Severity

BURST = "water-burst-located"
_RAISE_AT = 16.0
_SURE_AT = 40.0
"""Three rows and seven rows at the cut of eight deviations, as for the residuals among neighbours."""
_SHOWN = 4
_NEAR = 3
_LOOKED_AGAIN = frozenset({6, 12, 24, 48, 96, 192})
"""After so many rows the place is looked for again, while what is known about it still grows."""
_TOGETHER_S = 1800.0
"""Losses on both sides of a meter that begin within half an hour are one loss."""
_MOST_OF_DRAW = 2.0
"""More than twice what a part draws cannot leave it at one place: a source or a valve has changed."""
_MATERIAL = 0.2
"""A share of the suspicion that has moved by so much is told."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What was told last about a loss that goes on."""

    key: str
    since_s: float
    severity: Severity
    columns: tuple[str, ...]
    suspects: tuple[Suspect, ...]
    flow_m3h: float
    misfit: float


class BurstSearch(SearchDetector):
    """Tells a loss that begins within minutes, where, and how much, without meters at the customers.

    Row by row the model is fitted to the pressures and flows by how much each part between meters draws and at which
    head its sources stand. What the fit leaves, less what it usually leaves, is compared with what a loss at each pipe
    would leave, each instrument weighed by its and its neighbours' usual noise; a sum of that over the rows decides.
    The model is then solved with the loss at the likeliest pipes, which share the suspicion by how well they explain
    the mean since it began.

    Sources: Pudar and Liggett, Journal of Hydraulic Engineering 118 (1992), for leaks as a difference between measured
    and modelled pressures; Casillas Ponce et al., Journal of Hydroinformatics 16 (2014), for matching leak signatures.
    """

    name: ClassVar[str] = "burst-search"
    version: ClassVar[str] = "1"

    def __init__(self, network: str, channels: Sequence[Sequence[str]]) -> None:
        """``network`` is the model's text, ``channels`` sensor, quantity, asset and unit of each column.

        Raises:
            NetworkUnreadableError: EPANET refuses the text.
            ArithmeticError: the model has no solution for its mean demands.
        """
        self.network = network
        self.channels = tuple(Channel(*channel) for channel in channels)
        self.columns = tuple(channel.sensor for channel in self.channels)
        self._supply = SupplyState(network, self.channels)
        self._begin()

    def _begin(self) -> None:
        self._parts = [PartWatch(part) for part in self._supply.parts if len(part.pipes)]
        self._told: dict[int, _Told] = {}
        self._count = 0
        self._claims: list[Claim] = []

    @property
    def locates(self) -> bool:
        """Whether the model knows pressures and at least one flow."""
        return bool(self._supply.metering.pressure) and bool(self._supply.metering.flow)

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "network": self.network,
            "channels": [[each.sensor, each.quantity, each.asset, each.unit] for each in self.channels],
        }

    def score(self, time_s: float, row: Sequence[float]) -> Score:
        """The largest sum of any pipe after this row."""
        self._claims = []
        values = np.array(row, dtype=np.float64) * self._supply.metering.factor
        departure = self._supply.take(values)
        if departure is not None:
            for number, watch in enumerate(self._parts):
                self._judge(time_s, number, watch, departure)
        ready = [float(watch.sums.max()) for watch in self._parts if watch.is_ready]
        return Score(max(ready)) if ready else UNKNOWN

    def claims(self) -> Sequence[Claim]:
        """What changed with the row scored last."""
        return self._claims

    def _judge(self, time_s: float, number: int, watch: PartWatch, departure: Departure) -> None:
        evidence = watch.take(time_s, departure.residual, self._supply, departure.left)
        told = self._told.get(number)
        largest = float(watch.sums.max())
        if told is None:
            if evidence is not None and largest >= _RAISE_AT:
                self._raise(number, watch, evidence, departure)
            else:
                watch.learn(departure.residual, evidence)
        elif watch.is_over:
            del self._told[number]
            watch.close()
            self._tell(FindingState.CLEARED, replace(told, severity=Severity.NORMAL), largest, departure)
        elif evidence is not None:
            self._follow(number, watch, told, departure)

    def _raise(self, number: int, watch: PartWatch, evidence: Evidence, departure: Departure) -> None:
        since_s = watch.begin_s
        if self._is_told_elsewhere(watch, since_s):
            return
        watch.open()
        located = self._located(watch, departure)
        if located is None or located.flow_m3h > _MOST_OF_DRAW * watch.part.draw_m3h.sum() > 0:
            watch.close()
            return
        self._count += 1
        columns = self._clearest(watch, evidence)
        severity = _severity(float(watch.sums.max()), located.flow_m3h)
        told = _Told(f"burst-{self._count}", since_s, severity, columns, located.suspects, *located[1:])
        self._told[number] = told
        watch.follow(self._links(located.suspects))
        self._tell(FindingState.RAISED, told, float(watch.sums.max()), departure)

    def _follow(self, number: int, watch: PartWatch, told: _Told, departure: Departure) -> None:
        largest = float(watch.sums.max())
        known = told
        if watch.rows in _LOOKED_AGAIN:
            located = self._located(watch, departure)
            if located is not None and _has_moved(told.suspects, located.suspects):
                known = replace(told, suspects=located.suspects, flow_m3h=located.flow_m3h, misfit=located.misfit)
                watch.follow(self._links(located.suspects))
        severity = max(told.severity, _severity(largest, known.flow_m3h))
        known = replace(known, severity=severity)
        if known != told:
            self._told[number] = known
            self._tell(FindingState.CHANGED, known, largest, departure)

    def _is_told_elsewhere(self, watch: PartWatch, since_s: float) -> bool:
        """Whether the loss is one that has been told of a part with which this one shares a meter."""
        meters = {int(each) for each in watch.part.measured if each < self._supply.size}
        return any(
            abs(told.since_s - since_s) <= _TOGETHER_S
            and not meters.isdisjoint(self._parts[number].part.measured.tolist())
            for number, told in self._told.items()
        )

    def _links(self, suspects: Sequence[Suspect]) -> set[int]:
        return {self._supply.model.link_index[suspect.asset] for suspect in suspects}

    def _located(self, watch: PartWatch, departure: Departure) -> Located | None:
        mean, covariance = watch.mean(self._supply)
        known = np.isfinite(departure.residual)
        heard = known[: self._supply.size]
        return locate(self._supply, watch.part.pipes, np.where(known, mean, np.nan), covariance, heard)

    def _clearest(self, watch: PartWatch, evidence: Evidence) -> tuple[str, ...]:
        """The instruments that show it most, by how far they are off what is usual beside their noise."""
        measured = watch.part.measured
        mean, covariance = watch.mean(self._supply)
        size = np.abs(mean[measured]) / np.sqrt(covariance.diagonal()[measured])
        size = np.where(np.isfinite(size) & evidence.heard, size, -1.0)
        size[measured >= self._supply.size] = -1.0
        ranked = [int(each) for each in np.argsort(-size, kind="stable")]
        order = [each for each in ranked if size[each] > 0][:_SHOWN] or ranked[:1]
        return tuple(self.columns[self._supply.columns[measured[each]]] for each in order)

    def _tell(self, state: FindingState, told: _Told, score: float, departure: Departure) -> None:
        near = [suspect.asset for suspect in told.suspects[:_NEAR]]
        column = self.columns.index(told.columns[0])
        position = int(np.flatnonzero(self._supply.columns == column)[0])
        off = departure.residual[position] / self._supply.metering.factor[column]
        self._claims.append(
            Claim(
                outcome=BURST,
                key=told.key,
                state=state,
                severity=told.severity,
                score=score,
                since_s=told.since_s,
                columns=told.columns,
                suspects=told.suspects,
                seen={
                    "leak_m3h": round(told.flow_m3h, 1),
                    "misfit": round(told.misfit, 1),
                    "method": self.name,
                    **_off(told.columns[0], off),
                },
                fields={"flow": f"{told.flow_m3h:.0f}", "place": near[0], "places": ", ".join(near)},
            )
        )

    def state(self) -> dict[str, Any]:
        """The fitted state, what is usual in each part, and what goes on."""
        return {
            "supply": self._supply.state(),
            "parts": [watch.state() for watch in self._parts],
            "told": [[number, *_told_state(told)] for number, told in sorted(self._told.items())],
            "count": self._count,
        }

    def restore(self, state: State) -> None:
        """Go on where ``state`` was taken."""
        self._begin()
        self._supply.restore(state["supply"])
        for watch, part in zip(self._parts, state["parts"], strict=True):
            watch.restore(part)
        self._told = {number: _told_restored(rest) for number, *rest in state["told"]}
        self._count = state["count"]


def _severity(largest: float, flow_m3h: float) -> Severity:
    """How bad a loss is: by its flow, but no more than moderate before it has lasted."""
    by_flow = severity_of(flow_m3h)
    return by_flow if largest >= _SURE_AT else min(by_flow, Severity.MODERATE)


def _has_moved(before: Sequence[Suspect], after: Sequence[Suspect]) -> bool:
    """Whether the suspicion has changed so much that it is worth telling."""
    if before[0].asset != after[0].asset:
        return True
    shares, newer = dict(before), dict(after)
    return any(abs(newer.get(asset, 0.0) - shares.get(asset, 0.0)) >= _MATERIAL for asset in shares | newer)


def _off(column: str, off: float) -> Mapping[str, Any]:
    return {"off": {column: round(float(off), 3)}} if isfinite(off) else {}


def _told_state(told: _Told) -> list[Any]:
    suspects = [list(suspect) for suspect in told.suspects]
    return [told.key, told.since_s, int(told.severity), list(told.columns), suspects, told.flow_m3h, told.misfit]


def _told_restored(state: Sequence[Any]) -> _Told:
    key, since_s, severity, columns, suspects, *rest = state
    return _Told(key, since_s, Severity(severity), tuple(columns), tuple(Suspect(*each) for each in suspects), *rest)
