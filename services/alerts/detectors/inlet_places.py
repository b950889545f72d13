"""What a leak at each of some places does to the head losses of a district."""

from collections.abc import Sequence

import numpy as np

from services.alerts.detectors.inlet_reference import EXPONENT, InletReference
from services.alerts.detectors.running_covariance import Array

_DOUBT = 0.25
"""Standard deviation of a guessed leak's effect on a logger about the guess, as a share of it."""
_LEAST_DOUBT = 0.02
"""The same beside the loss itself per share leaking: no model is better than this on any logger."""


class InletPlaces:
    """Whitened effects on the loggers, per unit of flow leaking, at the mean flow of a reference.

    ``responses`` (by share, place and logger) and ``doubts`` (by place, the covariance over the loggers of how far the
    real responses are from those) are relative to the loss itself; both may be empty.

    ``effects`` has a row for each place and a layer for each of ``leak_shares``: a large leak changes the paths of the
    water and so is no multiple of a small one. ``doubts`` are the whitened covariances of what a leak of flow 1 does
    otherwise, ``shifts`` what a shift of each single logger by a metre does.
    """

    __slots__ = ("doubts", "effects", "leak_shares", "mean_flow", "shifts")

    def __init__(
        self, reference: InletReference, responses: Array, doubts: Array, leak_shares: Sequence[float]
    ) -> None:
        whitening = reference.whitening
        per_share = reference.steady_loss_m / reference.mean_flow
        raw = responses * per_share if responses.size else _guessed(reference)[None]
        least = np.diag((_LEAST_DOUBT * per_share) ** 2)
        spread = doubts * np.outer(per_share, per_share) if doubts.size else np.square(_DOUBT * raw[0, :, None])
        spread = spread * (1.0 if doubts.size else np.eye(len(per_share))) + least
        self.mean_flow = reference.mean_flow
        self.leak_shares = tuple(leak_shares) if responses.size else (0.0,)
        self.effects: Array = raw @ whitening.T
        self.doubts: Array = whitening @ spread @ whitening.T
        self.shifts: Array = whitening.T.copy()

    def layer(self, flow: float) -> int:
        """Which layer suits a leak of a flow best."""
        return int(np.argmin([abs(share - flow / self.mean_flow) for share in self.leak_shares]))


def _guessed(reference: InletReference) -> Array:
    """Leaks beside each logger, from how the losses move together, and one at the inlet, which spares all losses.

    The size of the first is unknown, so each is taken to move its own logger as one percent of the inlet flow there
    would if all loss were on the logger's own way.
    """
    covariance = reference.mood_covariance
    per_flow = EXPONENT * reference.steady_loss_m / reference.mean_flow
    beside = covariance / np.diag(covariance)[:, None] * per_flow[:, None]
    return np.concatenate([beside, -per_flow[None]])
