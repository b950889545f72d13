"""Flooding of every node of drawn sewers foretold half an hour ahead, a tenth of the nodes with a gauge.

SWMM computes the truth; the search in the service knows the file of the sewers, the rain gauges and the few levels. The
first storms of a recording are left out, because usual sewage is learnt meanwhile. Nothing is fitted to storms.
"""

import csv
import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.alerts.sewers.floods_ahead import FLOODED_M, FloodsAhead, street_levels_m
from services.alerts.sewers.pipe_sections import Array
from services.alerts.sewers.rain_ahead import ROW_MIN, RainWays
from services.alerts.sewers.sewer_network import SewerNetwork
from services.alerts.sewers.sewer_search import SewerSearch
from services.alerts.sewers.swmm_reader import read_swmm
from services.core.recording import read_recording
from simulators.sewer_benchmark.recording import Extent, record_network

LEAD_MIN = 30
_LEAD = LEAD_MIN // ROW_MIN
_LOOKS_EVERY = 2
"""Every other row is looked at, which is every ten minutes."""
_LEFT_OUT = 2
_CAUSES = ("blockage", "pump", "gate", "outfall", "inflow", "sensor")
"""What is found to be out of order is so in the forecast too."""
_SURE = 0.5
_FALSE_MIN = 60
"""A warning is false when no water comes to the node within so long."""
KNOWN, UNKNOWN = "rain known", "rain not known"
SEEN, STAYS = "what stands at the gauges stays", "what stands anywhere stays, which nobody knows"


@dataclass
class Tally:
    """Nodes and moments: flooded as told, told only, flooded only; errors of depth; nodes warned for nothing."""

    hits: int = 0
    false: int = 0
    missed: int = 0
    away_m: float = 0.0
    wet: int = 0
    within: int = 0
    warned_for_nothing: int = 0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return 2 * self.hits / max(1, 2 * self.hits + self.false + self.missed)

    @property
    def depth_error_cm(self) -> float:
        """Mean error of the depth on the street where water stands or was told."""
        return 100 * self.away_m / max(1, self.wet)

    @property
    def coverage(self) -> float:
        """Share of the depths within the range that was told, where water stands or was told."""
        return self.within / max(1, self.wet)

    def count(self, told: Array, spread_m: tuple[Array, Array, Array], true_m: Array) -> None:
        """Take in one moment: how likely each node was told, how deep with its range, and how deep it was."""
        is_told, is_flooded = told >= _SURE, true_m >= FLOODED_M
        low_m, depth_m, high_m = spread_m
        self.hits += int((is_told & is_flooded).sum())
        self.false += int((is_told & ~is_flooded).sum())
        self.missed += int((~is_told & is_flooded).sum())
        either = is_flooded | (depth_m >= FLOODED_M)
        self.away_m += float(np.abs(depth_m - true_m)[either].sum())
        self.wet += int(either.sum())
        self.within += int(((low_m - FLOODED_M <= true_m) & (true_m <= high_m + FLOODED_M) & either).sum())


@dataclass
class Tallies:
    """The tallies of each way of telling, for storms with nothing or something out of order."""

    storms: int = 0
    flooded: int = 0
    told: dict[str, Tally] = field(default_factory=lambda: {name: Tally() for name in (KNOWN, UNKNOWN, SEEN, STAYS)})


@dataclass(frozen=True)
class _Storm:
    """The rows of one storm (time, values by sensor) and the true depth on the street by row and node, in m."""

    broken: bool
    rows: Sequence[tuple[float, Mapping[str, float]]]
    street_m: Array
    nodes: Sequence[int]


def judge(
    folder: Path, nodes: int, extent: Extent, seed: tuple[int, int], into: Mapping[bool, Tallies]
) -> Iterator[str]:
    """Draw one network with its storms, follow them, and tally; ``into`` is by whether something was out of order.

    What is done is told after each storm.
    """
    record_network(folder, folder.name, nodes, extent, seed)
    yield "storms computed"
    text = (folder / "network.inp").read_text("utf-8")
    network = read_swmm(text)
    search = SewerSearch(text, _channels(folder), dict.fromkeys(_CAUSES, "cause"), _learnt_s(folder))
    assert list(search.nodes) == list(network.nodes), "part of the drawn sewers is not searched"
    for number, storm in enumerate(_storms(folder, network)):
        tallies = into[storm.broken] if number >= _LEFT_OUT else None
        if tallies is not None:
            tallies.storms += 1
            tallies.flooded += int((storm.street_m >= FLOODED_M).any(axis=0).sum())
        _follow(search, storm, tallies)
        yield f"storm {number + 1} of {extent.storms}"


def lines(into: Mapping[bool, Tallies]) -> Iterator[str]:
    """A table of the tallies."""
    for broken, tallies in sorted(into.items()):
        kind = "something out of order" if broken else "nothing out of order"
        yield f"{tallies.storms} storms with {kind}, {tallies.flooded} flooded nodes in all, {LEAD_MIN} min ahead:"
        yield "| what | F1 | depth error cm | nodes warned for nothing, a storm | within the 80 % range |"
        yield "| --- | --- | --- | --- | --- |"
        for name, tally in tallies.told.items():
            nothing = tally.warned_for_nothing / max(1, tallies.storms)
            within = f"{tally.coverage:.0%}" if name == UNKNOWN else ""
            yield f"| {name} | {tally.f1:.3f} | {tally.depth_error_cm:.1f} | {nothing:.1f} | {within} |"
        yield ""


