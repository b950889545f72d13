"""Receivers that fail in every way, and what the delivery log says about it."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.alerts.notify.sender import Exits, Outcome, send
from services.alerts.notify.target import checked_client
from services.core.notification import Notification, NotificationState
from services.core.organisation import Receiver
from services.demo.ports import free_port
from tests.integration.alerts.alert_harness import (
    SECRET,
    AlertProcess,
    ReceiverProcess,
    ask,
    at,
    store,
    tell,
    until,
)

TEN_MEGABYTES = 10_000_000
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # Loading certificates anew takes longer than a request.
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _notification() -> Notification:
    return Notification(
        id=UUID("6f1b7a52-2f0e-4a55-9c41-1f3d3b8f6a10"),
        receiver="receiver",
        type="warning.published",
        subject_kind="warning",
        subject=uuid4(),
        body='{"type":"warning.published","data":{"headline":"甲烷"}}',
        state=NotificationState.PENDING,
        attempts=0,
        created_at=datetime.now(UTC),
        delivered_at=None,
    )


@asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[str]:
    """A server on loopback that reads a request's head and then does as told; yields its address."""
    handlers: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await answer(reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()
        for task in handlers:
            task.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)


async def _attempt(
    url: str, *, secret: str = SECRET, private_allowed: bool = True, longest_wait_s: float = 1.0
) -> Outcome:
    async with checked_client(private_allowed=private_allowed, timeout_s=longest_wait_s, tls=_NO_TLS) as client:
        return await send(
            Exits(client),
            _notification(),
            Receiver("receiver", "organisation", url, secret, 1),
            longest_wait=timedelta(seconds=longest_wait_s),
        )


async def test_an_endless_answer_is_not_read_to_its_end() -> None:
    written = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {TEN_MEGABYTES}\r\n\r\n".encode())
        while written < TEN_MEGABYTES:
            writer.write(b"x" * 10_000)
            await writer.drain()
            written += 10_000

    async with answering(flood) as url:
        outcome = await _attempt(url)
    assert (outcome.delivered, outcome.status, outcome.error) == (True, 200, None)
    assert outcome.response == "x" * 2000
    assert written < TEN_MEGABYTES, "the connection was closed before all of it was sent"


async def test_an_answer_that_drips_for_ever_ends_at_the_longest_wait_and_counts_by_its_status() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"1\r\n.\r\n")
            await writer.drain()
            await asyncio.sleep(0.1)

    async with answering(drip) as url:
        outcome = await _attempt(url, longest_wait_s=0.5)
    assert (outcome.delivered, outcome.status) == (True, 202)
    assert 400 < outcome.duration_ms < 1500


async def test_headers_that_drip_for_ever_are_a_timeout() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"x-wait: a little\r\n")
            await writer.drain()
            await asyncio.sleep(0.1)

    async with answering(drip) as url:
        outcome = await _attempt(url, longest_wait_s=0.5)
    assert (outcome.delivered, outcome.status, outcome.error) == (False, None, "no answer within 0.5 s")
    assert 400 < outcome.duration_ms < 1500


async def test_a_redirect_is_never_followed() -> None:
    followed = asyncio.Event()

    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        followed.set()

    async with answering(elsewhere) as target:

        async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(f"HTTP/1.1 307 Elsewhere\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()

        async with answering(redirect) as url:
            outcome = await _attempt(url)
    assert (outcome.delivered, outcome.status, outcome.error) == (False, 307, "the receiver answered 307")
    assert not followed.is_set()


async def test_what_an_echoing_receiver_gives_back_is_kept_without_signature_and_secret() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        content = head + SECRET.encode() + b"\x00\xff"
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content)
        await writer.drain()

    async with answering(echo) as url:
        outcome = await _attempt(url)
    assert outcome.response is not None
    assert "webhook-signature: …" in outcome.response
    assert "webhook-id: 6f1b7a52" in outcome.response
    assert "v1," not in outcome.response
    assert outcome.request is not None
    assert outcome.request["headers"]["webhook-id"] == "6f1b7a52-2f0e-4a55-9c41-1f3d3b8f6a10"
    assert outcome.request["headers"]["webhook-signature"] == "…"
    assert SECRET not in outcome.response
    assert "\x00" not in outcome.response


