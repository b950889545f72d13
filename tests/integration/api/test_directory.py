"""What things and people are called, for those who choose among them."""

import httpx
import psycopg

from services.alerts import lifelines


async def test_organisations_come_with_their_people_and_without_phones(city_url: str, api: httpx.AsyncClient) -> None:
    with psycopg.connect(city_url) as connection:
        people = {row[0]: row[1] for row in connection.execute("select id, organisation from person")}
    answer = await api.get("/organisations")
    organisations = answer.json()
    assert {person["id"]: one["id"] for one in organisations for person in one["people"]} == people
    assert [one["id"] for one in organisations] == sorted(one["id"] for one in organisations)
    assert all(one["name"]["en"] and one["name"]["zh"] for one in organisations)
    assert "phone" not in answer.text


async def test_every_kind_that_a_rule_may_raise_has_words_in_both_languages(api: httpx.AsyncClient) -> None:
    kinds = (await api.get("/alert-kinds")).json()
    assert {(one["lifeline"], one["kind"]) for one in kinds} == {
        (str(kind.lifeline), kind.kind) for kind in lifelines.alert_kinds()
    }
    assert all(one["label"]["en"] and one["label"]["zh"] for one in kinds)
