"""Disposal through the API: the whole loop of each lifeline, the field, plans, exercises, hand-overs, the report."""

import asyncio
import io
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from lxml import etree
from PIL import Image
from psycopg import AsyncConnection

from services.core.alert import Alert
from services.core.lifeline import Lifeline
from services.core.store import alerts
from tests.integration.api.harness import MOMENT, alert_at, cleared, client, problem_of

LOOP = {
    Lifeline.GAS: ("gas-leak", "default-gas-leak"),
    Lifeline.WATER: ("leak-suspected", "default-water-burst"),
    Lifeline.DRAINAGE: ("waterlogging", "default-waterlogging"),
    Lifeline.BRIDGE: ("structure-limit", "default-bridge"),
}


@pytest.fixture
async def store(city_url: str) -> AsyncIterator[AsyncConnection]:
    async with await AsyncConnection.connect(city_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
async def judge(address: str) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who did not do the work."""
    async with client(address, "another") as caller:
        yield caller


async def raised(store: AsyncConnection, lifeline: Lifeline = Lifeline.WATER) -> Alert:
    """An alert at a sensor of the lifeline whose asset has none yet."""
    cursor = await store.execute(
        """select sensor.id, sensor.asset, sensor.zone from sensor where lifeline = %s and not exists
        (select from alert where alert.asset = sensor.asset) order by sensor.id limit 1""",
        (lifeline,),
    )
    ((sensor, asset, zone),) = await cursor.fetchall()
    alert = alert_at(asset, sensors=(sensor,), zone=zone, lifeline=lifeline, kind=LOOP[lifeline][0])
    async with store.transaction():
        await alerts.add(store, alert, "system")
    return alert


async def normal(store: AsyncConnection, alert: Alert, held: timedelta) -> None:
    """The sensors have been normal for so long."""
    async with store.transaction():
        found = await alerts.find(store, alert.id, lock=True)
        assert found is not None
        if found.cleared_at is None:
            found = await alerts.save(
                store, replace(found, **cleared(found)), before=found, actor="system", action="clear"
            )
        await store.execute(
            """
            insert into latest (sensor_key, time, value, quality, reason, received_at)
            select key, %s, 0.1, 0, 0, now() from sensor where id = any(%s)
            on conflict (sensor_key) do update set time = excluded.time, received_at = excluded.received_at
            """,
            ((found.cleared_at or MOMENT) + held, list(alert.sensors)),
        )


async def warned(api: httpx.AsyncClient, alert: Alert) -> dict[str, Any]:
    """The order that goes out with a warning."""
    assert (await api.post(f"/alerts/{alert.id}/warning", json={"severity": 4})).status_code == 201
    (order,) = (await api.get("/work-orders", params={"alert": str(alert.id)})).json()["items"]
    return dict(order)


async def step(caller: httpx.AsyncClient, order: str, move: str, **body: Any) -> dict[str, Any]:
    answer = await caller.post(f"/work-orders/{order}/{move}", json=body)
    assert answer.status_code in {200, 201}, answer.text
    return dict(answer.json())


def photo() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (800, 600), (20, 90, 160)).save(written, "JPEG")
    return written.getvalue()


@pytest.mark.parametrize("lifeline", list(LOOP))
async def test_the_whole_loop_of_a_lifeline_with_every_clock(
    api: httpx.AsyncClient, judge: httpx.AsyncClient, store: AsyncConnection, lifeline: Lifeline
) -> None:
    alert = await raised(store, lifeline)
    order = await warned(api, alert)
    path = f"/work-orders/{order['id']}"
    (plan, *_) = (await api.get("/response-plans", params={"alert": str(alert.id)})).json()
    assert (plan["id"], plan["is_default"]) == (LOOP[lifeline][1], True)
    activated = await api.post("/plan-activations", json={"plan": plan["id"], "incident": order["incident"]})
    assert activated.status_code == 201, activated.text
    running = activated.json()
    assert not running["is_exercise"]
    assert all(each["person_name"] and each["phone"] for each in running["steps"] if each["organisation"])

    waited = {"receive": 300, "arrive": 1800, "control": 7200, "hand-back": 86_400}
    for move, allowed_s in waited.items():
        deadline = (await api.get(path)).json()["deadline"]
        due = datetime.fromisoformat(deadline["due_at"]) - datetime.fromisoformat(deadline["since"])
        assert (deadline["step"], deadline["is_default"], due.total_seconds()) == (move, True, allowed_s)
        if move == "hand-back":
            said = await step(
                api,
                order["id"],
                "feedback",
                text="Found and measured. 已查明。",
                measurements=[{"quantity": "methane", "value": 31.0, "unit": "%LEL"}],
                position=[117.27, 31.86],
            )
            kept = await api.post(
                f"{path}/attachments", params={"name": "../现场.jpg", "feedback": said["id"]}, content=photo()
            )
            assert (kept.status_code, kept.json()["name"]) == (201, "现场.jpg")
        await step(api, order["id"], move, **({"text": "Repaired, tested."} if move == "hand-back" else {}))
    for number in range(1, len(running["steps"]) + 1):
        done = await api.post(f"/plan-activations/{running['id']}/steps/{number}/done", json={"note": "done"})
        assert done.json()["steps"][number - 1]["done_by"] == "everything"
    problem_of(await judge.post(f"{path}/verify"), 409, "sensors-disagree")
    await normal(store, alert, timedelta(minutes=10))
    problem = problem_of(await judge.post(f"{path}/verify"), 409, "sensors-disagree")
    assert "normal for 10 of" in problem["detail"]
    await normal(store, alert, timedelta(hours=2))
    problem_of(await api.post(f"{path}/verify"), 409, "same-person")
    await step(judge, order["id"], "verify")
    problem_of(await api.post(f"{path}/close"), 409, "same-person")
    closed = await step(judge, order["id"], "close")
    assert (closed["state"], closed["deadline"]) == ("closed", None)

    record = (await api.get(f"{path}/record")).json()
    moves = [each["move"] for each in record["steps"]]
    assert moves == ["dispatch", "receive", "arrive", "control", "hand-back", "verify", "close"]
    assert all(each["due_at"] > each["at"] for each in record["steps"][1:]), "every step was in time"
    assert len(record["feedback"]) == 2
    incident = (await api.get(f"/incidents/{order['incident']}")).json()
    assert incident["closed_at"] is not None
    cost = {"label": "Excavator 挖掘机", "amount": "1850.50", "currency": "CNY"}
    assert (await api.post(f"/incidents/{order['incident']}/costs", json=cost)).status_code == 201
    lessons = {"text": "Valve box <b>was</b> buried. 阀井被埋。"}
    assert (await api.put(f"/incidents/{order['incident']}/lessons", json=lessons)).status_code == 200
    for lang, words in (("en", "Incident report"), ("zh", "事件处置报告")):
        report = await api.get(f"/incidents/{order['incident']}/report", params={"lang": lang})
        assert report.status_code == 200
        for told in (words, "1,850.50 CNY", "&lt;b&gt;was&lt;/b&gt;", "31 %LEL", "现场.jpg", "another"):
            assert told in report.text, told
        assert "<b>was" not in report.text


async def test_joint_work_ends_before_the_first_order_does(
    api: httpx.AsyncClient, judge: httpx.AsyncClient, store: AsyncConnection
) -> None:
    alert = await raised(store)
    order = await warned(api, alert)
    body = {"organisation": "gas-company", "title": {"en": "Keep the gas main safe", "zh": "保护燃气管"}}
    answer = await api.post(f"/incidents/{order['incident']}/orders", json=body)
    assert answer.status_code == 201, answer.text
    joint = answer.json()
    problem_of(await api.post(f"/incidents/{order['incident']}/orders", json=body), 409, "exists-already")
    await normal(store, alert, timedelta(days=1))
    for each in (order, joint):
        for move in ("receive", "arrive", "control"):
            await step(api, each["id"], move)
        await step(api, each["id"], "hand-back", text="done")
        await step(judge, each["id"], "verify")
    problem = problem_of(await judge.post(f"/work-orders/{order['id']}/close"), 409, "not-over")
    assert "gas-company" in problem["detail"]
    await step(judge, joint["id"], "close")
    await step(judge, order["id"], "close")
    assert (await api.get(f"/incidents/{order['incident']}")).json()["closed_at"] is not None


async def test_two_people_with_one_version_in_mind_do_not_overwrite_each_other(
    api: httpx.AsyncClient, judge: httpx.AsyncClient, store: AsyncConnection
) -> None:
    order = await warned(api, await raised(store))
    await step(api, order["id"], "receive", version=order["version"])
    late = await judge.post(f"/work-orders/{order['id']}/reject", json={"note": "ours?", "version": order["version"]})
    assert late.json()["type"] == "changed-meanwhile"
    record = (await api.get(f"/work-orders/{order['id']}/record")).json()
    assert [each["move"] for each in record["steps"]] == ["dispatch", "receive"]


async def test_a_draft_is_sent_rejected_and_goes_to_another_organisation(
    api: httpx.AsyncClient, store: AsyncConnection
) -> None:
    alert = await raised(store)
    drafted = (await api.post("/work-orders", json={"alert": str(alert.id)})).json()
    assert (drafted["state"], drafted["moves"], drafted["deadline"]) == ("draft", ["send"], None)
    await step(api, drafted["id"], "send")
    assert problem_of(await api.post(f"/work-orders/{drafted['id']}/reject"), 422, "not-valid")["errors"]
    rejected = await step(api, drafted["id"], "reject", note="not our pipe")
    assert (rejected["state"], rejected["deadline"]["step"]) == ("rejected", "send")
    (best, *_) = (await api.get(f"/work-orders/{drafted['id']}/proposal")).json()
    assert best["owns_asset"]
    moved = await step(api, drafted["id"], "transfer", organisation="gas-company", note="it is theirs")
    assert (moved["organisation"], moved["transferred"], moved["round"]) == ("gas-company", 1, 2)


async def test_files_that_lie_are_refused_and_others_come_back_as_they_were(
    api: httpx.AsyncClient, store: AsyncConnection
) -> None:
    order = await warned(api, await raised(store))
    path = f"/work-orders/{order['id']}/attachments"
    for content in (b"MZ\x90\x00" + b"\0" * 60, b"<html><script>", b"", b"\xff\xd8\xff no picture"):
        problem_of(await api.post(path, params={"name": "photo.jpg"}, content=content), 422, "not-valid")
    assert (await api.post(path, content=b"x" * (11 * 1024 * 1024))).status_code == 413
    kept = (await api.post(path, params={"name": 'a"b\r\nSet-Cookie: x.jpg'}, content=photo())).json()
    again = (await api.post(path, params={"name": "same.jpg"}, content=photo())).json()
    assert kept["sha256"] == again["sha256"]
    cursor = await store.execute("select count(*) from stored_file where encode(sha256, 'hex') = %s", (kept["sha256"],))
    assert await cursor.fetchone() == (1,)
    back = await api.get(f"{path}/{kept['id']}")
    assert (back.content, back.headers["content-type"]) == (photo(), "image/jpeg")
    assert back.headers["content-disposition"].startswith("attachment; filename*=UTF-8''a%22bSet-Cookie")
    assert back.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in back.headers
    small = await api.get(f"{path}/{kept['id']}/thumbnail")
    assert small.headers["content-type"] == "image/jpeg"
    other = await warned(api, await raised(store))
    problem_of(await api.get(f"/work-orders/{other['id']}/attachments/{kept['id']}"), 404, "not-found")


async def test_feedback_sent_twice_is_kept_once_and_nothing_is_added_to_what_is_closed(
    api: httpx.AsyncClient, store: AsyncConnection
) -> None:
    order = await warned(api, await raised(store))
    said = {"id": str(uuid.uuid4()), "text": "31 %LEL", "at": "2026-07-14T06:31:00Z"}
    for _ in range(2):
        await step(api, order["id"], "feedback", **said)
    record = (await api.get(f"/work-orders/{order['id']}/record")).json()
    assert [(each["id"], each["at"]) for each in record["feedback"]] == [(said["id"], said["at"])]
    ahead = {"text": "x", "at": (datetime.now(UTC) + timedelta(days=1)).isoformat()}
    problem_of(await api.post(f"/work-orders/{order['id']}/feedback", json=ahead), 422, "not-valid")


async def test_the_regulator_presses_once_and_is_answered_once(api: httpx.AsyncClient, store: AsyncConnection) -> None:
    order = await warned(api, await raised(store))
    asked = await step(api, order["id"], "supervise", text="Why so late?", due_at="2100-01-01T00:00:00Z")
    path = f"/supervisions/{asked['id']}/answer"
    assert (await api.post(path, json={"text": "The valve was buried."})).status_code == 200
    problem_of(await api.post(path, json={"text": "again"}), 409, "changed-meanwhile")
    escalated = await step(api, order["id"], "escalate", note="nobody comes")
    assert escalated["escalated"] == 1


async def test_a_shift_hands_its_orders_to_somebody_else(
    api: httpx.AsyncClient, judge: httpx.AsyncClient, store: AsyncConnection
) -> None:
    order = await warned(api, await raised(store))
    given = (
        await api.post(
            "/duty/handovers",
            json={"organisation": order["organisation"], "role": "crew", "note": "watch the pump"},
        )
    ).json()
    standing = {each["id"]: each for each in given["open"]["orders"]["named"]}
    assert standing[order["id"]]["state"] == order["state"]
    assert standing[order["id"]]["due_at"] is not None
    path = f"/duty/handovers/{given['id']}/confirm"
    problem_of(await api.post(path, json={}), 409, "same-person")
    problem_of(await judge.post(path, json={"person": "somebody"}), 422, "not-valid")
    taken = (await judge.post(path, json={})).json()
    assert (taken["state"], taken["confirmed_by"]) == ("confirmed", "another")


async def test_an_exercise_does_everything_but_tell_the_public(
    api: httpx.AsyncClient, store: AsyncConnection, asset: str
) -> None:
    cursor = await store.execute("select (select count(*) from cap_message), (select count(*) from warning)")
    public_before = await cursor.fetchone()
    answer = await api.post("/plan-activations", json={"plan": "default-gas-leak", "exercise_at": asset})
    assert answer.status_code == 201, answer.text
    drill = answer.json()
    assert drill["is_exercise"]
    assert (drill["title"]["en"][:8], drill["title"]["zh"][:4]) == ("EXERCISE", "【演练】")
    message = etree.fromstring((await api.get(f"/plan-activations/{drill['id']}/cap.xml")).content)
    name = "{urn:oasis:names:tc:emergency:cap:1.2}"
    assert message.findtext(f"{name}status") == "Exercise"
    for headline in message.iter(f"{name}headline"):
        assert (headline.text or "").startswith(("EXERCISE", "【演练】"))
    cursor = await store.execute("select (select count(*) from cap_message), (select count(*) from warning)")
    assert await cursor.fetchone() == public_before
    assert drill["id"] not in (await api.get("/cap.atom")).text
    report = (await api.get(f"/incidents/{drill['incident']}/report", params={"lang": "zh"})).text
    assert "演练 — 非真实事件" in report
    ended = await api.post(f"/plan-activations/{drill['id']}/end", json={"note": "well done"})
    assert ended.status_code == 200
    assert (await api.get(f"/incidents/{drill['incident']}")).json()["closed_at"] is not None
    late = await api.post(f"/plan-activations/{drill['id']}/steps/1/done")
    problem_of(late, 409, "over")


async def test_an_exercise_sends_an_order_that_is_marked_and_closed_in_earnest_until_it_ends(
    api: httpx.AsyncClient, judge: httpx.AsyncClient, store: AsyncConnection, city_assets: list[str]
) -> None:
    first, second, *_ = city_assets
    request = {"plan": "default-water-burst", "exercise_at": first}
    drill = (await api.post("/plan-activations", json=request)).json()
    path = f"/work-orders/{drill['work_order']}"
    order = (await api.get(path)).json()
    assert (order["is_exercise"], order["alert"], order["organisation"]) == (True, None, "water-company")
    assert (order["title"]["en"][:8], order["title"]["zh"][:4]) == ("EXERCISE", "【演练】")
    assert order["deadline"]["step"] == "receive"
    for move in ("receive", "arrive", "control"):
        await step(api, order["id"], move)
    await step(api, order["id"], "hand-back", text="Practised. 已演练。")
    problem_of(await judge.post(f"{path}/verify"), 409, "sensors-disagree")
    problem_of(await api.post(f"{path}/verify", json={"cannot_tell": "an exercise"}), 409, "same-person")
    await step(judge, order["id"], "verify", cannot_tell="an exercise")
    await step(judge, order["id"], "close")
    incident = (await api.get(f"/incidents/{drill['incident']}")).json()
    assert incident["closed_at"] is None, "the plan of the exercise still runs"
    await api.post(f"/plan-activations/{drill['id']}/end", json={"note": "well done"})
    assert (await api.get(f"/incidents/{drill['incident']}")).json()["closed_at"] is not None

    broken_off = (await api.post("/plan-activations", json=request | {"exercise_at": second})).json()
    left = broken_off["work_order"]
    assert left in {each["id"] for each in (await api.get("/work-orders", params={"open": True})).json()["items"]}
    joint = {"organisation": "gas-company", "title": {"en": "Keep the gas main safe", "zh": "保护燃气管"}}
    beside = (await api.post(f"/incidents/{broken_off['incident']}/orders", json=joint)).json()
    assert (beside["is_exercise"], beside["is_joint"], beside["title"]["zh"][:4]) == (True, True, "【演练】")
    await api.post(f"/plan-activations/{broken_off['id']}/end", json={"note": "a real alarm"})
    running = (await api.get("/work-orders", params={"open": True, "limit": 500})).json()["items"]
    assert not {left, beside["id"]} & {each["id"] for each in running}, (
        "what an exercise left undone is still to be done"
    )
    cursor = await store.execute("select count(*) from case_record where alert is null")
    assert await cursor.fetchone() == (0,)


async def test_a_plan_that_names_who_left_or_lacks_material_says_so_before_it_is_needed(
    api: httpx.AsyncClient, city_url: str
) -> None:
    with psycopg.connect(city_url) as connection:
        connection.execute(
            "insert into person values ('leaver', 'water-company', 'Li Na', 'Foreman', '班长', '555-0199')"
        )
    named = {"id": "leaver", "name": "Li Na", "post": {"en": "Foreman", "zh": "班长"}}
    words = {"en": "Shut it", "zh": "关阀"}
    pump = {"id": "pump", "name": {"en": "Pump", "zh": "泵"}, "needed": 2, "unit": "pcs"}
    plan = {
        "lifeline": "water",
        "title": {"en": "Plan", "zh": "预案"},
        "steps": [{"label": words, "role": "owner", "organisation": "water-company", "person": named, "within_s": 60}],
        "materials": [pump],
    }
    answer = await api.put("/response-plans/named", json={"plan": plan, "reason": "first"})
    assert [gap["reason"]["en"] for gap in answer.json()["gaps"]] == ["Pump: 2 pcs needed, 0 in stock"]
    depot = {
        "organisation": "water-company",
        "name": {"en": "Yard", "zh": "料场"},
        "position": [117.2, 31.8],
        "materials": [{"id": "pump", "name": {"en": "Pump", "zh": "泵"}, "stock": 3, "unit": "pcs"}],
    }
    assert (await api.put("/depots/yard", json=depot)).status_code == 200
    assert (await api.get("/response-plans/named")).json()[0]["gaps"] == []
    with psycopg.connect(city_url) as connection:
        connection.execute("delete from person where id = 'leaver'")
    (kept,) = (await api.get("/response-plans/named")).json()
    assert [(gap["step"], gap["reason"]["zh"]) for gap in kept["gaps"]] == [(1, "Li Na（班长）已不在岗")]


async def test_a_stock_that_somebody_else_counted_meanwhile_is_not_overwritten(api: httpx.AsyncClient) -> None:
    depot = {"organisation": "water-company", "name": {"en": "Cellar", "zh": "地库"}, "position": [117.2, 31.8]}
    kept = (await api.put("/depots/cellar", json=depot)).json()
    shown = await api.get("/depots/cellar")
    assert shown.headers["etag"] == f'"{kept["version"]}"'
    assert shown.json() == kept
    assert kept in (await api.get("/depots")).json()
    seen = {"If-Match": shown.headers["etag"]}
    counted = depot | {"materials": [{"id": "pump", "name": {"en": "Pump", "zh": "泵"}, "stock": 3, "unit": "pcs"}]}
    assert (await api.put("/depots/cellar", json=counted, headers=seen)).json()["version"] != kept["version"]
    problem_of(await api.put("/depots/cellar", json=depot, headers=seen), 412, "changed-meanwhile")
    assert [each["stock"] for each in (await api.get("/depots/cellar")).json()["materials"]] == [3]
    problem_of(await api.get("/depots/nowhere"), 404, "not-found")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"lifeline": "gas"}, {"default-gas-leak"}),
        ({"text": "GAS L"}, {"default-gas-leak"}),
        ({"text": "燃气"}, {"default-gas-leak"}),
        ({"lifeline": "water", "text": "gas"}, set()),
    ],
)
async def test_plans_are_found_by_lifeline_and_by_words_of_their_title(
    api: httpx.AsyncClient, wanted: dict[str, str], found: set[str]
) -> None:
    listed = {plan["id"] for plan in (await api.get("/response-plans", params=wanted)).json()}
    assert {name for name in listed if name.startswith("default-")} == found


async def test_a_plan_that_somebody_else_wrote_meanwhile_is_not_overwritten(api: httpx.AsyncClient) -> None:
    words = {"en": "Shut it", "zh": "关阀"}
    plan = {"lifeline": "water", "title": words, "steps": [{"label": words, "role": "owner", "within_s": 60}]}
    assert (await api.put("/response-plans/together", json={"plan": plan, "reason": "first"})).status_code == 200
    seen = {"If-Match": (await api.get("/response-plans/together")).headers["etag"]}
    one = await api.put("/response-plans/together", json={"plan": plan, "reason": "one"}, headers=seen)
    assert one.status_code == 200
    other = await api.put("/response-plans/together", json={"plan": plan, "reason": "other"}, headers=seen)
    problem_of(other, 412, "changed-meanwhile")
    seen = {"If-Match": (await api.get("/response-plans/together")).headers["etag"]}
    change = {"plan": plan, "reason": "at once"}
    both = await asyncio.gather(*(api.put("/response-plans/together", json=change, headers=seen) for _ in range(2)))
    assert sorted(answer.status_code for answer in both) == [200, 412]
    assert len((await api.get("/response-plans/together")).json()) == 3


async def test_a_rule_of_the_centre_holds_for_orders_from_then_on(
    api: httpx.AsyncClient, store: AsyncConnection
) -> None:
    before = await warned(api, await raised(store))
    rule = {"hold_s": 60, "watch_s": 60, "deadlines_s": {"4": {"receive": 120}}}
    answer = await api.put("/disposal-rules/water", json={"rule": rule, "reason": "the council"})
    assert (answer.json()["version"], answer.json()["rule"]["is_default"]) == (1, False)
    late = await api.put(
        "/disposal-rules/water", json={"rule": rule, "reason": "of the default"}, headers={"If-Match": '"0"'}
    )
    problem_of(late, 412, "changed-meanwhile")
    after = await warned(api, await raised(store))
    assert (after["deadline"]["allowed_s"], after["deadline"]["is_default"]) == (120, False)
    kept = (await api.get(f"/work-orders/{before['id']}")).json()
    assert (kept["deadline"]["allowed_s"], kept["deadline"]["is_default"]) == (300, True)
