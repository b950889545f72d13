"""What one row says about a loss at each pipe of a part of the network. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.alerts.hydraulics.epanet_model import Array

_ONE_ALONE = 25.0
"""Squared deviations from which one instrument can be the odd one out."""
_MOST_LEFT_OUT = 3
_LEAST_HEARD = 3
"""With fewer instruments, nothing tells a loss from one that is off."""
_LEAST_SHOWN = 3.0
"""Deviations by which a loss as large as all that the part draws has to show, for a pipe to be judged at all."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Standardised sums over the instruments for a loss at each pipe, NaN where it would not show.

    ``heard`` are the instruments that counted: one that alone explains the row better than any loss does is left out.
    """

    deviations: Array
    heard: NDArray[np.bool_]


def weigh(departure: Array, signatures: Array, errors: Array, covariance: Array, most_m3h: float) -> Evidence | None:
    """Compare a row's departures with what a loss at each pipe would do; ``None`` where too little is heard.

    ``departure`` is NaN where nothing is known, ``signatures`` by instrument and pipe per m3/h, ``errors`` by
    instrument what one that is off by one would leave at all (it pulls the fit with it), ``covariance`` that of the
    departures without a loss. ``most_m3h`` is the largest loss that is thought of.

    Source: the matched filter (Turin, IRE Transactions on Information Theory 6, 1960).
    """
    heard = np.isfinite(departure)
    for _ in range(_MOST_LEFT_OUT + 1):
        position = np.flatnonzero(heard)
        if len(position) < _LEAST_HEARD:
            return None
        inverse = np.linalg.inv(covariance[np.ix_(position, position)])
        weighted = inverse @ departure[position]
        shown = signatures[position]
        information = np.einsum("ij,ij->j", shown, inverse @ shown)
        judged = most_m3h * np.sqrt(np.maximum(information, 0.0)) >= _LEAST_SHOWN
        deviations = np.full(signatures.shape[1], np.nan)
        deviations[judged] = (weighted @ shown)[judged] / np.sqrt(information[judged])
        best = float(np.nanmax(deviations, initial=0.0))
        off = errors[np.ix_(position, position)]
        known = np.maximum(np.einsum("ij,ij->j", off, inverse @ off), 1e-12)
        alone = (weighted @ off) ** 2 / known
        odd = int(alone.argmax())
        if alone[odd] <= max(_ONE_ALONE, best**2):
            return Evidence(deviations, heard)
        heard = heard.copy()
        heard[position[odd]] = False
    return None
