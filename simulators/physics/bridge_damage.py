"""What damage does to the gauges of the demo city's bridges: a settled support, a softened span, a blow.

The bridges are girders over equal spans; how a deck follows is computed once with the beam model, after which every
moment is an influence times the share that has happened.
"""

from collections.abc import Iterable
from datetime import datetime

from simulators.city import City, Sensor
from simulators.physics.bridge_model import DeckDesign, DeckModel
from simulators.scenario import BridgeCollision, Scenario, StiffnessLoss, SupportSettlement, ends_at, starts_at

_SPANS = 3
_MASS_KG_M, _LOWEST_HZ_M, _HEIGHT_SHARE, _PIER_N_M = 13_000.0, 100.0, 1 / 20, 5e9
"""A concrete girder; its lowest frequency is about 100 over the span in metres."""
_FIBRE = 0.6
"""Distance of the gauges from the neutral axis, as a share of the section's height."""


class BridgeDamage:
    """Changes of strain (µε), deflection (mm, downwards) and acceleration (m/s2) of the sensors on a city's bridges."""

    def __init__(self, city: City, scenario: Scenario, origin: datetime) -> None:
        self._origin = origin
        lengths_m = {bridge.id: bridge.number("length_m") for bridge in city.assets_of("bridge", "bridge")}
        self._bridge_of = {k.source: k.target for k in city.links if k.target in lengths_m and k.kind == "part-of"}
        self._bridge_of |= {bridge: bridge for bridge in lengths_m}
        self._slow: list[tuple[SupportSettlement | StiffnessLoss, dict[str, tuple[float, float]]]] = []
        for injection in scenario.injections:
            if isinstance(injection, SupportSettlement | StiffnessLoss):
                bridge = self._bridge_of[injection.asset]
                self._slow.append((injection, dict(_influence(injection, bridge, lengths_m[bridge]))))
        self._lengths_m = lengths_m
        self._blows = [each for each in scenario.injections if isinstance(each, BridgeCollision)]

    def change(self, sensor: Sensor, time: datetime) -> float:
        """What damage adds to a sensor's value."""
        if sensor.quantity == "acceleration_rms":
            bridge = self._bridge_of.get(sensor.asset)
            hit = [] if bridge is None else self._on(bridge)
            return sum(each.peak_m_s2 for each in hit if self._lasts(each, time))
        place = {"deflection": 0, "strain": 1}.get(sensor.quantity)
        if place is None:
            return 0.0
        none = (0.0, 0.0)
        return sum(self._share(slow, time) * influence.get(sensor.asset, none)[place] for slow, influence in self._slow)

    def design(self, bridge: str, time: datetime) -> DeckDesign:
        """The girder of a bridge as it is then; a support that has settled leaves it as stiff as it was."""
        found = girder(self._lengths_m[bridge])
        for slow, _ in self._slow:
            if isinstance(slow, StiffnessLoss) and self._bridge_of[slow.asset] == bridge:
                found = found.with_stiffness_loss(_part(slow.asset), slow.share * self._share(slow, time))
        return found

    def blows(self, bridge: str, since: datetime, until: datetime) -> list[tuple[datetime, int]]:
        """What has hit a bridge after ``since`` and up to ``until``: when, and the span or bearing, counted from 0."""
        hit = [(starts_at(each, self._origin), _part(each.asset)) for each in self._on(bridge)]
        return [(moment, part) for moment, part in hit if since < moment <= until]

    def _on(self, bridge: str) -> list[BridgeCollision]:
        return [each for each in self._blows if self._bridge_of[each.asset] == bridge]

    def _share(self, slow: SupportSettlement | StiffnessLoss, time: datetime) -> float:
        """How much of it has happened; nothing any more once it is repaired."""
        if not self._lasts(slow, time):
            return 0.0
        minutes = (time - starts_at(slow, self._origin)).total_seconds() / 60
        return min(1.0, minutes / slow.growth_min) if slow.growth_min else 1.0

    def _lasts(self, injection: SupportSettlement | StiffnessLoss | BridgeCollision, time: datetime) -> bool:
        return starts_at(injection, self._origin) <= time < ends_at(injection, self._origin)


def girder(length_m: float) -> DeckDesign:
    """A bridge of the demo city: a girder over equal spans."""
    span_m = length_m / _SPANS
    return DeckDesign(
        spans_m=(span_m,) * _SPANS,
        bending_stiffness_n_m2=_MASS_KG_M * span_m**4 * (2 * _LOWEST_HZ_M / span_m / 3.14159) ** 2,
        mass_kg_m=_MASS_KG_M,
        height_m=span_m * _HEIGHT_SHARE,
        pier_stiffness_n_m=_PIER_N_M,
    )


def _influence(
    damage: SupportSettlement | StiffnessLoss, bridge: str, length_m: float
) -> Iterable[tuple[str, tuple[float, float]]]:
    """Deflection and strain of each span when all of it has happened."""
    design = girder(length_m)
    part = _part(damage.asset)
    model = DeckModel(design)
    if isinstance(damage, SupportSettlement):
        moved = model.under_settlement(part, damage.settled_mm / 1000)
    else:
        softened = DeckModel(design.with_stiffness_loss(part, damage.share))
        moved = softened.under_own_weight() - model.under_own_weight()
    for span, middle in enumerate(model.middles):
        deflection_mm = -1000 * float(moved[2 * middle])
        strain_ue = 1e6 * _FIBRE * design.height_m * model.curvature_at(moved, middle)
        yield f"{bridge}-S{span + 1}", (deflection_mm, strain_ue)


def _part(asset: str) -> int:
    """Which span or bearing it is, counted from 0."""
    return int(asset[-1]) - 1
