"""The rule of water leaks: where it applies, and what a person reads when a leak is found."""

from datetime import UTC, datetime, timedelta

import pytest

from services.alerts.lifelines import water
from services.alerts.lifelines.contract import Site
from services.alerts.lifelines.water_leaks import LEAK_SEARCH, by_model
from services.alerts.zone_engine import ZoneEngine
from services.core.finding import FindingState
from services.core.lifeline import Lifeline
from services.core.network_file import NetworkFile, NetworkFormat
from services.core.reading import Quality, Reading
from services.core.sensor import Sensor
from tests.unit.alerts.hydraulics.small_network import CHANNELS, MONDAY_S, network_text, rows

NETWORK = NetworkFile("town", NetworkFormat.EPANET, network_text())


def sensor(key: int, channel: tuple[str, str, str, str]) -> Sensor:
    name, quantity, asset, unit = channel
    return Sensor(
        id=name,
        key=key,
        lifeline=Lifeline.WATER,
        quantity=quantity,
        unit=unit,
        asset=asset,
        zone="town",
        longitude=0.0,
        latitude=0.0,
        interval=timedelta(minutes=30),
        gateway=None,
        plausible=(-1e6, 1e6),
    )


SENSORS = tuple(sensor(key, channel) for key, channel in enumerate(CHANNELS))


def test_it_applies_where_a_model_pressures_and_a_closed_balance_are() -> None:
    assert by_model(Site(SENSORS, NETWORK)) is not None
    assert by_model(Site(SENSORS)) is None
    assert by_model(Site(SENSORS[:3], NETWORK)) is None
    assert by_model(Site(SENSORS[:-1], NETWORK)) is None
    assert by_model(Site(SENSORS, NetworkFile("broken", NetworkFormat.EPANET, "[PIPES]\nx y\n[END]\n"))) is None


def test_a_leak_is_told_by_the_engine_with_its_pipe_and_flow_in_both_languages() -> None:
    learn_until = datetime.fromtimestamp(MONDAY_S + 4 * 86400, UTC)
    engine = ZoneEngine(
        "town", water.RULES, SENSORS, allowed_lateness=timedelta(0), network=NETWORK, learn_until=learn_until
    )
    findings = []
    for time_s, row in rows(5.4, {"south2_2": (15.0, 5.0, 9.0)}):
        time = datetime.fromtimestamp(time_s, UTC)
        readings = [
            Reading(sensor=each.id, time=time, value=value, quality=Quality.GOOD, received_at=time)
            for each, value in zip(SENSORS, row, strict=True)
        ]
        findings += engine.observe(readings)
    found = [each for each in findings if each.rule == LEAK_SEARCH.outcomes[0].name]
    assert [each.state for each in found[:1]] == [FindingState.RAISED]
    assert found[0].evidence["suspects"][0][0] == found[0].asset
    for text in (found[0].explanation.en, found[0].explanation.zh):
        assert found[0].asset in text
        assert "{" not in text
    assert "m3/h" in found[0].explanation.en
    assert found[0].evidence["seen"]["leak_m3h"] == pytest.approx(15, abs=4)
