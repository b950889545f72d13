"""Silences, policies, duty and reports as a person at the centre uses them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest

from services.alerts import lifelines
from services.alerts.suppression.default_inhibitions import default_inhibitions
from services.core.alert import Verdict
from services.core.severity import Severity
from services.core.store import alerts, audit, inhibitions, warnings
from services.core.suppression import Suppression, SuppressionKind
from services.core.text import Text
from services.core.warning import Approval
from tests.integration.api.harness import alert_at, client, connected, problem_of

TEXT = Text("Leak", "漏损")


def _in(**length: float) -> str:
    return (datetime.now(UTC) + timedelta(**length)).isoformat()


async def _warning(city_url: str, asset: str, approval: Approval) -> tuple[UUID, UUID]:
    """An alert and its warning."""
    alert = alert_at(asset)
    publication = warnings.Publication(
        severity=Severity.MAJOR,
        headline=TEXT,
        instruction=TEXT,
        organisation="water-company",
        actor="rule",
        policy="rule",
        approval=approval,
    )
    async with connected(city_url) as connection:
        await alerts.add(connection, alert, audit.SYSTEM)
        return alert.id, (await warnings.publish(connection, alert, publication, now=datetime.now(UTC))).id


async def test_a_silence_is_made_listed_and_ended_once(api: httpx.AsyncClient) -> None:
    wanted = {"kind": "silence", "matcher": {"zone": "W1"}, "ends_at": _in(hours=1), "reason": "known works"}
    made = await api.post("/silences", json=wanted)
    assert made.status_code == 201, made.text
    silence = made.json()
    assert (silence["in_force"], silence["author"], silence["mutes_to"]) == (True, "everything", 3)
    listed = (await api.get("/silences", params={"in_force": True})).json()["items"]
    assert silence["id"] in {each["id"] for each in listed}
    ended = await api.post(f"/silences/{silence['id']}/end")
    assert (ended.status_code, ended.json()["in_force"], ended.json()["ended_by"]) == (200, False, "everything")
    problem_of(await api.post(f"/silences/{silence['id']}/end"), 409, "step-not-possible")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"matcher": {}}, "body.matcher"),
        ({"matcher": {"colour": "red"}}, "body.matcher.colour"),
        ({"ends_at": "2020-01-01T00:00:00Z"}, "body.ends_at"),
        ({"kind": "shelving", "ends_at": "2100-01-01T00:00:00Z"}, "body.ends_at"),
        ({"kind": "maintenance", "recurrence": "FREQ=SECONDLY;INTERVAL=0"}, "body.recurrence"),
        ({"reason": ""}, "body.reason"),
    ],
)
async def test_a_silence_that_cannot_be_is_refused_with_the_field(
    api: httpx.AsyncClient, changes: dict[str, Any], field: str
) -> None:
    wanted = {"kind": "silence", "matcher": {"zone": "W1"}, "ends_at": _in(hours=1), "reason": "known"}
    problem = problem_of(await api.post("/silences", json=wanted | changes), 422, "not-valid")
    assert field in {error["field"] for error in problem["errors"]}


async def test_what_explains_what_can_be_read_and_switched(city_url: str, api: httpx.AsyncClient) -> None:
    with psycopg.connect(city_url) as connection:
        inhibitions.save_inhibitions(connection, default_inhibitions(lifelines.discover().values()))
    rules = {rule["id"]: rule for rule in (await api.get("/inhibitions")).json()}
    assert rules["water-leak-explains-pressure"]["enabled"]
    off = await api.post("/inhibitions/water-leak-explains-pressure/switch", json={"enabled": False, "reason": "trial"})
    assert (off.status_code, off.json()["enabled"]) == (200, False)
    with psycopg.connect(city_url) as connection:
        inhibitions.save_inhibitions(connection, default_inhibitions(lifelines.discover().values()))
    rules = {rule["id"]: rule for rule in (await api.get("/inhibitions")).json()}
    assert not rules["water-leak-explains-pressure"]["enabled"], "an update switched on what a person had switched off"


async def test_a_draft_is_published_by_an_approver_alone_and_sends_the_crew_then(
    city_url: str, address: str, asset: str
) -> None:
    alert, warning = await _warning(city_url, asset, Approval.BEFORE)
    async with client(address, "operate") as operator:
        problem_of(await operator.post(f"/warnings/{warning}/approve"), 403, "not-permitted")
    async with client(address) as leader:
        draft = (await leader.get(f"/warnings/{warning}")).json()
        assert (draft["state"], draft["moves"], draft["published_at"]) == ("draft", ["approve", "reject"], None)
        approved = await leader.post(f"/warnings/{warning}/approve")
        assert approved.status_code == 200, approved.text
        assert (approved.json()["state"], approved.json()["approved_by"]) == ("published", "everything")
        orders = (await leader.get("/work-orders", params={"alert": str(alert)})).json()["items"]
        assert [order["warning"] for order in orders if order["alert"] == str(alert)] == [str(warning)]
        problem_of(await leader.post(f"/warnings/{warning}/approve"), 409, "step-not-possible")


async def test_what_was_published_for_the_sake_of_life_is_confirmed_afterwards_once(
    city_url: str, api: httpx.AsyncClient, asset: str
) -> None:
    _, warning = await _warning(city_url, asset, Approval.AFTER)
    published = (await api.get(f"/warnings/{warning}")).json()
    assert (published["state"], published["moves"][0]) == ("published", "approve")
    confirmed = (await api.post(f"/warnings/{warning}/approve")).json()
    assert (confirmed["state"], confirmed["approved_by"]) == ("published", "everything")
    assert "approve" not in confirmed["moves"]
    problem_of(await api.post(f"/warnings/{warning}/approve"), 409, "step-not-possible")


async def test_a_warning_is_cancelled_or_rejected_only_with_a_reason(
    city_url: str, api: httpx.AsyncClient, asset: str
) -> None:
    _, warning = await _warning(city_url, asset, Approval.NONE)
    problem_of(await api.post(f"/warnings/{warning}/cancel"), 422, "not-valid")
    cancelled = (await api.post(f"/warnings/{warning}/cancel", json={"note": "wrong street"})).json()
    assert (cancelled["state"], cancelled["ended_reason"], cancelled["moves"]) == ("cancelled", "wrong street", [])


async def test_a_person_grades_a_warning_down_and_its_headline_says_so(
    city_url: str, api: httpx.AsyncClient, asset: str
) -> None:
    _, warning = await _warning(city_url, asset, Approval.NONE)
    graded = await api.post(f"/warnings/{warning}/grade", json={"severity": 1, "reason": "a small leak"})
    assert graded.status_code == 200, graded.text
    assert (graded.json()["severity"], graded.json()["headline"]["zh"][:2]) == (1, "四级")


async def test_a_policy_is_kept_by_version_and_a_wrong_one_is_refused(api: httpx.AsyncClient) -> None:
    assert (await api.get("/warning-policies")).json()[0]["version"] is None
    policy = {"rules": [{"lifeline": "gas", "decision": "rule-then-approved"}]}
    versions = [
        (await api.post("/warning-policies", json={"policy": policy, "reason": "season"})).json()["version"]
        for _ in range(2)
    ]
    assert versions == [1, 2]
    assert [each["version"] for each in (await api.get("/warning-policies")).json()] == [2, 1]
    newer, seen = {"policy": policy, "reason": "season"}, {"If-Match": '"2"'}
    assert (await api.post("/warning-policies", json=newer, headers=seen)).json()["version"] == 3
    problem_of(await api.post("/warning-policies", json=newer, headers=seen), 412, "changed-meanwhile")
    wrong = {"policy": {"rules": [{"decision": "maybe"}]}, "reason": "season"}
    problem = problem_of(await api.post("/warning-policies", json=wrong), 422, "not-valid")
    assert problem["errors"][0]["field"] == "body.policy.rules.0.decision"


async def test_a_duty_calendar_is_taken_over_with_its_holes_and_a_substitute_is_on_duty_instead(
    city_url: str, api: httpx.AsyncClient
) -> None:
    with psycopg.connect(city_url) as connection:
        rows = connection.execute("select organisation, id from person order by organisation, id").fetchall()
    organisation, person = rows[0]
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    calendar = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:1\r\n"
        f"SUMMARY:{person}\r\nDTSTART:{start:%Y%m%dT%H%M%SZ}\r\nDURATION:PT8H\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    taken = await api.put(f"/duty/{organisation}/rota", content=calendar, headers={"content-type": "text/calendar"})
    assert taken.status_code == 200, taken.text
    assert (taken.json()["shifts"], len(taken.json()["holes"])) == (1, 2)
    shown = (await api.get("/duty", params={"organisation": organisation})).json()
    (shift,) = shown["shifts"]
    wrong = await api.post(f"/duty/shifts/{shift['id']}/substitute", json={"person": "stranger"})
    problem_of(wrong, 422, "not-valid")
    instead = await api.post(f"/duty/shifts/{shift['id']}/substitute", json={"person": person})
    assert (instead.status_code, instead.json()["substitutes"]) == (201, person)
    nobody = await api.put(f"/duty/{organisation}/rota", content=calendar.replace(person, "stranger"))
    problem = problem_of(nobody, 422, "not-valid")
    assert "entry 1" in problem["detail"]
    assert len((await api.get("/duty", params={"organisation": organisation})).json()["shifts"]) == 2


async def test_a_citizen_s_report_is_put_to_the_nearest_asset_and_kept_once(
    city_url: str, api: httpx.AsyncClient, asset: str
) -> None:
    shape = (await api.get(f"/assets/{asset}")).json()["geometry"]
    point = shape["coordinates"] if shape["type"] == "Point" else shape["coordinates"][0]
    said = {
        "source": "citizen",
        "lifeline": "water",
        "position": point,
        "text": "Water comes out of the road",
        "noticed_at": "2026-07-14T06:00:00Z",
    }
    first, second = [(await api.post("/reports", json=said)).json() for _ in range(2)]
    assert first["is_new"]
    assert not second["is_new"]
    assert first["id"] == second["id"]
    far = problem_of(await api.post("/reports", json=said | {"position": [0.0, 0.0]}), 422, "not-valid")
    assert "within 500 m" in far["detail"]
    unknown = problem_of(await api.post("/reports", json=said | {"kind": "dragon"}), 422, "not-valid")
    assert unknown["errors"][0]["field"] == "body.kind"


@pytest.mark.parametrize("degrees", ["NaN", "Infinity", "-1e999", "300"])
async def test_a_report_at_no_place_on_earth_is_refused(api: httpx.AsyncClient, asset: str, degrees: str) -> None:
    said = f'{{"source": "citizen", "lifeline": "water", "asset": "{asset}", "text": "x", "position": [1, {degrees}]}}'
    answer = await api.post("/reports", content=said, headers={"Content-Type": "application/json"})
    problem = problem_of(answer, 422, "not-valid")
    assert [error["field"] for error in problem["errors"]] == ["body.position.1"]


async def test_alerts_posted_as_to_an_alertmanager_are_taken_and_wrong_ones_named(
    address: str, city_url: str, asset: str
) -> None:
    posted = {
        "labels": {"alertname": "PumpDown", "lifeline": "water", "asset": asset, "severity": "critical"},
        "annotations": {"summary": "pump 3 does not answer"},
        "startsAt": "2026-07-14T06:00:00Z",
        "generatorURL": "http://prometheus.example/graph",
    }
    async with client(address, "report") as caller:
        caller.base_url = httpx.URL(f"{address}/api/v2")
        assert (await caller.post("/alerts", json=[posted])).status_code == 200
        wrong = posted | {"labels": {"alertname": "PumpDown", "lifeline": "tram"}}
        problem = problem_of(await caller.post("/alerts", json=[posted, wrong]), 422, "not-valid")
        assert problem["errors"][0]["field"] == "body.1.labels.lifeline"
    with psycopg.connect(city_url) as connection:
        rows = connection.execute("select state, severity, text from report where asset = %s order by time", (asset,))
        assert [row[0] for row in rows] == ["raised", "cleared"]


async def test_remarks_and_who_looks_after_an_alert_are_on_its_trail(
    city_url: str, api: httpx.AsyncClient, asset: str
) -> None:
    alert = alert_at(asset)
    async with connected(city_url) as connection:
        await alerts.add(connection, alert, audit.SYSTEM)
    await api.post(f"/alerts/{alert.id}/comments", json={"text": "<b>called the crew</b>"})
    assigned = await api.post(f"/alerts/{alert.id}/assign", json={"assignee": "An Yiming"})
    assert assigned.json()["assignee"] == "An Yiming"
    (comment,) = (await api.get(f"/alerts/{alert.id}/comments")).json()
    assert (comment["author"], comment["text"]) == ("everything", "<b>called the crew</b>")
    actions = [entry["action"] for entry in (await api.get(f"/alerts/{alert.id}")).json()["timeline"]]
    assert actions == ["alert.open", "alert.comment", "alert.assign"]


async def test_the_numbers_of_a_day_tell_noise_from_work(city_url: str, api: httpx.AsyncClient, asset: str) -> None:
    before = (await api.get("/alarm-figures")).json()
    now = datetime.now(UTC)
    noisy = replace(
        alert_at(asset, created_at=now), verdict=Verdict.FALSE_ALARM, verdict_reason="a draught", reopened=5
    )
    quiet = replace(
        alert_at(asset, created_at=now, kind="pressure-low"),
        suppression=Suppression(SuppressionKind.SILENCE, None, TEXT, Severity.MAJOR),
    )
    taken = replace(alert_at(asset, created_at=now, kind="tank-level"), acknowledged_at=now + timedelta(seconds=90))
    async with connected(city_url) as connection:
        for alert in (noisy, quiet, taken):
            await alerts.add(connection, alert, audit.SYSTEM)
        # What the store sets by itself is the moment of storing.
        await connection.execute("update alert set created_at = %s where asset = %s", (now, asset))
    after = (await api.get("/alarm-figures", params={"end": (now + timedelta(minutes=1)).isoformat()})).json()
    assert (after["alerts"] - before["alerts"], after["told"] - before["told"]) == (3, 2)
    assert after["chattering"] - before["chattering"] == 1
    assert after["suppressed"]["silence"] == before["suppressed"].get("silence", 0) + 1
    assert after["top_sources"][0] == {"lifeline": "water", "kind": "leak-suspected", "asset": asset, "times": 6}
    residual = next(row for row in after["verdicts"] if row["false_alarms"])
    assert residual["detector"] == "residual"
    spoke = {each["sensor"]: each["false_alarms"] for each in after["sensor_verdicts"]}
    assert spoke[noisy.sensors[0]] == max(spoke.values())
    assert after["clocks"]["acknowledged"]["ninth_decile_s"] == pytest.approx(90)
