"""The wall, incidents and plans, the history of sensors, assets and the trail in a real browser."""

import re
from collections.abc import AsyncIterator, Sequence

import pytest
from playwright.async_api import Page, expect
from psycopg import AsyncConnection

from services.core.alert import Alert
from services.core.sensor import Sensor
from services.core.store import sensors
from tests.benchmarks.api.dashboard import bundle_kb
from tests.browser.chromium import marks, opened_page
from tests.browser.conftest import sign_in
from tests.integration.api.harness import client, connected
from tests.integration.api.measuring import GOOD, measure

pytestmark = [*marks, pytest.mark.timeout(240)]

WEEK_S = 7 * 86_400


async def test_the_wall_counts_what_is_open_and_how_long_it_waits(
    desk: Page, address: str, standing_alerts: Sequence[Alert]
) -> None:
    await desk.goto(f"{address}/#/wall")
    await expect(desk.get_by_test_id("wall-count-4")).to_have_attribute("data-count", "1")
    await expect(desk.get_by_test_id("wall-count-1")).to_have_attribute("data-count", "1")
    rows = desk.get_by_test_id("wall-alert")
    await expect(rows).to_have_count(len(standing_alerts))
    await expect(rows.first).to_have_attribute("data-alert", str(standing_alerts[0].id))
    await expect(rows.first.locator("[data-waits='acknowledge']")).to_be_visible()
    smallest = await desk.evaluate(
        "Math.min(...[...document.querySelectorAll('.wall-side li, .wall-lifelines li')]"
        ".map((one) => parseFloat(getComputedStyle(one).fontSize)))"
    )
    assert smallest >= 18, "letters of a wall of 1080 lines are read from five metres"
    moving = await desk.evaluate("document.getAnimations().filter((one) => one.playState === 'running').length")
    assert moving == 0, "nothing blinks without a reason"


async def test_an_exercise_of_a_plan_is_marked_and_ticked_off_step_by_step(desk: Page, address: str) -> None:
    await desk.goto(f"{address}/#/plans/default-gas-leak")
    await expect(desk.get_by_test_id("plan-page")).to_be_visible(timeout=20_000)
    async with client(address) as caller:
        asset = (await caller.get("/assets", params={"lifeline": "gas"})).json()["features"][0]["properties"]["id"]
    await desk.get_by_test_id("exercise-asset").fill(asset)
    await desk.get_by_test_id("exercise-begin").click()
    await desk.get_by_test_id("exercise-begin-sure").click()
    await expect(desk.get_by_test_id("incident-page")).to_have_attribute("data-exercise", "true", timeout=20_000)
    running = desk.get_by_test_id("activation")
    await expect(running).to_have_attribute("data-exercise", "true")
    steps = running.get_by_test_id("plan-step")
    await steps.first.get_by_test_id("plan-step-tick").click()
    await expect(steps.first).to_have_attribute("data-done", "true")
    await expect(steps.nth(1)).to_have_attribute("data-done", "false")
    await running.get_by_test_id("plan-end").click()
    await running.get_by_test_id("plan-end-reason").fill("exercise over")
    await running.get_by_test_id("plan-end-save").click()
    await expect(running).to_have_attribute("data-running", "false")
    await desk.get_by_test_id("to-plans").click()
    await expect(desk.get_by_test_id("plan-row").first).to_be_visible()


async def _of_one_unit(connection: AsyncConnection) -> AsyncIterator[Sensor]:
    """Two sensors that fit one axis."""
    for name in ("W1-P-001", "W1-P-002"):
        found = await sensors.find_sensor(connection, name)
        assert found is not None
        yield found[0]


