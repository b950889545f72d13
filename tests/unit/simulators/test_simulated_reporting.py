"""Devices report at the interval they are asked for, and a restart measures at the same instants again."""

from datetime import datetime, timedelta

import pytest

from services.core.wire import WireAnswer, WireCommand
from simulators.city import City
from simulators.progress import Asked, Checkpoint, Journal, Progress
from simulators.reporting import Reporting

_MINUTE = timedelta(minutes=1)


def _command(sensor: str, interval_s: float, ident: str = "1") -> WireCommand:
    return WireCommand(id=ident, sensor=sensor, interval_s=interval_s)


def _manhole(city: City) -> tuple[str, str]:
    sensor = next(s for s in city.sensors if s.quantity == "manhole_level")
    return sensor.id, sensor.gateway


def test_a_wish_counts_from_the_next_measuring_instant_on_and_is_kept_with_it(city: City, origin: datetime) -> None:
    sensor, gateway = _manhole(city)
    kept: list[Asked] = []
    reporting = Reporting(city, (), kept.append)
    assert not reporting.begin(origin)
    assert reporting.ask(gateway, _command(sensor, 60)) == WireAnswer(id="1", done=True)
    assert reporting.begin(origin + _MINUTE) == {sensor: 60}
    assert kept == [Asked(since=origin + _MINUTE, sensor=sensor, interval_s=60)]


def test_a_command_that_comes_again_is_answered_and_kept_once(city: City, origin: datetime) -> None:
    sensor, gateway = _manhole(city)
    kept: list[Asked] = []
    reporting = Reporting(city, (), kept.append)
    answers = [reporting.ask(gateway, _command(sensor, 60)) for _ in range(3)]
    reporting.begin(origin)
    assert [answer.done for answer in answers] == [True, True, True]
    assert len(kept) == 1


@pytest.mark.parametrize(
    ("whose", "interval_s", "reason"),
    [
        ("another gateway's", 60, "is not measured here"),
        ("nobody's", 60, "is not measured here"),
        ("its own", 90, "reports every 60 s or a multiple of it"),
    ],
)
def test_what_a_device_cannot_do_is_refused_with_the_reason(
    city: City, origin: datetime, whose: str, interval_s: float, reason: str
) -> None:
    own, gateway = _manhole(city)
    reporting = Reporting(city)
    command = _command("X-1" if whose == "nobody's" else own, interval_s)
    answer = reporting.ask("G-1" if whose == "another gateway's" else gateway, command)
    assert not answer.done
    assert answer.reason is not None
    assert reason in answer.reason
    assert not reporting.begin(origin), "a refused wish was carried out"


def test_after_a_restart_each_wish_counts_from_the_instant_from_which_it_did(city: City, origin: datetime) -> None:
    sensor, gateway = _manhole(city)
    asked = (
        Asked(since=origin + 2 * _MINUTE, sensor=sensor, interval_s=60),
        Asked(since=origin + 4 * _MINUTE, sensor=sensor, interval_s=300),
    )
    kept: list[Asked] = []
    reporting = Reporting(city, asked, kept.append)
    reporting.ask(gateway, _command(sensor, 60, "2"))
    intervals = [reporting.begin(origin + k * _MINUTE).get(sensor) for k in range(1, 6)]
    assert intervals == [None, 60, 60, 60, 60]
    assert kept == [Asked(since=origin + 4 * _MINUTE, sensor=sensor, interval_s=60)]


def test_the_journal_forgets_what_no_longer_counts(origin: datetime) -> None:
    fresh = Progress(city="demo", scenario="story", seed=1, origin=origin, published=origin)
    saved = Checkpoint(time=origin + 10 * _MINUTE, state={})
    journal = Journal(None, fresh.model_copy(update={"checkpoint": saved}), lambda: 0.0)
    for minute, interval_s in ((5, 60), (8, 300), (12, 60), (14, 300)):
        journal.keep(Asked(since=origin + minute * _MINUTE, sensor="a", interval_s=interval_s))
    assert [each.interval_s for each in journal.progress.asked] == [60, 300]
    assert journal.progress.asked[0].since == origin + 12 * _MINUTE
