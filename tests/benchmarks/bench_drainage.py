"""Waterlogging foretold on real street floodings, flooding of sewers' nodes on simulated ones, and what it costs.

Figures, no pass or fail. ``python -m tests.benchmarks.bench_drainage [--only floodnet|cost|cloudbursts|nodes …]
[--keep DIR] [--seed 903] [--networks N] [--storms N] [--minutes M]``; without ``--only`` all parts.

``floodnet`` takes ``floodnet-to-2025-06`` in ``LIFELINE_BENCH_DATA``. The probabilities from which to warn are chosen
on the floodings of January to August 2024, with forests grown from earlier ones; everything is then told of the
floodings from September 2024 on, with forests grown anew each quarter from those that had ended. Data that is not there
is left out. ``--keep`` writes ``forecast.csv`` of the same span to a folder. ``cost`` is what a forecast of a thousand
points takes. ``cloudbursts`` plays storms of several strengths over the demo city, with a radar that errs in each as it
likes. For ``nodes`` networks are drawn from ``--seed`` and SWMM computes storms over them; what was tuned was
tuned on seeds below 500. The smallest networks come first, and none is begun after ``--minutes``.

A thousand points take seconds of processor time, FloodNet minutes, a storm over 50 nodes 5 s, more with something out
of order and over more nodes. What was counted so far is told after each network.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from services.alerts.forecast.depth_forecast import DepthForecast
from services.alerts.forecast.forecast_lessons import lessons_of
from services.alerts.forecast.forecast_walk import walk
from services.alerts.forecast.outlook import Outlook
from services.backtest.forecast_file import ForecastFile
from services.core.forecast import Forecast
from services.core.recording import read_recording
from services.core.settings import Settings
from simulators.sewer_benchmark.recording import Extent
from tests.benchmarks.drainage import cloudbursts, forecast_cost, node_flooding
from tests.benchmarks.drainage.flood_measures import (
    Peak,
    best_level,
    coverage,
    crosses,
    early_f1,
    early_level,
    extrapolation,
    f1,
    f1_at_ten_minutes,
    forecast,
    lead_min,
    peak_errors,
    persistence,
)
from tests.benchmarks.drainage.floodnet import CROSSED_CM, Foretold, forecast_of, foretold, history_of

NAME = "floodnet-to-2025-06"
CHOOSING = datetime(2024, 1, 1, tzinfo=UTC).timestamp()
REPORTED = datetime(2024, 9, 1, tzinfo=UTC).timestamp()
_REFERENCES: dict[str, Peak] = {
    "persistence": persistence,
    "linear extrapolation, 15 min": extrapolation(15),
    "linear extrapolation, 30 min": extrapolation(30),
    "forecast": forecast,
}

_PARTS = ("floodnet", "cost", "cloudbursts", "nodes")
_BURSTS = 4
"""Storms of each strength over the demo city."""
_FEWEST_NODES, _MOST_NODES = 50, 120
_MILLIMETRES = 10.0
"""In a centimetre."""


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def table(chosen: Sequence[Foretold], told: Sequence[Foretold]) -> None:
    """Peaks beside simple references, then warnings at the probabilities that were chosen."""
    say(f"Peak from the first ten minutes: {len(told)} floodings on {len({each.day for each in told})} days")
    say("| what | MAE mm | median day mm | without the two fullest days mm | F1 > 100 mm |")
    say("| --- | --- | --- | --- | --- |")
    for name, peak in _REFERENCES.items():
        errors = peak_errors(told, peak)
        said = f1([peak(each) > CROSSED_CM for each in told], crosses(told))
        say(f"| {name} | {errors.all_mm:.1f} | {errors.median_day_mm:.1f} | {errors.other_days_mm:.1f} | {said:.3f} |")
    at_ten, early = best_level(chosen, f1_at_ten_minutes), early_level(chosen)
    lead = lead_min(told, early)
    say("")
    always = f1([True] * len(told), crosses(told))
    say(f"passes 100 mm, said at ten minutes from {at_ten:.0%}: F1 {f1_at_ten_minutes(told, at_ten):.3f}")
    say(f"warned before, from {early:.0%}: F1 {early_f1(told, early):.3f}, median lead {lead or 0:.1f} min")
    say(f"warning always: F1 {always:.3f}")
    say(f"peaks within the 80 % range: {coverage(told):.0%}")


def drainage(folder: Path, kept: Path | None, parts: Collection[str]) -> None:
    """Street floodings of FloodNet, and the cost of a forecast with a forest that was grown from them."""
    if not (folder / NAME).is_dir():
        say(f"{NAME}: not in {folder} (LIFELINE_BENCH_DATA), forecasts of it are left out")
        if "cost" in parts:
            for line in forecast_cost.report(None):
                say(line)
        return
    recording = read_recording(folder / NAME)
    history = history_of(recording)
    say(f"{len(history):,} depths read")
    lessons = lessons_of(forecast_of(recording), history)
    say(f"{len(lessons.rows):,} lessons taken")
    if "floodnet" in parts:
        chosen = foretold(recording, history, lessons, (CHOOSING, REPORTED))
        say(f"{len(chosen)} floodings foretold to choose from")
        table(chosen, foretold(recording, history, lessons, (REPORTED, float("inf"))))
    if "cost" in parts:
        say("")
        for line in forecast_cost.report(lessons):
            say(line)
    if "floodnet" in parts and kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        path = kept / "forecast.csv"
        path.unlink(missing_ok=True)
        with ForecastFile(path) as file:
            for outlook in walk(forecast_of(recording), history, from_s=REPORTED, lessons=lessons):
                file.take(forecasts_of(outlook))
            file.settle(float("inf"))
        say(f"\n{path}: {file.rows:,} rows")


def forecasts_of(outlook: Outlook) -> list[Forecast]:
    """An outlook in the millimetres of the recording: the depth in 15, 30 and 60 minutes, and the peak at its time."""
    targets = [(outlook.issued_s + 60 * minutes, spread) for minutes, spread in outlook.ahead.items()]
    issued = datetime.fromtimestamp(outlook.issued_s, UTC)
    name, version = DepthForecast.name, DepthForecast.version
    return [
        Forecast(
            outlook.point,
            issued,
            datetime.fromtimestamp(target_s, UTC).replace(microsecond=0),
            _MILLIMETRES * spread.likely,
            _MILLIMETRES * spread.low,
            _MILLIMETRES * spread.high,
            name,
            version,
        )
        for target_s, spread in sorted([*targets, (outlook.peak_s, outlook.peak)])
    ]


def sewers(seed: int, networks: int, storms: int, minutes: float) -> None:
    """Flooding of nodes, most of them without a gauge, in storms that SWMM computes."""
    into = {broken: node_flooding.Tallies() for broken in (False, True)}
    begin_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for number, nodes in enumerate(np.geomspace(_FEWEST_NODES, _MOST_NODES, networks), start=1):
            if time.monotonic() - begin_s > 60 * minutes:
                say(f"{networks - number + 1} of {networks} networks were not begun within {minutes:g} min")
                break
            place = Path(folder) / f"sewers-{seed}-{number:02d}"
            for done in node_flooding.judge(place, round(float(nodes)), Extent(storms), (seed, number), into):
                say(f"{place.name}: {done} after {(time.monotonic() - begin_s) / 60:.1f} min")
            for line in node_flooding.lines(into):
                say(line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, help="folder for forecast.csv; default: none is written")
    parser.add_argument("--only", action="append", choices=_PARTS, help="one part; may be repeated; default: all")
    parser.add_argument("--seed", type=int, default=903)
    parser.add_argument("--networks", type=int, default=4)
    parser.add_argument("--storms", type=int, default=12, help="storms for each network; the first two are not scored")
    parser.add_argument("--minutes", type=float, default=60.0, help="no network is begun later")
    arguments = parser.parse_args()
    parts = frozenset(arguments.only or _PARTS)
    if parts & {"floodnet", "cost"}:
        drainage(Settings().bench_data, arguments.keep, parts)
    if "cloudbursts" in parts:
        for line in cloudbursts.report(arguments.seed, _BURSTS):
            say(line)
    if "nodes" in parts:
        sewers(arguments.seed, arguments.networks, arguments.storms, arguments.minutes)


if __name__ == "__main__":
    main()
