"""Finds, locates and follows leaks with a hydraulic model that is corrected by what the meters say."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import ceil, isfinite, nan
from typing import Any, ClassVar

import numpy as np

from services.alerts.detectors.contract import UNKNOWN, Claim, Score, SearchDetector, State, Suspect
from services.alerts.hydraulics.block import ActiveLeak, Block, block_of
from services.alerts.hydraulics.block_evidence import Linear
from services.alerts.hydraulics.epanet_model import Array
from services.alerts.hydraulics.evidence import Evidence, summed
from services.alerts.hydraulics.evidence_maker import EvidenceMaker
from services.alerts.hydraulics.followed import FollowedLeak, severity_of
from services.alerts.hydraulics.hypotheses import Scales, Weighed, probabilities, shaped, without
from services.alerts.hydraulics.ledger import Entry, Ledger, Part
from services.alerts.hydraulics.metering import Channel
from services.alerts.hydraulics.model_doubts import Beliefs
from services.alerts.hydraulics.pipe_distance import PipeDistances
from services.core.finding import FindingState
from services.core.severity import Severity

LEAK = "water-leak-located"
SENSOR_OFF = "water-pressure-off-model"

_BLOCK_S = 7200.0
_LEARN_BLOCKS = 7 * 12
"""A week is learnt from where nobody says how long: demands repeat weekly."""
_REMEMBERED_BLOCKS = 30 * 12
_RAISE = 30.0
"""Log likelihood ratio from which something is behind the evidence: seven deviations, where some hundred places are
compared every hour for years and the noise is not quite as modelled."""
_RAISE_OFF = 60.0
"""The same for a sensor: nobody is in a hurry to send for one that differs by centimetres."""
_RAISE_AT_ONCE = 150.0
"""The same for what leaks already while the model is learnt, which only beliefs tell from faults of the model."""
_CERTAIN = 0.8
_CERTAIN_LATER = 0.6
_NEAR_M = 300.0
"""A leak counts as located when so much of the probability lies within so far of one pipe, along the pipes: the
radius in which a crew listens (and which BattLeDIM accepts)."""
_PATIENCE_BLOCKS = 36
_RELOCATED_BLOCKS = 36
"""Youngest blocks that are solved anew with a leak in the model."""
_LEAST_FLOW_M3H = 0.3
_LEAST_OFFSET_M = 0.08
"""A pressure transmitter of 0.1 % of 80 m is no better than this."""
_PLAIN = 6.0
"""Log ratio by which one explanation has to be better than another to be preferred."""
_SUSPECTS = 20
_LEAST_SHARE = 0.0005
_REPAIR_BLOCKS = 3
_REPAIRED = 0.3
_REPAIR_SURE = 4.0
"""A leak that for so many blocks lost less than this part of what was told, surely by so many deviations, is gone."""
_SLOWEST_FALL = 0.95
_STEADY_BLOCKS = 12
"""Blocks over which the gap of a sensor that is not believed is averaged."""
_RESISTANCES = (0.003, 0.01, 0.03, 0.1, 0.25)
_DRAWS = (0.03, 0.1, 0.3)
_OFFSETS_M = (0.003, 0.01, 0.03, 0.1, 0.3)
_WIDEST = Beliefs(_RESISTANCES[-1], _DRAWS[-1], _OFFSETS_M[-1])
_INFLATIONS = (1.0, 2.0, 4.0, 8.0)
"""How wrong a model may be; the learning week chooses, by how likely each makes it."""
_WINDOWS: tuple[tuple[int, tuple[int, ...]], ...] = ((1, (2, 5)), (2, (12,)), (6, (24, 48)), (12, (96, 192, 360)))
"""Every so many blocks, windows of so many blocks are searched."""
_FOLLOW_EVERY = 3
_DAY_BLOCKS = 12
_RECALIBRATE_EVERY = 7 * _DAY_BLOCKS
_SETTLING_BLOCKS = 24
"""No sensor is blamed while a leak that was just found may not yet have its right flow and place."""
_REST_BLOCKS = 12
"""A leak that was put somewhere stays there for a day before it is put elsewhere."""
_ECHO_PART = 0.5
_ECHO_M = 600.0
"""What is found nearer than this to a leak at least twice as large is that leak, not quite in its place."""
_SAME_FLOW = 1.6
"""A leak that is put elsewhere loses about what it lost; if it would not, it is not that leak."""
_ELSEWHERE = 0.6
"""A found leak is moved if that explains so much of what a new one would explain: one is likelier than two."""


@dataclass(frozen=True, slots=True)
class Course:
    """How a leak went from block ``first`` up to ``end``: ``flow_m3h`` in the mean, all at once or growing.

    What grows is the diameter of the hole, evenly; the flow with its square.
    """

    first: int
    end: int
    flow_m3h: float
    grows: bool

    def at(self, number: int) -> float:
        """Its flow in a block, m3/h."""
        if number < self.first:
            return 0.0
        if not self.grows:
            return self.flow_m3h
        return self.flow_m3h * 3 * ((number - self.first + 0.5) / (self.end - self.first)) ** 2

    def mean(self, part: Part) -> float:
        """Its mean flow in a part, m3/h."""
        return (self.at(part.first) + self.at(part.end - 1)) / 2


@dataclass(frozen=True, slots=True)
class _Found:
    """A leak as a search sees it before it is claimed."""

    asset: str
    flow_m3h: float
    flow_deviation_m3h: float
    onset: int
    ratio: float
    likely: Array
    change: Callable[[int, Entry], Entry]
    parts: list[Part]


class LeakSearch(SearchDetector):
    """Looks for leaks in a network with a model, pressures, and meters at the borders of its areas.

    Every two hours the model is solved with what the meters say was drawn and the leaks found. The pressures'
    residuals are explained by what may be wrong with the model for good (``ModelDoubts``), by noise of the draws, and
    by a leak at any pipe since any moment; the generalised likelihood ratio says whether there is one, the same ratio
    over all pipes where. What is found goes into the model before the next is looked for.

    Sources: Pérez et al. (2011) for leak sensitivities; Steffelbauer et al. (2022, "dual model", BattLeDIM) for
    calibrating draws and putting found leaks into the model; Willsky & Jones (1976) for the ratio; MacKay (1992) for
    choosing how wrong a model is by the evidence.
    """

    name: ClassVar[str] = "model-leak-search"
    version: ClassVar[str] = "1"

    def __init__(
        self,
        network: str,
        channels: Sequence[Sequence[str]],
        learn_until_s: float | None = None,
        processes: int = 1,
    ) -> None:
        """``network`` is the model's text, ``channels`` sensor, quantity, asset and unit of each column.

        Raises:
            NetworkUnreadableError: EPANET refuses the text.
            ArithmeticError: the model has no solution for its own patterns.
        """
        self.network = network
        self.channels = tuple(Channel(*channel) for channel in channels)
        self.columns = tuple(channel.sensor for channel in self.channels)
        self.learn_until_s = learn_until_s
        self.processes = processes
        self._maker = EvidenceMaker(network, self.channels, processes)
        self._distances = PipeDistances(self._maker.model)
        self._links = self._maker.model.links
        self._link_index = self._maker.model.link_index
        pipes = self._maker.model.is_pipe
        self._prior: Array = np.where(pipes, self._maker.model.length_m, 0.0)
        self._prior /= self._prior.sum()
        self._begin()

    def _begin(self) -> None:
        self._rows: list[list[float | None]] = []
        self._end_s: float | None = None
        self._before: list[float | None] = [None] * len(self.columns)
        self._ledger = Ledger(_REMEMBERED_BLOCKS, self._maker.doubts.size)
        self._stale = False
        self._beliefs: Beliefs | None = None
        self._inflation = 1.0
        self._leaks: dict[str, FollowedLeak] = {}
        self._muted: dict[str, list[float]] = {}
        self._count = 0
        self._learnt = 0
        self._loudest = nan
        self._deaf_until = 0
        self._deaf_ratio = 0.0
        self._claims: list[Claim] = []
        self._last_linear: Linear | None = None

    @property
    def locates(self) -> bool:
        """Whether the meters close the balance of a part of the network, without which no model can be trusted."""
        return bool(self._maker.metering.areas) and bool(self._maker.metering.pressure)

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "network": self.network,
            "channels": [[each.sensor, each.quantity, each.asset, each.unit] for each in self.channels],
            "learn_until_s": self.learn_until_s,
            "processes": self.processes,
        }

    def score(self, time_s: float, row: Sequence[float]) -> Score:
        """The log likelihood ratio of the likeliest new leak, as of the last full block."""
        self._claims = []
        if self._end_s is not None and time_s > self._end_s:
            self._close()
        if self._end_s is None:
            self._end_s = ceil(time_s / _BLOCK_S) * _BLOCK_S
        factors = self._maker.metering.factor.tolist()
        values = [value * factor for value, factor in zip(row, factors, strict=True)]
        self._rows.append([value if isfinite(value) else None for value in values])
        if time_s >= self._end_s:
            self._close()
        return Score(self._loudest) if isfinite(self._loudest) else UNKNOWN

    def claims(self) -> Sequence[Claim]:
        """What changed with the block that ended with the row scored last."""
        return self._claims

    def _close(self) -> None:
        if self._end_s is None:
            return
        rows = [_array(row) for row in self._rows]
        block = block_of(self._maker.metering, self._end_s - _BLOCK_S, self._end_s, rows, _array(self._before))
        self._before = self._rows[-1]
        self._rows = []
        self._end_s = None
        self.take(block)

    def take(self, block: Block) -> None:
        """Take a block."""
        if self._stale:
            self._ledger.refill(self._maker.evidences)
            self._stale = False
        number = self._ledger.end
        entry = Entry(block, self._active_now(), tuple(sorted(self._muted_positions())))
        if self._beliefs is None:
            self._ledger.add(entry, None)
            due = block.end_s >= self.learn_until_s if self.learn_until_s is not None else number + 1 >= _LEARN_BLOCKS
            if due:
                self._settle()
            return
        linear = self._maker.linear(entry)
        self._last_linear = linear
        self._ledger.add(entry, self._maker.evidence(entry, linear))
        if (number - self._learnt) % _RECALIBRATE_EVERY == 0:
            self._recalibrate()
        self._follow(number)
        self._search(number)

    def _active_now(self) -> tuple[ActiveLeak, ...]:
        return tuple(ActiveLeak(leak.key, leak.asset, leak.flow_m3h) for leak in self._leaks.values())

    def _muted_positions(self) -> list[int]:
        channels = self._maker.metering.pressure
        return [position for position, column in enumerate(channels) if self.columns[column] in self._muted]

    def _active(self) -> dict[str, tuple[int, float]]:
        return {key: (self._link_index[leak.asset], leak.flow_m3h) for key, leak in self._leaks.items()}

    # Learning: how wrong is the model, and does something leak already?

    def _settle(self) -> None:
        self._ledger.refill(self._maker.evidences)
        parts = self._ledger.since(self._ledger.first)
        if not parts:
            self._beliefs = _WIDEST
            return
        while True:
            week = summed(part.evidence for part in self._ledger.since(self._ledger.first) if part.evidence)
            self._beliefs, self._inflation = self._likeliest(week)
            before = len(self._leaks)
            self._search(self._ledger.end - 1, whole=True)
            if len(self._leaks) == before:
                break
        # Sums of the evidence begin at such numbers.
        self._learnt = self._ledger.end // _DAY_BLOCKS * _DAY_BLOCKS

    def _recalibrate(self) -> None:
        """Choose the beliefs anew by the last month, with what was found in the model."""
        parts = [part.evidence for part in self._ledger.parts if part.evidence is not None]
        if parts:
            self._beliefs, self._inflation = self._likeliest(summed(parts), leaking=False)

    def _likeliest(self, week: Evidence, *, leaking: bool = True) -> tuple[Beliefs, float]:
        """The beliefs that make the evidence likeliest, also if something leaks in it."""
        best, chosen = -np.inf, (_WIDEST, _INFLATIONS[-1])
        for resistance, draw, offset_m, inflation in product(_RESISTANCES, _DRAWS, _OFFSETS_M, _INFLATIONS):
            beliefs = Beliefs(resistance, draw, offset_m)
            precision = self._maker.doubts.precision(beliefs)
            likely = _likelihood(week, precision, inflation)
            if leaking:
                verdict = Scales(week, precision, inflation).weigh(week, self._active(), self._maker.doubts.offsets)
                likely += max(float(verdict.leaks.ratio.max()) - _RAISE_AT_ONCE, 0.0)
            if likely > best:
                best, chosen = likely, (beliefs, inflation)
        return chosen

    def _scales(self, extra: Evidence | None = None, parts: list[Part] | None = None) -> Scales:
        said = [part.evidence for part in (self._ledger.parts if parts is None else parts) if part.evidence is not None]
        doubts, seen = self._ledger.old_doubts, self._ledger.old_seen
        for evidence in said:
            doubts = doubts + evidence.doubts
            seen = seen + evidence.doubts_seen
        if extra is not None:
            seen = seen + sum(extra.carried_doubts.values(), np.zeros(len(seen)))
        beliefs = self._beliefs or _WIDEST
        whole = replace(said[-1], doubts=doubts, doubts_seen=seen)
        return Scales(whole, self._maker.doubts.precision(beliefs), self._inflation)

    # Searching: is there something new?

    def _search(self, number: int, *, whole: bool = False) -> None:
        parts = self._ledger.since(self._ledger.first)
        if not parts:
            return
        scales = self._scales()
        lengths = {length for every, group in _WINDOWS if whole or number % every == 0 for length in group}
        best: tuple[float, int, int] | None = None
        off: tuple[float, int, int] | None = None
        oldest = self._ledger.first if whole else max(self._ledger.first, self._learnt)
        begins = {self._ledger.begin_of(max(number + 1 - length, oldest)) for length in lengths}
        for begin in sorted(begin for begin in begins if begin >= oldest):
            window = [part.evidence for part in self._ledger.since(begin) if part.evidence is not None]
            if not window:
                continue
            verdict = scales.weigh(summed(window), self._active(), self._maker.doubts.offsets)
            ratio = np.where(self._prior > 0, verdict.leaks.ratio, 0.0)
            place = int(ratio.argmax())
            if best is None or ratio[place] > best[0]:
                best = (float(ratio[place]), place, begin)
            offset = np.where(np.abs(verdict.offsets.size) >= _LEAST_OFFSET_M, verdict.offsets.ratio, 0.0)
            offset[self._muted_positions()] = 0.0
            if off is None or offset.max() > off[0]:
                off = (float(offset.max()), int(offset.argmax()), begin)
        if best is None or off is None:
            return
        self._loudest = max(best[0], off[0])
        settling = any(number - max(leak.raised, leak.located) < _SETTLING_BLOCKS for leak in self._leaks.values())
        if off[0] >= _RAISE_OFF and off[0] > best[0] + _PLAIN and not settling:
            if self._is_off_now(scales, off[1]):
                self._mute(off, number)
        elif (
            best[0] >= (_RAISE_AT_ONCE if whole else _RAISE)
            and best[0] > off[0] + _PLAIN
            and (number >= self._deaf_until or best[0] > 1.5 * self._deaf_ratio)
        ):
            self._investigate(best, number)

    def _is_off_now(self, scales: Scales, position: int) -> bool:
        """Whether a pressure was off during the last day by itself; a longer window may straddle a repair."""
        parts = self._ledger.since(self._ledger.end - _DAY_BLOCKS)
        said = [part.evidence for part in parts if part.evidence is not None]
        if not said:
            return False
        offsets = scales.weigh(summed(said), self._active(), self._maker.doubts.offsets).offsets
        return abs(float(offsets.size[position])) >= _LEAST_OFFSET_M and float(offsets.ratio[position]) >= _PLAIN

    def _investigate(self, best: tuple[float, int, int], number: int) -> None:
        ratio, place, begin = best
        moved = self._better_elsewhere(ratio)
        if moved is not None:
            return
        found = self._locate(place, begin)
        certain = 0.0 if self._is_echo(found) else self._certainty(found)
        needed = _CERTAIN if number - begin < _PATIENCE_BLOCKS else _CERTAIN_LATER
        if not _LEAST_FLOW_M3H <= found.flow_m3h <= self._draw_m3h() or found.ratio < _RAISE or certain < needed:
            self._deaf_until, self._deaf_ratio = number + 6, ratio
            return
        self._raise(found, number)

    def _is_echo(self, found: _Found) -> bool:
        """Whether it is but what a leak found before leaves over, because that is not quite where it is taken to be."""
        away_m = self._distances.of(self._link_index[found.asset])
        for leak in self._leaks.values():
            distance_m = float(away_m[self._link_index[leak.asset]])
            smaller = found.flow_m3h < _ECHO_PART * leak.flow_m3h
            if distance_m <= (_ECHO_M if smaller else _NEAR_M):
                return True
        return False

    def _draw_m3h(self) -> float:
        """A leak loses no more than everything that is drawn; what would is no leak."""
        block, metering = self._ledger.entry(self._ledger.end - 1).block, self._maker.metering
        return float(sum(abs(block.mean[column]) for column in metering.flow.values()))

    def _certainty(self, found: _Found) -> float:
        near = self._distances.of(self._link_index[found.asset]) <= _NEAR_M
        return float(found.likely[near].sum())

    def _locate(self, place: int, begin: int, key: str | None = None) -> _Found:
        """Put a leak into the model since a block, and move it until no other place is likelier."""
        active = {name: value for name, value in self._active().items() if name != key}
        name = key or f"leak-{self._count + 1}"
        first = max(begin, self._ledger.begin_of(max(self._ledger.end - _RELOCATED_BLOCKS, self._ledger.first)))
        first = self._ledger.begin_of(first)
        parts = [replace(part, evidence=without(part.evidence, name)) for part in self._ledger.parts if part.evidence]
        course, _ = self._course(parts, begin, place, active)
        for _ in range(3):
            parts = self._ledger.rewritten(first, self._with(name, self._links[place], course), self._maker.evidences)
            # The leak is taken out again with the responses that hold while it runs.
            bare = [replace(part, evidence=without(part.evidence, name)) for part in parts if part.evidence]
            course, weighed = self._course(bare, begin, place, active)
            ratio = np.where(self._prior > 0, weighed.ratio, 0.0)
            before, place = place, int(ratio.argmax())
            course = replace(course, flow_m3h=max(float(weighed.size[place]), 0.0))
            if place == before:
                break
        change = self._with(name, self._links[place], course)
        parts = self._ledger.rewritten(course.first, change, self._maker.evidences)
        likely = probabilities(ratio, self._prior, self._doubt())
        deviation = float(weighed.deviation[place])
        onset, flow_m3h = course.first, course.at(self._ledger.end - 1)
        gain = (self._misfit(self._ledger.parts, onset) - self._misfit(parts, onset)) / 2
        ratio_here = min(float(ratio[place]), gain)
        return _Found(self._links[place], flow_m3h, deviation, onset, ratio_here, likely, change, parts)

    def _misfit(self, parts: Sequence[Part], begin: int) -> float:
        """The squares that the doubts leave over since a block, and what doubts cost: by the solver, not its slope."""
        doubts = self._scales(parts=list(parts)).doubts
        beliefs = self._beliefs or _WIDEST
        cost = float(doubts**2 @ self._maker.doubts.precision(beliefs))
        said = [part.evidence for part in parts if part.first >= begin and part.evidence is not None]
        left = (each.total - 2 * doubts @ each.doubts_seen + doubts @ each.doubts @ doubts for each in said)
        return float(sum(left)) / self._inflation + cost

    def _doubt(self) -> float:
        return 0.03 + 0.3 * (self._beliefs.resistance if self._beliefs else _RESISTANCES[-1])

    def _course(
        self, parts: Sequence[Part], begin: int, place: int, active: Mapping[str, tuple[int, float]]
    ) -> tuple[Course, Weighed]:
        """How a leak at a link went best: at once or growing, begun in which block; and all links weighed with that.

        ``begin`` is where it showed; it may have begun up to three times as long ago.
        """
        scales = self._scales(parts=list(parts))
        end = self._ledger.end
        best: tuple[float, Course, Weighed] | None = None
        for first in self._beginnings(parts, begin):
            for grows in (False, True):
                course = Course(first, end, 1.0, grows=grows)
                since = [part for part in parts if part.first >= first and part.evidence is not None]
                evidences = [part.evidence for part in since if part.evidence is not None]
                window = shaped(evidences, [course.mean(part) for part in since])
                weighed = scales.weigh(window, active, self._maker.doubts.offsets).leaks
                if best is None or weighed.ratio[place] > best[0]:
                    sized = replace(course, flow_m3h=max(float(weighed.size[place]), 0.0))
                    best = (float(weighed.ratio[place]), sized, weighed)
        if best is None:
            message = "no evidence to weigh"
            raise ValueError(message)
        return best[1], best[2]

    def _beginnings(self, parts: Sequence[Part], begin: int) -> list[int]:
        """Some beginnings of parts from a third of the window that began at ``begin`` to thrice of it."""
        length = self._ledger.end - begin
        told = [part.first for part in parts if part.evidence is not None]
        wanted = {self._ledger.end - max(round(length * factor), 1) for factor in (0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0)}
        chosen = {max((first for first in told if first <= each), default=told[0]) for each in wanted}
        # What ran already while the model was learnt cannot be told from the model's own faults later.
        after = {max(first, self._learnt) for first in chosen if first >= self._learnt or begin >= self._learnt}
        return sorted(after or chosen)

    def _with(self, key: str, asset: str, course: Course | None) -> Callable[[int, Entry], Entry]:
        def change(number: int, entry: Entry) -> Entry:
            others = tuple(leak for leak in entry.leaks if leak.key != key)
            flow_m3h = 0.0 if course is None else course.at(number)
            return replace(entry, leaks=(*others, ActiveLeak(key, asset, flow_m3h)) if flow_m3h > 0 else others)

        return change

    def _raise(self, found: _Found, number: int) -> None:
        self._count += 1
        key = f"leak-{self._count}"
        self._ledger.rewrite(found.onset, found.change, found.parts)
        leak = FollowedLeak(
            key=key,
            asset=found.asset,
            flow_m3h=found.flow_m3h,
            flow_deviation_m3h=found.flow_deviation_m3h,
            onset=found.onset,
            raised=number,
            since_s=self._ledger.entry(max(found.onset, self._ledger.first)).block.start_s,
            ratio=found.ratio,
            suspects=self._suspects(found.likely),
            columns=self._clearest(found.asset),
            told_flow_m3h=found.flow_m3h,
            told_severity=severity_of(found.flow_m3h),
            located=number,
        )
        self._leaks[key] = leak
        self._deaf_until, self._deaf_ratio = 0, 0.0
        self._tell(leak, FindingState.RAISED)

    def _suspects(self, likely: Array) -> tuple[Suspect, ...]:
        order = np.argsort(-likely, kind="stable")[:_SUSPECTS]
        return tuple(
            Suspect(self._links[link], round(float(likely[link]), 4)) for link in order if likely[link] >= _LEAST_SHARE
        )

    def _clearest(self, asset: str) -> tuple[str, ...]:
        """The pressures that answer most to a leak there."""
        metering = self._maker.metering
        linear = self._maker.linear(self._ledger.entry(self._ledger.end - 1))
        if linear is None:
            return (self.columns[metering.pressure[0]],)
        answer = -linear.leak[: len(metering.pressure), self._link_index[asset]]
        order = np.argsort(-answer, kind="stable")[:4]
        return tuple(self.columns[metering.pressure[position]] for position in order)

    def _tell(self, leak: FollowedLeak, state: FindingState) -> None:
        expected, measured = self._heads(leak)
        seen = {
            "leak_m3h": round(leak.flow_m3h, 2),
            "leak_deviation_m3h": round(leak.flow_deviation_m3h, 2),
            "method": self.name,
            "expected": expected,
            "measured": measured,
        }
        near = [suspect.asset for suspect in leak.suspects[:3]]
        fields = {"flow": f"{leak.flow_m3h:.1f}", "place": near[0] if near else leak.asset, "places": ", ".join(near)}
        self._claims.append(
            Claim(
                LEAK,
                leak.key,
                state,
                Severity.NORMAL if state is FindingState.CLEARED else leak.severity,
                leak.ratio,
                leak.since_s,
                leak.columns,
                leak.suspects,
                None,
                expected.get(leak.columns[0]),
                seen,
                fields,
            )
        )

    def _heads(self, leak: FollowedLeak) -> tuple[dict[str, float], dict[str, float]]:
        """What the clearest pressures are and would be without this leak, in their units, in the last block."""
        entry = self._ledger.entry(self._ledger.end - 1)
        bare = replace(entry, leaks=tuple(each for each in entry.leaks if each.key != leak.key))
        linear = self._maker.linear(bare)
        metering = self._maker.metering
        expected: dict[str, float] = {}
        measured: dict[str, float] = {}
        if linear is not None:
            corrected = linear.modelled + self._maker.doubts.responses(linear) @ self._scales().doubts
            for position, column in enumerate(metering.pressure):
                if self.columns[column] in leak.columns and isfinite(entry.block.mean[column]):
                    factor = float(metering.factor[column])
                    expected[self.columns[column]] = round(float(corrected[position]) / factor, 3)
                    measured[self.columns[column]] = round(float(entry.block.mean[column]) / factor, 3)
        return expected, measured

    # Following what was found.

    def _follow(self, number: int) -> None:
        self._follow_muted()
        if not self._leaks:
            return
        for key in list(self._leaks):
            self._look_for_repair(key, number)
        if number % _FOLLOW_EVERY == 0 and self._leaks:
            self._adjust_flows(number)

    def _look_for_repair(self, key: str, number: int) -> None:
        leak = self._leaks[key]
        window = [
            part
            for part in self._ledger.since(number + 1 - _REPAIR_BLOCKS)
            if part.evidence and key in part.evidence.beside
        ]
        if len(window) < _REPAIR_BLOCKS:
            return
        excess = self._scales().flows(summed(part.evidence for part in window if part.evidence), self._active())
        more_m3h, deviation = excess[key]
        left_m3h = leak.flow_m3h + more_m3h
        if left_m3h > _REPAIRED * leak.told_flow_m3h or leak.told_flow_m3h - left_m3h < _REPAIR_SURE * deviation:
            return
        first = number + 1 - _REPAIR_BLOCKS
        del self._leaks[key]
        begin = self._ledger.begin_of(first)
        change = self._with(key, leak.asset, None)
        self._ledger.rewrite(begin, change, self._ledger.rewritten(begin, change, self._maker.evidences))
        self._tell(replace(leak, flow_m3h=max(leak.flow_m3h + more_m3h, 0.0)), FindingState.CLEARED)

    def _adjust_flows(self, number: int) -> None:
        window = [part.evidence for part in self._ledger.since(number + 1 - _FOLLOW_EVERY) if part.evidence is not None]
        if not window:
            return
        excess = self._scales().flows(summed(window), self._active())
        for key, (more_m3h, deviation) in excess.items():
            leak = self._leaks[key]
            variance = leak.flow_deviation_m3h**2 + (0.03 * leak.flow_m3h + 0.1) ** 2
            gain = variance / (variance + deviation**2)
            # Leaks do not heal: less at once is a repair, which is looked for by itself.
            flow_m3h = max(leak.flow_m3h + gain * more_m3h, _SLOWEST_FALL * leak.flow_m3h, 0.05)
            leak = replace(leak, flow_m3h=flow_m3h, flow_deviation_m3h=float(np.sqrt((1 - gain) * variance)))
            if leak.changed:
                leak = leak.told()
                self._tell(leak, FindingState.CHANGED)
            self._leaks[key] = leak

    def _better_elsewhere(self, ratio: float) -> str | None:
        """Which leak found before explains the new evidence if it is moved; it is moved then."""
        for key, leak in list(self._leaks.items()):
            parts = [part for part in self._ledger.since(leak.onset) if part.evidence and key in part.evidence.beside]
            if not parts or self._ledger.end - leak.located < _REST_BLOCKS:
                continue
            active = {name: value for name, value in self._active().items() if name != key}
            weighed = self._weighed_with_flows(key, self._ledger.parts, parts[0].first, active)
            places = np.where(self._prior > 0, weighed.ratio, 0.0)
            gain = float(places.max()) - float(places[self._link_index[leak.asset]])
            if gain > _ELSEWHERE * ratio:
                self._move(key, int(places.argmax()), parts[0].first)
                return key
        return None

    def _move(self, key: str, place: int, begin: int) -> None:
        """Put a found leak elsewhere, with the flows that it has in the model."""
        leak = self._leaks[key]
        self._leaks[key] = replace(leak, located=self._ledger.end)
        active = {name: value for name, value in self._active().items() if name != key}
        first = self._ledger.begin_of(max(begin, self._ledger.end - _RELOCATED_BLOCKS))
        weighed, ratio = None, np.zeros(len(self._links))
        for _ in range(2):
            parts = self._ledger.rewritten(first, _moved(key, self._links[place], 1.0), self._maker.evidences)
            weighed = self._weighed_with_flows(key, parts, begin, active)
            ratio = np.where(self._prior > 0, weighed.ratio, 0.0)
            before, place = place, int(ratio.argmax())
            if place == before:
                break
        if weighed is None:
            return
        flows = self._flows_of(key, self._ledger.since(begin))
        factor = float(weighed.size[place]) / max(float(np.mean(flows)), 1e-6)
        if not 1 / _SAME_FLOW <= factor <= _SAME_FLOW:
            return
        change = _moved(key, self._links[place], factor)
        parts = self._ledger.rewritten(begin, change, self._maker.evidences)
        if self._misfit(parts, begin) > self._misfit(self._ledger.parts, begin):
            return
        self._ledger.rewrite(begin, change, parts)
        elsewhere = self._links[place] != leak.asset
        leak = replace(
            leak,
            asset=self._links[place],
            flow_m3h=max(leak.flow_m3h * factor, 0.05),
            ratio=float(ratio[place]),
            suspects=self._suspects(probabilities(ratio, self._prior, self._doubt())),
            located=self._ledger.end,
        )
        self._leaks[key] = leak
        if elsewhere:
            self._leaks[key] = leak.told()
            self._tell(self._leaks[key], FindingState.CHANGED)

    def _flows_of(self, key: str, parts: Sequence[Part]) -> list[float]:
        said = [part.evidence for part in parts if part.evidence is not None]
        return [evidence.flow_m3h.get(key, 0.0) / max(evidence.blocks, 1) for evidence in said]

    def _weighed_with_flows(
        self, key: str, parts: Sequence[Part], begin: int, active: Mapping[str, tuple[int, float]]
    ) -> Weighed:
        """All links weighed as the place of a found leak whose flow went as it does in the model."""
        since = [part for part in parts if part.first >= begin and part.evidence is not None]
        flows = self._flows_of(key, since)
        mean_m3h = max(float(np.mean(flows)), 1e-6)
        bare = [replace(part, evidence=without(part.evidence, key)) for part in parts if part.evidence is not None]
        evidences = [part.evidence for part in bare if part.first >= begin and part.evidence is not None]
        window = shaped(evidences, [flow_m3h / mean_m3h for flow_m3h in flows])
        return self._scales(parts=bare).weigh(window, active, self._maker.doubts.offsets).leaks

    # Sensors that the model cannot agree with.

    def _mute(self, off: tuple[float, int, int], number: int) -> None:
        ratio, position, begin = off
        column = self._maker.metering.pressure[position]
        sensor = self.columns[column]
        self._muted[sensor] = [ratio, self._ledger.entry(begin).block.start_s, 0.0, 0.0]
        first = max(begin, self._ledger.begin_of(max(number + 1 - _RELOCATED_BLOCKS, self._ledger.first)))

        def change(_: int, entry: Entry) -> Entry:
            return replace(entry, muted=tuple(sorted({*entry.muted, position})))

        self._ledger.rewrite(first, change, self._ledger.rewritten(first, change, self._maker.evidences))
        self._tell_off(sensor, FindingState.RAISED)

    def _tell_off(self, sensor: str, state: FindingState) -> None:
        ratio, since_s, off_m, _ = self._muted[sensor]
        key = f"off-{sensor}-{since_s:.0f}"
        severity = Severity.NORMAL if state is FindingState.CLEARED else Severity.MODERATE
        asset = self.channels[self.columns.index(sensor)].asset
        seen = {"offset_m": round(off_m, 3), "method": self.name}
        self._claims.append(
            Claim(SENSOR_OFF, key, state, severity, ratio, since_s, (sensor,), (Suspect(asset, 1.0),), None, None, seen)
        )

    def _follow_muted(self) -> None:
        linear = self._last_linear
        if not self._muted or linear is None:
            return
        expected = self._maker.doubts.responses(linear) @ self._scales().doubts
        for position in self._muted_positions():
            sensor = self.columns[self._maker.metering.pressure[position]]
            gap = float(linear.residual[position] - expected[position])
            if not isfinite(gap):
                continue
            memory = self._muted[sensor]
            memory[2] += (gap - memory[2]) / min(memory[3] + 1, _STEADY_BLOCKS)
            memory[3] += 1
            if (
                memory[3] >= _STEADY_BLOCKS
                and abs(memory[2]) < 3 * float(np.sqrt(linear.noise[position, position])) / 2
            ):
                self._tell_off(sensor, FindingState.CLEARED)
                del self._muted[sensor]

    # Memory.

    def state(self) -> dict[str, Any]:
        """Rows of the hour, blocks of the last month, what was learnt and what is followed."""
        beliefs = self._beliefs
        return {
            "rows": [list(row) for row in self._rows],
            "end_s": self._end_s,
            "before": list(self._before),
            "ledger": self._ledger.state(),
            "beliefs": None if beliefs is None else [beliefs.resistance, beliefs.draw, beliefs.offset_m],
            "inflation": self._inflation,
            "leaks": [leak.state() for leak in self._leaks.values()],
            "muted": {sensor: list(memory) for sensor, memory in self._muted.items()},
            "count": self._count,
            "learnt": self._learnt,
            "loudest": self._loudest if isfinite(self._loudest) else None,
            "deaf": [self._deaf_until, self._deaf_ratio],
        }

    def restore(self, state: State) -> None:
        """Take up rows, blocks and what is followed; the evidence is made anew with the next hour."""
        self._begin()
        self._rows = [list(row) for row in state["rows"]]
        self._end_s = state["end_s"]
        self._before = list(state["before"])
        self._ledger.restore(state["ledger"], len(self.columns))
        beliefs = state["beliefs"]
        self._beliefs = None if beliefs is None else Beliefs(*beliefs)
        self._stale = self._beliefs is not None
        self._inflation = state["inflation"]
        leaks = [FollowedLeak.restored(each) for each in state["leaks"]]
        self._leaks = {leak.key: leak for leak in leaks}
        self._muted = {sensor: list(memory) for sensor, memory in state["muted"].items()}
        self._count = state["count"]
        self._learnt = state["learnt"]
        self._loudest = nan if state["loudest"] is None else state["loudest"]
        self._deaf_until, self._deaf_ratio = state["deaf"]


def _moved(key: str, asset: str, factor: float) -> Callable[[int, Entry], Entry]:
    """Puts a leak elsewhere, with so many times its flow."""

    def change(_: int, entry: Entry) -> Entry:
        leaks = (ActiveLeak(key, asset, leak.flow_m3h * factor) if leak.key == key else leak for leak in entry.leaks)
        return replace(entry, leaks=tuple(leaks))

    return change


def _array(row: Sequence[float | None]) -> Array:
    return np.array([nan if value is None else value for value in row], dtype=np.float64)


def _likelihood(week: Evidence, precision: Array, inflation: float) -> float:
    """The log probability of what was seen under beliefs, the doubts integrated out, up to a constant."""
    factor = np.linalg.cholesky(week.doubts / inflation + np.diag(precision))
    reduced = np.linalg.solve(factor, week.doubts_seen / inflation)
    explained = float(reduced @ reduced) / 2 - float(np.log(np.diag(factor)).sum()) + float(np.log(precision).sum()) / 2
    return explained - week.total / inflation / 2 - week.values * float(np.log(inflation)) / 2
