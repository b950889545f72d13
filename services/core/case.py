"""What was done last time: troubles that people have judged or closed, and how alike two of them are. Pure."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.core.alert import Verdict
from services.core.geometry import distance_m
from services.core.lifeline import Lifeline
from services.core.root_cause import RootCause
from services.core.severity import Severity
from services.core.text import Text

_LATIN = re.compile(r"[a-z][a-z0-9-]+|[0-9]{2,}")
_HAN = re.compile(r"[\u4e00-\u9fff]+")
_MOST_WORDS = 200
SAME_KIND, SAME_ASSET, SAME_ASSET_KIND, NEAR, WORDS = 3.0, 3.0, 1.0, 2.0, 4.0
"""What each likeness is worth; defaults. Words outweigh a kind, for who asks in words means them.
The store picks cases by them too."""
NEAR_M = 300.0
"""Distance over which nearness loses two thirds of its worth; a default."""


@dataclass(frozen=True, slots=True)
class Case:
    """A trouble as it is remembered: what, where, when, what it was and what people said of it."""

    alert: UUID
    lifeline: Lifeline
    kind: str
    zone: str
    asset: str
    asset_kind: str
    asset_name: Text
    place: tuple[float, float] | None
    """Longitude, latitude; ``None`` where the register did not know the asset."""
    severity: Severity
    started_at: datetime
    ended_at: datetime | None
    verdict: Verdict | None
    root_cause: RootCause | None
    explanation: Text
    told: str
    """What people wrote: the reason of the verdict, remarks, what the crew found and did, and how it was verified."""
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Sought:
    """What cases are compared with; what is ``None`` or empty does not count."""

    lifeline: Lifeline | None = None
    kind: str | None = None
    asset: str | None = None
    asset_kind: str | None = None
    place: tuple[float, float] | None = None
    words: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SimilarCase:
    """A case and how alike it is, from 0 to 1."""

    case: Case
    likeness: float


def words_of(*texts: str) -> frozenset[str]:
    """The words of some texts: Latin ones in lower case, and pairs of neighbouring Chinese characters."""
    found: dict[str, None] = {}
    for text in texts:
        found |= dict.fromkeys(_LATIN.findall(text.lower()))
        for run in _HAN.findall(text):
            found |= dict.fromkeys(run[at : at + 2] for at in range(max(1, len(run) - 1)))
    return frozenset(list(found)[:_MOST_WORDS])


def most_alike(sought: Sought, cases: Iterable[Case], rarity: dict[str, float], limit: int) -> list[SimilarCase]:
    """The cases that are most alike, best first, of equals the newest; those of another lifeline never are.

    ``rarity`` says what each sought word is worth: the fewer cases hold it, the more; see ``rarity_of``.
    """
    found = [
        SimilarCase(case, likeness(sought, case, rarity))
        for case in cases
        if sought.lifeline is None or case.lifeline is sought.lifeline
    ]
    found = [each for each in found if each.likeness > 0]
    return sorted(found, key=lambda each: (-each.likeness, -each.case.started_at.timestamp(), each.case.alert))[:limit]


def likeness(sought: Sought, case: Case, rarity: dict[str, float]) -> float:
    """The share of what was sought that a case has."""
    parts = list(_parts(sought, case, rarity))
    asked = sum(worth for worth, _ in parts)
    return sum(worth * share for worth, share in parts) / asked if asked else 0.0


def _parts(sought: Sought, case: Case, rarity: dict[str, float]) -> Iterable[tuple[float, float]]:
    """What each thing sought is worth, and how much of it the case has."""
    if sought.kind is not None:
        yield SAME_KIND, float(case.kind == sought.kind)
    if sought.asset is not None:
        yield SAME_ASSET, float(case.asset == sought.asset)
    if sought.asset_kind is not None:
        yield SAME_ASSET_KIND, float(case.asset_kind == sought.asset_kind)
    if sought.place is not None:
        near = 0.0 if case.place is None else math.exp(-distance_m(sought.place, case.place) / NEAR_M)
        yield NEAR, near
    whole = sum(rarity.get(word, 0.0) for word in sought.words)
    if whole > 0:
        yield WORDS, sum(rarity.get(word, 0.0) for word in sorted(sought.words & case.words)) / whole


def rarity_of(words: Iterable[str], shares: dict[str, float]) -> dict[str, float]:
    """The worth of each word: the logarithm of how many cases there are for one that holds it (Spärck Jones, 1972).

    ``shares`` says which share of all cases holds a word; one that is not in it is rare.
    """
    rare = min(shares.values(), default=1.0)
    return {word: math.log1p(1.0 / max(shares.get(word, rare), 1e-9)) for word in sorted(words)}
