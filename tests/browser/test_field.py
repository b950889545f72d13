"""The page for crews on a phone that loses its signal: nothing is lost, nothing is told twice, all in its order."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect
from psycopg import AsyncConnection

from tests.browser.chromium import PHONE, marks, opened_page
from tests.browser.conftest import sign_in
from tests.integration.api.harness import client
from tests.integration.api.test_disposal import raised

pytestmark = [*marks, pytest.mark.timeout(240)]


@pytest.fixture
async def store(city_url: str) -> AsyncIterator[AsyncConnection]:
    async with await AsyncConnection.connect(city_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
async def order(address: str, store: AsyncConnection) -> dict[str, Any]:
    """An order that was just sent out."""
    alert = await raised(store)
    async with client(address) as caller:
        answer = await caller.post("/work-orders", json={"alert": str(alert.id), "is_draft": False})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


@pytest.fixture
async def phone(address: str) -> AsyncIterator[Page]:
    async with opened_page(viewport=PHONE) as page:
        await sign_in(page, address)
        yield page


async def opened_order(page: Page, address: str, order: dict[str, Any]) -> None:
    await page.goto(f"{address}/#/field/{order['id']}")
    await expect(page.get_by_test_id("field-order-page")).to_be_visible(timeout=20_000)


async def steps_of(address: str, order: dict[str, Any]) -> list[str]:
    async with client(address) as caller:
        return [each["move"] for each in (await caller.get(f"/work-orders/{order['id']}/record")).json()["steps"]]


async def test_what_is_done_without_a_signal_is_sent_later_in_its_order(
    phone: Page, address: str, order: dict[str, Any]
) -> None:
    await opened_order(phone, address, order)
    await phone.context.set_offline(True)
    for move in ("receive", "arrive"):
        await phone.get_by_test_id(f"field-move-{move}").click()
    await phone.get_by_test_id("field-words").fill("gas smell in the stairwell")
    await phone.get_by_test_id("field-tell-send").click()
    await expect(phone.get_by_test_id("unsent-deed")).to_have_count(3, timeout=15_000)
    await expect(phone.get_by_test_id("field-connection")).to_have_attribute("data-away", "true")
    assert await steps_of(address, order) == ["dispatch"]
    await phone.context.set_offline(False)
    await expect(phone.get_by_test_id("unsent")).to_have_count(0, timeout=30_000)
    assert await steps_of(address, order) == ["dispatch", "receive", "arrive"]
    async with client(address) as caller:
        record = (await caller.get(f"/work-orders/{order['id']}/record")).json()
    assert [said["text"] for said in record["feedback"]] == ["gas smell in the stairwell"]


async def test_the_page_opens_without_a_signal_and_still_holds_what_was_not_sent(
    phone: Page, address: str, order: dict[str, Any]
) -> None:
    await opened_order(phone, address, order)
    await phone.evaluate("navigator.serviceWorker.ready")
    kept = "caches.open('lifeline-shell').then((kept) => kept.keys()).then((all) => all.length)"
    await phone.wait_for_function(f"{kept}.then((count) => count > 5)", timeout=20_000)
    await phone.context.set_offline(True)
    await phone.get_by_test_id("field-move-receive").click()
    await expect(phone.get_by_test_id("unsent-deed")).to_have_count(1)
    await phone.reload()
    await expect(phone.get_by_test_id("field-order-page")).to_be_visible(timeout=20_000)
    await expect(phone.get_by_test_id("field-old")).to_be_visible()
    await expect(phone.get_by_test_id("unsent-deed")).to_have_count(1)
    await expect(phone.get_by_test_id("field-move-arrive")).to_be_visible()
    await phone.context.set_offline(False)
    await expect(phone.get_by_test_id("unsent")).to_have_count(0, timeout=40_000)
    assert await steps_of(address, order) == ["dispatch", "receive"]


async def test_an_answer_that_is_lost_on_the_way_does_not_make_a_deed_twice(
    phone: Page, address: str, order: dict[str, Any]
) -> None:
    await opened_order(phone, address, order)
    lost: list[str] = []

    async def lose_first_answer(route: Route) -> None:
        if route.request.method == "POST" and route.request.url not in lost:
            lost.append(route.request.url)
            await route.fetch()
            await route.abort("connectionreset")
        else:
            await route.continue_()

    await phone.route("**/api/v1/work-orders/**", lose_first_answer)
    await phone.get_by_test_id("field-move-receive").click()
    await phone.get_by_test_id("field-words").fill("on our way")
    await phone.get_by_test_id("field-tell-send").click()
    await expect(phone.get_by_test_id("unsent")).to_have_count(0, timeout=90_000)
    assert len(lost) == 2, "both answers were lost once"
    assert await steps_of(address, order) == ["dispatch", "receive"]
    async with client(address) as caller:
        record = (await caller.get(f"/work-orders/{order['id']}/record")).json()
    assert [said["text"] for said in record["feedback"]] == ["on our way"]


async def test_what_the_service_refuses_is_shown_with_its_words_until_the_person_has_read_it(
    phone: Page, address: str, order: dict[str, Any]
) -> None:
    await opened_order(phone, address, order)
    async with client(address) as caller:
        assert (await caller.post(f"/work-orders/{order['id']}/reject", json={"note": "not ours"})).status_code == 200
    await phone.get_by_test_id("field-move-receive").click()
    refused = phone.get_by_test_id("unsent-deed")
    await expect(refused).to_have_attribute("data-refused", "true", timeout=20_000)
    await expect(refused.locator(".refusal")).not_to_be_empty()
    await refused.get_by_test_id("unsent-drop").click()
    await expect(refused).to_have_count(0)
