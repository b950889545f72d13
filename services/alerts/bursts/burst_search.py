"""Follows a network with its model and tells where water suddenly leaves it, and what only looks as if it did."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from services.alerts.bursts.burst_claims import (
    BURST,
    DRAW,
    ENDED,
    EXPLAINED,
    GOES_ON,
    HYDRANT_LASTS_S,
    HYDRANT_M3H,
    METER_OFF,
    NIGHT,
    PRESSURE_OFF,
    SOURCE,
    VALVE,
    ToldChange,
    ToldLoss,
    is_like_a_hydrant,
    severity,
)
from services.alerts.bursts.causes import Moved, Off, likeliest_cause, reopened
from services.alerts.bursts.changes import Changes
from services.alerts.bursts.departure_fit import DepartureFit
from services.alerts.bursts.evidence import Evidence
from services.alerts.bursts.night_draw import NightDraw
from services.alerts.bursts.part_watch import PartWatch
from services.alerts.bursts.places import Located
from services.alerts.bursts.row_weighing import RowWeighing, Weighed
from services.alerts.bursts.source_watch import SourceWatch
from services.alerts.bursts.supply_state import Departure, SupplyState
from services.alerts.detectors.contract import UNKNOWN, Claim, Score, SearchDetector, State, Suspect
from services.alerts.hydraulics.metering import Channel
from services.core.finding import FindingState
from services.core.severity import Severity
from services.core.text import Text

_RAISE_AT = 16.0
"""Three rows at the cut of eight deviations, as for the residuals among neighbours."""
_SHOWN = 4
_LOOKED_AGAIN = frozenset({6, 12, 24, 48, 96, 192})
"""After so many rows the place is looked for again, while what is known about it still grows."""
_TOGETHER_S = 1800.0
"""Losses on both sides of a meter that begin within half an hour are one loss."""
_MATERIAL = 0.2
"""A share of the suspicion that has moved by so much is told."""
_OPEN_ROWS = 3
"""So many rows in a row show that a valve has been opened again."""


class BurstSearch(SearchDetector):
    """Tells a loss that begins within minutes, where, and how much, without meters at the customers.

    Row by row the model is fitted to the pressures and flows by how much each part between meters draws and at which
    head its sources stand; an instrument that agrees with no loss is left out of the fit. What the fit leaves, less
    what it usually leaves, is compared with what a loss at each pipe would leave, each instrument weighed by its and
    its neighbours' usual noise; a sum of that over the rows decides. The model is then solved with the loss at the
    likeliest pipes, with valves moved, and with one instrument off; what explains the mean since it began best is told.
    A valve stays moved in the model from then on. A loss that a hydrant could give is told as a draw until it has
    lasted for longer than water is drawn from hydrants.

    Sources: Pudar and Liggett, Journal of Hydraulic Engineering 118 (1992), for leaks as a difference between measured
    and modelled pressures; Casillas Ponce et al., Journal of Hydroinformatics 16 (2014), for matching leak signatures.
    """

    name: ClassVar[str] = "burst-search"
    version: ClassVar[str] = "2"

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
        self._weighing = RowWeighing(self._supply, self._parts)
        self._sources = [SourceWatch(position) for position in range(len(self._supply.sources))]
        self._nights = [NightDraw() for _ in self._parts]
        self._told: dict[int, ToldLoss] = {}
        self._changes = Changes()
        self._count = 0
        self._open_rows = 0
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
        believed = self._weighing.believed(values)
        departure = self._supply.take(believed)
        if departure is not None and not (self._supply.shut and self._is_reopened(departure)):
            weighed = self._weighing.weigh(time_s, values, believed, departure)
            if weighed is not None:
                self._judge_row(time_s, weighed)
        ready = [float(watch.sums.max()) for watch in self._parts if watch.is_ready]
        return Score(max(ready)) if ready else UNKNOWN

    def claims(self) -> Sequence[Claim]:
        """What changed with the row scored last."""
        return self._claims

    def _judge_row(self, time_s: float, weighed: Weighed) -> None:
        departure = weighed.departure
        for instrument in weighed.believed_again:
            self._end_change(f"off-{instrument}", departure)
        for instrument in weighed.disbelieved:
            self._disbelieve(instrument, time_s, departure)
        if self._weighing.is_supplied:
            for source, head_m in zip(self._sources, self._supply.heads_m.tolist(), strict=True):
                self._judge_source(source, time_s, head_m, departure)
        for number, watch in enumerate(self._parts):
            self._judge_night(time_s, number, watch, departure)
            if self._judge(time_s, number, watch, weighed.evidences[number], departure):
                break

    def _disbelieve(self, instrument: int, since_s: float, departure: Departure) -> None:
        column = int(self._supply.columns[instrument])
        channel = self.channels[column]
        is_pressure = instrument < len(self._supply.metering.pressure)
        outcome = PRESSURE_OFF if is_pressure else METER_OFF
        told = ToldChange(outcome, since_s, (channel.sensor,), (channel.asset,))
        self._begin_change(f"off-{instrument}", told, departure)

    def _judge_source(self, source: SourceWatch, time_s: float, head_m: float, departure: Departure) -> None:
        change = source.take(time_s, head_m)
        if change is None:
            return
        name = f"source-{change.source}"
        if change.is_over:
            self._end_change(name, departure)
            return
        asset = self._supply.model.nodes[self._supply.sources[change.source]]
        columns = (self.columns[self._nearest_column(change.source)],)
        self._begin_change(name, ToldChange(SOURCE, change.since_s, columns, (asset,), change.off_m), departure)

    def _judge_night(self, time_s: float, number: int, watch: PartWatch, departure: Departure) -> None:
        """Judge what a part draws at night, while no loss is told of it."""
        draw_m3h = float("nan") if number in self._told else self._supply.draw_m3h(watch.part, departure)
        change = self._nights[number].take(time_s, draw_m3h)
        if change is None:
            return
        if change.severity is Severity.NORMAL:
            self._end_change(f"night-{number}", departure)
            return
        columns = self._meters(watch)
        assets = tuple(self.channels[self.columns.index(column)].asset for column in columns)
        told = ToldChange(NIGHT, time_s, columns, assets, change.excess_m3h, change.severity)
        self._begin_change(f"night-{number}", told, departure)

    def _meters(self, watch: PartWatch) -> tuple[str, ...]:
        """The sensors at the borders of a part, or else those in it."""
        supply = self._supply
        found = [int(each) for each in watch.part.measured if each < supply.size]
        meters = [each for each in found if each >= len(supply.metering.pressure)] or found
        return tuple(self.columns[int(supply.columns[each])] for each in meters[:_SHOWN])

    def _nearest_column(self, source: int) -> int:
        """The instrument that answers most to the head of a source."""
        answer = np.abs(self._supply.answers.known[:, len(self._supply.shares) + source])
        return int(self._supply.columns[int(answer[: len(self._supply.metering.pressure)].argmax())])

    # Losses.

    def _judge(
        self, time_s: float, number: int, watch: PartWatch, evidence: Evidence | None, departure: Departure
    ) -> bool:
        """Judge a part by a row; whether the model itself has changed by it."""
        if evidence is not None:
            watch.take(time_s, departure.residual, evidence)
        told = self._told.get(number)
        largest = float(watch.sums.max())
        if told is None:
            if evidence is not None and largest >= _RAISE_AT:
                return self._raise(time_s, number, watch, evidence, departure)
            watch.learn(departure.residual, evidence)
        elif watch.is_over:
            self._end_loss(number, watch, departure, ENDED)
        elif evidence is not None:
            return self._follow(time_s, number, watch, told, departure)
        return False

    def _raise(self, time_s: float, number: int, watch: PartWatch, evidence: Evidence, departure: Departure) -> bool:
        since_s = watch.begin_s
        if self._is_told_elsewhere(watch, since_s):
            return False
        watch.open()
        cause = self._cause(watch, departure)
        if cause is None:
            watch.doubt()
            return False
        if not isinstance(cause, Located):
            watch.close()
            return self._take_over(cause, since_s, watch, departure)
        outcome = DRAW if is_like_a_hydrant(cause.flow_m3h, since_s, time_s) else BURST
        columns = self._clearest(watch, evidence)
        grave = severity(outcome, float(watch.sums.max()), cause.flow_m3h)
        told = ToldLoss(outcome, "", since_s, grave, columns, cause.suspects, cause.flow_m3h, cause.misfit)
        self._begin_loss(number, watch, told, departure)
        return False

    def _begin_loss(self, number: int, watch: PartWatch, told: ToldLoss, departure: Departure) -> None:
        self._count += 1
        self._told[number] = replace(told, key=f"burst-{self._count}")
        watch.follow(self._links(told.suspects))
        self._tell(FindingState.RAISED, self._told[number], watch, departure)

    def _end_loss(self, number: int, watch: PartWatch, departure: Departure, ending: Text) -> None:
        told = self._told.pop(number)
        watch.close()
        self._tell(FindingState.CLEARED, told, watch, departure, ending)

    def _follow(self, time_s: float, number: int, watch: PartWatch, told: ToldLoss, departure: Departure) -> bool:
        known = told
        if watch.rows in _LOOKED_AGAIN:
            cause = self._cause(watch, departure)
            if isinstance(cause, Moved | Off):
                self._end_loss(number, watch, departure, EXPLAINED)
                return self._take_over(cause, told.since_s, watch, departure)
            if cause is not None and _has_moved(told.suspects, cause.suspects):
                known = replace(told, suspects=cause.suspects, flow_m3h=cause.flow_m3h, misfit=cause.misfit)
                watch.follow(self._links(cause.suspects))
        lasts = watch.shows and time_s - known.since_s > HYDRANT_LASTS_S
        if known.outcome == DRAW and (lasts or known.flow_m3h > HYDRANT_M3H):
            self._tell(FindingState.CLEARED, told, watch, departure, GOES_ON)
            known = replace(known, outcome=BURST)
        grave = max(told.severity, severity(known.outcome, float(watch.sums.max()), known.flow_m3h))
        known = replace(known, severity=grave)
        if known.outcome != told.outcome:
            self._begin_loss(number, watch, known, departure)
        elif known != told:
            self._told[number] = known
            self._tell(FindingState.CHANGED, known, watch, departure)
        return False

    def _cause(self, watch: PartWatch, departure: Departure) -> Located | Moved | Off | None:
        return likeliest_cause(self._fit(watch.mean(self._supply), departure), self._supply, watch.part)

    def _fit(self, shown: tuple[np.ndarray, np.ndarray], departure: Departure) -> DepartureFit:
        known = np.isfinite(departure.residual)
        return DepartureFit(self._supply, np.where(known, shown[0], np.nan), shown[1], known[: self._supply.size])

    def _take_over(self, cause: Moved | Off, since_s: float, watch: PartWatch, departure: Departure) -> bool:
        """Believe another explanation than a loss from now on; whether the model has changed by it."""
        if isinstance(cause, Off):
            self._weighing.instruments.disbelieve(cause.instrument, since_s)
            self._disbelieve(cause.instrument, since_s, departure)
            return True
        if cause.link in cause.shut:
            columns = tuple(self._measured(watch)[:_SHOWN])
            told = ToldChange(VALVE, since_s, columns, self._where(cause))
            self._begin_change(f"valve-{cause.link}", told, departure)
        else:
            self._end_change(f"valve-{cause.link}", departure)
        self._move(cause.shut)
        return True

    def _where(self, cause: Moved) -> tuple[str, ...]:
        """The links that may be shut and the nodes at their ends, where their valves stand, likeliest first."""
        model = self._supply.model
        likely = [cause.link, *(link for link in cause.like if link != cause.link)]
        named = [name for link in likely for name in (model.links[link], *(model.nodes[n] for n in model.ends[link]))]
        return tuple(dict.fromkeys(named))

    def _move(self, shut: frozenset[int]) -> None:
        """From now on these links of the model are shut, and what was summed up without that is forgotten."""
        self._supply.shut_links(shut)
        self._weighing.instruments.forgive()
        for number, watch in enumerate(self._parts):
            if number not in self._told:
                watch.close()

    def _is_reopened(self, departure: Departure) -> bool:
        """Whether a shut link stands open again, by several rows in a row; the model has changed then."""
        found = None
        for watch in self._parts:
            if self._supply.shut and watch.is_ready:
                found = reopened(self._fit(watch.row(departure.residual, self._supply), departure), self._supply)
            if found is not None:
                break
        self._open_rows = 0 if found is None else self._open_rows + 1
        if found is None or self._open_rows < _OPEN_ROWS:
            return False
        self._open_rows = 0
        self._end_change(f"valve-{found}", departure)
        self._move(self._supply.shut - {found})
        return True

    def _measured(self, watch: PartWatch) -> list[str]:
        found = [int(each) for each in watch.part.measured if each < self._supply.size]
        return [self.columns[int(self._supply.columns[each])] for each in found]

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

    # What is told.

    def _tell(
        self, state: FindingState, told: ToldLoss, watch: PartWatch, departure: Departure, ending: Text = ENDED
    ) -> None:
        off = self._off(told.columns[0], departure)
        self._claims.append(told.claim(state, float(watch.sums.max()), off, ending))

    def _off(self, sensor: str, departure: Departure) -> float:
        column = self.columns.index(sensor)
        position = int(np.flatnonzero(self._supply.columns == column)[0])
        return float(departure.residual[position] / self._supply.metering.factor[column])

    def _begin_change(self, name: str, change: ToldChange, departure: Departure) -> None:
        self._claims.append(self._changes.begin(name, change, _score(departure)))

    def _end_change(self, name: str, departure: Departure) -> None:
        self._claims += self._changes.end(name, _score(departure))

    def state(self) -> dict[str, Any]:
        """The fitted state, what is usual in each part, and what goes on."""
        return {
            "supply": self._supply.state(),
            "parts": [watch.state() for watch in self._parts],
            "weighing": self._weighing.state(),
            "sources": [source.state() for source in self._sources],
            "nights": [night.state() for night in self._nights],
            "told": [[number, told.state()] for number, told in sorted(self._told.items())],
            "changes": self._changes.state(),
            "count": self._count,
            "open_rows": self._open_rows,
        }

    def restore(self, state: State) -> None:
        """Go on where ``state`` was taken."""
        self._begin()
        self._supply.restore(state["supply"])
        for watch, part in zip(self._parts, state["parts"], strict=True):
            watch.restore(part)
        self._weighing.restore(state["weighing"])
        for source, memory in zip(self._sources, state["sources"], strict=True):
            source.restore(memory)
        for night, memory in zip(self._nights, state["nights"], strict=True):
            night.restore(memory)
        self._told = {number: ToldLoss.restored(told) for number, told in state["told"]}
        self._changes.restore(state["changes"])
        self._count = state["count"]
        self._open_rows = state["open_rows"]


def _score(departure: Departure) -> float:
    """The largest departure of any instrument."""
    return float(np.nanmax(np.abs(departure.residual), initial=0.0))


def _has_moved(before: Sequence[Suspect], after: Sequence[Suspect]) -> bool:
    """Whether the suspicion has changed so much that it is worth telling."""
    if before[0].asset != after[0].asset:
        return True
    shares, newer = dict(before), dict(after)
    return any(abs(newer.get(asset, 0.0) - shares.get(asset, 0.0)) >= _MATERIAL for asset in shares | newer)
