"""One feeder while its readings come in: its balance, its waves, and where it would leak. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from services.alerts.gas.feeder import ATMOSPHERE_KPA, FLOW_EXPONENT, Feeder
from services.alerts.gas.line_balance import CELL_S, LineBalance, Missing
from services.alerts.gas.pressure_wave import Wave, WaveWatch, misfit
from services.alerts.gas.readings import Array, packed, unpacked

_HELD_S = 180.0
"""What a meter said counts for so long; longer gaps leave unknown what was packed meanwhile."""
_AVERAGED_CELLS = 30
"""Pressures and flows of the last five minutes tell the gradient."""
_FRICTION_FORGETS_S = 86_400.0
_LEAST_SPREAD_KPA = 0.3
_UNSTEADY_SHARE = 0.15
"""Of what pressure falls along the feeder: by so much the steady law may be wrong while the flows still change."""
_WAVE_COUNTS_S = 900.0
_DRIFT_PRIOR, _DRIFT_SHARE = 0.6, 0.02
"""How likely a balance that fails is a meter's error before anything else is known, if little is missing; meters seldom
err by more than a hundredth or two. Defaults."""
_CHANCE_WAVE = 13.8
"""A wave from within the line at that very moment is a matter of one in a thousand for a meter that drifts."""


class Located(NamedTuple):
    """Probabilities of ``Feeder.positions_m`` (they sum to one), and of a leak instead of a meter's error."""

    positions: Array
    leak: float


