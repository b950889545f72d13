"""Where a new leak is, how it went and how sure that is: tried out in the model until its pipe stays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np

from services.alerts.hydraulics.course import Change, Course, leaking
from services.alerts.hydraulics.epanet_model import Array
from services.alerts.hydraulics.hypotheses import Weighed, probabilities, shaped, without
from services.alerts.hydraulics.ledger import Part
from services.alerts.hydraulics.picture import Picture

NEAR_M = 300.0
"""A leak counts as located when so much of the probability lies within so far of one pipe, along the pipes: the
radius in which a crew listens (and which BattLeDIM accepts)."""
RELOCATED_BLOCKS = 36
"""Youngest blocks that are solved anew with a leak in the model."""
_ECHO_PART = 0.5
_ECHO_M = 600.0
"""What is found nearer than this to a leak at least twice as large is that leak, not quite in its place."""


@dataclass(frozen=True, slots=True)
class Found:
    """A leak as a search sees it before it is claimed: ``change`` and ``parts`` put it into the ledger from ``onset``.

    ``likely`` says by link how likely it is the place. ``lately`` is what the youngest quarter of its time gains in log
    likelihood if it leaks, ``since_repair`` what is gained since another leak was repaired, infinite if it is younger.
    """

    asset: str
    flow_m3h: float
    flow_deviation_m3h: float
    onset: int
    ratio: float
    lately: float
    since_repair: float
    likely: Array
    change: Change
    parts: list[Part]


def locate(picture: Picture, key: str, place: int, begin: int) -> Found:
    """Put a new leak ``key`` into the model at a link since a block, and move it until no other place is likelier."""
    ledger, weigher = picture.ledger, picture.maker.evidences
    active = picture.active()
    most_m3h = picture.draw_m3h()
    first = max(begin, ledger.begin_of(max(ledger.end - RELOCATED_BLOCKS, ledger.first)))
    first = ledger.begin_of(first)
    parts = [replace(part, evidence=without(part.evidence, key)) for part in ledger.parts if part.evidence]
    course, _ = _course(picture, parts, begin, place, active)
    course = replace(course, flow_m3h=min(course.flow_m3h, most_m3h))
    for _ in range(3):
        parts = ledger.rewritten(first, leaking(key, picture.links[place], course), weigher)
        # The leak is taken out again with the responses that hold while it runs.
        bare = [replace(part, evidence=without(part.evidence, key)) for part in parts if part.evidence]
        course, weighed = _course(picture, bare, begin, place, active)
        ratio = np.where(picture.prior > 0, weighed.ratio, 0.0)
        before, place = place, int(ratio.argmax())
        course = replace(course, flow_m3h=min(max(float(weighed.size[place]), 0.0), most_m3h))
        if place == before:
            break
    change = leaking(key, picture.links[place], course)
    parts = ledger.rewritten(course.first, change, weigher)
    onset = course.first
    gain = (picture.misfit(ledger.parts, onset) - picture.misfit(parts, onset)) / 2
    quarter = ledger.begin_of(ledger.end - max((ledger.end - onset) // 4, 1))
    straddles = onset < picture.repaired
    return Found(
        asset=picture.links[place],
        flow_m3h=course.at(ledger.end - 1),
        flow_deviation_m3h=float(weighed.deviation[place]),
        onset=onset,
        ratio=min(float(ratio[place]), gain),
        lately=picture.gain(parts, quarter),
        since_repair=picture.gain(parts, picture.repaired) if straddles else inf,
        likely=probabilities(ratio, picture.prior, picture.doubt()),
        change=change,
        parts=parts,
    )


def certainty(picture: Picture, found: Found) -> float:
    """How likely it is that the leak lies near the pipe that is told first."""
    near = picture.distances.of(int(found.likely.argmax())) <= NEAR_M
    return float(found.likely[near].sum())


def is_echo(picture: Picture, found: Found) -> bool:
    """Whether it is but what a leak found before leaves over, because that is not quite where it is taken to be."""
    away_m = picture.distances.of(picture.link_index[found.asset])
    for leak in picture.leaks.values():
        distance_m = float(away_m[picture.link_index[leak.asset]])
        smaller = found.flow_m3h < _ECHO_PART * leak.flow_m3h
        if distance_m <= (_ECHO_M if smaller else NEAR_M):
            return True
    return False


def _course(
    picture: Picture, parts: Sequence[Part], begin: int, place: int, active: Mapping[str, tuple[int, float]]
) -> tuple[Course, Weighed]:
    """How a leak at a link went best: at once or growing, begun in which block; and all links weighed with that.

    ``begin`` is where it showed; it may have begun up to three times as long ago.
    """
    scales = picture.scales(parts)
    end = picture.ledger.end
    best: tuple[float, Course, Weighed] | None = None
    for first in _beginnings(picture, parts, begin):
        for grows in (False, True):
            course = Course(first, end, 1.0, grows=grows)
            since = [part for part in parts if part.first >= first and part.evidence is not None]
            evidences = [part.evidence for part in since if part.evidence is not None]
            window = shaped(evidences, [course.mean(part) for part in since])
            weighed = scales.weigh(window, active, picture.maker.doubts.offsets).leaks
            if best is None or weighed.ratio[place] > best[0]:
                sized = replace(course, flow_m3h=max(float(weighed.size[place]), 0.0))
                best = (float(weighed.ratio[place]), sized, weighed)
    if best is None:
        message = "no evidence to weigh"
        raise ValueError(message)
    return best[1], best[2]


def _beginnings(picture: Picture, parts: Sequence[Part], begin: int) -> list[int]:
    """Some beginnings of parts from a third of the window that began at ``begin`` to thrice of it."""
    end, learnt = picture.ledger.end, picture.learnt
    told = [part.first for part in parts if part.evidence is not None]
    wanted = {end - max(round((end - begin) * factor), 1) for factor in (0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0)}
    chosen = {max((first for first in told if first <= each), default=told[0]) for each in wanted}
    # What ran already while the model was learnt cannot be told from the model's own faults later.
    after = {max(first, learnt) for first in chosen if first >= learnt or begin >= learnt}
    return sorted(after or chosen)
