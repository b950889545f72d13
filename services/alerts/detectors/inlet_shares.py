"""What is believed about how the customers and the meter of a district have changed since its reference was learnt."""

from collections.abc import Iterable
from typing import Any, Self

import numpy as np

from services.alerts.detectors.contract import State
from services.alerts.detectors.inlet_history import Sums
from services.alerts.detectors.inlet_reference import EXPONENT, InletReference
from services.alerts.detectors.running_covariance import Array

_MONTH_ROWS = 30 * 48
_MOOD_WANDERS = 0.01
"""Variance by which the customers' shares wander in a month, beside that of their moods in half an hour."""
_METER_WANDERS = 0.02
"""Standard deviation by which the meter's factor wanders in a month: meters drift by a few percent."""
_METER_DOUBT = 0.005
_FLOOR = 1e-9


class Shares:
    """The change of the customers' shares and of the meter's factor.

    Such a change leaves residuals that grow with the loss factor: ``mean`` and ``covariance`` are its whitened size at
    the mean flow. It wanders: by ``step`` a row.
    """

    __slots__ = ("covariance", "mean", "step")

    def __init__(self, mean: Array, covariance: Array, step: Array) -> None:
        self.mean = mean
        self.covariance = covariance
        self.step = step

    @classmethod
    def at_first(cls, reference: InletReference) -> Self:
        """What is believed when the reference has just been learnt."""
        meter = _meter_shape(reference)
        covariance = reference.share_covariance + _METER_DOUBT**2 * np.outer(meter, meter)
        return cls(np.zeros(len(meter)), covariance, _step(reference))

    def wander(self) -> None:
        """One row has passed."""
        self.covariance = self.covariance + self.step

    def take(self, spans: Iterable[Sums]) -> None:
        """Learn from rows without a leak (Kalman)."""
        for span in spans:
            precision = np.linalg.inv(self.covariance)
            covariance = np.linalg.inv(precision + np.diag(span.weight_22))
            self.mean = covariance @ (precision @ self.mean + span.moment_2)
            self.covariance = (covariance + covariance.T) / 2

    def copy(self) -> Self:
        """The same belief, to go its own way."""
        return type(self)(self.mean, self.covariance, self.step)

    def meter_error(self, reference: InletReference, rows: int) -> tuple[float, float]:
        """By which share of itself the meter shows too much, and the standard deviation of that.

        A meter that shows too much lets expect too large losses to all loggers alike. Customers who have changed are
        the other explanation; how far both may have wandered in the ``rows`` since the reference was learnt decides
        between them (Gauss and Markov).
        """
        months = rows / _MONTH_ROWS
        meter = -_meter_shape(reference)
        variance = _METER_DOUBT**2 + _METER_WANDERS**2 * months
        customers = np.diag(reference.mood * _MOOD_WANDERS * months + _FLOOR) + self.covariance
        told = np.linalg.solve(customers, meter)
        precision = float(meter @ told) + 1 / variance
        return float(self.mean @ told) / precision, precision**-0.5

    def state(self) -> list[Any]:
        """Mean and covariance, as JSON."""
        return [self.mean.tolist(), self.covariance.tolist()]

    @classmethod
    def restored(cls, state: State | list[Any], reference: InletReference) -> Self:
        """The belief whose ``state`` was kept."""
        mean, covariance = (np.array(part, dtype=np.float64) for part in state)
        return cls(mean, covariance, _step(reference))


def _meter_shape(reference: InletReference) -> Array:
    """What a meter that shows too little by its whole does to the whitened losses at the mean flow."""
    shape: Array = reference.whitening @ (EXPONENT * reference.steady_loss_m)
    return shape


def _step(reference: InletReference) -> Array:
    meter = _meter_shape(reference)
    step: Array = (np.diag(reference.mood) * _MOOD_WANDERS + _METER_WANDERS**2 * np.outer(meter, meter)) / _MONTH_ROWS
    return step
