"""Isolation and tracing on a drawn network, beside networkx and a recursive query on the same network."""

import random
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import networkx as nx
import psycopg

from services.alerts.tracing.city_graph import CityGraph
from services.alerts.tracing.isolation import alternatives, downstream, isolate, upstream
from services.alerts.tracing.trace import MOST_VALVES
from services.core.asset import Asset, Link
from tests.benchmarks.trace.drawn_network import drawn_network

_EVERYTHING = 10**9


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of one way to answer one question, over the same places."""

    question: str
    way: str
    median_ms: float
    p99_ms: float
    size: float
    """How many assets the answer names, in the median."""


def measure_tracing(database_url: str, pipes: int, places: int, seed: int) -> tuple[float, list[Cost]]:
    """Seconds to build the graph of so many pipes, and what the questions cost from some of them.

    The database must be empty; the tables of the comparison are made in it.
    """
    assets, links = drawn_network(pipes, seed)
    began = time.perf_counter()
    graph = CityGraph(assets, links)
    graph.supply, graph.census  # noqa: B018 - built once when a city is loaded, so not counted as a question's cost
    building_s = time.perf_counter() - began
    chance = random.Random(seed + 1)  # noqa: S311 - which places are asked, not a secret
    asked = chance.sample([asset.id for asset in assets if asset.kind == "pipe"], places)
    with psycopg.connect(database_url, autocommit=True) as connection:
        _lay(connection, assets, links)
        return building_s, [
            _cost("isolation, customers", "here", asked, lambda pipe: len(isolate(graph, pipe).cut_off)),
            _cost("… and with each valve stuck", "here", asked, lambda pipe: _with_alternatives(graph, pipe)),
            _cost("nearest valves only", "networkx", asked[:20], lambda pipe: _by_networkx(graph, pipe)),
            _cost("nearest valves only", "SQL", asked[:20], lambda pipe: _by_sql(connection, _NEAREST_VALVES, pipe)),
            _cost("50 upstream", "here", asked, lambda pipe: len(upstream(graph, pipe))),
            _cost("everything upstream", "here", asked, lambda pipe: len(upstream(graph, pipe, _EVERYTHING))),
            _cost("everything upstream", "networkx", asked, lambda pipe: len(nx.ancestors(graph.flow, pipe))),
            _cost("everything upstream", "SQL", asked[:20], lambda pipe: _by_sql(connection, _UPSTREAM, pipe)),
            _cost("everything downstream", "here", asked, lambda pipe: len(downstream(graph, pipe, _EVERYTHING))),
            _cost("everything downstream", "networkx", asked, lambda pipe: len(nx.descendants(graph.flow, pipe))),
            _cost("everything downstream", "SQL", asked[:20], lambda pipe: _by_sql(connection, _DOWNSTREAM, pipe)),
        ]


def _with_alternatives(graph: CityGraph, pipe: str) -> int:
    """As a trace asks: of a longer list of valves nobody asks what to do if one is stuck."""
    isolation = isolate(graph, pipe)
    instead = alternatives(graph, pipe, isolation) if len(isolation.barriers) <= MOST_VALVES else {}
    return len(instead) + len(isolation.cut_off)


def _by_networkx(graph: CityGraph, pipe: str) -> int:
    """What hangs together with a pipe once every valve is taken out: without customers, and without saving valves."""
    open_ways = graph.undirected.subgraph([name for name, asset in graph.assets.items() if asset.kind != "valve"])
    return len(nx.node_connected_component(open_ways, pipe))


_UPSTREAM = """
with recursive reached (node) as (
    select %(pipe)s::text
    union select way.source from reached join way on way.target = reached.node
) select count(*) - 1 from reached
"""
_DOWNSTREAM = """
with recursive reached (node) as (
    select %(pipe)s::text
    union select way.target from reached join way on way.source = reached.node
) select count(*) - 1 from reached
"""
_NEAREST_VALVES = """
with recursive reached (node, is_valve) as (
    select %(pipe)s::text, false
    union
    select beside.id, beside.kind = 'valve' from reached
    join lateral (
        select target as node from way where source = reached.node
        union all select source from way where target = reached.node
    ) as step on not reached.is_valve
    join place as beside on beside.id = step.node
) select count(*) from reached where not is_valve
"""


def _lay(connection: psycopg.Connection, assets: Iterable[Asset], links: Iterable[Link]) -> None:
    """The network as two indexed tables of its own, without the register's columns that no question here needs."""
    connection.execute("create table place (id text primary key, kind text not null)")
    connection.execute("create table way (source text not null, target text not null)")
    with connection.cursor() as cursor:
        with cursor.copy("copy place from stdin") as copy:
            for asset in assets:
                copy.write_row((asset.id, asset.kind))
        with cursor.copy("copy way from stdin") as copy:
            for link in links:
                copy.write_row((link.source, link.target))
    connection.execute("create index on way (source, target)")
    connection.execute("create index on way (target, source)")
    connection.execute("analyze")


def _by_sql(connection: psycopg.Connection, query: str, pipe: str) -> int:
    row = connection.execute(query, {"pipe": pipe}).fetchone()
    if row is None:
        raise RuntimeError("a count answered with nothing")
    return int(row[0])


def _cost(question: str, way: str, asked: Sequence[str], answer: Callable[[str], int]) -> Cost:
    spent_ms, sizes = [], []
    for pipe in asked:
        began = time.perf_counter()
        sizes.append(answer(pipe))
        spent_ms.append((time.perf_counter() - began) * 1000)
    spent_ms.sort()
    last = spent_ms[min(len(spent_ms) - 1, int(0.99 * len(spent_ms)))]
    return Cost(question, way, statistics.median(spent_ms), last, statistics.median(sizes))
