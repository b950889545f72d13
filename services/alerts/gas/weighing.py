"""What the behaviour of one space says about where its methane comes from. Pure.

Each feature has a likelihood under a leak, sewage and the device itself; their logarithms add up. What is known:
leaks show high and violently fluctuating methane, sewage low, stable and driven by temperature (half a year of field
measurements reported by Huang and others, 2019); natural gas holds a few percent of ethane, sewage none; a device that
drifts goes straight and alone, one that answers to damp goes with the humidity. The widths are our own.

A correlation with a curve of accumulating sewer gas, or with what customers draw, is not used here: that method is
patented (US 11385123 B2).
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from services.alerts.gas.behaviour import Behaviour
from services.alerts.gas.habits import Habits
from services.alerts.gas.readings import Array
from services.alerts.gas.town import SEWER, Space
from services.core.text import Text


class Cause(StrEnum):
    """Where methane comes from."""

    LEAK = "leak"
    SEWAGE = "sewage"
    DEVICE = "device"


CAUSES = tuple(Cause)
CAUSE_NAMES = {
    Cause.LEAK: Text("leak", "泄漏"),
    Cause.SEWAGE: Text("sewer gas", "沼气"),
    Cause.DEVICE: Text("device", "设备"),
}
_LEAST_EXCESS_LEL = 1.0

_RESTLESS = {
    Cause.LEAK: ((0.05, 0.1), (0.09, 0.3), (0.14, 0.35), (0.24, 0.25)),
    Cause.SEWAGE: ((0.02, 0.3), (0.04, 0.5), (0.065, 0.18), (0.11, 0.02)),
    Cause.DEVICE: ((0.0, 0.35), (0.02, 0.4), (0.04, 0.2), (0.1, 0.05)),
}
"""Spread of a value around its neighbours, as a share of the excess for a leak, of all methane for the others: share
and its probability. Set on simulated towns with seeds below 500."""
_OTHERS_WITH_LEAK = 0.03
"""What is there beside a leak is restless too, by this share of it."""
_TO_SPREAD = 0.886
"""From the mean size of a step to the spread of a value, if both are Gaussian: half the root of pi. One fall, when a
trouble ends, moves a mean of sizes less than one of squares."""
_EFFECTIVE_VALUES = 9.0
"""So many independent values stand behind the mean of the restlessness: neighbouring ones are not independent."""
_RISE_LEL_H = {
    Cause.LEAK: ((1.0, 1.1, 1.0),),
    Cause.SEWAGE: ((0.8, 0.9, 1.0),),
    Cause.DEVICE: ((0.8, 1.1, 0.6), (40.0, 1.0, 0.4)),
}
"""How fast the excess has come to its peak (%LEL/h): median, spread of the natural logarithm, share. Fumes that pass
jump from one value to the next, which gas in soil does not; they are counted with the device. Set as before."""
_LASTING_DEVICE_LEL_H = ((0.8, 1.1, 0.95), (40.0, 1.0, 0.05))
"""The same of a device whose excess has lasted longer than fumes do: it has jumped by itself, which few do."""
FUMES_S = 2700.0
"""Exhaust and fumes pass within so long; the level alarms in any case."""
FUMES_LEL = 10.0
"""Exhaust and paint hardly come to half a percent by volume of what burns."""
_LEVELS_LEL = {Cause.LEAK: (15.0, 1.5), Cause.SEWAGE: (8.0, 0.75), Cause.DEVICE: (7.0, 0.85)}
"""How high the excess comes: median (%LEL) and spread of the natural logarithm. Leaks fill a space up to the brim,
sewage is low and a device is wrong by some %LEL (Huang and others, 2019); widths are our own."""
_SETTLES_H = 1.0
_SATURATED_LEL = 80.0
"""Near the end of its scale a device shows no unrest."""
_DAMAGED_LEL_H = ((1.0, 1.1, 0.8), (30.0, 1.2, 0.2))
"""The same of a leak beside a space without sewage: one in five fills it within minutes, as a main does that somebody
has dug into. In a sewer what comes so fast is stirred sewage as a rule. Our own default."""
_ETHANE_PPM_PER_LEL = (12.0, 0.6)
"""Ethane beside methane in natural gas: 500 ppm of methane in a %LEL, with 1 to 5 % of ethane."""
_ODORANT_MG_M3_PER_LEL = (0.01, 0.9)
"""20 mg/m3 in undiluted gas, of which soil takes some."""
_WITH_DAMP = {Cause.LEAK: (0.0, 0.35), Cause.SEWAGE: (0.15, 0.4), Cause.DEVICE: (0.55, 0.4)}
_WITH_WARMTH = {Cause.LEAK: (0.0, 0.3), Cause.SEWAGE: (0.3, 0.4), Cause.DEVICE: (0.1, 0.4)}
"""Correlation of the excess with humidity and temperature: mean and spread."""
_MOST = 6.0
"""No single feature decides by itself beyond this logarithm, but for ethane."""
_MOST_TRACE = 9.0
_LEANS = 0.5
_CROSSED = 0.25
_TELLING = 0.7
"""A feature is worth a word from this logarithm on."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A feature that speaks for a cause against the others: by how much (natural logarithm), and in words."""

    cause: Cause
    weight: float
    words: Text


