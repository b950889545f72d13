"""What reaches a real broker: everything, in order, never from the future, across outages and restarts."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiomqtt
import pytest

from services.core.wire import READINGS_FILTERS, parse_readings_topic
from simulators.city import City
from simulators.outbox import Broker
from simulators.progress import Journal, Message, Progress, ProgressError, read_progress
from simulators.publisher import Play, messages, publish_city
from simulators.scenario import load_scenario
from simulators.story_clock import StoryClock

_MINUTE = timedelta(minutes=1)


def _fresh(origin: datetime) -> Progress:
    return Progress(city="demo", scenario="story", seed=1, origin=origin, published=origin)


def _play(city: City, origin: datetime, minutes: int) -> Play:
    return Play(city, load_scenario("story"), origin, 1, origin + minutes * _MINUTE)


class _Mosquitto:
    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._settings = folder / "mosquitto.conf"
        lines = (f"listener {self.port} 127.0.0.1", "allow_anonymous true", "max_queued_messages 0")
        self._settings.write_text("\n".join(lines) + "\n", "utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self._process = subprocess.Popen([program, "-c", str(self._settings)], stderr=subprocess.DEVNULL)
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise TimeoutError("mosquitto did not start")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None


class _Line:
    """The publisher's way to the broker, which can be cut at any moment, in the middle of a message too."""

    def __init__(self, broker_port: int) -> None:
        self._broker_port = broker_port
        self._open: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None
        self.port = 0

    async def join(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_broker, to_broker = await asyncio.open_connection("127.0.0.1", self._broker_port)
        self._open += [writer, to_broker]
        await asyncio.gather(_pour(reader, to_broker), _pour(from_broker, writer))


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while some := await reader.read(4096):
            writer.write(some)
            await writer.drain()
    writer.close()


class _Watched(Journal):
    """Tells when a certain story time has been published."""

    awaited = datetime.max.replace(tzinfo=UTC)

    def __init__(self, path: Path | None, progress: Progress, monotonic: Callable[[], float]) -> None:
        super().__init__(path, progress, monotonic)
        self.reached = asyncio.Event()

    def acknowledged(self, message: Message) -> None:
        super().acknowledged(message)
        if self.progress.published >= self.awaited:
            self.reached.set()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[_Mosquitto]:
    broker = _Mosquitto(tmp_path)
    broker.start()
    yield broker
    broker.stop()


@contextlib.asynccontextmanager
async def _received(port: int) -> AsyncIterator[list[tuple[datetime, str, bytes]]]:
    """Messages that arrive while the block runs, and when."""
    arrived: list[tuple[datetime, str, bytes]] = []
    more = asyncio.Event()

    async def listen(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            arrived.append((datetime.now(UTC), str(message.topic), message.payload))
            more.set()

    async with aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        for topic in READINGS_FILTERS:
            await client.subscribe(topic, qos=1)
        listening = asyncio.create_task(listen(client))
        yield arrived
        await _quiet(more)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def _quiet(more: asyncio.Event) -> None:
    """Return when nothing has arrived for half a second."""
    with contextlib.suppress(TimeoutError):
        while True:
            more.clear()
            await asyncio.wait_for(more.wait(), 0.5)


async def _publish(play: Play, port: int, journal: Journal, speed: float = 1e6) -> None:
    story = StoryClock(journal.progress.published, speed, lambda: datetime.now(UTC))
    await publish_city(play, story, Broker("127.0.0.1", port), journal)


def _of_readings(play: Play, origin: datetime) -> list[Message]:
    """What is published but for the windows of accelerometers, which nobody here listens to."""
    return [message for message in messages(play, _fresh(origin)) if parse_readings_topic(message.topic) is not None]


def _readings(arrived: list[tuple[datetime, str, bytes]]) -> list[tuple[str, str, float]]:
    found = []
    for _, topic, payload in arrived:
        parsed = parse_readings_topic(topic)
        assert parsed is not None
        content = json.loads(payload)
        rows = content if isinstance(content, list) else [{"sensor": parsed.sensor, **content}]
        found += [(row["sensor"], row["time"], row["value"]) for row in rows]
    return found


@pytest.mark.mosquitto
async def test_every_reading_arrives_once_on_its_topic(city: City, origin: datetime, mosquitto: _Mosquitto) -> None:
    async with _received(mosquitto.port) as arrived:
        await _publish(_play(city, origin, 5), mosquitto.port, Journal(None, _fresh(origin), time.monotonic))
    readings = _readings(arrived)
    read = [sensor for sensor in city.sensors if sensor.is_read]
    fast = sum(sensor.interval_s == 60 for sensor in read)
    assert len(readings) == len(set(readings)) == 2 * len(read) + 4 * fast
    kinds = {topic.split("/")[3] for _, topic, _ in arrived}
    assert kinds == {"sensors", "gateways"}


@pytest.mark.mosquitto
async def test_nothing_is_published_before_it_was_measured(city: City, mosquitto: _Mosquitto) -> None:
    start = datetime.now(UTC).replace(microsecond=0) - 5 * _MINUTE
    play = Play(city, load_scenario("normal-day"), start, 1, start + 30 * _MINUTE)
    async with _received(mosquitto.port) as arrived:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(_publish(play, mosquitto.port, Journal(None, _fresh(start), time.monotonic)), 8)
    assert arrived
    for at, topic, payload in arrived:
        assert all(datetime.fromisoformat(t) <= at for _, t, _ in _readings([(at, topic, payload)]))


@pytest.mark.mosquitto
async def test_a_stopped_simulation_goes_on_where_it_stopped(
    city: City, origin: datetime, mosquitto: _Mosquitto, tmp_path: Path
) -> None:
    """Cut off in the middle of the gateway outage, so that held readings must survive the restart too."""
    path = tmp_path / "simulation.json"
    outage = load_scenario("gateway-outage").injections[0].model_copy(update={"start_min": 60, "end_min": 70})
    plan = load_scenario("story").model_copy(update={"injections": (outage,)})
    play = Play(city, plan, origin, 1, origin + 75 * _MINUTE)
    async with _received(mosquitto.port) as first:
        journal = _Watched(path, _fresh(origin), time.monotonic)
        journal.awaited = origin + 65 * _MINUTE
        stopped = asyncio.create_task(_publish(play, mosquitto.port, journal))
        await journal.reached.wait()
        stopped.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stopped
    progress = read_progress(path, _fresh(origin))
    assert progress.checkpoint is not None
    assert progress.published < play.origin + 70 * _MINUTE
    async with _received(mosquitto.port) as second:
        await _publish(play, mosquitto.port, Journal(path, progress, time.monotonic))
    expected = _of_readings(play, origin)
    sent = [(topic, payload) for _, topic, payload in first + second]
    assert list(dict.fromkeys(sent)) == [(m.topic, m.payload) for m in expected]
    assert len(sent) - len(expected) <= 20


@pytest.mark.mosquitto
async def test_nothing_is_lost_while_the_broker_is_away(
    city: City, origin: datetime, mosquitto: _Mosquitto, capsys: pytest.CaptureFixture[str]
) -> None:
    play = _play(city, origin, 25)
    journal = _Watched(None, _fresh(origin), time.monotonic)
    journal.awaited = origin + 10 * _MINUTE
    line = _Line(mosquitto.port)
    await line.join()
    async with _received(mosquitto.port) as arrived:
        publishing = asyncio.create_task(_publish(play, line.port, journal, speed=900))
        await journal.reached.wait()
        line.cut()
        await asyncio.sleep(0.7)
        await line.join()
        await publishing
    line.cut()
    out = capsys.readouterr().out
    assert out.count("broker is away") == 1
    assert out.count("broker is back") == 1
    seen = set(_readings(arrived))
    expected = {r for m in _of_readings(play, origin) for r in _readings([(origin, m.topic, m.payload)])}
    assert seen == expected


@pytest.mark.mosquitto
def test_sigterm_ends_the_simulation_within_two_seconds(
    city_folder: Path, mosquitto: _Mosquitto, tmp_path: Path
) -> None:
    state = tmp_path / "simulation.json"
    program = (
        "import sys; from datetime import datetime, timedelta, UTC; from pathlib import Path;"
        "from simulators.publisher import simulate;"
        f"simulate(Path({str(city_folder)!r}), 'story', start=datetime.now(UTC) - timedelta(hours=9), speed=300,"
        f" mqtt_host='127.0.0.1', mqtt_port={mosquitto.port}, state_file=Path({str(state)!r}))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    process = subprocess.Popen([sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE)
    for _ in range(1200):
        if state.exists():
            break
        time.sleep(0.05)
    asked = time.monotonic()
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=10)
    assert time.monotonic() - asked < 2
    assert process.returncode == 0
    assert b"simulation ends" in out
    assert json.loads(state.read_text("utf-8"))["scenario"] == "story"


def test_the_progress_file_of_another_simulation_is_refused(tmp_path: Path, origin: datetime) -> None:
    path = tmp_path / "simulation.json"
    Journal(path, _fresh(origin), time.monotonic).write()
    with pytest.raises(ProgressError, match=r"simulation\.json: seed is 1, not 2"):
        read_progress(path, _fresh(origin).model_copy(update={"seed": 2}))


def test_a_broken_progress_file_is_named_with_its_field(tmp_path: Path, origin: datetime) -> None:
    path = tmp_path / "simulation.json"
    path.write_text('{"city": "demo"}', "utf-8")
    with pytest.raises(ProgressError, match=r"simulation\.json: scenario"):
        read_progress(path, _fresh(origin))


def test_progress_is_replaced_in_one_step_and_not_at_every_message(tmp_path: Path, origin: datetime) -> None:
    now = [0.0]
    journal = Journal(tmp_path / "simulation.json", _fresh(origin), lambda: now[0])
    for k in range(5):
        journal.acknowledged(Message(origin + k * _MINUTE, "t", b""))
    assert read_progress(tmp_path / "simulation.json", _fresh(origin)).messages == 1
    now[0] = 1.0
    journal.acknowledged(Message(origin + 9 * _MINUTE, "t", b""))
    again = read_progress(tmp_path / "simulation.json", _fresh(origin))
    assert (again.messages, again.published) == (6, origin + 9 * _MINUTE)
    assert [p.name for p in tmp_path.iterdir()] == ["simulation.json"]
