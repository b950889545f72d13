"""Ten thousand findings within a minute: a storm over a city, a broken main, three dead gateways. Drawn from a seed."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from services.core.finding import Finding, FindingState
from services.core.lifeline import Lifeline
from services.core.severity import Severity
from services.core.text import Text

_NAMESPACE = UUID("5f1d7b3e-62a5-4f0e-9f43-0c5b2e1a7d44")
LOW_POINTS, MANHOLES, GAUGES, GATEWAYS = 300, 500, 200, 3
_STEPS = 10
"""How often each place is heard of within the hour."""
MAIN, BROKEN = "WP-main", "leak-suspected"


def true_troubles() -> set[str]:
    """The places at which something really is the matter and somebody has to be told."""
    return {MAIN, *(f"LP-{number}" for number in range(LOW_POINTS))}


def findings(seed: int, start: datetime) -> Iterator[Finding]:
    """The findings in order of their time, one hour of event time."""
    randomness = random.Random(seed)  # noqa: S311 - a scenario, not a secret
    said = [*_storm(randomness, start), *_broken_main(randomness, start), *_gateways(start)]
    yield from sorted(said, key=lambda finding: (finding.time, finding.id))


def _course(
    randomness: random.Random, start: datetime, place: tuple[Lifeline, str, str, str], worst: int
) -> Iterator[Finding]:
    """One place from its first finding to its worst and on: raised, changed, never cleared within the hour."""
    begins = start + timedelta(minutes=randomness.uniform(0, 20))
    for step in range(_STEPS):
        severity = Severity(max(1, min(worst, 1 + step // 2)))
        state = FindingState.RAISED if step == 0 else FindingState.CHANGED
        time = begins + timedelta(minutes=4 * step + randomness.uniform(0, 1))
        yield _finding(place, severity, state, (begins, time))


def _storm(randomness: random.Random, start: datetime) -> Iterator[Finding]:
    for number in range(LOW_POINTS):
        zone = f"D{number % 4 + 1}"
        worst = randomness.choice((3, 3, 3, 4))
        yield from _course(randomness, start, (Lifeline.DRAINAGE, "waterlogging", zone, f"LP-{number}"), worst)
    for number in range(MANHOLES):
        place = (Lifeline.DRAINAGE, "manhole-surcharge", f"D{number % 4 + 1}", f"MH-{number}")
        yield from _course(randomness, start, place, 2)


def _broken_main(randomness: random.Random, start: datetime) -> Iterator[Finding]:
    begins = start + timedelta(minutes=12)
    place = (Lifeline.WATER, BROKEN, "W1", MAIN)
    yield _finding(place, Severity.MAJOR, FindingState.RAISED, (begins, begins))
    for number in range(GAUGES):
        place = (Lifeline.WATER, "pressure-low", "W1", f"WJ-{number}")
        yield from _course(randomness, start + timedelta(minutes=8), place, 3)


def _gateways(start: datetime) -> Iterator[Finding]:
    for number in range(GATEWAYS):
        time = start + timedelta(minutes=5 + number)
        place = (Lifeline.WATER, "gateway-silent", "W1", f"gateway-{number}")
        yield _finding(place, Severity.MODERATE, FindingState.RAISED, (time, time))


def _finding(
    place: tuple[Lifeline, str, str, str], severity: Severity, state: FindingState, moments: tuple[datetime, datetime]
) -> Finding:
    lifeline, kind, zone, asset = place
    started_at, time = moments
    words = f"{kind} at {asset}"
    return Finding(
        id=str(uuid5(_NAMESPACE, f"{words} {time.isoformat()}")),
        state=state,
        lifeline=lifeline,
        kind=kind,
        zone=zone,
        asset=asset,
        sensors=(f"{asset}-1",),
        severity=severity,
        time=time,
        started_at=started_at,
        score=float(severity),
        value=float(severity),
        threshold=float(severity),
        rule=kind,
        detector="worst-hour",
        detector_version="1",
        explanation=Text(words, words),
        target=f"{asset}-1",
    )
