"""The sheet for the crew: complete, in two languages, harmless, and only for who may read the alert."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from services.alerts.tracing.city_graph import CityGraph
from services.alerts.tracing.trace import trace
from services.core.alert import Alert
from services.core.asset import Asset
from services.core.city_folder import CityFolder
from services.core.lifeline import Lifeline
from services.core.store import alerts, audit
from services.core.text import Text
from tests.browser.chromium import CHROMIUM, opened_page
from tests.integration.api.harness import alert_at, client, connected

BUILDING = Asset(
    "B-1",
    Lifeline.GAS,
    "building",
    "G2",
    Text("School <of> Fire", "消防学校"),
    {"type": "Point", "coordinates": [0.0, 0.0]},
    None,
    {"use": "school", "people": 240},
)


def gas_alert(city: CityFolder, at: str) -> Alert:
    """A leak at the story's main, traced as the service traces it; ``at`` is where its alert is kept."""
    space = next(asset for asset in city.assets if asset.id == "US-041")
    school = replace(BUILDING, geometry=space.geometry)
    graph = CityGraph([*city.assets, school], city.links)
    evidence: dict[str, Any] = {
        "suspects": [["GP-041", 0.7], ["GP-042", 0.2], ["GP-040", 0.1]],
        "seen": {
            "causes": {"leak": 0.83, "sewage": 0.12, "device": 0.05},
            "spaces": {"US-041": {"excess_lel": 14.0, "peak_lel": 22.0}},
            "reasons": {"GP-041": {"en": "14 m from US-041", "zh": "距US-041约14米"}},
        },
    }
    sensors = tuple(sensor.sensor for sensor in city.sensors if sensor.asset == "US-041")
    alert = alert_at(at, lifeline=Lifeline.GAS, kind="gas-leak", zone="G2", sensors=sensors)
    alert = replace(alert, explanation=Text("Gas <leaks>", "燃气<泄漏>"))
    told = trace(graph, alert, evidence, dict.fromkeys(sensors, "US-041"))
    return replace(alert, trace=told)


@pytest.fixture(scope="module")
def mains(city: CityFolder) -> Iterator[str]:
    """Mains at which no test has an alert yet."""
    return iter([each.id for each in city.assets if each.lifeline is Lifeline.GAS and each.kind == "pipe"])


@pytest.fixture
async def alert(city_url: str, city: CityFolder, mains: Iterator[str]) -> Alert:
    leak = gas_alert(city, next(mains))
    async with connected(city_url) as connection:
        await alerts.add(connection, leak, audit.SYSTEM)
    return leak


async def page(api: httpx.AsyncClient, alert: Alert, lang: str) -> httpx.Response:
    response = await api.get(f"/alerts/{alert.id}/crew-page", params={"lang": lang})
    assert response.status_code == 200, response.text
    return response


async def test_the_page_tells_where_what_to_shut_what_to_sample_and_whom_to_call(
    api: httpx.AsyncClient, alert: Alert
) -> None:
    told = (await page(api, alert, "en")).text
    assert alert.trace is not None
    assert "GP-041" in told
    assert "70%" in told
    assert "14 m from US-041" in told
    for valve in alert.trace["isolation"]:
        assert valve in told, f"the valve {valve} has to be shut and is not on the page"
    assert alert.trace["gas"]["next_spaces"], "nothing to sample next"
    assert "US-043" in told
    assert "Keep clear" in told
    assert "leak 83%" in told
    assert "An estimate by a model" in told, "the radius must be called an estimate"
    assert "240" in told
    assert "<svg" in told
    assert any(character.isdigit() for character in told.split("Whom to call")[1]), "no phone number"


async def test_the_page_is_chinese_where_chinese_is_asked_for_and_by_default(
    api: httpx.AsyncClient, alert: Alert
) -> None:
    told = (await page(api, alert, "zh")).text
    assert 'lang="zh-CN"' in told
    assert "应关闭的阀门" in told
    assert "距US-041约14米" in told
    assert "Valves to shut" not in told
    plain = await api.get(f"/alerts/{alert.id}/crew-page")
    assert 'lang="zh-CN"' in plain.text


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_what_a_crew_takes_along_is_one_sheet_of_paper(api: httpx.AsyncClient, alert: Alert, lang: str) -> None:
    assert alert.trace is not None
    assert len(alert.trace["across"]["endangered"]) > 3, "the page is not as full as it gets"
    async with opened_page() as tab:
        await tab.set_content((await page(api, alert, lang)).text)
        printed = await tab.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1


async def test_the_page_holds_all_in_itself_and_escapes_what_it_is_told(api: httpx.AsyncClient, alert: Alert) -> None:
    response = await page(api, alert, "en")
    assert response.headers["content-type"].startswith("text/html")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
    assert response.headers["cache-control"] == "no-store"
    assert "Gas &lt;leaks&gt;" in response.text
    assert "<leaks>" not in response.text
    for foreign in ("http://", "https://", "src=", "<script", "@import", "url(http"):
        assert foreign not in response.text, f"the page reaches out: {foreign}"


async def test_other_lifelines_get_what_is_known(api: httpx.AsyncClient, city_url: str, asset: str) -> None:
    bare = alert_at(asset)
    async with connected(city_url) as connection:
        await alerts.add(connection, bare, audit.SYSTEM)
    told = (await page(api, bare, "en")).text
    assert "Pressure fell" in told
    assert "Crew sheet" in told


@pytest.mark.parametrize("who", [None, "nobody-known"])
async def test_who_has_no_key_gets_no_page(address: str, alert: Alert, who: str | None) -> None:
    async with client(address, who) as stranger:
        response = await stranger.get(f"/alerts/{alert.id}/crew-page")
    assert response.status_code == 401, "somebody without a key has read the page"


async def test_who_may_not_read_gets_no_page(address: str, alert: Alert) -> None:
    async with client(address, "handle") as handler:
        response = await handler.get(f"/alerts/{alert.id}/crew-page")
    assert response.status_code == 403, "a key without the permission to read has read the page"


async def test_an_unknown_alert_or_language_is_refused(api: httpx.AsyncClient, alert: Alert) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    assert (await api.get(f"/alerts/{unknown}/crew-page")).status_code == 404
    assert (await api.get(f"/alerts/{alert.id}/crew-page", params={"lang": "fr"})).status_code == 422


async def test_the_alert_itself_tells_the_same(api: httpx.AsyncClient, alert: Alert) -> None:
    answer = (await api.get(f"/alerts/{alert.id}")).json()["trace"]["gas"]
    assert answer["people"] == 240
    assert answer["radius_m"] >= 5
    assert answer["next_spaces"][0]["name"]["zh"]
    assert answer["causes"]["leak"] == 0.83


async def test_page_and_alert_tell_the_way_from_the_main_through_the_sewer_into_a_basement(
    api: httpx.AsyncClient, alert: Alert
) -> None:
    answer = (await api.get(f"/alerts/{alert.id}")).json()["trace"]["across"]
    basements = [each for each in answer["endangered"] if each["part"] == "basement"]
    ways = [each["path"]["en"] for each in basements if "down the sewer" in each["path"]["en"]]
    assert ways, answer["endangered"]
    assert ways[0].startswith("Gas main, Magnolia Road → 6 m through the ground → Sewer, Magnolia Road →")
    assert basements[0]["name"]["zh"]
    assert ways[0] in (await page(api, alert, "en")).text
    assert "波及的其他生命线" in (await page(api, alert, "zh")).text