@dataclass(frozen=True, slots=True)
class Weighed:
    """The logarithms of the likelihoods of the three causes, in the order of ``CAUSES``, and why."""

    logs: Array
    reasons: tuple[Reason, ...]

    @property
    def leans_to_leak(self) -> bool:
        """Whether nothing explains the space better than a leak does."""
        return bool(self.logs[0] >= self.logs[1:].max() - _LEANS)


def prior(space: Space, *, near_main: bool) -> Array:
    """How often the methane of a space of a sort comes from where; our own defaults, in the order of ``CAUSES``."""
    if space.sort == SEWER:
        shares = (0.45, 0.4, 0.15)
    elif space.sort in ("duct", "tunnel", "basement"):
        shares = (0.6, 0.1, 0.3)
    else:
        shares = (0.6, 0.06, 0.34)
    leak = shares[0] if near_main else shares[0] / 20
    logs: Array = np.log(np.array([leak, shares[1], shares[2]]))
    return logs


def weigh(space: int, time_s: float, behaviour: Behaviour, habits: Habits, *, in_sewer: bool) -> Weighed:
    """What one active space's behaviour says."""
    found: list[tuple[Array, Text]] = []
    mean = {name: float(values[space]) for name, values in behaviour.mean.items()}
    excess = max(mean["now"], 0.6 * mean["hours"], _LEAST_EXCESS_LEL)
    noise = float(habits.step_lel[space])
    hours = max((time_s - float(behaviour.onset_s[space])) / 3600.0, 0.25)
    unrest = _restlessness(mean["restless"], excess, float(behaviour.level[space]), noise)
    # The unrest is a mean over two hours: what has only begun to rise looks smooth. Stirred sewage does it every day.
    if in_sewer or hours >= _SETTLES_H or unrest[0][0] >= 0:
        found.append(unrest)
    peak_lel = float(behaviour.peak_lel[space])
    found.append(_rise(peak_lel, hours, in_sewer=in_sewer))
    found.append(_level(peak_lel))
    found.append(_with(mean, "damp", "excess_slow", _WITH_DAMP, Text("humidity", "湿度")))
    found.append(_with(mean, "warm", "excess_day", _WITH_WARMTH, Text("temperature", "温度")))
    found += _trace_gases(space, behaviour, excess)
    logs = np.zeros(len(CAUSES))
    reasons = []
    for each, words in found:
        logs = logs + each
        best = int(np.argmax(each))
        others = np.delete(each, best)
        weight = float(each[best] - others.max())
        if float(each[best] - others.min()) >= _TELLING:
            reasons.append(Reason(CAUSES[best], max(weight, float(each[best] - others.mean()) / 2), words))
    reasons.sort(key=lambda reason: -reason.weight)
    return Weighed(logs, tuple(reasons))


def _restlessness(steps: float, excess: float, level: float, noise: float) -> tuple[Array, Text]:
    if excess >= _SATURATED_LEL:
        return np.zeros(len(CAUSES)), Text("", "")
    seen = (steps * _TO_SPREAD) ** 2
    level = max(level, excess)
    logs = np.empty(len(CAUSES))
    for place, cause in enumerate(CAUSES):
        terms = []
        for share, probability in _RESTLESS[cause]:
            variance = noise**2 + (share * level) ** 2
            if cause is Cause.LEAK:
                variance = noise**2 + (share * excess) ** 2 + (_OTHERS_WITH_LEAK * level) ** 2
            ratio = seen / variance
            terms.append(math.log(probability) + _EFFECTIVE_VALUES / 2 * (math.log(max(ratio, 1e-6)) + 1 - ratio))
        logs[place] = np.logaddexp.reduce(terms)
    share = math.sqrt(max(seen - noise**2, 0.0)) / excess
    restless = Text(
        f"restless, {share * 100:.0f} % from one value to the next", f"波动剧烈，相邻读数变化{share * 100:.0f}%"
    )
    smooth = Text(
        f"smooth, {share * 100:.0f} % from one value to the next", f"变化平稳，相邻读数变化{share * 100:.0f}%"
    )
    return _bounded(logs), restless if np.argmax(logs) == CAUSES.index(Cause.LEAK) else smooth


