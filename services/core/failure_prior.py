"""How prone an asset is to fail before anything is measured: material, age and confirmed breaks. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from services.core.asset import Asset
from services.core.root_cause import RootCause
from services.core.text import Text

BREAKS = frozenset({RootCause.CORROSION, RootCause.JOINT, RootCause.GROUND_MOVEMENT, RootCause.MATERIAL})
"""Causes that say something about the asset itself. A pipe that an excavator struck, or one that was operated badly,
is no weaker than before."""
REFERENCE_YEAR = 2025
"""Ages are counted up to here, so that the same register always gives the same prior."""

_OLD_MATERIALS = {"cast-iron": 3.0, "grey-cast-iron": 3.0, "asbestos-cement": 2.5, "steel": 1.5}
"""How much more often a pipe of a material fails than one of ductile iron or PE; a default prior. Registers write
``cast iron`` or ``cast-iron``."""
_UNKNOWN_AGE_YEARS = 20
_MORE_BY_AGE_YEARS = 20.0
"""A pipe this old fails twice as often as a new one; a default."""
_MORE_BY_BREAK = 0.5
"""How much more often a pipe fails for each break before; a default, to be fitted from a city's own cases."""
_MOST_BREAKS = 6
"""More breaks than this say nothing new; a default. One asset never outweighs its neighbours without limit."""


@dataclass(frozen=True, slots=True)
class BreakHistory:
    """What people confirmed at an asset: how often it broke of itself, and how often works struck it."""

    breaks: int = 0
    struck: int = 0


NOTHING_KNOWN = BreakHistory()
NEVER_BROKE: Mapping[str, int] = MappingProxyType({})


def failure_prior(asset: Asset) -> float:
    """How often an asset fails beside a new pipe of ductile iron or PE, from material and age alone."""
    age_years = age_of(asset)
    return material_factor(asset) * (
        1.0 + (_UNKNOWN_AGE_YEARS if age_years is None else age_years) / _MORE_BY_AGE_YEARS
    )


def material_factor(asset: Asset) -> float:
    """How often its material fails beside ductile iron or PE; 1 where the register does not name one."""
    named = "-".join(str(asset.properties.get("material", "")).lower().replace("_", " ").split())
    return _OLD_MATERIALS.get(named, 1.0)


def age_of(asset: Asset) -> int | None:
    """Years since it was built, up to the reference year; ``None`` where the register does not say."""
    built = asset.properties.get("built")
    return max(REFERENCE_YEAR - built, 0) if isinstance(built, int) else None


def break_factor(breaks: int) -> float:
    """How much more often an asset fails that broke so often before; 1 for one that never did."""
    return 1.0 + _MORE_BY_BREAK * min(breaks, _MOST_BREAKS)


def broke_before(breaks: int) -> Text | None:
    """How often an asset broke before, in words; ``None`` for never."""
    if not breaks:
        return None
    return Text(f"{breaks} confirmed break{'s' if breaks > 1 else ''} before", f"此前有{breaks}次经确认的破损")


def with_breaks(shares: Iterable[tuple[str, float]], breaks: Mapping[str, int]) -> list[tuple[str, float]]:
    """Shares of a suspicion weighed by the breaks of each asset before, best first; their sum stays what it was.

    By the rule of Bayes a posterior that was made without a factor of the prior takes it afterwards. Without breaks
    among the suspects nothing changes, not even the order.
    """
    before = list(shares)
    if not any(breaks.get(asset) for asset, _ in before):
        return before
    weighed = [(asset, share * break_factor(breaks.get(asset, 0))) for asset, share in before]
    total, kept = sum(share for _, share in weighed), sum(share for _, share in before)
    if total <= 0:
        return before
    return sorted(((asset, share * kept / total) for asset, share in weighed), key=lambda each: -each[1])
