"""The world is a function of city, scenario, origin, seed and times."""

import json
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from simulators.city import City
from simulators.delivery import Batch, Field
from simulators.physics.rain_radar import HORIZONS_MIN
from simulators.physics.world import World
from simulators.scenario import load_scenario

_MINUTE = timedelta(minutes=1)


def _values(city: City, origin: datetime, seed: int, minutes: int = 30) -> list[dict[str, float]]:
    world = World(city, load_scenario("story"), origin, seed)
    return [world.step(origin + k * _MINUTE) for k in range(minutes)]


def test_the_same_seed_gives_the_same_values(city: City, origin: datetime) -> None:
    assert _values(city, origin, 1) == _values(city, origin, 1)


def test_another_seed_gives_other_values(city: City, origin: datetime) -> None:
    one, other = _values(city, origin, 1, 1)[0], _values(city, origin, 2, 1)[0]
    dry = {"rain_intensity", *HORIZONS_MIN}
    same = [s for s in one if one[s] == other[s] and city.sensor[s].quantity not in dry]
    assert len(same) < 0.15 * len(one)


def test_a_sensor_reports_at_its_own_interval(city: City, origin: datetime) -> None:
    world = World(city, load_scenario("normal-day"), origin, 1)
    read = {s.id for s in city.sensors if s.is_read}
    assert set(world.step(origin)) == read
    fast = {s.id for s in city.sensors if s.interval_s == 60 and s.is_read}
    assert set(world.step(origin + _MINUTE)) == fast
    assert set(world.step(origin + 5 * _MINUTE)) == read


def test_values_do_not_repeat_one_another_for_long(city: City, origin: datetime) -> None:
    """A device that repeats itself is broken; a healthy one must not look like it.

    Excepted are dry rain gauges, forecasts of no rain, and pumps and gates at rest.
    """
    world = World(city, load_scenario("normal-day"), origin, 1)
    rows = [world.step(origin + 5 * k * _MINUTE) for k in range(72)]
    for sensor in (each for each in city.sensors if each.is_read):
        if sensor.quantity in {"rain_intensity", "pump_state", "gate_position", *HORIZONS_MIN}:
            continue
        longest = run = 1
        for earlier, later in pairwise(rows):
            run = run + 1 if earlier[sensor.id] == later[sensor.id] else 1
            longest = max(longest, run)
        assert longest <= 4, sensor.id


@pytest.mark.parametrize("pause", [0, 83, 133])
def test_a_restored_simulation_goes_on_exactly_as_an_uninterrupted_one(
    city: City, origin: datetime, pause: int
) -> None:
    """The pauses lie before, in and after bursts, leaks, rain, stuck sensors and a held back gateway."""
    plan = load_scenario("story")
    whole = Field(city, plan, origin, 1)
    expected: list[list[Batch]] = []
    for k in range(pause + 11):
        batches = whole.step(origin + k * _MINUTE)
        if k == pause:
            saved = json.loads(json.dumps(whole.state()))
        elif k > pause:
            expected.append(batches)
    resumed = Field(city, plan, origin, 1)
    resumed.restore(saved)
    assert [resumed.step(origin + (pause + 1 + k) * _MINUTE) for k in range(10)] == expected


def test_the_story_is_normal_again_twenty_minutes_before_it_ends(city: City, origin: datetime) -> None:
    story = World(city, load_scenario("story"), origin, 1)
    quiet = World(city, load_scenario("normal-day"), origin, 1)
    highest: dict[str, float] = {}
    for k in range(221):
        with_story = story.step(origin + k * _MINUTE)
        highest |= {ident: max(value, highest.get(ident, value)) for ident, value in with_story.items()}
        without = quiet.step(origin + k * _MINUTE)
    tolerance = {
        "methane": 2.0,  # soil gas lingers for hours; the lowest limit is 5 %LEL
        "road_depth": 1.0,
        "pressure": 4.0,
        "flow": 25.0,
        "manhole_level": 0.15,
    }
    for ident, value in with_story.items():
        quantity = city.sensor[ident].quantity
        allowed = tolerance.get(quantity, 0.05 * abs(without[ident]) + 4)
        if quantity == "sewer_flow":
            # Sewers drain for hours: what is left then is a small part of what the storm brought.
            allowed = max(80.0, 0.02 * highest[ident])
        assert value == pytest.approx(without[ident], abs=allowed), ident
