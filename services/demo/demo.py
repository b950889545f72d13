"""`lifeline demo`: database, broker, services and a simulated city on this machine, and the story they play."""

import asyncio
import json
import os
import secrets
import shutil
import sys
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import typer

from services.alerts import lifelines
from services.client import AsyncClient, ClientError
from services.core.city_folder import CityFolder, read_city_folder
from services.core.organisation import Receiver
from services.core.password import new_password
from services.core.recording import read_recording
from services.core.settings import Settings
from services.core.store.api_keys import new_key
from services.demo import preparation
from services.demo.broker import EmbeddedBroker
from services.demo.chapter import read_chapters
from services.demo.depots import save_depots
from services.demo.desk import Desk
from services.demo.directory import LOCK_NAME, DemoError, DirectoryLock, private_text
from services.demo.plot import PLOTS, STORY, Plot
from services.demo.ports import LOOPBACK, free_port
from services.demo.postgres import EmbeddedPostgres
from services.demo.story import Story, story_time
from services.demo.supervisor import ChildProcess, Supervisor

SEED = 1
LONGEST_ONCE = timedelta(minutes=12)
_LOOK_EVERY_S = 0.5

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Pace:
    """What is played, and how many times faster than the clock."""

    plot: Plot
    speed: float


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that has been started, and how to reach it."""

    page: str
    key: str
    crew_key: str
    receiver: str
    environment: Mapping[str, str]
    progress: Path
    truth: Path
    running_after_s: float


async def play(settings: Settings, *, once: bool, as_json: bool, speed: float | None, scenario: str = STORY) -> int:
    """Run the demo until Ctrl-C, or once through the story; returns the exit code.

    Without a ``speed`` the scenario has one of its own.

    Raises:
        DemoError: something is missing or cannot be started, in one line.
    """

    def say(line: str) -> None:
        typer.echo(line, err=as_json)

    plot = PLOTS.get(scenario)
    if plot is None:
        raise DemoError(f"the demo does not play {scenario!r}; it plays {', '.join(PLOTS)}")
    # A story that is judged starts from an empty city, so that its verdict does not depend on earlier runs.
    data_dir = settings.data_dir / "once" if once else settings.data_dir
    if scenario != STORY:
        data_dir = data_dir / scenario
    summary: dict[str, object] | None = None
    with DirectoryLock(data_dir):
        if once:
            _empty(data_dir)
        summary = await _play(settings, data_dir, say, once=once, pace=Pace(plot, speed or plot.speed))
    if as_json and summary is not None:
        typer.echo(json.dumps(summary, indent=2, ensure_ascii=False))
    return 0 if not once or (summary is not None and summary["passed"]) else 1


async def _play(settings: Settings, data_dir: Path, say: Say, *, once: bool, pace: Pace) -> dict[str, object] | None:
    summary: dict[str, object] | None = None
    async with Supervisor(data_dir, say) as supervisor:
        stage = await _set(supervisor, settings, data_dir, say, pace)
        story = _follow(stage, say, pace.plot, crew=once)
        if once:
            async with asyncio.timeout(LONGEST_ONCE.total_seconds()):
                summary = await story | {"running_after_s": round(stage.running_after_s, 1)}
        else:
            await asyncio.gather(story, supervisor.wait())
    return summary


def _empty(data_dir: Path) -> None:
    """Remove what an earlier run left; the database's files may lie elsewhere, behind a link."""
    shutil.rmtree((data_dir / "postgres").resolve(), ignore_errors=True)
    for entry in data_dir.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != LOCK_NAME:
            entry.unlink()