def _rise(peak_lel: float, hours: float, *, in_sewer: bool) -> tuple[Array, Text]:
    expected = dict(_RISE_LEL_H)
    if not in_sewer:
        expected[Cause.LEAK] = _DAMAGED_LEL_H
    if hours * 3600.0 > FUMES_S:
        expected[Cause.DEVICE] = _LASTING_DEVICE_LEL_H
    rate = max(peak_lel, 0.1) / hours
    logs = np.array(
        [
            np.logaddexp.reduce(
                [
                    math.log(share) + _normal(math.log(rate), math.log(middle), spread)
                    for middle, spread, share in expected[cause]
                ]
            )
            for cause in CAUSES
        ]
    )
    words = Text(f"{peak_lel:.1f} %LEL gained in {hours:.1f} h", f"{hours:.1f}小时内上升{peak_lel:.1f} %LEL")
    return _bounded(logs), words


def _level(peak_lel: float) -> tuple[Array, Text]:
    """How likely each cause comes as high at all: what has been low so far may be anything."""
    logs = np.array(
        [
            math.log(max(0.5 * math.erfc(math.log(max(peak_lel, 1.0) / middle) / spread / math.sqrt(2)), 1e-6))
            for middle, spread in (_LEVELS_LEL[cause] for cause in CAUSES)
        ]
    )
    return _bounded(logs), Text(f"as high as {peak_lel:.0f} %LEL", f"升至{peak_lel:.0f} %LEL")


def _with(
    mean: dict[str, float], name: str, square: str, expected: dict[Cause, tuple[float, float]], called: Text
) -> tuple[Array, Text]:
    product = mean[f"{name}_square"] * mean["excess_slow_square" if square == "excess_slow" else "excess_day_square"]
    if product <= _STIRRED:
        return np.zeros(len(CAUSES)), Text("", "")
    together = max(-1.0, min(1.0, mean[f"{name}_with"] / math.sqrt(product)))
    logs = np.array([_normal(together, *expected[cause]) for cause in CAUSES])
    goes = "goes" if together > _TOGETHER else "does not go"
    goes_zh = "一致" if together > _TOGETHER else "无关"
    return _bounded(logs), Text(f"{goes} with the {called.en}", f"与{called.zh}变化{goes_zh}")


_STIRRED = 1e-4
_TOGETHER = 0.3


def _trace_gases(space: int, behaviour: Behaviour, excess: float) -> list[tuple[Array, Text]]:
    found = []
    told = (
        ("ethane", _ETHANE_PPM_PER_LEL, Text("ethane", "乙烷"), Text("ppm", "ppm")),
        ("odorant", _ODORANT_MG_M3_PER_LEL, Text("odorant", "加臭剂"), Text("mg/m³", "mg/m³")),
    )
    for place, (name, (per_lel, spread), called, unit) in enumerate(told):
        noise = float(behaviour.usual_noise[place, space])
        if not math.isfinite(noise):
            continue
        seen = float(behaviour.mean[name][space])
        beside = max(float(behaviour.mean[f"{name}_excess"][space]), 0.3 * excess)
        noise = max(noise * 0.4, 0.02 * per_lel, 1e-9)
        # Sensors of trace gases answer to other gases a little, too.
        crossed = noise + _CROSSED * per_lel * beside
        without = float(
            np.logaddexp(math.log(0.7) + _normal(seen, 0.0, noise), math.log(0.3) + _normal(seen, 0.0, crossed))
        )
        shares = [math.exp(spread * step) for step in (-2.0, -1.2, -0.6, 0.0, 0.6, 1.2)]
        with_gas = float(
            np.logaddexp.reduce(
                [_normal(seen, per_lel * beside * share, noise + 0.2 * per_lel * beside * share) for share in shares]
            )
        ) - math.log(len(shares))
        difference = max(-_MOST_TRACE, min(_MOST_TRACE, with_gas - without))
        logs = np.array([difference, 0.0, 0.0])
        words = (
            Text(f"{called.en} beside it ({seen:.2g} {unit.en})", f"伴有{called.zh}（{seen:.2g} {unit.zh}）")
            if difference > 0
            else Text(f"no {called.en} beside it", f"未检出{called.zh}")
        )
        found.append((logs, words))
    return found


def _normal(value: float, mean: float, spread: float) -> float:
    return -0.5 * ((value - mean) / spread) ** 2 - math.log(spread)


def _bounded(logs: Array) -> Array:
    """The logarithms with the best at 0 and none below the most a feature may decide."""
    bounded: Array = np.maximum(logs - logs.max(), -_MOST)
    return bounded
