"""From gauges that are off to a verdict: opens a trial of suspicions, asks it row by row, ends it when all is sound."""

from collections.abc import Mapping, Sequence
from math import isfinite, nan
from typing import Any, NamedTuple

import numpy as np

from services.alerts.sewers.channels import Gauged
from services.alerts.sewers.expectation import Expectation
from services.alerts.sewers.flow_routing import FlowRouting
from services.alerts.sewers.machines import Machines
from services.alerts.sewers.past import Past
from services.alerts.sewers.pipe_sections import Array
from services.alerts.sewers.sewer_network import SewerNetwork
from services.alerts.sewers.suspicions import SOUND, Cause, Suspicion, suspicions
from services.alerts.sewers.trial import Trial
from services.alerts.sewers.twin import Acting, Twin, restore_routing
from services.alerts.sewers.weather_times import WeatherTimes

_ROW_S = 300.0
_BEFORE_S = 1800.0
"""A trouble has begun so long before it shows."""
_OFF, _ROWS_OFF = 1.5, 2
"""A gauge is off from so many spreads for so many rows."""
BESIDE_OFF = 1.0
"""Then those that are off by so many spreads say where."""
_SURE, _LEAD = 0.8, 5.0
"""Belief in one cause, and the logarithm by which it explains more than that nothing is wrong, to name it."""
_WAITS_S, _LIKELIER = 2400.0, 0.5
"""What could not be told apart for so long is named when it is likelier than all else together."""
_NEVER = 2.0
_QUIET = {Cause.SENSOR: 4 * 3600.0, Cause.INFLOW: 2 * 3600.0}
"""Nothing is lost by waiting with these: a gauge that is off, or water that seeps in, is so for longer than a storm."""
_SOUND_AGAIN, _NO_LEAD = 0.9, 1.0
_OVER_S = 3600.0
_AGAIN_S = 1800.0
_NARROWS = ((1800.0, 80), (4500.0, 24))
"""After so long the bank is narrowed to so many suspicions."""
_AFTER_RAIN = {Cause.INFLOW: -6.0, Cause.SENSOR: -3.0}
"""What seeps in after rain is no foreign water, and a model errs most then; our own."""


class Verdict(NamedTuple):
    """What is believed after a row.

    ``shares`` are those of the suspicions, ``by_cause`` their sums; ``rows`` is how many rows one after the other
    agreed on ``cause`` with certainty. ``is_over`` says that nothing is wrong any more.
    """

    cause: Cause
    shares: Array
    by_cause: Mapping[Cause, float]
    rows: int
    is_over: bool = False


