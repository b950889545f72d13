"""How much sewage runs at each hour of the day, learnt from what the gauges show without rain.

The model tells what every gauge shows for some even rates; the rate of an hour is the one that the gauges agree on.
What a gauge shows beside that is its own usual departure.
"""

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any

import numpy as np

from services.alerts.sewers.channels import Gauged, shown
from services.alerts.sewers.flow_routing import FlowRouting, Supposition
from services.alerts.sewers.pipe_sections import Array
from services.alerts.sewers.sewer_network import SewerNetwork

_RATES_M3S_HA = (0.0, 1e-4, 2e-4, 4e-4, 7e-4, 1e-3, 1.5e-3, 2.2e-3, 3.5e-3, 6e-3, 1e-2, 1.6e-2, 2.5e-2)
_SETTLES_S = 6 * 3600.0
_HOUR_S, _HOURS = 3600.0, 24
_FINE = 121
_REMEMBERS = 0.02
"""Weight of a new value in the mean of its hour: with five minutes between values four days of that hour."""


class DryWeather:
    """The usual rates by hour (m3/s per hectare) and what each gauge shows then."""

    def __init__(self, network: SewerNetwork, gauges: Sequence[Gauged], sewered_ha: Array) -> None:
        self._sewered_ha = sewered_ha
        self._rates = np.array(_RATES_M3S_HA)
        self._curves = _curves(network, gauges, sewered_ha)
        self._floor = np.array([g.floor for g in gauges])
        self.means = np.full((len(gauges), _HOURS), np.nan)
        self._counts = np.zeros((len(gauges), _HOURS))
        self._by_hour = np.zeros(_HOURS)
        self._known = np.zeros(_HOURS, dtype=bool)

    def learn(self, time_s: float, values: Array) -> None:
        """Take in what the gauges (m, m3/s; NaN where silent) show in dry weather."""
        hour = int(time_s / _HOUR_S) % _HOURS
        heard = ~np.isnan(values)
        if not heard.any():
            return
        self._counts[heard, hour] += 1
        weight = np.maximum(_REMEMBERS, 1 / np.maximum(self._counts[:, hour], 1))
        old = np.where(np.isnan(self.means[:, hour]), values, self.means[:, hour])
        self.means[heard, hour] = (old + weight * (values - old))[heard]
        self._by_hour[hour] = self._fitted(self.means[:, hour])
        self._known[hour] = True

    def _fitted(self, means: Array) -> float:
        fine = np.linspace(0, len(self._rates) - 1, _FINE)
        known = ~np.isnan(means)
        curves = np.array([np.interp(fine, np.arange(len(self._rates)), curve) for curve in self._curves[known]])
        # What a gauge tells of the rate is how far it moves with it; the median of a few would follow one bad gauge.
        misfit = (np.abs(curves - means[known][:, None]) / self._floor[known][:, None]).clip(0, 5).sum(axis=0)
        return float(np.interp(fine[int(misfit.argmin())], np.arange(len(self._rates)), self._rates))

    def rate_m3s_ha(self, time_s: float) -> float:
        """The usual rate at a moment, between the middles of the hours; the mean of those known for an unknown hour."""
        if not self._known.any():
            return 0.0
        filled = np.where(self._known, self._by_hour, self._by_hour[self._known].mean())
        at = time_s / _HOUR_S - 0.5
        low = int(np.floor(at))
        part = at - low
        return float(filled[low % _HOURS] * (1 - part) + filled[(low + 1) % _HOURS] * part)

    def inflow_m3s(self, time_s: float) -> Array:
        """Usual sewage into every node."""
        inflow: Array = self._sewered_ha * self.rate_m3s_ha(time_s)
        return inflow

    @property
    def is_known(self) -> bool:
        """Whether anything has been learnt."""
        return bool(self._known.any())

    def state(self) -> dict[str, Any]:
        """What was learnt, as JSON."""
        return {
            "means": [[None if isnan(v) else v for v in row] for row in self.means.tolist()],
            "counts": self._counts.tolist(),
            "rates": self._by_hour.tolist(),
            "known": self._known.tolist(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken."""
        rows = [[np.nan if v is None else v for v in row] for row in state["means"]]
        self.means = np.array(rows, dtype=float).reshape(-1, _HOURS)
        self._counts = np.array(state["counts"], dtype=float).reshape(-1, _HOURS)
        self._by_hour = np.array(state["rates"], dtype=float)
        self._known = np.array(state["known"], dtype=bool)


def _curves(network: SewerNetwork, gauges: Sequence[Gauged], sewered_ha: Array) -> Array:
    """What each gauge shows after a long time at each rate: by gauge and rate."""
    nodes = list(network.nodes)
    rates = [
        Supposition(added_m3s={nodes[k]: float(rate * sewered_ha[k]) for k in np.flatnonzero(sewered_ha).tolist()})
        for rate in _RATES_M3S_HA
    ]
    routing = FlowRouting(network, rates)
    nothing = np.zeros(len(nodes))
    routing.advance(_SETTLES_S, nothing, 36)
    # Pumps come and go: what stands on the mean of some moments.
    seen = []
    for _ in range(6):
        routing.advance(600.0, nothing, 2)
        seen.append(shown(routing, gauges))
    curves: Array = np.mean(seen, axis=0)
    return curves
