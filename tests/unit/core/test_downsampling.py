"""Few readings that stand for many."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.core.downsampling import FEWEST_POINTS, extremes, largest_triangles

Choose = Callable[[NDArray[np.int64], NDArray[np.float64], int], NDArray[np.intp]]
SHAPES = pytest.mark.parametrize("choose", [largest_triangles, extremes])
POINTS = st.integers(FEWEST_POINTS, 60)


@st.composite
def series(draw: st.DrawFn) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Ascending epoch microseconds, with holes, and finite values, with stretches of equal ones."""
    steps = draw(st.lists(st.integers(1, 10**9), min_size=1, max_size=300))
    value = st.one_of(st.floats(-1e12, 1e12), st.sampled_from([0.0, 1.0]))
    values = draw(st.lists(value, min_size=len(steps), max_size=len(steps)))
    return np.cumsum(steps) + 1_784_000_000_000_000, np.array(values, np.float64)


@SHAPES
@given(given_series=series(), points=POINTS)
@settings(deadline=None)
def test_chosen_positions_ascend_and_hold_both_ends(
    choose: Choose, given_series: tuple[NDArray[np.int64], NDArray[np.float64]], points: int
) -> None:
    times, values = given_series
    positions = choose(times, values, points)
    assert np.all(np.diff(positions) > 0)
    assert (positions[0], positions[-1]) == (0, len(values) - 1)
    assert len(positions) <= points


@SHAPES
@given(given_series=series(), points=POINTS)
@settings(deadline=None)
def test_no_more_readings_than_points_are_all_chosen(
    choose: Choose, given_series: tuple[NDArray[np.int64], NDArray[np.float64]], points: int
) -> None:
    times, values = given_series[0][:points], given_series[1][:points]
    assert choose(times, values, points).tolist() == list(range(len(values)))


@given(given_series=series(), points=POINTS)
@settings(deadline=None)
def test_largest_triangles_are_as_many_as_asked_for(
    given_series: tuple[NDArray[np.int64], NDArray[np.float64]], points: int
) -> None:
    times, values = given_series
    assert len(largest_triangles(times, values, points)) == min(points, len(values))


@given(given_series=series(), points=POINTS)
@settings(deadline=None)
def test_extremes_hold_the_lowest_and_the_highest_value(
    given_series: tuple[NDArray[np.int64], NDArray[np.float64]], points: int
) -> None:
    times, values = given_series
    chosen = values[extremes(times, values, points)]
    assert (chosen.min(), chosen.max()) == (values.min(), values.max())


def test_extremes_keep_every_spike_that_stands_in_a_stretch_of_its_own() -> None:
    times = np.arange(10_000, dtype=np.int64) * 1_000_000
    values = np.zeros(10_000)
    spikes = [150, 4_150, 7_150, 9_150]
    values[spikes] = [5.0, -5.0, 9.0, 1.0]
    assert set(spikes) <= set(extremes(times, values, 102).tolist())


def test_largest_triangles_keep_the_corners_of_a_line() -> None:
    """A triangle wave of four corners: exactly they are worth keeping."""
    times = np.arange(401, dtype=np.int64) * 1_000_000
    values = np.abs((np.arange(401) % 200) - 100).astype(np.float64)
    chosen = largest_triangles(times, values, 9).tolist()
    assert {100, 200, 300} & set(chosen)
    rebuilt = np.interp(times, times[chosen], values[chosen])
    every_fiftieth = np.interp(times, times[::50], values[::50])
    assert np.abs(rebuilt - values).max() < 30
    assert np.abs(every_fiftieth - values).max() == 0


@SHAPES
@pytest.mark.parametrize("points", [0, 1, FEWEST_POINTS - 1])
def test_too_few_points_are_refused(choose: Choose, points: int) -> None:
    with pytest.raises(ValueError, match=f"{points} points are fewer than {FEWEST_POINTS}"):
        choose(np.arange(9, dtype=np.int64), np.zeros(9), points)


@SHAPES
def test_nothing_gives_nothing(choose: Choose) -> None:
    assert len(choose(np.array([], np.int64), np.array([], np.float64), FEWEST_POINTS)) == 0
