"""Limits of a bridge's gauges that have none of their own: shares of the bridge's design values. Pure.

The shares are no standard's: 0.8 and 1.0 of the design value are common practice, and all are to be confirmed by the
bridge's engineer, which is why every source says ``default``.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Protocol

from services.core.asset import Asset, Link, LinkKind
from services.core.severity import Severity
from services.core.threshold import Side, Threshold

_SHARES = ((Severity.MODERATE, 0.8), (Severity.MAJOR, 1.0), (Severity.CRITICAL, 1.2))
_CLEARS_AT = 0.95
_FACT_OF = {
    ("strain", "µε"): "design_strain_ue",
    ("deflection", "mm"): "design_deflection_mm",
    ("displacement", "mm"): "design_displacement_mm",
    ("crack_width", "mm"): "design_crack_width_mm",
    ("cable_force", "kN"): "design_cable_force_kn",
}


class GaugeRow(Protocol):
    """What has to be known of a sensor; a line of ``sensors.csv`` has it."""

    @property
    def sensor(self) -> str:
        """Its identifier."""

    @property
    def quantity(self) -> str:
        """What it measures."""

    @property
    def unit(self) -> str:
        """Its declared unit."""

    @property
    def asset(self) -> str:
        """Where it hangs."""


def design_limits(design_value: float, side: Side = Side.ABOVE) -> tuple[Threshold, ...]:
    """The three ascending limits of a gauge whose design value is known: 0.8, 1.0 and 1.2 of it."""
    return tuple(
        Threshold(
            severity,
            side,
            raise_at=share * design_value,
            clear_at=share * design_value * _CLEARS_AT,
            off_delay=timedelta(minutes=2),
            source=f"default: {share} of the design value, from background knowledge",
        )
        for severity, share in _SHARES
    )


def limits_by_design(
    sensors: Iterable[GaugeRow], assets: Iterable[Asset], links: Iterable[Link]
) -> dict[str, list[Threshold]]:
    """Limits of each gauge whose asset, or the bridge that it is a part of, states a design value above zero."""
    facts: Mapping[str, Mapping[str, object]] = {asset.id: asset.properties for asset in assets}
    whole = {link.source: link.target for link in links if link.kind is LinkKind.PART_OF}
    found = {}
    for row in sensors:
        fact = _FACT_OF.get((row.quantity, row.unit))
        stated = [facts.get(part, {}).get(fact) for part in (row.asset, whole.get(row.asset, "")) if fact is not None]
        value = next((each for each in stated if isinstance(each, int | float) and each > 0), None)
        if value is not None:
            found[row.sensor] = list(design_limits(float(value)))
    return found
