"""The measures of LeakDB (Vrachimis et al. 2018) over alerts.jsonl and truth.csv: every time step, how early, where.

A step counts as an alarm while an alert about a leak is open: from ``detected_at`` until before ``cleared_at``. Steps
are pooled over the years; since that favours long leaks, what was found of each leak is told as well.

    python -m tests.benchmarks.detection.hanoi_score RECORDINGS OUTS

where each folder in RECORDINGS has its backtest in the folder of the same name in OUTS.
"""

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from csv import DictReader
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from services.backtest.report.result_folder import read_result
from services.core.recording import read_recording
from tests.benchmarks.detection.ctown_score import read_alerts

KIND = "leak-suspected"
STEP = timedelta(minutes=30)
_HELD = 0.75
_TOP = 3


class FoundLeak(NamedTuple):
    """What became of one leak.

    ``delay_days`` from its begin until an alarm, ``recall`` the share of its scored steps with one, ``early`` its score
    for early detection, ``rank`` the place of its node among the suspects that the alert named (0 is first).
    """

    asset: str
    delay_days: float | None
    recall: float
    early: float
    rank: int | None

    def told(self) -> str:
        """In a few words."""
        if self.delay_days is None:
            return "missed"
        rank = "not a suspect" if self.rank is None else f"suspect {self.rank + 1}"
        return f"after {self.delay_days:.2f} days, {self.recall:.0%} of its steps, {rank}"


@dataclass(frozen=True, slots=True)
class YearScore:
    """Steps of one recording by what was and what was told, and its leaks."""

    hits: int
    missed: int
    false_alarms: int
    quiet: int
    leaks: tuple[FoundLeak, ...]
    leak_free: bool
    alarms: int


def score(out: Path, path: Path) -> Mapping[str, float | str]:
    """The measures of one backtest."""
    return pooled([(out, path)])


def pooled(pairs: Sequence[tuple[Path, Path]]) -> Mapping[str, float | str]:
    """The measures of several backtests, each with its recording; rates in percent."""
    years = [_year(out, path) for out, path in pairs]
    hits, missed = sum(year.hits for year in years), sum(year.missed for year in years)
    false, quiet = sum(year.false_alarms for year in years), sum(year.quiet for year in years)
    leaks = [leak for year in years for leak in year.leaks]
    free = [year for year in years if year.leak_free]
    found = [leak for leak in leaks if leak.delay_days is not None]
    top = sum(leak.rank is not None and leak.rank < _TOP for leak in leaks)
    each = {
        f"{path.name} {leak.asset}": leak.told()
        for year, (_, path) in zip(years, pairs, strict=True)
        for leak in year.leaks
    }
    return {
        "F %": _percent(2 * hits, 2 * hits + missed + false),
        "R_TP %": _percent(hits, hits + missed),
        "R_TN %": _percent(quiet, quiet + false),
        "S_ED %": _percent(sum(leak.early for leak in leaks), len(leaks)),
        "leaks found": f"{len(found)} of {len(leaks)}",
        f"node in the top {_TOP}": f"{top} of {len(leaks)}",
        "leak-free years with an alarm": f"{sum(year.alarms > 0 for year in free)} of {len(free)}",
        **each,
    }


def _percent(part: float, whole: float) -> float:
    return 100 * part / whole if whole else math.nan


def _year(out: Path, path: Path) -> YearScore:
    """What was told of one recording, within its scored time as far as there are readings.

    Raises:
        ValueError: the recording does not say which time is scored.
    """
    scored = read_recording(path).scored
    if scored is None:
        raise ValueError(f"{path}: no time is scored")
    with (path / "truth.csv").open(encoding="utf-8", newline="") as stream:
        truth = [(row["asset"], _time(row["start"]), _time(row["end"])) for row in DictReader(stream)]
    return judged(read_alerts(out), truth, (scored[0], min(scored[1], read_result(out).end + STEP)))


def judged(
    alerts: Iterable[Mapping[str, Any]],
    truth: Sequence[tuple[str, datetime, datetime]],
    scored: tuple[datetime, datetime],
) -> YearScore:
    """Alerts as in alerts.jsonl against leaks (node, start, end), from the begin of ``scored`` until before its end."""
    alarms = [_Alarm.read(alert) for alert in alerts if alert["kind"] == KIND]
    begin, end = scored
    counts = {(leaking, told): 0 for leaking in (True, False) for told in (True, False)}
    for moment in _moments(begin, end - STEP):
        leaking = any(start <= moment <= stop for _, start, stop in truth)
        counts[leaking, _open(alarms, moment)] += 1
    return YearScore(
        hits=counts[True, True],
        missed=counts[True, False],
        false_alarms=counts[False, True],
        quiet=counts[False, False],
        leaks=tuple(_leak(alarms, asset, start, stop, begin) for asset, start, stop in truth if stop >= begin),
        leak_free=not truth,
        alarms=len(alarms),
    )


class _Alarm(NamedTuple):
    begin: datetime
    end: datetime | None
    suspects: tuple[str, ...]

    @classmethod
    def read(cls, alert: Mapping[str, Any]) -> "_Alarm":
        cleared = alert["cleared_at"]
        suspects = tuple(suspect["asset"] for suspect in alert["trace"])
        return cls(_time(alert["detected_at"]), None if cleared is None else _time(cleared), suspects)


def _leak(alarms: Sequence[_Alarm], asset: str, start: datetime, stop: datetime, scored: datetime) -> FoundLeak:
    moments = list(_moments(max(start, scored), stop))
    told = [_open(alarms, moment) for moment in moments]
    if not any(told):
        return FoundLeak(asset, None, 0.0, 0.0, None)
    first = told.index(True)
    delay = moments[first] - start
    held = sum(told[first:]) / len(told[first:])
    early = 2 / (1 + math.exp(6 * (delay / (stop - start)))) if held >= _HELD else 0.0
    suspects = next(alarm.suspects for alarm in alarms if _open([alarm], moments[first]))
    rank = suspects.index(asset) if asset in suspects else None
    return FoundLeak(asset, delay / timedelta(days=1), sum(told) / len(told), early, rank)


def _moments(begin: datetime, end: datetime) -> Iterable[datetime]:
    return (begin + STEP * number for number in range(math.floor((end - begin) / STEP) + 1))


def _open(alarms: Iterable[_Alarm], moment: datetime) -> bool:
    return any(alarm.begin <= moment and (alarm.end is None or moment < alarm.end) for alarm in alarms)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def main() -> None:
    """Print the measures of the recordings in one folder, whose backtests are in another."""
    recordings, outs = (Path(argument) for argument in sys.argv[1:3])
    pairs = [(outs / path.name, path) for path in sorted(recordings.iterdir()) if (outs / path.name).is_dir()]
    sys.stdout.write(json.dumps(pooled(pairs), indent=2) + "\n")


if __name__ == "__main__":
    main()
