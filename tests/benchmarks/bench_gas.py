"""Leaks found, told from sewer gas and faulty devices, and placed, in simulated towns. Figures, no pass or fail.

``python -m tests.benchmarks.bench_gas --seed 901 [--towns 24] [--keep FOLDER]`` draws towns of three weeks with some
eight cases each, backtests every recording with the searches for gas alone, and tells how they did beside plain limits
on the same readings. With ``--network`` the towns have broken mains and faulty regulators instead, with ``--feeder``
there are long feeders that leak, and meters of theirs that drift. What was tuned was tuned on seeds below 500.
"""

import argparse
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from services.alerts.lifelines import discover
from services.alerts.lifelines.contract import SearchRule
from services.alerts.lifelines.gas_causes import GAS_CAUSES
from services.alerts.lifelines.gas_feeder_rules import GAS_FEEDERS
from services.alerts.lifelines.gas_network_rules import GAS_NETWORK
from services.alerts.lifelines.gas_works import GAS_WORKS
from services.backtest.backtest import run_backtest
from services.core.lifeline import Lifeline
from services.core.recording import read_recording
from tests.benchmarks.gas.feeder_cases import feeder_lines, judged_feeder
from tests.benchmarks.gas.network_cases import network_lines
from tests.benchmarks.gas.town_cases import TownResult, judged_town, lines


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def backtested(recording: Path, searches: tuple[SearchRule, ...]) -> Path:
    """The folder of what searches alone said of a recording."""
    results = recording.parent / f"{recording.name}-results"
    rules = discover()[Lifeline.GAS]
    alone = replace(rules, sensor_rules=(), zone_rules=(), searches=searches)
    run_backtest(read_recording(recording), results, with_scores=False, rules={Lifeline.GAS: alone})
    return results


def drawn(folder: Path, towns: int, seed: int, cast: str) -> list[Path]:
    """The recordings of a seed; those that are there already are taken."""
    if not list(folder.glob("*/recording.toml")):
        command = [sys.executable, "-m", "simulators.gas_benchmark", str(folder)]
        subprocess.run([*command, "--towns", str(towns), "--seed", str(seed), "--cast", cast], check=True)
    return sorted(path.parent for path in folder.glob("*/recording.toml"))[:towns]


def bench_feeders(keep: Path | None, count: int, seed: int) -> None:
    """The figures of drawn feeders."""
    with tempfile.TemporaryDirectory() as temporary:
        found = []
        for recording in drawn(keep or Path(temporary), count, seed, "feeder"):
            found.append(judged_feeder(recording, backtested(recording, (GAS_FEEDERS,))))
            say(f"{recording.name}: {[(case.kind, case.told[:1]) for case in found[-1].cases]} {found[-1].beside}")
    for line in feeder_lines(found):
        say(line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--towns", type=int, default=24, help="some eight cases each")
    parser.add_argument("--spaces-alone", action="store_true", help="leave pressures, flows and works out")
    parser.add_argument("--network", action="store_true", help="breaks and regulators, judged without the spaces")
    parser.add_argument("--feeder", action="store_true", help="long feeders instead of towns")
    parser.add_argument("--keep", type=Path, help="folder for recordings and results; default: none are kept")
    chosen = parser.parse_args()
    found: list[TownResult] = []
    searches = (GAS_CAUSES,) if chosen.spaces_alone else (GAS_CAUSES, GAS_NETWORK, GAS_WORKS)
    searches = (GAS_NETWORK,) if chosen.network else searches
    cast = "network" if chosen.network else "mixed"
    if chosen.feeder:
        bench_feeders(chosen.keep, chosen.towns, chosen.seed)
        return
    with tempfile.TemporaryDirectory() as temporary:
        for recording in drawn(chosen.keep or Path(temporary), chosen.towns, chosen.seed, cast):
            found.append(judged_town(recording, backtested(recording, searches)))
            told = sum(len(case.told) for case in found[-1].cases)
            say(f"{recording.name}: {told} told within cases, {found[-1].false_leaks} leaks told where nothing was")
    for line in network_lines(found) if chosen.network else lines(found):
        say(line)


if __name__ == "__main__":
    main()
