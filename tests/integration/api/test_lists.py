"""Lists: pages, filters, and what is wrong with a request."""

import base64
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from services.core.city_folder import CityFolder
from services.core.lifeline import Lifeline
from services.core.notification import Delivery, Notification, NotificationState
from services.core.organisation import Receiver
from services.core.rejection import Rejection, RejectionReason
from services.core.severity import Severity
from services.core.store import alerts, audit, notifications, organisations, rejections, warnings, work_orders
from services.core.text import Text
from services.core.warning import WarningMove
from tests.integration.api.harness import MOMENT, alert_at, cleared, connected, problem_of

ALERTS = 23
"""Of these every third shares a moment, the others have one of their own; every fourth is over."""
NOTHING = str(uuid.UUID(int=0))


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def filled(city_url: str, city: CityFolder) -> list[str]:
    """Alerts with warnings, orders, notifications, rejections; the identifiers of the alerts."""
    assets = [asset.id for asset in city.assets if asset.lifeline is Lifeline.WATER][-ALERTS:]
    made = [alert_at(asset, detected_at=_moment(number)) for number, asset in enumerate(assets)]
    text = Text("Leak", "泄漏")
    async with connected(city_url) as connection:
        receiver = Receiver(
            "water", "water-company", "http://127.0.0.1:9/", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1
        )
        await organisations.save_receiver(connection, receiver)
        for number, alert in enumerate(made):
            now = _moment(number)
            await alerts.add(connection, alert, audit.SYSTEM)
            grade: dict[str, Any] = {"severity": Severity.MAJOR, "organisation": "water-company", "actor": "rule"}
            publication = warnings.Publication(headline=text, instruction=text, policy="rule", **grade)
            warning = await warnings.publish(connection, alert, publication, now=now)
            await work_orders.dispatch(connection, alert, warning=warning.id, title=text, now=now, **grade)
            note = Notification(
                uuid.uuid4(), "water", "t", "warning", warning.id, "{}", NotificationState.PENDING, 0, now, None
            )
            await notifications.enqueue(connection, note)
            if number % 4 == 0:
                over = replace(alert, **cleared(alert))
                await alerts.save(connection, over, before=alert, actor=audit.SYSTEM, action="clear")
                await warnings.move(connection, warning, WarningMove.LIFT, actor="rule", now=now)
                attempt = Delivery(note.id, 1, now, 12.5, 503, "busy", None)
                await notifications.record_attempt(connection, attempt, NotificationState.PENDING)
                delivered = replace(attempt, attempt=2, status=204, response="")
                await notifications.record_attempt(connection, delivered, NotificationState.DELIVERED)
        refused = [
            Rejection(f"t/{n}", b"\xff{", reason, "why", MOMENT, f"s{n}")
            for n, reason in enumerate([RejectionReason.BAD_JSON, RejectionReason.BAD_TIME] * 6)
        ]
        await rejections.write_rejections(connection, refused)
    return [str(alert.id) for alert in made]


def _moment(number: int) -> datetime:
    return MOMENT if number % 3 == 0 else MOMENT + timedelta(minutes=number)


async def pages(api: httpx.AsyncClient, path: str, limit: int, **wanted: Any) -> list[list[dict[str, Any]]]:
    """Every page of a list, found by following ``next``."""
    found: list[list[dict[str, Any]]] = []
    cursor: dict[str, str] = {}
    while True:
        response = await api.get(path, params={"limit": limit, **wanted, **cursor})
        assert response.status_code == 200, response.text
        page = response.json()
        found.append(page["items"])
        if page["next"] is None:
            assert "next" not in response.links
            return found
        cursor = {"cursor": page["next"]}
        assert response.url.join(response.links["next"]["url"]).params == response.url.copy_merge_params(cursor).params


LISTS = ["/alerts", "/warnings", "/work-orders", "/notifications", "/sensors", "/rejections", "/audit"]


