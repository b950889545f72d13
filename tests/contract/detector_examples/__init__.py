"""How each detector is built for the contract tests, what is normal for it, and which fault it has to notice.

A file in this package that defines ``EXAMPLES`` (detector name → ``Example``) is found by itself.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from inspect import isabstract
from math import sin, tau
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from services.alerts import detectors, lifelines
from services.alerts.detectors import AnyDetector
from services.alerts.detectors.contract import SearchDetector

DAY_S = 86_400.0
STEP_S = 900.0

Row = tuple[float, tuple[float, ...]]
"""Event time in seconds since 1970, and a value for each column."""
Stream = tuple[Row, ...]


@cache
def three_related(days: float, start_s: float = 0.0, seed: int = 7) -> Stream:
    """Rows of three related values with a daily pattern and noise; single-sensor detectors take the first."""
    rng = np.random.default_rng(seed)
    rows = []
    for step in range(int(days * DAY_S / STEP_S)):
        time_s = start_s + step * STEP_S
        demand = 20 * sin(tau * time_s / DAY_S) + float(rng.normal(0, 2))
        rows.append((time_s, tuple(300 + demand * share + float(rng.normal(0, 0.4)) for share in (1.0, 1.2, 0.9))))
    return tuple(rows)


def first_raised(normal: Stream) -> Iterable[Row]:
    """The first sensor reads 40 more than it should."""
    for time_s, (first, *others) in normal:
        yield time_s, (first + 40, *others)


@dataclass(frozen=True)
class Example:
    """Arguments of a detector, a normal stream for it, and that stream with its kind of fault.

    ``outcomes`` are the names a search may claim, ``columns`` the sensors of a stream. A detector that says nothing
    in the first hour, whatever comes, is ``silent_at_first``; only those that judge a value by itself are not.
    ``days`` are learnt before the fault comes, and after ``full_days`` the memory grows no more, or by no more than
    ``most_growth`` where filling it takes too long for a test. Those that solve a model often are ``slow``.
    """

    arguments: Mapping[str, Any]
    normal: Callable[[float, float], Stream] = three_related
    fault: Callable[[Stream], Iterable[Row]] = first_raised
    columns: tuple[str, ...] = ("a", "b", "c")
    quantity: str = "pressure"
    outcomes: tuple[str, ...] = ()
    silent_at_first: bool = True
    days: float = 7.0
    full_days: float = 2.5
    most_growth: float = 1.5
    slow: bool = False
    build: Callable[[AnyDetector, Mapping[str, Any]], Any] = field(default=lambda kind, arguments: kind(**arguments))


def every_detector() -> tuple[AnyDetector, ...]:
    """Every detector of the library, and every search that a lifeline's rules bring along, by name."""
    lifelines.discover()
    found: dict[str, AnyDetector] = {kind.name: kind for kind in detectors.discover()}
    searches: list[Any] = [SearchDetector]
    while searches:
        kind = searches.pop()
        searches += kind.__subclasses__()
        if kind.__module__.startswith("services.") and not isabstract(kind):
            found[kind.name] = kind
    return tuple(found[name] for name in sorted(found))


def every_example(*, without: tuple[type, ...] = (), only: type = object) -> pytest.MarkDecorator:
    """Run a test with every detector, or with every one of a sort."""
    known = examples()
    kinds = [kind for kind in every_detector() if issubclass(kind, only) and not issubclass(kind, without)]
    slow = {kind.name: [pytest.mark.slow] if kind.name in known and known[kind.name].slow else [] for kind in kinds}
    return pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.name, marks=slow[kind.name]) for kind in kinds])


def examples() -> Mapping[str, Example]:
    """Every example of every file in this package."""
    found: dict[str, Example] = {}
    for module in iter_modules(__path__):
        found.update(import_module(f"{__name__}.{module.name}").EXAMPLES)
    return MappingProxyType(found)
