"""Modes of one window beside those that are known: the same one by frequency and shape, or a new one. Pure.

Frequencies alone do not tell modes apart: the weather moves them by more than neighbours are apart, and they change
places. Pairing by frequency and modal assurance criterion is that of pyOMA_2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from pyoma2.functions.gen import MAC, match_modes

from services.alerts.structures.modal.mode import FoundMode
from services.core.bridge_mode import KnownMode, ModeSighting

_FREQUENCY_WITHIN = 0.08
"""Share by which a mode may have moved since it was seen last: frost and heat move it by less within some days, damage
that is to be seen by much less. A default."""
_LIKENESS_FROM = 0.8
_DOUBLE_WITHIN = 0.12
"""A peak so near to a mode of the same shape is the same peak split in two, whatever else is seen. A default."""
_FOLLOWS_BY = 0.1
"""Share of a new sighting in what is known: a season moves the reference, one odd window does not."""
_CONFIRMED_AFTER = 3
_FORGOTTEN_AFTER = 4
"""A mode that was never confirmed is forgotten after so many windows without it: chance would confirm it in time."""
_MOST_KNOWN = 24
_FIRST_CANDIDATE = 101
"""Numbers below are those of confirmed modes."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """What is known after a window, and what was seen in it of confirmed modes."""

    modes: tuple[KnownMode, ...]
    sightings: tuple[ModeSighting, ...]


def track(
    known: Sequence[KnownMode], found: Sequence[FoundMode], seen_at: datetime, event: str | None = None
) -> Tracked:
    """Follow the modes through one more window; shapes are compared at the sensors that both have.

    A window with fewer than two of the known sensors is compared by frequency alone, for which likeness is 1.
    """
    pairs = _pairs(known, found)
    followed = {
        place: _followed(mode, found[pairs[place]], seen_at)
        if place in pairs
        else replace(mode, missed=mode.missed + 1)
        for place, mode in enumerate(known)
    }
    followed = _numbered(followed)
    sightings = [
        ModeSighting(mode.number, seen_at, seen.frequency_hz, _likeness(known[place].shape, seen.shape), event)
        for place, mode in followed.items()
        if mode.is_confirmed and place in pairs and (seen := found[pairs[place]])
    ]
    kept = [mode for mode in followed.values() if mode.is_confirmed or mode.missed < _FORGOTTEN_AFTER]
    fresh = [seen for place, seen in enumerate(found) if place not in pairs.values()]
    kept += _candidates(kept, [seen for seen in fresh if not any(_is_double(seen, mode) for mode in kept)], seen_at)
    by_number = sorted(kept, key=lambda mode: mode.number)
    return Tracked(tuple(by_number), tuple(sorted(sightings, key=lambda each: each.number)))


def _numbered(modes: Mapping[int, KnownMode]) -> dict[int, KnownMode]:
    """Confirm what was seen often enough under the lowest free numbers, slower modes first."""
    numbered = dict(modes)
    taken = {mode.number for mode in modes.values() if mode.is_confirmed}
    ready = [place for place, mode in modes.items() if not mode.is_confirmed and mode.sightings >= _CONFIRMED_AFTER]
    for place in sorted(ready, key=lambda each: modes[each].frequency_hz):
        number = next(each for each in range(1, len(modes) + 1) if each not in taken)
        taken.add(number)
        numbered[place] = replace(modes[place], number=number, is_confirmed=True)
    return numbered


def _candidates(kept: Sequence[KnownMode], fresh: Sequence[FoundMode], seen_at: datetime) -> list[KnownMode]:
    """What was seen for the first time, as far as there is room for it."""
    taken = {mode.number for mode in kept}
    free = (number for number in range(_FIRST_CANDIDATE, _FIRST_CANDIDATE + 2 * _MOST_KNOWN) if number not in taken)
    room = max(0, _MOST_KNOWN - len(kept))
    return [
        KnownMode(number, seen.frequency_hz, seen.shape, 1, 0, False, seen_at, seen_at)
        for number, seen in zip(free, fresh[:room], strict=False)
    ]


def _pairs(known: Sequence[KnownMode], found: Sequence[FoundMode]) -> dict[int, int]:
    """Positions of modes that are known, with those of the same ones among the found."""
    if not known or not found:
        return {}
    sensors = sorted(set(found[0].shape).intersection(*(mode.shape for mode in known)))
    if not sensors:
        return {}
    matched = match_modes(
        [np.array([mode.frequency_hz for mode in known]), np.array([mode.frequency_hz for mode in found])],
        [_columns([mode.shape for mode in known], sensors), _columns([mode.shape for mode in found], sensors)],
        [list(range(len(sensors)))] * 2,
        freq_tol=_FREQUENCY_WITHIN,
        mac_min=_LIKENESS_FROM,
    )
    return {place: int(other) for place, other in enumerate(matched[1, : len(known)]) if other >= 0}


def _columns(shapes: Sequence[Mapping[str, float]], sensors: Sequence[str]) -> NDArray[np.float64]:
    return np.array([[shape[sensor] for shape in shapes] for sensor in sensors])


def _likeness(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    both = sorted(set(one) & set(other))
    likeness = MAC(np.array([one[sensor] for sensor in both]), np.array([other[sensor] for sensor in both]))
    return min(1.0, max(0.0, float(likeness)))


def _is_double(seen: FoundMode, mode: KnownMode) -> bool:
    near = abs(seen.frequency_hz / mode.frequency_hz - 1) <= _DOUBLE_WITHIN
    return near and bool(set(seen.shape) & set(mode.shape)) and _likeness(mode.shape, seen.shape) >= _LIKENESS_FROM


def _followed(mode: KnownMode, seen: FoundMode, seen_at: datetime) -> KnownMode:
    both = set(mode.shape) & set(seen.shape)
    # A shape has no sign of its own: what is seen may be the known one upside down.
    sign = 1.0 if sum(mode.shape[sensor] * seen.shape[sensor] for sensor in both) >= 0 else -1.0
    shape = {
        sensor: (1 - _FOLLOWS_BY) * mode.shape[sensor] + _FOLLOWS_BY * sign * seen.shape[sensor]
        if sensor in both
        else mode.shape[sensor]
        for sensor in mode.shape
    }
    return replace(
        mode,
        frequency_hz=(1 - _FOLLOWS_BY) * mode.frequency_hz + _FOLLOWS_BY * seen.frequency_hz,
        shape=shape,
        sightings=mode.sightings + 1,
        missed=0,
        last_seen_at=max(mode.last_seen_at, seen_at),
    )
