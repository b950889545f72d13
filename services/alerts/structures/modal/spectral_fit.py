"""A mode's frequency to a fraction of a spectral line, from the whole window and not from means of its parts.

Near a mode the periodogram of what swings in the mode's shape is that of one oscillator with noise, exponentially
distributed about it; the oscillator that makes it likeliest is found by search (Whittle 1953; in the frequency domain
for structures Au 2011).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Array = NDArray[np.float64]

_FEWEST_LINES = 12
_FIRST_DAMPING = 0.015
_DAMPING_FROM, _DAMPING_TO = 0.001, 0.2


def fitted_frequency(swing: Array, rate_hz: float, near_hz: float, within_hz: float) -> float:
    """The natural frequency (Hz) of what swings near ``near_hz``, looked for within so much of it.

    Returns ``near_hz`` itself where too few spectral lines lie within or no oscillator fits better.
    """
    lines_hz = np.fft.rfftfreq(len(swing), 1 / rate_hz)
    power = np.abs(np.fft.rfft(swing)) ** 2
    around = (np.abs(lines_hz - near_hz) <= within_hz) & (lines_hz > 0)
    if int(around.sum()) < _FEWEST_LINES:
        return near_hz
    lines_hz, power = lines_hz[around], power[around]
    floor = float(np.quantile(power, 0.1)) + 1e-300
    top = max(float(power.mean()), 2 * floor)

    def unlikeliness(guess: Array) -> float:
        natural_hz, damping = near_hz + guess[0] * within_hz, _FIRST_DAMPING * float(np.exp(guess[1]))
        if abs(guess[0]) > 1 or not _DAMPING_FROM <= damping <= _DAMPING_TO:
            return float("inf")
        ratio = lines_hz / natural_hz
        amplified = ratio**4 / ((1 - ratio**2) ** 2 + (2 * damping * ratio) ** 2)
        expected = top * np.exp(guess[2]) * amplified * (2 * _FIRST_DAMPING) ** 2 + floor * np.exp(guess[3])
        return float((np.log(expected) + power / expected).sum())

    start = np.zeros(4)
    found = minimize(unlikeliness, start, method="Nelder-Mead", options={"maxiter": 400, "xatol": 1e-3, "fatol": 1e-2})
    return near_hz + float(found.x[0]) * within_hz if found.fun < unlikeliness(start) else near_hz