@pytest.mark.parametrize("limit", [1, 5, 23])
@pytest.mark.parametrize("path", ["/alerts", "/warnings", "/work-orders", "/notifications"])
async def test_pages_hold_everything_once_although_many_share_a_moment(
    api: httpx.AsyncClient, path: str, limit: int
) -> None:
    found = await pages(api, path, limit)
    identifiers = [item["id"] for page in found for item in page]
    assert len(identifiers) == len(set(identifiers)) == ALERTS
    assert all(len(page) == limit for page in found[:-1])
    times = [item["detected_at" if path == "/alerts" else "created_at"] for page in found for item in page]
    assert times == sorted(times, reverse=True)


async def test_the_next_page_is_where_the_link_leads(api: httpx.AsyncClient) -> None:
    first = await api.get("/alerts", params={"limit": 4, "severity_from": 1, "state": "open"})
    second = await api.get(first.url.join(first.links["next"]["url"]))
    whole = (await api.get("/alerts", params={"limit": 8, "severity_from": 1, "state": "open"})).json()["items"]
    assert first.json()["items"] + second.json()["items"] == whole
    assert "link" not in (await api.get("/alerts", params={"limit": 500})).headers
    assert "link" not in (await api.get("/alerts", params={"cursor": '"next":"x"}'})).headers


@pytest.mark.parametrize("path", ["/sensors", "/rejections", "/audit"])
async def test_pages_by_identifier_hold_everything_once(api: httpx.AsyncClient, path: str) -> None:
    whole = [item["id"] for page in await pages(api, path, 500) for item in page]
    parts = [item["id"] for page in await pages(api, path, 7 if path == "/rejections" else 40) for item in page]
    assert parts == whole
    assert len(set(whole)) == len(whole) > 10


async def test_sensors_are_listed_by_identifier_and_all_of_the_city(api: httpx.AsyncClient, city: CityFolder) -> None:
    listed = [sensor["id"] for page in await pages(api, "/sensors", 64) for sensor in page]
    assert listed == sorted(sensor.sensor for sensor in city.sensors)


async def test_what_arrives_while_a_reader_pages_shifts_nothing(
    api: httpx.AsyncClient, city_url: str, asset: str
) -> None:
    first = (await api.get("/alerts", params={"limit": 10})).json()
    newer = alert_at(asset, detected_at=MOMENT + timedelta(days=1))
    async with connected(city_url) as connection:
        await alerts.add(connection, newer, audit.SYSTEM)
    rest = (await api.get("/alerts", params={"cursor": first["next"]})).json()
    seen = [item["id"] for item in first["items"] + rest["items"]]
    assert len(set(seen)) == len(seen) == ALERTS
    async with connected(city_url) as connection:
        await connection.execute("delete from alert where id = %s", (newer.id,))


@pytest.mark.parametrize(
    ("path", "wanted", "count"),
    [
        ("/alerts", {"open": "true"}, 17),
        ("/alerts", {"open": "false"}, 6),
        ("/alerts", {"lifeline": "water"}, 23),
        ("/alerts", {"lifeline": "gas"}, 0),
        ("/alerts", {"severity": 3}, 23),
        ("/alerts", {"severity": 4}, 0),
        ("/alerts", {"sensor_fault": "false"}, 23),
        ("/alerts", {"sensor_fault": "true"}, 0),
        ("/alerts", {"zone": "W1"}, 23),
        ("/alerts", {"zone": "nowhere"}, 0),
        ("/alerts", {"asset": "nothing"}, 0),
        ("/warnings", {"open": "true"}, 17),
        ("/warnings", {"open": "false"}, 6),
        ("/warnings", {"alert": NOTHING}, 0),
        ("/work-orders", {"open": "true"}, 23),
        ("/work-orders", {"open": "false"}, 0),
        ("/work-orders", {"alert": NOTHING}, 0),
        ("/notifications", {"subject": NOTHING}, 0),
        ("/rejections", {"reason": "bad-json"}, 6),
        ("/rejections", {"reason": "bad-json", "sensor": "s2"}, 1),
        ("/rejections", {"sensor": "s1"}, 1),
    ],
)
async def test_filters_keep_what_they_name_over_all_pages(
    api: httpx.AsyncClient, path: str, wanted: Mapping[str, Any], count: int
) -> None:
    assert sum(len(page) for page in await pages(api, path, 4, **wanted)) == count


