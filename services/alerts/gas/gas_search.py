"""Where methane in the spaces beside the mains comes from, and from which main."""

from collections.abc import Mapping, Sequence
from math import isnan, nan
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from services.alerts.detectors.contract import Claim, Score, SearchDetector, State, Suspect
from services.alerts.gas.behaviour import Behaviour
from services.alerts.gas.belief import Belief, believe
from services.alerts.gas.habits import Habits
from services.alerts.gas.readings import METHANE, VIBRATION, Array, Channel, Readings
from services.alerts.gas.source import Seen, Source, SourceModel
from services.alerts.gas.town import SEWER, Ground, Place, Town, away_m
from services.alerts.gas.trouble import DRIFT, ENDED, LEAK, LEVEL, OTHERWISE, SEWER_GAS, Trouble
from services.alerts.gas.weighing import FUMES_LEL, FUMES_S, Cause, Weighed, prior, weigh
from services.core.finding import FindingState
from services.core.severity import Severity
from services.core.text import Text

_FIRST_STEP_S, _LONGEST_STEP_S = 300.0, 1800.0
_FIRST_HOURS_S = 2 * 3600.0
"""Without a word about history so much is learnt before anything is said; habits become better with days."""
_LEAST_ROWS = 24
_TOGETHER = 0.02
"""Spaces that one piece of main could fill this much each (of what is right at it) are looked at together."""
_SURROUNDING_M = 60.0
_SURE = {LEAK: 0.7, SEWER_GAS: 0.75, DRIFT: 0.75}
_HOLDS_ROWS = {LEAK: 3, SEWER_GAS: 12, DRIFT: 36}
"""So many rows one after the other have to say so: a leak is told soon, what hurts nobody can wait."""
_LEAST_LEL = {LEAK: 1.5, SEWER_GAS: 5.0, DRIFT: 3.0}
_FALLEN, _GONE = 0.7, 0.4
_DOUBT, _DOUBTED_S = 0.2, 2 * 3600.0
_TELLS_AGAIN_S = 1800.0
_NEWS = 0.2
_MAJOR_LEL, _CRITICAL_LEL, _LEVEL_CLEARS_LEL = 20.0, 50.0, 16.0
_GRAVE_LEL, _GRAVE_SURE = 10.0, 0.9
_SHOWN_SUSPECTS, _NEAR = 10, 3
_WORKS_LAST_S = 30 * 86_400.0
_WORKS_WEIGHT, _SHAKEN_WEIGHT = 4.0, 8.0
_SHAKES_MM_S = 3.0
_SHAKEN_S = 7 * 86_400.0
_SHAKEN_M = 15.0


