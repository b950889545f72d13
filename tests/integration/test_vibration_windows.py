"""Raw vibration on its way from a gateway to the modes that detection and people read."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import pytest
import zstandard

from services.alerts.structures.modal.mode_schedule import identify_windows
from services.core import wire
from services.core.store import bridge_modes, vibration_windows
from services.core.store.pool import open_pool
from services.demo.broker import EmbeddedBroker
from simulators.physics.bridge_model import DeckDesign, DeckModel
from simulators.physics.bridge_vibration import Shaking, accelerations
from tests.integration.alerts.alert_harness import prepare
from tests.integration.ingest_harness import Publication, Tables, ingesting, publish, settings_for, tables_of, until

GATEWAY = "GW-B1"
NODES = (3, 12, 14, 20)
SENSORS = tuple(f"acc-{k}" for k in range(1, 5))
GIRDER = DeckModel(DeckDesign((40.0, 52.0, 45.0), 4.5e10, 12_000.0, 2.6, 5e9))
CITY = (
    *(f"{name},bridge,acceleration,m/s2,BR-1,117.0,31.03,600,{GATEWAY}\n" for name in SENSORS),
    "elsewhere,bridge,acceleration,m/s2,BR-1,117.0,31.03,600,GW-B9\n",
    "mode-1,bridge,tracked_mode_1,Hz,BR-1,117.0,31.03,600,\n",
)
T0 = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=12)


@pytest.fixture
def tables(database_url: str, tmp_path: Path) -> Iterator[Tables]:
    prepare(database_url, tmp_path / "city", CITY)
    with tables_of(database_url) as tables:
        yield tables


def window(hour: int, **changes: object) -> Publication:
    """Five minutes of shaking in whole hundredths of mm/s2, compressed as a gateway would."""
    shaking = Shaking(seconds=300)
    rows = accelerations(GIRDER, NODES, shaking, np.random.default_rng(hour))
    content = {
        "start": (T0 + timedelta(hours=hour)).isoformat(),
        "rate_hz": shaking.rate_hz,
        "unit": "mm/s2",
        "scale": 0.01,
        "channels": [
            {"sensor": name, "samples": [round(100_000 * sample) for sample in row]}
            for name, row in zip(reversed(SENSORS), reversed(rows.tolist()), strict=True)
        ],
        **changes,
    }
    return wire.gateway_windows_topic("tiny", GATEWAY), zstandard.compress(msgspec.msgpack.encode(content))


async def test_modes_are_identified_in_what_a_gateway_uploads(
    database_url: str, tables: Tables, any_broker: EmbeddedBroker
) -> None:
    async with ingesting(settings_for(any_broker, database_url)):
        sent = [window(hour, event="collision" if hour == 3 else None) for hour in range(4)]
        await publish(any_broker.url, [*sent, sent[0]])
        await until(lambda: tables.count("vibration_window") == 4, within_s=90)
    async with open_pool(database_url, 2, timedelta(seconds=5)) as pool:
        assert await identify_windows(pool, lambda: datetime.now(UTC)) == 4
        assert await identify_windows(pool, lambda: datetime.now(UTC)) == 0
        async with pool.connection() as connection:
            known = await bridge_modes.known(connection, "B1")
            seen = await bridge_modes.sightings(connection, "B1", 10)
    lowest_hz = float(GIRDER.swinging(1)[0][0])
    first = next(mode for mode in known if mode.number == 1)
    assert first.frequency_hz == pytest.approx(lowest_hz, rel=0.01), known
    assert set(first.shape) == set(SENSORS)
    assert [each.event for each in seen[1]] == [None, "collision"], "confirmed by the third window, seen in two"
    assert all(each.likeness > 0.9 for each in seen[1])
    read = tables.ask(
        "select time, value from reading join sensor on sensor.key = sensor_key where id = 'mode-1' order by time"
    )
    assert read == [(each.seen_at, each.frequency_hz) for each in seen[1]]
    assert tables.ask("select count(*) from feed where zone = 'B1'") == [(2,)], "detection does not hear of the modes"


async def test_samples_are_kept_in_the_declared_unit(
    database_url: str, tables: Tables, any_broker: EmbeddedBroker
) -> None:
    ramp = {"sensor": "acc-1", "samples": list(range(256))}
    async with ingesting(settings_for(any_broker, database_url)):
        await publish(any_broker.url, [window(0, channels=[ramp], unit="mm/s2", scale=10.0)])
        await until(lambda: tables.count("vibration_window") == 1, within_s=90)
    async with open_pool(database_url, 1, timedelta(seconds=5)) as pool, pool.connection() as connection:
        (stored,) = await vibration_windows.unidentified(connection, 10)
    assert stored.window.rows[0] == pytest.approx(0.01 * np.arange(256))
    assert stored.window.ended_at == T0 + timedelta(seconds=255 / 20)


SHORT = [1.0] * 255
LONG = [1.0] * 300
WRONG: dict[str, dict[str, object]] = {
    "bad-field": {"channels": [{"sensor": "acc-1", "samples": SHORT}]},
    "bad-field of lengths": {
        "channels": [{"sensor": "acc-1", "samples": LONG}, {"sensor": "acc-2", "samples": LONG[1:]}]
    },
    "bad-field of names": {"channels": [{"sensor": "acc-1", "samples": LONG}] * 2},
    "bad-field of rates": {"rate_hz": 0},
    "not-finite": {"channels": [{"sensor": "acc-1", "samples": [*LONG, float("nan")]}]},
    "oversized": {"channels": [{"sensor": "acc-1", "samples": [0] * (wire.MAX_WINDOW_SAMPLES + 1)}]},
    "unknown-sensor": {"channels": [{"sensor": "nobody", "samples": LONG}]},
    "not-yours": {"channels": [{"sensor": "elsewhere", "samples": LONG}]},
    "wrong-unit": {"unit": "kPa"},
    "bad-time": {"start": (datetime.now(UTC) + timedelta(hours=2)).isoformat()},
}


async def rejections(tables: Tables, wanted: int) -> None:
    await until(lambda: tables.rejected() >= wanted, within_s=90)


async def test_what_is_no_window_is_set_aside_with_its_reason(
    database_url: str, tables: Tables, any_broker: EmbeddedBroker
) -> None:
    async with ingesting(settings_for(any_broker, database_url)):
        for name, changes in WRONG.items():
            await publish(any_broker.url, [window(0, **changes)])
            await rejections(tables, list(WRONG).index(name) + 1)
            reason = name.split()[0]
            assert tables.ask("select reason from rejection order by last_seen desc, id desc limit 1") == [(reason,)], (
                name
            )
    assert tables.count("vibration_window") == 0


async def test_raw_vibration_is_dropped_when_it_was_looked_at_and_is_old(
    database_url: str, tables: Tables, any_broker: EmbeddedBroker
) -> None:
    async with ingesting(settings_for(any_broker, database_url)):
        await publish(any_broker.url, [window(0), window(1)])
        await until(lambda: tables.count("vibration_window") == 2, within_s=90)
    later = datetime.now(UTC) + vibration_windows.KEPT + timedelta(days=1)
    async with open_pool(database_url, 1, timedelta(seconds=5)) as pool, pool.connection() as connection:
        assert await vibration_windows.drop_old(connection, later) == 0, "nobody had looked at them"
        first = (await vibration_windows.unidentified(connection, 1))[0]
        assert await vibration_windows.mark_identified(connection, first.number, later, 0)
        assert not await vibration_windows.mark_identified(connection, first.number, later, 0)
        assert await vibration_windows.drop_old(connection, datetime.now(UTC)) == 0
        assert await vibration_windows.drop_old(connection, later) == 1
