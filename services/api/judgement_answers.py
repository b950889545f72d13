"""What the API answers about what judgements teach: scores of detectors, and the risk of assets."""

from datetime import datetime

from pydantic import Field

from services.api.schemas import Answer, TextAnswer
from services.core.asset_risk import RiskColour
from services.core.lifeline import Lifeline
from services.core.root_cause import RootCause


class DetectorScoreAnswer(Answer):
    """How the alerts of a detector and kind turned out in one place."""

    lifeline: Lifeline
    detector: str
    kind: str
    place: str = Field(description="a zone, or a sensor")
    judged: int = Field(description="by people, tests apart")
    true_alarms: int
    false_alarms: int
    causes: dict[RootCause, int] = Field(description="judged alerts by root cause")
    precision: float = Field(
        description="the chance that one is real: (true + 1) / (judged + 2), by a beta prior that is a default"
    )
    precision_low: float = Field(description="lower with one in twenty")
    precision_high: float = Field(description="higher with one in twenty")


class DetectorScoresAnswer(Answer):
    """The scores of alerts that were raised within a span."""

    start: datetime
    end: datetime
    scores: list[DetectorScoreAnswer]


class AssetRiskAnswer(Answer):
    """The risk of an asset in four colours."""

    asset: str
    name: TextAnswer
    lifeline: Lifeline
    kind: str
    zone: str
    colour: RiskColour = Field(description="red, orange, yellow, blue: 重大, 较大, 一般, 低")
    score: float = Field(description="likelihood by consequence, without a unit; all factors are defaults")
    likelihood: float
    consequence: float
    breaks: int = Field(description="confirmed by people")
    struck: int = Field(description="times that works struck it, confirmed by people")
    reasons: list[TextAnswer]