async def _set(supervisor: Supervisor, settings: Settings, data_dir: Path, say: Say, pace: Pace) -> Stage:
    """Start everything in order; each part is ready before the next begins."""
    began = datetime.now(UTC)
    city = await _city(data_dir, say)
    # The rules take seconds to load; the database and the broker need as long to wake up, on the other core.
    loading = asyncio.create_task(asyncio.to_thread(lifelines.discover))
    database, broker = await _start_stores(supervisor, settings, data_dir, say)
    await loading
    url = database.url()
    for step in await asyncio.to_thread(preparation.migrate_with_catalogue, url):
        say(f"  {step}")
    register = _register(city, pace.plot)
    count = await asyncio.to_thread(preparation.import_city, url, register)
    say(f"  city: {count.assets} assets, {count.sensors} sensors")
    page = f"http://{settings.api_host}:{free_port(settings.api_port)}"
    key = _kept(data_dir, "api_key", new_key)
    receiver, receivers = await _start_receiver(supervisor, data_dir, city)
    crew_key = _kept(data_dir, "crew_key", new_key)
    await preparation.save_access(url, key, crew_key, receivers)
    password = new_password()
    people = await preparation.save_people(url, password)
    await save_depots(url, datetime.now(UTC))
    environment = _environment(settings, data_dir, url, broker, page)
    say("starting the services …")
    for name in ("ingest", "alerts"):
        await supervisor.start(ChildProcess(name, _service(name), env=environment))
    api = ChildProcess("api", _service("api"), lambda: _answering(f"{page}/readyz"), env=environment)
    progress, truth = data_dir / "simulation.json", data_dir / "truth.csv"
    truth.unlink(missing_ok=True)

    async def simulate() -> None:
        origin = await _history(data_dir, url, say, pace.plot)
        options = {"city": data_dir / "city", "scenario": pace.plot.scenario, "start": origin.isoformat()}
        options |= {"speed": pace.speed}
        options |= {"seed": SEED, "state": progress, "truth": truth}
        arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        if pace.plot.leaves_out_others:
            arguments += [part for lifeline in pace.plot.lifelines for part in ("--lifeline", lifeline)]
        command = _command("simulate", *arguments)
        await supervisor.start(ChildProcess("simulate", command, lambda: _written(truth), env=environment))

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(supervisor.start(api))
            group.create_task(simulate())
    except ExceptionGroup as errors:
        if (told := errors.subgroup(DemoError)) is None:
            raise
        raise told.exceptions[0] from None
    seconds = (datetime.now(UTC) - began).total_seconds()
    say(f"\nrunning after {seconds:.0f} s")
    say(f"  dashboard  {page}/#key={key}")
    say(f"  log in     as {', '.join(people)} with {password}")
    say(f"  broker     {broker.url.rsplit('@', maxsplit=1)[-1]} ({broker.kind}); credentials in {data_dir / 'env'}")
    hours = pace.plot.length / timedelta(hours=1)
    say(f"  story      {hours:.1f} hours of the city at {pace.speed:g} times the clock; Ctrl-C stops everything\n")
    return Stage(page, key, crew_key, receiver, environment, progress, truth, seconds)


async def _city(data_dir: Path, say: Say) -> CityFolder:
    folder = data_dir / "city"
    if not (folder / "city.toml").exists():
        from simulators.demo_city.folder import write_city  # noqa: PLC0415 - physics are heavy to load

        say("making the city …")
        try:
            await asyncio.to_thread(write_city, folder, SEED)
        except OSError as error:
            raise DemoError(f"cannot write to the data directory {data_dir}: {error.strerror}") from error
    return read_city_folder(folder)


def _register(city: CityFolder, plot: Plot) -> CityFolder:
    # A search with the model of the sewers would first work through three days of history, and hear the story late.
    register = replace(city, sewers=None)
    if not plot.leaves_out_others:
        return register
    sensors = [sensor for sensor in city.sensors if sensor.lifeline in plot.lifelines]
    limits = {row.sensor: city.thresholds[row.sensor] for row in sensors if row.sensor in city.thresholds}
    return replace(register, sensors=sensors, thresholds=limits)


async def _start_stores(
    supervisor: Supervisor, settings: Settings, data_dir: Path, say: Say
) -> tuple[EmbeddedPostgres, EmbeddedBroker]:
    database = EmbeddedPostgres(data_dir)
    broker = EmbeddedBroker(data_dir, settings.mqtt_port, settings.broker)
    say("starting the database …")
    await asyncio.to_thread(database.prepare)
    await supervisor.start(
        ChildProcess(
            "database",
            database.command(),
            database.wait_ready,
            user=database.user,
            stop_signal=database.stop_signal,
            death_signal=database.stop_signal,
        )
    )
    say("starting the broker …")
    await asyncio.to_thread(broker.prepare)
    # A broker that is killed forgets what it has not saved yet, so it is asked to end even when we are killed.
    await supervisor.start(
        ChildProcess(
            "broker",
            broker.command(),
            broker.wait_ready,
            stop_signal=broker.stop_signal,
            death_signal=broker.stop_signal,
        )
    )
    return database, broker


def _service(name: str) -> list[str]:
    return [sys.executable, "-m", f"services.{name}"]


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "services.cli", *arguments]


def _kept(data_dir: Path, name: str, make: Callable[[], str]) -> str:
    """A secret that is made once and kept, so that a second start finds the same."""
    path = data_dir / "secrets" / name
    if not path.exists():
        private_text(path, make())
    return path.read_text(encoding="utf-8").strip()


