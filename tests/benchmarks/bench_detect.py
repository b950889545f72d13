"""Detection on labelled recordings, and what it costs. Figures, no pass or fail.

``python -m tests.benchmarks.bench_detect [--only NAME …] [--keep DIR] [--no-cost]`` runs the backtests over the
recordings in ``LIFELINE_BENCH_DATA`` and prints one table: the headline of each family's own measure, and beside it the
false alarms and the delay. Then what the engine costs a processor core and how much memory sensors take, beside river's
half-space trees and scikit-learn's isolation forest on the same stream. Data that is not there is left out.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

from services.alerts.tracing.city_graph import CityGraph
from services.backtest.backtest import run_backtest
from services.backtest.report.judgement import Judgement, judge
from services.backtest.report.result_folder import read_result
from services.backtest.report.truth import read_truth
from services.core.recorded_city import recorded_city
from services.core.recording import read_recording
from services.core.settings import Settings
from tests.benchmarks.detection import engine_cost
from tests.benchmarks.detection.measures import Figures, measured


@dataclass(frozen=True)
class Family:
    """Recordings that are judged by the same measure."""

    name: str
    pattern: str


FAMILIES = (
    Family("ltown-2018", "ltown-2018"),
    Family("hanoi-sparse", "hanoi-sparse/*"),
    Family("hanoi", "hanoi/*"),
    Family("ctown-train", "ctown-train"),
    Family("skab", "skab/*"),
)


@dataclass
class Outcome:
    """What a family's backtests came to."""

    recordings: int = 0
    troubles: int = 0
    found: int = 0
    false: int = 0
    faults: int = 0
    delays: list[timedelta] = field(default_factory=list)
    readings: int = 0
    seconds: float = 0.0
    figures: Figures = field(default_factory=dict)

    def add(self, judgement: Judgement) -> None:
        """Count one more recording."""
        self.recordings += 1
        self.troubles += len(judgement.troubles)
        self.found += len(judgement.first)
        self.false += judgement.false_count
        self.faults += sum(judged.alert.is_fault for judged in judgement.alerts)
        self.delays += [judged.delay for judged in judgement.first.values() if judged.delay is not None]


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@contextmanager
def results_in(kept: Path | None) -> Iterator[Path]:
    """Where results go: a folder that stays, or one that is removed afterwards."""
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def backtested(family: Family, folder: Path, results: Path) -> Outcome:
    outcome, pairs = Outcome(), []
    for path in sorted(folder.glob(family.pattern)):
        recording, out = read_recording(path), results / path.name
        result = run_backtest(recording, out, clock=time.process_time)
        outcome.readings += result.readings
        outcome.seconds += result.seconds
        outcome.add(judged(out, path))
        pairs.append((out, path))
        say(f"  {path.name}: {result.readings:,} readings, {result.seconds:.0f} s, {result.by_kind}")
    outcome.figures = measured(family.name, pairs)
    return outcome


def judged(out: Path, path: Path) -> Judgement:
    """The alerts against the truth in the plain way of the report: raised while the trouble ran, or not."""
    recording = read_recording(path)
    result, city = read_result(out), recorded_city(recording)
    interval = timedelta(seconds=max(sensor.interval_s for sensor in recording.sensors.values()))
    learnt = result.summary["learn_until"]
    since = None if learnt is None else datetime.fromisoformat(learnt)
    troubles = [trouble for trouble in read_truth(path) if since is None or trouble.end >= since]
    return judge(result.alerts, troubles, CityGraph(city.assets, city.links), since, interval)


def shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,.4g}"


def row(family: Family, outcome: Outcome) -> str:
    headline = next((f"{name} {shown(value)}" for name, value in outcome.figures.items()), "–")
    delays_s = [delay.total_seconds() for delay in outcome.delays]
    delay = str(timedelta(seconds=median(delays_s))) if delays_s else "–"
    rate = outcome.readings / outcome.seconds if outcome.seconds else 0.0
    found = f"{outcome.found}/{outcome.troubles}"
    return (
        f"| {family.name} | {outcome.recordings} | {headline} | {found} | {outcome.false} | {delay} | {outcome.faults} "
        f"| {rate:,.0f} |"
    )


def detection(folder: Path, only: Sequence[str], kept: Path | None) -> None:
    if not folder.is_dir():
        say(f"no recordings in {folder} (LIFELINE_BENCH_DATA): detection is left out")
        return
    outcomes: list[tuple[Family, Outcome]] = []
    with results_in(kept) as results:
        for family in FAMILIES:
            if only and family.name not in only:
                continue
            if not any(folder.glob(family.pattern)):
                say(f"{family.name}: not in {folder}, left out")
                continue
            say(f"{family.name}:")
            outcomes.append((family, backtested(family, folder, results)))
    say("")
    say("| recordings | how many | headline | found | false alarms | median delay | fault alerts | readings/s a core |")
    say("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for family, outcome in outcomes:
        say(row(family, outcome))
    for family, outcome in outcomes:
        say(f"\n{family.name}")
        for name, value in outcome.figures.items():
            say(f"  {name}: {shown(value)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[], choices=[family.name for family in FAMILIES])
    parser.add_argument("--keep", type=Path, help="folder for the results; default: removed afterwards")
    parser.add_argument("--no-cost", action="store_true", help="leave out what the engine costs")
    arguments = parser.parse_args()
    detection(Settings().bench_data, arguments.only, arguments.keep)
    if not arguments.no_cost:
        say("")
        for line in engine_cost.report():
            say(line)


if __name__ == "__main__":
    main()