def _follow(search: SewerSearch, storm: _Storm, tallies: Tallies | None) -> None:
    warned: dict[str, set[int]] = {KNOWN: set(), UNKNOWN: set()}
    rain = np.array([[values[f"rain-{gauge}"] for gauge in search.rain_gauges] for _, values in storm.rows])
    nodes = list(storm.nodes)
    is_seen = np.isin(nodes, list(search.measured))
    for k, (time_s, values) in enumerate(storm.rows):
        search.score(time_s, [values[column] for column in search.columns])
        if tallies is None or k % _LOOKS_EVERY or k + _LEAD >= len(storm.rows):
            continue
        now_m, true_m = storm.street_m[k], storm.street_m[k + _LEAD]
        for name, stays_m in ((STAYS, now_m), (SEEN, np.where(is_seen, now_m, 0.0))):
            tallies.told[name].count((stays_m >= FLOODED_M).astype(float), (stays_m, stays_m, stays_m), true_m)
        given = rain[k + 1 : k + 1 + _LEAD]
        stirs = max(rain[max(0, k - 12) : k + 1].max(), given.max(), now_m.max()) > 0
        known, unknown = _looks(search, given) if stirs else (None, None)
        comes = (storm.street_m[k : k + _FALSE_MIN // ROW_MIN + 1] >= FLOODED_M).any(axis=0)
        for name, told in ((UNKNOWN, unknown), (KNOWN, known)):
            _count(tallies.told[name], told, nodes, true_m)
            if told is not None:
                warned[name] |= set(np.flatnonzero((told.comes(LEAD_MIN)[nodes] >= _SURE) & ~comes).tolist())
    if tallies is not None:
        for name, those in warned.items():
            tallies.told[name].warned_for_nothing += len(those)


def _looks(search: SewerSearch, given_mm_h: Array) -> tuple[FloodsAhead, FloodsAhead]:
    """What is told under the rain that comes, and under the ways in which it may go on; routed side by side."""
    ways = search.rain_ways(LEAD_MIN)
    both = RainWays(np.concatenate((given_mm_h[None], ways.mm_h)), np.concatenate(([1.0], ways.weights)))
    ahead = search.floods_ahead(both)
    is_given = np.arange(len(ahead.weights)) % len(both.weights) == 0
    return _part(ahead, is_given), _part(ahead, ~is_given)


def _part(ahead: FloodsAhead, those: NDArray[np.bool_]) -> FloodsAhead:
    """Some of the ways alone."""
    return FloodsAhead(
        ahead.now_m,
        {minutes: street_m[:, those] for minutes, street_m in ahead.street_m.items()},
        ahead.first_min[:, those],
        ahead.weights[those] / ahead.weights[those].sum(),
    )


def _count(tally: Tally, told: FloodsAhead | None, nodes: list[int], true_m: Array) -> None:
    if told is None:
        nothing = np.zeros(len(nodes))
        tally.count(nothing, (nothing, nothing, nothing), true_m)
        return
    low_m, likely_m, high_m = told.spread_m(LEAD_MIN)
    tally.count(told.probability(LEAD_MIN)[nodes], (low_m[nodes], likely_m[nodes], high_m[nodes]), true_m)


def _learnt_s(folder: Path) -> float | None:
    """When the history ends that counts as sound."""
    scored = read_recording(folder).scored
    return None if scored is None else scored[0].timestamp()


def _channels(folder: Path) -> list[tuple[str, str, str, str, float, float]]:
    return [
        (row["sensor"], row["quantity"], row["asset"], row["unit"], float(row["lon"]), float(row["lat"]))
        for row in _rows(folder / "sensors.csv")
    ]


def _storms(folder: Path, network: SewerNetwork) -> Iterator[_Storm]:
    truth = _rows(folder / "truth.csv")
    broken = {row["id"][: len("storm-000")] for row in truth if row["kind"] != "node-flooding"}
    wells = {device.start for device in network.devices if device.kind == "pump"}
    street, names = street_levels_m(network), list(network.nodes)
    for row in _rows(folder / "truth" / "storms.csv"):
        told = _rows(folder / "readings" / f"{row['id']}.csv.gz")
        levels = _rows(folder / "truth" / f"levels-{row['id']}.csv.gz")
        # A wet well floods no street.
        nodes = [k for k, name in enumerate(names) if name in levels[0] and name not in wells]
        depth_m = np.array([[float(each[names[k]]) for k in nodes] for each in levels])
        rows = [
            (
                datetime.fromisoformat(each["time"]).timestamp(),
                {name: float(value) for name, value in each.items() if name != "time"},
            )
            for each in told
        ]
        yield _Storm(row["id"] in broken, rows, np.maximum(depth_m - street[nodes], 0.0), nodes)


def _rows(path: Path) -> list[dict[str, str]]:
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
