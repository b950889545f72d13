"""Gas in the ground and in manholes: later and thinner when farther, farther and faster under paving, never lost."""

import numpy as np
import pytest

from simulators.physics.gas_soil import Ground, arrived_share, left_share, settled_share
from simulators.physics.gas_spaces import Spaces, air_changes_per_h, filled

_OPEN, _PAVED = Ground("fill", is_paved=False), Ground("fill", is_paved=True)
_HOURS = np.arange(0, 72, 0.25)
_DRY = np.zeros(1)


def _settled(way_m: float, ground: Ground, rate_m3h: float = 5.0, wet: float = 0.0) -> float:
    return float(settled_share(way_m, np.array([rate_m3h]), ground, np.array([wet]))[0])


def _arrival_h(way_m: float, ground: Ground) -> float:
    return float(_HOURS[np.argmax(arrived_share(way_m, _HOURS * 3600, ground) > 0.2)])


@pytest.mark.parametrize("soil", ["sand", "fill", "clay"])
def test_gas_is_thinner_and_later_farther_off(soil: str) -> None:
    for is_paved in (True, False):
        ground = Ground(soil, is_paved)
        shares = [_settled(way_m, ground) for way_m in (3, 6, 12, 24)]
        assert shares == sorted(shares, reverse=True)
        assert 0 < shares[-1] < shares[0] <= 1
        arrivals = [_arrival_h(way_m, ground) for way_m in (4, 8, 12)]
        assert arrivals == sorted(arrivals)
        assert arrivals[-1] > arrivals[0]


def test_paving_carries_gas_three_to_four_times_as_far_and_as_fast() -> None:
    ways_m = np.arange(3.0, 80.0, 0.25)
    reach_m = [max(w for w in ways_m if _settled(float(w), ground) > 0.01) for ground in (_OPEN, _PAVED)]
    assert 2.5 < reach_m[1] / reach_m[0] < 4.5
    assert _arrival_h(10, _PAVED) < _arrival_h(10, _OPEN) / 2.5


def test_wet_ground_seals_like_paving() -> None:
    dry, wet, paved = _settled(12, _OPEN), _settled(12, _OPEN, wet=1.0), _settled(12, _PAVED)
    assert dry < wet == pytest.approx(paved)


def test_a_larger_leak_fills_more_of_the_ground() -> None:
    shares = [_settled(6, _PAVED, rate_m3h) for rate_m3h in (0.05, 0.2, 1.0, 5.0, 25.0)]
    assert shares == sorted(shares)
    assert shares[-1] > 3 * shares[0]


def test_nothing_arrives_before_the_leak_and_it_fades_after_the_repair() -> None:
    assert arrived_share(5, np.array([-600.0, 0.0]), _PAVED).tolist() == [0.0, 0.0]
    assert left_share(np.array([-1.0, 0.0, 4 * 3600.0, 40 * 3600.0])) == pytest.approx([1, 1, np.exp(-1), 0], abs=1e-4)


def test_gas_that_enters_spaces_stays_goes_on_or_is_aired_out() -> None:
    joints = np.array([[0, 1.2, 0], [1.2, 0, 0.4], [0, 0.4, 0]])
    spaces = Spaces(np.array([2.0, 3.0, 1.5]), joints)
    entering = np.zeros((200, 3, 1))
    entering[20:90, 0, 0] = 0.01
    aired = np.tile(np.array([0.1, 0.3, 0.0]), (200, 1))
    shares = filled(spaces, entering, aired, 0.1)[:, :, 0]
    held = shares @ spaces.volumes_m3
    gone = np.cumsum((shares * aired) @ spaces.volumes_m3 * 0.1)
    assert held + gone == pytest.approx(np.cumsum(entering.sum(axis=(1, 2)) * 0.1), abs=1e-12)
    assert shares.min() >= 0
    assert shares[100, 0] > shares[100, 1] > shares[100, 2] > 0
    assert [int(np.argmax(column > 0.002)) for column in shares.T] == sorted(
        int(np.argmax(column > 0.002)) for column in shares.T
    )


def test_wind_and_warmth_air_a_space() -> None:
    calm, windy = air_changes_per_h(0.3, np.array([0.5, 5.0]), np.zeros(2))
    cold, alike = air_changes_per_h(0.3, np.full(2, 2.0), np.array([12.0, 0.0]))
    assert windy > 2 * calm > 0
    assert cold > 1.3 * alike
