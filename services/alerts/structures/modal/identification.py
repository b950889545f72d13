"""The modes in a window of raw vibration, by frequency domain decomposition.

Near a natural frequency one shape holds nearly all power, so that the largest singular value of the spectra of all
channels has a peak there and its singular vector is the shape (Brincker, Zhang and Andersen 2001). Spectra and
decomposition are those of pyOMA_2; which peaks are modes is decided here.
"""

from collections.abc import Sequence
from math import log2

import numpy as np
from numpy.typing import NDArray
from pyoma2.functions.fdd import SD_est, SD_svalsvec
from pyoma2.functions.gen import MAC
from scipy.signal import detrend, find_peaks

from services.alerts.structures.modal.mode import FoundMode
from services.alerts.structures.modal.spectral_fit import fitted_frequency

Array = NDArray[np.float64]

_AVERAGES = 8
"""Segments, each half over the next, of which a spectrum is the mean: fewer make peaks of chance."""
_LONGEST_SEGMENT = 4096
_PROMINENCE_DB = 6.0
"""A peak stands out by so much; the chance of a mean of eight segments makes peaks of 1 to 3 dB. A default."""
_SAME_SHAPE = 0.8
"""Beside the peak the shape stays the same where it is a mode (the modal domain of Brincker); the same default."""
_LOWEST_LINES = 3
_USED_SHARE = 0.8
"""Above this share of half the sampling rate the filter of the device bends the spectrum."""
_MOST_MODES = 8
_SOUGHT_WITHIN = 0.15
"""Share of a peak's frequency within which its oscillator is fitted."""


def modes_in(rows: Array, rate_hz: float, sensors: Sequence[str]) -> list[FoundMode]:
    """The modes that ``rows``, a row of samples for each sensor, show; lowest first.

    A channel that stands still takes no part. Longer windows tell more: of one over ten minutes frequencies near 2 Hz
    are good to a few tenths of a per cent.
    """
    moving = [place for place, row in enumerate(rows) if float(np.ptp(row)) > 0]
    if not moving:
        return []
    segment = min(_LONGEST_SEGMENT, 2 ** int(log2(rows.shape[1] / (_AVERAGES / 2))))
    channels = detrend(rows[moving], axis=1)
    frequencies, spectra = SD_est(channels, channels, 1 / rate_hz, nxseg=segment, method="per")  # type: ignore[no-untyped-call]
    values, vectors = SD_svalsvec(spectra)  # type: ignore[no-untyped-call]
    # The library keeps square roots of singular values, so that 20 makes decibels of power.
    level_db = 20 * np.log10(np.maximum(values[0, 0], 1e-300))
    shapes = vectors[0]
    usable = slice(_LOWEST_LINES, int(_USED_SHARE * len(frequencies)))
    peaks, found = find_peaks(level_db[usable], prominence=_PROMINENCE_DB)
    strongest = np.argsort(-found["prominences"], kind="stable")
    lines = [int(peaks[place]) + _LOWEST_LINES for place in strongest]
    kept = sorted([line for line in lines if _keeps_its_shape(shapes, line)][:_MOST_MODES])
    names = [sensors[place] for place in moving]
    modes = []
    for line in kept:
        near_hz, shape = float(frequencies[line]), _turned(shapes[:, line])
        others_hz = (abs(float(frequencies[other]) - near_hz) for other in lines if other != line)
        within_hz = min(_SOUGHT_WITHIN * near_hz, 0.5 * min(others_hz, default=near_hz))
        frequency_hz = fitted_frequency(shape @ channels, rate_hz, near_hz, within_hz)
        by_sensor = {name: round(float(each), 6) for name, each in zip(names, shape, strict=True)}
        modes.append(FoundMode(frequency_hz, by_sensor))
    return modes


def _keeps_its_shape(shapes: NDArray[np.complex128], line: int) -> bool:
    """Whether the lines beside a peak swing in the same shape."""
    return all(float(MAC(shapes[:, line], shapes[:, beside])) >= _SAME_SHAPE for beside in (line - 1, line + 1))


def _turned(vector: NDArray[np.complex128]) -> Array:
    """The vector turned so that it is real, as far as it is, with the farthest sensor at 1."""
    farthest = vector[int(np.argmax(np.abs(vector)))]
    return np.asarray((vector / farthest).real, dtype=np.float64)