async def _start_receiver(supervisor: Supervisor, data_dir: Path, city: CityFolder) -> tuple[str, list[Receiver]]:
    """The built-in webhook receiver, which stands in for every organisation's own system."""
    secret = _kept(data_dir, "webhook", lambda: f"whsec_{b64encode(secrets.token_bytes(32)).decode()}")
    address = f"http://{LOOPBACK}:{free_port(8100)}"
    command = [sys.executable, "-m", "services.demo.receiver", "--port", address.rsplit(":", maxsplit=1)[1]]
    command += ["--secret-file", str(data_dir / "secrets" / "webhook"), "--log", str(data_dir / "deliveries.jsonl")]
    await supervisor.start(ChildProcess("receiver", command, lambda: _answering(f"{address}/deliveries")))
    return address, [
        Receiver(organisation.id, organisation.id, f"{address}/{organisation.id}", secret, 1)
        for organisation in city.organisations
    ]


def _environment(
    settings: Settings, data_dir: Path, database_url: str, broker: EmbeddedBroker, page: str
) -> Mapping[str, str]:
    """What the services are told; also written to a file, so that `lifeline doctor` can be pointed at the demo."""
    environment = {
        "LIFELINE_DATABASE_URL": database_url,
        "LIFELINE_MQTT_URL": broker.url,
        "LIFELINE_API_HOST": settings.api_host,
        "LIFELINE_API_PORT": page.rsplit(":", maxsplit=1)[1],
        "LIFELINE_API_URL": page,
        # One ingest process shares with nobody, and a plain subscription outlives a restart of the broker.
        "LIFELINE_INGEST_SHARED_SUBSCRIPTION": "false",
        "LIFELINE_WEBHOOK_PRIVATE_TARGETS": "true",
        # Nobody may take a simulated city's warnings for real ones.
        "LIFELINE_EXERCISE": "true",
        "LIFELINE_REPORT_TIME_ZONE": "Asia/Shanghai",
        # A day of the story passes in minutes, so that ten minutes on the wall would be a flood.
        "LIFELINE_FLOOD_MESSAGES": "0",
    }
    private_text(data_dir / "env", "".join(f"{name}={value}\n" for name, value in environment.items()))
    # One thread per process for linear algebra: the processes share the machine, and small matrices gain nothing.
    return environment | {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"), "PYTHONUNBUFFERED": "1"}


async def _answering(url: str) -> None:
    async with httpx.AsyncClient(timeout=2.0) as client:
        for _ in range(600):
            try:
                answer = await client.get(url)
            except httpx.HTTPError:
                pass
            else:
                if answer.is_success:
                    return
            await asyncio.sleep(0.05)
    raise DemoError(f"{url} did not answer within 30 s")


async def _written(path: Path) -> None:
    for _ in range(2400):
        if await asyncio.to_thread(path.exists):
            return
        await asyncio.sleep(0.05)
    raise DemoError(f"{path} was not written within 120 s")


async def _history(data_dir: Path, database_url: str, say: Say, plot: Plot) -> datetime:
    """What lies before the story, so that detectors know what is normal; returns when the story begins."""
    origin = datetime.now(UTC).replace(second=0, microsecond=0) - plot.length
    if await preparation.has_readings(database_url):
        return origin
    from simulators.physics.world import LIFELINES  # noqa: PLC0415 - physics are heavy to load
    from simulators.recording import write_recording  # noqa: PLC0415

    say(f"simulating {plot.history.days} days of history …")
    folder = data_dir / "history"
    await asyncio.to_thread(
        write_recording,
        folder,
        data_dir / "city",
        "normal-day",
        origin - plot.history,
        plot.history,
        step=plot.step,
        seed=SEED,
        lifelines=plot.lifelines or tuple(LIFELINES),
    )
    count = await preparation.import_history(database_url, read_recording(folder), lambda _done, _total: None)
    say(f"  {count.readings.stored} readings stored")
    return origin


async def _follow(stage: Stage, say: Say, plot: Plot, *, crew: bool) -> dict[str, object]:
    """Follow the story to its end, or until the loop has gone all the way for every cause."""
    async with (
        AsyncClient(stage.page, stage.key) as client,
        AsyncClient(stage.page, stage.crew_key) as crew_client,
        httpx.AsyncClient(base_url=stage.receiver) as receiver,
    ):
        desk = Desk(client, crew_client, receiver)
        chapters = read_chapters(stage.truth, await desk.zones())
        story = Story(chapters, desk, say, page=stage.page, crew=crew)
        while not story.done:
            now = story_time(stage.progress)
            if now is not None:
                try:
                    await story.look(now)
                except (ClientError, httpx.HTTPError) as error:
                    say(f"the API is away ({type(error).__name__}), looking again")
                    await asyncio.sleep(2.0)
                # What nobody repairs goes on after the story, and is not waited for.
                ends = (min(chapter.end, chapter.start + plot.length) for chapter in chapters)
                if now >= max(ends) + plot.length / 2 and crew:
                    break
            await asyncio.sleep(_LOOK_EVERY_S)
        say("the story is told" if story.done else "the story is over, but not everything was closed")
        return await story.summary()
