"""The measure of the contest on C-Town (BATADAL 2017), over alerts.jsonl and truth.csv.

S = 0.5 (1 - mean of time to detection / length of the attack) + 0.25 (share of attack hours with an open alert + share
of other hours without one). An hour is predicted while an alert of ``kinds`` is open. An attack that is missed counts
its whole length. Always-on earns 0.75, so S is told with both shares.

    python -m tests.benchmarks.detection.ctown_score RECORDING OUT
"""

import json
import sys
import tomllib
from collections.abc import Iterable, Sequence
from csv import DictReader
from dataclasses import dataclass
from datetime import datetime
from math import inf
from pathlib import Path
from typing import Any

from services.alerts.lifelines.water_operation import SEARCHES

KINDS = frozenset(outcome.kind.kind for search in SEARCHES for outcome in search.outcomes)
"""The kinds of alert that say that something is run in an unusual way."""
_HOUR_S = 3600.0

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack: when the first alert was open, hours after its start, and the sensors that alerts named in it."""

    id: str
    hours: float
    delay_hours: float | None
    named: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CtownScore:
    """S, the shares of hours told rightly, and each attack."""

    score: float
    true_positive_rate: float
    true_negative_rate: float
    attacks: tuple[Attack, ...]


def ctown_score(
    alerts: Sequence[dict[str, Any]], truth: Iterable[tuple[str, float, float]], scored: Span, step_s: float = _HOUR_S
) -> CtownScore:
    """Score ``alerts`` (objects of alerts.jsonl) against attacks (identifier, start, end; seconds since 1970).

    Raises:
        ValueError: there is no attack, or nothing but attacks.
    """
    spans = [(_seconds(alert["detected_at"]), _cleared(alert), alert) for alert in alerts if alert["kind"] in KINDS]
    attacks = list(truth)
    count = int((scored[1] - scored[0]) / step_s)
    counts = {True: [0, 0], False: [0, 0]}
    for hour in range(count):
        time_s = scored[0] + hour * step_s
        attacked = any(start <= time_s <= end for _, start, end in attacks)
        counts[attacked][_is_open(spans, time_s)] += 1
    if not all(map(sum, counts.values())):
        raise ValueError("a score needs hours with an attack and hours without one")
    told = tuple(_attack(name, start, end, spans, step_s) for name, start, end in attacks)
    late = [1.0 if each.delay_hours is None else each.delay_hours / each.hours for each in told]
    positive = counts[True][1] / sum(counts[True])
    negative = counts[False][0] / sum(counts[False])
    return CtownScore(
        score=0.5 * (1 - sum(late) / len(late)) + 0.25 * (positive + negative),
        true_positive_rate=positive,
        true_negative_rate=negative,
        attacks=told,
    )


def _is_open(spans: Iterable[tuple[float, float, Any]], time_s: float) -> bool:
    return any(detected <= time_s < cleared for detected, cleared, _ in spans)


def _attack(
    name: str, start: float, end: float, spans: Sequence[tuple[float, float, dict[str, Any]]], step_s: float
) -> Attack:
    hours = int((end - start) / step_s) + 1
    open_at = [start + hour * step_s for hour in range(hours) if _is_open(spans, start + hour * step_s)]
    named = [
        sensor
        for detected, cleared, alert in spans
        if detected <= end and cleared > start
        for sensor in alert["sensors"]
    ]
    delay = (open_at[0] - start) / _HOUR_S if open_at else None
    return Attack(name, (end - start) / _HOUR_S, delay, tuple(dict.fromkeys(named)))


def read_alerts(out: Path) -> list[dict[str, Any]]:
    """The alerts a backtest wrote."""
    return [json.loads(line) for line in (out / "alerts.jsonl").read_text(encoding="utf-8").splitlines()]


def read_truth(recording: Path) -> list[tuple[str, float, float]]:
    """Identifier, start and end (seconds since 1970) of what truth.csv lists."""
    with (recording / "truth.csv").open(encoding="utf-8", newline="") as stream:
        return [(row["id"], _seconds(row["start"]), _seconds(row["end"])) for row in DictReader(stream)]


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _cleared(alert: dict[str, Any]) -> float:
    return inf if alert["cleared_at"] is None else _seconds(alert["cleared_at"])


def main(recording: Path, out: Path) -> None:
    """Print the score of a backtest as a table."""
    settings = tomllib.loads((recording / "recording.toml").read_text(encoding="utf-8"))
    begin, end = (_seconds(text) for text in settings["scored"])
    # A recording may end before what is scored does; hours without readings are no hours without an alarm.
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    last = summary.get("last")
    end = end if last is None else min(end, _seconds(last) + _HOUR_S)
    result = ctown_score(read_alerts(out), read_truth(recording), (begin, end))
    print(f"S {result.score:.3f}  TPR {result.true_positive_rate:.3f}  TNR {result.true_negative_rate:.3f}")  # noqa: T201  # its purpose
    for attack in result.attacks:
        delay = "missed" if attack.delay_hours is None else f"{attack.delay_hours:.0f} h"
        print(f"{attack.id:>4} {attack.hours:5.0f} h  found after {delay:>6}  {', '.join(attack.named[:6])}")  # noqa: T201  # its purpose


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
