"""Teaching one forecast from storms and deciding whether it is put into use: pure, from storms to a model."""

from collections.abc import Sequence
from typing import Any

from services.alerts.episode import moment
from services.alerts.models.forecast_trial import STORM_GAP_S, measure, objection
from services.alerts.models.past import Past
from services.alerts.models.subject import Subject
from services.alerts.models.training import TooLittlePastError, Trial, candidate
from services.core.detector_model import DetectorModel

_FEWEST_STORMS = 8
_HELD_BACK = 0.25
"""Share of the storms, the last ones, on which a model is tried: by the calendar a quarter may well be dry."""

Rows = Sequence[tuple[float, Any]]


def train_forecast(subject: Subject, past: Past, in_use: DetectorModel | None) -> DetectorModel:
    """Teach a forecast the first storms of its past, try it on the last quarter, and compare it with the one in use.

    ``past`` holds the rows of stormy hours alone. The model is a candidate with number 0 until it is stored. A model in
    use that was made for another configuration or version of the detector is no predecessor.

    Raises:
        TooLittlePastError: there are too few storms, or too few troubles in them to learn from.
    """
    begins_s = storms(past.rows)
    if len(begins_s) < _FEWEST_STORMS:
        raise TooLittlePastError(f"{len(begins_s)} storms, {_FEWEST_STORMS} are needed")
    split_s = begins_s[-max(1, round(_HELD_BACK * len(begins_s)))]
    taught = past.before(split_s)
    try:
        parameters = subject.detector().train(taught)
    except ValueError as reason:
        raise TooLittlePastError(str(reason)) from reason
    trial = Trial(moment(split_s), lambda each: measure(subject, each, past.rows, split_s), objection)
    return candidate(subject, past, parameters, in_use, trial)


def storms(rows: Rows) -> list[float]:
    """When each storm begins: the first row, and every one after a gap."""
    times_s = [time_s for time_s, _ in rows]
    return [
        now_s
        for before_s, now_s in zip([float("-inf"), *times_s], times_s, strict=False)
        if now_s - before_s > STORM_GAP_S
    ]
