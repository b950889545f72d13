"""``python -m simulators.gas_benchmark OUT --towns 10 --seed 101`` writes recordings of drawn towns."""

import argparse
import sys
import time
from pathlib import Path

from simulators.gas_benchmark.case import CASTS, FEEDER, MIXED
from simulators.gas_benchmark.feeder_recording import record_feeder
from simulators.gas_benchmark.recording import record_town


def main(arguments: list[str]) -> None:
    """Write the recordings and say of each what it holds and how long it took."""
    parser = argparse.ArgumentParser(prog="simulators.gas_benchmark", description=__doc__)
    parser.add_argument("out", type=Path, help="folder, one recording in it for each town")
    parser.add_argument("--towns", type=int, default=10)
    parser.add_argument("--seed", type=int, default=101)
    parser.add_argument(
        "--cast",
        choices=CASTS,
        default=MIXED,
        help="leaks and the like, or breaks and regulators, or one long feeder instead of a town",
    )
    chosen = parser.parse_args(arguments)
    for number in range(1, chosen.towns + 1):
        name, began = f"gas-{chosen.seed}-{number:02d}", time.monotonic()
        if chosen.cast == FEEDER:
            cases, readings = record_feeder(chosen.out / name, name, chosen.seed, number)
            sys.stdout.write(f"{name}: {cases} cases, {readings} readings, {time.monotonic() - began:.1f} s\n")
            continue
        written = record_town(chosen.out / name, name, chosen.seed, number, chosen.cast)
        sys.stdout.write(
            f"{name}: {written.mains} mains, {written.spaces} spaces, {written.devices} devices, "
            f"{written.cases} cases, {written.readings} readings, {time.monotonic() - began:.1f} s\n"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