class Diagnosis:
    """Follows one trouble at a time, from the gauges that are off to its end."""

    def __init__(
        self, network: SewerNetwork, gauges: Sequence[Gauged], expected: Expectation, machines: Machines
    ) -> None:
        self._network = network
        self._gauges = gauges
        self._expected = expected
        self._machines = machines
        self.trial: Trial | None = None
        self.high: list[str] = []
        self.low: list[str] = []
        self.onset_s = nan
        self._off_rows = np.zeros(len(gauges))
        self._opened_s = self._sound_s = nan
        self._sure_rows = 0
        self._favourite = Cause.SOUND

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is tried and no gauge is off."""
        return self.trial is None and not self._off_rows.any() and not self._machines.accuses

    def take(self, acting: Acting, heard: Array) -> None:
        """A row that was compared with the expectation; what is tried goes on with it."""
        off = np.abs(self._expected.off) >= _OFF
        self._off_rows = np.where(off, self._off_rows + 1, 0)
        if self.trial is not None:
            self.trial.take(acting, heard, self._expected.bias, self._expected.spread)

    def search(self, time_s: float, past: Past, weather: WeatherTimes) -> Verdict | None:
        """Open a trial where gauges are off for some rows, and ask the one that is open."""
        high, low = self._places()
        lasting = bool((self._off_rows >= _ROWS_OFF).any())
        if self.trial is None:
            if not lasting and not self._machines.accuses:
                return None
            self.onset_s = time_s - _ROWS_OFF * _ROW_S
            self._open(time_s, high, low, past, weather)
        elif lasting and time_s - self._opened_s >= _AGAIN_S and not {*high, *low} <= {*self.high, *self.low}:
            self._open(time_s, [*self.high, *high], [*self.low, *low], past, weather)
        return self._judge(time_s, weather)

    def close(self) -> None:
        """Nothing is tried any more."""
        self.trial = None

    def narrow(self, time_s: float, verdict: Verdict) -> None:
        """Go on with fewer suspicions the longer the trial lasts."""
        for after_s, most in _NARROWS:
            if self.trial is not None and time_s - self._opened_s >= after_s:
                self.trial.narrow(verdict.shares, most)

    def _places(self) -> tuple[list[str], list[str]]:
        """The nodes at the gauges that are too high and too low; flow that is too low is missing above."""
        high: list[str] = []
        low: list[str] = []
        for gauge, off in zip(self._gauges, self._expected.off.tolist(), strict=True):
            if abs(off) < BESIDE_OFF:
                continue
            node = gauge.channel.asset
            if gauge.kind != "level":
                node = self._network.link_ends[node][0]
            (high if off > 0 else low).append(node)
        return high, low

    def _open(self, time_s: float, high: Sequence[str], low: Sequence[str], past: Past, weather: WeatherTimes) -> None:
        self.high, self.low = list(dict.fromkeys(high)), list(dict.fromkeys(low))
        routing = Twin(self._network).routing
        restore_routing(routing, past.anchor)
        # What shows in a storm was out of order before it, as a rule, and all of the storm tells of it.
        shows_s = min(self.onset_s, weather.rain_s) if weather.belongs_to_rain(self.onset_s) else self.onset_s
        self.trial = self._replayed(routing, past, shows_s)
        self._opened_s = self._sound_s = time_s

    def _replayed(self, routing: FlowRouting, past: Past, shows_s: float) -> Trial | None:
        """The trial as if it had been open since shortly before the trouble began to show."""
        sensors = [
            gauge.channel.id
            for gauge, off in zip(self._gauges, self._expected.off.tolist(), strict=True)
            if abs(off) >= BESIDE_OFF
        ]
        sound = Trial(routing, [SOUND], self._gauges)
        trial: Trial | None = None
        for acting, heard in past.rows:
            if trial is None and acting.time_s >= shows_s - _BEFORE_S:
                found = suspicions(self._network, self.high, self.low, sensors)
                trial = Trial(sound.routing, found, self._gauges)
            if trial is None:
                sound.take(acting, None, self._expected.bias, self._expected.spread)
            else:
                told = heard if acting.time_s >= shows_s else None
                trial.take(acting, told, self._expected.bias, self._expected.spread)
        return trial

    def _judge(self, time_s: float, weather: WeatherTimes) -> Verdict | None:
        trial = self.trial
        if trial is None:
            return None
        evidence = self._evidence(trial, weather)
        lead = trial.lead(np.array([self._accused(each) for each in trial.suspicions]))
        shares = trial.beliefs(evidence)
        by_cause = _by_cause(trial.suspicions, shares)
        lately = _by_cause(trial.suspicions, trial.beliefs(evidence, recent=True))
        if lately[Cause.SOUND] < _SOUND_AGAIN and lead > _NO_LEAD:
            self._sound_s = time_s
        elif time_s - self._sound_s >= _OVER_S:
            return Verdict(Cause.SOUND, shares, by_cause, 0, is_over=True)
        cause = max(by_cause, key=lambda each: by_cause[each])
        lasts_s = time_s - self.onset_s
        enough = _LIKELIER if lasts_s >= _WAITS_S and cause not in _QUIET else _SURE
        if cause in _QUIET and lasts_s < _QUIET[cause]:
            enough = _NEVER
        sure = cause is not Cause.SOUND and by_cause[cause] >= enough and lead >= _LEAD
        # What was seen long ago weighs a lot; it has to be seen still.
        sure = sure and lately[cause] > lately[Cause.SOUND]
        self._sure_rows = self._sure_rows + 1 if sure and cause is self._favourite else int(sure)
        self._favourite = cause
        return Verdict(cause, shares, by_cause, self._sure_rows)

    def believed(self, weather: WeatherTimes) -> Array:
        """The share of belief in each suspicion of the trial; empty where none is open."""
        return np.zeros(0) if self.trial is None else self.trial.beliefs(self._evidence(self.trial, weather))

    def _accused(self, each: Suspicion) -> float:
        """What a pump that stands still says against itself; others are known by what they do to the levels."""
        return max(0.0, self._machines.speaks_for(each)) if each.cause is Cause.PUMP else 0.0

    def _evidence(self, trial: Trial, weather: WeatherTimes) -> Array:
        """What speaks for each suspicion beside the gauges, as a logarithm."""
        after_rain = not weather.is_dry(self.onset_s)
        told = [self._machines.speaks_for(each) for each in trial.suspicions]
        quiet = [_AFTER_RAIN.get(each.cause, 0.0) if after_rain else 0.0 for each in trial.suspicions]
        evidence: Array = np.array(told) + np.array(quiet)
        return evidence

    _TIMES = ("onset_s", "_opened_s", "_sound_s")

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON."""
        times = {name.strip("_"): getattr(self, name) for name in self._TIMES}
        return {
            "trial": None if self.trial is None else self.trial.state(),
            "places": [self.high, self.low],
            "off_rows": self._off_rows.tolist(),
            "times": {name: time_s if isfinite(time_s) else None for name, time_s in times.items()},
            "sure_rows": self._sure_rows,
            "favourite": str(self._favourite),
        }

    def restore(self, state: Mapping[str, Any], routing: FlowRouting) -> None:
        """Go on where ``state`` was taken; ``routing`` is that of the sound sewers."""
        trial = state["trial"]
        self.trial = None if trial is None else Trial.restored(trial, routing, self._gauges)
        self.high, self.low = (list(nodes) for nodes in state["places"])
        self._off_rows = np.array(state["off_rows"], dtype=float)
        for name in self._TIMES:
            time_s = state["times"][name.strip("_")]
            setattr(self, name, nan if time_s is None else time_s)
        self._sure_rows = state["sure_rows"]
        self._favourite = Cause(state["favourite"])


def _by_cause(suspected: Sequence[Suspicion], shares: Array) -> dict[Cause, float]:
    found: dict[Cause, float] = {}
    for each, share in zip(suspected, shares.tolist(), strict=True):
        found[each.cause] = found.get(each.cause, 0.0) + share
    return found
