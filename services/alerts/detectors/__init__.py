"""Detectors: algorithms that score values and know no lifeline."""

from importlib import import_module
from inspect import isabstract, isclass
from pkgutil import iter_modules

from services.alerts.detectors.contract import Detector, RowDetector

AnyDetector = type[Detector] | type[RowDetector]


def discover() -> tuple[AnyDetector, ...]:
    """Every detector that has a file in this package, by name."""
    found: dict[str, AnyDetector] = {}
    for module in iter_modules(__path__):
        for thing in vars(import_module(f"{__name__}.{module.name}")).values():
            if isclass(thing) and issubclass(thing, Detector | RowDetector) and not isabstract(thing):
                found[thing.name] = thing
    return tuple(found[name] for name in sorted(found))