async def test_a_history_is_compared_with_last_week_drawn_closer_and_joined_by_another_sensor(
    desk: Page, address: str, city_url: str
) -> None:
    async with connected(city_url) as connection:
        listed = [found async for found in _of_one_unit(connection)]
    for sensor in listed:
        for weeks in (1, 0):
            values = [(60 * minute - weeks * WEEK_S, 100.0 + minute + weeks, GOOD) for minute in range(0, 30, 3)]
            await measure(city_url, sensor, *values)
    first, second = (sensor.id for sensor in listed)
    await desk.goto(f"{address}/#/sensors/{first}")
    chart = desk.get_by_test_id("history-panel").get_by_test_id("chart")
    await expect(chart.locator("canvas")).to_be_visible(timeout=20_000)
    series = chart.locator(".u-legend .u-series:not(.edge)")
    await expect(series).to_have_count(2)
    await desk.get_by_test_id("chart-compare").check()
    await expect(series).to_have_count(3, timeout=20_000)
    await expect(series.last).to_contain_text("a week before")
    await desk.get_by_test_id("chart-add").fill(second)
    await expect(series).to_have_count(5, timeout=20_000)
    view = desk.get_by_test_id("chart-view")
    await expect(view).to_have_attribute("data-hours", "6")
    await desk.get_by_test_id("chart-closer").click()
    await expect(view).to_have_attribute("data-hours", "3")
    box = await chart.locator(".u-over").bounding_box()
    assert box is not None
    await desk.mouse.move(box["x"] + box["width"] * 0.65, box["y"] + 40)
    await desk.mouse.down()
    await desk.mouse.move(box["x"] + box["width"] * 0.95, box["y"] + 60, steps=5)
    await desk.mouse.up()
    await expect(view).to_have_attribute("data-hours", "1")
    await desk.get_by_test_id("span-10y").click()
    await expect(view).to_have_attribute("data-hours", re.compile(r"^876\d\d$"))
    await expect(desk.get_by_test_id("availability")).to_contain_text("%")


async def test_assets_are_found_by_name_and_lead_to_their_sensors(desk: Page, address: str) -> None:
    await desk.goto(f"{address}/#/assets")
    rows = desk.get_by_test_id("asset-row")
    await expect(rows.first).to_be_visible(timeout=20_000)
    await desk.get_by_test_id("asset-search").fill("BR-2")
    await expect(rows.filter(has_text="BR-2").first).to_be_visible()
    await desk.locator("[data-asset='BR-2'] a").click()
    await expect(desk.get_by_test_id("asset-page")).to_be_visible()
    await expect(desk.get_by_test_id("asset-page").get_by_role("heading", level=1)).to_contain_text("BR-2")


async def test_the_trail_shows_who_did_what(desk: Page, address: str, standing_alerts: Sequence[Alert]) -> None:
    async with client(address) as caller:
        assert (await caller.post(f"/alerts/{standing_alerts[2].id}/acknowledge")).status_code == 200
    await desk.goto(f"{address}/#/audit")
    await desk.get_by_test_id("audit-search").fill(str(standing_alerts[2].id))
    row = desk.locator("[data-testid='audit-row'][data-action='alert.acknowledge']")
    await expect(row).to_contain_text("everything", timeout=20_000)


async def test_alerts_are_grouped_and_put_aside_from_the_list(
    desk: Page, address: str, standing_alerts: Sequence[Alert]
) -> None:
    last = standing_alerts[-1]
    row = desk.locator(f"[data-testid='alert-row'][data-alert='{last.id}']")
    await row.locator("> a").focus()
    await desk.keyboard.press("s")
    await row.get_by_test_id("shelve-reason").fill("works are under way")
    await row.get_by_test_id("shelve-save").click()
    await expect(row.get_by_test_id("shelve-form")).to_have_count(0)
    async with client(address) as caller:
        (kept,) = (await caller.get("/silences")).json()["items"]
    assert (kept["kind"], kept["matcher"]["asset"], kept["reason"]) == ("shelving", last.asset, "works are under way")


async def test_the_lists_are_there_before_the_map_has_come(address: str) -> None:
    async with opened_page() as page:
        await page.route("**/assets/city-map-*.js", lambda route: route.abort())
        await sign_in(page, address)
        await expect(page.get_by_test_id("alert-list")).to_be_visible()
        await expect(page.get_by_test_id("page-missing")).to_be_visible()


def test_all_that_is_built_weighs_less_than_a_megabyte() -> None:
    assert 0 < bundle_kb()["all"] < 1000