async def test_lists_of_one_alert_name_its_warning_and_order(api: httpx.AsyncClient, filled: list[str]) -> None:
    alert = (await api.get(f"/alerts/{filled[1]}")).json()
    (warning,) = (await api.get("/warnings", params={"alert": alert["id"]})).json()["items"]
    (order,) = (await api.get("/work-orders", params={"alert": alert["id"]})).json()["items"]
    assert (alert["warning"], alert["work_order"]) == (warning["id"], order["id"])
    assert order["warning"] == warning["id"]
    assert order["organisation_name"]["en"] == "Demo Water Company"
    assert [line["action"] for line in alert["timeline"]] == ["alert.open", "warning.publish", "work-order.dispatch"]


async def test_notifications_carry_their_attempts_in_order(api: httpx.AsyncClient, filled: list[str]) -> None:
    warning = (await api.get(f"/alerts/{filled[0]}")).json()["warning"]
    (note,) = (await api.get("/notifications", params={"subject": warning})).json()["items"]
    assert (note["state"], note["attempts"]) == ("delivered", 2)
    assert [(attempt["attempt"], attempt["status"]) for attempt in note["deliveries"]] == [(1, 503), (2, 204)]


async def test_rejected_bytes_that_are_no_text_are_shown(api: httpx.AsyncClient) -> None:
    (rejection,) = (await api.get("/rejections", params={"sensor": "s0"})).json()["items"]
    assert rejection["payload"] == "\\xff{"


@pytest.mark.parametrize("wanted", [{"lifeline": "water"}, {"zone": "W1"}, {"lifeline": "gas", "zone": "W1"}])
async def test_sensors_filtered_are_those_of_the_register(
    api: httpx.AsyncClient, city: CityFolder, wanted: Mapping[str, str]
) -> None:
    zones = {asset.id: asset.zone for asset in city.assets}
    expected = [
        sensor.sensor
        for sensor in city.sensors
        if wanted.get("lifeline") in (None, sensor.lifeline) and wanted.get("zone") in (None, zones[sensor.asset])
    ]
    assert [item["id"] for page in await pages(api, "/sensors", 50, **wanted) for item in page] == sorted(expected)


async def test_a_sensor_tells_its_limits_and_its_quantity_in_words(api: httpx.AsyncClient, city: CityFolder) -> None:
    name, limits = next(iter(city.thresholds.items()))
    sensor = (await api.get(f"/sensors/{name}")).json()
    assert [limit["raise_at"] for limit in sensor["thresholds"]] == [limit.raise_at for limit in limits]
    assert sensor["label"]["en"]
    assert sensor["label"]["zh"]


async def test_lifelines_count_open_alerts_and_name_the_worst(api: httpx.AsyncClient) -> None:
    answered = {entry["id"]: entry for entry in (await api.get("/lifelines")).json()}
    assert set(answered) == {"bridge", "drainage", "gas", "water"}
    assert (answered["water"]["open_alerts"], answered["water"]["worst_severity"]) == (17, 3)
    assert (answered["gas"]["open_alerts"], answered["gas"]["worst_severity"]) == (0, 0)


def _positions(geometry: Mapping[str, Any]) -> list[list[float]]:
    depth = {"Point": 0, "LineString": 1, "Polygon": 2}[geometry["type"]]
    parts: list[Any] = [geometry["coordinates"]]
    for _ in range(depth):
        parts = [inner for part in parts for inner in part]
    return parts


async def test_assets_are_a_valid_geojson_feature_collection(api: httpx.AsyncClient, city: CityFolder) -> None:
    collection = (await api.get("/assets")).json()
    assert collection["type"] == "FeatureCollection"
    assert [feature["id"] for feature in collection["features"]] == sorted(asset.id for asset in city.assets)
    for feature in collection["features"]:
        assert feature["type"] == "Feature"
        assert set(feature) == {"type", "id", "geometry", "properties"}
        assert feature["properties"]["id"] == feature["id"]
        for longitude, latitude in _positions(feature["geometry"]):
            assert 117 < longitude < 118
            assert 31 < latitude < 32


async def test_what_lies_behind_the_assets_is_that_of_the_folder(api: httpx.AsyncClient, city: CityFolder) -> None:
    collection = (await api.get("/background")).json()
    assert collection == {"type": "FeatureCollection", "features": city.background}
    assert {feature["type"] for feature in city.background} == {"Feature"}


