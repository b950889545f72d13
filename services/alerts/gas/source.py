"""From which main, and where on it, the gas that several spaces show may come. Pure.

The posterior over pieces of main: the prior of the main (material, age, pressure, works beside it) times how well a
leak there explains which spaces show how much, in which order they began, and which with a working device are silent.
The strength of the leak and the air change of a space are unknown and summed over.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.alerts.gas.readings import Array
from services.alerts.gas.soil import Plume
from services.alerts.gas.town import Ground, Place, away_m
from services.core.text import Text

_SPREAD = 1.1
"""Spread of the natural logarithm of a space's methane around the model's."""
_STRENGTHS: Array = np.geomspace(4.0, 1500.0, 9)
"""%LEL that a small sealed space right at the leak would show: from a seep to a torn main."""
_ORDER_H, _ORDER_SHARE = 2.0, 0.7
_SEEN_LEL = 1.0
_STEEPNESS = 1.7
_DEAF = 0.1
"""Chance that a space shows nothing although the gas should be there."""
_SEARCHED_M = 70.0
_WORKS_M = 25.0
_LEAST_SHARE = 0.002
_USUAL_LEL, _USUAL_SPREAD = 4.0, 1.3
"""What a space shows that has a cause of its own: median (%LEL) and spread of the natural logarithm."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a space with a working device shows: its excess (%LEL), and since when (seconds); silent without."""

    space: int
    excess_lel: float
    onset_s: float | None

    @property
    def is_silent(self) -> bool:
        """Whether it shows nothing unusual."""
        return self.onset_s is None


@dataclass(frozen=True, slots=True)
class Source:
    """Where the gas may come from.

    ``shares`` add up to 1 over the pipes; ``at`` is the likeliest place on each. ``evidence`` is the logarithm by
    which one leak explains the spaces better than a cause of its own in each.
    """

    shares: Mapping[str, float]
    at: Mapping[str, Place]
    evidence: float
    reasons: Mapping[str, Text]


