"""How often a detector was right, from what people judged. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from scipy.special import betaincinv

PRIOR_TRUE, PRIOR_FALSE = 1.0, 1.0
"""What is believed of a detector that nobody has judged: one alarm real, one false. A default (Laplace's rule of
succession); a city with a history of its own may know better."""
_LOW, _HIGH = 0.05, 0.95


@dataclass(frozen=True, slots=True)
class DetectorScore:
    """How the alerts of one detector and kind turned out in one place, as far as people judged them.

    ``place`` is a zone or a sensor. ``causes`` counts the judged alerts by root cause, those without one under none.
    """

    lifeline: str
    detector: str
    kind: str
    place: str
    true_alarms: int
    false_alarms: int
    causes: Mapping[str, int] = field(default_factory=dict)

    @property
    def judged(self) -> int:
        """How many were judged, tests apart."""
        return self.true_alarms + self.false_alarms

    @property
    def precision(self) -> float:
        """The chance that the next one is real: the mean of the beta distribution that the judgements leave."""
        return (self.true_alarms + PRIOR_TRUE) / (self.judged + PRIOR_TRUE + PRIOR_FALSE)

    @property
    def precision_low(self) -> float:
        """The chance is lower than this with one in twenty."""
        return self._quantile(_LOW)

    @property
    def precision_high(self) -> float:
        """The chance is higher than this with one in twenty."""
        return self._quantile(_HIGH)

    def _quantile(self, share: float) -> float:
        return float(betaincinv(self.true_alarms + PRIOR_TRUE, self.false_alarms + PRIOR_FALSE, share))
