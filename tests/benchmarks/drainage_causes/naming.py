"""How well causes are named in simulated storms: right cause, right sewer, nothing where nothing is wrong."""

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

KINDS = {
    "sewer-blockage": "sewer-blockage",
    "pump-trip": "pump-failure",
    "gate-shut": "gate-closed",
    "river-rise": "outfall-drowned",
    "foreign-inflow": "foreign-inflow",
    "sewer-infiltration": "sewer-infiltration",
}
"""The kind of alert that names each kind of fault."""
FOREIGN = ("foreign-inflow", "sewer-infiltration")
CAUSES = frozenset({*KINDS.values(), "gauge-off-sewers"})
_FIRST = 3
_DRY = "dry"
SHOWS_CM = 10.0
"""A fault that changes no gauge by so much for half an hour is hard to tell from the rain by levels."""


@dataclass(frozen=True, slots=True)
class Named:
    """An alert about a cause, with the assets suspected when it was raised."""

    kind: str
    at: datetime
    suspects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Storm:
    """A storm that counts: its faults (kind of alert, asset), how many floods they made, and what was said.

    ``shows_cm`` is what the difference that the faults made at any gauge exceeds for half an hour.
    """

    recording: str
    begins: datetime
    rains: datetime
    kind: str
    faults: tuple[tuple[str, str], ...]
    floods: int
    shows_cm: float
    named: tuple[Named, ...]

    @property
    def right(self) -> tuple[Named, ...]:
        """What was said of a cause that was there."""
        return tuple(each for each in self.named if each.kind in {kind for kind, _ in self.faults})


def storms_of(recording: Path, results: Path, hours: int) -> list[Storm]:
    """The scored storms of a recording with the alerts of its backtest."""
    named = [
        Named(alert["kind"], datetime.fromisoformat(alert["detected_at"]), _suspects(alert["trace"]))
        for alert in map(json.loads, (results / "alerts.jsonl").read_text("utf-8").splitlines())
        if alert["kind"] in CAUSES
    ]
    truth = _rows(recording / "truth.csv")
    found = []
    for row in _rows(recording / "truth" / "storms.csv"):
        if row["scored"] != "1":
            continue
        mine = [each for each in truth if each["id"].startswith(f"{row['id']}-")]
        rains = datetime.fromisoformat(row["start"])
        begins = rains.replace(hour=rains.hour // hours * hours, minute=0, second=0)
        ends = begins + timedelta(hours=hours)
        found.append(
            Storm(
                recording.name,
                begins,
                rains,
                row["kind"],
                tuple((KINDS[each["kind"]], each["asset"]) for each in mine if each["kind"] in KINDS),
                sum(each["kind"] == "node-flooding" and "cause rain" not in each["note"] for each in mine),
                max((float(each["note"].split()[0]) for each in mine if each["kind"] in KINDS), default=0.0),
                tuple(each for each in named if begins < each.at <= ends),
            )
        )
    return found


def lines(storms: Sequence[Storm]) -> Iterable[str]:
    """What a reader wants to know, one line each; shares with their counts."""
    yield from _in_storms([storm for storm in storms if storm.kind != _DRY])
    yield from _in_dry_spells([storm for storm in storms if storm.kind == _DRY])


def _in_dry_spells(spells: Sequence[Storm]) -> Iterable[str]:
    """Water that has no business in the sewers: found, and foreign inflow told from infiltration."""
    for kind in FOREIGN:
        fed = [spell for spell in spells if any(kind == each for each, _ in spell.faults)]
        shown = [spell for spell in fed if spell.shows_cm >= SHOWS_CM]
        found = [spell for spell in fed if any(each.kind in FOREIGN for each in spell.named)]
        right = [spell for spell in fed if spell.named and spell.named[-1] in spell.right]
        yield f"dry spells with {kind}: {len(fed)}, a gauge differs by {SHOWS_CM:g} cm in {len(shown)}"
        yield f"  taken for foreign water of either kind in {_share(len(found), len(fed))}"
        yield f"  named rightly in {_share(len(right), len(fed))}"
        yield f"    where a gauge shows it: {_share(sum(s in right for s in shown), len(shown))}"
    quiet = [spell for spell in spells if not spell.faults]
    yield f"dry spells with nothing: {len(quiet)}, causes named in them: {sum(len(s.named) for s in quiet)}"


def _in_storms(storms: Sequence[Storm]) -> Iterable[str]:
    broken = [storm for storm in storms if storm.faults]
    told = [storm for storm in broken if storm.named]
    last_right = [storm for storm in told if storm.named[-1] in storm.right]
    yield f"storms with a fault: {len(broken)}, with floods of its making: {sum(s.floods > 0 for s in broken)}"
    yield f"something was named in {_share(len(told), len(broken))}"
    yield f"  where it made floods: {_share(sum(s.floods > 0 for s in told), sum(s.floods > 0 for s in broken))}"
    yield f"named rightly, of all: {_share(len(last_right), len(broken))}"
    shown = [storm for storm in broken if storm.shows_cm >= SHOWS_CM]
    share = _share(sum(storm in told for storm in shown), len(shown))
    yield f"  where a gauge differed by {SHOWS_CM:g} cm or more for half an hour: {share}"
    yield f"    and named rightly: {_share(sum(s in last_right for s in shown), len(shown))}"
    yield f"the cause named last is right in {_share(len(last_right), len(told))}"
    blocked = [storm for storm in last_right if storm.named[-1].kind == "sewer-blockage"]
    ranks = [_rank(storm) for storm in blocked]
    yield f"the blocked sewer is among the first {_FIRST} in {_share(sum(r <= _FIRST for r in ranks), len(ranks))}"
    yield f"  the first in {_share(sum(r == 1 for r in ranks), len(ranks))}"
    seen = [storm for storm in shown if any(kind == "sewer-blockage" for kind, _ in storm.faults)]
    first = sum(storm in blocked and _rank(storm) <= _FIRST for storm in seen)
    yield f"  of all blockages that a gauge shows: {_share(first, len(seen))}"
    wrong = sum(len(storm.named) - len(storm.right) for storm in storms)
    quiet = [storm for storm in storms if not storm.faults]
    yield f"wrong causes a storm: {wrong / max(1, len(storms)):.2f}"
    yield f"  without a fault: {sum(len(s.named) for s in quiet) / max(1, len(quiet)):.2f} in {len(quiet)} storms"
    delays = [(storm.right[0].at - storm.rains).total_seconds() / 60 for storm in last_right]
    yield f"median minutes from the begin of the rain: {median(delays) if delays else float('nan'):.0f}"


def _rank(storm: Storm) -> int:
    pipes = {asset for _, asset in storm.faults}
    ranks = [place for place, asset in enumerate(storm.named[-1].suspects, start=1) if asset in pipes]
    return min(ranks, default=99)


def _suspects(trace: Sequence[dict[str, object]]) -> tuple[str, ...]:
    return tuple(str(each["asset"]) for each in trace)


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole:.0%})" if whole else "none"


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