class SourceModel:
    """The plume of a town and the prior of its mains."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.plume = Plume(ground)
        pipes = ground.town.pipes
        self._prior: Array = np.array([pipes[p.pipe].prior_per_m * p.length_m for p in ground.pieces])

    def works_factor(self, works: Sequence[tuple[Place, float, float]]) -> Array:
        """How much likelier each piece leaks because of digging: place, reach (m) and weight of each dig."""
        factor = np.ones(len(self.ground.pieces))
        for place, reach_m, weight in works:
            near = self.ground.pieces_near(place, reach_m + _WORKS_M)
            factor[near] = np.maximum(factor[near], weight)
        return factor

    def explains(self, seen: Sequence[Seen], works: Array, now_s: float) -> Source | None:
        """The source of what is seen; ``None`` where no main is in reach of any space that shows gas."""
        speaking = [each for each in seen if not each.is_silent]
        here = [
            place for place in self._near(speaking) if max(self.plume.strength[place, e.space] for e in speaking) > 0
        ]
        if not here:
            return None
        logs = self._likelihood(here, seen, now_s)
        first = min(speaking, key=lambda each: (each.onset_s or 0.0, each.space)).space
        # That gas from a leak reaches the first space is what the prior of its causes is about.
        reaches = _shows(self.plume.strength[here, first, None] * _STRENGTHS[None, :]).mean(axis=1)
        plain = self._prior[here] * reaches
        weights = plain * works[here]
        # Digging makes a leak likelier at all, not only likelier here than there.
        dug = math.log(weights.sum() / plain.sum())
        weights = weights / weights.sum()
        joint = np.log(weights) + logs
        total = float(np.logaddexp.reduce(joint))
        alone = sum(_normal(math.log(max(e.excess_lel, 0.3)), math.log(_USUAL_LEL), _USUAL_SPREAD) for e in speaking)
        share = np.exp(joint - total)
        return self._by_pipe(here, share, total - alone + dug, speaking, works)

    def _near(self, speaking: Sequence[Seen]) -> list[int]:
        found: set[int] = set()
        for each in speaking:
            found.update(self.ground.pieces_near(self.ground.town.spaces[each.space].place, _SEARCHED_M))
        return sorted(found)

    def _likelihood(self, here: Sequence[int], seen: Sequence[Seen], now_s: float) -> Array:
        strength = self.plume.strength[here]
        hours = self.plume.hours[here]
        speaking = sorted((e for e in seen if e.onset_s is not None), key=lambda e: (e.onset_s or 0.0, e.space))
        first = speaking[0]
        first_s = first.onset_s or now_s
        age_h = (now_s - first_s) / 3600.0 + hours[:, first.space]
        logs = np.zeros((len(here), len(_STRENGTHS)))
        for each in seen:
            expected = strength[:, each.space, None] * _STRENGTHS[None, :]
            if each.is_silent:
                logs += _silence(expected, hours[:, each.space], age_h)[:, :]
            else:
                away = math.log(max(each.excess_lel, 0.3)) - np.log(np.maximum(expected, 1e-3))
                logs += np.maximum(-0.5 * (away / _SPREAD) ** 2, -8.0) - math.log(_SPREAD)
        for each in speaking[1:]:
            later_h = ((each.onset_s or now_s) - first_s) / 3600.0
            with np.errstate(invalid="ignore"):
                expected_h = hours[:, each.space] - hours[:, first.space]
            expected_h = np.where(np.isfinite(expected_h), expected_h, 100.0)
            spread_h = _ORDER_H + _ORDER_SHARE * np.abs(expected_h)
            logs += np.maximum(-0.5 * ((later_h - expected_h) / spread_h) ** 2, -5.0)[:, None]
        return np.asarray(np.logaddexp.reduce(logs, axis=1) - math.log(len(_STRENGTHS)))

    def _by_pipe(
        self, here: Sequence[int], share: Array, evidence: float, speaking: Sequence[Seen], works: Array
    ) -> Source:
        pipes = self.ground.town.pipes
        shares: dict[str, float] = {}
        best: dict[str, tuple[float, int]] = {}
        for place, part in zip(here, share.tolist(), strict=True):
            pipe = pipes[self.ground.pieces[place].pipe].id
            shares[pipe] = shares.get(pipe, 0.0) + part
            if pipe not in best or part > best[pipe][0]:
                best[pipe] = (part, place)
        order = sorted((pipe for pipe in shares if shares[pipe] >= _LEAST_SHARE), key=lambda p: (-shares[p], p))
        return Source(
            {pipe: shares[pipe] for pipe in order},
            {pipe: self.ground.pieces[best[pipe][1]].place for pipe in order},
            evidence,
            {pipe: self._words(best[pipe][1], speaking, works) for pipe in order},
        )

    def _words(self, piece: int, speaking: Sequence[Seen], works: Array) -> Text:
        town = self.ground.town
        here = self.ground.pieces[piece]
        pipe = town.pipes[here.pipe]
        parts = []
        for each in sorted(speaking, key=lambda e: -e.excess_lel)[:3]:
            space = town.spaces[each.space]
            way_m = away_m(here.place, space.place)
            parts.append(Text(f"{way_m:.0f} m from {space.id}", f"距{space.id}约{way_m:.0f}米"))
        if pipe.is_paved:
            parts.append(Text("paved above", "上方为硬化路面"))
        if pipe.prior_per_m > _FRAIL:
            parts.append(Text("old or of a material that leaks more often", "管龄长或材质易泄漏"))
        if works[piece] > 1:
            parts.append(Text("works beside it", "附近有施工"))
        return Text("; ".join(part.en for part in parts), "；".join(part.zh for part in parts))


_FRAIL = 4.0


def _shows(expected: Array) -> Array:
    """The chance that so much gas (%LEL by the model) is noticed in a space."""
    return np.asarray(1.0 / (1.0 + (np.maximum(expected, 1e-6) / _SEEN_LEL) ** -_STEEPNESS))


def _silence(expected: Array, arrives_h: Array, age_h: Array) -> Array:
    """The logarithm of the chance that a space shows nothing although a leak there would bring it ``expected``."""
    shows = _shows(expected)
    with np.errstate(invalid="ignore", divide="ignore"):
        arrived = 1.0 / (1.0 + (arrives_h / np.maximum(age_h, 0.1)) ** 2)
    arrived = np.where(np.isfinite(arrives_h), arrived, 0.0)
    return np.asarray(np.log(1.0 - (1.0 - _DEAF) * shows * arrived[:, None]))


def _normal(value: float, mean: float, spread: float) -> float:
    return -0.5 * ((value - mean) / spread) ** 2 - math.log(spread)