async def test_a_closed_port_and_a_broken_answer_are_said_in_words() -> None:
    async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"this is not HTTP\r\n\r\n")
        await writer.drain()

    refused = await _attempt(f"http://127.0.0.1:{free_port()}/")
    assert refused.error is not None
    assert refused.error.startswith("ConnectError: ")
    async with answering(garbage) as url:
        broken = await _attempt(url)
    assert broken.error is not None
    assert broken.error.startswith("RemoteProtocolError: ")
    assert not refused.delivered
    assert not broken.delivered


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "10.1.2.3", "192.168.1.1", "169.254.169.254", "[::ffff:127.0.0.1]", "0.0.0.0"],
)
async def test_private_addresses_are_refused_unless_the_setting_allows_them(host: str) -> None:
    port = free_port()
    refused = await _attempt(f"http://{host}:{port}/", private_allowed=False)
    assert refused.error is not None
    assert refused.error.startswith("TargetRefusedError: ")
    assert refused.error.endswith("not a public address")
    if host != "169.254.169.254" and not host.startswith(("10.", "192.")):
        allowed = await _attempt(f"http://{host}:{port}/", private_allowed=True)
        assert allowed.error is not None
        assert allowed.error.startswith("ConnectError: ")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://user:password@example.org/",
        "file:///etc/passwd",
        "http://",
        "http://host:99999/",
        "http://[half/",
        "http://" + "long" * 30 + ".example/?token=hidden-token",
        "http://a b/",
    ],
)
async def test_an_address_that_is_none_is_an_outcome_and_gives_no_password_away(url: str) -> None:
    for private_allowed in (False, True):
        outcome = await _attempt(url, private_allowed=private_allowed)
        assert outcome.status is None
        assert outcome.error
        assert "password@" not in outcome.error
        assert "hidden-token" not in outcome.error


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!", "whsec_" + "A" * 5])
async def test_a_secret_that_is_none_is_an_outcome_that_does_not_repeat_it(secret: str) -> None:
    outcome = await _attempt(f"http://127.0.0.1:{free_port()}/", secret=secret)
    assert not outcome.delivered
    assert outcome.error is not None
    assert "AAAAA" not in outcome.error


@pytest.mark.slow
async def test_attempts_back_off_are_logged_and_end_in_delivered_or_failed(
    city_url: str, alerts: AlertProcess, receiver: ReceiverProcess
) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    receiver.fail_first = 3
    # Left alone after a few failures, the receivers would not show how the waits of one message grow.
    alerts.settings |= {"webhook_timeout": "PT0.7S", "webhook_attempts": "4", "webhook_pause_after": "1000"}
    closed = Receiver("closed", "centre", f"http://127.0.0.1:{free_port()}/?token=in-the-address", SECRET, 1)
    await receiver.start()
    async with answering(hang) as url:
        hanging = Receiver("hanging", "gas-regulator", url, SECRET, 1)
        await tell(city_url, receiver.receiver("gas-company"), hanging, closed)
        await alerts.start()
        await store(city_url, [("M-1", at(0), 30.0)])
        waiting = "select count(*) from notification where state = 'pending'"
        await until(lambda: len(ask(city_url, "select from notification")) == 6)
        await until(lambda: ask(city_url, waiting)[0]["count"] == 0, 60)

    rows = ask(
        city_url,
        """
        select n.id, n.receiver, n.type, n.state, n.attempts, n.delivered_at, d.attempt, d.started_at, d.duration_ms,
            d.status, d.response, d.error
        from notification n join delivery d on d.notification = n.id order by n.receiver, n.type, d.attempt
        """,
    )
    log = alerts.log.read_text()
    for hidden in (SECRET, base64.b64encode(b"a secret that only").decode()[:20], "v1,", "in-the-address"):
        assert hidden not in log
        assert hidden not in str(rows)

    failures = [row["status"] for row in rows if row["receiver"] == "gas-company-receiver" and row["error"]]
    assert failures == [500] * 3
    assert {row["state"] for row in rows if row["receiver"] == "gas-company-receiver"} == {"delivered"}
    for name, error in (("closed", "ConnectError"), ("hanging", "no answer within 0.7 s")):
        mine = [row for row in rows if row["receiver"] == name]
        assert [row["attempt"] for row in mine] == [1, 2, 3, 4] * 2
        assert {(row["state"], row["attempts"], row["status"], row["delivered_at"]) for row in mine} == {
            ("failed", 4, None, None)
        }
        assert all(row["error"].startswith(error) for row in mine)
        for earlier, later in pairwise(mine):
            if later["attempt"] > 1:
                ended = earlier["started_at"] + timedelta(milliseconds=earlier["duration_ms"])
                waited_s = (later["started_at"] - ended).total_seconds()
                assert waited_s > 0.45 * 2.0 ** (earlier["attempt"] - 1)
    hung = [row["duration_ms"] for row in rows if row["receiver"] == "hanging"]
    assert all(600 < duration_ms < 3000 for duration_ms in hung)
    # Every failed attempt has a line, and the last one says that it was.
    said = [line for line in alerts.lines() if line["event"] == "message not delivered"]
    assert len(said) == len([row for row in rows if row["error"]])
    assert sum(line["given_up"] for line in said) == 4
    # The receiver saw one id for each message in all attempts.
    ids = {attempt["webhook-id"] for attempt in receiver.attempts()}
    assert ids == {str(row["id"]) for row in rows if row["receiver"] == "gas-company-receiver"}


async def test_a_private_target_is_refused_with_a_line_in_the_log(
    city_url: str, alerts: AlertProcess, receiver: ReceiverProcess
) -> None:
    alerts.settings |= {"webhook_private_targets": "false", "webhook_attempts": "1"}
    await tell(city_url, receiver.receiver("gas-company"))
    await alerts.start()
    await store(city_url, [("M-1", at(0), 30.0)])
    await until(lambda: len(ask(city_url, "select from notification where state = 'failed'")) == 2)
    errors = {row["error"] for row in ask(city_url, "select error from delivery")}
    assert errors == {"TargetRefusedError: 127.0.0.1 is at 127.0.0.1, which is not a public address"}
