"""Receivers over the API: created, shown without secrets, changed, tried; their messages looked at and sent again."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
import pytest_asyncio
from lxml import etree
from standardwebhooks import Webhook

from services.core.cap_message import linked_messages, read_message
from services.core.channel import Channel
from services.core.notification import Delivery, Notification, NotificationState
from services.core.severity import Severity
from services.core.store import alerts, audit, cap_messages, notifications, warnings
from services.core.store.cap_messages import StoredCapMessage
from services.core.text import Text
from tests.integration.api.harness import alert_at, client, connected, problem_of, serving

HIDDEN = ("secret-in-the-query", "secret-in-a-header", "secret-by-name", "SEC-signing")
ROBOT: dict[str, Any] = {
    "organisation": "water-company",
    "channel": "dingtalk",
    "url": "https://robot.example/send?access_token=secret-in-the-query",
    "minimum_severity": 2,
    "settings": {"language": "zh", "headers": {"X-Proof": "secret-in-a-header", "X-Key": "{{key}}"}},
    "secret": "SEC-signing",
    "secrets": {"key": "secret-by-name"},
}


@pytest.fixture
def name() -> str:
    return f"receiver-{uuid4().hex[:8]}"


async def _create(api: httpx.AsyncClient, name: str, **changes: Any) -> dict[str, Any]:
    response = await api.post("/receivers", json=ROBOT | {"id": name} | changes)
    assert response.status_code == 201, response.text
    return dict(response.json())


async def test_a_receiver_that_somebody_else_changed_meanwhile_is_not_overwritten(
    api: httpx.AsyncClient, name: str
) -> None:
    await _create(api, name)
    seen = {"If-Match": (await api.get(f"/receivers/{name}")).headers["etag"]}
    assert (await api.patch(f"/receivers/{name}", json={"minimum_severity": 3}, headers=seen)).status_code == 200
    late = await api.patch(f"/receivers/{name}", json={"enabled": False}, headers=seen)
    problem_of(late, 412, "changed-meanwhile")
    assert (await api.get(f"/receivers/{name}")).json()["enabled"] is True


async def test_no_secret_is_ever_shown_whichever_way_it_came_in(
    api: httpx.AsyncClient, name: str, city_url: str
) -> None:
    created = await _create(api, name)
    assert created["url"] == "https://robot.example/send?access_token={{access_token}}"
    assert created["settings"]["headers"] == {"X-Proof": "{{header_X_Proof}}", "X-Key": "{{key}}"}
    assert created["secrets"] == ["access_token", "header_X_Proof", "key"]
    assert (created["is_signed"], created["secret"]) == (True, None)
    await api.patch(f"/receivers/{name}", json={"minimum_severity": 3})
    await api.post(f"/receivers/{name}/test")
    answers = [
        json.dumps(created),
        (await api.get("/receivers")).text,
        (await api.get(f"/receivers/{name}")).text,
        (await api.get("/audit", params={"limit": 500})).text,
        (await api.get("/notifications", params={"receiver": name})).text,
    ]
    with psycopg.connect(city_url) as connection:
        answers.append(str(connection.execute("select * from receiver").fetchall()))
        answers.append(str(connection.execute("select * from procrastinate_jobs").fetchall()))
        kept = connection.execute("select value from receiver_secret where receiver = %s", (name,)).fetchall()
    assert {row[0] for row in kept} == set(HIDDEN)
    assert [hidden for hidden in HIDDEN for answer in answers if hidden in answer] == []


async def test_a_webhook_without_a_secret_gets_one_that_is_shown_once(api: httpx.AsyncClient, name: str) -> None:
    url = "https://receiver.example/in"
    created = await _create(api, name, channel="webhook", url=url, secret=None, settings={}, secrets={})
    assert Webhook(created["secret"]).sign("id", datetime.now(UTC), "{}").startswith("v1,")
    assert "secret" not in (await api.get(f"/receivers/{name}")).json()
    rotated = (await api.post(f"/receivers/{name}/secret", json={"overlap_s": 3600})).json()
    assert rotated["secret"] not in {None, created["secret"]}
    shown = (await api.get(f"/receivers/{name}")).json()
    assert (shown["is_signed"], shown["has_previous_secret"]) == (True, True)


async def test_what_is_not_named_in_a_change_stays(api: httpx.AsyncClient, name: str, city_url: str) -> None:
    created = await _create(api, name)
    changed = (await api.patch(f"/receivers/{name}", json={"enabled": False})).json()
    assert changed == {**{k: v for k, v in created.items() if k != "secret"}, "enabled": False}
    # A new address brings its own secret, and the one of the old address is forgotten.
    new = {"url": "https://robot.example/send?token=another-secret", "settings": {}}
    changed = (await api.patch(f"/receivers/{name}", json=new)).json()
    assert (changed["url"], changed["secrets"]) == ("https://robot.example/send?token={{token}}", ["token"])
    with psycopg.connect(city_url) as connection:
        rows = connection.execute("select name, value from receiver_secret where receiver = %s", (name,)).fetchall()
    assert dict(rows) == {"signing": "SEC-signing", "token": "another-secret"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"organisation": "nobody"}, "body.organisation"),
        ({"url": "ftp://robot.example/"}, "body.url"),
        ({"url": "https://user:hunter2@robot.example/"}, "body.url"),
        ({"url": "https://robot.example/?k={{missing}}"}, "body.url"),
        ({"channel": "pigeon"}, "body.channel"),
        ({"channel": "webhook"}, "body.secret"),
        ({"channel": "sms"}, "body.settings.phone"),
        ({"settings": {"headers": {"Host": "elsewhere"}}}, "body.settings.headers.Host"),
        ({"settings": {"surprise": 1}}, "body.settings.surprise"),
        ({"secrets": {"key": "short"}}, "body.secrets.key"),
        ({"minimum_severity": 9}, "body.minimum_severity"),
        ({"surprise": 1}, "body.surprise"),
    ],
)
async def test_a_description_that_cannot_be_used_is_refused_with_the_field(
    api: httpx.AsyncClient, name: str, changes: dict[str, Any], field: str
) -> None:
    problem = problem_of(await api.post("/receivers", json=ROBOT | {"id": name} | changes), 422, "not-valid")
    assert field in {each["field"] for each in problem["errors"]}
    assert not any(hidden in json.dumps(problem) for hidden in (*HIDDEN, "hunter2"))


async def test_a_name_is_given_once(api: httpx.AsyncClient, name: str) -> None:
    await _create(api, name)
    problem_of(await api.post("/receivers", json=ROBOT | {"id": name}), 409, "exists-already")


async def test_what_signs_nothing_has_no_secret_to_change(api: httpx.AsyncClient, name: str) -> None:
    mail: dict[str, Any] = {
        "channel": "email",
        "url": "mailto:duty@water.example",
        "secret": None,
        "settings": {},
        "secrets": {},
    }
    await _create(api, name, **mail)
    problem_of(await api.post(f"/receivers/{name}/secret", json={}), 409, "not-possible")


@pytest.mark.parametrize("channel", Channel)
async def test_every_channel_can_be_tried_with_a_message_that_says_it_is_a_test(
    api: httpx.AsyncClient, name: str, channel: Channel
) -> None:
    more: dict[str, Any] = {"channel": channel, "secret": None, "settings": {}, "secrets": {}}
    if channel in {Channel.SMS, Channel.VOICE}:
        more["settings"] = {"phone": "555-0101"}
    more["url"] = {Channel.EMAIL: "mailto:duty@water.example", Channel.MQTT: "mqtt:"}.get(
        channel, "https://receiver.example/in"
    )
    await _create(api, name, **more)
    response = await api.post(f"/receivers/{name}/test")
    assert response.status_code == 202
    message = (await api.get(f"/notifications/{response.json()['notification']}")).json()
    assert (message["receiver"], message["type"], message["state"]) == (name, "receiver.test", "pending")
    assert "测试" in message["body"]
    assert len(message["body"].encode()) < 20_000


async def test_whoever_may_only_look_cannot_change_and_whoever_operates_can_try(
    api: httpx.AsyncClient, address: str, name: str
) -> None:
    await _create(api, name)
    async with client(address, "operate") as operator:
        assert (await operator.post(f"/receivers/{name}/test")).status_code == 202
        assert (await operator.post(f"/receivers/{name}/resume")).status_code == 200
        problem_of(await operator.patch(f"/receivers/{name}", json={"enabled": False}), 403, "not-permitted")
    async with client(address, "read") as reader:
        problem_of(await reader.get("/receivers"), 403, "not-permitted")


async def test_health_says_when_a_receiver_is_left_alone_and_resuming_ends_it(
    api: httpx.AsyncClient, name: str, city_url: str
) -> None:
    created = await _create(api, name)
    assert created["health"]["state"] == "unknown"
    with psycopg.connect(city_url) as connection:
        connection.execute(
            """
            insert into receiver_health (receiver, failures, paused_until, last_error)
            values (%s, 7, now() + interval '1 minute', 'the receiver answered 500')
            """,
            (name,),
        )
    health = (await api.get(f"/receivers/{name}")).json()["health"]
    assert (health["state"], health["failures"], health["last_error"]) == ("paused", 7, "the receiver answered 500")
    resumed = (await api.post(f"/receivers/{name}/resume")).json()["health"]
    assert (resumed["failures"], resumed["paused_until"]) == (0, None)


@pytest_asyncio.fixture
async def failed(api: httpx.AsyncClient, name: str, city_url: str) -> str:
    """A message that was given up after two attempts."""
    await _create(api, name)
    now = datetime.now(UTC)
    note = Notification(uuid4(), name, "t", "warning", uuid4(), '{"data":{}}', NotificationState.PENDING, 0, now, None)
    request: dict[str, Any] = {"method": "POST", "url": "https://robot.example/", "headers": {}, "body": None}
    async with connected(city_url) as connection:
        await notifications.enqueue(connection, note)
        for attempt, state in ((1, NotificationState.PENDING), (2, NotificationState.FAILED)):
            delivery = Delivery(note.id, attempt, now, 12.5, 500, "busy", "the receiver answered 500", request)
            await notifications.record_attempt(connection, delivery, state)
    return str(note.id)


async def test_dead_letters_are_listed_and_a_person_sends_one_again(
    api: httpx.AsyncClient, name: str, failed: str, city_url: str
) -> None:
    listed = (await api.get("/notifications", params={"state": "failed", "receiver": name})).json()["items"]
    assert [item["id"] for item in listed] == [failed]
    detail = (await api.get(f"/notifications/{failed}")).json()
    assert [each["request"]["method"] for each in detail["deliveries"]] == ["POST", "POST"]
    assert [(each["response"], each["duration_ms"]) for each in detail["deliveries"]] == [("busy", 12.5)] * 2
    again = await api.post(f"/notifications/{failed}/redeliver")
    assert (again.status_code, again.json()["id"], again.json()["state"]) == (202, failed, "pending")
    problem_of(await api.post(f"/notifications/{failed}/redeliver"), 409, "step-not-possible")
    with psycopg.connect(city_url) as connection:
        query = "select count(*) from procrastinate_jobs where task_name = 'deliver' and args ->> 'notification' = %s"
        row = connection.execute(query, (failed,)).fetchone()
    assert row == (2,)
    trail = (await api.get("/audit")).json()["items"][0]
    assert (trail["action"], trail["subject"]) == ("notification.redeliver", failed)


async def test_figures_count_what_arrived(api: httpx.AsyncClient, name: str, failed: str) -> None:
    figures = {each["receiver"]: each for each in (await api.get("/delivery-figures")).json()}
    assert (figures[name]["messages"], figures[name]["failed"], figures[name]["success"]) == (1, 1, 0.0)
    assert figures[name]["median_ms"] == 12.5


MESSAGE = """<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>{identifier}</identifier>
<sender>lifeline@city.example</sender><sent>2026-07-14T06:00:00-00:00</sent><status>Exercise</status>
<msgType>Cancel</msgType><scope>Public</scope></alert>"""


@pytest_asyncio.fixture
async def published(city_url: str, asset: str) -> str:
    """The identifier of a message that has gone out."""
    identifier, now = f"demo-{uuid4()}", datetime.now(UTC)
    alert = alert_at(asset)
    text = Text("Leak", "泄漏")
    async with connected(city_url) as connection:
        await alerts.add(connection, alert, audit.SYSTEM)
        publication = warnings.Publication(
            severity=Severity.MAJOR, headline=text, instruction=text, organisation=None, actor="rule", policy="rule"
        )
        warning = await warnings.publish(connection, alert, publication, now=now)
        await cap_messages.add(
            connection,
            StoredCapMessage(
                *(identifier, warning.id, "lifeline@city.example", now, "Cancel", now, "Leak", "泄漏"),
                MESSAGE.format(identifier=identifier),
            ),
        )
    return identifier


async def test_the_feed_leads_to_messages_that_can_be_read(api: httpx.AsyncClient, published: str) -> None:
    feed = await api.get("/cap.atom")
    assert feed.headers["content-type"].startswith("application/atom+xml")
    address = next(each for each in linked_messages(feed.content) if published in each)
    message = await api.get(address)
    assert message.headers["content-type"].startswith("application/cap+xml")
    assert read_message(message.content).identifier == published
    assert etree.fromstring(feed.content).tag == "{http://www.w3.org/2005/Atom}feed"
    problem_of(await api.get("/cap/nothing.xml"), 404, "not-found")


async def test_the_feed_needs_a_key_unless_the_city_publishes_it(address: str, published: str) -> None:
    async with client(address, None) as stranger:
        problem_of(await stranger.get("/cap.atom"), 401, "key-needed")
        problem_of(await stranger.get(f"/cap/{published}.xml"), 401, "key-needed")
    async with client(address, "audit") as auditor:
        problem_of(await auditor.get("/cap.atom"), 403, "not-permitted")


@pytest.fixture(scope="module")
def public_address(city_url: str) -> Iterator[str]:
    with serving(city_url, cap_public=True, api_url="https://city.example/") as served:
        yield served


@pytest_asyncio.fixture
async def stranger(public_address: str) -> AsyncIterator[httpx.AsyncClient]:
    async with client(public_address, None) as caller:
        yield caller


async def test_where_the_city_publishes_it_anybody_reads_the_feed_and_nothing_else(
    stranger: httpx.AsyncClient, published: str
) -> None:
    links = linked_messages((await stranger.get("/cap.atom")).content)
    assert f"https://city.example/api/v1/cap/{published}.xml" in links
    assert (await stranger.get(f"/cap/{published}.xml")).status_code == 200
    for path in ("/warnings", "/alerts", "/receivers", "/notifications"):
        problem_of(await stranger.get(path), 401, "key-needed")
