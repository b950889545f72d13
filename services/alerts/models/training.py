"""Teaching one detector and deciding whether it is put into use: pure, from a past to a model."""

from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

from services.alerts import detector_memory
from services.alerts.episode import moment
from services.alerts.models.holdback import measure, objection
from services.alerts.models.past import Past
from services.alerts.models.subject import Subject
from services.core.detector_model import DetectorModel, ModelState

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
    detector = subject.detector()
    configuration = detector_memory.identity(subject.built())
    parameters = detector.train(taught)
    scores = measure(subject, parameters, taught, held_back)
    predecessor = None
    if in_use is not None and in_use.configuration == configuration:
        predecessor = measure(subject, in_use.parameters, taught, held_back)
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
        trained_from=moment(taught[0][0]),
        trained_until=window.split,
        held_back_until=moment(held_back[-1][0]),
        fingerprint=past.fingerprint,
        parameters=parameters,
        scores=scores,
        predecessor=predecessor,
        reason=objection(scores, predecessor),
    )
