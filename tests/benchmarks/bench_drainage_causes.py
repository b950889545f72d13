"""Causes of drainage troubles named in simulated storms over drawn sewers. Figures, no pass or fail.

``python -m tests.benchmarks.bench_drainage_causes --seed 901 [--networks 4] [--storms 10] [--dry-spells 6]
[--most-nodes 120] [--minutes 60]`` draws networks, lets SWMM compute storms, half of the scored ones with something out
of order, and dry spells after them, half with water that has no business in the sewers, backtests each recording with
the search for causes alone, and tells how often the cause is named and named right. A tenth of the nodes have a gauge;
rivers and gates have none. What was tuned was tuned on seeds below 500.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from services.alerts.lifelines import discover
from services.alerts.lifelines.drainage_causes import DRAINAGE_CAUSES, FLOODING, sewer_search
from services.backtest.backtest import run_backtest
from services.core.lifeline import Lifeline
from services.core.recording import read_recording
from simulators.sewer_benchmark.recording import Extent, record_network
from tests.benchmarks.drainage_causes.naming import Storm, lines, storms_of


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def judged(folder: Path, nodes: int, extent: Extent, seed: tuple[int, int]) -> list[Storm]:
    """The scored storms of one drawn network, with what was said of them."""
    name = f"sewers-{seed[0]}-{seed[1]:02d}"
    recording, results = folder / name, folder / f"{name}-results"
    if not (recording / "recording.toml").is_file():
        record_network(recording, name, nodes, extent, seed)
    rules = discover()[Lifeline.DRAINAGE]
    # What floods next is measured by itself; looking ahead with every row would only take time here.
    causes = tuple(outcome for outcome in DRAINAGE_CAUSES.outcomes if outcome is not FLOODING)
    search = replace(DRAINAGE_CAUSES, outcomes=causes, detector=partial(sewer_search, told=causes))
    alone = replace(rules, sensor_rules=(), zone_rules=(), searches=(search,))
    run_backtest(read_recording(recording), results, with_scores=False, rules={Lifeline.DRAINAGE: alone})
    return storms_of(recording, results, extent.hours)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--networks", type=int, default=4)
    parser.add_argument("--storms", type=int, default=10, help="storms for each network; six of ten are learnt from")
    parser.add_argument("--dry-spells", type=int, default=6, help="for each network")
    parser.add_argument("--minutes", type=float, default=60.0, help="no network is begun later")
    parser.add_argument("--fewest-nodes", type=int, default=50)
    parser.add_argument("--most-nodes", type=int, default=120)
    parser.add_argument("--keep", type=Path, help="folder for recordings and results; default: none are kept")
    chosen = parser.parse_args()
    extent = Extent(chosen.storms, dry_spells=chosen.dry_spells)
    storms: list[Storm] = []
    begin_s = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.keep or Path(temporary)
        sizes = np.geomspace(chosen.fewest_nodes, chosen.most_nodes, chosen.networks)
        for number, nodes in enumerate(sizes, start=1):
            if time.monotonic() - begin_s > 60 * chosen.minutes:
                say(f"{chosen.networks - number + 1} of {chosen.networks} networks were not begun in time")
                break
            found = judged(folder, round(float(nodes)), extent, (chosen.seed, number))
            storms += found
            for storm in found:
                told = ", ".join(f"{each.kind} {'/'.join(each.suspects[:3])}" for each in storm.named)
                faults = ", ".join(f"{kind} {asset}" for kind, asset in storm.faults)
                place = f"{storm.recording} {storm.begins:%m-%d %H}h"
                seen = f"{storm.floods} floods, {storm.shows_cm:.0f} cm at a gauge"
                say(f"{place}: {faults or '-'} ({seen}) | {told or '-'}")
    say("")
    for line in lines(storms):
        say(line)


if __name__ == "__main__":
    main()
