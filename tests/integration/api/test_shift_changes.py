"""A shift is handed over as people do it: what is open, offered, confirmed once."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
import pytest

from services.core.severity import Severity
from services.core.store import alerts, audit
from tests.integration.api.harness import alert_at, client, connected, problem_of


@pytest.fixture(scope="module")
def centre(city_url: str) -> str:
    """The centre's identifier, with two people of its own."""
    with psycopg.connect(city_url) as connection:
        (found,) = connection.execute("select id from organisation where role = 'centre'").fetchone() or ("",)
        for person in ("goes", "comes"):
            connection.execute(
                "insert into person (id, organisation, name, post_en, post_zh, phone) values (%s, %s, %s, '', '', '')",
                (person, found, person),
            )
    return str(found)


def _offer(centre: str, role: str = "duty", **changes: str) -> dict[str, str]:
    return {"organisation": centre, "role": role, "outgoing": "goes", "incoming": "comes"} | changes


async def test_what_is_open_is_handed_over_and_confirmed_once(
    api: httpx.AsyncClient, city_url: str, centre: str, city_assets: list[str]
) -> None:
    quiet, bad, worst = (
        alert_at(asset, severity=Severity(severity), highest_severity=Severity(severity))
        for asset, severity in zip(city_assets[:3], (1, 3, 4), strict=True)
    )
    async with connected(city_url) as connection:
        for alert in (quiet, bad, worst):
            await alerts.add(connection, alert, audit.SYSTEM)
    offered = await api.post("/duty/handovers", json=_offer(centre, note="watch the main"))
    assert offered.status_code == 201, offered.text
    handover = offered.json()
    assert handover["state"] == "waiting"
    named = [item["severity"] for item in handover["open"]["alerts"]["named"]]
    assert named == sorted(named, reverse=True), "the worst is named first"
    assert handover["open"]["alerts"]["count"] >= 3
    problem_of(await api.post("/duty/handovers", json=_offer(centre)), 409, "exists-already")
    path = f"/duty/handovers/{handover['id']}/confirm"
    problem_of(await api.post(path, json={"person": "goes"}), 422, "not-valid")
    confirmed = await api.post(path, json={"person": "comes"})
    assert (confirmed.status_code, confirmed.json()["state"]) == (200, "confirmed")
    problem_of(await api.post(path, json={"person": "comes"}), 409, "step-not-possible")
    problem_of(await api.post(f"/duty/handovers/{handover['id']}/withdraw"), 409, "step-not-possible")
    assert (await api.get("/duty/handovers")).json()[0]["id"] == handover["id"]
    async with connected(city_url) as connection:
        trail = [entry.action for entry in await audit.entries_of(connection, [handover["id"]])]
    assert trail == ["shift-handover.offer", "shift-handover.confirm"]


async def test_two_who_confirm_at_once_confirm_it_once(api: httpx.AsyncClient, address: str, centre: str) -> None:
    handover = (await api.post("/duty/handovers", json=_offer(centre, "second"))).json()["id"]
    async with client(address, "another") as other:
        path, said = f"/duty/handovers/{handover}/confirm", {"person": "comes"}
        answers = await asyncio.gather(api.post(path, json=said), other.post(path, json=said))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 1}


async def test_an_offer_that_was_withdrawn_makes_room_for_a_new_one(api: httpx.AsyncClient, centre: str) -> None:
    first = (await api.post("/duty/handovers", json=_offer(centre, "third"))).json()["id"]
    assert (await api.post(f"/duty/handovers/{first}/withdraw")).json()["state"] == "withdrawn"
    assert (await api.post("/duty/handovers", json=_offer(centre, "third"))).status_code == 201


async def test_people_who_are_not_there_hand_nothing_over(api: httpx.AsyncClient, centre: str) -> None:
    problem_of(await api.post("/duty/handovers", json=_offer("nobody")), 422, "not-valid")
    problem_of(await api.post("/duty/handovers", json=_offer(centre, incoming="stranger")), 422, "not-valid")
    problem_of(await api.post("/duty/handovers", json=_offer(centre, incoming="goes")), 422, "not-valid")


async def test_the_changes_ahead_show_who_comes_and_where_nobody_does(
    api: httpx.AsyncClient, city_url: str, centre: str
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    with psycopg.connect(city_url) as connection:
        for person, begins, ends in (("goes", -2, 6), ("comes", 6, 14), ("goes", 16, 24)):
            connection.execute(
                """
                insert into duty_shift (id, organisation, role, person, starts_at, ends_at, source)
                values (gen_random_uuid(), %s, 'watch', %s, %s, %s, 'a test')
                """,
                (centre, person, now + timedelta(hours=begins), now + timedelta(hours=ends)),
            )
    found = await api.get("/duty/changes", params={"organisation": centre})
    told = [(each["goes"], each["comes"], each["state"]) for each in found.json() if each["role"] == "watch"]
    assert told == [
        ([], ["goes"], "ahead"),
        (["goes"], ["comes"], "ahead"),
        (["comes"], [], "nobody"),
        ([], ["goes"], "ahead"),
        (["goes"], [], "nobody"),
    ]
