"""What was done last time is found again: by an alert that is like it, and by words in either language."""

import uuid
from dataclasses import replace

import httpx
from psycopg import AsyncConnection

from services.core.alert import Alert
from services.core.store import alerts, audit
from tests.integration.api.harness import alert_at, problem_of
from tests.integration.api.test_moves import make_alert, store

__all__ = ["store"]


async def _judged(api: httpx.AsyncClient, alert: Alert, reason: str, cause: str, verdict: str = "true-alarm") -> None:
    said = {"verdict": verdict, "reason": reason, "root_cause": cause}
    response = await api.post(f"/alerts/{alert.id}/verdict", json=said)
    assert response.status_code == 200, response.text
    assert response.json()["root_cause"] == cause


async def _another(store: AsyncConnection, like: Alert) -> Alert:
    """A later alert of the same kind at the same place."""
    async with store.transaction():
        await alerts.save(
            store, replace(like, cleared_at=like.last_at), before=like, actor=audit.SYSTEM, action="clear"
        )
        later = replace(alert_at(like.asset), id=uuid.uuid4())
        await alerts.add(store, later, audit.SYSTEM)
    return later


async def test_a_judged_alert_is_a_similar_case_of_the_next_one_at_its_place(
    api: httpx.AsyncClient, store: AsyncConnection
) -> None:
    first = await make_alert(store, "G1-US-1")
    assert (await api.get("/cases", params={"kind": first.kind})).json() == [], "nobody has judged it yet"
    await _judged(api, first, "corroded joint of cast iron renewed 铸铁管接头腐蚀，已更换", "corrosion")
    found = await alerts.find(store, first.id)
    assert found is not None
    later = await _another(store, found)
    similar = (await api.get(f"/alerts/{later.id}/similar-cases")).json()
    assert [each["alert"] for each in similar] == [str(first.id)]
    assert similar[0]["root_cause"] == "corrosion"
    assert "已更换" in similar[0]["told"]
    assert similar[0]["likeness"] > 0.9
    assert (await api.get(f"/alerts/{first.id}/similar-cases")).json() == [], "an alert is not like itself"


async def test_cases_are_found_by_words_in_either_language_and_the_last_verdict_is_told(
    api: httpx.AsyncClient, store: AsyncConnection
) -> None:
    alert = await make_alert(store, "G1-US-2")
    await _judged(api, alert, "沼气，雨后", "sewer-gas", "false-alarm")
    await _judged(api, alert, "sewer gas after heavy rain, 雨后沼气", "sewer-gas", "false-alarm")
    for text in ("Sewer gas", "沼气"):
        found = (await api.get("/cases", params={"text": text})).json()
        assert [each["alert"] for each in found] == [str(alert.id)], text
    assert "heavy rain" in found[0]["told"]
    assert (await api.get("/cases", params={"text": "bearing"})).json() == []


async def test_a_search_for_nothing_is_refused_and_an_unknown_alert_is_not_found(api: httpx.AsyncClient) -> None:
    refused = await api.get("/cases", params={"text": " …"})
    problem_of(refused, 422, "not-valid")
    missing = await api.get(f"/alerts/{uuid.uuid4()}/similar-cases")
    problem_of(missing, 404, "not-found")
