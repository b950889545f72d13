"""What the centre prepares, in a real browser: plans, deadlines, depots, and one shift for the next."""

import psycopg
from playwright.async_api import Page, expect

from tests.browser.chromium import marks
from tests.browser.conftest import visit
from tests.integration.api.harness import client

pytestmark = marks


async def test_the_next_version_of_a_plan_is_written_from_the_one_in_force(desk: Page, address: str) -> None:
    await desk.goto(f"{address}/#/plans/default-gas-leak")
    await desk.get_by_test_id("plan-write").click()
    await desk.get_by_test_id("plan-radius").fill("120")
    await desk.get_by_test_id("plan-step-minutes").first.fill("3")
    await desk.get_by_test_id("plan-step-add").click()
    await desk.get_by_test_id("plan-step-label-en").last.fill("Tell the school")
    await desk.get_by_test_id("plan-step-label-zh").last.fill("通知学校")
    await desk.get_by_test_id("plan-phone-add").click()
    await desk.get_by_test_id("plan-phone-name-en").fill("School")
    await desk.get_by_test_id("plan-phone-name-zh").fill("学校")
    await desk.get_by_test_id("plan-phone-number").fill("010-555-0100")
    await expect(desk.get_by_test_id("plan-save")).to_be_disabled()
    await desk.get_by_test_id("plan-reason").fill("a school was built")
    await desk.get_by_test_id("plan-save").click()
    await expect(desk.get_by_test_id("plan-form")).to_have_count(0)
    await expect(desk.get_by_test_id("plan-page")).to_contain_text("Tell the school")
    async with client(address) as caller:
        newest = (await caller.get("/response-plans/default-gas-leak")).json()[0]
    assert (newest["version"], newest["reason"], newest["plan"]["exclusion_radius_m"]) == (1, "a school was built", 120)
    assert newest["plan"]["steps"][0]["within_s"] == 180
    assert newest["plan"]["steps"][-1]["label"]["zh"] == "通知学校"
    assert newest["plan"]["phones"][0]["phone"] == "010-555-0100"
    assert newest["plan"]["public_message"] is not None


async def test_a_plan_that_somebody_else_wrote_meanwhile_is_not_overwritten(desk: Page, address: str) -> None:
    await desk.goto(f"{address}/#/plans")
    await desk.get_by_test_id("plan-new").click()
    await desk.get_by_test_id("plan-id").fill("default-gas-leak")
    await expect(desk.get_by_test_id("plan-save")).to_be_disabled()
    await desk.get_by_test_id("plan-id").fill("ice")
    await desk.get_by_test_id("plan-title-en").fill("Ice")
    await desk.get_by_test_id("plan-title-zh").fill("冰冻")
    await desk.get_by_test_id("plan-step-label-en").fill("Salt")
    await desk.get_by_test_id("plan-step-label-zh").fill("撒盐")
    await desk.get_by_test_id("plan-reason").fill("winter")
    await desk.get_by_test_id("plan-save").click()
    await expect(desk.get_by_test_id("plan-page")).to_contain_text("Salt")
    await desk.get_by_test_id("plan-write").click()
    async with client(address) as caller:
        (first,) = (await caller.get("/response-plans/ice")).json()
        theirs = {"plan": first["plan"] | {"exclusion_radius_m": 7}, "reason": "theirs"}
        assert (await caller.put("/response-plans/ice", json=theirs)).status_code == 200
        await desk.get_by_test_id("plan-reason").fill("mine")
        await desk.get_by_test_id("plan-save").click()
        await expect(desk.get_by_test_id("overtaken")).to_be_visible()
        await desk.get_by_test_id("overtaken-again").click()
        await expect(desk.get_by_test_id("plan-page")).to_contain_text("keep clear 7 m")
        reasons = [version["reason"] for version in (await caller.get("/response-plans/ice")).json()]
    assert reasons == ["theirs", "winter"]


