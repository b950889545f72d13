"""What a SensorThings client writes, published by another MQTT client through Mosquitto, is stored."""

import json
import shutil
import subprocess
from datetime import UTC, datetime

import frost_sta_client
import psycopg
import pytest
from frost_sta_client.utils import transform_entity_to_json_dict

from services.core.broker_address import BrokerAddress
from services.demo.broker import EmbeddedBroker
from tests.integration.ingest_harness import ingesting, register_sensors, settings_for, tables_of, until

pytestmark = [
    pytest.mark.mosquitto,
    pytest.mark.skipif(shutil.which("mosquitto_pub") is None, reason="mosquitto_pub is not installed"),
]
NINE = datetime(2026, 5, 1, 9, tzinfo=UTC)


def publish(broker: EmbeddedBroker, topic: str, payload: str) -> None:
    address = BrokerAddress.parse(broker.url)
    login = ["-u", address.user, "-P", address.password] if address.user and address.password else []
    where = ["-h", address.host, "-p", str(address.port), "-t", topic, "-q", "1"]
    # No machine has a secret to lose here: the broker lives as long as the test.
    subprocess.run(["mosquitto_pub", *where, *login, "-s"], input=payload.encode(), check=True, timeout=10)


def observation(datastream: int | str, result: float, time: str) -> str:
    """The body that the client of FROST sends."""
    entity = frost_sta_client.Observation(
        result=result, phenomenon_time=time, datastream=frost_sta_client.Datastream(id=datastream)
    )
    return json.dumps(transform_entity_to_json_dict(entity))


async def test_observations_by_number_and_by_name_are_stored(
    mosquitto_broker: EmbeddedBroker, database_url: str
) -> None:
    register_sensors(database_url, 2)
    with psycopg.connect(database_url) as connection:
        connection.execute("update sensor set address = 'sensorthings:Datastreams(42)' where id = 's0'")
    with tables_of(database_url) as tables:
        async with ingesting(settings_for(mosquitto_broker, database_url)):
            body = observation(42, 6.5, "2026-05-01T08:00:00Z/2026-05-01T09:00:00Z")
            publish(mosquitto_broker, "v1.1/Datastreams(42)/Observations", body)
            publish(mosquitto_broker, "v1.0/Datastreams('s1')/Observations", observation("s1", 7.5, NINE.isoformat()))
            publish(mosquitto_broker, "v1.1/Datastreams(43)/Observations", observation(43, 1.0, NINE.isoformat()))
            publish(mosquitto_broker, "v1.1/Datastreams(42)/Observations", '{"result": "high"}')
            await until(lambda: tables.count("reading") == 2 and tables.count("rejection") == 2)
        rows = tables.ask("select id, time, value from reading join sensor on key = sensor_key order by id")
        assert rows == [("s0", NINE, 6.5), ("s1", NINE, 7.5)]
        refused = tables.ask("select reason, sensor from rejection order by reason")
        assert refused == [
            ("bad-field", "sensorthings:Datastreams(42)"),
            ("unknown-sensor", "sensorthings:Datastreams(43)"),
        ]
