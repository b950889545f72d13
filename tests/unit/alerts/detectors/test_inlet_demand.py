"""What usually flows in at a half hour of the week, and what more says about a leak."""

import json
from math import sin, tau

import numpy as np
import pytest

from services.alerts.detectors.inlet_demand import InletDemand
from services.alerts.detectors.running_covariance import Array

DAY = 48
HALF_HOUR_S = 1800.0
MEAN = 100.0


def usual_flow(row: int, rng: np.random.Generator) -> float:
    return float(MEAN * (1 + 0.5 * sin(tau * row / DAY)) * (1 + rng.normal(0, 0.01)))


def taught(days: int = 28) -> tuple[InletDemand, np.random.Generator]:
    rng = np.random.default_rng(4)
    demand = InletDemand()
    for row in range(days * DAY):
        demand.take(row * HALF_HOUR_S, usual_flow(row, rng), ordinary=True)
    return demand, rng


def spans(demand: InletDemand, flows: list[float], first: int) -> tuple[Array, Array]:
    """Lengths and sums from one and three days before the last row."""
    rows = np.array([demand.sums_of_row((first + row) * HALF_HOUR_S, flow, MEAN) for row, flow in enumerate(flows)])
    return np.array([DAY, len(flows)]), np.array([rows[-DAY:].sum(axis=0), rows.sum(axis=0)])


def test_it_learns_the_noise_about_the_usual_week() -> None:
    demand, _ = taught()
    assert demand.noise**0.5 == pytest.approx(0.01, rel=0.3)


def test_a_leak_of_a_day_is_seen_with_its_size() -> None:
    demand, rng = taught()
    flows = [usual_flow(row, rng) + (8.0 if row >= 2 * DAY else 0.0) for row in range(3 * DAY)]
    inflow = demand.inflow(*spans(demand, flows, 28 * DAY), 1, MEAN)
    assert inflow.moment[0] / inflow.precision[0] == pytest.approx(8.0, rel=0.3)
    assert inflow.evidence(np.array([[8.0]]))[0, 0] == pytest.approx(inflow.most[0])


def test_it_never_says_more_than_that_the_customers_may_have_changed() -> None:
    demand, rng = taught()
    flows = [usual_flow(row, rng) * (3.0 if row >= 2 * DAY else 1.0) for row in range(3 * DAY)]
    inflow = demand.inflow(*spans(demand, flows, 28 * DAY), 1, MEAN)
    assert np.abs(inflow.evidence(np.array([[-500.0, 1.0, 200.0]]))).max() <= np.log(30)


def test_without_rows_before_a_span_only_its_own_nights_tell() -> None:
    demand, rng = taught()
    flows = [usual_flow(row, rng) * 1.05 for row in range(3 * DAY)]
    inflow = demand.inflow(*spans(demand, flows, 28 * DAY), 2, MEAN)
    assert abs(inflow.moment[1] / inflow.precision[1]) < 2.0


def test_days_with_fewer_customers_in_some_hours_count_less() -> None:
    demand, rng = taught()
    assert demand.trust == 1.0
    for row in range(28 * DAY, 29 * DAY):
        flow = usual_flow(row, rng) * (0.8 if row % DAY < DAY // 2 else 1.1)
        demand.take(row * HALF_HOUR_S, flow, ordinary=True)
    assert demand.trust < 0.2


def test_more_flow_alone_is_no_reason_to_count_a_day_less() -> None:
    demand, rng = taught()
    for row in range(28 * DAY, 29 * DAY):
        demand.take(row * HALF_HOUR_S, usual_flow(row, rng) + 10.0, ordinary=True)
    assert demand.trust == 1.0


def test_after_a_leak_it_waits_before_it_speaks_of_seasons_again() -> None:
    demand, rng = taught()
    assert demand.knows_seasons
    first = 28 * DAY
    demand.take(first * HALF_HOUR_S, usual_flow(first, rng), ordinary=False)
    for row in range(first + 1, first + 13 * DAY):
        demand.take(row * HALF_HOUR_S, usual_flow(row, rng), ordinary=True)
    assert not demand.knows_seasons


def test_going_on_from_a_kept_state_changes_nothing() -> None:
    demand, rng = taught(20)
    other = InletDemand()
    other.restore(json.loads(json.dumps(demand.state(), allow_nan=False)))
    for row in range(20 * DAY, 21 * DAY):
        flow = usual_flow(row, rng)
        for each in (demand, other):
            each.take(row * HALF_HOUR_S, flow, ordinary=True)
    assert other.state() == demand.state()
