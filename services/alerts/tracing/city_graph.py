"""The city's networks as graphs: which way things flow and what touches what."""

from collections.abc import Collection, Iterable
from functools import cached_property

import networkx as nx

from services.alerts.tracing.contacts import Contacts
from services.alerts.tracing.customers import Census
from services.alerts.tracing.parts import SEGMENT_KINDS
from services.alerts.tracing.supply import Supply
from services.core.asset import Asset, Link, LinkKind


class CityGraph:
    """Assets by identifier, the directed flow between them, and the adjacencies."""

    def __init__(self, assets: Iterable[Asset], links: Iterable[Link]) -> None:
        """Build the graphs; a link to an unknown asset is not possible, the database forbids it."""
        self.assets: dict[str, Asset] = {asset.id: asset for asset in assets}
        self.flow: nx.DiGraph[str] = nx.DiGraph()
        self.adjacent: nx.Graph[str] = nx.Graph()
        self.flow.add_nodes_from(self.assets)
        for link in links:
            if link.kind is LinkKind.FLOW:
                self.flow.add_edge(link.source, link.target, length_m=link.length_m)
            else:
                self.adjacent.add_edge(link.source, link.target, length_m=link.length_m, kind=link.kind)
        self.undirected: nx.Graph[str] = self.flow.to_undirected(as_view=True)

    @cached_property
    def supply(self) -> Supply:
        """The segments between valves, and what feeds them."""
        return Supply(self.assets, self.flow)

    @cached_property
    def census(self) -> Census:
        """Who is supplied where."""
        return Census(self.assets, self.supply)

    @cached_property
    def contacts(self) -> Contacts:
        """What lies beside what, of whatever lifeline; made when it is asked for first."""
        return Contacts(self.assets, self.adjacent)

    def adjacencies(self, names: Collection[str]) -> list[Link]:
        """The adjacencies between some assets."""
        known = [name for name in sorted(names) if name in self.adjacent]
        return [
            Link(name, other, LinkKind.ADJACENT, float(self.adjacent.edges[name, other]["length_m"]))
            for name in known
            for other in sorted(self.adjacent[name])
            if other in names and self.adjacent.edges[name, other]["kind"] is LinkKind.ADJACENT and name < other
        ]

    def is_segment(self, asset: str) -> bool:
        """Whether an asset is a stretch of a network."""
        return asset in self.assets and self.assets[asset].kind in SEGMENT_KINDS

    def distance_along(self, origin: str, radius_m: float) -> dict[str, float]:
        """Metres along the network from an asset to everything within a radius, whichever way it flows."""
        if origin not in self.undirected:
            return {}
        reached: dict[str, float] = nx.single_source_dijkstra_path_length(
            self.undirected, origin, cutoff=radius_m, weight="length_m"
        )
        return reached
