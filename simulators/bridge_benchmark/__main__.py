"""``python -m simulators.bridge_benchmark OUT --bridges 2 --days 400 --seed 7`` writes recordings of drawn bridges."""

import argparse
import sys
import time
from pathlib import Path

from simulators.bridge_benchmark.recording import Extent, record_bridge


def main(arguments: list[str]) -> None:
    """Write the recordings and say of each bridge what was written and how long it took."""
    parser = argparse.ArgumentParser(prog="simulators.bridge_benchmark", description=__doc__)
    parser.add_argument("out", type=Path, help="folder, one recording in it for each bridge and case")
    parser.add_argument("--bridges", type=int, default=2, help="every second one is held by cables")
    parser.add_argument("--days", type=int, default=400)
    parser.add_argument("--learnt-days", type=int, default=365, help="healthy days at the begin, to learn from")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--step-s", type=int, default=3600, help="seconds between readings")
    chosen = parser.parse_args(arguments)
    if chosen.days < chosen.learnt_days + 4:
        parser.error("--days must leave at least four days behind --learnt-days")
    extent = Extent(chosen.days, chosen.learnt_days, chosen.step_s)
    for number in range(1, chosen.bridges + 1):
        began = time.monotonic()
        names = record_bridge(chosen.out, chosen.seed, number, extent)
        sys.stdout.write(f"{names[0]} and {len(names) - 1} more, {time.monotonic() - began:.1f} s\n")


if __name__ == "__main__":
    main(sys.argv[1:])
