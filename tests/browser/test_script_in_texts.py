"""Script in what people and devices wrote is shown as text and never runs."""

import pytest
from playwright.async_api import Page, expect

from services.core.alert import Alert
from services.core.city_folder import CityFolder
from services.core.lifeline import Lifeline
from services.core.store import alerts, audit
from services.core.text import Text
from tests.browser.chromium import marks
from tests.integration.api.harness import alert_at, client, connected

pytestmark = marks
SCRIPT = "<img src=x onerror='window.ran=1'><script>window.ran=1</script>"


@pytest.fixture
async def spoilt(city_url: str, address: str, city: CityFolder) -> Alert:
    """An alert whose explanation, remark, assignee and place all carry script."""
    asset = [asset for asset in city.assets if asset.lifeline is Lifeline.WATER][10]
    alert = alert_at(asset.id, zone=asset.zone, explanation=Text(SCRIPT, SCRIPT))
    async with connected(city_url) as connection:
        await alerts.add(connection, alert, audit.SYSTEM)
        names = {"name": SCRIPT, "id": asset.id}
        await connection.execute("update asset set name_en = %(name)s, name_zh = %(name)s where id = %(id)s", names)
    async with client(address) as caller:
        for deed, body in (("comments", {"text": SCRIPT}), ("assign", {"assignee": SCRIPT})):
            assert (await caller.post(f"/alerts/{alert.id}/{deed}", json=body)).is_success
    return alert


async def test_script_in_texts_is_shown_and_never_runs(desk: Page, address: str, spoilt: Alert) -> None:
    for place, arrived in (("wall", "wall-page"), ("audit", "audit-table"), ("assets", "asset-table")):
        await desk.goto(f"{address}/#/{place}")
        await expect(desk.get_by_test_id(arrived).first).to_be_visible(timeout=20_000)
        await _expect_nothing_ran(desk)
    for place in (f"alerts/{spoilt.id}", f"assets/{spoilt.asset}"):
        await desk.goto(f"{address}/#/{place}")
        await expect(desk.get_by_text(SCRIPT).first).to_be_visible(timeout=20_000)
        await _expect_nothing_ran(desk)


async def _expect_nothing_ran(desk: Page) -> None:
    await expect(desk.locator("img[src='x']")).to_have_count(0)
    assert await desk.evaluate("window.ran") is None


async def test_script_that_reached_the_page_would_be_stopped_by_its_policy(desk: Page) -> None:
    await desk.evaluate(
        """script => new Promise(stopped => {
            document.addEventListener("securitypolicyviolation", stopped, {once: true});
            document.body.insertAdjacentHTML("beforeend", script);
        })""",
        SCRIPT,
    )
    assert await desk.evaluate("window.ran") is None
