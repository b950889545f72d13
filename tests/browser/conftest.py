"""The dashboard before the API and a database with the demo city: nothing happens there that a test does not do."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from services.core.alert import Alert
from services.core.city_folder import CityFolder
from services.core.lifeline import Lifeline
from services.core.severity import Severity
from services.core.store import alerts, audit
from tests.browser.chromium import opened_page
from tests.integration.api.conftest import address, city, city_template, city_url
from tests.integration.api.harness import MOMENT, alert_at, connected, key_of

__all__ = ["address", "city", "city_template", "city_url"]


@pytest.fixture(scope="module")
def standing_alerts(city_url: str, city: CityFolder) -> Sequence[Alert]:
    """Three open water alerts, the worst first, as the list shows them."""
    assets = [asset.id for asset in city.assets if asset.lifeline is Lifeline.WATER][:3]
    grades = (Severity.CRITICAL, Severity.MAJOR, Severity.MINOR)
    made = [
        alert_at(asset, severity=grade, highest_severity=grade, created_at=MOMENT + timedelta(minutes=place))
        for place, (asset, grade) in enumerate(zip(assets, grades, strict=True))
    ]

    async def write() -> None:
        async with connected(city_url) as connection:
            for alert in made:
                await alerts.add(connection, alert, audit.SYSTEM)

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(write())
    return made


@pytest.fixture
async def desk(address: str) -> AsyncIterator[Page]:
    """A signed-in tab that is live."""
    async with opened_page() as page:
        await sign_in(page, address)
        yield page


async def sign_in(page: Page, address: str, who: str = "everything") -> None:
    """Open the dashboard with somebody's key and wait until it is live."""
    await page.goto(f"{address}/#key={key_of(who)}")
    await expect(page.get_by_test_id("connection-state")).to_have_attribute("data-state", "live", timeout=20_000)


async def visit(page: Page, name: str) -> None:
    """Go to a page of the back office by its navigation."""
    await page.get_by_role("link", name="Back office", exact=True).click()
    await page.get_by_test_id(f"office-{name}").click()
    await expect(page.get_by_test_id(f"page-{name}")).to_be_visible()
