"""Which rain gauge's rain, and which forecast of rain, is meant for which surfaces; where one is silent, another's."""

from collections.abc import Mapping, Sequence
from math import cos, hypot, isnan, radians

from services.alerts.forecast.expected_rain import HORIZONS_MIN
from services.alerts.sewers.channels import EXPECTED, RAIN, RAIN_MM_H, Channel
from services.alerts.sewers.sewer_network import SewerNetwork


class RainField:
    """The rain of each gauge that the model names, from the sensors there are."""

    def __init__(self, network: SewerNetwork, channels: Sequence[Channel]) -> None:
        known = sorted((c for c in channels if c.quantity in RAIN and c.unit in RAIN_MM_H), key=lambda c: c.id)
        expected = [c for c in channels if c.quantity in EXPECTED and c.unit == "mm"]
        self._scale = {c.id: RAIN_MM_H[c.unit] for c in known}
        self._order: dict[str, list[str]] = {}
        self._expected: dict[str, dict[int, list[str]]] = {}
        for gauge in sorted({s.gauge for s in network.surfaces}):
            middle = _middle(network, gauge)
            self._order[gauge] = [
                c.id for c in sorted(known, key=lambda c: (c.asset != gauge, _apart(middle, (c.lon, c.lat)), c.id))
            ]
            near = sorted(expected, key=lambda c: (_apart(middle, (c.lon, c.lat)), c.id))
            self._expected[gauge] = {
                minutes: [c.id for c in near if HORIZONS_MIN[c.quantity] == minutes]
                for minutes in sorted({HORIZONS_MIN[c.quantity] for c in near})
            }

    def take(self, values: Mapping[str, float]) -> dict[str, float]:
        """Rain in mm/h by gauge of the model, from the nearest sensor that speaks."""
        found: dict[str, float] = {}
        for gauge, order in self._order.items():
            spoken = next((name for name in order if not isnan(values[name])), None)
            found[gauge] = 0.0 if spoken is None else max(0.0, values[spoken] * self._scale[spoken])
        return found

    def expected_mm(self, values: Mapping[str, float]) -> dict[str, dict[int, float]]:
        """Rain that is expected from now on, in mm by gauge of the model and minutes, from the nearest that speaks."""
        found: dict[str, dict[int, float]] = {}
        for gauge, order in self._expected.items():
            for minutes, names in order.items():
                spoken = next((values[name] for name in names if not isnan(values[name])), None)
                if spoken is not None:
                    found.setdefault(gauge, {})[minutes] = spoken
        return found


def _middle(network: SewerNetwork, gauge: str) -> tuple[float, float] | None:
    places = [network.nodes[s.node].position for s in network.surfaces if s.gauge == gauge]
    known = [place for place in places if place is not None]
    if not known:
        return None
    return sum(x for x, _ in known) / len(known), sum(y for _, y in known) / len(known)


def _apart(one: tuple[float, float] | None, other: tuple[float, float]) -> float:
    if one is None:
        return 0.0
    return hypot((one[0] - other[0]) * cos(radians(other[1])), one[1] - other[1])