async def test_a_deadline_is_changed_with_a_reason_unless_somebody_was_faster(desk: Page, address: str) -> None:
    await visit(desk, "rules")
    rule = desk.locator("[data-lifeline='gas'][data-testid='rule']")
    await expect(rule).to_contain_text("default")
    await rule.get_by_test_id("rule-write").click()
    await rule.get_by_test_id("rule-4-receive").fill("3")
    await rule.get_by_test_id("rule-1-close").fill("")
    await expect(rule.get_by_test_id("rule-save")).to_be_disabled()
    await rule.get_by_test_id("rule-reason").fill("the council")
    await rule.get_by_test_id("rule-save").click()
    await expect(rule).to_have_attribute("data-version", "1")
    await expect(rule).to_contain_text("the council")
    async with client(address) as caller:
        kept = {one["lifeline"]: one for one in (await caller.get("/disposal-rules")).json()}["gas"]
        assert kept["rule"]["deadlines_s"]["4"]["receive"] == 180
        assert "close" not in kept["rule"]["deadlines_s"]["1"]
        await rule.get_by_test_id("rule-write").click()
        theirs = {"rule": kept["rule"] | {"hold_s": 60}, "reason": "theirs"}
        assert (await caller.put("/disposal-rules/gas", json=theirs)).status_code == 200
    await rule.get_by_test_id("rule-reason").fill("mine")
    await rule.get_by_test_id("rule-save").click()
    await rule.get_by_test_id("overtaken-again").click()
    await expect(rule).to_have_attribute("data-version", "2")
    await expect(rule).to_contain_text("theirs")


async def test_a_depot_is_added_and_counted_again(desk: Page, address: str) -> None:
    await visit(desk, "depots")
    await desk.get_by_test_id("depot-add").click()
    for field, value in {
        "id": "D-9",
        "name-en": "East",
        "name-zh": "东库",
        "longitude": "116.4",
        "latitude": "39.9",
    }.items():
        await desk.get_by_test_id(f"depot-{field}").fill(value)
    await desk.get_by_test_id("depot-material-add").click()
    for field, value in {"id": "pump", "name-en": "Pump", "name-zh": "水泵", "stock": "4", "unit": "pcs"}.items():
        await desk.get_by_test_id(f"depot-material-{field}").fill(value)
    await desk.get_by_test_id("depot-save").click()
    depot = desk.locator("[data-depot='D-9']")
    await expect(depot).to_contain_text("4 pcs")
    await depot.get_by_test_id("depot-count").click()
    await desk.get_by_test_id("depot-material-stock").fill("3")
    await desk.get_by_test_id("depot-save").click()
    await expect(depot).to_contain_text("3 pcs")
    async with client(address) as caller:
        kept = {one["id"]: one for one in (await caller.get("/depots")).json()}["D-9"]
    assert (kept["position"], kept["materials"][0]["stock"]) == ([116.4, 39.9], 3)


async def test_a_shift_is_handed_over_and_taken_over(desk: Page, address: str, city_url: str) -> None:
    with psycopg.connect(city_url) as connection:
        organisation, people = connection.execute(
            "select organisation, array_agg(id order by id) from person group by 1 having count(*) > 1 order by 1"
        ).fetchall()[0]
    await visit(desk, "handovers")
    await desk.get_by_test_id("handover-add").click()
    await desk.get_by_test_id("handover-organisation").select_option(organisation)
    await desk.get_by_test_id("handover-outgoing").select_option(people[0])
    await expect(desk.get_by_test_id("handover-save")).to_be_disabled()
    await desk.get_by_test_id("handover-incoming").select_option(people[1])
    await desk.get_by_test_id("handover-note").fill("the pump at the underpass is slow")
    await desk.get_by_test_id("handover-save").click()
    record = desk.get_by_test_id("handover")
    await expect(record).to_have_attribute("data-state", "waiting")
    await expect(record).to_contain_text("the pump at the underpass is slow")
    await expect(record.get_by_test_id("handover-open")).to_contain_text("alerts 0")
    await record.get_by_test_id("handover-confirm").click()
    await record.get_by_test_id("handover-confirm-sure").click()
    await expect(record).to_have_attribute("data-state", "confirmed")
    async with client(address) as caller:
        (kept,) = (await caller.get("/duty/handovers")).json()
    assert (kept["outgoing"], kept["incoming"], kept["confirmed_by"]) == (people[0], people[1], "everything")
