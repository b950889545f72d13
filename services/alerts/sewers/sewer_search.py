"""Which part of the drainage is to blame and what floods next: the sewers run beside their model."""

from collections.abc import Collection, Mapping, Sequence
from math import isfinite, isnan, nan
from typing import Any, ClassVar

import numpy as np

from services.alerts.detectors.contract import Claim, Score, SearchDetector, State
from services.alerts.sewers.believed import believed_columns
from services.alerts.sewers.channels import EXPECTED, RAIN, ROAD, Channel, gauged, shown
from services.alerts.sewers.diagnosis import Diagnosis
from services.alerts.sewers.dry_weather import DryWeather
from services.alerts.sewers.excess import Excess
from services.alerts.sewers.expectation import Expectation
from services.alerts.sewers.floods_ahead import AHEAD_MIN, FLOODED_M, FloodsAhead, floods_ahead, street_levels_m
from services.alerts.sewers.flow_routing import FlowRouting
from services.alerts.sewers.gauge_skill import GaugeSkill
from services.alerts.sewers.machines import Machines
from services.alerts.sewers.outlook import ways_of
from services.alerts.sewers.past import Past
from services.alerts.sewers.pipe_sections import Array
from services.alerts.sewers.rain_ahead import ROW_MIN, RainAhead, RainWays
from services.alerts.sewers.rain_field import RainField
from services.alerts.sewers.sewer_network import part_around
from services.alerts.sewers.swmm_reader import read_swmm
from services.alerts.sewers.told_cause import ToldCause
from services.alerts.sewers.told_floods import ToldFloods, floods_next
from services.alerts.sewers.told_trunk import ToldTrunk
from services.alerts.sewers.twin import Acting, Twin, restore_routing, routing_state
from services.alerts.sewers.weather_times import WeatherTimes

_FIRST_STEP_S, _LONGEST_STEP_S = 300.0, 1800.0
_LEARNS_S = 86_400.0
"""Without a word about history the first day is taken as sound."""
_FLOODS, _TRUNK = "flooding", "trunk"
_LOOKS_MM, _LOOKS_MIN = 1.0, 20.0
_COMES_MM, _COMES_MIN = 5.0, 60.0
"""It looks ahead while so much rain fell within so many minutes or is expected, and while water stands on a street."""


