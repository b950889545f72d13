"""Leaks along simulated feeders, and meters that drift, beside what was told of them, in figures."""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

LEAK, METER = "gas-feeder-leak", "feeder-meter-off"
_AFTER_S = 3600.0
"""An alert within so long of a case's end belongs to it: the balance looks back for hours."""


@dataclass(frozen=True, slots=True)
class FeederCase:
    """A case of the truth: what it is, at which main, and alerts within it: (kind, seconds after, first mains)."""

    kind: str
    asset: str
    size: float
    told: tuple[tuple[str, float, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class FeederResult:
    """The cases of one feeder, and the kinds told where nothing was."""

    name: str
    cases: tuple[FeederCase, ...]
    beside: tuple[str, ...]


def judged_feeder(recording: Path, results: Path) -> FeederResult:
    """Compare the alerts in a results folder with the truth of a recording."""
    alerts = [json.loads(line) for line in (results / "alerts.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = list(csv.DictReader((recording / "truth.csv").read_text(encoding="utf-8").splitlines()))
    spans = [(_seconds(row["start"]), _seconds(row["end"]) + _AFTER_S) for row in rows]
    told = [
        (alert["kind"], _seconds(alert["detected_at"]), tuple(each["asset"] for each in alert["trace"]))
        for alert in alerts
    ]
    cases = tuple(
        FeederCase(
            row["kind"],
            row["asset"],
            float(row["peak"]),
            tuple((kind, at_s - begin, mains) for kind, at_s, mains in told if begin <= at_s <= end),
        )
        for row, (begin, end) in zip(rows, spans, strict=True)
    )
    beside = tuple(kind for kind, at_s, _ in told if not any(begin <= at_s <= end for begin, end in spans))
    return FeederResult(recording.name, cases, beside)


def feeder_lines(feeders: Sequence[FeederResult]) -> Iterator[str]:
    """The figures over all feeders, one a line."""
    cases = [case for feeder in feeders for case in feeder.cases]
    yield f"{len(feeders)} feeders, {len(cases)} cases, two days each scored"
    for kind in ("burst", "seep"):
        own = [case for case in cases if case.kind == kind]
        leaks = [[told for told in case.told if told[0] == LEAK][:1] for case in own]
        found = [(case, told[0]) for case, told in zip(own, leaks, strict=True) if told]
        seconds = sorted(told[1] for _, told in found)
        middle = f", median {seconds[len(seconds) // 2]:.0f} s, longest {seconds[-1]:.0f} s" if seconds else ""
        meters = sum(not told and any(t[0] == METER for t in case.told) for case, told in zip(own, leaks, strict=True))
        yield f"{kind}: told as a leak {len(found)} of {len(own)}{middle}; as a meter alone {meters}"
        first = sum(told[2][:1] == (case.asset,) for case, told in found)
        second = sum(case.asset in told[2][:2] for case, told in found)
        yield f"  the right main of four first {first}, among two {second}, of {len(found)}"
    drifts = [case for case in cases if case.kind == "meter-drift"]
    yield (
        f"meter drift: told as a meter {sum(any(t[0] == METER for t in c.told) for c in drifts)}, called a leak "
        f"{sum(any(t[0] == LEAK for t in c.told) for c in drifts)}, of {len(drifts)}"
    )
    switches = [case for case in cases if case.kind == "demand-switch"]
    yield f"demand that switches: anything told {sum(bool(case.told) for case in switches)} of {len(switches)}"
    yield f"told where nothing was: {[kind for feeder in feeders for kind in feeder.beside]}"


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
