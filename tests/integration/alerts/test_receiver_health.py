"""Receivers in trouble: left alone, tried again, asked for patience, given up, sent again."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from opentelemetry.trace import StatusCode
from psycopg import AsyncConnection

from services.alerts.notify import delivering
from services.core.channel import Pace
from services.core.notification import TEST, NotificationState
from services.core.organisation import Receiver
from services.core.store import notifications, receiver_health
from services.core.store.delivery_figures import figures_since
from services.core.store.organisations import find_receiver, rotate_secret, save_receiver
from services.core.store.receiver_health import Pausing
from services.core.trial_message import trial_message
from tests.fixtures.spans import spans_of
from tests.integration.alerts.alert_harness import SECRET, ask
from tests.integration.alerts.channel_harness import Said, Telling, attempts, http_server, register, telling, warned

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
IDENTIFIER = UUID("6f1b7a52-2f0e-4a55-9c41-1f3d3b8f6a10")


def _receiver(url: str, name: str = "dispatch", **more: Any) -> Receiver:
    return Receiver(name, "water-company", url, SECRET, 1, **more)


def _execute(url: str, statement: str, *values: object) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statement.encode(), values)


async def _messages(worker: Telling, count: int) -> list[UUID]:
    """So many messages about one warning, the earliest first."""
    _, warning = await warned(worker.database_url)
    for number in range(count):
        await worker.announcer.announce("warning.updated", "warning", str(warning.id), occasion=f"{number}")
    return [row["id"] for row in ask(worker.database_url, "select id from notification order by created_at")]


async def test_a_receiver_that_keeps_failing_is_left_alone_tried_once_and_taken_back(city_url: str) -> None:
    status = 500
    settings = {"webhook_pause_after": 3, "webhook_pause": "PT60S"}
    async with http_server(lambda _: Said(status)) as receiver, telling(city_url, **settings) as worker:
        await register(city_url, _receiver(receiver.url))
        messages = await _messages(worker, 5)
        assert [await worker.deliver(message) for message in messages] == ["failed"] * 3 + ["put off"] * 2
        (health,) = ask(city_url, "select * from receiver_health")
        assert (health["failures"], health["last_error"]) == (3, "the receiver answered 500")
        assert 50 < (health["paused_until"] - datetime.now(UTC)).total_seconds() <= 60
        # The pause is over: one message tries, and while it does so nobody else.
        over = "update receiver_health set paused_until = now() - interval '1 second', tried_until = null"
        _execute(city_url, over)
        async with await AsyncConnection.connect(city_url) as connection:
            now, trial = datetime.now(UTC), timedelta(seconds=20)
            assert await receiver_health.take_turn(connection, "dispatch", None, now=now, trial=trial) is None
        assert await worker.deliver(messages[4]) == "put off"
        _execute(city_url, over)
        assert await worker.deliver(messages[3]) == "failed"
        (health,) = ask(city_url, "select * from receiver_health")
        assert 100 < (health["paused_until"] - datetime.now(UTC)).total_seconds() <= 120, "twice as long"
        _execute(city_url, over)
        status = 204
        assert [await worker.deliver(message) for message in messages] == ["done"] * 5
    assert len(receiver.seen) == 3 + 1 + 5
    (health,) = ask(city_url, "select failures, pauses, paused_until from receiver_health")
    assert health == {"failures": 0, "pauses": 0, "paused_until": None}
    # What was put off cost no attempt.
    assert [row["attempts"] for row in ask(city_url, "select attempts from notification order by created_at")] == [
        *(2, 2, 2, 2, 1)
    ]


@pytest.mark.parametrize(("asked_s", "longest_s"), [(120, 120), (999_999, 3600)])
async def test_a_receiver_that_asks_for_patience_gets_it_within_bounds(
    city_url: str, asked_s: int, longest_s: int
) -> None:
    answer = Said(429, headers={"Retry-After": str(asked_s)})
    async with http_server(lambda _: answer) as receiver, telling(city_url) as worker:
        await register(city_url, _receiver(receiver.url))
        first, second = await _messages(worker, 2)
        assert [await worker.deliver(first), await worker.deliver(second)] == ["failed", "put off"]
    (health,) = ask(city_url, "select * from receiver_health")
    left_s = (health["paused_until"] - datetime.now(UTC)).total_seconds()
    assert longest_s - 20 < left_s <= longest_s
    assert health["failures"] == 0, "to ask for patience is no failure"


async def test_a_message_is_tried_for_its_time_and_then_given_up(city_url: str) -> None:
    async with http_server(lambda _: Said(500)) as receiver, telling(city_url) as worker:
        await register(city_url, _receiver(receiver.url))
        first, second = await _messages(worker, 2)
        assert await worker.deliver(first) == "failed"
        _execute(city_url, "update notification set created_at = now() - interval '25 hours'")
        # One that nobody could try yet, because no process was there, is tried once; the other has had its time.
        assert await worker.deliver(first) == "done"
        assert await worker.deliver(second) == "given up"
    assert len(receiver.seen) == 2
    states = {row["id"]: row["state"] for row in ask(city_url, "select id, state from notification")}
    assert states == {first: "failed", second: "failed"}


async def test_a_message_that_was_given_up_is_sent_again_under_its_own_identifier(city_url: str) -> None:
    status = 410
    async with http_server(lambda _: Said(status)) as receiver, telling(city_url, webhook_attempts=2) as worker:
        await register(city_url, _receiver(receiver.url))
        (message,) = await _messages(worker, 1)
        assert await worker.deliver(message) == "given up", "410 is for ever"
        assert await worker.deliver(message) == "done", "and is not tried again"
        assert len(receiver.seen) == 1
        status = 500
        await _again(city_url, message)
        assert [await worker.deliver(message), await worker.deliver(message)] == ["failed", "given up"]
        await _again(city_url, message)
        status = 204
        assert await worker.deliver(message) == "done"
    assert {each.headers["webhook-id"] for each in receiver.seen} == {str(message)}
    assert [row["attempt"] for row in attempts(city_url)] == [1, 2, 3, 4]
    assert attempts(city_url)[-1]["state"] == "delivered"


async def _again(url: str, message: UUID) -> None:
    async with await AsyncConnection.connect(url) as connection:
        known = await notifications.find(connection, message)
        assert known is not None
        assert known.state is NotificationState.FAILED
        await notifications.send_again(connection, known)


async def test_a_receiver_that_is_switched_off_gets_nothing_but_a_test(city_url: str) -> None:
    async with http_server() as receiver, telling(city_url) as worker:
        await register(city_url, _receiver(receiver.url))
        (message,) = await _messages(worker, 1)
        await register(city_url, _receiver(receiver.url, enabled=False))
        assert await worker.deliver(message) == "done"
        assert receiver.seen == []
        async with await AsyncConnection.connect(city_url) as connection:
            known = await find_receiver(connection, "dispatch")
            assert known is not None
            await notifications.enqueue(connection, trial_message(known, IDENTIFIER, "tiny", NOW))
        assert await worker.deliver(IDENTIFIER) == "done"
    (seen,) = receiver.seen
    assert seen.headers["webhook-id"] == str(IDENTIFIER)
    states = {row["type"]: row["state"] for row in ask(city_url, "select type, state from notification")}
    assert states == {"warning.updated": "failed", TEST: "delivered"}


async def test_while_a_secret_changes_messages_carry_both_signatures_and_then_one(city_url: str) -> None:
    async with http_server() as receiver, telling(city_url) as worker:
        await register(city_url, _receiver(receiver.url))
        messages = await _messages(worker, 3)
        counts = []
        for message in messages:
            await worker.deliver(message)
            counts.append(len(receiver.seen[-1].headers["webhook-signature"].split(" ")))
            if message == messages[0]:
                async with await AsyncConnection.connect(city_url) as connection:
                    new = "whsec_" + "B" * 44
                    await rotate_secret(connection, "dispatch", new, overlap=timedelta(hours=1))
            else:
                _execute(city_url, "update receiver_secret set ends_at = now() where ends_at is not null")
    assert counts == [1, 2, 1]
    assert SECRET not in str(attempts(city_url))


async def test_a_receiver_keeps_its_secrets_when_it_is_saved_again_and_forgets_those_it_has_no_more(
    city_url: str,
) -> None:
    url = "https://receiver.example/?k={{key}}"
    async with await AsyncConnection.connect(city_url) as connection:
        await save_receiver(connection, _receiver(url, secrets={"key": "secret-1", "other": "secret-2"}))
        await save_receiver(connection, _receiver(url, secrets={"key": "secret-3"}))
        known = await find_receiver(connection, "dispatch")
    assert known is not None
    assert (known.secret, known.secrets) == (SECRET, {"key": "secret-3"})
    assert "secret-3" not in repr(known)
    assert SECRET not in repr(known)


async def test_several_processes_share_one_receivers_pace(city_url: str) -> None:
    await register(city_url, _receiver("https://receiver.example/"))
    pace = Pace(burst=3, interval=timedelta(seconds=10))
    turns = []
    async with (
        await AsyncConnection.connect(city_url, autocommit=True) as first,
        await AsyncConnection.connect(city_url, autocommit=True) as second,
    ):
        for number in range(8):
            connection = (first, second)[number % 2]
            moment = NOW + timedelta(seconds=0 if number < 5 else 10)
            turns.append(
                await receiver_health.take_turn(connection, "dispatch", pace, now=moment, trial=timedelta(seconds=1))
            )
    assert [turn is None for turn in turns] == [True, True, True, False, False, True, False, False]
    assert turns[3] == NOW + timedelta(seconds=10)


async def test_pauses_double_up_to_ten_minutes(city_url: str) -> None:
    await register(city_url, _receiver("https://receiver.example/"))
    pausing = Pausing(after=2, first=timedelta(seconds=30))
    async with await AsyncConnection.connect(city_url) as connection:
        waits: list[float | None] = []
        now = NOW
        for _ in range(8):
            until = await receiver_health.note_failure(connection, "dispatch", "500", pausing, now)
            # Others that were under way fail as well; that is the same trouble.
            assert await receiver_health.note_failure(connection, "dispatch", "500", pausing, now) == until or not waits
            waits.append(None if until is None else (until - now).total_seconds())
            now = until or now + timedelta(seconds=30)
    assert waits == [None, 60, 120, 240, 480, 600, 600, 600]


async def test_figures_tell_how_well_messages_arrive(city_url: str) -> None:
    answers = [204, 500, 204, 410]
    async with http_server(lambda _: Said(answers.pop(0))) as receiver, telling(city_url) as worker:
        await register(city_url, _receiver(receiver.url), _receiver("http://127.0.0.1:9/", "silent", enabled=False))
        first, second, third, _ = await _messages(worker, 4)
        outcomes = [await worker.deliver(message) for message in (first, second, second, third)]
        assert outcomes == ["done", "failed", "done", "given up"]
    async with await AsyncConnection.connect(city_url) as connection:
        (figures,) = await figures_since(connection, datetime.now(UTC) - timedelta(hours=1))
    counts = (figures.messages, figures.delivered, figures.failed, figures.pending, figures.attempts)
    assert (figures.receiver, *counts) == ("dispatch", 4, 2, 1, 1, 4)
    assert figures.median_ms is not None
    assert figures.p95_ms is not None
    assert 0 < figures.median_ms <= figures.p95_ms < 2000


async def test_a_try_is_a_span_that_says_whether_it_failed(city_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = spans_of(delivering, monkeypatch)
    status = 500
    async with http_server(lambda _: Said(status)) as receiver, telling(city_url) as worker:
        await register(city_url, _receiver(receiver.url))
        (message,) = await _messages(worker, 1)
        assert await worker.deliver(message) == "failed"
        status = 200
        assert await worker.deliver(message) == "done"
    failed, done = spans.get_finished_spans()
    about = {"lifeline.notification": str(message), "lifeline.receiver": "dispatch"}
    assert failed.attributes == done.attributes == about
    assert (failed.status.status_code, failed.status.description) == (StatusCode.ERROR, "the receiver answered 500")
    assert done.status.status_code is StatusCode.UNSET
