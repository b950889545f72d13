"""`lifeline demo`: database, broker, services and a simulated city on this machine, and the story they play."""

import asyncio
import json
import secrets
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import typer

from services.core.city_folder import read_city_folder
from services.core.organisation import Receiver
from services.core.recording import read_recording
from services.core.settings import Settings
from services.core.store.api_keys import new_key
from services.demo import preparation
from services.demo.broker import EmbeddedBroker
from services.demo.chapter import read_chapters
from services.demo.desk import Desk
from services.demo.directory import DirectoryLock, private_text
from services.demo.ports import free_port
from services.demo.postgres import EmbeddedPostgres
from services.demo.story import Story, story_time
from services.demo.supervisor import ChildProcess, Supervisor
from simulators.city_folder import write_city
from simulators.recording import write_recording

SEED = 1
STORY = "story"
STORY_LENGTH = timedelta(hours=4)
HISTORY = timedelta(days=3)
HISTORY_STEP = timedelta(minutes=5)
LONGEST_STORY_S = 900.0
_LOOK_EVERY_S = 0.5

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that has been started, and how to reach it."""

    page: str
    key: str
    receiver: str
    city: Path
    state: Path
    truth: Path


async def play(settings: Settings, *, once: bool, as_json: bool, speed: float) -> int:
    """Run the demo until Ctrl-C, or once through the story; returns the exit code.

    Raises:
        DemoError: something is missing or cannot be started, in one line.
    """

    def say(line: str) -> None:
        typer.echo(line, err=as_json)

    # A story that is judged starts from an empty city, so that its verdict does not depend on earlier runs.
    data_dir = settings.data_dir / "once" if once else settings.data_dir
    if once and data_dir.exists():
        shutil.rmtree(data_dir)
    with DirectoryLock(data_dir):
        async with Supervisor(data_dir, say) as supervisor:
            stage = await _set(supervisor, settings, data_dir, say, speed=speed, once=once)
            story_or_none = await _follow(supervisor, stage, say, crew=once)
            if not once:
                await supervisor.wait()
                return 0
            summary = story_or_none
    if as_json:
        typer.echo(json.dumps(summary, indent=2, ensure_ascii=False))
    return 0 if summary is not None and summary["passed"] else 1


async def _set(
    supervisor: Supervisor, settings: Settings, data_dir: Path, say: Say, *, speed: float, once: bool
) -> Stage:
    """Start everything in order; each part is ready before the next begins."""
    began = datetime.now(UTC)
    city = data_dir / "city"
    if not (city / "city.toml").exists():
        say("making the city …")
        await asyncio.to_thread(write_city, city, SEED)
    database, broker = EmbeddedPostgres(data_dir), EmbeddedBroker(data_dir, settings.mqtt_port, settings.broker)
    say("starting the database …")
    await asyncio.to_thread(database.prepare)
    await supervisor.start(
        ChildProcess("database", database.command(), database.wait_ready, user=database.user, stop_signal=database.stop_signal)
    )
    say("starting the broker …")
    await asyncio.to_thread(broker.prepare)
    await supervisor.start(ChildProcess("broker", broker.command(), broker.wait_ready, stop_signal=broker.stop_signal))
    url = database.url()
    for step in await asyncio.to_thread(preparation.migrate_with_catalogue, url):
        say(f"  {step}")
    count = await asyncio.to_thread(preparation.import_city, url, read_city_folder(city))
    say(f"  city: {count.assets} assets, {count.sensors} sensors")
    receiver = await _start_receiver(supervisor, data_dir, url, count.organisations)
    page = f"http://{settings.api_host}:{free_port(settings.api_port)}"
    key = _key(data_dir)
    environment = _environment(settings, url, broker, page)
    await preparation.save_access(url, key, [])
    await _start_services(supervisor, environment, page)
    origin = await _history(data_dir, city, url, say)
    stage = Stage(page, key, receiver, city, data_dir / "simulation.json", data_dir / "truth.csv")
    await _start_simulation(supervisor, environment, stage, origin, speed)
    seconds = (datetime.now(UTC) - began).total_seconds()
    say(f"running after {seconds:.0f} s: {page}/#key={key}   MQTT 127.0.0.1:{broker.port} ({broker.kind})")
    return stage
