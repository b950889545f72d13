"""What has to be in the database before the services start: schema, catalogue, city, keys, receivers, history."""

from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
from psycopg import AsyncConnection

from services.alerts import lifelines
from services.core.city_folder import CityFolder
from services.core.organisation import Receiver
from services.core.permission import Permission
from services.core.recording import Recording
from services.core.store import alert_kinds, api_keys, catalogue, organisations
from services.core.store.migrations import migrate
from services.core.store.pool import open_pool
from services.core.store.readings import WriteResult
from services.core.store.register import RegisterCount, save_city
from services.ingest.recording_import import import_recording


def migrate_with_catalogue(database_url: str) -> list[str]:
    """Bring schema and catalogue to this version; says in words what changed."""
    steps = migrate(database_url)
    with psycopg.connect(database_url) as connection:
        quantities = catalogue.save_quantities(connection, lifelines.catalogue())
        kinds = alert_kinds.save_alert_kinds(connection, lifelines.alert_kinds())
    return [*steps, f"catalogue: {quantities} quantities, {kinds} kinds of alert"]


def import_city(database_url: str, city: CityFolder) -> RegisterCount:
    """Write a city's register.

    Raises:
        CityFolderError: it does not fit the catalogue.
    """
    with psycopg.connect(database_url) as connection:
        return save_city(connection, city)


async def import_history(database_url: str, recording: Recording, progress: Callable[[int, int], None]) -> WriteResult:
    """Load a recording's readings.

    Raises:
        RecordingError: it is broken or names an unknown sensor.
    """
    async with open_pool(database_url, 2) as pool:
        return await import_recording(pool, recording, received_at=datetime.now(UTC), progress=progress)


async def save_access(database_url: str, key: str, receivers: list[Receiver]) -> None:
    """Register the demo's own key and webhook receivers."""
    async with await AsyncConnection.connect(database_url) as connection:
        await api_keys.save_key(connection, "demo", key, "duty officer", list(Permission))
        for receiver in receivers:
            await organisations.save_receiver(connection, receiver)


async def has_readings(database_url: str) -> bool:
    """Whether the city has a history already."""
    async with await AsyncConnection.connect(database_url) as connection:
        cursor = await connection.execute("select exists (select from reading)")
        row = await cursor.fetchone()
    return bool(row and row[0])
