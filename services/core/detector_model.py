"""What a detector was taught about its target, as a numbered version with its origin."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.core.text import Text


class ModelState(StrEnum):
    """Where a model stands: only an active one is used, one at a time for a rule and a target."""

    CANDIDATE = "candidate"
    ACTIVE = "active"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class HoldBack:
    """How a model did on readings it was not taught.

    ``rows`` were judged; ``known`` is the share of them about which the detector could say something,
    ``false_alarms`` the share that reached a grade of the rule although nothing had been reported there, and
    ``separation`` the probability that a row with a made-up fault scores higher than one without (area under the ROC
    curve; 0.5 is blind).

    Of a forecast, ``rows`` are the values it told, ``known`` the share that could be compared with what came,
    ``false_alarms`` the share of its warnings after which the trouble did not come within the hour, and ``separation``
    the probability that a row in the hour before a trouble scores higher than one before none. ``loss`` is the mean
    error of its 10, 50 and 90 % (pinball loss) in the sensor's unit, ``default_loss`` that of the same detector
    without a model.
    """

    rows: int
    known: float
    false_alarms: float
    separation: float
    loss: float | None = None
    default_loss: float | None = None


@dataclass(frozen=True, slots=True)
class DetectorModel:
    """One version of what a rule's detector knows of a sensor or a zone before it has seen anything live.

    ``target`` is the sensor, or ``zone:`` and the zone. It was taught the readings from ``trained_from`` to
    ``trained_until`` and tried on those until ``held_back_until``; ``fingerprint`` tells whether they are still the
    same. ``configuration`` is the detector's name and version with the hash of its arguments:
    parameters fit no others.
    ``predecessor`` is how the model that was active then did on the same readings, and ``reason`` why this one was
    not promoted by itself.
    """

    rule: str
    target: str
    zone: str
    version: int
    state: ModelState
    detector: str
    detector_version: str
    configuration: str
    code_version: str
    trained_from: datetime
    trained_until: datetime
    held_back_until: datetime
    fingerprint: str
    parameters: Mapping[str, Any]
    scores: HoldBack
    predecessor: HoldBack | None = None
    reason: Text | None = None
    created_at: datetime | None = None
    promoted_at: datetime | None = None
