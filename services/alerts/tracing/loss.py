"""What a leak loses, in water and in money. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.core.alert import Alert
from services.core.lifeline import Lifeline

_HOURS_A_DAY = 24


@dataclass(frozen=True, slots=True)
class WaterPrice:
    """What a cubic metre of lost water costs, and where the figure comes from."""

    per_m3: float
    currency: str
    source: str


DEFAULT_PRICE = WaterPrice(0.80, "EUR", "default: 0.80 EUR/m3, as the BattLeDIM contest of 2020 values losses")

_EXCESS_KINDS = frozenset({"night-flow-high", "burst-suspected"})
"""Kinds of alert that are about a flow which is greater than usual, in m3/h."""


def price_of(per_m3: float | None, currency: str) -> WaterPrice:
    """What the city has set, or the default where it has set nothing."""
    if per_m3 is None:
        return DEFAULT_PRICE
    return WaterPrice(per_m3, currency, "setting LIFELINE_WATER_PRICE")


def loss_of(
    alert: Alert, evidence: Mapping[str, Any], price: WaterPrice, *, is_flow: bool = False
) -> dict[str, Any] | None:
    """The loss of a water alert as JSON; ``None`` where the finding does not tell a flow.

    The flow is the leak's own where a search has computed it (``seen.leak_m3h``), else what is measured beyond what is
    usual, which also counts other unusual use. ``is_flow`` says that the alert's value is a flow in m3/h.
    """
    if alert.lifeline is not Lifeline.WATER:
        return None
    seen = evidence.get("seen") or {}
    flow_m3h, basis = _number(seen.get("leak_m3h")), "model"
    if flow_m3h is None and (is_flow or alert.kind in _EXCESS_KINDS):
        flow_m3h, basis = _excess(alert, evidence, seen), "excess-flow"
    if flow_m3h is None or flow_m3h <= 0:
        return None
    return {
        "flow_m3h": round(flow_m3h, 2),
        "basis": basis,
        "cost_per_day": round(flow_m3h * _HOURS_A_DAY * price.per_m3, 2),
        "currency": price.currency,
        "price_per_m3": price.per_m3,
        "price_source": price.source,
    }


def _excess(alert: Alert, evidence: Mapping[str, Any], seen: Mapping[str, Any]) -> float | None:
    told = _number(seen.get("excess"))
    if told is not None:
        return told
    usual, value = _number(evidence.get("expected")), alert.peak_value
    return None if usual is None or value is None else value - usual


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
