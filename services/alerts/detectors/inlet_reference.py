"""How much head is lost on the way to each pressure logger of a district, told by what flows in at its one inlet."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import tau
from typing import Any, NamedTuple, Self

import numpy as np

from services.alerts.detectors.contract import State
from services.alerts.detectors.running_covariance import Array

EXPONENT = 1.852
"""Hazen-Williams: head loss grows with this power of the flow."""
_DAY_S = 86_400.0
_HARMONICS = 3
"""Waves a day by which the shares of the customers may change with the hour."""
_HARMONIC_SHARE = 0.03
"""Standard deviation expected of each such wave, as a share of the head loss."""
LEVELLED_M = 0.3
"""Standard deviation expected of the levelling of loggers and inlet together."""
_LEAST_NOISE_M = 0.01
_LEAST_CORRELATION_VALUE = 0.01
_CUT = 4.0
"""Residuals count no more than this many standard deviations when the noise is learnt."""
_ROUNDS = 3


class Residual(NamedTuple):
    """What is left of a row: loss factor and flow factor (1 at the mean flow), and whitened head losses too many."""

    loss_factor: float
    flow_factor: float
    whitened: Array


@dataclass(frozen=True, slots=True)
class InletReference:
    """What was normal while it was learnt: head loss = datum + loss factor x (share + daily waves) + noise.

    The loss factor is (flow / ``mean_flow``) to the power 1.852. If all customers draw more by the same share, the loss
    stays on this curve; a leak, which draws at one place and at all hours alike, leaves it. ``coefficients`` has one
    column for each logger: datum, loss at the mean flow, waves. The noise has a part of the loggers' own, and one of
    the customers' moods that grows with the loss factor; ``whitening`` turns a row of losses into values without
    correlation whose variance is 1 + loss factor squared x ``mood``. ``share_covariance`` says how well the losses at
    the mean flow are known, in whitened coordinates.
    """

    mean_flow: float
    coefficients: Array
    noise_m: Array
    mood_covariance: Array
    whitening: Array
    mood: Array
    share_covariance: Array

    @classmethod
    def learnt(cls, time_s: Array, flow: Array, loss_m: Array, datum_m: float = LEVELLED_M) -> Self:
        """From some days of rows: event times (s), inlet flows and the head lost to each logger (m), all finite.

        ``datum_m`` is the standard deviation of the unknown constant in the losses.
        """
        mean_flow = float(flow.mean())
        factor = (flow / mean_flow) ** EXPONENT
        terms = _terms(time_s, factor)
        size = loss_m.shape[1]
        noise = np.full(size, 0.05**2)
        mood = np.full(size, 0.1**2)
        varying = factor - factor.mean()
        steady = varying @ loss_m / (varying @ varying)
        coefficients = np.zeros((terms.shape[1], size))
        residual = loss_m
        for _ in range(_ROUNDS):
            for column in range(size):
                weight = 1 / (noise[column] + mood[column] * factor**2)
                waves = 1 / (_HARMONIC_SHARE * steady[column]) ** 2
                prior = np.array([datum_m**-2, 0.0, *[waves] * (2 * _HARMONICS)])
                normal = (terms.T * weight) @ terms + np.diag(prior)
                coefficients[:, column] = np.linalg.solve(normal, (terms.T * weight) @ loss_m[:, column])
            residual = loss_m - terms @ coefficients
            noise, mood = _variances(residual, factor, noise, mood)
        covariance = _mood_covariance(residual, factor, noise, mood)
        whitening, whitened_mood = _whitening(noise, covariance)
        weight_sum = (factor[:, None] ** 2 / (1 + factor[:, None] ** 2 * whitened_mood)).sum(axis=0)
        # The waves and the datum are learnt from the same rows, which leaves about half of what the rows say.
        share = np.diag(2 / weight_sum)
        return cls(mean_flow, coefficients, np.sqrt(noise), covariance, whitening, whitened_mood, share)

    @property
    def steady_loss_m(self) -> Array:
        """The head lost to each logger at the mean flow."""
        at_mean_flow: Array = self.coefficients[1]
        return at_mean_flow

    def residual(self, time_s: float, flow: float, loss_m: Array) -> Residual:
        """What a row leaves; a loss that is NaN is taken for what the others let expect."""
        factor = (flow / self.mean_flow) ** EXPONENT
        left = loss_m - (_terms(np.array([time_s]), np.array([factor])) @ self.coefficients)[0]
        known = np.isfinite(left)
        if not known.all():
            left = self._filled(left, known, factor)
        return Residual(factor, float(flow / self.mean_flow) ** (EXPONENT - 1), self.whitening @ left)

    def _filled(self, left: Array, known: Any, factor: float) -> Array:
        covariance = np.diag(self.noise_m**2) + factor**2 * self.mood_covariance
        filled = np.where(known, left, 0.0)
        if known.any():
            inner = covariance[np.ix_(known, known)]
            filled[~known] = covariance[np.ix_(~known, known)] @ np.linalg.solve(inner, left[known])
        return filled

    def state(self) -> dict[str, Any]:
        """All of it, as JSON."""
        return {
            "mean_flow": self.mean_flow,
            "coefficients": self.coefficients.tolist(),
            "noise_m": self.noise_m.tolist(),
            "mood_covariance": self.mood_covariance.tolist(),
            "whitening": self.whitening.tolist(),
            "mood": self.mood.tolist(),
            "share_covariance": self.share_covariance.tolist(),
        }

    @classmethod
    def restored(cls, state: State) -> Self:
        """The reference whose ``state`` was kept."""
        parts = {name: np.array(part, dtype=np.float64) for name, part in state.items() if name != "mean_flow"}
        return cls(mean_flow=state["mean_flow"], **parts)


def _terms(time_s: Array, factor: Array) -> Array:
    waves = [
        wave(tau * number * time_s / _DAY_S) * factor
        for number in range(1, _HARMONICS + 1)
        for wave in (np.cos, np.sin)
    ]
    return np.stack([np.ones(len(factor)), factor, *waves], axis=1)


def _variances(residual: Array, factor: Array, noise: Array, mood: Array) -> tuple[Array, Array]:
    """The logger's own variance and that of the moods, by regression of squares on the squared loss factor."""
    design = np.stack([np.ones(len(factor)), factor**2], axis=1)
    found_noise, found_mood = noise.copy(), mood.copy()
    for column in range(residual.shape[1]):
        usual = noise[column] + mood[column] * factor**2
        squares = np.minimum(residual[:, column] ** 2, _CUT**2 * usual)
        weight = usual**-2
        own, moody = np.linalg.solve((design.T * weight) @ design, (design.T * weight) @ squares)
        found_noise[column] = max(own, _LEAST_NOISE_M**2)
        found_mood[column] = max(moody, 1e-5)
    return found_noise, found_mood


