"""Drawn sewers make recordings that can be read, judged and drawn again."""

import csv
import gzip
import re
import subprocess
import sys
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from services.core.network_file import NetworkFile, NetworkFormat
from services.core.recording import read_recording
from services.core.sewer_file import read_sewers
from simulators.sewer_benchmark.episode import draw_episode
from simulators.sewer_benchmark.network import DrawnSewers, draw_sewers
from simulators.sewer_benchmark.recording import Extent, Written, record_network


def _rows(path: Path) -> list[dict[str, str]]:
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


def _drawn(seed: int, nodes: int = 80) -> DrawnSewers:
    return draw_sewers("drawn", nodes, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Written]:
    """A small network with ten storms; four of them are scored."""
    folder = tmp_path_factory.mktemp("drawn")
    return folder, record_network(folder, "drawn", 50, Extent(10, hours=8), (11, 1))


@pytest.mark.parametrize("nodes", [50, 160, 500])
def test_a_network_is_as_large_as_asked_and_everything_drains_to_the_outfall(nodes: int) -> None:
    for seed in (1, 2):
        model = _drawn(seed, nodes).model
        assert abs(len(model.manholes) - nodes) < 0.15 * nodes + 5
        graph: nx.DiGraph[str] = nx.DiGraph((c.start, c.end) for c in model.conduits)
        for links in (model.gullies, model.pumps, model.gates):
            graph.add_edges_from((link.start, link.end) for link in links)
        drained = nx.ancestors(graph, model.outfalls[0].id)
        assert {m.id for m in model.manholes} | {b.id for b in model.basins} <= drained


def test_pipes_fall_and_grow_downstream() -> None:
    model = _drawn(3, 200).model
    invert_m = {n.id: n.invert_m for n in (*model.manholes,)} | {n.id: n.invert_m for n in model.basins}
    tree = [c for c in model.conduits if c.end in invert_m and c.diameter_m != 0.4]
    falling = [c for c in tree if invert_m[c.start] > invert_m[c.end]]
    assert len(falling) > 0.97 * len(tree)
    assert max(c.diameter_m for c in model.conduits) >= 3 * min(c.diameter_m for c in model.conduits)
    assert all(m.depth_m > 1.2 for m in model.manholes)


def test_another_seed_draws_another_network_and_the_same_one_the_same() -> None:
    assert _drawn(1).model == _drawn(1).model
    assert _drawn(1).model != _drawn(2).model


def test_storms_and_faults_are_of_many_kinds() -> None:
    rng, drawn = np.random.default_rng(5), _drawn(2)
    episodes = [draw_episode(drawn.gauges, drawn.model, 720, rng, broken=True) for _ in range(120)]
    assert {e.kind for e in episodes} == {"moving", "chicago", "early", "middle", "late", "double"}
    causes = {fault.cause for e in episodes for fault in e.faults}
    assert causes >= {"sewer-blockage", "river-rise"}
    assert all(e.faults for e in episodes)
    assert all(rain[: e.begins_min].sum() == 0 < rain.sum() for e in episodes for rain in e.rain_mm_h.values())
    assert min(e.return_years for e in episodes) < 2
    assert max(e.return_years for e in episodes) > 20


def test_a_recording_can_be_read_and_a_tenth_of_its_nodes_are_sensed(recorded: tuple[Path, Written]) -> None:
    folder, written = recorded
    recording = read_recording(folder)
    assert len(recording.files) == 10
    assert recording.scored is not None
    nodes = [s for s in recording.sensors.values() if s.quantity in {"manhole_level", "road_depth"}]
    assert len(nodes) == round(0.1 * written.nodes)
    layout = read_sewers(NetworkFile("n", NetworkFormat.SWMM, (folder / "network.inp").read_text("utf-8")))
    assert {s.asset for s in nodes} <= set(layout.nodes)
    readings = [row for file in recording.files for row in _rows(file)]
    assert len(readings) * len(recording.sensors) == written.readings
    assert all(value != "" and float(value) >= 0 for name, value in readings[70].items() if name != "time")


def test_the_truth_agrees_with_the_levels_and_faults_are_scored_only(recorded: tuple[Path, Written]) -> None:
    folder, _ = recorded
    recording = read_recording(folder)
    assert recording.scored is not None
    truth = _rows(folder / "truth.csv")
    floods = [row for row in truth if row["kind"] == "node-flooding"]
    faults = [row for row in truth if row["kind"] != "node-flooding"]
    assert floods
    assert faults
    begin = recording.scored[0].isoformat().replace("+00:00", "Z")
    assert all(row["start"] >= begin for row in faults)
    text = (folder / "network.inp").read_text("utf-8")
    shafts = re.findall(r"^(M\d+) [\d.]+ ([\d.]+) 0 0 \d+$", text, re.MULTILINE)
    rim_m = {name: float(depth) for name, depth in shafts}
    compared = 0
    for row in floods:
        if row["asset"] not in rim_m:
            continue
        label = row["id"].removesuffix(f"-{row['asset']}")
        levels = [float(r[row["asset"]]) for r in _rows(folder / "truth" / f"levels-{label}.csv.gz")]
        highest_cm = 100 * (max(levels) - rim_m[row["asset"]])
        # The levels are told every five minutes, the peak is that of all minutes.
        assert highest_cm <= float(row["peak"]) + 0.2
        compared += 1
    assert compared
    caused = [row for row in floods if "cause rain" not in row["note"]]
    assert all(float(re.findall(r"([\d.]+) cm if", row["note"])[0]) < 1.05 for row in caused)
    assert len(_rows(folder / "truth" / "storms.csv")) == 10


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        command = [sys.executable, "-m", "simulators.sewer_benchmark", str(tmp_path / name), "--networks", "1"]
        command += ["--storms", "3", "--seed", "4", "--hours", "6", "--step-s", "60", "--most-nodes", "60"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=200)
        assert "s a storm" in done.stdout
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*") if p.is_file())
    assert len(files) == 11
    assert all((tmp_path / "a" / f).read_bytes() == (tmp_path / "b" / f).read_bytes() for f in files)