async def test_zones_have_closed_outlines(api: httpx.AsyncClient) -> None:
    for zone in (await api.get("/zones")).json():
        for ring in zone["geometry"]["coordinates"]:
            assert ring[0] == ring[-1]
            assert len(ring) >= 4


async def test_one_asset_is_the_feature_of_the_list(api: httpx.AsyncClient) -> None:
    wanted = {"lifeline": "gas", "kind": "pipe"}
    features = (await api.get("/assets", params=wanted)).json()["features"]
    assert features
    assert (await api.get(f"/assets/{features[0]['id']}")).json() == features[0]


async def test_a_box_holds_the_assets_that_touch_it(api: httpx.AsyncClient, city: CityFolder) -> None:
    west, south, east, north = 117.27, 31.85, 117.29, 31.87
    found = (await api.get("/assets", params={"bbox": f"{west},{south},{east},{north}"})).json()["features"]
    inside = {
        asset.id
        for asset in city.assets
        if asset.geometry["type"] == "Point"
        and west <= asset.geometry["coordinates"][0] <= east
        and south <= asset.geometry["coordinates"][1] <= north
    }
    points = {feature["id"] for feature in found if feature["geometry"]["type"] == "Point"}
    assert points == inside
    assert 0 < len(found) < len(city.assets)


@pytest.mark.parametrize(
    "box",
    [
        "",
        "1,2,3",
        "1,2,3,4,5",
        "a,b,c,d",
        "3,2,1,4",
        "1,4,3,2",
        "nan,nan,nan,nan",
        "-inf,0,inf,1",
        "-181,0,0,1",
        "0,0,1,91",
    ],
)
async def test_a_box_that_is_none_is_refused(api: httpx.AsyncClient, box: str) -> None:
    problem = problem_of(await api.get("/assets", params={"bbox": box}), 422, "not-valid")
    assert [error["field"] for error in problem["errors"]] == ["query.bbox"]


@pytest.mark.parametrize(
    "path",
    [
        f"/alerts/{NOTHING}",
        f"/warnings/{NOTHING}",
        f"/work-orders/{NOTHING}",
        "/assets/nothing",
        "/sensors/nothing",
        "/sensors/nothing/latest",
        "/sensors/nothing/history",
        "/sensors/W2-T-001/latest",
    ],
)
async def test_what_does_not_exist_is_named_in_a_404(api: httpx.AsyncClient, path: str) -> None:
    problem = problem_of(await api.get(path), 404, "not-found")
    assert path.split("/")[2] in problem["detail"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"/alerts/{NOTHING}/acknowledge", None),
        (f"/alerts/{NOTHING}/verdict", {"verdict": "test", "reason": "x"}),
        (f"/alerts/{NOTHING}/warning", {"severity": 1}),
        (f"/warnings/{NOTHING}/lift", None),
        (f"/work-orders/{NOTHING}/close", None),
        (f"/work-orders/{NOTHING}/hand-back", {"text": "x"}),
    ],
)
async def test_nothing_can_be_done_with_what_does_not_exist(api: httpx.AsyncClient, path: str, body: Any) -> None:
    problem_of(await api.post(path, json=body), 404, "not-found")


@pytest.mark.parametrize("path", LISTS)
async def test_limits_outside_their_range_are_refused(api: httpx.AsyncClient, path: str) -> None:
    for limit in ("0", "-1", "100000", "many"):
        problem = problem_of(await api.get(path, params={"limit": limit}), 422, "not-valid")
        assert [error["field"] for error in problem["errors"]] == ["query.limit"]


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "!",
        "日",
        "abc",
        _encoded("no time"),
        _encoded("2026-07-14T06:00:00+00:00"),
        _encoded(f"2026-07-14T06:00:00 {NOTHING}"),
        _encoded("2026-07-14T06:00:00+00:00 not-an-identifier"),
    ],
)
@pytest.mark.parametrize("path", ["/alerts", "/warnings", "/work-orders", "/notifications", "/rejections"])
async def test_cursors_that_are_not_ours_are_refused(api: httpx.AsyncClient, path: str, cursor: str) -> None:
    problem = problem_of(await api.get(path, params={"cursor": cursor}), 422, "not-valid")
    assert [error["field"] for error in problem["errors"]] == ["query.cursor"]


