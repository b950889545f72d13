"""One load test: what is sent follows from the options, and afterwards it is compared with the database."""

import asyncio
import math
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
import typer

from services.cli.load_comparison import Before, compare, held_before, rejections_of, stored_of
from services.core.broker_address import BrokerAddress
from services.core.settings import ConfigurationError, Settings
from simulators.load.connection import Login
from simulators.load.fleet import Fleet
from simulators.load.plan import LoadPlan
from simulators.load.sender import LoadSender
from simulators.load.tally import Tally
from simulators.load.traffic import messages_of

_FASTEST = 1_000_000
"""Entries a second that no sender reaches; readings sent without a rate begin so far back that none lies ahead."""
_STEP_MS = 1000
_SHORTEST_STEP_MS = 2
_TELL_EVERY_S = 2.0
_QUIET_S = 10.0
"""When nothing more is stored for so long, nothing more is expected."""


@dataclass(frozen=True, slots=True)
class Amount:
    """How much to send, and how fast; ``math.inf`` is no limit."""

    entries: float
    seconds: float
    rate: float | None

    @property
    def is_endless(self) -> bool:
        """Nobody has said how much."""
        return math.isinf(self.entries) and math.isinf(self.seconds)


def times(now: datetime, sensors: int, amount: Amount) -> tuple[int, int]:
    """When the readings begin and how far apart those of a sensor are, in even milliseconds.

    With a rate they keep step with the clock; without one they end a moment ago.
    """
    now_ms = int(now.timestamp() * 1000)
    if amount.rate is not None:
        step_ms = max(_SHORTEST_STEP_MS, _even(1000 * sensors / amount.rate))
        return _even(now_ms), step_ms
    entries = min(amount.entries, amount.seconds * _FASTEST)
    rounds = 0 if math.isinf(entries) else math.ceil(entries / sensors) + 1
    step_ms = _STEP_MS if amount.entries == entries else _SHORTEST_STEP_MS
    return _even(now_ms - rounds * step_ms), step_ms


def _even(milliseconds: float) -> int:
    return int(milliseconds) // 2 * 2


def run(
    settings: Settings, plan: LoadPlan, amount: Amount, *, buffered: bool, verify: bool, record: Path | None
) -> bool:
    """Send, print what was sent, and compare; whether everything is as it should be.

    Raises:
        ConfigurationError: an address is missing, or nobody has said how much to send.
        psycopg.OperationalError: the database cannot be reached.
    """
    if amount.is_endless:
        raise ConfigurationError("say how much to send: --readings or --seconds")
    address = BrokerAddress.from_settings(settings)
    login = Login(address.host, address.port, address.user, address.password, address.ssl_context)
    tally = Tally(plan)
    if not verify:
        _send(login, tally, amount, buffered=buffered, record=record)
        return tally.unconfirmed == 0
    if settings.database_url is None:
        raise ConfigurationError("--verify needs LIFELINE_DATABASE_URL")
    database_url = settings.database_url.get_secret_value()
    with psycopg.connect(database_url) as connection:
        before = held_before(connection, tally)
    _send(login, tally, amount, buffered=buffered, record=record)
    return _verified(database_url, tally, before)


def _send(login: Login, tally: Tally, amount: Amount, *, buffered: bool, record: Path | None) -> None:
    started = time.monotonic()
    asyncio.run(_sending(login, tally, amount, buffered=buffered))
    seconds = time.monotonic() - started
    if record is not None:
        tally.write(record)
    typer.echo(
        f"{tally.entries} entries in {tally.messages} messages, {tally.payload_bytes / 1e6:.1f} MB, in {seconds:.1f} s:"
        f" {tally.entries / seconds:,.0f} entries/s, {tally.messages / seconds:,.0f} messages/s"
    )
    typer.echo(", ".join(f"{name} {tally.count(name)}" for name in ("new", "late", "duplicates", "changed")))
    for reason, count in tally.rejections.items():
        typer.echo(f"to be refused as {reason}: {count}")
    if tally.unconfirmed:
        typer.echo(f"{tally.unconfirmed} messages were not confirmed", err=True)


async def _sending(login: Login, tally: Tally, amount: Amount, *, buffered: bool) -> None:
    loop, rng = asyncio.get_running_loop(), random.Random(tally.plan.seed)  # noqa: S311 - it spreads waits
    ends_at, stopped = loop.time() + amount.seconds, asyncio.Event()

    def stop() -> None:
        stopped.set()
        loop.remove_signal_handler(signal.SIGINT)  # the next one ends the process

    loop.add_signal_handler(signal.SIGINT, stop)
    telling = asyncio.create_task(_tell(tally))
    try:
        await _send_all(
            login, tally, amount, rng, lambda: stopped.is_set() or loop.time() >= ends_at, buffered=buffered
        )
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        telling.cancel()


async def _send_all(
    login: Login, tally: Tally, amount: Amount, rng: random.Random, until: Callable[[], bool], *, buffered: bool
) -> None:
    plan = tally.plan
    if buffered:
        batches = math.inf if math.isinf(amount.entries) else math.ceil(amount.entries / plan.batch / plan.gateways)
        await Fleet(login, tally, rng, rate=amount.rate).send(batches, until)
        return
    sender = LoadSender(login, tally, rate=amount.rate, rng=rng)
    await sender.send(messages_of(plan, amount.entries, until), _say_outage)


def _say_outage(error: Exception) -> None:
    typer.echo(f"the broker is away, trying again until it is back: {error}", err=True)


async def _tell(tally: Tally) -> None:
    before = 0
    while True:
        await asyncio.sleep(_TELL_EVERY_S)
        entries = tally.entries
        typer.echo(f"{entries} entries, {(entries - before) / _TELL_EVERY_S:,.0f}/s", err=True)
        before = entries


def _verified(database_url: str, tally: Tally, before: Before) -> bool:
    expected = (tally.count("new"), sum(tally.rejections.values()))
    with psycopg.connect(database_url, autocommit=True) as connection:
        found, quiet_since = (-1, -1), time.monotonic()
        while time.monotonic() - quiet_since < _QUIET_S:
            refused = rejections_of(connection, tally) - before.rejections
            now = (stored_of(connection, tally) - before.readings, sum(refused.values()))
            if now != found:
                found, quiet_since = now, time.monotonic()
            if all(have >= want for have, want in zip(now, expected, strict=True)):
                break
            time.sleep(1)
        result = compare(connection, tally, before)
    typer.echo("\n".join(result.lines()))
    typer.echo("exact" if result.is_exact else "NOT what was sent")
    return result.is_exact
