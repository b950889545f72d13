"""Signs of a faulty regulator beside the level of its outlet: that it hunts, that it passes too little. Pure."""

import numpy as np
from numpy.typing import NDArray

from services.alerts.gas.readings import Array
from services.core.text import Text

HUNTS, STARVED, SHUT = "hunts", "starved", "shut"
ROWS_HUNTING = 24
"""Rows over which an outlet is watched for swings."""
_SWING_WOBBLES, _SWING_SHARE, _REVERSALS = 4.0, 0.006, 4
_FLOW_SHARE, _TOTAL_SHARE, _USED_SHARE = 0.6, 0.85, 0.25
_FALLS_SPREADS, _FALLS_SHARE = 0.5, 0.004


def swings(rows: Array, wobble: Array, usual: Array) -> Array:
    """How far each column swings beyond what it usually does, as a multiple of the limit; 0 where it does not.

    A regulator that hunts goes up and down about one level, so that it crosses its own mean several times within
    ``rows``; a break or a new set point goes one way. ``wobble`` is how far a column usually is from its recent mean.
    """
    if len(rows) < ROWS_HUNTING:
        return np.zeros(rows.shape[1] if rows.ndim > 1 else 0)
    away = rows - rows.mean(axis=0)
    far = np.abs(away) >= 0.5 * away.std(axis=0)
    found = np.zeros(rows.shape[1])
    for column in np.flatnonzero(np.isfinite(away).all(axis=0)):
        # Small noise about the mean is no reversal: only what is well to one side of it counts.
        sides = np.sign(away[far[:, column], column])
        if np.count_nonzero(np.diff(sides)) >= _REVERSALS:
            limit = max(_SWING_WOBBLES * wobble[column], _SWING_SHARE * abs(usual[column]), 1e-6)
            found[column] = float(away[:, column].std()) / limit
    return found


def is_starved(
    outlet_kpa: float, usual_outlet_kpa: float, spread_kpa: float, flows_m3h: Array, usual_flows_m3h: Array
) -> bool:
    """Whether a regulator passes little although its outlet is low: its filter is clogged, or it does not open.

    A sound regulator opens when its outlet falls. The flows are those of all regulators, its own the last. That less
    is drawn on the whole is another matter: with it the set points of a network that is led by demand fall, and
    helping regulators shut.
    """
    total, usual_total = float(flows_m3h.sum()), float(usual_flows_m3h.sum())
    flow_m3h, usual_flow = float(flows_m3h[-1]), float(usual_flows_m3h[-1])
    has_use = usual_flow >= _USED_SHARE * usual_total / len(usual_flows_m3h)
    is_low = usual_outlet_kpa - outlet_kpa >= max(_FALLS_SPREADS * spread_kpa, _FALLS_SHARE * abs(usual_outlet_kpa))
    is_shunned = flow_m3h <= _FLOW_SHARE * usual_flow * min(1.0, total / max(usual_total, 1e-6))
    return bool(has_use and is_low and is_shunned and total >= _TOTAL_SHARE * usual_total)


def hunting(rows: Array, columns: list[int], wobble: Array, usual: Array, knows: NDArray[np.bool_]) -> int | None:
    """The one of ``columns`` that hunts most; the outlets of one network swing together, and one of them drives."""
    known = [column for column in columns if knows[column]]
    if not known:
        return None
    found = swings(rows[:, known], wobble[known], usual[known])
    if not len(found) or found.max() < 1:
        return None
    return known[int(np.argmax(found))]


def regulator_reasons(sign: str, *, is_high: bool, is_fed_low: bool) -> Text:
    """Why a regulator is thought to be faulty; ``is_fed_low``: its inlet is below what is usual."""
    if sign == SHUT:
        return Text("its cut-off valve has shut", "切断阀已关闭")
    if sign == HUNTS:
        return Text("its outlet swings up and down", "出口压力反复波动")
    if sign == STARVED:
        return Text(
            "it passes far less than usual though its outlet is low, as with a clogged filter; others carry its share",
            "出口压力偏低而流量远低于平时，疑似过滤器堵塞，其负荷由其他调压器承担",
        )
    if is_high:
        return Text("its outlet creeps above it, it does not lock up", "出口压力偏高，关闭不严")
    if is_fed_low:
        return Text(
            "its outlet falls below it, and its inlet is low too: look upstream", "进出口压力均偏低，应排查上游"
        )
    return Text("its outlet falls below it", "出口压力偏低")
