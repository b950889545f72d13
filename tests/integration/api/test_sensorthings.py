"""SensorThings 1.1 over the demo city, read by a client that is not ours and asked by hand."""

import base64
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import frost_sta_client
import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.core.sensor import Sensor
from services.core.store.sensorthings.entities import SETS
from tests.integration.api.harness import MOMENT, client, key_of, problem_of

# The client of FROST asks a library of its own in a way that this library means to give up.
pytestmark = pytest.mark.filterwarnings("ignore:furl.pathstr:DeprecationWarning")
READINGS = 250


@pytest.fixture(scope="module")
def read_sensor(city_url: str, unused_sensors: list[str]) -> str:
    """A gas sensor with readings of one to 250, a minute apart; every tenth is suspect."""
    with psycopg.connect(city_url) as connection:
        row = connection.execute("select id, key from sensor where lifeline = 'gas' order by id limit 1").fetchone()
        assert row is not None
        rows = [
            (row[1], MOMENT + timedelta(minutes=number), float(number), int(number % 10 == 0), MOMENT)
            for number in range(1, READINGS + 1)
        ]
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into reading (sensor_key, time, value, quality, reason, received_at) values (%s,%s,%s,%s,0,%s)",
                rows,
            )
    return str(row[0])


@pytest.fixture
async def things(address: str) -> AsyncIterator[httpx.AsyncClient]:
    async with client(address) as caller:
        caller.base_url = httpx.URL(f"{address}/sta/v1.1")
        yield caller


async def asked(caller: httpx.AsyncClient, path: str, **options: Any) -> dict[str, Any]:
    response = await caller.get(path, params={f"${name}": value for name, value in options.items()})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


@pytest.fixture
def frost(address: str) -> frost_sta_client.SensorThingsService:
    login = frost_sta_client.AuthHandler("anybody", key_of("read"))
    return frost_sta_client.SensorThingsService(f"{address}/sta/v1.1", auth_handler=login)


def test_client_of_frost_reads_every_thing_page_by_page(
    frost: frost_sta_client.SensorThingsService, city_url: str
) -> None:
    with psycopg.connect(city_url) as connection:
        known = [row[0] for row in connection.execute("select id from asset order by id")]
    listed = frost.things().query().top(70).count().list()
    assert listed.count == len(known)
    assert sorted(thing.id for thing in listed) == sorted(known)


def test_client_of_frost_goes_from_thing_to_observations(
    frost: frost_sta_client.SensorThingsService, read_sensor: str
) -> None:
    stream = frost.datastreams().find(read_sensor)
    assert stream.unit_of_measurement.symbol
    thing = stream.get_thing() if hasattr(stream, "get_thing") else None
    assert thing is None or thing.id
    newest = stream.get_observations().query().top(3).orderby("phenomenonTime", "desc").list().entities
    assert [observation.result for observation in newest] == [250, 249, 248]
    every = stream.get_observations().query().top(100).filter("result gt 5").list()
    assert [observation.result for observation in every] == list(range(6, READINGS + 1))


def test_client_of_frost_reads_what_is_expanded(frost: frost_sta_client.SensorThingsService, read_sensor: str) -> None:
    listed = (
        frost.things()
        .query()
        .filter(f"Datastreams/id eq '{read_sensor}'")
        .expand(
            "Locations,Datastreams($expand=ObservedProperty,Sensor,Observations($top=1;$orderby=phenomenonTime desc))"
        )
        .list()
    )
    (thing,) = listed.entities
    assert thing.locations.entities[0].location["type"]
    stream = next(stream for stream in thing.datastreams.entities if stream.id == read_sensor)
    assert stream.observed_property.definition.startswith("urn:lifeline:quantity:gas:")
    assert stream.observations.entities[0].result == READINGS


async def test_root_names_every_set_and_claims_no_writing(things: httpx.AsyncClient) -> None:
    root = await asked(things, "")
    assert {entry["name"] for entry in root["value"]} == set(SETS)
    for entry in root["value"]:
        assert (await things.get(entry["url"])).status_code == 200
    assert not any("create" in name or "mqtt" in name for name in root["serverSettings"]["conformance"])


async def test_changes_are_refused_with_a_reason(things: httpx.AsyncClient) -> None:
    for method in ("POST", "PATCH", "PUT", "DELETE"):
        response = await things.request(method, "/Things", json={} if method != "DELETE" else None)
        problem_of(response, 405, "read-only")
        assert response.headers["allow"] == "GET"


async def test_key_counts_as_password_there_and_nowhere_else(address: str) -> None:
    login = base64.b64encode(f"x:{key_of('read')}".encode()).decode()
    async with client(address, None) as caller:
        caller.headers["Authorization"] = f"Basic {login}"
        assert (await caller.get(f"{address}/sta/v1.1/Things")).status_code == 200
        assert (await caller.get("/assets")).status_code == 401


