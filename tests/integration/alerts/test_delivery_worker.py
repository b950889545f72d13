"""The worker as a process: nobody waits for a receiver that hangs, and nothing is lost when it is killed."""

import asyncio
import random
from collections import Counter, defaultdict
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from psycopg import AsyncConnection

from services.core.notification import Notification, NotificationState
from services.core.organisation import Receiver
from services.core.store import notifications
from services.demo.receiver import is_genuine
from tests.integration.alerts.alert_harness import SECRET, AlertProcess, ask, until
from tests.integration.alerts.channel_harness import Said, Seen, attempts, http_server, lifted, raised, register, warned
from tests.integration.alerts.test_alert_webhooks import answering

MESSAGES = 150
"""Enough for every kill to hit some that are under way; a thousand would take minutes, most of them waits."""
LIVES_S = 5.0
RESTARTS = 3


async def _enqueue(url: str, receiver: str, count: int) -> list[str]:
    """So many messages to a receiver, each about something else."""
    now = datetime.now(UTC)
    identifiers = [uuid4() for _ in range(count)]
    async with await AsyncConnection.connect(url) as connection:
        for identifier in identifiers:
            body = f'{{"type":"warning.published","data":{{"id":"{identifier}"}}}}'
            pending = NotificationState.PENDING
            note = Notification(
                identifier, receiver, "warning.published", "warning", uuid4(), body, pending, 0, now, None
            )
            await notifications.enqueue(connection, note)
    return [str(identifier) for identifier in identifiers]


def _receiver(name: str, url: str, organisation: str = "water-company") -> Receiver:
    return Receiver(name, organisation, url, SECRET, 1)


async def test_a_receiver_that_hangs_delays_nobody_else_and_is_left_alone(city_url: str, alerts: AlertProcess) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    alerts.settings |= {"webhook_timeout": "PT5S"}
    async with http_server() as good, answering(hang) as hanging:
        await register(city_url, _receiver("hanging", hanging), _receiver("good", good.url))
        # More messages than the worker has hands wait for the one that hangs, before any for the other.
        await _enqueue(city_url, "hanging", 60)
        await _enqueue(city_url, "good", 20)
        await alerts.start()
        took_s = await until(lambda: len(good.seen) >= 20, 30)
        assert took_s < 12
        await until(lambda: ask(city_url, "select from receiver_health where paused_until > now()") != [], 30)
    alerts.kill()
    hung = [each for each in attempts(city_url) if each["receiver"] == "hanging"]
    assert 5 <= len(hung) <= 8, "left alone after five failures, four at once"
    assert {each["error"] for each in hung} == {"no answer within 5 s"}
    paused = [line for line in alerts.lines() if line.get("paused_until")]
    assert paused
    assert ask(city_url, "select sum(attempts)::int n from notification where receiver = 'hanging'")[0]["n"] == len(
        hung
    )


async def test_news_of_one_warning_arrive_in_their_order_while_the_receiver_stumbles(
    city_url: str, alerts: AlertProcess
) -> None:
    answers = [500, 500, 204, 500, 204, 204]
    async with http_server(lambda _: Said(answers.pop(0))) as receiver:
        await register(city_url, _receiver("dispatch", receiver.url))
        _, warning = await warned(city_url)
        warning = await raised(city_url, warning, 4)
        await lifted(city_url, warning)
        await alerts.start()
        await until(lambda: len(receiver.seen) == 6, 40)
    told = [(each.headers["webhook-id"], b"warning.lifted" in each.body) for each in receiver.seen]
    order = list(dict.fromkeys(identifier for identifier, _ in told))
    assert [Counter(identifier for identifier, _ in told)[identifier] for identifier in order] == [3, 2, 1]
    assert [is_lifted for _, is_lifted in told] == [False] * 5 + [True]


@pytest.mark.slow
async def test_every_message_arrives_under_one_identifier_although_receiver_and_worker_fail(
    city_url: str, alerts: AlertProcess
) -> None:
    chance = random.Random(7)  # noqa: S311 - failures, not a secret
    taken: dict[str, list[int]] = defaultdict(list)

    def stumble(request: Seen) -> Said:
        assert is_genuine(SECRET, request.body, request.headers)
        tried = taken[request.headers["webhook-id"]]
        # Half of the attempts fail; after five in a row the doubling waits would make the test last minutes.
        status = 204 if tried[-5:] == [500] * 5 else chance.choice((204, 500))
        tried.append(status)
        return Said(status)

    alerts.settings |= {"webhook_pause_after": "1000"}
    async with http_server(stumble) as receiver:
        await register(city_url, _receiver("dispatch", receiver.url))
        sent = await _enqueue(city_url, "dispatch", MESSAGES)
        for _ in range(RESTARTS):
            await alerts.start()
            await asyncio.sleep(LIVES_S)
            alerts.kill()
        await alerts.start()
        waiting = "select count(*) n from notification where state = 'pending'"
        await until(lambda: ask(city_url, waiting)[0]["n"] == 0, 120)
        bodies = defaultdict(set)
        for request in receiver.seen:
            bodies[request.body].add(request.headers["webhook-id"])
    assert set(taken) == set(sent)
    assert all(204 in statuses for statuses in taken.values())
    assert all(len(identifiers) == 1 for identifiers in bodies.values())
    assert ask(city_url, "select distinct state from notification") == [{"state": "delivered"}]
    twice = sum(statuses.count(204) > 1 for statuses in taken.values())
    assert twice <= RESTARTS * 4, "only what was under way when the worker was killed comes twice"
