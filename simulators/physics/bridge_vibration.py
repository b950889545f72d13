"""What accelerometers on a deck record while traffic and wind shake it, and after a blow.

Each mode is an oscillator under white noise or an impulse, sampled exactly; the accelerometers see their sum and add
noise of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from simulators.noise import Vector
from simulators.physics.bridge_model import DeckModel

_DAMPING = 0.012
"""Share of critical damping, usual for concrete decks."""
_TRAFFIC_N = 1500.0
_MODES = 6


@dataclass(frozen=True, slots=True)
class Shaking:
    """How a window is recorded.

    ``softening`` multiplies all frequencies, as the weather does; ``blow_ns`` is an impulse (N·s) at the node
    ``blow_node`` when the window begins; ``noise_m_s2`` is that of an accelerometer.
    """

    rate_hz: float = 20.0
    seconds: float = 600.0
    softening: float = 1.0
    blow_ns: float = 0.0
    blow_node: int = 0
    noise_m_s2: float = 0.0004


def accelerations(model: DeckModel, nodes: Sequence[int], shaking: Shaking, rng: np.random.Generator) -> Vector:
    """Samples (m/s2) with a row for each node; the same generator state gives the same."""
    count = round(shaking.rate_hz * shaking.seconds)
    frequencies_hz, shapes = model.swinging(_MODES)
    recorded = shaking.noise_m_s2 * rng.standard_normal((len(nodes), count))
    pushes = _TRAFFIC_N * rng.standard_normal((len(shapes), count))
    pushes[shaking.blow_node, 0] += shaking.blow_ns * shaking.rate_hz
    for frequency_hz, shape in zip(frequencies_hz * shaking.softening, shapes.T, strict=True):
        if frequency_hz < shaking.rate_hz / 2:
            swing = _oscillated(shape @ pushes, float(frequency_hz), shaking.rate_hz)
            recorded += np.outer(shape[list(nodes)], swing)
    return np.asarray(recorded, dtype=np.float64)


def _oscillated(push: Vector, frequency_hz: float, rate_hz: float) -> Vector:
    """Acceleration of an oscillator of 1 kg under a push (N) that is held from sample to sample."""
    angular = 2 * np.pi * frequency_hz
    decay = np.exp(-_DAMPING * angular / rate_hz)
    turn = angular * np.sqrt(1 - _DAMPING**2) / rate_hz
    poles = [1.0, -2 * decay * np.cos(turn), decay**2]
    swung: Vector = np.asarray(lfilter([1.0, -2.0, 1.0], poles, push), dtype=np.float64)
    return swung
