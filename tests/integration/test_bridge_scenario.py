"""A support settles behind a cold front: from the broker through ingest and alerts to what the API tells."""

import asyncio
import csv
import gzip
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.alerts.structures.health_schedule import evaluate_bridges
from services.core import wire
from services.core.store import sensors
from services.core.store.pool import open_pool
from services.demo.broker import EmbeddedBroker
from simulators.demo_city.folder import write_city
from simulators.recording import write_recording
from tests.integration.alerts.alert_harness import alert_process, ask
from tests.integration.api.conftest import address, city, city_template, city_url
from tests.integration.api.harness import client, connected
from tests.integration.ingest_harness import Publication, ingest_process, milliseconds, publish, settings_for, until

__all__ = ["address", "city", "city_template", "city_url"]

ZONE = "B2"
HISTORY, PLAYED = timedelta(days=75), timedelta(days=7)
STEP = timedelta(minutes=10)
"""A longer one would be told as a gateway that is silent, over and over."""
SETTLES_AFTER, FRONT_AFTER = timedelta(minutes=2160), timedelta(minutes=720)
FOUND_WITHIN = timedelta(days=4)
"""From the first millimetre; it takes four days to settle."""
_A_MESSAGE = 4000

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.mosquitto]

Readings = Mapping[str, Sequence[tuple[datetime, float]]]


def recorded(folder: Path, wanted: set[str], begins: datetime) -> Readings:
    """What the bridge's sensors measure over two months of weather and the week of the scenario."""
    write_city(folder / "city", seed=1)
    write_recording(
        folder / "played",
        folder / "city",
        "settlement-over-cold-front",
        begins - HISTORY,
        HISTORY + PLAYED,
        step=STEP,
        lifelines=("bridge",),
        scenario_start=begins,
    )
    found: dict[str, list[tuple[datetime, float]]] = defaultdict(list)
    for path in sorted((folder / "played" / "readings").glob("*.csv.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                if row["sensor"] in wanted:
                    found[row["sensor"]].append((datetime.fromisoformat(row["time"]), float(row["value"])))
    return found


def as_messages(readings: Readings, gateways: Mapping[str, str | None]) -> Iterator[Publication]:
    """The same in the order of time, a few thousand readings of a gateway in each message."""
    in_order = sorted((time, sensor, value) for sensor, each in readings.items() for time, value in each)
    for first in range(0, len(in_order), _A_MESSAGE):
        by_gateway: dict[str, list[tuple[datetime, str, float]]] = defaultdict(list)
        for time, sensor, value in in_order[first : first + _A_MESSAGE]:
            by_gateway[gateways[sensor] or ""].append((time, sensor, value))
        for gateway, part in by_gateway.items():
            columns = {
                "sensor": [sensor for _, sensor, _ in part],
                "time": [milliseconds(time) for time, _, _ in part],
                "value": [value for _, _, value in part],
            }
            yield wire.gateway_readings_topic("demo", gateway), json.dumps(columns).encode()


async def test_a_settled_support_is_told_and_the_cold_front_is_not(
    city_url: str, address: str, mosquitto_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    async with connected(city_url) as connection:
        of_bridge = [each for each in await sensors.load_sensors(connection) if each.zone == ZONE]
    begins = (datetime.now(UTC) - PLAYED).replace(minute=0, second=0, microsecond=0)
    readings = await asyncio.to_thread(recorded, tmp_path, {each.id for each in of_bridge}, begins)
    count = sum(len(each) for each in readings.values())
    with alert_process(city_url, tmp_path) as alerts:
        # On a busy machine the rules take longer to load than the harness waits for.
        alerts.launch()
        await until(lambda: alerts.count("following the feed") > 0, within_s=240)
        async with ingest_process(settings_for(mosquitto_broker, city_url), tmp_path / "ingest.log"):
            await publish(mosquitto_broker.url, as_messages(readings, {each.id: each.gateway for each in of_bridge}))
            await until(lambda: ask(city_url, "select count(*) as n from reading")[0]["n"] == count, within_s=300)
            structural = "select * from alert where zone = %s and kind like 'bridge-%%' and not sensor_fault"
            await until(lambda: bool(ask(city_url, structural, ZONE)), within_s=400)
    async with open_pool(city_url, 1, timedelta(seconds=5)) as pool:
        assert await evaluate_bridges(pool, datetime.now(UTC)) > 0
    async with client(address) as caller:
        listed = (await caller.get("/alerts", params={"lifeline": "bridge", "limit": 50})).json()["items"]
        settled = next(each for each in listed if each["kind"] == "bridge-settlement")
        told = (await caller.get(f"/alerts/{settled['id']}")).json()
        evaluated = (await caller.get(f"/bridges/{ZONE}/health")).json()[0]
    structural_kinds = [each for each in listed if each["kind"].startswith("bridge-")]
    early = [e for e in structural_kinds if datetime.fromisoformat(e["detected_at"]) < begins + SETTLES_AFTER]
    assert early == [], "weather was told as trouble"
    detected_after = datetime.fromisoformat(told["detected_at"]) - (begins + SETTLES_AFTER)
    assert timedelta(0) <= detected_after <= FOUND_WITHIN, f"told {detected_after} after it began to settle"
    assert told["asset"] in {"BR-2-S1", "BR-2-S2", "BR-2-E2"}, "another part of the bridge was named"
    (evidence,) = {json.dumps(finding["evidence"]): finding["evidence"] for finding in told["findings"][:1]}.values()
    assert evidence["temperature_c"] < 20
    assert evidence["days_between_false_alarms"] >= 200
    assert "weather" in told["explanation"]["en"]
    assert "环境" in told["explanation"]["zh"]
    assert settled["id"] in evaluated["alerts"]
    assert evaluated["grade"] >= 2
    assert any("Support settles" in reason["en"] for reason in evaluated["reasons"])
