"""Teaching one detector and deciding whether it is put into use: pure, from a past to a model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

from services.alerts import detector_memory
from services.alerts.episode import moment
from services.alerts.models.holdback import measure, objection
from services.alerts.models.past import Past
from services.alerts.models.subject import Subject
from services.core.detector_model import DetectorModel, HoldBack, ModelState
from services.core.text import Text

FEWEST_ROWS = 500
"""Rows without which teaching is not tried: less than two days at five minutes."""


class TooLittlePastError(Exception):
    """The past is too short, or has too few rows on one side of the split."""


@dataclass(frozen=True, slots=True)
class Window:
    """What is taught and what is held back: from ``start`` to ``split``, and on to ``end``."""

    start: datetime
    split: datetime
    end: datetime


def train(subject: Subject, past: Past, window: Window, in_use: DetectorModel | None) -> DetectorModel:
    """Teach a detector the first part of its past, try it on the second, and compare it with the model in use.

    The model is a candidate with number 0 until it is stored. A model in use that was made for another configuration
    or version of the detector says nothing about the present one and is no predecessor.

    Raises:
        TooLittlePastError: there is too little to teach or to try.
    """
    taught, held_back = past.before(window.split.timestamp()), past.since(window.split.timestamp())
    if len(taught) < FEWEST_ROWS or len(held_back) < FEWEST_ROWS // 5:
        raise TooLittlePastError(f"{len(taught)} rows to teach, {len(held_back)} to try")
    parameters = subject.detector().train(taught)
    trial = Trial(window.split, lambda each: measure(subject, each, taught, held_back), objection)
    return candidate(subject, past, parameters, in_use, trial)


@dataclass(frozen=True, slots=True)
class Trial:
    """How parameters are scored on what is held back from ``split`` on, and what then speaks against their use."""

    split: datetime
    measure: Callable[[Mapping[str, Any]], HoldBack]
    objection: Callable[[HoldBack, HoldBack | None], Text | None]


def candidate(
    subject: Subject, past: Past, parameters: Mapping[str, Any], in_use: DetectorModel | None, trial: Trial
) -> DetectorModel:
    """The model that the past before the trial has taught, tried beside the one in use."""
    detector = subject.detector()
    configuration = detector_memory.identity(subject.built())
    scores, predecessor = trial.measure(parameters), None
    if in_use is not None and in_use.configuration == configuration:
        predecessor = trial.measure(in_use.parameters)
    return DetectorModel(
        rule=subject.rule.name,
        target=subject.target,
        zone=subject.zone,
        version=0,
        state=ModelState.CANDIDATE,
        detector=detector.name,
        detector_version=detector.version,
        configuration=configuration,
        code_version=version("lifeline"),
        trained_from=moment(past.rows[0][0]),
        trained_until=trial.split,
        held_back_until=moment(past.rows[-1][0]),
        fingerprint=past.fingerprint,
        parameters=parameters,
        scores=scores,
        predecessor=predecessor,
        reason=trial.objection(scores, predecessor),
    )
