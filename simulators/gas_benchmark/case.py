"""What happens in a drawn town, one case after the other: leaks, and much that looks like one."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.gas_benchmark.town import Town, age_weight, position_on
from simulators.geometry import Point, distance, nearest_on_segment
from simulators.noise import Vector

LEARNT_H = 168.0
SLOT_H = 42.0
CASES = 8
_LEAKS = 4
_HOLE_MM = (0.5, 6.0)
_DUG_INTO_MM = (4.0, 12.0)
_BREAK_MM = (45.0, 110.0)
_OTHERS = (
    ("sewer-gas", 0.24),
    ("humidity-error", 0.17),
    ("sensor-drift", 0.14),
    ("works", 0.15),
    ("demand-peak", 0.08),
    ("main-break", 0.08),
    ("regulator-fault", 0.09),
    ("nothing", 0.05),
)
"""What else fills the slots, and how often."""
MIXED, NETWORK, FEEDER = "mixed", "network", "feeder"
CASTS = (MIXED, NETWORK, FEEDER)
"""What a town is drawn for: leaks and what looks like them, or breaks and faulty regulators among peaks of demand."""
_OF_NETWORK = ("main-break", "main-break", "main-break", "regulator-fault", "regulator-fault", "regulator-fault")
_FAULTS = ("creep", "droop", "hunting", "cut-off")
_NEAR_M = 15.0


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that happens, in hours since the recording's begin.

    ``number`` is that of the main, space, regulator or node concerned; ``size`` is in ``unit``; ``share`` is how far
    along a main it is; ``mode`` tells its manner.
    """

    kind: str
    number: int
    begins_h: float
    ends_h: float
    size: float
    unit: str
    mode: str = ""
    share: float = 0.5
    growth_h: float = 0.0

    def running(self, hours: Vector) -> NDArray[np.bool_]:
        """At which of the hours it goes on."""
        return (hours >= self.begins_h) & (hours < self.ends_h)


def place_of(case: Case, town: Town) -> Point:
    """Where on its main a leak, a break or a dig is."""
    return position_on(town.mains[case.number], case.share)


def draw_cases(town: Town, rng: np.random.Generator, cast: str = MIXED) -> tuple[Case, ...]:
    """Eight slots, half of them leaks, at least one of the others sewer gas; digging may come with a leak.

    The cast of the network is three breaks, three faulty regulators and two peaks of demand.
    """
    if cast == NETWORK:
        kinds = [*_OF_NETWORK, "demand-peak", "demand-peak"]
    else:
        names, chances = zip(*_OTHERS, strict=True)
        others = ["sewer-gas", *(str(k) for k in rng.choice(names, CASES - _LEAKS - 1, p=chances))]
        kinds = ["gas-leak"] * _LEAKS + others
    cases: list[Case] = []
    for slot, position in enumerate(rng.permutation(CASES)):
        begins_h = LEARNT_H + slot * SLOT_H + float(rng.uniform(1.0, 9.0))
        cases += _draw(kinds[int(position)], begins_h, town, rng)
    return tuple(sorted(cases, key=lambda case: (case.begins_h, case.kind)))


def _draw(kind: str, begins_h: float, town: Town, rng: np.random.Generator) -> list[Case]:
    """The case of a kind, with what comes along with it; nothing where nothing happens."""
    drawn = _DRAWN.get(kind)
    return drawn(begins_h, town, rng) if drawn else []


def _digging(begins_h: float, town: Town, rng: np.random.Generator) -> list[Case]:
    return [_works(begins_h, _any_main(town, rng), float(rng.uniform(0.1, 0.9)), rng)]


def _wet_device(begins_h: float, town: Town, rng: np.random.Generator) -> list[Case]:
    ends_h, lel = begins_h + float(rng.uniform(14, 30)), round(_between(4.0, 30.0, rng), 1)
    return [Case("humidity-error", int(rng.choice(town.devices)), begins_h, ends_h, lel, "%LEL")]


def _drifting_device(begins_h: float, town: Town, rng: np.random.Generator) -> list[Case]:
    ends_h, lel = begins_h + float(rng.uniform(20, 36)), round(_between(4.0, 20.0, rng), 1)
    return [Case("sensor-drift", int(rng.choice(town.devices)), begins_h, ends_h, lel, "%LEL")]


def _main_break(begins_h: float, town: Town, rng: np.random.Generator) -> list[Case]:
    ends_h, hole_mm = begins_h + float(rng.uniform(0.6, 1.8)), round(_between(*_BREAK_MM, rng))
    share = float(rng.uniform(0.1, 0.9))
    return [Case("main-break", _any_main(town, rng), begins_h, ends_h, hole_mm, "mm", share=share)]


def _regulator_fault(begins_h: float, town: Town, rng: np.random.Generator) -> list[Case]:
    mode, number = _FAULTS[int(rng.integers(len(_FAULTS)))], int(rng.integers(len(town.regulators)))
    ends_h, percent = begins_h + float(rng.uniform(5, 26)), round(float(rng.uniform(6, 20)), 1)
    return [Case("regulator-fault", number, begins_h, ends_h, percent, "%", mode)]


