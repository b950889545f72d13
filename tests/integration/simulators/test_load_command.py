"""`lifeline load` sends what it says, and sees when the database holds something else."""

import asyncio
import json
import os
import random
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from services.cli.load_comparison import Before, Comparison, compare, held_before
from services.core.broker_address import BrokerAddress
from services.core.city_folder import read_city_folder
from services.demo.broker import EmbeddedBroker
from services.demo.preparation import import_city, migrate_with_catalogue
from simulators.load.connection import Login
from simulators.load.folder import write_load_city
from simulators.load.plan import LoadPlan, Shares
from simulators.load.sender import LoadSender
from simulators.load.tally import Tally
from simulators.load.traffic import messages_of
from tests.integration.ingest_harness import ingest_process, settings_for, tables_of, until
from tests.integration.simulators.test_buffering_gateway import own_broker

pytestmark = pytest.mark.mosquitto

PLAN = LoadPlan("demo", int(datetime.now(UTC).timestamp()) * 1000 - 600_000, sensors=100, gateways=4, batch=20)
MUCH_WRONG = ("--duplicates", "0.05", "--changed", "0.02", "--late", "0.02", "--garbage", "0.03")


class Told(NamedTuple):
    code: int
    output: str


def register(database_url: str, folder: Path) -> None:
    migrate_with_catalogue(database_url)
    write_load_city(folder, PLAN)
    import_city(database_url, read_city_folder(folder))


async def load(environment: dict[str, str], *options: str) -> Told:
    sizes = ("--sensors", str(PLAN.sensors), "--gateways", str(PLAN.gateways), "--batch", str(PLAN.batch))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.cli", "load", *sizes, *options),
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return Told(process.returncode or 0, output.decode())


@asynccontextmanager
async def receiving(database_url: str, broker: EmbeddedBroker, directory: Path) -> AsyncIterator[dict[str, str]]:
    """The environment of the command, while ingest runs."""
    await asyncio.to_thread(register, database_url, directory / "city")
    async with ingest_process(settings_for(broker, database_url), directory / "log"):
        yield {"LIFELINE_DATABASE_URL": database_url, "LIFELINE_MQTT_URL": broker.url}


@pytest.mark.parametrize(
    "options",
    [
        (
            "--form",
            "json-array",
            "--form",
            "msgpack-columns-zstd",
            "--form",
            "json-columns-gzip",
            "--form",
            "json-single",
        ),
        ("--buffered",),
        ("--rate", "3000", "--form", "msgpack-single"),
    ],
    ids=["many forms", "buffered", "single readings at a rate"],
)
async def test_what_was_sent_is_found_exactly(
    database_url: str, mosquitto_broker: EmbeddedBroker, tmp_path: Path, options: Sequence[str]
) -> None:
    record = tmp_path / "sent.json"
    async with receiving(database_url, mosquitto_broker, tmp_path) as environment:
        told = await load(environment, "--readings", "6000", "--verify", "--record", str(record), *MUCH_WRONG, *options)
        again = await load(environment, "--readings", "2000", "--verify", "--seed", "2", *options)
    assert told.output.endswith("exact\n"), told.output
    assert (told.code, again.code) == (0, 0), again.output
    sent = json.loads(record.read_text())
    assert sent["sent"]["changed"] > 50
    assert sum(sent["rejections"].values()) > 100
    with tables_of(database_url) as tables:
        # An older value that comes after the newer one is no change; messages overtake each other now and then.
        assert sent["sent"]["changed"] / 2 < tables.count("superseded_reading") <= sent["sent"]["changed"]


async def test_a_rate_is_kept(mosquitto_broker: EmbeddedBroker) -> None:
    environment = {"LIFELINE_MQTT_URL": mosquitto_broker.url}
    told = await load(environment, "--rate", "2000", "--seconds", "3")
    entries = int(told.output.rpartition(" entries in ")[0].split()[-1])
    assert told.code == 0
    assert 5000 < entries < 6200


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "say how much"),
        (("--form", "xml"), "no form of payload"),
        (("--garbage", "1.5"), "shares"),
        (("--buffered", "--form", "json-array", "--readings", "10"), "must say so"),
    ],
)
async def test_what_cannot_be_sent_is_said_in_one_line(options: Sequence[str], words: str) -> None:
    told = await load({"LIFELINE_MQTT_URL": "mqtt://127.0.0.1:1"}, *options)
    assert told.code == 1
    assert words in told.output
    assert told.output.count("\n") == 1


def login(url: str) -> Login:
    address = BrokerAddress.parse(url)
    return Login(address.host, address.port, address.user, address.password)


def damaged(database_url: str, damage: str, tally: Tally) -> Comparison:
    with psycopg.connect(database_url) as connection:
        connection.execute(damage.encode())
        result = compare(connection, tally, Before())
        connection.rollback()
    return result


async def test_whatever_differs_is_noticed(database_url: str, mosquitto_broker: EmbeddedBroker, tmp_path: Path) -> None:
    plan = LoadPlan("demo", PLAN.start_ms, 100, 4, 20, shares=Shares(duplicates=0.1, changed=0.05, garbage=0.05))
    tally = Tally(plan)
    sender = LoadSender(login(mosquitto_broker.url), tally, rng=random.Random(1))  # noqa: S311 - it spreads waits
    async with receiving(database_url, mosquitto_broker, tmp_path):
        with psycopg.connect(database_url) as connection:
            assert held_before(connection, tally) == Before()
        await sender.send(messages_of(plan, 3000), lambda error: pytest.fail(str(error)))
        with tables_of(database_url) as tables:
            refused = "select coalesce(sum(count), 0) from rejection"
            await until(lambda: tables.ask(refused)[0][0] == sum(tally.rejections.values()))
            await until(lambda: tables.count("reading") == tally.count("new"))
    assert damaged(database_url, "select", tally).is_exact
    one = "where ctid = (select ctid from reading order by sensor_key, time limit 1)"
    assert damaged(database_url, f"delete from reading {one}", tally).missing == 1
    assert damaged(database_url, f"update reading set value = 1 {one}", tally).wrong_value == 1
    moved = damaged(database_url, f"update reading set time = time + interval '1 millisecond' {one}", tally)
    assert (moved.missing, moved.surplus) == (1, 1)
    more = damaged(database_url, "update rejection set count = count + 1 where reason = 'not-finite'", tally)
    assert not more.is_exact
    assert more.missing == more.surplus == 0


async def test_what_the_broker_has_not_confirmed_is_sent_again(tmp_path: Path) -> None:
    outages: list[Exception] = []
    tally = Tally(PLAN)
    with own_broker() as own:
        sender = LoadSender(login(own.broker.url), tally, rate=2000, rng=random.Random(1))  # noqa: S311
        sending = asyncio.create_task(sender.send(messages_of(PLAN, 4000), outages.append))
        await until(lambda: len(outages) == 1)  # nobody is there yet
        await own.start()
        await until(lambda: tally.messages > 50)
        own.kill()
        await until(lambda: len(outages) == 2)
        await own.start()
        await asyncio.wait_for(sending, 30)
    assert tally.unconfirmed == 0
    assert tally.entries == 4000
