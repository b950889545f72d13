"""Every detector inside the engine, with the smallest rule around it: arrival decides nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from random import Random
from typing import Any

from services.alerts.detectors import AnyDetector
from services.alerts.detectors.contract import Detector, RowDetector
from services.alerts.lifelines import discover as lifelines
from services.alerts.lifelines.contract import LifelineRules, Rule, SearchRule, SensorRule, ZoneRule, same_for_all
from services.alerts.zone_engine import ZoneEngine
from services.core.lifeline import Lifeline
from services.core.reading import Quality, Reading
from services.core.sensor import Sensor
from services.core.severity import Severity
from services.core.text import Text
from services.core.threshold import Side, Threshold
from tests.contract.detector_examples import DAY_S, STEP_S, Example, Row, every_example, examples

EXAMPLES = examples()
LATENESS = timedelta(minutes=20)
_WATER = lifelines()[Lifeline.WATER]
_SAID = Text("{sensor}", "{sensor}")

every = every_example()


def rules_of(kind: AnyDetector, example: Example) -> LifelineRules:
    """Water with one rule, whose grade nearly any fault reaches."""
    grade = Threshold(Severity.MODERATE, Side.ABOVE, raise_at=3, clear_at=1)
    rule: dict[str, Any] = {"name": "only", "kind": _WATER.kinds[0], "raised": _SAID, "cleared": _SAID}
    step = timedelta(seconds=STEP_S)

    def build(_: object) -> Any:
        return example.build(kind, example.arguments)

    only: dict[str, Any] = {"sensor_rules": (), "zone_rules": (), "searches": ()}
    if issubclass(kind, Detector):
        only["sensor_rules"] = (SensorRule(**rule, quantities=(), detector=build, grades=same_for_all(grade)),)
    elif issubclass(kind, RowDetector):
        only["zone_rules"] = (
            ZoneRule(**rule, quantities=(example.quantity,), detector=build, grades=(grade,), step=step),
        )
    else:
        outcomes = tuple(Rule(**{**rule, "name": name}) for name in example.outcomes)
        only["searches"] = (
            SearchRule(name="only", outcomes=outcomes, quantities=(example.quantity,), detector=build, step=step),
        )
    return LifelineRules(
        lifeline=Lifeline.WATER,
        quantities=_WATER.quantities,
        sensor_silent=_WATER.sensor_silent,
        gateway_silent=_WATER.gateway_silent,
        **only,
    )


def sensors_of(kind: AnyDetector, example: Example) -> list[Sensor]:
    columns = example.columns[:1] if issubclass(kind, Detector) else example.columns
    declared = _WATER.quantity(example.quantity)
    assert declared is not None
    return [
        Sensor(
            id=column,
            key=position,
            lifeline=Lifeline.WATER,
            quantity=example.quantity,
            unit=declared.unit,
            asset=f"asset-of-{column}",
            zone="Z1",
            longitude=117.2,
            latitude=31.8,
            interval=timedelta(seconds=STEP_S),
            gateway=None,
            plausible=declared.plausible,
            thresholds=(),
        )
        for position, column in enumerate(columns)
    ]


def readings_of(kind: AnyDetector, example: Example) -> list[Reading]:
    """Four normal days and a fault, of the sensors that the detector looks at."""
    rows: list[Row] = [*example.normal(4.0, 0.0), *example.fault(example.normal(0.5, 4.0 * DAY_S))]
    names = [sensor.id for sensor in sensors_of(kind, example)]
    return [
        Reading(name, at, value, Quality.GOOD, received_at=at)
        for at, row in ((datetime.fromtimestamp(time_s, UTC), row) for time_s, row in rows)
        for name, value in zip(names, row, strict=False)
    ]


def judged(kind: AnyDetector, example: Example, batches: Sequence[Sequence[Reading]]) -> tuple[Any, ...]:
    """Findings, scores and memory of an engine that is given readings batch by batch."""
    scores: list[tuple[float, str, str]] = []
    engine = ZoneEngine(
        "Z1",
        rules_of(kind, example),
        sensors_of(kind, example),
        allowed_lateness=LATENESS,
        log=lambda time_s, target, score: scores.append((time_s, target, repr(score))),
    )
    findings = [finding for batch in batches for finding in engine.observe(batch)]
    findings += engine.release()
    assert not engine.failures.by_rule, "the detector raised an error"
    return findings, scores, engine.changed_state()


@cache
def judged_in_order(kind: AnyDetector) -> tuple[Any, ...]:
    """The same for all readings at once, in their order."""
    example = EXAMPLES[kind.name]
    return judged(kind, example, [readings_of(kind, example)])


@every
def test_neither_order_within_the_lateness_nor_repetition_nor_batches_change_anything(kind: AnyDetector) -> None:
    example = EXAMPLES[kind.name]
    readings = readings_of(kind, example)
    in_order = judged_in_order(kind)
    assert in_order[2], "nothing was remembered, so nothing was judged"
    random = Random(5)  # noqa: S311  # an order of arrival, not a secret
    shuffled = sorted(readings, key=lambda each: each.time.timestamp() + random.uniform(0, LATENESS.total_seconds()))
    repeated = [each for reading in shuffled for each in [reading] * random.choice((1, 1, 1, 2))]
    cuts = [0, *sorted(random.sample(range(len(repeated)), 40)), len(repeated)]
    mixed = judged(kind, example, [repeated[start:end] for start, end in pairwise(cuts)])
    assert mixed[0] == in_order[0]
    assert mixed[1] == in_order[1]
    assert mixed[2] == in_order[2]


@every
def test_what_comes_hours_late_moves_no_score(kind: AnyDetector) -> None:
    example = EXAMPLES[kind.name]
    readings = readings_of(kind, example)
    in_order = judged_in_order(kind)
    wild = [
        Reading(each.sensor, each.time - timedelta(hours=6, seconds=1), 1e6, Quality.GOOD, received_at=each.time)
        for each in readings[len(readings) // 2 :: 7]
    ]
    late = judged(kind, example, [readings[: len(readings) // 2], readings[len(readings) // 2 :], wild])
    assert late[1] == in_order[1]
