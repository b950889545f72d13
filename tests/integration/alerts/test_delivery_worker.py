"""The worker as a process: nobody waits for a receiver that hangs, and nothing is lost when it is killed."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from psycopg import AsyncConnection

from services.core.notification import Notification, NotificationState
from services.core.organisation import Receiver
from services.core.store import notifications
from tests.benchmarks.warning.stumbling import stumble
from tests.integration.alerts.alert_harness import SECRET, AlertProcess, ask, until
from tests.integration.alerts.channel_harness import Said, attempts, http_server, lifted, raised, register, warned
from tests.integration.alerts.test_alert_webhooks import answering

MESSAGES = 100
"""Enough for every kill to hit some that are under way; a thousand are ``tests.benchmarks.warning.stumbling``."""
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
@pytest.mark.timeout(900)
async def test_every_message_arrives_under_one_identifier_although_receiver_and_worker_fail(
    city_url: str, alerts: AlertProcess
) -> None:
    found = await stumble(city_url, alerts, MESSAGES, kills=RESTARTS, within_s=600)
    assert (found.delivered, found.never_taken) == (MESSAGES, 0), "a message was lost"
    assert found.with_two_identifiers == 0, "a receiver that remembers identifiers would act twice"
    assert found.forged == 0
    assert {"500", "hang", "cut", "taken"} == set(found.attempts), "the receiver did not fail in every way"
    under_way = RESTARTS * 4
    assert found.taken_twice <= under_way, "only what was under way when the worker was killed comes twice"
