"""Values in another unit than the declared one. The conversion is found once for a pair of units."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pint import UnitRegistry

_PROBES = (0.0, 1.0)
_HEAD_OF_WATER = "mH2O"
"""What a pressure in metres means: water companies and their models write heads of water."""
_LETTERS = "A-Za-zµμΩ°%ε"
_FACTOR = re.compile(rf"(?P<name>[{_LETTERS}]{{1,24}}(?:\d[{_LETTERS}]{{1,8}})?)(?:\*\*|\^)?(?P<power>[1-4²³])?")
_SEPARATOR = re.compile(r"[/*·]")
_POWERS = {"²": "2", "³": "3"}
_CONVERSIONS_KEPT = 4096
"""Devices may send any text as a unit."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """``value * scale + offset`` is the value in the other unit."""

    scale: float
    offset: float

    def apply(self, value: float) -> float:
        """The value in the other unit."""
        return value * self.scale + self.offset


@cache
def _registry() -> "UnitRegistry[float]":
    """Units as pint knows them, with those of this field; loading them takes a second that most cities never need."""
    from pint import UnitRegistry  # noqa: PLC0415

    registry: UnitRegistry[float] = UnitRegistry(autoconvert_offset_to_baseunit=True, cache_folder=None)
    registry.define("microstrain = 1e-6 = µε = με = ue")
    registry.define("@alias percent = pct")
    return registry


@lru_cache(maxsize=_CONVERSIONS_KEPT)
def conversion(unit: str, declared: str) -> Conversion | None:
    """How to bring a value into the declared unit; ``None`` where that cannot be done.

    Units are written as in the register; what no library knows (``%LEL``) can only be itself. A pressure in metres
    is a head of water.
    """
    if unit == declared:
        return Conversion(1.0, 0.0)
    registry = _registry()
    from pint.errors import PintError  # noqa: PLC0415 - loaded with the registry

    try:
        sent, wanted = registry.Unit(_spelt(unit)), registry.Unit(_spelt(declared))
        if sent == registry.Unit("m") and wanted.is_compatible_with("kPa"):
            sent = registry.Unit(_HEAD_OF_WATER)
        zero, one = (registry.Quantity(probe, sent).to(wanted).magnitude for probe in _PROBES)
    except (PintError, ValueError):
        return None
    return Conversion(float(one) - float(zero), float(zero))


def _spelt(unit: str) -> str:
    """The unit as pint writes it: ``m3/h`` and ``m³/h`` as ``m**3/h``, ``%`` as ``percent``.

    Only names with small powers are let through: pint evaluates what it is given, and ``9**9**9`` takes for ever.

    Raises:
        ValueError: it is not a unit.
    """
    spelt = []
    for factor in re.split(r"([/*·])", unit.replace("**", "^")):
        found = _FACTOR.fullmatch(factor)
        if found is not None:
            name, power = found["name"], found["power"]
            name = "percent" if name == "%" else name
            spelt.append(name if power is None else f"{name}**{_POWERS.get(power, power)}")
        elif _SEPARATOR.fullmatch(factor):
            spelt.append("/" if factor == "/" else "*")
        else:
            raise ValueError(f"{unit!r} is not a unit")
    return "".join(spelt)
