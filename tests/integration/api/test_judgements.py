"""What people judge goes back to the detectors, the assets and the next trace."""

import uuid
from dataclasses import replace
from typing import Any

import httpx
from psycopg import AsyncConnection

from services.core.alert import Alert
from services.core.case import Sought, most_alike, rarity_of, words_of
from services.core.lifeline import Lifeline
from services.core.store import alerts, audit, cases
from tests.integration.api.harness import KIND as WATER_KIND
from tests.integration.api.harness import alert_at
from tests.integration.api.test_moves import make_alert, store

__all__ = ["store"]

KIND, PLACE = "judged-kind", "WJ-069"


async def _judged(api: httpx.AsyncClient, store: AsyncConnection, verdict: str, cause: str | None) -> Alert:
    """One more alert of a kind of its own at one place, over and judged."""
    alert = replace(alert_at(PLACE), id=uuid.uuid4(), kind=KIND)
    async with store.transaction():
        await alerts.add(store, alert, audit.SYSTEM)
        over = replace(alert, cleared_at=alert.last_at)
        await alerts.save(store, over, before=alert, actor=audit.SYSTEM, action="clear")
    said = {"verdict": verdict, "reason": "seen on site", "root_cause": cause}
    response = await api.post(f"/alerts/{alert.id}/verdict", json=said)
    assert response.status_code == 200, response.text
    return alert


async def _scores(api: httpx.AsyncClient, **query: str) -> list[dict[str, Any]]:
    response = await api.get("/detector-scores", params=query)
    assert response.status_code == 200, response.text
    return [each for each in response.json()["scores"] if each["kind"] == KIND]


async def test_judgements_become_a_score_of_the_detector_and_a_history_of_the_asset(
    api: httpx.AsyncClient, store: AsyncConnection
) -> None:
    before = (await api.get(f"/assets/{PLACE}/risk")).json()
    assert (before["breaks"], before["struck"]) == (0, 0)
    first = await _judged(api, store, "true-alarm", "corrosion")
    await _judged(api, store, "true-alarm", "third-party-works")
    for _ in range(2):
        await _judged(api, store, "false-alarm", "sewer-gas")
    await _judged(api, store, "test", None)

    (score,) = await _scores(api)
    assert (score["true_alarms"], score["false_alarms"], score["judged"]) == (2, 2, 4)
    assert score["causes"] == {"corrosion": 1, "third-party-works": 1, "sewer-gas": 2}
    assert score["precision"] == 0.5
    assert score["precision_low"] < 0.5 < score["precision_high"]
    assert await _scores(api, lifeline="gas") == []
    assert await _scores(api, start="2020-01-01T00:00:00Z", end="2020-02-01T00:00:00Z") == []
    by_sensor = await _scores(api, by="sensor")
    assert {each["place"] for each in by_sensor} == set(alert_at(PLACE).sensors)

    risk = (await api.get(f"/assets/{PLACE}/risk")).json()
    assert (risk["breaks"], risk["struck"]) == (1, 1)
    assert risk["score"] > before["score"]
    assert any("confirmed break" in reason["en"] for reason in risk["reasons"])
    listed = (await api.get("/asset-risks", params={"limit": 5000})).json()
    assert PLACE in {each["asset"] for each in listed}, "it is no pipe, and broke all the same"
    assert [each["score"] for each in listed] == sorted((each["score"] for each in listed), reverse=True)
    blue = (await api.get("/asset-risks", params={"colour": "blue"})).json()
    assert {each["colour"] for each in blue} <= {"blue"}
    assert (await cases.breaks_in(store, Lifeline.WATER))[PLACE] == 1
    assert PLACE not in await cases.breaks_in(store, Lifeline.GAS)
    assert PLACE not in await cases.breaks_in(store, Lifeline.WATER, without=first.id), "none confirms itself"


async def test_an_alert_tells_how_those_before_it_turned_out_and_stays_as_loud_as_it_was(
    api: httpx.AsyncClient, store: AsyncConnection
) -> None:
    for _ in range(3):
        await _judged(api, store, "false-alarm", "sewer-gas")
    later = await make_alert(store, "G1-US-2")
    like = replace(alert_at(PLACE), id=uuid.uuid4(), kind=KIND)
    async with store.transaction():
        await alerts.add(store, like, audit.SYSTEM)
    score = (await api.get(f"/alerts/{like.id}/detector-score")).json()
    assert score["false_alarms"] >= 3
    assert score["precision"] < 0.5
    told = (await api.get(f"/alerts/{like.id}")).json()
    assert told["severity"] == int(like.severity)
    assert told["suppression"] is None
    assert (await api.get(f"/alerts/{later.id}/detector-score")).json()["judged"] == 0
    assert (await api.get(f"/alerts/{uuid.uuid4()}/detector-score")).status_code == 404
    assert (await api.get("/assets/nowhere/risk")).status_code == 404


async def test_what_the_database_picks_as_alike_is_what_weighing_every_case_would_pick(
    api: httpx.AsyncClient, store: AsyncConnection
) -> None:
    said = {
        "WJ-069": "corroded joint renewed",
        "WJ-070": "valve shut 阀门关闭",
        "WJ-071": "joint of cast iron 接头腐蚀",
    }
    for asset, reason in said.items():
        alert = await make_alert(store, asset)
        told = {"verdict": "true-alarm", "reason": reason}
        assert (await api.post(f"/alerts/{alert.id}/verdict", json=told)).status_code == 200
    everyone = Sought(lifeline=Lifeline.WATER, words=words_of("joint"))
    kept = [each.case for each in await cases.similar(store, Sought(lifeline=Lifeline.WATER, kind=WATER_KIND), 50)]
    assert len(kept) >= len(said)
    for sought in (
        everyone,
        replace(everyone, kind=WATER_KIND, asset="WJ-070", place=kept[0].place),
        replace(everyone, kind=WATER_KIND, asset_kind="junction", words=words_of("接头腐蚀 valve")),
    ):
        rarity = rarity_of(sought.words, {})
        expected = [(each.case.alert, each.likeness) for each in most_alike(sought, kept, rarity, 2)]
        found = [(each.case.alert, each.likeness) for each in await cases.similar(store, sought, 2)]
        assert found == expected
