"""The lifelines, one file each; a file that defines ``RULES`` is found by itself."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from services.alerts.lifelines.contract import LifelineRules
from services.core.alert_kind import AlertKind
from services.core.lifeline import Lifeline
from services.core.quantity import Quantity
from services.core.report import power_out_kind, reported_kind


@cache
def discover() -> Mapping[Lifeline, LifelineRules]:
    """The rules of every lifeline that has a file in this package.

    Raises:
        ValueError: two files declare the same lifeline.
    """
    found: dict[Lifeline, LifelineRules] = {}
    for module in iter_modules(__path__):
        rules = getattr(import_module(f"{__name__}.{module.name}"), "RULES", None)
        if not isinstance(rules, LifelineRules):
            continue
        if rules.lifeline in found:
            raise ValueError(f"{module.name} declares {rules.lifeline} a second time")
        found[rules.lifeline] = rules
    return MappingProxyType(found)


def catalogue() -> tuple[Quantity, ...]:
    """Every quantity of every lifeline, as the database's catalogue holds it."""
    return tuple(quantity for rules in discover().values() for quantity in rules.quantities)


def alert_kinds() -> tuple[AlertKind, ...]:
    """Every kind of trouble of every lifeline, as the database holds it; what people report has a kind everywhere."""
    declared = tuple(kind for rules in discover().values() for kind in rules.kinds)
    reported = (of(lifeline) for of in (reported_kind, power_out_kind) for lifeline in Lifeline)
    return (*declared, *reported)
