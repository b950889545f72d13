"""What may be out of order, given which gauges stand too high or too low. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.alerts.sewers.flow_routing import Supposition
from services.alerts.sewers.sewer_network import SewerNetwork
from services.alerts.sewers.traces import downstream, upstream


class Cause(StrEnum):
    """What is to blame."""

    SOUND = "sound"
    BLOCKAGE = "blockage"
    PUMP = "pump"
    GATE = "gate"
    OUTFALL = "outfall"
    INFLOW = "inflow"
    SENSOR = "sensor"


@dataclass(frozen=True, slots=True)
class Suspicion:
    """One cause at one asset, how it is computed, and its share of belief before anything is compared."""

    cause: Cause
    asset: str
    size: float
    supposition: Supposition
    prior: float


SOUND = Suspicion(Cause.SOUND, "", 0.0, Supposition(), 1.0)

_SILTED = (0.5, 0.57, 0.63, 0.68, 0.73, 0.78, 0.83, 0.9)
"""Each carries about three quarters of what the one before it does: backwater grows steeply with the sediment."""
_SILTED_FAR = (0.6, 0.72, 0.8, 0.9)
_RAISED_M = (1.0, 2.0, 3.0, 4.5)
_INFLOWS_M3S = (0.01, 0.03, 0.09)
_MOST = 320
_NEAR = 8
"""So many sewers below a gauge that stands high are looked at closely; how far water backs up."""
_FAR, _LATE = 25, 60
_PRIOR = {
    Cause.BLOCKAGE: 0.6,
    Cause.PUMP: 0.1,
    Cause.GATE: 0.04,
    Cause.OUTFALL: 0.2,
    Cause.INFLOW: 0.03,
    Cause.SENSOR: 0.03,
}
"""How the belief that something is wrong is shared among the causes before the readings are asked; our own."""


def suspicions(
    network: SewerNetwork, high: Sequence[str], low: Sequence[str], sensors: Sequence[str]
) -> list[Suspicion]:
    """What is worth a try where the nodes ``high`` stand above what is expected and ``low`` below; sound comes first.

    ``sensors`` are those that show it: each may be wrong itself.
    """
    blocked = list(_sizes(network, high, low).items())[:_MOST]
    return [
        SOUND,
        *_blockages(blocked, len(network.conduits)),
        *_plants(network),
        *_inflows(network, high),
        *_sensors(sensors),
    ]


def _sizes(network: SewerNetwork, high: Sequence[str], low: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """The shares of sediment to try in each sewer: more of them near below a gauge that stands high."""
    tried: dict[str, tuple[float, ...]] = {}
    for node in high:
        below = _sewers(network, downstream(network, node))[:_FAR]
        tried.update(dict.fromkeys(below[:_NEAR], _SILTED))
        tried.update({link: _SILTED_FAR for link in below[_NEAR:] if link not in tried})
    for node in low:
        above = _sewers(network, upstream(network, node))
        tried.update({link: _SILTED_FAR for link in above if link not in tried})
    for node in high:
        # What a blockage has held back comes late, when less is expected.
        above = _sewers(network, upstream(network, node))[:_LATE]
        tried.update({link: _SILTED_FAR[-1:] for link in above if link not in tried})
    # Where there are too many to compute side by side, those that were added last get one size.
    for link in reversed(list(tried)):
        if sum(map(len, tried.values())) > _MOST:
            tried[link] = tried[link][-1:]
    return tried


def _sewers(network: SewerNetwork, links: Iterable[str]) -> list[str]:
    pipes = {c.id for c in network.conduits}
    return [link for link in links if link in pipes]


def _blockages(tried: Sequence[tuple[str, tuple[float, ...]]], sewers: int) -> Iterator[Suspicion]:
    for link, shares in tried:
        for share in shares:
            prior = _PRIOR[Cause.BLOCKAGE] / sewers / len(shares)
            yield Suspicion(Cause.BLOCKAGE, link, share, Supposition(silted={link: share}), prior)


def _plants(network: SewerNetwork) -> Iterator[Suspicion]:
    pumps = [d for d in network.devices if d.kind == "pump"]
    stations: dict[str, list[str]] = {}
    for pump in pumps:
        stations.setdefault(pump.start, []).append(pump.id)
    sets = [frozenset({pump.id}) for pump in pumps] + [frozenset(s) for s in stations.values() if len(s) > 1]
    for each in sets:
        yield Suspicion(
            Cause.PUMP, min(each), float(len(each)), Supposition(stopped=each), _PRIOR[Cause.PUMP] / len(sets)
        )
    gates = [d for d in network.devices if d.kind == "gate"]
    for gate in gates:
        yield Suspicion(Cause.GATE, gate.id, 0.0, Supposition(opened={gate.id: 0.0}), _PRIOR[Cause.GATE] / len(gates))
    outfalls = [node for node in network.nodes.values() if node.outfall_m is not None]
    for outfall in outfalls:
        for rise_m in _RAISED_M:
            prior = _PRIOR[Cause.OUTFALL] / len(outfalls) / len(_RAISED_M)
            yield Suspicion(Cause.OUTFALL, outfall.id, rise_m, Supposition(raised_m={outfall.id: rise_m}), prior)


def _inflows(network: SewerNetwork, high: Sequence[str]) -> Iterator[Suspicion]:
    nodes = [node for node in high if network.nodes[node].outfall_m is None]
    for node in nodes:
        for flow_m3s in _INFLOWS_M3S:
            prior = _PRIOR[Cause.INFLOW] / len(nodes) / len(_INFLOWS_M3S)
            yield Suspicion(Cause.INFLOW, node, flow_m3s, Supposition(added_m3s={node: flow_m3s}), prior)


def _sensors(sensors: Sequence[str]) -> Iterator[Suspicion]:
    for sensor in sensors:
        yield Suspicion(Cause.SENSOR, sensor, 0.0, Supposition(), _PRIOR[Cause.SENSOR] / len(sensors))
