"""Every main page, in both themes and languages, without a violation that axe finds, and none wider than a phone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from services.core.alert import Alert
from tests.browser.chromium import PHONE, marks, opened_page
from tests.browser.conftest import sign_in
from tests.browser.pages import FORMS, PAGES, open_form, visit

# Each test looks at every page, which takes a busy machine without a graphics card some minutes.
pytestmark = [*marks, pytest.mark.timeout(900)]

AXE = Path(__file__).parents[2] / "services/api/dashboard/node_modules/axe-core/axe.min.js"


async def shown(page: Page, address: str, place: str, alert: Alert) -> None:
    """A page, with its form open where it has one."""
    await visit(page, f"{address}/", place, alert=str(alert.id), sensor=alert.sensors[0], bridge="B2", asset="BR-2")
    if place in FORMS:
        await open_form(page, place)


async def violations(page: Page) -> list[str]:
    """What axe finds, one line for each rule with the first elements it means."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = await page.evaluate("axe.run(document).then((result) => result.violations)")
    return [
        f"{one['id']}: {one['help']}: " + " | ".join(node["html"][:160] for node in one["nodes"][:4]) for one in found
    ]


@pytest.mark.parametrize(("theme", "language"), [("dark", "en-GB"), ("light", "zh-CN")])
async def test_no_page_has_a_violation(
    address: str, standing_alerts: Sequence[Alert], theme: str, language: str
) -> None:
    found: dict[str, list[str]] = {}
    async with opened_page(locale=language) as page:
        await page.add_init_script(f"localStorage.setItem('lifeline.theme', '{theme}')")
        await page.goto(address)
        await expect(page.get_by_test_id("login-form")).to_be_visible(timeout=20_000)
        found["sign-in"] = await violations(page)
        await sign_in(page, address)
        for place in PAGES:
            await shown(page, address, place, standing_alerts[0])
            found[place] = await violations(page)
        await page.goto(f"{address}/#/")
        await expect(page.get_by_test_id("alert-list")).to_be_visible()
        await page.keyboard.press("?")
        await expect(page.get_by_test_id("key-help")).to_be_visible()
        found["keys"] = await violations(page)
    assert {place: rules for place, rules in found.items() if rules} == {}


async def test_no_page_is_wider_than_a_phone(address: str, standing_alerts: Sequence[Alert]) -> None:
    wider: dict[str, int] = {}
    async with opened_page(viewport=PHONE) as page:
        await sign_in(page, address)
        for place in PAGES:
            await shown(page, address, place, standing_alerts[0])
            width = await page.evaluate("document.documentElement.scrollWidth")
            if width > PHONE["width"]:
                wider[place] = width
    assert wider == {}
