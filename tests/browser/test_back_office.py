"""The back office in a real browser: what is kept quiet, who is on duty, who is told, by which policy, how it goes."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from playwright.async_api import FilePayload, Page, expect

from services.core.alert import Alert
from services.core.rejection import Rejection, RejectionReason
from services.core.store.rejections import write_rejections
from tests.browser.chromium import marks, opened_page
from tests.browser.conftest import sign_in, visit
from tests.integration.api.harness import client, connected

pytestmark = marks


async def test_a_silence_says_what_it_would_take_and_is_ended_early(
    desk: Page, address: str, standing_alerts: Sequence[Alert]
) -> None:
    await visit(desk, "silences")
    await desk.get_by_test_id("silence-add").click()
    await expect(desk.get_by_test_id("silence-save")).to_be_disabled()
    await desk.get_by_test_id("silence-lifeline").select_option("water")
    await expect(desk.get_by_test_id("silence-takes")).to_contain_text(f"now: {len(standing_alerts)}")
    await desk.get_by_test_id("silence-asset").fill(standing_alerts[0].asset)
    await expect(desk.get_by_test_id("silence-takes")).to_contain_text("now: 1")
    await desk.get_by_test_id("silence-reason").fill("the valve is being renewed")
    await desk.get_by_test_id("silence-save").click()
    row = desk.get_by_test_id("silence-row")
    await expect(row).to_have_count(1)
    await expect(row).to_have_attribute("data-state", "in-force")
    await expect(row).to_contain_text("the valve is being renewed")
    await row.get_by_test_id("silence-end").click()
    await row.get_by_test_id("silence-end-sure").click()
    await expect(row).to_have_count(0)
    async with client(address) as caller:
        (kept,) = (await caller.get("/silences")).json()["items"]
    assert kept["matcher"]["asset"] == standing_alerts[0].asset
    assert kept["ended_by"] == "everything"


async def test_rejected_data_is_chosen_looked_at_read_again_and_dismissed(
    desk: Page, address: str, city_url: str
) -> None:
    def refused(name: str, reason: RejectionReason, payload: bytes) -> Rejection:
        topic = f"lifeline/v1/browser/sensors/{name}/readings"
        return Rejection(topic, payload, reason, "value: is missing", datetime.now(UTC), name, "browser")

    script = b"<img src=x onerror=alert(1)>"
    async with connected(city_url) as connection:
        given = (refused("b1", RejectionReason.BAD_FIELD, script), refused("b2", RejectionReason.BAD_TIME, b"{}"))
        await write_rejections(connection, given)
    await visit(desk, "rejections")
    row = desk.get_by_test_id("rejection-row")
    await desk.get_by_test_id("rejection-topic").fill("lifeline/v1/nowhere")
    await expect(row).to_have_count(0)
    await desk.get_by_test_id("rejection-topic").fill("lifeline/v1/browser")
    await expect(row).to_have_count(2)
    await desk.get_by_test_id("rejection-reason").select_option("bad-field")
    await expect(row).to_have_count(1)
    await row.get_by_test_id("rejection-look").click()
    await expect(row.get_by_test_id("rejection-kept")).to_contain_text(script.decode())
    await row.get_by_test_id("rejection-reprocess").click()
    await expect(row).to_have_attribute("data-asked", "true")
    await row.get_by_test_id("rejection-dismiss").click()
    await row.get_by_test_id("rejection-dismiss-sure").click()
    await expect(row).to_have_count(0)
    async with client(address) as caller:
        left = (await caller.get("/rejections", params={"topic_prefix": "lifeline/v1/browser"})).json()["items"]
    assert [rejection["sensor"] for rejection in left] == ["b2"]


async def test_works_come_again_every_week_and_are_shown_as_coming(desk: Page, address: str) -> None:
    await visit(desk, "silences")
    await desk.get_by_test_id("silence-add").click()
    await desk.get_by_test_id("silence-kind-maintenance").click()
    await desk.get_by_test_id("silence-lifeline").select_option("gas")
    begin = datetime.now().astimezone() + timedelta(days=2)
    await desk.get_by_test_id("silence-starts").fill(f"{begin:%Y-%m-%dT%H:%M}")
    await desk.get_by_test_id("silence-ends").fill(f"{begin + timedelta(hours=3):%Y-%m-%dT%H:%M}")
    await desk.get_by_test_id("silence-recurrence").select_option("FREQ=WEEKLY")
    await desk.get_by_test_id("silence-records").check()
    await desk.get_by_test_id("silence-reason").fill("valves are exercised")
    await desk.get_by_test_id("silence-save").click()
    row = desk.get_by_test_id("silence-row").filter(has_text="valves are exercised")
    await expect(row).to_have_attribute("data-state", "coming")
    await expect(row).to_contain_text("every week")
    async with client(address) as caller:
        kept = (await caller.get("/silences")).json()["items"][0]
    assert (kept["recurrence"], kept["records"]) == ("FREQ=WEEKLY", False)
    assert datetime.fromisoformat(kept["starts_at"]) == begin.replace(second=0, microsecond=0)


async def test_a_refused_silence_keeps_what_was_typed_and_says_why(desk: Page) -> None:
    await visit(desk, "silences")
    await desk.get_by_test_id("silence-add").click()
    await desk.get_by_test_id("silence-lifeline").select_option("gas")
    await desk.get_by_test_id("silence-ends").fill("2020-01-01T00:00")
    await desk.get_by_test_id("silence-reason").fill("typed with care")
    await desk.get_by_test_id("silence-save").click()
    await expect(desk.get_by_test_id("refusal")).to_contain_text("ends_at")
    await expect(desk.get_by_test_id("silence-reason")).to_have_value("typed with care")


async def test_a_rule_that_explains_is_switched_off_with_a_reason(desk: Page, address: str, city_url: str) -> None:
    with psycopg.connect(city_url) as connection:
        connection.execute(
            "insert into inhibition (id, lifeline, causes, effects, reach, mutes_to, reason_en, reason_zh)"
            " values ('browser', 'water', '{burst}', '{*}', 'zone', 3, 'a burst', '爆管') on conflict do nothing"
        )
    await visit(desk, "silences")
    row = desk.get_by_test_id("inhibition-row").filter(has_text="a burst")
    await expect(row).to_have_attribute("data-enabled", "true")
    await row.get_by_test_id("inhibition-switch").click()
    await expect(row.get_by_test_id("inhibition-switch-reason")).to_be_focused()
    await desk.keyboard.type("explains too much")
    await row.get_by_test_id("inhibition-switch-save").click()
    await expect(row).to_have_attribute("data-enabled", "false")
    async with client(address) as caller:
        entries = (await caller.get("/audit", params={"subject": "browser"})).json()["items"]
    assert entries[0]["after"] == {"enabled": False, "reason": "explains too much"}


@pytest.fixture
def person(city_url: str) -> tuple[str, str, str]:
    """Somebody of an organisation with another person: the organisation, and both of them."""
    with psycopg.connect(city_url) as connection:
        organisation, people = connection.execute(
            "select organisation, array_agg(id order by id) from person group by 1 having count(*) > 1 order by 1"
        ).fetchall()[0]
    return organisation, people[0], people[1]


def calendar(name: str, start: datetime) -> FilePayload:
    text = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:1\r\n"
        f"SUMMARY:{name}\r\nDTSTART:{start:%Y%m%dT%H%M%SZ}\r\nDURATION:PT8H\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    return {"name": "rota.ics", "mimeType": "text/calendar", "buffer": text.encode()}


async def test_a_duty_calendar_is_taken_over_its_gaps_are_shown_and_somebody_stands_in(
    desk: Page, address: str, person: tuple[str, str, str]
) -> None:
    organisation, first, second = person
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    await visit(desk, "duty")
    await desk.get_by_test_id("rota-organisation").select_option(organisation)
    await desk.get_by_test_id("rota-file").set_input_files(calendar("nobody known", start))
    await desk.get_by_test_id("rota-save").click()
    await expect(desk.get_by_test_id("refusal")).to_contain_text("entry 1")
    await desk.get_by_test_id("rota-file").set_input_files(calendar(first, start))
    await desk.get_by_test_id("rota-save").click()
    await expect(desk.get_by_test_id("rota-taken")).to_contain_text("taken over: 1")
    row = desk.get_by_test_id("duty-post").and_(desk.locator(f"[data-organisation='{organisation}']"))
    async with client(address) as caller:
        known = {one["id"]: one for one in (await caller.get("/organisations")).json()}[organisation]
    names = {one["id"]: one["name"] for one in known["people"]}
    await expect(row.get_by_test_id("duty-now")).to_contain_text(names[first])
    await expect(desk.get_by_test_id("duty-hole")).to_have_count(1)
    await row.get_by_test_id("substitute").click()
    await row.get_by_test_id("substitute-person").select_option(second)
    await row.get_by_test_id("substitute-save").click()
    await expect(row.get_by_test_id("duty-now")).to_contain_text(f"{names[second]} for {names[first]}")


@pytest.fixture
async def receiver(address: str, city_url: str) -> str:
    with psycopg.connect(city_url) as connection:
        found = connection.execute("select id from organisation order by id").fetchone()
    assert found is not None
    async with client(address) as caller:
        asked = {"id": "dispatch", "organisation": found[0], "url": "https://dispatch.example.org/in"}
        answer = await caller.post("/receivers", json=asked)
        assert answer.status_code in {201, 409}, answer.text
    return "dispatch"


async def test_a_paused_receiver_shows_why_and_is_tried_again(desk: Page, city_url: str, receiver: str) -> None:
    with psycopg.connect(city_url) as connection:
        connection.execute(
            "insert into receiver_health (receiver, failures, paused_until, last_failure_at, last_error)"
            " values (%s, 5, now() + interval '5 minutes', now(), 'answered 503')",
            (receiver,),
        )
    await visit(desk, "receivers")
    row = desk.locator(f"[data-receiver='{receiver}']")
    await expect(row.get_by_test_id("receiver-health")).to_have_attribute("data-state", "paused")
    await expect(row).to_contain_text("answered 503")
    await row.get_by_test_id("receiver-resume").click()
    await expect(row.get_by_test_id("receiver-health")).not_to_have_attribute("data-state", "paused")


async def test_a_new_secret_is_shown_once_and_only_after_a_second_press(desk: Page, receiver: str) -> None:
    await visit(desk, "receivers")
    row = desk.locator(f"[data-receiver='{receiver}']")
    await row.get_by_test_id("receiver-rotate").click()
    await expect(row.get_by_test_id("one-time-secret")).to_have_count(0)
    await row.get_by_test_id("receiver-rotate-sure").click()
    await expect(row.get_by_test_id("secret-value")).to_contain_text("whsec_")
    await row.get_by_test_id("secret-done").click()
    await expect(row.get_by_test_id("one-time-secret")).to_have_count(0)
    assert "whsec_" not in await desk.content()
    await expect(row).to_contain_text("old and the new secret")


async def test_a_receiver_is_added_switched_off_and_on(desk: Page, address: str) -> None:
    await visit(desk, "receivers")
    await desk.get_by_test_id("receiver-add").click()
    await desk.get_by_test_id("receiver-id").fill("post-room")
    await desk.get_by_test_id("receiver-channel").select_option("email")
    await desk.get_by_test_id("receiver-url").fill("mailto:duty@example.org")
    await desk.get_by_test_id("receiver-settings").fill("{no")
    await expect(desk.get_by_test_id("receiver-save")).to_be_disabled()
    await desk.get_by_test_id("receiver-settings").fill("")
    await desk.get_by_test_id("receiver-save").click()
    row = desk.locator("[data-receiver='post-room']")
    await row.get_by_test_id("receiver-switch").click()
    await row.get_by_test_id("receiver-switch-sure").click()
    await expect(row.get_by_test_id("receiver-health")).to_have_attribute("data-state", "off")
    async with client(address) as caller:
        assert (await caller.get("/receivers/post-room")).json()["enabled"] is False
    await row.get_by_test_id("receiver-switch").click()
    await expect(row.get_by_test_id("receiver-health")).not_to_have_attribute("data-state", "off")


async def test_a_test_message_is_followed_and_a_failed_one_is_sent_again_by_hand(
    desk: Page, address: str, city_url: str, receiver: str
) -> None:
    await visit(desk, "receivers")
    row = desk.locator(f"[data-receiver='{receiver}']")
    await row.get_by_test_id("receiver-test").click()
    await expect(row.get_by_test_id("test-message")).to_have_attribute("data-state", "pending")
    # No process delivers here; the worker would have written this after its last try.
    with psycopg.connect(city_url) as connection:
        (sent,) = connection.execute("update notification set state = 'failed', attempts = 9 returning id").fetchall()
    await expect(row.get_by_test_id("test-message")).to_have_attribute("data-state", "failed")
    await visit(desk, "notifications")
    await desk.get_by_test_id("deliveries-failed").click()
    await desk.get_by_test_id("notification-row").get_by_test_id("redeliver").click()
    await expect(desk.get_by_test_id("notification-row")).to_have_count(0)
    await desk.get_by_test_id("deliveries-all").click()
    await expect(desk.get_by_test_id("notification-row")).to_have_attribute("data-state", "pending")
    async with client(address) as caller:
        assert UUID((await caller.get("/notifications")).json()["items"][0]["id"]) == sent[0]


async def test_a_new_policy_is_read_before_it_is_put_in_force_and_the_old_one_stays_on_record(
    desk: Page, address: str
) -> None:
    await visit(desk, "policies")
    in_force = desk.get_by_test_id("policy-in-force")
    await expect(in_force).to_have_attribute("data-version", "")
    for version in (1, 2):
        await desk.get_by_test_id("policy-write").click()
        await desk.get_by_test_id("policy-rule-add").click()
        await desk.get_by_test_id("policy-rule-lifeline").last.select_option("gas")
        await desk.get_by_test_id("policy-rule-decision").last.select_option("rule-then-approved")
        await desk.get_by_test_id("policy-step-after").first.fill("7")
        reads = desk.get_by_test_id("policy-reads")
        await expect(reads).to_contain_text("the rule at once, confirmed afterwards")
        await expect(reads).to_contain_text("after 7 min")
        await desk.get_by_test_id("policy-reason").fill("flood season")
        await desk.get_by_test_id("policy-save").click()
        await expect(in_force).to_have_attribute("data-version", str(version))
    await expect(desk.get_by_test_id("policy-version")).to_have_count(1)
    async with client(address) as caller:
        newest = (await caller.get("/warning-policies")).json()[0]
    assert newest["reason"] == "flood season"
    assert [rule["lifeline"] for rule in newest["policy"]["rules"]] == ["gas", "gas"]
    assert newest["policy"]["escalation"][0]["after_s"] == 420


async def test_the_alarm_numbers_judge_by_the_operators_at_the_desk(
    desk: Page, city_url: str, standing_alerts: Sequence[Alert]
) -> None:
    # The whole span is a day of 144 slices of ten minutes; 216 more make one and a half alerts in each.
    with psycopg.connect(city_url) as connection:
        connection.execute(
            """
            insert into alert select (jsonb_populate_record(alert, jsonb_build_object(
                'id', gen_random_uuid(), 'state', 'cleared', 'cleared_at', now(), 'severity', 0,
                'created_at', now() - n * interval '5 minutes'))).*
            from alert, generate_series(1, 216) as n where alert.id = %s
            """,
            (standing_alerts[1].id,),
        )
    await visit(desk, "figures")
    rate = desk.get_by_test_id("figure-rate")
    await expect(rate).to_have_attribute("data-good", "false")
    await expect(rate).to_contain_text("1.5")
    await desk.get_by_test_id("figures-operators").fill("2")
    await desk.get_by_test_id("figures-operators").blur()
    await expect(rate).to_have_attribute("data-good", "true")
    await expect(desk.get_by_test_id("figure-sources")).to_contain_text("217")
    await expect(desk.get_by_test_id("figure-severities")).to_contain_text("99%")
    await expect(desk.get_by_test_id("figure-days").locator("li")).to_have_count(7)


async def test_a_key_that_may_not_is_told_so_in_the_words_of_the_server(address: str) -> None:
    async with opened_page(locale="zh-CN") as page:
        await sign_in(page, address, "read")
        await page.goto(f"{address}/#/receivers")
        await expect(page.get_by_test_id("trouble")).to_contain_text("operate")
        await expect(page.get_by_role("heading", level=1)).to_have_text("接收方")
