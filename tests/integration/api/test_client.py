"""The typed client with the real service: every answer fits, changes are done once, live events go on."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from services.client import AsyncClient, AwayError, Choice, Client, ProblemError, calls
from services.client.answers import AlertAnswer
from services.core.alert import Alert
from services.core.sensor import Sensor
from services.core.store import alerts, audit
from tests.docs.published import ROOT
from tests.fixtures.proxy import Proxy
from tests.integration.api.harness import alert_at, connected, key_of, serving
from tests.integration.api.measuring import GOOD, at, measure


async def saved(url: str, asset: str) -> Alert:
    alert = alert_at(asset)
    async with connected(url) as connection:
        await alerts.add(connection, alert, audit.SYSTEM)
    return alert


@pytest.fixture
def service(address: str) -> Iterator[Client]:
    with Client(address, key_of("everything")) as client:
        yield client


def test_a_list_is_followed_over_its_pages(service: Client) -> None:
    few = [sensor.id for sensor in service.all(calls.sensors(limit=7, lifeline="bridge"))]
    assert few == [sensor.id for sensor in service.all(calls.sensors(lifeline="bridge"))]
    assert len(few) > 14


async def test_what_is_known_of_the_city_is_read(service: Client, city_url: str, sensor: Sensor, asset: str) -> None:
    await measure(city_url, sensor, (0, 4.0, GOOD), (60, 5.0, GOOD))
    assert service.ask(calls.me()).permissions
    assert {lifeline.id for lifeline in service.ask(calls.lifelines())} >= {"gas", "water"}
    assert asset in {feature.properties.id for feature in service.ask(calls.assets(lifeline="water")).features}
    assert service.ask(calls.sensor(sensor.id)).zone == sensor.zone
    assert service.ask(calls.latest_of(sensor.id)).value == 5.0
    assert {value.sensor: value.value for value in service.all(calls.latest())}[sensor.id] == 5.0
    history = service.ask(calls.history(sensor.id, start=at(-60), end=at(120), points=10))
    assert sum(point.count for point in history.points) == 2


async def test_a_work_order_is_handled_to_its_end(service: Client, city_url: str, asset: str) -> None:
    alert = await saved(city_url, asset)
    assert service.ask(calls.alert(alert.id)).asset == asset
    warning = service.ask(calls.publish(alert.id, 3))
    assert [warning] == list(service.all(calls.warnings(alert=alert.id)))
    assert service.ask(calls.warning(warning.id)) == warning
    (order,) = service.all(calls.work_orders(alert=alert.id))
    while order.moves[0] != "hand-back":
        order = service.ask(calls.move_order(order.id, order.moves[0], version=order.version))
    order = service.ask(calls.hand_back(order.id, "Found and repaired.", version=order.version))
    assert (order.state, order.feedback) == ("handled", "Found and repaired.")
    assert service.ask(calls.work_order(order.id)) == order
    assert all(told.subject_kind for told in service.all(calls.notifications(subject=warning.id)))
    assert list(service.all(calls.rejections())) == []


async def test_a_change_of_what_somebody_else_changed_is_refused(service: Client, city_url: str, asset: str) -> None:
    seen = service.ask(calls.alert((await saved(city_url, asset)).id))
    changed = service.ask(calls.acknowledge(seen.id, note="on my way", version=seen.version))
    assert (changed.state, changed.acknowledged_by) == ("acknowledged", "everything")
    assert service.ask(calls.comment(seen.id, "valve 7 is stuck")).text == "valve 7 is stuck"
    with pytest.raises(ProblemError) as raised:
        service.ask(calls.judge(seen.id, "true-alarm", "seen on site", version=seen.version))
    assert raised.value.problem.status == 412
    judged = service.ask(calls.judge(seen.id, "true-alarm", "seen on site", version=changed.version))
    assert judged.verdict == "true-alarm"


async def test_a_refusal_says_which_field_is_wrong_and_what_the_log_calls_it(address: str) -> None:
    async with AsyncClient(address, key_of("everything")) as service:
        with pytest.raises(ProblemError) as raised:
            [alert async for alert in service.all(calls.alerts(severity=99))]
        problem = raised.value.problem
        assert problem.status == 422
        assert problem.errors is not None
        assert problem.errors[0].field == "query.severity"
        assert problem.request_id
        with pytest.raises(ProblemError) as raised:
            await service.ask(calls.alert(uuid4()))
        assert raised.value.problem.type == "not-found"


@pytest.mark.parametrize("page", ["client.md", "client.zh-CN.md"])
async def test_the_example_of_the_guide_runs(
    address: str, city_url: str, asset: str, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    alert = await saved(city_url, asset)
    monkeypatch.setenv("LIFELINE_API_URL", address)
    monkeypatch.setenv("LIFELINE_API_KEY", key_of("everything"))
    found = re.search(r"```python\n(.*?)```", (ROOT / "docs" / page).read_text("utf-8"), re.DOTALL)
    assert found is not None
    program = [sys.executable, "-c", found[1]]
    ended = await asyncio.to_thread(subprocess.run, program, cwd=ROOT, capture_output=True, text=True, check=True)
    explanation = alert.explanation.zh if "zh" in page else alert.explanation.en
    assert f" {asset} {explanation}\n" in ended.stdout


async def test_a_call_that_comes_too_soon_is_sent_again_when_the_service_says(city_url: str) -> None:
    with serving(city_url, call_rate=2, call_burst=2) as busy:
        with Client(busy, key_of("everything")) as patient:
            assert len({patient.ask(calls.me()).name for _ in range(5)}) == 1
        async with AsyncClient(busy, key_of("everything")) as patient_too:
            assert len({(await patient_too.ask(calls.me())).name for _ in range(3)}) == 1
        with Client(busy, key_of("everything"), patience_s=0) as impatient, pytest.raises(ProblemError) as raised:
            list(map(impatient.ask, [calls.me()] * 5))
        assert raised.value.problem.type == "too-many"


def test_a_service_that_is_not_there_is_away() -> None:
    with Client("http://127.0.0.1:9", None) as nobody, pytest.raises(AwayError):
        nobody.ask(calls.me())


async def test_live_events_go_on_where_the_connection_broke(
    address: str, city_url: str, city_assets: list[str]
) -> None:
    seen: list[str] = []
    way = Proxy("127.0.0.1", urlsplit(address).port or 0)
    await way.open()
    async with AsyncClient(f"http://127.0.0.1:{way.port}", key_of("everything")) as service:
        first, second = await saved(city_url, city_assets[0]), city_assets[1]
        # From the beginning, so that it does not matter which is faster: the stream or the alert.
        async for event in service.events(Choice(types=["alert"]), after="0-0"):
            assert isinstance(event.content, AlertAnswer)
            seen.append(event.content.asset)
            if event.content.id == first.id:
                await way.close()
                await saved(city_url, second)
                await way.open()
            if event.content.asset == second:
                break
    await way.close()
    assert seen[-2:] == [first.asset, second]
    assert seen.count(first.asset) == 1
