"""How well leaks of a sparsely metered network are found: every time step, how early, and where.

``python -m tests.benchmarks.detection.hanoi_score [FOLDER]`` replays every recording named ``hanoi-sparse-…`` in the
folder (default: ``hanoi-sparse`` in ``LIFELINE_BENCH_DATA``) and prints the measures of LeakDB (Vrachimis et al. 2018).
A step counts as an alarm while an alert about a leak is open: from ``detected_at`` until before ``cleared_at``.
"""

import csv
import json
import math
import os
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from services.backtest.backtest import run_backtest
from services.core.recording import read_recording

KIND = "leak-suspected"
STEP = timedelta(minutes=30)
_HELD = 0.75
_TOP = 3


@dataclass
class Score:
    """Steps by what was and what was said, and for each leak: early detection, days until found, rank of its node."""

    steps: dict[tuple[bool, bool], int] = field(default_factory=dict)
    leaks: list[tuple[float, float | None, int | None]] = field(default_factory=list)
    clean: int = 0
    clean_with_alarm: int = 0
    seconds: float = 0.0

    def line(self) -> str:
        """The measures in one line."""
        hit, missed = self.steps.get((True, True), 0), self.steps.get((True, False), 0)
        false, right = self.steps.get((False, True), 0), self.steps.get((False, False), 0)
        count = max(1, len(self.leaks))
        early = sum(leak[0] for leak in self.leaks) / count
        top = sum(leak[2] is not None and leak[2] < _TOP for leak in self.leaks)
        return (
            f"R_TP {hit / max(1, hit + missed):.1%}  R_TN {right / max(1, right + false):.2%}"
            f"  F {2 * hit / max(1, 2 * hit + missed + false):.1%}  S_ED {early:.1%}"
            f"  found {sum(leak[1] is not None for leak in self.leaks)}/{len(self.leaks)}  top {_TOP}: {top}"
            f"  leak-free years with an alarm {self.clean_with_alarm}/{self.clean}  {self.seconds:.0f} s"
        )


def judge(
    score: Score, alerts: list[dict[str, Any]], truth: list[dict[str, str]], span: tuple[datetime, datetime]
) -> None:
    """Add one recording to the score."""
    said = [(_time(each["detected_at"]), _end(each, span[1]), each) for each in alerts if each["kind"] == KIND]
    leaks = [(_time(row["start"]), _time(row["end"]), row["asset"]) for row in truth]
    moment = span[0]
    while moment < span[1]:
        key = (any(start <= moment <= end for start, end, _ in leaks), _open(said, moment))
        score.steps[key] = score.steps.get(key, 0) + 1
        moment += STEP
    if not leaks:
        score.clean += 1
        score.clean_with_alarm += bool(said)
    for start, end, asset in leaks:
        if end > span[0]:
            score.leaks.append(_leak(said, max(start, span[0]), (start, end), asset))


def _leak(
    said: list[tuple[datetime, datetime, dict[str, Any]]], first: datetime, leak: tuple[datetime, datetime], asset: str
) -> tuple[float, float | None, int | None]:
    start, end = leak
    moments = [first + STEP * number for number in range(int((end - first) / STEP) + 1)]
    found = next((moment for moment in moments if _open(said, moment)), None)
    if found is None:
        return 0.0, None, None
    after = [moment for moment in moments if moment >= found]
    held = sum(_open(said, moment) for moment in after) / len(after)
    early = 2 / (1 + math.exp(6 * ((found - start) / (end - start)))) if held >= _HELD else 0.0
    alert = next(each for begin, until, each in said if begin <= found < until)
    ranks = [place for place, suspect in enumerate(alert["trace"]) if suspect["asset"] == asset]
    return early, (found - start) / timedelta(days=1), ranks[0] if ranks else None


def _open(said: list[tuple[datetime, datetime, dict[str, Any]]], moment: datetime) -> bool:
    return any(begin <= moment < end for begin, end, _ in said)


def _end(alert: dict[str, Any], default: datetime) -> datetime:
    return _time(alert["cleared_at"]) if alert["cleared_at"] else default


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def main() -> None:
    """Replay and print."""
    default = Path(os.environ.get("LIFELINE_BENCH_DATA", "../shared/data")) / "hanoi-sparse"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    names = sorted(path for path in folder.glob("hanoi-sparse-*") if path.is_dir())
    if not names:
        sys.stdout.write(f"skipped: no recordings in {folder}\n")
        return
    total = Score()
    for path in names:
        recording = read_recording(path)
        with tempfile.TemporaryDirectory() as out:
            result = run_backtest(recording, Path(out), with_scores=False)
            alerts = [json.loads(line) for line in (Path(out) / "alerts.jsonl").read_text().splitlines()]
        with (path / "truth.csv").open() as stream:
            truth = list(csv.DictReader(stream))
        begin, end = (_time(text) for text in recording.settings["scored"])
        judge(total, alerts, truth, (begin, end))
        total.seconds += result.seconds
        kinds = sorted({alert["kind"] for alert in alerts})
        found = total.leaks[-1:] if truth else ""
        sys.stdout.write(f"{path.name}: {result.seconds:.0f} s, {len(alerts)} alerts {kinds}, {found}\n")
    sys.stdout.write(f"{total.line()}\n")


if __name__ == "__main__":
    main()
