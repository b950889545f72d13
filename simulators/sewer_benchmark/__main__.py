"""``python -m simulators.sewer_benchmark OUT --networks 5 --storms 20 --seed 7`` writes recordings of drawn sewers."""

import argparse
import math
import sys
import time
from pathlib import Path

import numpy as np

from simulators.sewer_benchmark.recording import Extent, record_network

_FEWEST, _MOST = 50, 500


def main(arguments: list[str]) -> None:
    """Write the recordings and say of each what it holds and how long it took."""
    parser = argparse.ArgumentParser(prog="simulators.sewer_benchmark", description=__doc__)
    parser.add_argument("out", type=Path, help="folder, one recording in it for each network")
    parser.add_argument("--networks", type=int, default=5)
    parser.add_argument("--storms", type=int, default=20, help="storms for each network")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--fewest-nodes", type=int, default=_FEWEST)
    parser.add_argument("--most-nodes", type=int, default=_MOST)
    parser.add_argument("--hours", type=int, default=12, help="hours for each storm, the dry ones around it included")
    parser.add_argument("--step-s", type=int, default=300, help="seconds between readings, whole minutes")
    chosen = parser.parse_args(arguments)
    if chosen.step_s < 60 or chosen.step_s % 60:  # noqa: PLR2004 - SWMM reports every minute
        parser.error("--step-s must be whole minutes")
    for number, nodes in enumerate(_sizes(chosen.networks, chosen.fewest_nodes, chosen.most_nodes), start=1):
        name, began = f"sewers-{chosen.seed}-{number:02d}", time.monotonic()
        extent = Extent(chosen.storms, chosen.hours, chosen.step_s)
        written = record_network(chosen.out / name, name, nodes, extent, (chosen.seed, number))
        seconds = (time.monotonic() - began) / chosen.storms
        sys.stdout.write(
            f"{name}: {written.nodes} nodes, {written.sensors} sensors, {written.readings} readings, "
            f"{written.floods} floodings, flow balance within {written.worst_balance_percent:.1f} %, "
            f"{seconds:.2f} s a storm\n"
        )


def _sizes(networks: int, fewest: int, most: int) -> list[int]:
    """From the fewest to the most nodes in equal ratios."""
    return [round(float(n)) for n in np.exp(np.linspace(math.log(fewest), math.log(most), networks))]


if __name__ == "__main__":
    main(sys.argv[1:])