async def test_cursors_by_number_are_numbers(api: httpx.AsyncClient) -> None:
    problem = problem_of(await api.get("/audit", params={"cursor": "x"}), 422, "not-valid")
    assert [error["field"] for error in problem["errors"]] == ["query.cursor"]
    assert (await api.get("/audit", params={"cursor": str(10**30)})).status_code == 200


@pytest.mark.parametrize(
    ("path", "wanted", "field"),
    [
        ("/alerts", {"lifeline": "air"}, "query.lifeline"),
        ("/alerts", {"severity": "5"}, "query.severity"),
        ("/alerts", {"open": "perhaps"}, "query.open"),
        ("/assets", {"lifeline": "air"}, "query.lifeline"),
        ("/sensors", {"lifeline": "air"}, "query.lifeline"),
        ("/latest", {"lifeline": "air"}, "query.lifeline"),
        ("/warnings", {"alert": "x"}, "query.alert"),
        ("/work-orders", {"alert": "x"}, "query.alert"),
        ("/notifications", {"subject": "x"}, "query.subject"),
        ("/rejections", {"reason": "mood"}, "query.reason"),
        ("/alerts/x", {}, "path.alert"),
        ("/warnings/x", {}, "path.warning"),
        ("/work-orders/x", {}, "path.order"),
    ],
)
async def test_a_malformed_query_names_the_field(
    api: httpx.AsyncClient, path: str, wanted: Mapping[str, str], field: str
) -> None:
    problem = problem_of(await api.get(path, params=wanted), 422, "not-valid")
    assert [error["field"] for error in problem["errors"]] == [field]
    assert field in problem["detail"]


@pytest.mark.parametrize(
    ("action", "body", "fields"),
    [
        ("verdict", {}, ["body.verdict", "body.reason"]),
        ("verdict", {"verdict": "maybe", "reason": ""}, ["body.verdict", "body.reason"]),
        ("verdict", {"verdict": "test", "reason": "x" * 2001}, ["body.reason"]),
        ("warning", {"severity": 0}, ["body.severity"]),
        ("warning", {"severity": 5}, ["body.severity"]),
        ("warning", {"severity": 2, "instruction": 7}, ["body.instruction"]),
        ("acknowledge", {"note": "x" * 2001}, ["body.note"]),
    ],
)
async def test_a_malformed_body_names_every_wrong_field(
    api: httpx.AsyncClient, filled: list[str], action: str, body: Any, fields: list[str]
) -> None:
    problem = problem_of(await api.post(f"/alerts/{filled[1]}/{action}", json=body), 422, "not-valid")
    assert [error["field"] for error in problem["errors"]] == fields


async def test_a_body_that_is_no_json_is_refused(api: httpx.AsyncClient, filled: list[str]) -> None:
    response = await api.post(
        f"/alerts/{filled[1]}/verdict", content=b"{", headers={"Content-Type": "application/json"}
    )
    assert problem_of(response, 422, "not-valid")["errors"][0]["field"].startswith("body")


async def test_text_the_database_cannot_hold_is_refused_and_not_an_internal_error(
    api: httpx.AsyncClient, filled: list[str]
) -> None:
    path = f"/alerts/{filled[1]}/verdict"
    problem_of(await api.post(path, json={"verdict": "test", "reason": "a\x00b"}), 422, "not-valid")
    lone = rb'{"verdict": "test", "reason": "\ud800"}'
    problem_of(await api.post(path, content=lone, headers={"Content-Type": "application/json"}), 422, "not-valid")
    problem_of(await api.get("/sensors/%00"), 422, "not-valid")
    problem_of(await api.get("/alerts", params={"zone": "\x00"}), 422, "not-valid")
    assert (await api.get(f"/alerts/{filled[1]}")).json()["verdict"] is None


async def test_a_body_far_larger_than_any_field_is_not_read(address: str, api: httpx.AsyncClient) -> None:
    body = {"verdict": "test", "reason": "x" * 200_000}
    assert (await api.post(f"/alerts/{NOTHING}/verdict", json=body)).status_code == 413
