"""Detectors: algorithms that score values and know no lifeline."""

from importlib import import_module
from inspect import isabstract, isclass
from pkgutil import iter_modules
from typing import TypeGuard

from services.alerts.detectors.contract import Detector, RowDetector, SearchDetector

AnyDetector = type[Detector] | type[RowDetector] | type[SearchDetector]


def discover() -> tuple[AnyDetector, ...]:
    """Every detector that has a file in this package, by name.

    Raises:
        ValueError: two detectors have the same name.
    """
    found: dict[str, AnyDetector] = {}
    for module in iter_modules(__path__):
        for thing in filter(_is_detector, vars(import_module(f"{__name__}.{module.name}")).values()):
            if found.setdefault(thing.name, thing) is not thing:
                raise ValueError(f"{thing.__module__} has a second detector named {thing.name}")
    return tuple(found[name] for name in sorted(found))


def _is_detector(thing: object) -> TypeGuard[AnyDetector]:
    return isclass(thing) and issubclass(thing, Detector | RowDetector | SearchDetector) and not isabstract(thing)
