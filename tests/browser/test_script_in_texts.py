"""Script in what people and devices wrote is shown as text and never runs."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Page, expect
from psycopg import AsyncConnection

from services.core.alert import Alert
from services.core.city_folder import CityFolder
from services.core.lifeline import Lifeline
from services.core.store import alerts, audit
from services.core.text import Text
from tests.browser.chromium import marks
from tests.integration.api.harness import alert_at, client, connected
from tests.integration.api.test_disposal import photo, raised, warned

pytestmark = marks
SCRIPT = "<img src=x onerror='window.ran=1'><script>window.ran=1</script>"


@dataclass(frozen=True, slots=True)
class Spoilt:
    """What carries script, by identifier."""

    alert: str
    incident: str


@pytest.fixture
async def spoilt(city_url: str, address: str, city: CityFolder) -> Alert:
    """An alert whose explanation, remark, assignee and place all carry script."""
    asset = [asset for asset in city.assets if asset.lifeline is Lifeline.WATER][10]
    alert = alert_at(asset.id, zone=asset.zone, explanation=Text(SCRIPT, SCRIPT))
    async with connected(city_url) as connection:
        await alerts.add(connection, alert, audit.SYSTEM)
        names = {"name": SCRIPT, "id": asset.id}
        await connection.execute("update asset set name_en = %(name)s, name_zh = %(name)s where id = %(id)s", names)
    async with client(address) as caller:
        for deed, body in (("comments", {"text": SCRIPT}), ("assign", {"assignee": SCRIPT})):
            assert (await caller.post(f"/alerts/{alert.id}/{deed}", json=body)).is_success
    return alert


async def test_script_in_texts_is_shown_and_never_runs(desk: Page, address: str, spoilt: Alert) -> None:
    for place, arrived in (("wall", "wall-page"), ("audit", "audit-table"), ("assets", "asset-table")):
        await desk.goto(f"{address}/#/{place}")
        await expect(desk.get_by_test_id(arrived).first).to_be_visible(timeout=20_000)
        await _expect_nothing_ran(desk)
    for place in (f"alerts/{spoilt.id}", f"assets/{spoilt.asset}"):
        await desk.goto(f"{address}/#/{place}")
        await expect(desk.get_by_text(SCRIPT).first).to_be_visible(timeout=20_000)
        await _expect_nothing_ran(desk)


@pytest.fixture
async def spoilt_office(city_url: str, address: str) -> Spoilt:
    """What is written in the back office and in the field, with script wherever there is room for words."""
    words = {"en": SCRIPT, "zh": SCRIPT}
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    step = {"label": words, "role": "owner", "organisation": "water-company", "within_s": 60}
    pump = {"id": "pump", "name": words, "stock": 1, "unit": "<b>pcs</b>"}
    plan = {"lifeline": "water", "title": words, "public_message": words, "steps": [step]}
    depot = {"organisation": "water-company", "name": words, "position": [117.0, 31.0], "materials": [pump]}
    silence = {"kind": "silence", "matcher": {"zone": "W1"}, "ends_at": until, "reason": SCRIPT}
    async with client(address) as caller, await AsyncConnection.connect(city_url, autocommit=True) as store:
        for method, path, body in (
            ("PUT", "/response-plans/spoilt", {"plan": plan, "reason": SCRIPT}),
            ("PUT", "/depots/spoilt", depot),
            ("POST", "/silences", silence),
            ("POST", "/users", {"name": "spoilt", "label": SCRIPT, "roles": ["operator"]}),
            ("POST", "/duty/handovers", {"organisation": "water-company", "note": SCRIPT}),
        ):
            answer = await caller.request(method, path, json=body)
            assert answer.is_success, answer.text
        alert = await raised(store)
        order = await warned(caller, alert)
        path = f"/work-orders/{order['id']}"
        assert (await caller.post(f"{path}/feedback", json={"text": SCRIPT})).is_success
        named = {"name": f"{SCRIPT[:60]}.jpg"}
        assert (await caller.post(f"{path}/attachments", params=named, content=photo())).is_success
    return Spoilt(str(alert.id), order["incident"])


async def test_script_in_the_back_office_and_on_paper_is_shown_and_never_runs(
    desk: Page, address: str, spoilt_office: Spoilt
) -> None:
    office = ("plans", "plans/spoilt", "depots", "silences", "users", "handovers", f"alerts/{spoilt_office.alert}")
    others = {"audit": "audit-table", "field": "field-page", f"incidents/{spoilt_office.incident}": "incident-page"}
    shown = {place: desk.get_by_text(SCRIPT[:40]) for place in office}
    for place, arrived in (shown | {place: desk.get_by_test_id(name) for place, name in others.items()}).items():
        await desk.goto(f"{address}/#/{place}")
        await expect(arrived.first).to_be_visible(timeout=20_000)
        await _expect_nothing_ran(desk)
    # What is printed is kept and sent on, without the policy that the answer carries.
    paper = await desk.context.new_page()
    async with client(address) as caller:
        for path in (f"/alerts/{spoilt_office.alert}/crew-page", f"/incidents/{spoilt_office.incident}/report"):
            answer = await caller.get(path)
            assert answer.is_success, answer.text
            await paper.set_content(answer.text)
            await _expect_nothing_ran(paper)


async def _expect_nothing_ran(desk: Page) -> None:
    await expect(desk.locator("img[src='x']")).to_have_count(0)
    assert await desk.evaluate("window.ran") is None


async def test_script_that_reached_the_page_would_be_stopped_by_its_policy(desk: Page) -> None:
    await desk.evaluate(
        """script => new Promise(stopped => {
            document.addEventListener("securitypolicyviolation", stopped, {once: true});
            document.body.insertAdjacentHTML("beforeend", script);
        })""",
        SCRIPT,
    )
    assert await desk.evaluate("window.ran") is None
