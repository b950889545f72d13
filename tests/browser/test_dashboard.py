"""The dashboard in a real browser."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.chromium import marks, opened_page
from tests.fixtures.demo import RunningDemo

PICTURES = Path(__file__).parents[2] / "test-results"

pytestmark = marks


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with opened_page() as tab:
        yield tab


async def test_an_alert_arrives_without_reload(demo: RunningDemo, page: Page) -> None:
    await page.goto(f"{demo.page}/#key={demo.key}")
    await expect(page.get_by_test_id("connection-state")).to_contain_text("live", ignore_case=True, timeout=20_000)
    assert demo.key not in page.url
    await page.evaluate("window.neverReloaded = true")
    rows = page.get_by_test_id("alert-row")
    before = await rows.count()
    await expect(rows).not_to_have_count(before, timeout=180_000)
    assert await page.evaluate("window.neverReloaded") is True
    PICTURES.mkdir(exist_ok=True)
    await page.screenshot(path=PICTURES / "dashboard-en.png")


async def test_an_alert_page_shows_trace_and_moves_the_order(demo: RunningDemo, page: Page) -> None:
    order = await _running_order(demo)
    await page.goto(f"{demo.page}/#key={demo.key}")
    await expect(page.get_by_test_id("connection-state")).to_contain_text("live", ignore_case=True, timeout=20_000)
    await page.goto(f"{demo.page}/#/alerts/{order['alert']}")
    move = order["moves"][0]
    button = page.get_by_test_id(f"work-order-button-{move}")
    await expect(button).to_be_visible(timeout=20_000)
    await page.screenshot(path=PICTURES / "alert-en.png", full_page=True)
    await button.click()
    await expect(button).to_be_hidden(timeout=10_000)
    with demo.client() as client:
        assert client.get(f"/work-orders/{order['id']}").json()["state"] != order["state"]


async def _running_order(demo: RunningDemo) -> dict[str, Any]:
    """The story dispatches its first order within an hour of its own time."""
    with demo.client() as client:
        for _ in range(360):
            found = client.get("/work-orders", params={"open": "true"}).json()["items"]
            if found and found[0]["moves"]:
                return dict(found[0])
            await asyncio.sleep(0.5)
    raise AssertionError("the story dispatched no work order")


async def test_without_a_key_nothing_is_shown(demo: RunningDemo, page: Page) -> None:
    await page.goto(demo.page)
    await expect(page.get_by_test_id("alert-row")).to_have_count(0)
    await expect(page.locator("input[type=password]")).to_be_visible(timeout=10_000)
