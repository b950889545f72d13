"""Detection on labelled recordings, and what it costs. Figures, no pass or fail.

``python -m tests.benchmarks.bench_detect [--only NAME …] [--rounds N] [--keep DIR] [--no-cost]`` runs the backtests
over the recordings in ``LIFELINE_BENCH_DATA`` and over recordings of our own simulator, and prints one table: the
headline of each family's own measure, and beside it the false alarms and the delay. Then what the engine costs a
processor core and how much memory sensors take, beside river's half-space trees and scikit-learn's isolation forest on
the same stream. Data that is not there is left out. A family that fails is named, the others go on, and the exit code
is 1.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from services.backtest.backtest import run_backtest
from services.core.recording import read_recording
from services.core.settings import Settings
from tests.benchmarks.detection import engine_cost, own_scenarios, own_score
from tests.benchmarks.detection.measures import Figures, measured
from tests.benchmarks.detection.tally import Tally, tally, told

OWN = "own-scenarios"
_TABLE = "figures.md"
_SAY_EVERY_S = 60.0


@dataclass(frozen=True)
class Family:
    """Recordings that are judged by the same measure; ``counted`` counts one backtest of them."""

    name: str
    pattern: str
    counted: Callable[[Path, Path], Tally] = tally


FAMILIES = (
    Family("ltown-2018", "ltown-2018"),
    Family("hanoi-sparse", "hanoi-sparse/*"),
    Family("hanoi", "hanoi/*"),
    Family("ctown-train", "ctown-train"),
    Family("skab", "skab/*"),
    Family(OWN, "", own_score.tally),
)


@dataclass
class Outcome:
    """What a family's backtests came to; ``failure`` says in one line what went wrong, if anything did."""

    family: Family
    tally: Tally = field(default_factory=Tally)
    readings: int = 0
    seconds: float = 0.0
    figures: Figures = field(default_factory=dict)
    failure: str | None = None


class Teller:
    """Prints lines, and keeps them for a file."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        """Print a line of the result."""
        self.lines.append(text)
        progress(text)


def progress(text: str) -> None:
    """Print a line that says how far we are."""
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


def recordings(family: Family, folder: Path, results: Path, rounds: int) -> Iterator[Path]:
    """The recordings of a family; those of our own simulator are made when they are asked for."""
    if family.name != OWN:
        yield from sorted(folder.glob(family.pattern))
        return
    made = results / "recordings"
    made.mkdir(exist_ok=True)
    for plan in own_scenarios.drawn(rounds):
        progress(f"  {plan.name}: {plan.history.days + plan.days:.0f} days of {plan.lifeline} …")
        yield own_scenarios.recorded(plan, made)


def backtested(outcome: Outcome, paths: Iterator[Path], results: Path) -> None:
    """Backtest recordings one after the other and measure them all together."""
    family, pairs = outcome.family, []
    for path in paths:
        out = results / family.name / path.name
        result = run_backtest(
            read_recording(path), out, with_scores=False, progress=_heartbeat(path.name), clock=time.process_time
        )
        outcome.readings += result.readings
        outcome.seconds += result.seconds
        outcome.tally += family.counted(out, path)
        pairs.append((out, path))
        progress(f"  {path.name}: {result.readings:,} readings, {result.seconds:.0f} s, {result.by_kind}")
        if result.failures:
            progress(f"  {path.name}: detectors failed: {dict(result.failures)}")
    outcome.figures = measured(family.name, pairs)


def _heartbeat(name: str) -> Callable[[int, int], None]:
    """Says once a minute how much of a recording is done."""
    started = said = time.monotonic()

    def beat(done: int, total: int) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said >= _SAY_EVERY_S:
            said = now
            progress(f"  {name}: {done / max(total, 1):.0%} after {now - started:.0f} s")

    return beat


def row(outcome: Outcome) -> str:
    """The line of the table; a family that failed on the way shows what it came to by then."""
    count = outcome.tally
    silent = "–" if outcome.failure is None else "failed"
    headline = next((f"{name} {_shown(value)}" for name, value in outcome.figures.items()), silent)
    rate = outcome.readings / outcome.seconds if outcome.seconds else 0.0
    cells = (
        outcome.family.name,
        count.recordings,
        headline,
        f"{count.found}/{count.troubles}",
        count.false,
        f"{count.false_a_sensor_month:.3f}",
        told(count.median_delay),
        count.faults,
        f"{rate:,.0f}",
    )
    return f"| {' | '.join(map(str, cells))} |"


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,.4g}"


def run(folder: Path, only: Sequence[str], results: Path, rounds: int) -> list[Outcome]:
    """All families that are asked for and there."""
    outcomes = []
    for family in FAMILIES:
        if only and family.name not in only:
            continue
        if family.name != OWN and not any(folder.glob(family.pattern)):
            progress(f"{family.name}: not in {folder} (LIFELINE_BENCH_DATA), left out")
            continue
        progress(f"{family.name}:")
        outcome = Outcome(family)
        try:
            backtested(outcome, recordings(family, folder, results, rounds), results)
        except Exception as error:  # noqa: BLE001  # one family's fault must not cost the figures of the others
            outcome.failure = f"{family.name}: failed: {type(error).__name__}: {' '.join(str(error).split())}"
            progress(outcome.failure)
        outcomes.append(outcome)
    return outcomes


def tell(outcomes: Sequence[Outcome], teller: Teller) -> None:
    """One table, each family's figures beneath it, and what failed."""
    head = ("recordings", "how many", "headline", "found", "false alarms", "false a sensor-month", "median delay")
    columns = (*head, "device alerts", "readings/s a core")
    teller.say(f"| {' | '.join(columns)} |")
    teller.say(f"|{' --- |' * len(columns)}")
    for outcome in outcomes:
        teller.say(row(outcome))
    for outcome in outcomes:
        teller.say(f"\n{outcome.family.name}")
        for name, value in outcome.figures.items():
            teller.say(f"  {name}: {_shown(value)}")
        if outcome.failure is not None:
            teller.say(f"  {outcome.failure}")


def cost(folder: Path, teller: Teller) -> str | None:
    """What the engine costs; why it could not be measured, if so."""
    try:
        for line in engine_cost.report(folder):
            teller.say(line)
    except Exception as error:  # noqa: BLE001  # the figures before it are worth keeping
        teller.say(f"cost: failed: {type(error).__name__}: {error}")
        return str(error)
    return None


def main() -> None:
    """Run what is asked for, print it, and say by the exit code whether all of it could be done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[], choices=[family.name for family in FAMILIES])
    parser.add_argument(
        "--keep", type=Path, help="folder for the results and own recordings; default: removed afterwards"
    )
    parser.add_argument("--rounds", type=int, default=1, help="how many times as many scenarios of our own to draw")
    parser.add_argument("--no-cost", action="store_true", help="leave out what the engine costs")
    arguments = parser.parse_args()
    teller = Teller()
    with results_in(arguments.keep) as results:
        outcomes = run(Settings().bench_data, arguments.only, results, arguments.rounds)
        progress("")
        tell(outcomes, teller)
        failures = [outcome.failure for outcome in outcomes if outcome.failure is not None]
        if not arguments.no_cost:
            teller.say("")
            failed = cost(Settings().bench_data, teller)
            failures += [] if failed is None else [failed]
        (results / _TABLE).write_text("\n".join(teller.lines) + "\n", "utf-8")
    if failures:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
