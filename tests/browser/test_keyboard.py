"""The desk by keyboard alone."""

from collections.abc import Sequence

from playwright.async_api import Page, expect

from services.core.alert import Alert
from tests.browser.chromium import marks
from tests.integration.api.harness import client

pytestmark = marks


async def focused_alert(page: Page) -> str | None:
    found: str | None = await page.evaluate("document.activeElement?.closest('[data-alert]')?.dataset.alert ?? null")
    return found


async def test_j_and_k_move_a_acknowledges_and_enter_opens(
    desk: Page, address: str, standing_alerts: Sequence[Alert]
) -> None:
    ids = [str(alert.id) for alert in standing_alerts]
    await expect(desk.get_by_test_id("alert-row")).to_have_count(len(ids))
    visited = []
    for key in "jjjjk":
        await desk.keyboard.press(key)
        visited.append(await focused_alert(desk))
    assert visited == [ids[0], ids[1], ids[2], ids[2], ids[1]], "the keys stop at the ends of the list"
    outline = await desk.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "a person sees where the keyboard is"
    await desk.keyboard.press("a")
    await expect(desk.get_by_test_id("list-said")).to_contain_text("Acknowledged")
    await expect(desk.locator(f"[data-alert='{ids[1]}']")).to_have_attribute("data-state", "acknowledged")
    assert await focused_alert(desk) == ids[1], "the place is kept when the list is sorted anew"
    async with client(address) as caller:
        states = {one["id"]: one["state"] for one in (await caller.get("/alerts")).json()["items"]}
    assert states == {ids[0]: "open", ids[1]: "acknowledged", ids[2]: "open"}
    await desk.keyboard.press("a")
    await expect(desk.get_by_test_id("list-said")).to_contain_text("cannot")
    await desk.keyboard.press("Enter")
    await expect(desk.get_by_test_id("alert-page")).to_be_visible()
    assert ids[1] in desk.url
    await desk.keyboard.press("u")
    await expect(desk.get_by_test_id("alert-list")).to_be_visible()


async def test_the_question_mark_explains_the_keys_and_keeps_the_keyboard_inside(
    desk: Page, standing_alerts: Sequence[Alert]
) -> None:
    await expect(desk.get_by_test_id("alert-row")).to_have_count(len(standing_alerts))
    await desk.keyboard.press("j")
    before = await focused_alert(desk)
    await desk.keyboard.press("?")
    await expect(desk.get_by_test_id("key-help")).to_be_visible()
    await desk.keyboard.press("j")
    assert await focused_alert(desk) is None, "the list behind the help does not move"
    await desk.keyboard.press("Escape")
    await expect(desk.get_by_test_id("key-help")).to_be_hidden()
    assert await focused_alert(desk) == before


async def test_letters_typed_into_a_field_do_nothing_else(desk: Page, standing_alerts: Sequence[Alert]) -> None:
    await desk.goto(f"{desk.url.split('#', maxsplit=1)[0]}#/alerts/{standing_alerts[2].id}")
    await desk.get_by_test_id("shelve").click()
    await expect(desk.get_by_test_id("shelve-reason")).to_be_focused()
    await desk.keyboard.type("a junk ?")
    await expect(desk.get_by_test_id("shelve-reason")).to_have_value("a junk ?")
    await expect(desk.get_by_test_id("alert-page")).to_have_attribute("data-state", "open")
    await expect(desk.get_by_test_id("key-help")).to_be_hidden()


async def test_an_alert_is_put_aside_and_taken_as_normal_by_the_same_form(
    desk: Page, address: str, standing_alerts: Sequence[Alert]
) -> None:
    alert = standing_alerts[0]
    await desk.goto(f"{desk.url.split('#', maxsplit=1)[0]}#/alerts/{alert.id}")
    await desk.get_by_test_id("shelve").click()
    await desk.get_by_test_id("shelve-hours").select_option("2")
    await desk.get_by_test_id("shelve-reason").fill("known, crew on the way")
    await desk.get_by_test_id("shelve-save").click()
    await expect(desk.get_by_test_id("shelve")).to_be_focused()
    await desk.get_by_test_id("new-normal").click()
    await desk.get_by_test_id("new-normal-reason").fill("a new large customer")
    await desk.get_by_test_id("new-normal-save").click()
    await expect(desk.get_by_test_id("new-normal")).to_be_visible()
    async with client(address) as caller:
        (kept,) = (await caller.get("/silences")).json()["items"]
        shown = (await caller.get(f"/alerts/{alert.id}")).json()
    assert (kept["kind"], kept["reason"]) == ("shelving", "known, crew on the way")
    assert kept["matcher"]["asset"] == alert.asset
    assert "alert.new-normal" in {entry["action"] for entry in shown["timeline"]}
