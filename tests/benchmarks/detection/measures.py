"""Each family's own measure over all of its backtests, as names and figures, the headline first."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean

from services.alerts.hydraulics.epanet_model import EpanetModel
from services.backtest.report.result_folder import read_result
from services.core.recorded_city import recorded_city
from services.core.recording import read_recording
from tests.benchmarks.detection import ctown_score, ltown_score, own_score, skab_score

Figures = Mapping[str, float | str]
Pairs = Sequence[tuple[Path, Path]]
"""Result folders, each with its recording."""


def measured(family: str, pairs: Pairs) -> Figures:
    """What a family's measure says; nothing where there is none."""
    measure = _MEASURES.get(family)
    return {} if measure is None or not pairs else measure(pairs)


def _scored_s(out: Path, path: Path) -> tuple[float, float]:
    """The scored time as far as there are readings, seconds since 1970."""
    scored = read_recording(path).scored
    assert scored is not None
    return scored[0].timestamp(), min(scored[1], read_result(out).end).timestamp()


def _ltown(pairs: Pairs) -> Figures:
    ((out, path),) = pairs
    network = recorded_city(read_recording(path)).network
    assert network is not None
    model = EpanetModel(network.text)
    leaks = ltown_score.leaks_of(path / "truth.csv", model)
    detections = ltown_score.detections_of(out / "alerts.jsonl")
    result = ltown_score.score(model, leaks, detections, _scored_s(out, path)).summary()
    part = result.pop("part")
    headline = "–" if part is None else f"{part:.1%} of the attainable money"
    return {"reconstruction": headline, **{name: value for name, value in result.items() if value is not None}}


def _ctown(pairs: Pairs) -> Figures:
    ((out, path),) = pairs
    begin_s, end_s = _scored_s(out, path)
    result = ctown_score.ctown_score(
        ctown_score.read_alerts(out), ctown_score.read_truth(path), (begin_s, end_s + 3600)
    )
    delays = {
        attack.id: "missed" if attack.delay_hours is None else f"{attack.delay_hours:.0f} h"
        for attack in result.attacks
    }
    return {"S": result.score, "TNR": result.true_negative_rate, "TPR": result.true_positive_rate, **delays}


def _skab(pairs: Pairs) -> Figures:
    whole, after = skab_score.RowCounts(), skab_score.RowCounts()
    for out, path in pairs:
        alerts, truth = ctown_score.read_alerts(out), ctown_score.read_truth(path)
        times_s = skab_score.row_times(path)
        if truth:
            whole += skab_score.count_rows(times_s, alerts, truth)
            after += skab_score.count_rows(times_s[read_recording(path).learn_rows or 0 :], alerts, truth)
    return {
        "F1": whole.f1,
        "false alarms %": whole.false_alarm_percent,
        "missed %": whole.missed_percent,
        "F1 after learning": after.f1,
        "false alarms % after learning": after.false_alarm_percent,
        "missed % after learning": after.missed_percent,
    }


def _hanoi(pairs: Pairs) -> Figures:
    name = "tests.benchmarks.detection.hanoi_score"
    if find_spec(name) is None:
        return {}
    module = import_module(name)
    if hasattr(module, "pooled"):
        pooled: Figures = module.pooled(pairs)
        return pooled
    scored: list[Figures] = [module.score(out, path) for out, path in pairs]
    means: dict[str, float | str] = {}
    for figure in scored[0]:
        numbers = [value for each in scored if isinstance(value := each.get(figure), int | float)]
        if numbers:
            means[f"{figure} (mean)"] = fmean(numbers)
    return means


_MEASURES: Mapping[str, Callable[[Pairs], Figures]] = {
    "ltown-2018": _ltown,
    "hanoi-sparse": _hanoi,
    "hanoi": _hanoi,
    "ctown-train": _ctown,
    "skab": _skab,
    "own-scenarios": own_score.pooled,
}
