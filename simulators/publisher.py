"""Publishes a simulated city to an MQTT broker, as its gateways and devices would."""

import asyncio
import contextlib
import signal
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import structlog

from services.core.wire import (
    WireChannel,
    WireGatewayReading,
    WireReading,
    WireWindow,
    encode_batch,
    encode_reading,
    encode_window,
    gateway_readings_topic,
    gateway_windows_topic,
    sensor_readings_topic,
)
from simulators.city import City
from simulators.city_folder import read_city
from simulators.delivery import STEP, Batch, Field, measuring_instants
from simulators.outbox import Broker, Outbox
from simulators.physics.vibration_windows import VibrationWindows, Window
from simulators.progress import Checkpoint, Journal, Message, Progress, read_progress
from simulators.reporting import CommandEar, Reporting
from simulators.scenario import Scenario, check_scenario, load_scenario
from simulators.story_clock import Clock, StoryClock
from simulators.truth import truths, write_truth

_CHECKPOINT_EVERY = timedelta(hours=1)
_WINDOW_TAKES = timedelta(seconds=5)
"""How long a gateway needs to send a window after its last sample."""
_WINDOW_SCALE = 0.01
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Play:
    """What is played: a scenario in a city, from ``origin`` on, for ever or up to ``until``.

    Lifelines beside ``lifelines`` are silent; ``None`` plays all.
    """

    city: City
    scenario: Scenario
    origin: datetime
    seed: int
    until: datetime | None = None
    lifelines: tuple[str, ...] | None = None


def wall_clock() -> datetime:
    """The present instant, UTC."""
    return datetime.now(UTC)


def simulate(
    city_folder: Path,
    scenario: str | Path,
    *,
    start: datetime,
    speed: float,
    mqtt_host: str,
    mqtt_port: int,
    username: str | None = None,
    password: str | None = None,
    tls: ssl.SSLContext | None = None,
    state_file: Path | None = None,
    truth_file: Path | None = None,
    seed: int = 1,
    until: datetime | None = None,
    lifelines: tuple[str, ...] | None = None,
    clock: Clock = wall_clock,
) -> Progress:
    """Publish a city until ``until`` (or for ever) and return how far it came; SIGTERM and SIGINT end it orderly.

    Story time begins at ``start`` and runs ``speed`` times as fast as the clock until it has caught up with it;
    then it keeps step. ``scenario`` is a name from :func:`list_scenarios` or a TOML file. With a ``state_file``
    that an earlier run has left, the simulation goes on where that one stopped, and ``start`` is not used.
    ``truth_file`` gets the ground truth before the first message is sent. ``tls`` encrypts the connection. Of
    ``lifelines`` alone there are messages; by default of all.

    Raises:
        ValueError: the city, the scenario, the state file, ``start`` or ``speed`` cannot be used.
    """
    city, plan = read_city(city_folder), load_scenario(scenario)
    check_scenario(plan, city)
    fresh = Progress(city=city.id, scenario=plan.id, seed=seed, origin=start, published=start)
    progress = read_progress(state_file, fresh)
    play = Play(city, plan, progress.origin, seed, until, lifelines)
    if truth_file is not None:
        write_truth(truth_file, truths(city, plan, play.origin, seed))
    journal = Journal(state_file, progress, time.monotonic)
    broker = Broker(mqtt_host, mqtt_port, username, password, tls=tls)
    asyncio.run(_until_stopped(play, StoryClock(progress.published, speed, clock), broker, journal))
    return journal.progress


async def publish_city(play: Play, story: StoryClock, broker: Broker, journal: Journal) -> None:
    """Publish every message when it is due, up to ``play.until``, and wait for the last acknowledgement.

    Devices that are asked over the broker to report at another interval do so and answer.

    Cancelling it is safe at any moment: what was acknowledged stands in ``journal``, which is written at the end.
    """
    reporting = Reporting(play.city, journal.progress.asked, journal.keep)
    ear = CommandEar(play.city.id, reporting)
    outbox = Outbox(broker, journal.acknowledged, np.random.default_rng([play.seed, 7]), ear)
    try:
        async with asyncio.TaskGroup() as group:
            sender = group.create_task(outbox.run())
            for message in messages(play, journal.progress, reporting):
                await asyncio.sleep(story.wait_s(message.due))
                await outbox.put(message)
            await outbox.drained()
            sender.cancel()
    finally:
        journal.write()


def messages(play: Play, progress: Progress, reporting: Reporting | None = None) -> Iterator[Message]:
    """Messages in the order in which they are due, without those that were acknowledged before."""
    reporting = reporting or Reporting(play.city, progress.asked)
    field = Field(play.city, play.scenario, play.origin, play.seed, play.lifelines)
    vibration = _vibration(play)
    begin, done = play.origin, progress.messages
    if progress.checkpoint is not None:
        field.restore(progress.checkpoint.state)
        begin = progress.checkpoint.time + STEP
    for instant in measuring_instants(begin):
        if play.until is not None and instant > play.until:
            return
        sent = [_message(play.city.id, batch) for batch in field.step(instant, reporting.begin(instant))]
        if vibration is not None:
            sent += [_window_message(play.city.id, window) for window in vibration.ending(instant - STEP, instant)]
            sent.sort(key=lambda message: message.due)
        if (instant - play.origin) % _CHECKPOINT_EVERY == timedelta(0) and sent:
            sent[-1] = sent[-1].with_checkpoint(Checkpoint(time=instant, state=field.state()))
        for message in sent:
            if done > 0:
                done -= 1
            else:
                yield message


def _message(city: str, batch: Batch) -> Message:
    if batch.gateway is None:
        only = batch.readings[0]
        payload = encode_reading(WireReading(time=only.time, value=only.value))
        return Message(batch.due, sensor_readings_topic(city, only.sensor), payload)
    readings = [WireGatewayReading(sensor=r.sensor, time=r.time, value=r.value) for r in batch.readings]
    return Message(batch.due, gateway_readings_topic(city, batch.gateway), encode_batch(readings))


def _vibration(play: Play) -> VibrationWindows | None:
    if play.lifelines is not None and "bridge" not in play.lifelines:
        return None
    return VibrationWindows(play.city, play.scenario, play.origin, play.seed)


def _window_message(city: str, window: Window) -> Message:
    """A window in whole hundredths of mm/s2, which MessagePack packs well."""
    rows = (1000 * window.samples / _WINDOW_SCALE).round().astype(int).tolist()
    payload = encode_window(
        WireWindow(
            start=window.start,
            rate_hz=window.rate_hz,
            unit="mm/s2",
            scale=_WINDOW_SCALE,
            event=window.event,
            channels=[
                WireChannel(sensor=sensor, samples=row) for sensor, row in zip(window.sensors, rows, strict=True)
            ],
        )
    )
    ended = window.start + timedelta(seconds=window.samples.shape[1] / window.rate_hz)
    return Message(ended + _WINDOW_TAKES, gateway_windows_topic(city, window.gateway), payload)


async def _until_stopped(play: Play, story: StoryClock, broker: Broker, journal: Journal) -> None:
    _log.info("simulation starts", scenario=play.scenario.id, story_time=journal.progress.published.isoformat())
    publishing = asyncio.create_task(publish_city(play, story, broker, journal))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Only the main thread may handle signals; elsewhere the caller cancels.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, publishing.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await publishing
    _log.info("simulation ends", scenario=play.scenario.id, story_time=journal.progress.published.isoformat())