async def test_every_link_of_an_entity_leads_somewhere(things: httpx.AsyncClient, read_sensor: str) -> None:
    for start in (f"/Datastreams('{read_sensor}')", f"/Datastreams('{read_sensor}')/Observations"):
        found = await asked(things, start, **({"top": 1} if start.endswith("Observations") else {}))
        for entity in found.get("value", [found]):
            links = [value for name, value in entity.items() if name.endswith("Link")]
            assert len(links) >= 3
            for link in links:
                response = await things.get(link)
                assert response.status_code == 200, (link, response.text)
            again = (await things.get(entity["@iot.selfLink"])).json()
            assert again == entity


FILTERS = {
    "result gt 248": [249, 250],
    "result ge 249 and resultQuality eq 'suspect'": [250],
    "not (result lt 250)": [250],
    "result mod 100 eq 0": [100, 200],
    "result mul 2 sub 1 eq 3": [2],
    "result div 2 eq 1.5": [3],
    "phenomenonTime lt 2026-07-14T06:02:30Z": [1, 2],
    "phenomenonTime le '2026-07-14T08:01:00+02:00'": [1],
    "minute(phenomenonTime) eq 59 and hour(phenomenonTime) eq 6": [59],
    "(result eq 1 or result eq 2) and (result eq 2 or result eq 3)": [2],
    "Datastream/properties/lifeline eq 'water'": [],
    "Datastream/Thing/properties/lifeline eq 'gas' and result eq 7": [7],
    "length(resultQuality) eq 7 and result lt 15": [10],
    "round(result div 100) eq 0 and result gt 48": [49],
}


@pytest.mark.parametrize("filter_", FILTERS)
async def test_filter_finds_what_it_says(things: httpx.AsyncClient, read_sensor: str, filter_: str) -> None:
    found = await asked(things, f"/Datastreams('{read_sensor}')/Observations", filter=filter_, orderby="result asc")
    results = [entity["result"] for entity in found["value"]]
    # PostgreSQL rounds halves of a number away from zero: 50 / 100 is 1.
    assert results == FILTERS[filter_]


async def test_functions_of_text_and_free_properties(things: httpx.AsyncClient) -> None:
    some = (await asked(things, "/Things", top=1, filter="properties/kind eq 'valve'"))["value"][0]
    name = some["name"]
    for filter_ in (
        f"name eq '{name}'",
        f"startswith(name,'{name[:3]}') and endswith(name,'{name[-2:]}')",
        f"substringof('{name[1:4]}',name)",
        f"tolower(name) eq '{name.lower()}'",
        f"indexof(name,'{name[2:]}') eq 2 and substring(name,2) eq '{name[2:]}'",
        f"concat(name,'x') eq '{name}x' and trim(name) eq '{name}'",
    ):
        found = await asked(things, "/Things", filter=f"({filter_}) and id eq '{some['@iot.id']}'")
        assert [thing["@iot.id"] for thing in found["value"]] == [some["@iot.id"]], filter_


async def test_select_count_skip_and_next_link(things: httpx.AsyncClient, read_sensor: str) -> None:
    path = f"/Datastreams('{read_sensor}')/Observations"
    page = await asked(things, path, select="result", top=100, count="true", orderby="result desc")
    assert page["@iot.count"] == READINGS
    assert set(page["value"][0]) == {"result"}
    results = [entity["result"] for entity in page["value"]]
    while "@iot.nextLink" in page:
        page = (await things.get(page["@iot.nextLink"])).json()
        results += [entity["result"] for entity in page["value"]]
    assert results == list(range(READINGS, 0, -1))


async def test_nested_page_goes_on_behind_its_link(things: httpx.AsyncClient, read_sensor: str) -> None:
    found = await asked(
        things,
        f"/Datastreams('{read_sensor}')",
        expand="Observations($top=3;$count=true;$filter=result gt 10;$select=result)",
    )
    assert found["Observations@iot.count"] == READINGS - 10
    assert found["Observations"] == [{"result": 11}, {"result": 12}, {"result": 13}]
    behind = (await things.get(found["Observations@iot.nextLink"])).json()
    assert [entity["result"] for entity in behind["value"]] == [14, 15, 16]


async def test_data_array_holds_rows(things: httpx.AsyncClient, read_sensor: str) -> None:
    found = await asked(
        things, "/Observations", resultFormat="dataArray", select="id,result", filter="result le 2", count="true"
    )
    (array,) = found["value"]
    assert array["components"] == ["id", "result"]
    assert [row[1] for row in array["dataArray"]] == [1, 2]
    assert array["Datastream@iot.navigationLink"].endswith(f"Datastreams('{read_sensor}')")
    plain = await things.get("/Observations", params={"resultFormat": "dataArray", "$top": 1})
    assert plain.json()["value"][0]["components"][0] == "id"


async def test_property_value_and_references(things: httpx.AsyncClient, read_sensor: str) -> None:
    path = f"/Datastreams('{read_sensor}')"
    whole = await asked(things, path)
    assert await asked(things, f"{path}/name") == {"name": whole["name"]}
    assert (await things.get(f"{path}/name/$value")).text == whole["name"]
    references = await asked(things, f"{path}/Observations/$ref", top=2)
    assert [set(reference) for reference in references["value"]] == [{"@iot.selfLink"}] * 2


