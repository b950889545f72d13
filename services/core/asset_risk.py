"""The risk of an asset in four colours (红橙黄蓝): how prone it is to fail, and what hangs on it. Pure.

Likelihood by consequence, graded as for dual prevention (风险分级管控): 重大 is red, 较大 orange, 一般 yellow and
低 blue. Every figure is a default of this project and stands for no standard; a city fits them to its own cases.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.core.asset import Asset
from services.core.failure_prior import (
    NOTHING_KNOWN,
    BreakHistory,
    age_of,
    break_factor,
    broke_before,
    failure_prior,
    material_factor,
)
from services.core.geometry import points_of
from services.core.lifeline import Lifeline
from services.core.text import Text
from services.core.works_permit import WorksPermit, near

_WORKS_M = 30.0
"""Works this near may strike an asset; a default."""
_WORKS_NOW, _STRUCK = 2.0, 0.5
"""Works beside it double the likelihood; each time works struck it before adds half. Defaults."""
_MOST_STRUCK = 4
_WORST_OF = {Lifeline.GAS: 2.0, Lifeline.HEAT: 1.5, Lifeline.WATER: 1.0, Lifeline.DRAINAGE: 1.0}
"""What a failure costs beside one of a water pipe; a default."""
_HIGH_GAS_KPA, _HIGHER_GAS_KPA = 400.0, 1600.0
"""Above these a gas pipe is of sub-high and of high pressure (GB 50028); what escapes reaches further."""
_HIGH_WATER_KPA = 600.0
_WIDE_MM = 300.0
_OLD_YEARS = 30
_RED, _ORANGE, _YELLOW = 20.0, 10.0, 5.0
"""Scores from which an asset is red, orange or yellow; defaults."""


class RiskColour(StrEnum):
    """The four grades, the worst first."""

    RED = "red"
    ORANGE = "orange"
    YELLOW = "yellow"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class AssetRisk:
    """The grade of an asset. ``score`` is likelihood by consequence, without a unit; ``reasons`` is why."""

    asset: Asset
    colour: RiskColour
    score: float
    likelihood: float
    consequence: float
    breaks: int
    struck: int
    reasons: Sequence[Text]


def risk_of(
    asset: Asset, history: BreakHistory = NOTHING_KNOWN, permits: Iterable[WorksPermit] = (), *, now: datetime
) -> AssetRisk:
    """The risk of an asset, from the register, what people confirmed of it, and permits that hold now."""
    likelihood = failure_prior(asset) * break_factor(history.breaks)
    likelihood *= 1.0 + _STRUCK * min(history.struck, _MOST_STRUCK)
    holding = [permit for permit in permits if permit.holds(now.timestamp())]
    digging = near(holding, list(points_of(asset.geometry)), _WORKS_M) if holding else ()
    if digging:
        likelihood *= _WORKS_NOW
    consequence = _WORST_OF.get(asset.lifeline, 1.0) * _pressure_factor(asset) * _width_factor(asset)
    score = likelihood * consequence
    return AssetRisk(
        asset=asset,
        colour=_colour(score),
        score=score,
        likelihood=likelihood,
        consequence=consequence,
        breaks=history.breaks,
        struck=history.struck,
        reasons=tuple(_reasons(asset, history, digging)),
    )


def worst_first(risks: Iterable[AssetRisk]) -> list[AssetRisk]:
    """The highest score first, of equals by identifier."""
    return sorted(risks, key=lambda risk: (-risk.score, risk.asset.id))


def _colour(score: float) -> RiskColour:
    if score >= _RED:
        return RiskColour.RED
    if score >= _ORANGE:
        return RiskColour.ORANGE
    return RiskColour.YELLOW if score >= _YELLOW else RiskColour.BLUE


def _number(asset: Asset, name: str) -> float | None:
    value = asset.properties.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _pressure_factor(asset: Asset) -> float:
    pressure_kpa = _number(asset, "pressure_kpa")
    if pressure_kpa is None:
        return 1.0
    if asset.lifeline is Lifeline.GAS:
        return 3.0 if pressure_kpa > _HIGHER_GAS_KPA else 2.0 if pressure_kpa > _HIGH_GAS_KPA else 1.0
    return 1.5 if pressure_kpa > _HIGH_WATER_KPA else 1.0


def _width_factor(asset: Asset) -> float:
    diameter_mm = _number(asset, "diameter_mm")
    return 1.5 if diameter_mm is not None and diameter_mm >= _WIDE_MM else 1.0


def _reasons(asset: Asset, history: BreakHistory, digging: Sequence[WorksPermit]) -> Iterable[Text]:
    broke = broke_before(history.breaks)
    if broke is not None:
        yield broke
    if history.struck:
        yield Text(f"struck by works {history.struck} times", f"曾被第三方施工破坏{history.struck}次")
    if digging:
        yield Text(f"works beside it: {digging[0].what}", f"旁边正在施工：{digging[0].what}")
    if material_factor(asset) > 1.0:
        material = str(asset.properties["material"])
        yield Text(f"material: {material}", f"材质：{material}")
    age_years = age_of(asset)
    if age_years is not None and age_years >= _OLD_YEARS:
        yield Text(f"{age_years} years old", f"已使用{age_years}年")
    if _pressure_factor(asset) > 1.0:
        pressure = f"{_number(asset, 'pressure_kpa'):g} kPa"
        yield Text(f"high pressure: {pressure}", f"压力较高：{pressure}")
    if _width_factor(asset) > 1.0:
        width = f"{_number(asset, 'diameter_mm'):g} mm"
        yield Text(f"large diameter: {width}", f"管径较大：{width}")
