"""Who is supplied where: households, and those who must not be without. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.alerts.tracing.supply import Supply
from services.core.asset import Asset
from services.core.lifeline import Lifeline

CRITICAL_KINDS = frozenset({"hospital", "clinic", "school", "kindergarten", "nursing-home", "fire-station"})
"""Kinds of customer that a water or gas company warns and supplies first."""
_HOUSEHOLD_M3H = {Lifeline.WATER: 0.0125, Lifeline.GAS: 0.03}
"""What a household draws on average where the register states demands alone: 300 litres of water a day, 260 m3 of gas
a year; defaults, to be replaced by what is billed."""
_HOUSEHOLDS_PER_METRE = 0.05
"""Where nothing is stated: a household for every 20 m of pipe."""
_CRITICAL_HOUSEHOLDS = 500.0
"""How many households one critical customer outweighs when valves are chosen; a default."""


@dataclass(frozen=True, slots=True)
class Customers:
    """Who is cut off: households, critical customers by identifier, and whether the households are an estimate."""

    households: int
    critical: tuple[str, ...]
    is_estimated: bool


NOBODY = Customers(0, (), is_estimated=False)


class Census:
    """The customers of every segment."""

    def __init__(self, assets: Mapping[str, Asset], supply: Supply) -> None:
        self._assets = assets
        self._stated = {a.lifeline for a in assets.values() if _number(a, "households") > 0}
        self._metered = {a.lifeline for a in assets.values() if _number(a, "base_demand_m3h") > 0} - self._stated
        self._households = supply.sums(lambda name: self._households_of(assets[name]))
        critical = supply.sums(lambda name: float(is_critical(assets[name])))
        # Every segment is worth something, so that of two cuts with as many customers the nearer is chosen.
        self.worth: list[float] = (1.0 + self._households + _CRITICAL_HOUSEHOLDS * critical).tolist()

    def of(self, segments: Iterable[int], assets: Iterable[str]) -> Customers:
        """The customers of some segments, whose assets are given as well."""
        known = [self._assets[name] for name in assets]
        households = sum(float(self._households[segment]) for segment in segments)
        return Customers(
            households=round(households),
            critical=tuple(sorted(asset.id for asset in known if is_critical(asset))),
            is_estimated=any(asset.lifeline not in self._stated for asset in known),
        )

    def _households_of(self, asset: Asset) -> float:
        if asset.lifeline in self._stated:
            return _number(asset, "households")
        if asset.lifeline in self._metered:
            return _number(asset, "base_demand_m3h") / _HOUSEHOLD_M3H.get(asset.lifeline, 1.0)
        return _number(asset, "length_m") * _HOUSEHOLDS_PER_METRE


def is_critical(asset: Asset) -> bool:
    """Whether an asset is a customer that must not be without: by its kind, or because its register says so."""
    return asset.kind in CRITICAL_KINDS or bool(asset.properties.get("critical"))


def _number(asset: Asset, fact: str) -> float:
    value = asset.properties.get(fact)
    return float(value) if isinstance(value, int | float) and value > 0 else 0.0
