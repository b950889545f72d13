"""Which alert belongs to which trouble, how late it came, and how far off it pointed. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

import networkx as nx

from services.alerts.tracing.city_graph import CityGraph
from services.backtest.report.result_folder import RaisedAlert
from services.backtest.report.truth import Trouble

_FARTHEST_M = 1e6


@dataclass(frozen=True, slots=True)
class JudgedAlert:
    """An alert with the trouble during which it was raised, if there was one.

    ``delay`` is counted from the trouble's begin, ``distance_m`` along the network from the first suspect to the
    trouble's asset, between their nearest ends. ``rank`` is the place of that asset among the suspects, beginning with
    1. ``is_before`` are alerts of the time that may be learnt from, which nobody counts.
    """

    alert: RaisedAlert
    trouble: Trouble | None
    delay: timedelta | None
    distance_m: float | None
    rank: int | None
    is_before: bool

    @property
    def is_false(self) -> bool:
        """Whether it warned of a danger while there was none."""
        return self.trouble is None and not self.alert.is_fault and not self.is_before


@dataclass(frozen=True, slots=True)
class Judgement:
    """All alerts judged, and the first one of each trouble."""

    alerts: list[JudgedAlert]
    troubles: list[Trouble]
    first: dict[str, JudgedAlert]

    @property
    def false_count(self) -> int:
        """How many alerts about dangers came while there was none."""
        return sum(judged.is_false for judged in self.alerts)

    @property
    def median_delay(self) -> timedelta | None:
        """Half of the troubles that were found were found sooner."""
        delays_s = [judged.delay.total_seconds() for judged in self.first.values() if judged.delay is not None]
        return timedelta(seconds=median(delays_s)) if delays_s else None


def judge(
    alerts: Iterable[RaisedAlert],
    troubles: Sequence[Trouble],
    graph: CityGraph,
    scored_from: datetime | None,
    interval: timedelta = timedelta(0),
) -> Judgement:
    """Hold alerts against the truth, which is as exact as the readings: by one ``interval`` an alert may be earlier.

    An alert belongs to the running trouble that is nearest to its first suspect along the network; where that says
    nothing, to the one that began last. Alerts about sensor faults belong to none.
    """
    judged = [_judge(alert, _running(alert, troubles, interval), graph, scored_from) for alert in alerts]
    first: dict[str, JudgedAlert] = {}
    for each in judged:
        if each.trouble is not None:
            first.setdefault(each.trouble.id, each)
    return Judgement(judged, list(troubles), first)


def _running(alert: RaisedAlert, troubles: Sequence[Trouble], interval: timedelta) -> list[Trouble]:
    if alert.is_fault:
        return []
    return [each for each in troubles if each.start - interval <= alert.detected_at <= each.end]


def _judge(
    alert: RaisedAlert, running: Sequence[Trouble], graph: CityGraph, scored_from: datetime | None
) -> JudgedAlert:
    is_before = scored_from is not None and alert.detected_at < scored_from
    if not running:
        return JudgedAlert(alert, None, None, None, None, is_before)
    off_m = _distances_m(graph, alert.suspects[0][0], running) if alert.suspects else {}
    nearest = min(running, key=lambda each: (off_m.get(each.id, _FARTHEST_M), -each.start.timestamp()))
    named = [asset for asset, _ in alert.suspects]
    return JudgedAlert(
        alert,
        nearest,
        max(alert.detected_at - nearest.start, timedelta(0)),
        off_m.get(nearest.id),
        named.index(nearest.asset) + 1 if nearest.asset in named else None,
        is_before,
    )


def _distances_m(graph: CityGraph, suspect: str, troubles: Iterable[Trouble]) -> dict[str, float]:
    """Metres along the network from a suspect to each trouble, between their nearest ends."""
    reached = nx.multi_source_dijkstra_path_length(
        graph.undirected, _ends(graph, suspect), cutoff=_FARTHEST_M, weight="length_m"
    )
    found: dict[str, float] = {}
    for trouble in troubles:
        lengths_m = [reached[end] for end in _ends(graph, trouble.asset) if end in reached]
        if lengths_m:
            found[trouble.id] = min(lengths_m)
    return found


def _ends(graph: CityGraph, asset: str) -> set[str]:
    if asset not in graph.undirected:
        return set()
    return {asset, *graph.undirected[asset]} if graph.is_segment(asset) else {asset}