def _mood_covariance(residual: Array, factor: Array, noise: Array, mood: Array) -> Array:
    deviation = np.sqrt(noise + mood * factor[:, None] ** 2)
    cut = np.clip(residual, -_CUT * deviation, _CUT * deviation)
    weight = factor**2 / deviation.mean(axis=1) ** 4
    covariance = (cut.T * weight) @ cut / (weight @ factor**2)
    scale = np.sqrt(mood)
    correlation = covariance / np.outer(scale, scale)
    np.fill_diagonal(correlation, 1.0)
    values, vectors = np.linalg.eigh(correlation)
    positive: Array = (vectors * np.maximum(values, _LEAST_CORRELATION_VALUE)) @ vectors.T * np.outer(scale, scale)
    return positive


def _whitening(noise: Array, covariance: Array) -> tuple[Array, Array]:
    own = 1 / np.sqrt(noise)
    values, vectors = np.linalg.eigh(covariance * np.outer(own, own))
    # In the order in which it comes back from JSON: the other order rounds differently.
    return np.ascontiguousarray(vectors.T * own), np.maximum(values, 0.0)


def usable(rows: Sequence[Sequence[float]]) -> Array:
    """The rows without a missing value."""
    table = np.array(rows, dtype=np.float64)
    complete: Array = table[np.isfinite(table).all(axis=1)]
    return complete
