"""Looks for damage of a bridge behind its weather, for shocks and jumps at once and for slow change day by day."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from services.alerts.detectors.contract import UNKNOWN, Claim, Score, SearchDetector, State
from services.alerts.structures.causes import (
    BEARING,
    CABLE,
    COLLISION,
    SENSOR,
    SETTLEMENT,
    UNEXPLAINED,
    cause_of,
    groups_of,
    order_of,
)
from services.alerts.structures.channels import DISPLACEMENTS, FREQUENCIES, SHOCKS, SLOW, TRACKED, positions
from services.alerts.structures.compensation import Compensation
from services.alerts.structures.day_chart import DayChart, Shift
from services.alerts.structures.day_record import Day, DayRecord
from services.alerts.structures.evidence import day_evidence, jump_evidence, shock_evidence
from services.alerts.structures.gaps import packed, unpacked
from services.alerts.structures.gauge_habits import GaugeHabits
from services.alerts.structures.shocks import Shocks
from services.alerts.structures.sudden import Sudden
from services.alerts.structures.trouble import Evidence, Gauge, Trouble, claim_of
from services.alerts.structures.weather import Array, Weather
from services.core.finding import FindingState
from services.core.severity import Severity

_DAY_S = 86_400.0
_HELD_DAYS = 10
"""A day is learnt so many days later, when slow damage that began with it would have shown."""
_TAUGHT_DAYS = 60
"""Where nobody says how long the bridge is healthy for sure, the first days are taken to be."""
_CLEARS_BELOW, _QUIET_DAYS = 0.7, 2
_GRAVE_RATIO = 10.0
_HALF = 0.5
_ALONE_SHARE, _SURELY_ALONE_SHARE = 0.85, 0.98
_WAITING_DAYS = 3
"""So long it may stay open whether one gauge lies or is the first to show something; a joint may also be stuck."""
_CLEARLY_BEYOND = 1.15
"""Where one gauge alone is to speak for the bridge it has to be so far beyond the limit. Set on simulated bridges."""
_ABSOLVED_S = 5 * _DAY_S
_STRUCK_FOR_S = 3 * 3600.0
_AFTER_COLLISION_S = 7 * _DAY_S
_USUAL_AFTER_S = 60 * _DAY_S
"""What has lasted so long is known to those who answer for the bridge; it becomes the level that is compared with."""
_NOISY_TOGETHER = 3
"""So many gauges that become noisy at the same time are a storm or traffic, and not faults."""
_RENAMED_FROM, _RENAMED_AFTER_DAYS = 1.5, 2


class StructureSearch(SearchDetector):
    """Follows one trouble of the structure, collisions, and every gauge that disagrees with all others.

    Weather is explained away first (``compensation``), then days are charted together (``day_chart``), rows are
    compared with the last day (``sudden``), and what has shifted is told apart by statics (``causes``).
    Source: the parts name theirs; the order of steps follows what the Z24 bridge taught, that charts without
    compensation ring on most healthy days.
    """

    name = "structure-search"
    version = "1"

    def __init__(
        self,
        channels: Sequence[Sequence[str]],
        outcomes: Mapping[str, str],
        learn_until_s: float | None = None,
        days_between_false_alarms: float = 400.0,
        supports: Mapping[str, Sequence[str]] = MappingProxyType({}),
    ) -> None:
        """``channels`` are (sensor, quantity, asset, unit); ``outcomes`` the name of the outcome for each cause.

        ``supports`` are the assets on which spans rest, each with those spans.
        """
        self._channels = tuple(Gauge(*channel) for channel in channels)
        self.columns = tuple(gauge.id for gauge in self._channels)
        self._outcomes = dict(outcomes)
        self._learn_until_s = learn_until_s
        self._between = days_between_false_alarms
        self._supports = {support: tuple(resting) for support, resting in supports.items()}
        quantities = [gauge.quantity for gauge in self._channels]
        self._slow = positions(quantities, SLOW)
        self.gauges = tuple(self._channels[position] for position in self._slow)
        slow = [gauge.quantity for gauge in self.gauges]
        self._groups = groups_of(slow)
        self._weather = Weather(quantities)
        self._record = DayRecord(len(slow), positions(slow, TRACKED))
        self._compensation = Compensation(len(slow), positions(slow, FREQUENCIES))
        self._chart = DayChart(len(slow), days_between_false_alarms)
        self._habits = GaugeHabits(len(slow))
        self._sudden = Sudden(len(slow))
        self._shocks = Shocks(positions(quantities, SHOCKS))
        self._sliding = positions(slow, DISPLACEMENTS)
        self._held: list[tuple[Array, Array, list[Array | None]]] = []
        self._structure: Trouble | None = None
        self._collision: Trouble | None = None
        self._off: dict[int, Trouble] = {}
        self._told = 0
        self._waited = 0
        self._stuck_before: list[int] = []
        self._other_cause = (UNEXPLAINED, 0)
        self._ratio = 0.0
        self._days = 0
        self._claims: list[Claim] = []

    @property
    def watches(self) -> bool:
        """Whether there is anything to explain and something that explains it."""
        return self._weather.is_measured and len(self._slow) > 0

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "channels": [[gauge.id, gauge.quantity, gauge.asset, gauge.unit] for gauge in self._channels],
            "outcomes": dict(self._outcomes),
            "learn_until_s": self._learn_until_s,
            "days_between_false_alarms": self._between,
            "supports": {support: list(resting) for support, resting in self._supports.items()},
        }

    def claims(self) -> Sequence[Claim]:
        """What changed with the row scored last."""
        return tuple(self._claims)

    def score(self, time_s: float, row: Sequence[float]) -> Score:
        """The largest of shock, jump and the last day's shift, each beside its limit."""
        self._claims = []
        number = int((time_s - 1) // _DAY_S)
        if self._record.number is None:
            self._record.number = number
        elif number > self._record.number and (day := self._record.close(number)) is not None:
            self._end_day(day, time_s)
        struck = self._take_shock(time_s, row)
        taken = self._weather.take(time_s, row)
        if taken is None:
            return Score(struck) if struck > 0 else UNKNOWN
        slow, quick, warm_c = taken
        values = np.array([row[position] for position in self._slow], dtype=np.float64)
        self._record.take(slow, warm_c, values)
        jumps = self._sudden.take(time_s, quick, values)
        largest = float(np.abs(jumps).max(initial=0.0))
        if self._is_taught(time_s) or largest < _HALF:
            self._sudden.learn()
        elif self._speaks(time_s) and largest >= 1:
            self._take_jump(time_s, jumps, values, warm_c)
        return Score(max(struck, largest, self._ratio))

    def _is_taught(self, time_s: float) -> bool:
        """Whether what comes is healthy because somebody says so, or because nothing is known yet."""
        return self._days < _TAUGHT_DAYS if self._learn_until_s is None else time_s <= self._learn_until_s

    def _speaks(self, time_s: float) -> bool:
        return not self._is_taught(time_s)

    def _take_shock(self, time_s: float, row: Sequence[float]) -> float:
        ratio, position = self._shocks.take(row)
        collision = self._collision
        if ratio >= 1 and self._speaks(time_s):
            self._shocks.last_s = time_s
            gauge, value = self._channels[position], row[position]
            severity = Severity.MAJOR
            state = FindingState.RAISED
            if collision is None:
                collision = Trouble(COLLISION, self._key(COLLISION), time_s, time_s, severity, (position,), ratio)
            elif ratio > collision.ratio:
                state = FindingState.CHANGED
                collision = replace(collision, ratio=ratio)
            else:
                return ratio
            self._collision = collision
            self._claims.append(
                self._shock_claim(collision, state, shock_evidence(gauge, value, self._shocks.usual(position)))
            )
        elif collision is not None and time_s - collision.raised_s > _DAY_S:
            self._claims.append(self._shock_claim(collision, FindingState.CLEARED, Evidence(None, None, {}, {})))
            self._collision = None
        return ratio

    def _take_jump(self, time_s: float, jumps: Array, values: Array, warm_c: float) -> None:
        """A gauge, or several together, are suddenly elsewhere."""
        off = list(self._off)
        jumps, units = jumps.copy(), self._sudden.jumped.copy()
        jumps[off], units[off] = 0.0, 0.0
        if np.abs(jumps).max(initial=0.0) < 1:
            return
        order = order_of(units)
        first = order[0]
        evidence = jump_evidence(self.gauges[first], float(values[first]), float(self._sudden.left[first]), warm_c)
        collision = self._collision
        if collision is not None and time_s - collision.raised_s <= _STRUCK_FOR_S:
            if collision.severity < Severity.CRITICAL:
                self._collision = collision.graver(Severity.CRITICAL)
                self._claims.append(self._shock_claim(self._collision, FindingState.CHANGED, evidence))
            return
        together = int((np.abs(jumps) >= _HALF).sum()) > 1
        if not together and not self._shows_by_itself(first, float(units[first])):
            slides = first in self._sliding
            if not slides and not self._recently_struck(time_s) and self._structure is None:
                self._tell_off(first, time_s, time_s, float(np.abs(jumps).max()), evidence)
            return
        cause = cause_of(units, self._groups)
        severity = Severity.CRITICAL if cause == CABLE else Severity.MAJOR
        ratio = float(np.abs(jumps).max())
        if self._structure is not None and (self._structure.cause == cause or cause != CABLE):
            return
        self._tell_structure(Trouble(cause, "", time_s, time_s, severity, tuple(order), ratio), evidence, time_s)

    def _recently_struck(self, time_s: float) -> bool:
        return self._shocks.last_s is not None and time_s - self._shocks.last_s <= _AFTER_COLLISION_S

    def _end_day(self, day: Day, time_s: float) -> None:
        """Judge the day that is over, then learn the one that has been held for long enough."""
        self._days += 1
        self._habits.add(day)
        windows: list[Array | None] = []
        if self._compensation.is_settled:
            self._chart.add(self._compensation.unexplained(day.features, day.means))
            windows = self._chart.windows_now()
        if self._speaks(time_s) and self._chart.is_ready:
            self._judge(day, time_s)
        if self._structure is None:
            means = day.means.copy()
            means[list(self._off)] = np.nan
            self._held.append((day.features, means, windows))
            self._habits.learn(day)
        while len(self._held) > _HELD_DAYS:
            features, means, windows = self._held.pop(0)
            self._compensation.learn(features, means)
            if windows:
                self._chart.learn(windows)

    def _judge(self, day: Day, time_s: float) -> None:
        still = self._habits.still(day)
        noisy = self._habits.noisy(day)
        for unquiet in (still, noisy):
            for position in unquiet if len(unquiet) < _NOISY_TOGETHER else ():
                self._tell_off(position, time_s - _DAY_S, time_s, 1.0, self._evidence(day, position, None))
        worst = self._worst(frozenset(self._off))
        while worst is not None and worst.ratio >= 1 and (alone := self._alone(worst, time_s)) is not None:
            evidence = self._evidence(day, alone, worst)
            self._tell_off(alone, time_s - worst.days * _DAY_S, time_s, worst.ratio, evidence)
            worst = self._worst(frozenset(self._off))
        self._ratio = 0.0 if worst is None else worst.ratio
        self._judge_structure(day, time_s, worst, frozenset({*still, *noisy}))
        self._judge_gauges(day, time_s, {*still, *noisy})

    def _judge_structure(self, day: Day, time_s: float, worst: Shift | None, unquiet: frozenset[int]) -> None:
        seen = {
            position: share
            for position, share in self._habits.stuck().items()
            if position in self._sliding
            and position not in unquiet
            and (position not in self._off or time_s - self._off[position].raised_s < _ABSOLVED_S)
        }
        # On the second day only: within four days a turn of the weather alone may hide a joint's habit once.
        stuck = {position: share for position, share in seen.items() if position in self._stuck_before}
        self._stuck_before = list(seen)
        known = self._structure
        if stuck and (known is None or known.cause not in {BEARING, CABLE}):
            found = min(stuck, key=lambda k: (stuck[k], k))
            trouble = Trouble(
                BEARING, "", time_s - 4 * _DAY_S, time_s, Severity.MODERATE, (found,), max(1.0, self._ratio)
            )
            self._tell_structure(trouble, self._evidence(day, found, worst), time_s)
            return
        if worst is None:
            return
        if known is None:
            self._waited = self._waited + 1 if worst.ratio >= 1 else 0
            waited = self._waited > _WAITING_DAYS and worst.ratio >= _CLEARLY_BEYOND
            is_shared = self._is_shared(worst)
            if worst.ratio >= 1 and (is_shared or waited):
                cause = cause_of(worst.means, self._groups) if is_shared else UNEXPLAINED
                self._begin(COLLISION if self._recently_struck(time_s) else cause, worst, day, time_s)
            return
        if time_s - known.raised_s > _USUAL_AFTER_S:
            self._take_as_usual(day, worst)
            return
        if worst.ratio < _CLEARS_BELOW and not (known.cause == BEARING and stuck):
            known = replace(known, quiet_days=known.quiet_days + 1)
            self._structure = known
            if known.quiet_days >= _QUIET_DAYS:
                self._end_structure(self._evidence(day, known.gauges[0], worst))
            return
        self._structure = replace(known, quiet_days=0)
        self._rename_or_raise(day, time_s, worst)

    def _rename_or_raise(self, day: Day, time_s: float, worst: Shift) -> None:
        """A cause that shows for the second day, with clearer evidence than the one that was told, replaces it."""
        known = self._structure
        if known is None:
            return
        cause = cause_of(worst.means, self._groups)
        if known.cause not in {SETTLEMENT, UNEXPLAINED} or cause in {known.cause, UNEXPLAINED}:
            self._other_cause = (UNEXPLAINED, 0)
        else:
            self._other_cause = (cause, self._other_cause[1] + 1 if self._other_cause[0] == cause else 1)
            if self._other_cause[1] >= _RENAMED_AFTER_DAYS and worst.ratio >= _RENAMED_FROM * known.ratio:
                self._begin(cause, worst, day, time_s)
                return
        if worst.ratio >= _GRAVE_RATIO and known.severity < Severity.MAJOR:
            self._structure = replace(known.graver(Severity.MAJOR), ratio=worst.ratio)
            evidence = self._evidence(day, known.gauges[0], worst)
            self._claims.append(self._claim(self._structure, FindingState.CHANGED, evidence))

    def _begin(self, cause: str, worst: Shift, day: Day, time_s: float) -> None:
        order = tuple(order_of(worst.means))
        severity = Severity.MAJOR if worst.ratio >= _GRAVE_RATIO else Severity.MODERATE
        trouble = Trouble(cause, "", time_s - worst.days * _DAY_S, time_s, severity, order, worst.ratio)
        self._tell_structure(trouble, self._evidence(day, order[0], worst), time_s)

    def _tell_structure(self, trouble: Trouble, evidence: Evidence, time_s: float) -> None:
        """Raise it; what was told before ends, because this explains it better."""
        if self._structure is not None:
            trouble = replace(trouble, since_s=min(trouble.since_s, self._structure.since_s))
            self._end_structure(evidence)
        for position, suspected in list(self._off.items()):
            # What was taken for a lie of one gauge was the first sign of what several show now.
            if position in trouble.gauges or time_s - suspected.raised_s < _ABSOLVED_S:
                del self._off[position]
                self._claims.append(self._claim(suspected, FindingState.CLEARED, evidence))
        self._waited = 0
        self._structure = replace(trouble, key=self._key(trouble.cause))
        self._held.clear()
        self._claims.append(self._claim(self._structure, FindingState.RAISED, evidence))

    def _end_structure(self, evidence: Evidence) -> None:
        if self._structure is not None:
            self._claims.append(self._claim(self._structure, FindingState.CLEARED, evidence))
        self._structure = None
        self._other_cause = (UNEXPLAINED, 0)

    def _take_as_usual(self, day: Day, worst: Shift) -> None:
        self._compensation.shift(day.means - self._compensation.expected(day.features))
        self._chart.forget_recent()
        if self._structure is not None:
            self._end_structure(self._evidence(day, self._structure.gauges[0], worst))

    def _worst(self, off: frozenset[int]) -> Shift | None:
        return max(self._chart.shifts(off), key=lambda shift: shift.ratio, default=None)

    def _shows_by_itself(self, position: int, units: float) -> bool:
        """Whether such a change happens in one place only: a crack opens, ground is washed out, a mode shifts."""
        quantity = self.gauges[position].quantity
        return quantity == "crack_width" or quantity in FREQUENCIES or (position in self._groups.scour and units > 0)

    def _is_shared(self, worst: Shift) -> bool:
        """Whether more than one gauge shows it clearly, or one for which that is no lie."""
        order = order_of(worst.means)
        by_itself = self._shows_by_itself(order[0], float(worst.means[order[0]]))
        return len(order) > 1 or (by_itself and worst.ratio >= _CLEARLY_BEYOND)

    def _alone(self, worst: Shift, time_s: float) -> int | None:
        """The gauge that disagrees with all others, which agree with one another; ``None`` if several moved."""
        position = int(np.argmax(worst.alone))
        share = float(worst.alone[position]) / worst.square
        is_liar = share >= _SURELY_ALONE_SHARE or (
            share >= _ALONE_SHARE and worst.square - float(worst.alone[position]) < worst.limit
        )
        if not is_liar or self._structure is not None or self._recently_struck(time_s):
            return None
        if self._shows_by_itself(position, float(worst.means[position])):
            return None
        # A joint that no longer slides shows by its slope, which takes some days.
        if position in self._sliding and (self._waited < _WAITING_DAYS or position in self._habits.stuck()):
            return None
        return position

    def _tell_off(self, position: int, since_s: float, time_s: float, ratio: float, evidence: Evidence) -> None:
        if position in self._off:
            return
        severity = Severity.MINOR
        self._off[position] = Trouble(SENSOR, self._key(SENSOR), since_s, time_s, severity, (position,), ratio)
        self._held = [(features, _without(means, position), windows) for features, means, windows in self._held]
        self._claims.append(self._claim(self._off[position], FindingState.RAISED, evidence))

    def _judge_gauges(self, day: Day, time_s: float, unquiet: set[int]) -> None:
        """Believe a gauge again after it has agreed with the others for some days."""
        for position, trouble in list(self._off.items()):
            if time_s - trouble.raised_s < _HALF * _DAY_S:
                continue
            others = frozenset(self._off) - {position}
            with_it = self._worst(others)
            agrees = position not in unquiet and with_it is not None and with_it.ratio < 1
            quiet = trouble.quiet_days + 1 if agrees else 0
            self._off[position] = replace(trouble, quiet_days=quiet)
            if quiet > _QUIET_DAYS:
                del self._off[position]
                self._claims.append(self._claim(trouble, FindingState.CLEARED, self._evidence(day, position, None)))

    def _evidence(self, day: Day, position: int, shift: Shift | None) -> Evidence:
        before = self._held[0][0] if self._held else None
        return day_evidence(
            self.gauges,
            position,
            day,
            self._compensation,
            shift=shift,
            before=before,
            between_days=self._between,
        )

    def _key(self, cause: str) -> str:
        self._told += 1
        return f"{cause}-{self._told}"

    def _claim(self, trouble: Trouble, state: FindingState, evidence: Evidence) -> Claim:
        sunk = self._supports if trouble.cause == SETTLEMENT else {}
        return claim_of(trouble, state, self._outcomes[trouble.cause], self.gauges, evidence, supports=sunk)

    def _shock_claim(self, trouble: Trouble, state: FindingState, evidence: Evidence) -> Claim:
        """Of a collision, whose sensors are not among those that are charted."""
        return claim_of(trouble, state, self._outcomes[trouble.cause], self._channels, evidence)

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON."""
        return {
            "weather": self._weather.state(),
            "record": self._record.state(),
            "compensation": self._compensation.state(),
            "chart": self._chart.state(),
            "habits": self._habits.state(),
            "sudden": self._sudden.state(),
            "shocks": self._shocks.state(),
            "held": [
                [features.tolist(), packed(means), [_packed_window(each) for each in windows]]
                for features, means, windows in self._held
            ],
            "structure": None if self._structure is None else self._structure.state(),
            "collision": None if self._collision is None else self._collision.state(),
            "off": [[position, trouble.state()] for position, trouble in self._off.items()],
            "told": self._told,
            "waited": self._waited,
            "stuck_before": list(self._stuck_before),
            "other_cause": list(self._other_cause),
            "ratio": self._ratio,
            "days": self._days,
        }

    def restore(self, state: State) -> None:
        """Go on exactly there."""
        self._weather.restore(state["weather"])
        self._record.restore(state["record"])
        self._compensation.restore(state["compensation"])
        self._chart.restore(state["chart"])
        self._habits.restore(state["habits"])
        self._sudden.restore(state["sudden"])
        self._shocks.restore(state["shocks"])
        self._held = [
            (np.array(features), unpacked(means), [_unpacked_window(each) for each in windows])
            for features, means, windows in state["held"]
        ]
        self._structure = None if state["structure"] is None else Trouble.restored(state["structure"])
        self._collision = None if state["collision"] is None else Trouble.restored(state["collision"])
        self._off = {position: Trouble.restored(trouble) for position, trouble in state["off"]}
        self._told, self._waited = state["told"], state["waited"]
        self._stuck_before = list(state["stuck_before"])
        self._other_cause = (state["other_cause"][0], state["other_cause"][1])
        self._ratio, self._days = state["ratio"], state["days"]
        self._claims = []


def _without(means: Array, position: int) -> Array:
    left = means.copy()
    left[position] = np.nan
    return left


def _packed_window(window: Array | None) -> list[float | None] | None:
    return None if window is None else packed(window)


def _unpacked_window(window: Sequence[float | None] | None) -> Array | None:
    return None if window is None else unpacked(window)
