"""``python -m tests.browser.portraits ADDRESS FOLDER``: every page of a dashboard as a picture, to be looked at.

``ADDRESS`` is what ``lifeline demo`` prints, with the key in it. Each page is taken as on a wall, dark in Chinese and
light in English, and the field's pages as on a phone.
"""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from tests.browser.chromium import CHROMIUM, FLAGS, PHONE, WALL

OFFICE = (
    *("figures", "silences", "duty", "handovers", "receivers", "notifications", "policies", "rules", "depots"),
    *("rejections", "audit", "users", "keys"),
)
PAGES = ("", "wall", "storm", "bridges", "sensors", "assets", "incidents", "plans", *OFFICE)
_FIRST_OF: Mapping[str, str] = {"alert": "", "sensor": "sensors", "incident": "incidents", "plan": "plans"}
_SETTLES_MS = 2500
"""Maps and curves are drawn some time after their page."""


async def portray(address: str, folder: Path) -> None:
    """Write the pictures, ``page-theme-language.png``."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            for theme, language in (("dark", "zh"), ("light", "en")):
                await _all_pages(browser, address, folder, theme, language)
        finally:
            await browser.close()


async def _all_pages(browser: Browser, address: str, folder: Path, theme: str, language: str) -> None:
    base, _, key = address.partition("#")
    context = await browser.new_context(
        viewport={"width": WALL["width"], "height": WALL["height"]}, timezone_id="Asia/Shanghai"
    )
    chosen = (
        f"localStorage.setItem('lifeline.theme', '{theme}'); localStorage.setItem('lifeline.language', '{language}')"
    )
    await context.add_init_script(chosen)
    page = await context.new_page()
    await page.goto(f"{base}#{key}")
    await page.get_by_test_id("connection-state").wait_for()

    async def take(name: str, hash_: str) -> None:
        await page.goto(f"{base}#/{hash_}")
        await page.wait_for_timeout(_SETTLES_MS)
        await page.screenshot(path=folder / f"{name or 'overview'}-{theme}-{language}.png")

    for each in PAGES:
        await take(each, each)
    for name, listed in _FIRST_OF.items():
        await page.goto(f"{base}#/{listed}")
        await page.wait_for_timeout(_SETTLES_MS)
        place = "alerts" if name == "alert" else listed
        found = await page.locator(f"a[href^='#/{place}/']").first.get_attribute("href")
        await take(name, (found or "#/").removeprefix("#/"))
        if name == "alert":
            await page.screenshot(path=folder / f"alert-whole-{theme}-{language}.png", full_page=True)
    await page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    for each in ("field", ""):
        await take(f"phone-{each}", each)
    await context.close()


if __name__ == "__main__":
    Path(sys.argv[2]).mkdir(parents=True, exist_ok=True)
    asyncio.run(portray(sys.argv[1], Path(sys.argv[2])))
