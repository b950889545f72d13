"""Which rain gauge's rain falls on which surfaces. A gauge that is silent has the rain of the others."""

from collections.abc import Mapping, Sequence
from math import cos, hypot, isnan, radians

from services.alerts.sewers.channels import RAIN_MM_H, Channel
from services.alerts.sewers.sewer_network import SewerNetwork


class RainField:
    """The rain of each gauge that the model names, from the sensors there are."""

    def __init__(self, network: SewerNetwork, channels: Sequence[Channel]) -> None:
        known = sorted((c for c in channels if c.unit in RAIN_MM_H), key=lambda c: c.id)
        self._scale = {c.id: RAIN_MM_H[c.unit] for c in known}
        self._order: dict[str, list[str]] = {}
        for gauge in sorted({s.gauge for s in network.surfaces}):
            middle = _middle(network, gauge)
            self._order[gauge] = [
                c.id for c in sorted(known, key=lambda c: (c.asset != gauge, _apart(middle, (c.lon, c.lat)), c.id))
            ]

    def take(self, values: Mapping[str, float]) -> dict[str, float]:
        """Rain in mm/h by gauge of the model, from the nearest sensor that speaks."""
        found: dict[str, float] = {}
        for gauge, order in self._order.items():
            spoken = next((name for name in order if not isnan(values[name])), None)
            found[gauge] = 0.0 if spoken is None else max(0.0, values[spoken] * self._scale[spoken])
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