WRONG = [
    ("/Things", {"$filter": "name eq"}),
    ("/Things", {"$filter": "name eq 'open"}),
    ("/Things", {"$filter": "name eq 5"}),
    ("/Things", {"$filter": "colour eq 'red'"}),
    ("/Things", {"$filter": "name"}),
    ("/Things", {"$filter": "Datastreams/name"}),
    ("/Things", {"$filter": "name gt null"}),
    ("/Things", {"$filter": "sleep(10) eq 1"}),
    ("/Things", {"$filter": "(" * 100 + "true" + ")" * 100}),
    ("/Things", {"$filter": "name eq '\x00'"}),
    ("/Things", {"$filter": "2026-02-31 eq now()"}),
    ("/Things", {"$orderby": "null"}),
    ("/Things", {"$orderby": "name sideways"}),
    ("/Things", {"$select": "colour"}),
    ("/Things", {"$expand": "Colours"}),
    ("/Things", {"$expand": "Datastreams($top=1"}),
    ("/Things", {"$expand": "Datastreams/" * 20 + "Thing"}),
    ("/Things", {"$top": "-1"}),
    ("/Things", {"$top": "x"}),
    ("/Things", {"$skip": "99999999999999999999"}),
    ("/Things", {"$count": "maybe"}),
    ("/Things", {"$colour": "red"}),
    ("/Things", {"$resultFormat": "dataArray"}),
    ("/Observations", {"$filter": "result gt 1e999"}),
    ("/Observations", {"$filter": "substring(resultQuality, 1e300) eq 'x'"}),
    ("/Things(", {}),
]


@pytest.mark.parametrize(("path", "options"), WRONG, ids=str)
async def test_question_that_is_not_understood_is_told_why(
    things: httpx.AsyncClient, path: str, options: dict[str, str], read_sensor: str
) -> None:
    problem = problem_of(await things.get(path, params=options), 400, "question-not-understood")
    assert problem["errors"][0]["reason"]


@pytest.mark.parametrize(
    "path",
    [
        "/Colours",
        "/Things('none')",
        "/Things('none')/Datastreams",
        "/Observations('x')",
        "/Observations('999999999-1')",
        "/Things/Datastreams",
        "/Datastreams('none')/Thing",
        "/Things('none')/name",
    ],
)
async def test_what_is_not_there_is_not_found(things: httpx.AsyncClient, path: str) -> None:
    problem_of(await things.get(path), 404, "not-found")


async def test_values_of_a_question_never_become_sql(things: httpx.AsyncClient, sensor: Sensor, city_url: str) -> None:
    for text in ("'; drop table reading; --", "x') or (1=1", "%s %(p0)s {0} {near}", "\\'; select 1"):
        written = text.replace("'", "''")
        found = await asked(things, "/Things", filter=f"name eq '{written}' or properties/{'a' * 5} eq '{written}'")
        assert found["value"] == []
    with psycopg.connect(city_url) as connection:
        assert connection.execute("select to_regclass('reading')").fetchone() != (None,)


_WORDS = st.sampled_from(
    [
        *(
            "name",
            "id",
            "result",
            "properties/zone",
            "Datastream/Thing/name",
            "Datastreams/Observations/result",
            "null",
        ),
        *("eq", "ne", "gt", "and", "or", "not", "add", "div", "mod", "(", ")", ",", "'x'", "''", "'%s'", "1", "-2.5"),
        *(
            "1e300",
            "0",
            "true",
            "now()",
            "2026-07-14T06:00:00Z",
            "length(",
            "substring(",
            "round(",
            "year(",
            "location",
        ),
        *("phenomenonTime", "resultTime", "unitOfMeasurement/symbol", "desc", "asc", "$top=1", ";", "Things", "/", "="),
        *(
            "Datastreams(",
            "Observations(",
            "$filter=",
            "$expand=",
            "HistoricalLocations",
            "@iot.id",
            "\u00e9",
            '"',
            "--",
        ),
    ]
)
_TEXTS = st.one_of(st.text(max_size=40), st.lists(_WORDS, max_size=14).map(" ".join), st.lists(_WORDS).map("".join))


@pytest.fixture(scope="module")
def plain() -> Iterator[httpx.Client]:
    with httpx.Client(headers={"Authorization": f"Bearer {key_of('read')}"}, timeout=20) as caller:
        yield caller


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    question=st.tuples(
        st.sampled_from(sorted(SETS)),
        st.sampled_from(["$filter", "$filter", "$filter", "$orderby", "$expand", "$select", "$top", "path"]),
        _TEXTS,
    )
)
def test_no_text_whatever_breaks_the_service(
    address: str, plain: httpx.Client, read_sensor: str, question: tuple[str, str, str]
) -> None:
    entities, option, text = question
    try:
        path, options = (
            (f"{entities}({text})", {}) if option == "path" else (entities, {option: text, "$count": "true"})
        )
        request = plain.build_request("GET", f"{address}/sta/v1.1/{path}", params=options)
    except (httpx.InvalidURL, UnicodeEncodeError):
        return
    response = plain.send(request)
    assert response.status_code in {200, 400, 404}, (text, response.text)