class FeederWatch:
    """What is known of one feeder. Rows of it hold the pressures of its gauges in order, the inflow, the outflow."""

    def __init__(self, feeder: Feeder, gauges_m: Array) -> None:
        self.feeder = feeder
        self.gauges_m = gauges_m
        self.balance = LineBalance()
        self.waves = WaveWatch(len(gauges_m), feeder.length_m)
        self.wave: Wave | None = None
        self.holds_wave = False
        """While something is missing later waves tell nothing of how it began."""
        self._flows = np.full(2, np.nan)
        self._flows_at_s = np.full(2, -np.inf)
        self._cell_ends_s: float | None = None
        self._taken_s: float | None = None
        self._sums, self._count = np.zeros(len(gauges_m)), np.zeros(len(gauges_m))
        self._cells: list[list[float]] = []
        self._resistances = feeder.resistance_to(gauges_m)
        self._friction = np.zeros(len(gauges_m))
        self._spread_kpa = np.zeros(len(gauges_m))
        self._met = 0.0

    def take(self, time_s: float, pressures_kpa: Array, flows_m3h: Array) -> bool:
        """A row; answers whether it has ended a cell of the balance."""
        heard = np.isfinite(flows_m3h)
        self._flows = np.where(heard, flows_m3h, self._flows)
        self._flows_at_s = np.where(heard, time_s, self._flows_at_s)
        if np.isfinite(pressures_kpa).all():
            found = self.waves.take(time_s, pressures_kpa)
            self.wave = self.wave if found is None or self.holds_wave else found
        ended = False
        if self._cell_ends_s is None or time_s > self._cell_ends_s:
            ended = self._close()
            self._cell_ends_s = float(np.ceil(time_s / CELL_S) * CELL_S)
        known = np.isfinite(pressures_kpa)
        self._sums += np.where(known, pressures_kpa, 0.0)
        self._count += known
        return ended

    def _close(self) -> bool:
        """Hand what has passed since the last time over to the balance, if all of it is known."""
        count, sums = self._count, self._sums
        self._sums, self._count = np.zeros(len(count)), np.zeros(len(count))
        ends_s = self._cell_ends_s
        if ends_s is None or not count.all() or bool(np.any(ends_s - self._flows_at_s > _HELD_S)):
            return False
        if self._taken_s is None or ends_s - self._taken_s > _HELD_S:
            self.balance.interrupted()
            self._taken_s = ends_s - CELL_S
        cells = max(1, round((ends_s - self._taken_s) / CELL_S))
        self._taken_s = ends_s
        pressures = sums / count
        inflow, outflow = self._flows.tolist()
        self.balance.take(inflow, outflow, self.feeder.packed_m3(self.gauges_m, pressures), cells)
        cell = [*pressures.tolist(), inflow, outflow]
        self._cells = [*self._cells, *[cell] * cells][-_AVERAGED_CELLS:]
        return True

    def learn(self) -> None:
        """Take the last cell as sound: meters, swings and friction."""
        self.balance.learn()
        mean = self._mean()
        if mean is None:
            return
        squares, inflow, outflow = mean
        through = (max((inflow + outflow) / 2, 1.0)) ** FLOW_EXPONENT
        self._met += 1
        share = max(CELL_S / _FRICTION_FORGETS_S, 1.0 / self._met)
        with np.errstate(invalid="ignore", divide="ignore"):
            friction = np.where(self._resistances > 0, (squares[0] - squares) / (self._resistances * through), 0.0)
        habit = self._friction if self._met > 1 else friction
        away = (habit - friction) * self._resistances * through / (2 * np.sqrt(squares))
        self._friction += share * (friction - self._friction)
        self._spread_kpa = np.sqrt(self._spread_kpa**2 + share * (away**2 - self._spread_kpa**2))

    @property
    def inflow_m3h(self) -> float:
        """What flows in."""
        return float(self._flows[0])

    def waved(self, since_s: float) -> bool:
        """Whether a wave ran along the feeder about then."""
        return self.wave is not None and abs(self.wave.first_s - since_s) <= _WAVE_COUNTS_S

    def missing(self) -> Missing | None:
        """The window that lacks most, measured by its limit; one in which it lasts goes before all others."""
        return max(self.balance.missing(), key=lambda each: (each.lasts, each.excess), default=None)

    def located(self, since_s: float, share: float) -> Located:
        """Where gas leaves, from the gradient of pressure and from a wave that began about ``since_s``.

        ``share`` of the inflow is missing: much is seldom a meter's error.

        Upstream of a hole all that flows in falls the pressure, downstream of it only what flows out. A meter that
        errs looks like a hole at the other meter: the whole line then carries what one of the two shows.
        """
        positions = self.feeder.positions_m()
        worse, at_ends = np.zeros(len(positions)), np.zeros(2)
        mean = self._mean()
        if mean is not None and self._met > 0:
            places = np.concatenate([[0.0], positions, [self.feeder.length_m]])
            both = self._gradient_misfit(places, *mean)
            worse, at_ends = both[1:-1], both[[0, -1]]
        wave = self.wave
        if wave is not None and self.waved(since_s):
            worse = worse + misfit(wave, self.gauges_m, positions)
            ends = np.array([0.0, self.feeder.length_m])
            # What begins at an end is a customer or a station; the meters may err beside it all the same.
            at_ends = at_ends + np.minimum(misfit(wave, self.gauges_m, ends), _CHANCE_WAVE)
        least = min(float(worse.min()), float(at_ends.min()))
        inner = np.exp(-0.5 * (worse - least))
        drift = float(np.exp(-0.5 * (at_ends - least)).mean())
        prior = _DRIFT_PRIOR / (1 + (share / _DRIFT_SHARE) ** 2)
        leak = (1 - prior) * float(inner.mean())
        return Located(inner / inner.sum(), leak / (leak + prior * drift))

    def _gradient_misfit(self, places_m: Array, squares: Array, inflow: float, outflow: float) -> Array:
        upstream, downstream = max(inflow, 1.0) ** FLOW_EXPONENT, max(outflow, 1.0) ** FLOW_EXPONENT
        before = np.minimum(self.feeder.resistance_to(places_m)[:, None], self._resistances[None, :])
        lost = self._friction * (upstream * before + downstream * (self._resistances - before))
        expected = np.sqrt(np.maximum(squares[0] - lost, 1.0))
        fallen = np.sqrt(squares[0]) - np.sqrt(squares[-1])
        share = abs(upstream - downstream) / max(upstream, downstream)
        spread = np.sqrt(self._spread_kpa**2 + _LEAST_SPREAD_KPA**2 + (_UNSTEADY_SHARE * share * fallen) ** 2)
        worse: Array = ((((expected - np.sqrt(squares)) / spread) ** 2)[:, 1:]).sum(axis=1)
        return worse

    def _mean(self) -> tuple[Array, float, float] | None:
        """Squares of absolute pressures, inflow, and outflow as the inlet's meter would show it, of some minutes."""
        if len(self._cells) < _AVERAGED_CELLS:
            return None
        mean = np.mean(self._cells, axis=0)
        return (mean[:-2] + ATMOSPHERE_KPA) ** 2, float(mean[-2]), float(mean[-1] / (1 - self.balance.bias))

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON."""
        wave = self.wave
        return {
            "balance": self.balance.state(),
            "waves": self.waves.state(),
            "wave": None if wave is None else [wave.first_s, [list(each) for each in wave.arrivals], wave.pick_s],
            "holds_wave": self.holds_wave,
            "flows": packed(self._flows),
            "flows_at_s": packed(self._flows_at_s),
            "cell_ends_s": self._cell_ends_s,
            "taken_s": self._taken_s,
            "sums": packed(self._sums),
            "count": packed(self._count),
            "cells": [list(cell) for cell in self._cells],
            "friction": packed(self._friction),
            "spread": packed(self._spread_kpa),
            "met": self._met,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken."""
        self.balance.restore(state["balance"])
        self.waves.restore(state["waves"])
        told = state["wave"]
        self.wave = None if told is None else Wave(told[0], tuple((a[0], a[1]) for a in told[1]), told[2])
        self.holds_wave = state["holds_wave"]
        heard_s = unpacked(state["flows_at_s"])
        self._flows, self._flows_at_s = unpacked(state["flows"]), np.where(np.isnan(heard_s), -np.inf, heard_s)
        self._cell_ends_s, self._taken_s = state["cell_ends_s"], state["taken_s"]
        self._sums, self._count = unpacked(state["sums"]), unpacked(state["count"])
        self._cells = [list(cell) for cell in state["cells"]]
        self._friction, self._spread_kpa, self._met = (
            unpacked(state["friction"]),
            unpacked(state["spread"]),
            state["met"],
        )