class SewerSearch(SearchDetector):
    """Runs the model of the sewers with the rain that is measured and names the cause of what differs from it.

    ``model`` is the text of a SWMM input file; ``channels`` are (sensor, quantity, asset, unit, longitude, latitude).
    Where gauges stand higher or lower than they should, every blockage, pump, gate, outfall and inflow that could do
    it is run through the model too, and the readings say which fits (``Trial``). What pumps and gates tell of
    themselves is asked directly (``Machines``). Beside that it says which nodes flood next under the rain as it may go
    on, under each suspicion as far as it is believed, and set right by what gauges show (``FloodsAhead``).
    ``outcomes`` gives the rule for each cause and for ``flooding``; what has no rule is not told. ``learn_until_s``
    ends the history that counts as sound.

    Source: fault diagnosis with a bank of models (Isermann, Fault-Diagnosis Systems, 2006, chapter 10).

    Raises:
        SewerModelError: the model cannot be read.
    """

    name: ClassVar[str] = "sewer-search"
    version: ClassVar[str] = "4"

    __slots__ = (
        "_ahead",
        "_claims",
        "_diagnosis",
        "_dry",
        "_excess",
        "_expected",
        "_first_s",
        "_gauges",
        "_last_s",
        "_machines",
        "_network",
        "_past",
        "_rain",
        "_rain_ahead",
        "_skill",
        "_street_m",
        "_told_cause",
        "_told_floods",
        "_told_trunk",
        "_twin",
        "_weather",
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
        # A model may hold the sewers of several zones: those of others are judged with the gauges there.
        assets = {channel.asset for channel in self.channels}
        network = self._network = part_around(read_swmm(model), assets)
        self._gauges = gauged(network, sorted(self.channels, key=lambda c: c.id))
        self._rain = RainField(network, [c for c in self.channels if c.quantity in RAIN | EXPECTED])
        self._machines = Machines(network, self.channels)
        self._twin = Twin(network)
        self._street_m = street_levels_m(network)
        inlets = {device.start for device in network.devices if device.kind == "inlet"}
        sewered = np.zeros(len(network.nodes))
        for surface in network.surfaces:
            if surface.node not in inlets:
                sewered[self._twin.routing.node[surface.node]] += surface.area_ha
        self._dry = DryWeather(network, self._gauges, sewered)
        self._expected = Expectation(np.array([gauge.floor for gauge in self._gauges]))
        self._skill = GaugeSkill(np.array([gauge.floor for gauge in self._gauges]))
        self._past, self._weather = Past(), WeatherTimes()
        self._diagnosis = Diagnosis(network, self._gauges, self._expected, self._machines)
        self._excess = Excess()
        self._told_cause = ToldCause(self.outcomes, self._gauges, self._expected, self._excess)
        self._rain_ahead = RainAhead(self._twin.runoff.gauges)
        roads = {channel.asset for channel in self.channels if channel.quantity in ROAD}
        self._told_floods = ToldFloods(self.outcomes.get(_FLOODS, ""), list(network.nodes), roads)
        self._told_trunk = ToldTrunk(
            self.outcomes.get(_TRUNK, ""), network, self._gauges, self._expected, self._street_m
        )
        self._ahead: FloodsAhead | None = None
        self._claims: list[Claim] = []
        self._first_s = self._last_s = nan

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

    @property
    def ahead(self) -> FloodsAhead | None:
        """What floods next as far as was looked after the last row; ``None`` where nothing falls or stands."""
        return self._ahead

    @property
    def nodes(self) -> Sequence[str]:
        """The nodes of the model, in the order of everything that is told by node."""
        return self._twin.routing.names

    @property
    def measured(self) -> Collection[int]:
        """The nodes whose level is measured, by their place in ``nodes``."""
        return {gauge.index for gauge in self._gauges if gauge.kind == "level"}

    @property
    def rain_gauges(self) -> Sequence[str]:
        """The rain gauges of the model, in the order in which ways of the rain name them."""
        return self._twin.runoff.gauges

    def score(self, time_s: float, row: Sequence[float]) -> Score:
        """How many spreads the gauge that is off most is off."""
        self._claims = []
        values = {name: value if isfinite(value) else nan for name, value in zip(self.columns, row, strict=True)}
        seconds = _FIRST_STEP_S if isnan(self._last_s) else min(time_s - self._last_s, _LONGEST_STEP_S)
        if seconds <= 0:
            # The same moment once more tells nothing new.
            return self._score()
        if isnan(self._first_s):
            self._first_s = time_s
        self._last_s = time_s
        acting, heard = self._run(time_s, seconds, values)
        now = shown(self._twin.routing, self._gauges)[:, 0]
        self._expected.compare(now, heard)
        self._excess.take(time_s, self._expected.apart)
        self._machines.take(values, self._twin.routing)
        self._past.take(acting, heard, self._twin.routing)
        self._diagnosis.take(acting, heard)
        if self._is_learning(time_s):
            self._learn(time_s, now, heard, acting)
        else:
            self._search(time_s)
            if self._diagnosis.is_quiet:
                self._learn(time_s, now, heard, acting)
        if _TRUNK in self.outcomes and not self._is_learning(time_s):
            explained = self._told_cause.cause is not None
            self._claims += self._told_trunk.tell(time_s, heard, self._twin.routing, explained=explained)
        self._follow_gauges(time_s, heard)
        if _FLOODS in self.outcomes:
            self._look_ahead(time_s, values)
        return self._score()

    def _follow_gauges(self, time_s: float, heard: Array) -> None:
        routing, believed = self._believed()
        columns = shown(routing, self._gauges)[:, list(believed)]
        self._skill.take(time_s, heard - self._expected.bias, columns @ np.array(list(believed.values())))

    def _score(self) -> Score:
        return Score(float(np.abs(self._expected.off).max(initial=0.0)))

    def _run(self, time_s: float, seconds: float, values: Mapping[str, float]) -> tuple[Acting, Array]:
        rain = self._rain.take(values)
        self._rain_ahead.take(time_s, rain, self._rain.expected_mm(values))
        sewage = self._dry.inflow_m3s(time_s)
        acting = self._twin.act(time_s, seconds, rain, sewage, self._machines.outside_m(values))
        self._twin.take(acting)
        self._weather.take(time_s, wet=acting.is_wet or max(rain.values(), default=0.0) > 0)
        heard = np.array([values[g.channel.id] * g.scale for g in self._gauges], dtype=float)
        return acting, heard

    def _is_learning(self, time_s: float) -> bool:
        until_s = self._first_s + _LEARNS_S if self.learn_until_s is None else self.learn_until_s
        return time_s <= until_s

    def _learn(self, time_s: float, now: Array, heard: Array, acting: Acting) -> None:
        dry = self._weather.is_dry(time_s) or (not self._dry.is_known and not acting.is_wet)
        if dry:
            self._dry.learn(time_s, heard)
        self._expected.learn(now, heard, dry=dry)
        self._machines.learn()

    def _search(self, time_s: float) -> None:
        diagnosis = self._diagnosis
        verdict = diagnosis.search(time_s, self._past, self._weather)
        if verdict is None:
            return
        if verdict.is_over:
            self._claims += self._told_cause.end()
            diagnosis.close()
            return
        self._claims += self._told_cause.tell(time_s, verdict, diagnosis, self._twin.routing, self._traces)
        diagnosis.narrow(time_s, verdict)

    def _traces(self, column: int, asset: str) -> dict[str, Any]:
        """The ways of the water around an asset, and what floods next under the suspicion of a column."""
        seen = ways_of(self._network, asset)
        trial = self._diagnosis.trial
        if trial is not None:
            believed = {column: 1.0}
            ahead = floods_ahead(trial.routing, self._twin.runoff, self.rain_ways(), self._sewage_m3s, believed)
            seen["floods_next_min"] = floods_next(ahead, self.nodes)
        return seen

    def _sewage_m3s(self, minutes: int) -> Array:
        return self._dry.inflow_m3s(self._last_s + 60 * minutes)

    def rain_ways(self, minutes: int = max(AHEAD_MIN)) -> RainWays:
        """How the rain may go on for so many minutes, as far as what has fallen or a weather service tells."""
        return self._rain_ahead.ways(self._last_s, minutes // ROW_MIN)

    def floods_ahead(self, ways: RainWays | None = None) -> FloodsAhead:
        """What stands on the streets in the next hour, as the rain may go on or in the ``ways`` that are given.

        With what may be out of order, as far as it is believed; at gauges, as well as the model does there.
        """
        routing, believed = self._believed()
        gauged = {gauge.index: (k, self._skill) for k, gauge in enumerate(self._gauges) if gauge.kind == "level"}
        return floods_ahead(
            routing, self._twin.runoff, ways or self.rain_ways(), self._sewage_m3s, believed, gauged=gauged
        )

    def _believed(self) -> tuple[FlowRouting, Mapping[int, float]]:
        trial = self._diagnosis.trial
        if trial is None:
            return self._twin.routing, {0: 1.0}
        return trial.routing, believed_columns(trial.suspicions, self._diagnosis.believed(self._weather))

    def _look_ahead(self, time_s: float, values: Mapping[str, float]) -> None:
        stands = (self._twin.routing.depth_m()[:, 0] >= self._street_m + FLOODED_M).any()
        falls = self._rain_ahead.fell_mm(time_s, _LOOKS_MIN) >= _LOOKS_MM
        comes = self._rain_ahead.comes_mm(time_s, _COMES_MIN) >= _COMES_MM
        self._ahead = self.floods_ahead() if stands or falls or comes else None
        gauges = [channel.id for channel in self.channels if channel.quantity in RAIN]
        gauges.sort(key=lambda name: (-values[name] if isfinite(values[name]) else 0.0, name))
        if not self._is_learning(time_s):
            self._claims += self._told_floods.tell(time_s, self._ahead, tuple(gauges))

    def claims(self) -> Sequence[Claim]:
        """What changed with the row scored last."""
        return self._claims

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON."""
        return {
            "twin": {"runoff": self._twin.runoff.state(), "routing": routing_state(self._twin.routing)},
            "dry": self._dry.state(),
            "expected": self._expected.state(),
            "excess": self._excess.state(),
            "machines": self._machines.state(),
            "past": self._past.state(),
            "weather": self._weather.state(),
            "rain_ahead": self._rain_ahead.state(),
            "diagnosis": self._diagnosis.state(),
            "told_cause": self._told_cause.state(),
            "told_floods": self._told_floods.state(),
            "told_trunk": self._told_trunk.state(),
            "skill": self._skill.state(),
            "times": [time_s if isfinite(time_s) else None for time_s in (self._first_s, self._last_s)],
        }

    def restore(self, state: State) -> None:
        """Go on where ``state`` was taken."""
        self._twin.runoff.restore(state["twin"]["runoff"])
        restore_routing(self._twin.routing, state["twin"]["routing"])
        self._dry.restore(state["dry"])
        self._expected.restore(state["expected"])
        self._excess.restore(state["excess"])
        self._machines.restore(state["machines"])
        self._past.restore(state["past"])
        self._weather.restore(state["weather"])
        self._rain_ahead.restore(state["rain_ahead"])
        self._diagnosis.restore(state["diagnosis"], self._twin.routing)
        self._told_cause.restore(state["told_cause"])
        self._told_floods.restore(state["told_floods"])
        self._told_trunk.restore(state["told_trunk"])
        self._skill.restore(state["skill"])
        self._first_s, self._last_s = (nan if time_s is None else time_s for time_s in state["times"])
        self._claims = []
        self._ahead = None
