"""The readings of a plan: a pure function of gateway and number, so that nothing sent has to be remembered."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.load.plan import LoadPlan

_MEAN_KPA = 200.0
_SPREAD_KPA = 1.0
CHANGE_KPA = 2.0
"""What a changed value differs by: more than all the spread, so that none equals another reading's."""
_DECIMALS = 3
_FRACTION_BITS = 53


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """Readings as arrays of one length; ``sensors`` are positions in the plan's names."""

    sensors: NDArray[np.int64]
    times_ms: NDArray[np.int64]
    values: NDArray[np.float64]
    late: NDArray[np.bool_]


class SensorGroup:
    """The sensors of one gateway, which number their readings together from 0: each sensor in turn."""

    def __init__(self, plan: LoadPlan, gateway: int) -> None:
        self._plan = plan
        self._gateway = gateway
        self._size = plan.sensors_of(gateway)

    def readings(self, numbers: NDArray[np.int64]) -> Readings:
        """The readings of some numbers; the pair of sensor and time is another one for each number."""
        plan = self._plan
        rounds, local = np.divmod(numbers, self._size)
        late = self._fraction(numbers, 1) < plan.shares.late
        # The odd millisecond keeps a late moment apart from every regular one.
        times_ms = plan.start_ms + rounds * plan.step_ms - late * (plan.late_ms + 1)
        values = np.round(_MEAN_KPA + _SPREAD_KPA * (self._fraction(numbers, 2) - 0.5), _DECIMALS)
        return Readings(local * plan.gateways + self._gateway, times_ms, values, late)

    def _fraction(self, numbers: NDArray[np.int64], stream: int) -> NDArray[np.float64]:
        """Between 0 and 1, evenly: SplitMix64 (Steele, Lea, Flood 2014) of the number in a stream of its own."""
        seed = np.random.SeedSequence([self._plan.seed, self._gateway, stream]).generate_state(1, np.uint64)
        with np.errstate(over="ignore"):
            mixed = seed + (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
            mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            mixed ^= mixed >> np.uint64(31)
        fraction: NDArray[np.float64] = (mixed >> np.uint64(64 - _FRACTION_BITS)) * 2.0**-_FRACTION_BITS
        return fraction