class GasSearch(SearchDetector):
    """Weighs leak, sewage and device for every space that shows more methane than usual, and looks for the main.

    ``channels`` are (sensor, quantity, asset, longitude, latitude), ``town`` is a ``Town`` as JSON. What came before
    ``learn_until_s`` is history. ``permits`` are (start and end in seconds, longitude, latitude, radius in metres) of
    works: they make a leak beside them likelier, and may change while the memory goes on.

    Source: Bayes' rule over three causes with the features that Huang and others (2019) found to differ, and over
    pieces of main by arrival, strength and silence as the tracing of adjacent spaces is practised; own formulation.
    """

    name: ClassVar[str] = "gas-search"
    version: ClassVar[str] = "1"
    passing: ClassVar[frozenset[str]] = frozenset({"permits"})

    __slots__ = (
        "_behaviour",
        "_claims",
        "_first_s",
        "_ground",
        "_habits",
        "_held",
        "_last_s",
        "_near_main",
        "_number",
        "_readings",
        "_shaken",
        "_shaking",
        "_source",
        "_spaces",
        "_together",
        "_troubles",
        "channels",
        "columns",
        "learn_until_s",
        "permits",
        "town",
    )

    def __init__(
        self,
        channels: Sequence[Sequence[Any]],
        town: Mapping[str, Any],
        learn_until_s: float | None = None,
        permits: Sequence[Sequence[float]] = (),
    ) -> None:
        self.channels = sorted(Channel(*each) for each in channels)
        self.town = dict(town)
        self.learn_until_s = learn_until_s
        self.permits = [list(each) for each in permits]
        self.columns = tuple(channel.id for channel in self.channels)
        laid = Town.from_json(town)
        watched = {c.asset for c in self.channels if c.quantity in ("methane", "methane_volume")}
        self._spaces = [space for space in laid.spaces if space.id in watched]
        self._ground = Ground(laid)
        self._source = SourceModel(self._ground)
        self._readings = Readings(self.channels, [space.id for space in self._spaces])
        self._habits = Habits([space.sort == SEWER for space in self._spaces])
        self._behaviour = Behaviour(len(self._spaces))
        self._together = self._joined()
        self._near_main = [
            bool(self._source.plume.strength[:, self._of_town(number)].max(initial=0.0) > _TOGETHER)
            for number in range(len(self._spaces))
        ]
        self._shaking = [
            (position, laid.local(channel.longitude, channel.latitude))
            for position, channel in enumerate(self.channels)
            if channel.quantity == VIBRATION
        ]
        self._shaken: list[float | None] = [None] * len(self._shaking)
        self._troubles: dict[str, Trouble] = {}
        self._held: dict[str, int] = {}
        self._claims: list[Claim] = []
        self._first_s = self._last_s = nan
        self._number = 0

    @property
    def watches(self) -> bool:
        """Whether any known space has a methane device."""
        return bool(self._spaces)

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "channels": [list(channel) for channel in self.channels],
            "town": self.town,
            "learn_until_s": self.learn_until_s,
            "permits": self.permits,
        }

    def _of_town(self, space: int) -> int:
        return self._ground.position[self._spaces[space].id]

    def _joined(self) -> NDArray[np.bool_]:
        """Which spaces one leak, or one sewer, could reach together."""
        of_town = [self._of_town(number) for number in range(len(self._spaces))]
        reached = self._source.plume.strength[:, of_town] > _TOGETHER
        together: NDArray[np.bool_] = (reached.T.astype(float) @ reached.astype(float)) > 0
        numbers = {number: position for position, number in enumerate(of_town)}
        for position, number in enumerate(of_town):
            for other, _ in self._ground.ducted[number]:
                if other in numbers:
                    together[position, numbers[other]] = together[numbers[other], position] = True
        return together

    def score(self, time_s: float, row: Sequence[float]) -> Score:
        """How far the most unusual space is above its habit, in its usual spreads."""
        self._claims = []
        seconds = _FIRST_STEP_S if isnan(self._last_s) else min(time_s - self._last_s, _LONGEST_STEP_S)
        if seconds <= 0:
            # The same moment once more tells nothing new.
            return Score(self._highest())
        if isnan(self._first_s):
            self._first_s = time_s
        self._last_s = time_s
        fresh = self._readings.take(time_s, row)
        self._feel(time_s, row)
        values = self._readings.values
        expected = self._habits.expected(time_s, values)
        excess = np.where(fresh, values[METHANE] - expected, np.nan)
        known = fresh & (self._habits.rows >= _LEAST_ROWS)
        step = np.where(fresh, self._behaviour.step(values[METHANE]), np.nan)
        quiet = self._behaviour.quiet & fresh
        if self._is_learning(time_s):
            self._behaviour.take(time_s, seconds, values, np.where(known, excess, np.nan), self._habits.spread_lel)
            self._behaviour.calm()
            quiet = fresh
        else:
            self._behaviour.take(time_s, seconds, values, np.where(known, excess, np.nan), self._habits.spread_lel)
            quiet &= self._behaviour.quiet
        self._habits.learn(time_s, seconds, values, quiet)
        self._habits.learn_noise(seconds, np.where(known, excess, np.nan), step, quiet)
        if self._is_learning(time_s):
            return Score(0.0)
        self._search(time_s)
        return Score(self._highest())

    def _is_learning(self, time_s: float) -> bool:
        until_s = self._first_s + _FIRST_HOURS_S if self.learn_until_s is None else self.learn_until_s
        return time_s < until_s

    def _highest(self) -> float:
        return float(max(0.0, (self._behaviour.mean["now"] / self._habits.spread_lel).max(initial=0.0)))

    def _feel(self, time_s: float, row: Sequence[float]) -> None:
        """Remember when the ground shook."""
        for number, (position, _) in enumerate(self._shaking):
            if row[position] >= _SHAKES_MM_S:
                self._shaken[number] = time_s

    def _works(self, time_s: float) -> Array:
        digs: list[tuple[Place, float, float]] = []
        for start_s, end_s, longitude, latitude, radius_m in self.permits:
            if start_s <= time_s <= end_s + _WORKS_LAST_S:
                digs.append((self._ground.town.local(longitude, latitude), radius_m, _WORKS_WEIGHT))
        for (_, place), shaken_s in zip(self._shaking, self._shaken, strict=True):
            if shaken_s is not None and time_s - shaken_s <= _SHAKEN_S:
                digs.append((place, _SHAKEN_M, _SHAKEN_WEIGHT))
        return self._source.works_factor(digs)

    def _search(self, time_s: float) -> None:
        active = np.flatnonzero(self._behaviour.active).tolist()
        believed: dict[int, Belief] = {}
        if active:
            works = self._works(time_s)
            weighed = {
                space: weigh(space, time_s, self._behaviour, self._habits, in_sewer=self._spaces[space].sort == SEWER)
                for space in active
            }
            for group in self._groups(active):
                belief = self._believe(group, weighed, works, time_s)
                self._follow_group(group, belief, time_s)
                believed.update(dict.fromkeys(group, belief))
        self._end(believed, time_s)
        self._follow_levels(believed, time_s)

    def _groups(self, active: Sequence[int]) -> list[list[int]]:
        """The active spaces that one leak could explain, in the order in which they began."""
        left = sorted(active, key=lambda space: (self._behaviour.onset_s[space], space))
        groups: list[list[int]] = []
        while left:
            group = [left.pop(0)]
            for member in group:
                near = [space for space in left if self._together[member, space]]
                group += near
                left = [space for space in left if space not in near]
            groups.append(sorted(group, key=lambda space: (self._behaviour.onset_s[space], space)))
        return groups

    def _believe(self, group: Sequence[int], weighed: Mapping[int, Weighed], works: Array, time_s: float) -> Belief:
        seen = [
            Seen(self._of_town(space), self._excess(space), float(self._behaviour.onset_s[space])) for space in group
        ]
        for space in np.flatnonzero(~self._behaviour.active & np.isfinite(self._readings.values[METHANE])).tolist():
            here = self._spaces[space].place
            if any(away_m(here, self._spaces[other].place) <= _SURROUNDING_M for other in group):
                seen.append(Seen(self._of_town(space), 0.0, None))
        priors = {space: prior(self._spaces[space], near_main=self._near_main[space]) for space in group}
        source = self._source.explains(seen, works, time_s)
        all_of_them = believe(group, group, weighed, priors, self._spaces, source=source)
        restless = [space for space in group if weighed[space].leans_to_leak]
        if not restless or len(restless) == len(group):
            return all_of_them
        # Beside a leak a sewer may breathe at the same time.
        others = {self._of_town(space) for space in group if space not in restless}
        left = [each for each in seen if each.space not in others]
        alone = self._source.explains(left, works, time_s)
        some = believe(group, restless, weighed, priors, self._spaces, source=alone)
        return max(all_of_them, some, key=lambda belief: belief.shares[Cause.LEAK])

    def _is_lasting(self, group: Sequence[int], time_s: float) -> bool:
        """Whether any space still shows what it showed within the last hours, and no passing fumes can do that."""
        first_s = min(float(self._behaviour.onset_s[space]) for space in group)
        if time_s - first_s < FUMES_S and not self._is_beyond_fumes(group):
            return False
        mean = self._behaviour.mean
        last = self._behaviour.last
        return any(
            mean["now"][space] >= _FALLEN * mean["hours"][space] and last[space] >= _GONE * mean["now"][space]
            for space in group
        )

    def _is_beyond_fumes(self, group: Sequence[int]) -> bool:
        """Whether fumes cannot be behind it: too much for them, or in several spaces at once.

        A sewer that is stirred up does both for an hour, so that its manholes do not count.
        """
        dry = [space for space in group if self._spaces[space].sort != SEWER]
        return len(dry) > 1 or any(self._behaviour.last[space] >= FUMES_LEL for space in dry)

    def _excess(self, space: int) -> float:
        mean = self._behaviour.mean
        return float(max(mean["now"][space], 0.7 * mean["hours"][space], 0.3))

    def _follow_group(self, group: Sequence[int], belief: Belief, time_s: float) -> None:
        leak = self._trouble_of(LEAK, group)
        sure = belief.shares[Cause.LEAK]
        most = max(self._excess(space) for space in group)
        if leak is not None:
            self._go_on(leak, group, belief, sure, time_s)
        elif self._has_held(
            LEAK, group[0], sure >= _SURE[LEAK] and most >= _LEAST_LEL[LEAK] and self._is_lasting(group, time_s)
        ):
            self._open(LEAK, group, belief, sure, time_s)
        for space in group:
            for outcome, cause in ((SEWER_GAS, Cause.SEWAGE), (DRIFT, Cause.DEVICE)):
                likely = (1 - sure) * belief.own[space][cause]
                trouble = self._trouble_of(outcome, [space])
                if trouble is not None:
                    self._go_on(trouble, [space], belief, likely, time_s)
                elif self._has_held(
                    outcome, space, likely >= _SURE[outcome] and self._excess(space) >= _LEAST_LEL[outcome]
                ):
                    self._open(outcome, [space], belief, likely, time_s)

    def _has_held(self, outcome: str, space: int, says: bool) -> bool:
        """Count the rows that say so, and tell whether they are enough."""
        name = f"{outcome}:{space}"
        if not says:
            self._held.pop(name, None)
            return False
        self._held[name] = self._held.get(name, 0) + 1
        return self._held[name] >= _HOLDS_ROWS[outcome]

    def _trouble_of(self, outcome: str, spaces: Sequence[int]) -> Trouble | None:
        """The trouble of an outcome that has one of the spaces."""
        for trouble in self._troubles.values():
            if trouble.outcome == outcome and not set(spaces).isdisjoint(trouble.spaces):
                return trouble
        return None

    def _open(self, outcome: str, spaces: Sequence[int], belief: Belief, sure: float, time_s: float) -> None:
        self._number += 1
        since_s = float(min(self._behaviour.onset_s[space] for space in spaces))
        trouble = Trouble(outcome, f"{outcome}-{self._number}", since_s, list(spaces), ())
        self._troubles[trouble.key] = trouble
        self._describe(trouble, belief, sure, time_s)
        self._tell(trouble, FindingState.RAISED)

    def _go_on(self, trouble: Trouble, spaces: Sequence[int], belief: Belief, sure: float, time_s: float) -> None:
        told = (trouble.severity, trouble.probability, trouble.suspects, set(trouble.columns))
        joined = [space for space in spaces if space not in trouble.spaces]
        trouble.spaces += joined
        if sure >= _DOUBT:
            trouble.doubted_s = None
        elif trouble.doubted_s is None:
            trouble.doubted_s = time_s
        before = trouble.severity
        self._describe(trouble, belief, sure, time_s)
        worse = trouble.severity > before or bool(joined)
        if worse or (time_s - trouble.told_s >= _TELLS_AGAIN_S and _is_news(trouble, told)):
            self._tell(trouble, FindingState.CHANGED)
        else:
            trouble.severity, trouble.probability, trouble.suspects = told[0], told[1], told[2]

    def _describe(self, trouble: Trouble, belief: Belief, sure: float, time_s: float) -> None:
        order = sorted(trouble.spaces, key=lambda space: (-self._behaviour.mean["now"][space], space))
        trouble.columns = tuple(self._readings.column[METHANE][space] for space in order)
        trouble.probability = sure
        trouble.severity = self._severity(trouble, sure)
        trouble.told_s = trouble.told_s or time_s
        source = belief.source
        if trouble.outcome == LEAK:
            trouble.suspects = _suspects(source)
        cause = {LEAK: Cause.LEAK, SEWER_GAS: Cause.SEWAGE, DRIFT: Cause.DEVICE}.get(
            trouble.outcome, max(belief.shares, key=lambda each: belief.shares[each])
        )
        near = [suspect.asset for suspect in trouble.suspects[:_NEAR]]
        trouble.place = near[0] if near else self._spaces[order[0]].id
        trouble.fields = {
            "probability": f"{min(99, round(100 * sure))}",
            "places": ", ".join(near) or trouble.place,
            "reasons": belief.reasons[cause],
            "causes": belief.words,
            "space": self._spaces[order[0]].id,
        }
        trouble.seen = self._evidence(belief, order)

    def _evidence(self, belief: Belief, order: Sequence[int]) -> dict[str, Any]:
        source = belief.source
        town = self._ground.town
        suspects = _suspects(source)
        named = [suspect.asset for suspect in suspects]
        return {
            "method": self.name,
            "causes": {str(cause): round(share, 4) for cause, share in belief.shares.items()},
            "why": {str(cause): {"en": text.en, "zh": text.zh} for cause, text in belief.reasons.items()},
            "spaces": {
                self._spaces[space].id: {
                    "excess_lel": round(self._excess(space), 2),
                    "peak_lel": round(float(self._behaviour.peak_lel[space]), 2),
                }
                for space in order
            },
            "sources": [list(suspect) for suspect in suspects],
            "reasons": {}
            if source is None
            else {pipe: {"en": source.reasons[pipe].en, "zh": source.reasons[pipe].zh} for pipe in named},
            "at": {} if source is None else {pipe: list(town.globe(source.at[pipe])) for pipe in named},
        }

    def _severity(self, trouble: Trouble, sure: float) -> Severity:
        if trouble.outcome in (SEWER_GAS, DRIFT):
            return Severity.MINOR
        shown = self._readings.values[METHANE][trouble.spaces]
        most = float(np.nanmax(shown)) if np.isfinite(shown).any() else 0.0
        # A leak that was grave stays so until it ends: methane that falls for an hour has not been repaired.
        before = trouble.severity if trouble.outcome == LEAK else Severity.NORMAL
        if most >= _CRITICAL_LEL:
            return Severity.CRITICAL
        if most >= _MAJOR_LEL or trouble.outcome == LEVEL or (most >= _GRAVE_LEL and sure >= _GRAVE_SURE):
            return max(Severity.MAJOR, before)
        return max(Severity.MODERATE, before)

    def _tell(self, trouble: Trouble, state: FindingState, ending: Text = ENDED) -> None:
        if state is not FindingState.CLEARED:
            trouble.told_s = self._last_s
        shown = float(self._readings.values[METHANE][trouble.spaces[0]])
        by_column = {self._readings.column[METHANE][space]: space for space in trouble.spaces}
        if trouble.columns:
            shown = float(self._readings.values[METHANE][by_column[trouble.columns[0]]])
        self._claims.append(trouble.claim(state, None if isnan(shown) else round(shown, 2), ending))

    def _end(self, believed: Mapping[int, Belief], time_s: float) -> None:
        """End what is over, and what is believed no more."""
        for trouble in list(self._troubles.values()):
            if trouble.outcome == LEVEL:
                continue
            is_over = not any(space in believed for space in trouble.spaces)
            is_doubted = trouble.doubted_s is not None and time_s - trouble.doubted_s >= _DOUBTED_S
            if is_over or is_doubted:
                del self._troubles[trouble.key]
                self._tell(trouble, FindingState.CLEARED, ENDED if is_over else OTHERWISE)
        active = {str(space) for space in believed}
        self._held = {name: rows for name, rows in self._held.items() if name.rsplit(":", 1)[1] in active}

    def _follow_levels(self, believed: Mapping[int, Belief], time_s: float) -> None:
        """Say of every space from 20 %LEL on what is believed to be behind it; the level alarms in any case."""
        methane = self._readings.values[METHANE]
        for space in range(len(self._spaces)):
            trouble = self._trouble_of(LEVEL, [space])
            belief = believed.get(space)
            if trouble is None and belief is not None and methane[space] >= _MAJOR_LEL:
                self._open(LEVEL, [space], belief, max(belief.shares.values()), time_s)
            elif trouble is not None and (belief is None or methane[space] < _LEVEL_CLEARS_LEL):
                del self._troubles[trouble.key]
                self._tell(trouble, FindingState.CLEARED)
            elif trouble is not None and belief is not None:
                self._go_on(trouble, [space], belief, max(belief.shares.values()), time_s)

    def claims(self) -> Sequence[Claim]:
        """What the last row changed."""
        return self._claims

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON."""
        return {
            "readings": self._readings.state(),
            "habits": self._habits.state(),
            "behaviour": self._behaviour.state(),
            "troubles": [trouble.state() for trouble in self._troubles.values()],
            "held": dict(self._held),
            "shaken": list(self._shaken),
            "first_s": None if isnan(self._first_s) else self._first_s,
            "last_s": None if isnan(self._last_s) else self._last_s,
            "number": self._number,
        }

    def restore(self, state: State) -> None:
        """Go on exactly where ``state`` was taken."""
        self._readings.restore(state["readings"])
        self._habits.restore(state["habits"])
        self._behaviour.restore(state["behaviour"])
        self._troubles = {trouble.key: trouble for trouble in map(Trouble.restored, state["troubles"])}
        self._held = dict(state["held"])
        self._shaken = list(state["shaken"])
        self._first_s = nan if state["first_s"] is None else state["first_s"]
        self._last_s = nan if state["last_s"] is None else state["last_s"]
        self._number = state["number"]
        self._claims = []


def _suspects(source: Source | None) -> tuple[Suspect, ...]:
    """The likeliest mains; none where no main is in reach."""
    shares = [] if source is None else list(source.shares.items())[:_SHOWN_SUSPECTS]
    return tuple(Suspect(pipe, round(share, 4)) for pipe, share in shares)


def _is_news(trouble: Trouble, told: tuple[Severity, float, tuple[Suspect, ...], set[str]]) -> bool:
    severity, probability, suspects, _ = told
    if trouble.severity != severity or abs(trouble.probability - probability) >= _NEWS:
        return True
    first = suspects[0].asset if suspects else None
    now = trouble.suspects[0].asset if trouble.suspects else None
    before = dict(suspects)
    moved = any(abs(share - before.get(asset, 0.0)) >= _NEWS for asset, share in trouble.suspects)
    return first != now or moved