def _demand_peak(begins_h: float, town: Town, rng: np.random.Generator) -> list[Case]:
    node, ends_h = int(rng.integers(len(town.nodes))), begins_h + float(rng.uniform(2, 6))
    return [Case("demand-peak", node, begins_h, ends_h, round(float(rng.uniform(1.5, 2.3)), 2), "1")]


def _leak(begins_h: float, town: Town, rng: np.random.Generator) -> list[Case]:
    """A leak beside a device, or anywhere, old mains first; every sixth is dug open."""
    main = _beside_device(town, rng) if rng.random() < 0.6 else None  # noqa: PLR2004 - share of them
    number, share = main or (_any_main(town, rng), float(rng.uniform(0.03, 0.97)))
    lasts_h = float(rng.uniform(16, 30))
    if rng.random() < 1 / 6:
        works = _works(begins_h, number, share, rng)
        hole_mm = round(_between(*_DUG_INTO_MM, rng), 1)
        hit_h = works.begins_h + float(rng.uniform(0.3, 0.9)) * (works.ends_h - works.begins_h)
        leak = Case("gas-leak", number, hit_h, hit_h + lasts_h * 0.5, hole_mm, "mm", "dug into", share)
        return [works, leak]
    hole_mm = round(_between(*_HOLE_MM, rng), 2)
    growth_h = float(rng.uniform(2, 12)) if rng.random() < 0.4 else 0.0  # noqa: PLR2004 - share of cracks that grow
    return [Case("gas-leak", number, begins_h, begins_h + lasts_h, hole_mm, "mm", "", share, growth_h)]


def _works(begins_h: float, main: int, share: float, rng: np.random.Generator) -> Case:
    """Digging from a morning on, or at night where nobody is to see it; ``size`` is mm/s five metres off."""
    is_permitted = bool(rng.random() < 0.55)  # noqa: PLR2004 - share with a permit
    by_night = not is_permitted and rng.random() < 0.4  # noqa: PLR2004
    starts_local_h = float(rng.uniform(21, 23)) if by_night else float(rng.uniform(7.5, 10))
    local_h = (begins_h + 8) % 24
    starts_h = begins_h + (starts_local_h - local_h) % 24
    lasts_h = float(rng.uniform(3, 8))
    mode = "permitted" if is_permitted else "not permitted"
    return Case("works", main, starts_h, starts_h + lasts_h, round(_between(2.0, 12.0, rng), 1), "mm/s", mode, share)


def _sewer_gas(begins_h: float, town: Town, rng: np.random.Generator) -> list[Case]:
    """Sewage ferments for a day in a sewer that a device watches, sometimes stirred up at once."""
    sewers = [k for k, s in enumerate(town.spaces) if s.sort == "sewer-manhole"]
    watched = [k for k in sewers if k in town.devices] or sewers or [int(town.devices[0])]
    space = int(rng.choice(watched))
    mode = "stirred" if rng.random() < 0.3 else "grown"  # noqa: PLR2004
    return [Case("sewer-gas", space, begins_h, begins_h + float(rng.uniform(14, 32)), _peak_lel(rng), "%LEL", mode)]


def _peak_lel(rng: np.random.Generator) -> float:
    """Seldom above 20 %LEL, sometimes up to 40."""
    return round(float(rng.uniform(20, 40)) if rng.random() < 0.2 else _between(4.0, 20.0, rng), 1)  # noqa: PLR2004


def _beside_device(town: Town, rng: np.random.Generator) -> tuple[int, float] | None:
    """A main and the share of it that lies beside a watched space, give or take some metres."""
    at = town.spaces[int(rng.choice(town.devices))].place
    number, away_m = min(
        ((k, distance(at, nearest_on_segment(at, *m.line))) for k, m in enumerate(town.mains)), key=lambda pair: pair[1]
    )
    if away_m > _NEAR_M:
        return None
    main = town.mains[number]
    along_m = distance(main.line[0], nearest_on_segment(at, *main.line)) + float(rng.uniform(-8, 8))
    return number, min(0.98, max(0.02, along_m / main.length_m))


def _any_main(town: Town, rng: np.random.Generator) -> int:
    weights = np.array([age_weight(main) for main in town.mains])
    return int(rng.choice(len(town.mains), p=weights / weights.sum()))


def _between(low: float, high: float, rng: np.random.Generator) -> float:
    """Even on a scale of ratios."""
    return math.exp(float(rng.uniform(math.log(low), math.log(high))))


_DRAWN: Mapping[str, Callable[[float, Town, np.random.Generator], list[Case]]] = {
    "gas-leak": _leak,
    "works": _digging,
    "sewer-gas": _sewer_gas,
    "humidity-error": _wet_device,
    "sensor-drift": _drifting_device,
    "main-break": _main_break,
    "regulator-fault": _regulator_fault,
    "demand-peak": _demand_peak,
}
