"""The bridge page in a real browser: grade and reasons, the proposal to close, heavy vehicles, tracked modes."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from services.core.alert import Alert
from services.core.bridge_mode import KnownMode, ModeSighting
from services.core.health_evaluation import BridgeFacts, StandingAlert, evaluate
from services.core.lifeline import Lifeline
from services.core.severity import Scheme, Severity
from services.core.store import alerts, audit, bridge_modes, health_evaluations, sensors
from services.core.text import Text
from tests.browser.chromium import PHONE, marks, opened_page
from tests.browser.conftest import sign_in
from tests.integration.api.harness import MOMENT, alert_at, connected
from tests.integration.api.measuring import GOOD, measure

PICTURES = Path(__file__).parents[2] / "test-results"
ZONE = "B2"
SETTLES = Text("Support settles", "支座沉降")
WEIGHED_T = (12.0, 61.5, 82.0)

pytestmark = marks


def settled() -> Alert:
    """An alert of the highest level at a bearing of the bridge."""
    return alert_at(
        "BR-2-E2",
        lifeline=Lifeline.BRIDGE,
        kind="bridge-settlement",
        zone=ZONE,
        sensors=(),
        severity=Severity.CRITICAL,
        highest_severity=Severity.CRITICAL,
        scheme=Scheme.BRIDGE,
    )


def modes() -> list[KnownMode]:
    return [
        KnownMode(
            number, frequency_hz, {"acc-1": 1.0, "acc-2": 0.4}, 24, 0, is_confirmed=True,
            first_seen_at=MOMENT - timedelta(days=1), last_seen_at=MOMENT,
        )
        for number, frequency_hz in ((1, 2.41), (2, 3.07))
    ]  # fmt: skip


def sightings() -> list[ModeSighting]:
    return [
        ModeSighting(mode.number, MOMENT - timedelta(hours=hour), mode.frequency_hz * (1 - 0.001 * hour), 0.98, None)
        for mode in modes()
        for hour in range(24)
    ]


async def write(url: str, alert: Alert) -> None:
    standing = StandingAlert(
        alert.id,
        alert.kind,
        SETTLES,
        alert.severity,
        sensor_fault=False,
        asset=alert.asset,
        started_at=alert.started_at,
    )
    before = evaluate(BridgeFacts(ZONE, 21, 21, [], 0), MOMENT - timedelta(hours=12))
    now = evaluate(BridgeFacts(ZONE, 21, 20, [standing], 2), MOMENT)
    async with connected(url) as connection:
        await alerts.add(connection, alert, audit.SYSTEM)
        for evaluation in (before, now):
            await health_evaluations.save(connection, evaluation)
        await bridge_modes.save(connection, ZONE, modes(), sightings())
        known = await sensors.load_sensors(connection)
    weighbridge = next(each for each in known if each.zone == ZONE and each.quantity == "vehicle_weight")
    await measure(url, weighbridge, *((60.0 * minute, weight_t, GOOD) for minute, weight_t in enumerate(WEIGHED_T)))


@pytest.fixture(scope="module")
def settlement(city_url: str) -> Alert:
    """A bridge with two evaluations, two heavy vehicles, two modes and an alert of the highest level."""
    alert = settled()
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(write(city_url, alert))
    return alert


async def test_a_bridge_is_told_with_its_grade_and_the_proposal_to_close(settlement: Alert, desk: Page) -> None:
    await desk.get_by_role("link", name="Bridges", exact=True).click()
    await desk.get_by_test_id(f"bridge-{ZONE}").click()
    now = desk.get_by_test_id("bridge-now")
    await expect(now.get_by_test_id("bridge-grade")).to_have_attribute("data-grade", "4")
    await expect(now).to_contain_text("20 of 21 sensors heard")
    await expect(now.get_by_test_id("bridge-reasons")).to_contain_text("Support settles at BR-2-E2")
    closure = desk.get_by_test_id("bridge-closure")
    await expect(closure).to_contain_text("Close this bridge to traffic?")
    await expect(desk.get_by_test_id("bridge-evaluations").locator("tbody tr")).to_have_count(2)
    await closure.get_by_role("link").click()
    await expect(desk.get_by_test_id("alert-headline")).to_be_visible()
    assert str(settlement.id) in desk.url
    await desk.get_by_test_id("bridge-link").click()
    await expect(desk.get_by_test_id("bridge-closure")).to_be_visible()


async def test_heavy_vehicles_and_modes_are_listed(settlement: Alert, desk: Page) -> None:
    assert settlement.zone == ZONE
    await desk.goto(f"{desk.url.split('#')[0]}#/bridges/{ZONE}")
    vehicles = desk.get_by_test_id("bridge-overloads").locator("tbody tr")
    await expect(vehicles).to_have_count(2)
    await expect(vehicles.first).to_contain_text("82")
    await expect(vehicles.first).to_contain_text("49%")
    mode = desk.get_by_test_id("bridge-mode")
    await expect(mode).to_have_count(2)
    await expect(mode.first).to_contain_text("2.41")
    await expect(mode.first).to_contain_text("0.98")


async def test_a_bridge_of_which_nothing_is_known_says_so(settlement: Alert, desk: Page) -> None:
    assert settlement.zone != "B1"
    await desk.goto(f"{desk.url.split('#')[0]}#/bridges/B1")
    page = desk.get_by_test_id("bridge-page")
    await expect(page).to_contain_text("Not evaluated yet")
    await expect(page).to_contain_text("No vehicle over the limit.")
    await expect(page).to_contain_text("No windows of raw vibration")


@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_it_reads_in_both_languages_and_themes_and_on_a_phone(
    settlement: Alert, address: str, theme: str
) -> None:
    assert settlement.zone == ZONE
    async with opened_page(viewport=PHONE, locale="zh-CN", color_scheme=theme) as page:
        await sign_in(page, address)
        await page.goto(f"{address}/#/bridges/{ZONE}")
        await expect(page.get_by_test_id("bridge-closure")).to_contain_text("建议封闭该桥交通", timeout=30_000)
        await expect(page.get_by_test_id("bridge-overloads")).to_contain_text("82")
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], "the page is wider than the phone"
        PICTURES.mkdir(exist_ok=True)
        await page.screenshot(path=PICTURES / f"bridge-zh-{theme}.png", full_page=True)
        await page.set_viewport_size({"width": 1280, "height": 1000})
        await page.evaluate("localStorage.setItem('lifeline.language', 'en')")
        await page.reload()
        await expect(page.get_by_test_id("bridge-closure")).to_contain_text("Close this bridge", timeout=30_000)
        await page.screenshot(path=PICTURES / f"bridge-en-{theme}.png", full_page=True)
