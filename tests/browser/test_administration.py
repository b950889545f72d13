"""Users and keys in a real browser: added, changed, locked out, replaced and ended by an administrator alone."""

from playwright.async_api import Page, expect

from tests.browser.chromium import marks, opened_page
from tests.browser.conftest import sign_in, visit
from tests.integration.api.harness import client

pytestmark = marks


async def test_a_user_is_added_with_a_password_shown_once_and_locked_out(desk: Page, address: str) -> None:
    await visit(desk, "users")
    await desk.get_by_test_id("user-add").click()
    await desk.get_by_test_id("user-name").fill("zhao.min")
    await desk.get_by_test_id("user-label").fill("赵敏")
    await expect(desk.get_by_test_id("user-save")).to_be_disabled()
    await desk.get_by_test_id("user-role-operator").check()
    await desk.get_by_test_id("limit-gas").check()
    await desk.get_by_test_id("user-save").click()
    password = await desk.get_by_test_id("secret-value").inner_text()
    row = desk.locator("[data-user='zhao.min']")
    await expect(row).to_contain_text("Operator")
    await expect(row).to_contain_text("never")
    async with client(address, None) as browser:
        entered = await browser.post("/login", json={"name": "zhao.min", "password": password})
    assert entered.json()["limits"]["lifelines"] == ["gas"]
    await desk.get_by_test_id("secret-done").click()
    assert password not in await desk.content()
    await row.get_by_test_id("user-switch").click()
    await row.get_by_test_id("user-switch-sure").click()
    await expect(row.get_by_test_id("user-state")).to_have_attribute("data-state", "disabled")
    await expect(row).not_to_contain_text("never")
    async with client(address) as caller:
        assert (await caller.get("/users/zhao.min")).json()["enabled"] is False


async def test_a_user_whom_somebody_else_changed_meanwhile_is_not_overwritten(desk: Page, address: str) -> None:
    async with client(address) as caller:
        new = {"name": "qian.li", "label": "Qian Li", "roles": ["analyst"]}
        assert (await caller.post("/users", json=new)).status_code == 201
        await visit(desk, "users")
        row = desk.locator("[data-user='qian.li']")
        await row.get_by_test_id("user-edit").click()
        await desk.get_by_test_id("user-label").fill("Mine")
        assert (await caller.patch("/users/qian.li", json={"label": "Theirs"})).status_code == 200
        await desk.get_by_test_id("user-save").click()
        await expect(desk.get_by_test_id("overtaken")).to_be_visible()
        await desk.get_by_test_id("overtaken-again").click()
        await expect(row).to_contain_text("Theirs")
        await row.get_by_test_id("user-edit").click()
        await expect(desk.get_by_test_id("user-label")).to_have_value("Theirs")
        await desk.get_by_test_id("user-role-regulator").check()
        await desk.get_by_test_id("user-save").click()
        await expect(row).to_contain_text("Regulator")
        kept = (await caller.get("/users/qian.li")).json()
        assert (kept["label"], kept["roles"]) == ("Theirs", ["analyst", "regulator"])
        await row.get_by_test_id("user-password").click()
        await row.get_by_test_id("user-password-sure").click()
        password = await row.get_by_test_id("secret-value").inner_text()
    async with client(address, None) as browser:
        assert (await browser.post("/login", json={"name": "qian.li", "password": password})).status_code == 200


async def test_a_key_is_issued_replaced_and_revoked(desk: Page, address: str) -> None:
    await visit(desk, "keys")
    await desk.get_by_test_id("key-add").click()
    await desk.get_by_test_id("key-id").fill("traffic-lights")
    await desk.get_by_test_id("key-actor").fill("traffic police")
    await desk.get_by_test_id("key-expires").fill("2099-12-31T08:00")
    await desk.get_by_test_id("key-may-report").check()
    await desk.get_by_test_id("key-save").click()
    secret = desk.get_by_test_id("secret-value")
    first = await secret.inner_text()
    row = desk.locator("[data-key='traffic-lights']")
    await expect(row).to_contain_text("2099")
    await row.get_by_test_id("key-rotate").click()
    await row.get_by_test_id("key-rotate-sure").click()
    await expect(secret).not_to_have_text(first)
    second = await secret.inner_text()
    for key in (first, second):
        async with client(address, None) as caller:
            caller.headers["Authorization"] = f"Bearer {key}"
            assert (await caller.get("/me")).json()["permissions"] == ["read", "report"]
    await row.get_by_test_id("key-revoke").click()
    await row.get_by_test_id("key-revoke-sure").click()
    await expect(row).to_have_count(0)
    await desk.get_by_test_id("keys-ended").check()
    await expect(row.get_by_test_id("key-state")).to_have_attribute("data-state", "revoked")
    async with client(address, None) as caller:
        caller.headers["Authorization"] = f"Bearer {second}"
        assert (await caller.get("/me")).status_code == 401


async def test_whoever_is_no_administrator_is_not_shown_the_way_to_users_and_keys(address: str) -> None:
    async with opened_page() as page:
        await sign_in(page, address, "read")
        await page.goto(f"{address}/#/duty")
        await expect(page.get_by_test_id("office-audit")).to_be_visible()
        await expect(page.get_by_test_id("office-users")).to_have_count(0)
        await expect(page.get_by_test_id("office-keys")).to_have_count(0)
