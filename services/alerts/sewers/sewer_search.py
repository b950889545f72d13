"""Which part of the drainage is to blame: the sewers run beside their model, and what differs is explained."""

from collections import deque
from collections.abc import Mapping, Sequence
from math import inf, isfinite, isnan, nan
from typing import Any, ClassVar, NamedTuple

import numpy as np

from services.alerts.detectors.contract import Claim, Score, SearchDetector, State, Suspect
from services.alerts.sewers.channels import RAIN, Channel, gauged, shown
from services.alerts.sewers.dry_weather import DryWeather
from services.alerts.sewers.expectation import Expectation
from services.alerts.sewers.machines import Machines
from services.alerts.sewers.outlook import Ahead, ahead_of
from services.alerts.sewers.pipe_sections import Array
from services.alerts.sewers.rain_field import RainField
from services.alerts.sewers.suspicions import Cause, Suspicion, suspicions
from services.alerts.sewers.swmm_reader import read_swmm
from services.alerts.sewers.trial import Trial
from services.alerts.sewers.twin import Acting, Twin, packed, restore_routing, routing_state, unpacked
from services.core.finding import FindingState
from services.core.severity import Severity

_FIRST_STEP_S, _LONGEST_STEP_S = 300.0, 1800.0
_ANCHOR_S = 2 * 3600.0
_BEFORE_S = 1800.0
"""A trouble has begun so long before it shows."""
_AFTER_S = 4 * 3600.0
"""Until so long after rain what shows is taken as shown by that rain."""
_DRIES_S = 6 * 3600.0
"""So long after rain the sewers carry sewage alone."""
_LEARNS_S = 86_400.0
"""Without a word about history the first day is taken as sound."""
_OFF, _BESIDE_OFF, _ROWS_OFF = 2.0, 1.3, 3
"""A gauge is off from so many spreads for so many rows; then those that are off by a little less say where."""
_SURE, _LEAD = 0.8, 5.0
"""Belief in one cause, and the logarithm by which it explains more than that nothing is wrong, to name it."""
_WAITS_S, _LIKELIER = 2400.0, 0.5
"""What could not be told apart for so long is named when it is likelier than all else together."""
_ROWS_SURE, _ROWS_OTHER = 2, 12
"""So many rows one after the other have to agree on a cause; more on another one than was named: when a trouble ends,
what it left runs off."""
_NEVER = 2.0
_QUIET = {Cause.SENSOR: 4 * 3600.0, Cause.INFLOW: 2 * 3600.0}
"""Nothing is lost by waiting with these: a gauge that is off, or water that seeps in, is so for longer than a storm."""
_SOUND_AGAIN, _NO_LEAD = 0.9, 1.0
_OVER_S = 3600.0
_AGAIN_S = 1800.0
_NARROWS = ((1800.0, 60), (4500.0, 16))
"""After so long the bank is narrowed to so many suspicions."""
_AFTER_RAIN = {Cause.INFLOW: -6.0, Cause.SENSOR: -3.0}
"""What seeps in after rain is no foreign water, and a model errs most then; our own."""
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


class _Claimed(NamedTuple):
    cause: Cause
    key: str
    since_s: float
    columns: tuple[str, ...]
    asset: str


