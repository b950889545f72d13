"""Between sensor and broker: failing devices, silent gateways, batches that come late."""

from datetime import datetime, timedelta

from simulators.city import City
from simulators.delivery import SINGLE_QUANTITIES, Batch, Field
from simulators.scenario import load_scenario

_MINUTE = timedelta(minutes=1)


def _batches(
    city: City, scenario: str, origin: datetime, minutes: int, lifelines: tuple[str, ...] | None = None
) -> list[Batch]:
    field = Field(city, load_scenario(scenario), origin, 1, lifelines)
    return [batch for k in range(minutes + 1) for batch in field.step(origin + k * _MINUTE)]


def test_batches_leave_in_order_after_they_were_measured(city: City, origin: datetime) -> None:
    batches = _batches(city, "normal-day", origin, 6)
    dues = [batch.due for batch in batches]
    assert dues == sorted(dues)
    assert all(timedelta(0) < b.due - r.time < timedelta(seconds=10) for b in batches for r in b.readings)


def test_devices_with_their_own_modem_send_single_readings(city: City, origin: datetime) -> None:
    for batch in _batches(city, "normal-day", origin, 1):
        quantities = {city.sensor[r.sensor].quantity for r in batch.readings}
        if batch.gateway is None:
            assert len(batch.readings) == 1
            assert quantities <= SINGLE_QUANTITIES
        else:
            assert not quantities & SINGLE_QUANTITIES
            assert {city.sensor[r.sensor].gateway for r in batch.readings} == {batch.gateway}


def test_a_silent_gateway_sends_what_it_kept_before_anything_newer(city: City, origin: datetime) -> None:
    of_city = _batches(city, "gateway-outage", origin, 40, ("drainage",))
    batches = [b for b in of_city if b.gateway == "GW-D1-1"]
    start, end = origin + 10 * _MINUTE, origin + 32 * _MINUTE
    assert not [b for b in batches if start <= b.due < end]
    late, newer = [b for b in batches if b.due >= end][:2]
    assert min(r.time for r in late.readings) == start
    assert max(r.time for r in late.readings) == end - _MINUTE
    assert {r.time for r in newer.readings} == {end}
    assert late.due < newer.due


def test_an_outage_delays_readings_and_changes_none(city: City, origin: datetime) -> None:
    def readings(scenario: str) -> set[tuple[str, datetime, float]]:
        batches = _batches(city, scenario, origin, 40, ("drainage",))
        every = [(r.sensor, r.time, r.value) for b in batches for r in b.readings]
        assert len(every) == len(set(every))
        return set(every)

    assert readings("gateway-outage") == readings("normal-day")


def test_failing_sensors_lie_each_in_its_own_way_and_recover(city: City, origin: datetime) -> None:
    def series(scenario: str, sensor: str) -> dict[int, float]:
        found = [r for b in batches[scenario] for r in b.readings if r.sensor == sensor]
        return {round((r.time - origin) / _MINUTE): r.value for r in found}

    watched = ("gas", "bridge", "water")
    batches = {
        name: _batches(city, name, origin, 140, watched)
        for name in ("normal-day", "failing-sensors", "drifting-sensor")
    }
    stuck = series("failing-sensors", "G1-P-001")
    assert len({stuck[k] for k in range(10, 130)}) == 1
    assert len({stuck[k] for k in range(130, 140)}) > 3
    drift, true = series("drifting-sensor", "B1-D-002"), series("normal-day", "B1-D-002")
    assert 3.9 < drift[70] - true[70] < 4.1
    assert drift[130] == true[130]
    out = series("failing-sensors", "W1-P-003")
    assert {out[k] for k in range(10, 130, 5)} == {-9999.0}
    spiky, calm = series("failing-sensors", "G3-F-001"), series("normal-day", "G3-F-001")
    spikes = [k for k in spiky if spiky[k] - calm[k] > 300]
    assert 20 <= len(spikes) <= 60
    assert all(10 <= k < 130 for k in spikes)
