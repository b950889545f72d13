"""The API's description to read and to try, from the service alone."""

from playwright.async_api import Page, expect

from tests.browser.chromium import marks, opened_page

pytestmark = marks


async def test_the_description_is_read_and_tried_without_anything_from_elsewhere(desk: Page, address: str) -> None:
    asked: list[str] = []
    desk.on("request", lambda request: asked.append(request.url))
    await desk.goto(f"{address}/docs/")
    await desk.locator("[data-tag='who may']").click(timeout=30_000)
    who = desk.locator("[id$='who_am_i_api_v1_me_get']")
    await who.locator(".opblock-summary-control").click()
    await who.get_by_role("button", name="Try it out").click()
    await who.get_by_role("button", name="Execute").click()
    await expect(who.locator(".live-responses-table .response .response-col_status").first).to_contain_text("200")
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []


async def test_nobody_reads_the_description_without_signing_in(address: str) -> None:
    async with opened_page() as page:
        await page.goto(f"{address}/docs/")
        await expect(page.get_by_test_id("docs-refused")).to_be_visible(timeout=20_000)
        await expect(page.locator(".opblock")).to_have_count(0)
