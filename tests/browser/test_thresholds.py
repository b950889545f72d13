"""Limits changed in a real browser: what would have happened is seen before they count."""

from playwright.async_api import Page, expect

from services.core.sensor import Sensor
from services.core.store import sensors
from tests.browser.chromium import marks
from tests.integration.api.harness import client, connected
from tests.integration.api.measuring import GOOD, measure

pytestmark = marks


async def _methane(city_url: str) -> Sensor:
    async with connected(city_url) as connection:
        known = await sensors.load_sensors(connection)
    return next(sensor for sensor in known if sensor.quantity == "methane")


async def test_a_limit_is_tried_on_what_was_measured_set_with_a_reason_and_taken_back(
    desk: Page, address: str, city_url: str
) -> None:
    sensor = await _methane(city_url)
    values = [*[1.0] * 20, *[3.0] * 5, *[1.0] * 20, *[6.0] * 5, *[1.0] * 20]
    await measure(city_url, sensor, *((60.0 * minute, value, GOOD) for minute, value in enumerate(values)))
    await desk.goto(f"{address}/#/sensors/{sensor.id}")
    limits = desk.get_by_test_id("thresholds")
    await limits.get_by_test_id("thresholds-write").click()
    save = limits.get_by_test_id("thresholds-save")
    await limits.get_by_test_id("threshold-raise-1").fill("2.5")
    await limits.get_by_test_id("threshold-clear-1").fill("2")
    await limits.get_by_test_id("thresholds-reason").fill("a sewer runs below")
    await expect(save).to_be_disabled()
    await limits.get_by_test_id("thresholds-try").click()
    counts = limits.get_by_test_id("trial-counts")
    await expect(counts.get_by_role("row", name="that are written here")).to_contain_text("2")
    await expect(limits.get_by_text("1 would come")).to_be_visible()
    await limits.get_by_test_id("threshold-raise-1").fill("2.6")
    await expect(save, "what was tried is not what would be set").to_be_disabled()
    await limits.get_by_test_id("thresholds-try").click()
    await save.click()
    await expect(limits.get_by_test_id("threshold-by-hand")).to_contain_text("a sewer runs below")
    await expect(limits.get_by_test_id("threshold").first).to_contain_text("2.6")
    async with client(address) as caller:
        kept = (await caller.get(f"/sensors/{sensor.id}/thresholds")).json()
    assert kept["in_force"][0]["raise_at"] == 2.6
    assert kept["in_force"][0]["source"] == "set by hand"
    assert kept["in_force"][1:] == kept["registered"][1:], "what nobody touched was written anew"
    await limits.get_by_test_id("thresholds-back").click()
    await limits.get_by_test_id("thresholds-back-reason").fill("the sewer is sealed")
    await limits.get_by_test_id("thresholds-back-save").click()
    await expect(limits.get_by_test_id("threshold-by-hand")).to_have_count(0)
    await expect(limits.get_by_test_id("threshold").first).not_to_contain_text("2.6")
