"""The six daily jobs in Chromium, in both languages: see, judge, publish, dispatch, handle in the field, close."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from playwright.async_api import Page, expect
from psycopg import AsyncConnection

from tests.browser.chromium import PHONE, marks, opened_page
from tests.browser.conftest import sign_in
from tests.integration.api.harness import client
from tests.integration.api.test_disposal import normal, photo, raised

# Two people at three screens, on a machine without a graphics card.
pytestmark = [*marks, pytest.mark.timeout(300)]

LOOP = ("receive", "arrive", "control")
CLOSED = {"en-GB": "Closed", "zh-CN": "已归档"}
FOUND = {"en-GB": "Clamp set, main flushed.", "zh-CN": "已安装抱箍并冲洗管道。"}


@pytest.fixture
async def store(city_url: str) -> AsyncIterator[AsyncConnection]:
    async with await AsyncConnection.connect(city_url, autocommit=True) as connection:
        yield connection


async def handled_in_the_field(page: Page, address: str, order: str, text: str) -> None:
    """What a crew does on its phone, from receiving the order to handing it back."""
    await page.goto(f"{address}/#/field")
    await page.locator(f"[data-order='{order}'] a").click()
    await expect(page.get_by_test_id("field-navigate")).to_have_attribute("href", re.compile(r"^geo:[0-9.]+,[0-9.]+"))
    for move in LOOP:
        await page.get_by_test_id(f"field-move-{move}").click()
    await page.get_by_test_id("field-quantity").select_option("pressure")
    await page.get_by_test_id("field-value").fill("312.5")
    await page.get_by_test_id("field-tell-send").click()
    await page.get_by_test_id("field-photo").set_input_files(
        {"name": "site.jpg", "mimeType": "image/jpeg", "buffer": photo()}
    )
    await page.get_by_test_id("field-hand-back-text").fill(text)
    await page.get_by_test_id("field-move-hand-back").click()
    await expect(page.get_by_test_id("field-nothing-next")).to_be_visible()
    await expect(page.get_by_test_id("unsent")).to_have_count(0, timeout=30_000)


@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
async def test_the_whole_day_of_an_alert(address: str, store: AsyncConnection, language: str) -> None:
    alert = await raised(store)
    async with opened_page(locale=language) as desk:
        await sign_in(desk, address)
        # See: it stands in the list, and its page says where and why.
        await desk.locator(f"[data-alert='{alert.id}'] > a").click()
        await expect(desk.get_by_test_id("alert-page")).to_be_visible()
        # Judge.
        await desk.get_by_test_id("acknowledge-button").click()
        await expect(desk.get_by_test_id("alert-page")).to_have_attribute("data-state", "acknowledged")
        await desk.get_by_test_id("verdict-true-alarm").click()
        await desk.get_by_test_id("verdict-reason").fill("pressure fell at two sensors")
        await desk.get_by_test_id("verdict-save").click()
        await expect(desk.get_by_test_id("verdict")).to_contain_text("pressure fell")
        # Publish; the order goes out with the warning, which is to dispatch.
        await desk.get_by_test_id("publish-open").click()
        await desk.get_by_test_id("publish-now").click()
        await expect(desk.get_by_test_id("warning")).to_have_attribute("data-state", "published")
        await expect(desk.get_by_test_id("work-order-steps")).to_have_attribute("data-state", "dispatched")
    async with client(address) as caller:
        (order,) = (await caller.get("/work-orders", params={"alert": str(alert.id)})).json()["items"]
    async with opened_page(locale=language, viewport=PHONE) as phone:
        await phone.goto(address)
        await sign_in(phone, address)
        await handled_in_the_field(phone, address, order["id"], FOUND[language])
    async with client(address) as caller:
        record = (await caller.get(f"/work-orders/{order['id']}/record")).json()
    assert [step["move"] for step in record["steps"]] == ["dispatch", *LOOP, "hand-back"]
    assert record["feedback"][0]["measurements"] == [{"quantity": "pressure", "value": 312.5, "unit": "kPa"}]
    assert [file["media_type"] for file in record["attachments"]] == ["image/jpeg"]
    # Close: the sensors agree by now, and somebody looks who did not do the work.
    await normal(store, alert, timedelta(hours=2))
    async with opened_page(locale=language) as second:
        await sign_in(second, address, "another")
        await second.goto(f"{address}/#/alerts/{alert.id}")
        await expect(second.get_by_test_id("order-attachment").locator("img")).to_be_visible(timeout=20_000)
        for move, state in (("verify", "verified"), ("close", "closed")):
            await second.get_by_test_id(f"work-order-button-{move}").click()
            await expect(second.get_by_test_id("work-order-steps")).to_have_attribute("data-state", state)
        await expect(second.get_by_test_id("work-order-steps")).to_contain_text(CLOSED[language])
    async with client(address) as caller:
        assert (await caller.get(f"/work-orders/{order['id']}")).json()["state"] == "closed"


async def test_an_order_goes_out_by_hand_and_on_to_somebody_else(address: str, store: AsyncConnection) -> None:
    alert = await raised(store)
    async with opened_page() as desk:
        await sign_in(desk, address)
        await desk.goto(f"{address}/#/alerts/{alert.id}")
        await desk.get_by_test_id("order-dispatch").click()
        await desk.get_by_test_id("order-dispatch-sure").click()
        await expect(desk.get_by_test_id("work-order-steps")).to_have_attribute("data-state", "dispatched")
        await desk.get_by_test_id("work-order-transfer").click()
        await expect(desk.get_by_test_id("work-order-transfer-to").locator("option")).not_to_have_count(0)
        taker = await desk.get_by_test_id("work-order-transfer-to").input_value()
        await desk.get_by_test_id("work-order-transfer-reason").fill("the main belongs to them")
        await desk.get_by_test_id("work-order-transfer-save").click()
        await expect(desk.get_by_test_id("work-order-transfer-form")).to_have_count(0)
        await desk.get_by_test_id("work-order-escalate").click()
        await desk.get_by_test_id("work-order-escalate-reason").fill("nobody answers")
        await desk.get_by_test_id("work-order-escalate-save").click()
        await expect(desk.get_by_test_id("work-order-standing")).to_contain_text("escalated 1")
    async with client(address) as caller:
        (order,) = (await caller.get("/work-orders", params={"alert": str(alert.id)})).json()["items"]
    assert (order["organisation"], order["transferred"], order["escalated"]) == (taker, 1, 1)
