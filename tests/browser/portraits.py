"""``python -m tests.browser.portraits ADDRESS FOLDER``: every page and form of a dashboard as a picture to look at.

``ADDRESS`` is what ``lifeline demo`` prints, with the key in it. Each is taken in both themes and both languages, as
on a laptop; the wall as on a wall, the field's page as on a phone.
"""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from tests.browser.chromium import CHROMIUM, FLAGS, LAPTOP, PHONE, WALL
from tests.browser.pages import FORMS, PAGES, STORY_PAGES, open_form, visit

_LISTS: Mapping[str, str] = {
    "alert": "",
    "sensor": "sensors",
    "bridge": "bridges",
    "asset": "assets",
    "incident": "incidents",
}
"""Where the first thing of a kind is found."""
_ELSEWHERE = {"alert": "alerts"}
_SIZES = {"wall": WALL, "field": PHONE}
_DRAWN_MS = 1200
"""Maps and curves are drawn some time after their page has come."""


async def portray(address: str, folder: Path) -> None:
    """Write the pictures, ``page-theme-language.png``; forms are ``page-form-theme-language.png``."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            for theme in ("dark", "light"):
                for language in ("zh", "en"):
                    await _all_pages(browser, address, folder, theme, language)
        finally:
            await browser.close()


async def _all_pages(browser: Browser, address: str, folder: Path, theme: str, language: str) -> None:
    base = address.partition("#")[0]
    context = await browser.new_context(timezone_id="Asia/Shanghai")
    await context.add_init_script(
        f"localStorage.setItem('lifeline.theme', '{theme}'); localStorage.setItem('lifeline.language', '{language}')"
    )
    page = await context.new_page()
    await page.goto(address)
    await page.get_by_test_id("connection-state").wait_for()
    named = {kind: found for kind in _LISTS if (found := await _first(page, base, kind)) is not None}

    async def take(name: str, *, whole: bool = False) -> None:
        await page.wait_for_timeout(_DRAWN_MS)
        await page.screenshot(path=folder / f"{name}-{theme}-{language}.png", full_page=whole)

    for place in (*PAGES, *STORY_PAGES):
        if any(f"{{{kind}}}" in place for kind in _LISTS.keys() - named):
            continue
        name = place.format(**dict.fromkeys(_LISTS, "one")).replace("/", "-") or "overview"
        await page.set_viewport_size(_SIZES.get(place, LAPTOP))
        await visit(page, base, place, **named)
        await take(name)
        if place in FORMS:
            await open_form(page, place)
            await take(f"{name}-form", whole=True)
    await context.close()


async def _first(page: Page, base: str, kind: str) -> str | None:
    """The name of the first thing of a kind that is listed; ``None``: there is none."""
    await page.goto(f"{base}#/{_LISTS[kind]}")
    await page.wait_for_timeout(_DRAWN_MS)
    place = _ELSEWHERE.get(kind, _LISTS[kind])
    links = page.locator(f"a[href^='#/{place}/']")
    if not await links.count():
        return None
    address = await links.first.get_attribute("href")
    return None if address is None else address.rpartition("/")[2]


if __name__ == "__main__":
    Path(sys.argv[2]).mkdir(parents=True, exist_ok=True)
    asyncio.run(portray(sys.argv[1], Path(sys.argv[2])))