class SewerSearch(SearchDetector):
    """Runs the model of the sewers with the rain that is measured and names the cause of what differs from it.

    ``model`` is the text of a SWMM input file; ``channels`` are (sensor, quantity, asset, unit, longitude, latitude).
    Where gauges stand higher or lower than they should, every blockage, pump, gate, outfall and inflow that could do
    it is run through the model too, and the readings say which fits (``Trial``). What pumps and gates tell of
    themselves is asked directly (``Machines``). ``outcomes`` gives the rule for each cause; a cause without a rule is
    not told. ``learn_until_s`` ends the history that counts as sound.

    Source: fault diagnosis with a bank of models (Isermann, Fault-Diagnosis Systems, 2006, chapter 10).

    Raises:
        SewerModelError: the model cannot be read.
    """

    name: ClassVar[str] = "sewer-search"
    version: ClassVar[str] = "1"

    __slots__ = (
        "_anchors",
        "_claimed",
        "_claims",
        "_dry",
        "_expected",
        "_favourite",
        "_first_s",
        "_gauges",
        "_high",
        "_last_s",
        "_low",
        "_machines",
        "_network",
        "_number",
        "_off_rows",
        "_onset_s",
        "_opened_s",
        "_rain",
        "_rain_s",
        "_rows",
        "_sound_s",
        "_sure_rows",
        "_told_s",
        "_trial",
        "_twin",
        "_wet_s",
        "channels",
        "columns",
        "learn_until_s",
        "model",
        "outcomes",
    )

    def __init__(
        self,
        model: str,
        channels: Sequence[Sequence[Any]],
        outcomes: Mapping[str, str],
        learn_until_s: float | None = None,
    ) -> None:
        self.model = model
        self.channels = [Channel(*each) for each in channels]
        self.outcomes = dict(outcomes)
        self.learn_until_s = learn_until_s
        self.columns = tuple(sorted(channel.id for channel in self.channels))
        network = self._network = read_swmm(model)
        self._gauges = gauged(network, sorted(self.channels, key=lambda c: c.id))
        self._rain = RainField(network, [c for c in self.channels if c.quantity in RAIN])
        self._machines = Machines(network, self.channels)
        self._twin = Twin(network)
        inlets = {device.start for device in network.devices if device.kind == "inlet"}
        sewered = np.zeros(len(network.nodes))
        for surface in network.surfaces:
            if surface.node not in inlets:
                sewered[self._twin.routing.node[surface.node]] += surface.area_ha
        self._dry = DryWeather(network, self._gauges, sewered)
        self._expected = Expectation(np.array([gauge.floor for gauge in self._gauges]))
        self._rows: deque[tuple[Acting, Array]] = deque()
        self._anchors: list[tuple[float, dict[str, Any]]] = []
        self._trial: Trial | None = None
        self._claimed: _Claimed | None = None
        self._claims: list[Claim] = []
        self._high: list[str] = []
        self._low: list[str] = []
        self._off_rows = np.zeros(len(self._gauges))
        self._first_s = self._last_s = nan
        self._wet_s = self._rain_s = -inf
        self._onset_s = self._opened_s = self._sound_s = self._told_s = nan
        self._sure_rows = 0
        self._favourite = Cause.SOUND
        self._number = 0

    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "model": self.model,
            "channels": [[c.id, c.quantity, c.asset, c.unit, c.lon, c.lat] for c in self.channels],
            "outcomes": self.outcomes,
            "learn_until_s": self.learn_until_s,
        }

    @property
    def watches(self) -> bool:
        """Whether any sensor can be compared with the model."""
        return bool(self._gauges)

    def score(self, time_s: float, row: Sequence[float]) -> Score:
        """How many spreads the gauge that is off most is off."""
        self._claims = []
        values = {name: value if isfinite(value) else nan for name, value in zip(self.columns, row, strict=True)}
        seconds = _FIRST_STEP_S if isnan(self._last_s) else min(time_s - self._last_s, _LONGEST_STEP_S)
        if seconds <= 0:
            # The same moment once more tells nothing new.
            return Score(float(np.abs(self._expected.off).max(initial=0.0)))
        if isnan(self._first_s):
            self._first_s = time_s
        self._last_s = time_s
        acting, heard = self._run(time_s, seconds, values)
        now = shown(self._twin.routing, self._gauges)[:, 0]
        self._expected.compare(now, heard)
        self._machines.take(values, self._twin.routing)
        self._remember(acting, heard)
        self._count_off()
        if self._trial is not None:
            self._trial.take(acting, heard, self._expected.bias, self._expected.spread)
        if self._is_learning(time_s):
            self._learn(time_s, now, heard, acting)
        else:
            self._search(time_s)
            if self._trial is None and not self._off_rows.any():
                self._learn(time_s, now, heard, acting)
        return Score(float(np.abs(self._expected.off).max(initial=0.0)))

    def _run(self, time_s: float, seconds: float, values: Mapping[str, float]) -> tuple[Acting, Array]:
        rain = self._rain.take(values)
        sewage = self._dry.inflow_m3s(time_s)
        acting = self._twin.act(time_s, seconds, rain, sewage, self._machines.outside_m(values))
        self._twin.take(acting)
        if acting.is_wet or max(rain.values(), default=0.0) > 0:
            if time_s - self._wet_s > _AFTER_S:
                self._rain_s = time_s
            self._wet_s = time_s
        heard = np.array([values[g.channel.id] * g.scale for g in self._gauges], dtype=float)
        return acting, heard

    def _is_learning(self, time_s: float) -> bool:
        until_s = self._first_s + _LEARNS_S if self.learn_until_s is None else self.learn_until_s
        return time_s <= until_s

    def _learn(self, time_s: float, now: Array, heard: Array, acting: Acting) -> None:
        dry = time_s - self._wet_s > _DRIES_S or (not self._dry.is_known and not acting.is_wet)
        if dry:
            self._dry.learn(time_s, heard)
        self._expected.learn(now, heard, dry=dry)
        self._machines.learn()

    def _remember(self, acting: Acting, heard: Array) -> None:
        """Keep the rows since a state of the sound sewers from which suspicions can be run."""
        if not self._anchors or acting.time_s - self._anchors[-1][0] >= _ANCHOR_S:
            self._anchors = [*self._anchors[-2:], (acting.time_s, routing_state(self._twin.routing))]
        self._rows.append((acting, heard))
        while self._rows and self._rows[0][0].time_s <= self._anchors[0][0]:
            self._rows.popleft()

    def _count_off(self) -> None:
        off = np.abs(self._expected.off) >= _OFF
        self._off_rows = np.where(off, self._off_rows + 1, 0)

    def _search(self, time_s: float) -> None:
        high, low = self._places()
        lasting = bool((self._off_rows >= _ROWS_OFF).any())
        if self._trial is None:
            if not lasting:
                return
            self._onset_s = time_s - _ROWS_OFF * _FIRST_STEP_S
            self._open(time_s, high, low)
        elif lasting and time_s - self._opened_s >= _AGAIN_S and not {*high, *low} <= {*self._high, *self._low}:
            self._open(time_s, [*self._high, *high], [*self._low, *low])
        self._judge(time_s)

    def _places(self) -> tuple[list[str], list[str]]:
        """The nodes at the gauges that are too high and too low; flow that is too low is missing above."""
        high: list[str] = []
        low: list[str] = []
        for gauge, off in zip(self._gauges, self._expected.off.tolist(), strict=True):
            if abs(off) < _BESIDE_OFF:
                continue
            node = gauge.channel.asset
            if gauge.kind != "level":
                node = self._network.link_ends[node][0]
            (high if off > 0 else low).append(node)
        return high, low

    def _open(self, time_s: float, high: Sequence[str], low: Sequence[str]) -> None:
        self._high, self._low = list(dict.fromkeys(high)), list(dict.fromkeys(low))
        sensors = [
            gauge.channel.id
            for gauge, off in zip(self._gauges, self._expected.off.tolist(), strict=True)
            if abs(off) >= _BESIDE_OFF
        ]
        routing = Twin(self._network).routing
        restore_routing(routing, self._anchors[0][1])
        # What shows in a storm was out of order before it, as a rule, and all of the storm tells of it.
        shows_s = min(self._onset_s, self._rain_s) if self._onset_s - self._wet_s < _AFTER_S else self._onset_s
        begin_s = shows_s - _BEFORE_S
        sound = Trial(routing, suspicions(self._network, [], [], [])[:1], self._gauges)
        trial: Trial | None = None
        for acting, heard in self._rows:
            if trial is None and acting.time_s >= begin_s:
                found = suspicions(self._network, self._high, self._low, sensors)
                trial = Trial(sound.routing, found, self._gauges)
            if trial is None:
                sound.take(acting, None, self._expected.bias, self._expected.spread)
            else:
                told = heard if acting.time_s >= shows_s else None
                trial.take(acting, told, self._expected.bias, self._expected.spread)
        self._trial = trial
        self._opened_s = self._sound_s = time_s

    def _judge(self, time_s: float) -> None:
        trial = self._trial
        if trial is None:
            return
        evidence = self._evidence(trial)
        shares = trial.beliefs(evidence)
        by_cause = _by_cause(trial.suspicions, shares)
        lately = _by_cause(trial.suspicions, trial.beliefs(evidence, recent=True))
        if lately[Cause.SOUND] >= _SOUND_AGAIN or trial.lead() <= _NO_LEAD:
            if time_s - self._sound_s >= _OVER_S:
                self._end()
                self._trial = None
                return
        else:
            self._sound_s = time_s
        cause = max(by_cause, key=lambda each: by_cause[each])
        waited = time_s - self._onset_s >= _WAITS_S
        enough = _LIKELIER if waited and cause not in _QUIET else _SURE
        if cause in _QUIET and time_s - self._onset_s < _QUIET[cause]:
            enough = _NEVER
        sure = cause is not Cause.SOUND and by_cause[cause] >= enough and trial.lead() >= _LEAD
        # What was seen long ago weighs a lot; it has to be seen still.
        sure = sure and lately[cause] > lately[Cause.SOUND]
        self._sure_rows = self._sure_rows + 1 if sure and cause is self._favourite else int(sure)
        self._favourite = cause
        is_other = self._claimed is not None and self._claimed.cause is not cause
        if self._sure_rows >= (_ROWS_OTHER if is_other else _ROWS_SURE):
            self._claim(time_s, cause, shares, by_cause)
        for after_s, most in _NARROWS:
            if time_s - self._opened_s >= after_s:
                trial.narrow(shares, most)

    def _evidence(self, trial: Trial) -> Array:
        """What speaks for each suspicion beside the gauges, as a logarithm."""
        after_rain = self._onset_s - self._wet_s < _DRIES_S
        told = [self._machines.speaks_for(each) for each in trial.suspicions]
        quiet = [_AFTER_RAIN.get(each.cause, 0.0) if after_rain else 0.0 for each in trial.suspicions]
        evidence: Array = np.array(told) + np.array(quiet)
        return evidence

    def _claim(self, time_s: float, cause: Cause, shares: Array, by_cause: Mapping[Cause, float]) -> None:
        trial = self._trial
        if trial is None or str(cause) not in self.outcomes:
            return
        suspects = _suspects(trial.suspicions, shares, cause)
        if self._claimed is not None and self._claimed.cause is not cause:
            self._end()
        before = self._claimed
        if before is not None and (before.asset == suspects[0].asset or time_s - self._told_s < _TELLS_AGAIN_S):
            return
        self._told_s = time_s
        if before is None:
            self._number += 1
        columns = self._columns()
        key = f"cause/{self._number}" if before is None else before.key
        since_s = self._onset_s if before is None else before.since_s
        self._claimed = _Claimed(cause, key, since_s, columns, suspects[0].asset)
        best = max(
            (k for k, each in enumerate(trial.suspicions) if each.cause is cause), key=lambda k: (float(shares[k]), -k)
        )
        ahead = ahead_of(self._network, trial, best, suspects[0].asset)
        state = FindingState.RAISED if before is None else FindingState.CHANGED
        self._tell(state, suspects, by_cause[cause], trial.suspicions[best], ahead)

    def _columns(self) -> tuple[str, ...]:
        order = np.argsort(-np.abs(self._expected.off), kind="stable").tolist()
        return tuple(self._gauges[k].channel.id for k in order if abs(self._expected.off[k]) >= _BESIDE_OFF) or (
            self._gauges[order[0]].channel.id,
        )

    def _tell(
        self, state: FindingState, suspects: tuple[Suspect, ...], share: float, best: Suspicion, ahead: Ahead
    ) -> None:
        claimed = self._claimed
        if claimed is None:
            return
        first = next(k for k, gauge in enumerate(self._gauges) if gauge.channel.id == claimed.columns[0])
        gauge = self._gauges[first]
        now = float(shown(self._twin.routing, [gauge])[0, 0] + self._expected.bias[first]) / gauge.scale
        self._claims.append(
            Claim(
                self.outcomes[str(claimed.cause)],
                claimed.key,
                state,
                _SEVERITY[claimed.cause],
                share,
                claimed.since_s,
                claimed.columns,
                suspects,
                expected=round(now, 3),
                seen=ahead.seen() | {"size": best.size, "high": self._high, "low": self._low},
                fields={
                    "place": claimed.asset,
                    "places": ", ".join(f"{s.asset} ({100 * s.probability:.0f} %)" for s in suspects[:3]),
                    "probability": f"{100 * share:.0f}",
                    "expected": f"{now:.2f}",
                },
            )
        )

    def _end(self) -> None:
        claimed = self._claimed
        if claimed is None:
            return
        self._claimed = None
        self._claims.append(
            Claim(
                self.outcomes[str(claimed.cause)],
                claimed.key,
                FindingState.CLEARED,
                Severity.NORMAL,
                0.0,
                claimed.since_s,
                claimed.columns,
                (Suspect(claimed.asset, 1.0),),
                fields={"place": claimed.asset},
            )
        )

    def claims(self) -> Sequence[Claim]:
        """What changed with the row scored last."""
        return self._claims

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON."""
        claimed = self._claimed
        return {
            "twin": {"runoff": self._twin.runoff.state(), "routing": routing_state(self._twin.routing)},
            "dry": self._dry.state(),
            "expected": self._expected.state(),
            "machines": self._machines.state(),
            "rows": [_packed_row(acting, heard) for acting, heard in self._rows],
            "anchors": [[time_s, state] for time_s, state in self._anchors],
            "trial": None if self._trial is None else self._trial.state(),
            "claimed": None
            if claimed is None
            else [str(claimed.cause), *claimed[1:3], list(claimed.columns), claimed.asset],
            "places": [self._high, self._low],
            "off_rows": self._off_rows.tolist(),
            "times": {name: _plain(getattr(self, f"_{name}")) for name in _TIMES},
            "sure_rows": self._sure_rows,
            "favourite": str(self._favourite),
            "number": self._number,
        }

    def restore(self, state: State) -> None:
        """Go on where ``state`` was taken."""
        self._twin.runoff.restore(state["twin"]["runoff"])
        restore_routing(self._twin.routing, state["twin"]["routing"])
        self._dry.restore(state["dry"])
        self._expected.restore(state["expected"])
        self._machines.restore(state["machines"])
        self._rows = deque(_unpacked_row(row) for row in state["rows"])
        self._anchors = [(time_s, anchor) for time_s, anchor in state["anchors"]]
        trial = state["trial"]
        self._trial = None if trial is None else Trial.restored(trial, self._twin.routing, self._gauges)
        claimed = state["claimed"]
        self._claimed = None
        if claimed is not None:
            cause, key, since_s, columns, asset = claimed
            self._claimed = _Claimed(Cause(cause), key, since_s, tuple(columns), asset)
        self._high, self._low = (list(nodes) for nodes in state["places"])
        self._off_rows = np.array(state["off_rows"], dtype=float)
        for name in _TIMES:
            value = state["times"][name]
            setattr(self, f"_{name}", (-inf if name in {"wet_s", "rain_s"} else nan) if value is None else value)
        self._sure_rows = state["sure_rows"]
        self._favourite = Cause(state["favourite"])
        self._number = state["number"]
        self._claims = []


_TIMES = ("first_s", "last_s", "wet_s", "rain_s", "onset_s", "opened_s", "sound_s", "told_s")


def _plain(time_s: float) -> float | None:
    return time_s if isfinite(time_s) else None


def _packed_row(acting: Acting, heard: Array) -> list[Any]:
    return [acting.time_s, acting.seconds, packed(acting.inflow_m3s), acting.outside_m, acting.is_wet, packed(heard)]


def _unpacked_row(row: Sequence[Any]) -> tuple[Acting, Array]:
    time_s, seconds, inflow, outside_m, is_wet, heard = row
    return Acting(time_s, seconds, unpacked(inflow), dict(outside_m), is_wet), unpacked(heard)


def _by_cause(suspected: Sequence[Suspicion], shares: Array) -> dict[Cause, float]:
    found: dict[Cause, float] = {}
    for each, share in zip(suspected, shares.tolist(), strict=True):
        found[each.cause] = found.get(each.cause, 0.0) + share
    return found


def _suspects(suspected: Sequence[Suspicion], shares: Array, cause: Cause) -> tuple[Suspect, ...]:
    """The assets of a cause, likeliest first; their shares are those of all causes together."""
    by_asset: dict[str, float] = {}
    for each, share in zip(suspected, shares.tolist(), strict=True):
        if each.cause is cause:
            by_asset[each.asset] = by_asset.get(each.asset, 0.0) + share
    ranked = sorted(by_asset, key=lambda asset: (-by_asset[asset], asset))[:_SHOWN_SUSPECTS]
    return tuple(Suspect(asset, round(by_asset[asset], 4)) for asset in ranked)
