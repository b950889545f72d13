"""Gateways of bridges keep raw vibration by the clock and after a blow; it tells frequencies and what lowers them."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from services.core.wire import parse_windows_topic
from simulators.city import City
from simulators.physics.vibration_windows import LENGTH, VibrationWindows, Window
from simulators.progress import Progress
from simulators.publisher import Play, messages
from simulators.scenario import BridgeCollision, Scenario, StiffnessLoss, load_scenario

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)


def scenario(*injections: BridgeCollision | StiffnessLoss) -> Scenario:
    return load_scenario("normal-day").model_copy(update={"injections": injections})


def lowest_hz(window: Window) -> float:
    power = np.abs(np.fft.rfft(window.samples.sum(axis=0))) ** 2
    frequencies_hz = np.fft.rfftfreq(window.samples.shape[1], 1 / window.rate_hz)
    band = (frequencies_hz > 1.2) & (frequencies_hz < 1.8)
    return float(np.average(frequencies_hz[band], weights=power[band]))


def test_each_bridge_keeps_a_window_an_hour_from_all_its_accelerometers(city: City, origin: datetime) -> None:
    vibration = VibrationWindows(city, scenario(), origin, 1)
    windows = vibration.ending(origin + _HOUR - _MINUTE, origin + _HOUR)
    assert {window.gateway for window in windows} == {"GW-B1-1", "GW-B2-1", "GW-B3-1"}
    assert all(len(window.sensors) == 3 and window.event is None for window in windows)
    assert all(window.start == origin + _HOUR - LENGTH for window in windows)
    assert vibration.ending(origin + _HOUR, origin + _HOUR + _MINUTE) == []
    again = VibrationWindows(city, scenario(), origin, 1).ending(origin + _HOUR - _MINUTE, origin + _HOUR)
    assert np.array_equal(windows[0].samples, again[0].samples)


def test_a_blow_is_kept_once_with_its_reason_and_is_larger_than_traffic(city: City, origin: datetime) -> None:
    blow = BridgeCollision(id="hit", kind="bridge-collision", asset="BR-2-S2", peak_m_s2=6.0, start_min=10, end_min=11)
    vibration = VibrationWindows(city, scenario(blow), origin, 1)
    kept = [
        window
        for minute in range(1, 60)
        for window in vibration.ending(origin + (minute - 1) * _MINUTE, origin + minute * _MINUTE)
    ]
    (hit,) = kept
    assert (hit.event, hit.gateway, hit.start) == ("collision", "GW-B2-1", origin + 10 * _MINUTE)
    assert np.abs(hit.samples[:, :40]).max() > 4 * np.abs(hit.samples[:, -2000:]).max()


def test_lost_stiffness_lowers_the_frequency_that_a_settled_support_leaves(city: City, origin: datetime) -> None:
    lost = StiffnessLoss(id="soft", kind="stiffness-loss", asset="BR-2-S2", share=0.3, start_min=0, end_min=600)

    def heard(plan: Scenario) -> float:
        vibration = VibrationWindows(city, plan, origin, 1)
        return lowest_hz(vibration.ending(origin + _HOUR, origin + 2 * _HOUR)[1])

    sound, settled = heard(scenario()), heard(load_scenario("settlement-over-cold-front"))
    assert settled == pytest.approx(sound, rel=0.002)
    assert heard(scenario(lost)) < 0.98 * sound


def test_a_city_of_bridges_alone_publishes_their_readings_and_windows_and_nothing_else(
    city: City, origin: datetime
) -> None:
    play = Play(city, scenario(), origin, 1, origin + 2 * _MINUTE, ("bridge",))
    sent = list(messages(play, Progress(city=city.id, scenario="normal-day", seed=1, origin=origin, published=origin)))
    assert [message.due for message in sent] == sorted(message.due for message in sent)
    windows = [gateway for message in sent if (gateway := parse_windows_topic(message.topic)) is not None]
    assert sorted(windows) == ["GW-B1-1", "GW-B2-1", "GW-B3-1"]
    assert all("/B" in message.topic or "GW-B" in message.topic for message in sent)
