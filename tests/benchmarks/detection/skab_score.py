"""The outlier measure of the Skoltech pump-and-valve loop (SKAB), over alerts.jsonl and truth.csv of its recordings.

Each row is predicted anomalous while an alert of ``ctown_score.KINDS`` is open. F1, the share of false alarms among
normal rows and the share of missed rows are pooled over the recordings, for all rows and for those after the rows that
may be learnt from.

    python -m tests.benchmarks.detection.skab_score RECORDINGS OUTS

where each folder in RECORDINGS has its backtest in the folder of the same name in OUTS.
"""

import csv
import gzip
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf
from pathlib import Path
from typing import Any

from tests.benchmarks.detection.ctown_score import KINDS, read_alerts, read_truth


@dataclass(frozen=True, slots=True)
class RowCounts:
    """Rows by what they were and what was told of them; counts of several recordings add up."""

    hits: int = 0
    false_alarms: int = 0
    missed: int = 0
    quiet: int = 0

    def __add__(self, other: "RowCounts") -> "RowCounts":
        return RowCounts(
            self.hits + other.hits,
            self.false_alarms + other.false_alarms,
            self.missed + other.missed,
            self.quiet + other.quiet,
        )

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; NaN where there is nothing to find and nothing was told."""
        told = 2 * self.hits + self.false_alarms + self.missed
        return 2 * self.hits / told if told else float("nan")

    @property
    def false_alarm_percent(self) -> float:
        """Share of normal rows with an alert."""
        return 100 * self.false_alarms / max(self.false_alarms + self.quiet, 1)

    @property
    def missed_percent(self) -> float:
        """Share of anomalous rows without one."""
        return 100 * self.missed / max(self.hits + self.missed, 1)


def count_rows(
    times_s: Sequence[float], alerts: Iterable[dict[str, Any]], truth: Iterable[tuple[str, float, float]]
) -> RowCounts:
    """Compare rows (seconds since 1970) with alerts (of alerts.jsonl) and anomalies (identifier, start, end)."""
    spans = [
        (_seconds(alert["detected_at"]), inf if alert["cleared_at"] is None else _seconds(alert["cleared_at"]))
        for alert in alerts
        if alert["kind"] in KINDS
    ]
    anomalies = [(start, end) for _, start, end in truth]
    counts = {(True, True): 0, (False, True): 0, (True, False): 0, (False, False): 0}
    for time_s in times_s:
        anomalous = any(start <= time_s <= end for start, end in anomalies)
        told = any(detected <= time_s < cleared for detected, cleared in spans)
        counts[anomalous, told] += 1
    return RowCounts(counts[True, True], counts[False, True], counts[True, False], counts[False, False])


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def row_times(recording: Path) -> list[float]:
    """The moments of the rows of a recording, in order."""
    times = set()
    for path in recording.glob("readings/*.csv.gz"):
        with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
            times |= {_seconds(row["time"]) for row in csv.DictReader(stream)}
    return sorted(times)


def _learn_rows(recording: Path) -> int:
    settings = tomllib.loads((recording / "recording.toml").read_text(encoding="utf-8"))
    return int(settings["learn_rows"])


def _group(recording: Path) -> str:
    """``skab-valve1-0`` belongs to ``valve1``."""
    return recording.name.removeprefix("skab-").rpartition("-")[0]


def main(recordings: Path, outs: Path) -> None:
    """Print the counts of every group and of all, with and without the rows that may be learnt from."""
    whole: defaultdict[str, RowCounts] = defaultdict(RowCounts)
    after: defaultdict[str, RowCounts] = defaultdict(RowCounts)
    for recording in sorted(recordings.iterdir()):
        if not (outs / recording.name / "alerts.jsonl").exists():
            continue
        times, alerts, truth = row_times(recording), read_alerts(outs / recording.name), read_truth(recording)
        if not truth:
            raised = sum(alert["kind"] in KINDS for alert in alerts)
            hours = (times[-1] - times[0]) / 3600
            print(f"{recording.name}: {raised} alerts in {hours:.1f} h without anomaly")  # noqa: T201  # its purpose
            continue
        for group in (_group(recording), "pooled"):
            whole[group] += count_rows(times, alerts, truth)
            after[group] += count_rows(times[_learn_rows(recording) :], alerts, truth)
    for name, counts in (("all rows", whole), ("rows after those learnt", after)):
        for group, each in counts.items():
            shares = f"false {each.false_alarm_percent:.1f} %  missed {each.missed_percent:.1f} %"
            print(f"{name:>24} {group:>8}  F1 {each.f1:.3f}  {shares}")  # noqa: T201  # its purpose


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
