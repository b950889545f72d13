"""What has to be in the database before the services start: schema, catalogue, city, keys, receivers, history."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
from psycopg import AsyncConnection

from services.alerts import lifelines
from services.alerts.suppression.default_inhibitions import default_inhibitions
from services.core.checked_rows import CityFolderError
from services.core.city_folder import CityFolder
from services.core.lifeline import Lifeline
from services.core.organisation import Receiver
from services.core.password import hash_password
from services.core.permission import Permission
from services.core.recorded_city import recorded_city
from services.core.recorded_readings import read_readings
from services.core.recorded_register import register_of
from services.core.recording import Recording, RecordingError
from services.core.role import LABELS, Role
from services.core.store import alert_kinds, api_keys, audit, catalogue, inhibitions, organisations, users
from services.core.store.migrations import migrate
from services.core.store.networks import RegisteredNetwork, save_network
from services.core.store.pool import open_pool
from services.core.store.readings import WriteResult
from services.core.store.register import RegisterCount, add_to_city, save_city
from services.ingest.recording_import import import_recording


def migrate_with_catalogue(database_url: str) -> list[str]:
    """Bring schema and catalogue to this version; says in words what changed."""
    steps = migrate(database_url)
    with psycopg.connect(database_url) as connection:
        quantities = catalogue.save_quantities(connection, lifelines.catalogue())
        kinds = alert_kinds.save_alert_kinds(connection, lifelines.alert_kinds())
        inhibitions.save_inhibitions(connection, default_inhibitions(lifelines.discover().values()))
    return [*steps, f"catalogue: {quantities} quantities, {kinds} kinds of alert"]


def import_city(database_url: str, city: CityFolder) -> RegisterCount:
    """Write a city's register and the hydraulic models that its folder holds.

    Raises:
        CityFolderError: it does not fit the catalogue.
    """
    with psycopg.connect(database_url) as connection:
        count = save_city(connection, city)
        for model in city.models:
            save_network(connection, RegisteredNetwork(model.lifeline, model.file, model.zones))
        return count


@dataclass(frozen=True, slots=True)
class HistoryCount:
    """What an import of a recording added to the register, and what became of its readings."""

    registered: RegisterCount
    readings: WriteResult


async def import_history(database_url: str, recording: Recording, progress: Callable[[int, int], None]) -> HistoryCount:
    """Load a recording: what it brings along for the register, and its readings.

    Where all its sensors are registered already, the register stays as it is.

    Raises:
        RecordingError: it is broken or does not fit the catalogue; nothing is stored then.
    """
    readings = read_readings(recording)
    registered = await asyncio.to_thread(_register, database_url, recording)
    async with open_pool(database_url, 2) as pool:
        result = await import_recording(pool, recording, readings, received_at=datetime.now(UTC), progress=progress)
    return HistoryCount(registered, result)


def _register(database_url: str, recording: Recording) -> RegisterCount:
    with psycopg.connect(database_url) as connection:
        known = {row[0] for row in connection.execute("select id from sensor")}
        if known.issuperset(recording.sensors):
            return RegisterCount(0, 0, 0, 0, 0)
        quantities = connection.execute("select lifeline, name, unit from quantity").fetchall()
        units = {(Lifeline(lifeline), name): unit for lifeline, name, unit in quantities}
        city = register_of(recording, recorded_city(recording), units)
        try:
            count = add_to_city(connection, city)
        except CityFolderError as error:
            raise RecordingError(str(error)) from None
        if city.model is not None:
            save_network(connection, RegisteredNetwork(city.model.lifeline, city.model.file, city.model.zones))
    return count


async def save_access(database_url: str, key: str, crew_key: str, receivers: list[Receiver]) -> None:
    """Register the keys of the officer and of the crew, and the demo's webhook receivers."""
    async with await AsyncConnection.connect(database_url) as connection:
        await api_keys.save_key(connection, "demo", key, "duty officer", list(Permission))
        await api_keys.save_key(connection, "crew", crew_key, "repair crew", [Permission.READ, Permission.HANDLE])
        for receiver in receivers:
            await organisations.save_receiver(connection, receiver)


async def save_people(database_url: str, password: str) -> list[str]:
    """Let one person of each role log in with this password, and say what they are called."""
    password_hash = await asyncio.to_thread(hash_password, password)
    async with await AsyncConnection.connect(database_url) as connection:
        for role in Role:
            known = await users.find_user(connection, role.value, lock=True)
            if known is None:
                await users.add_user(connection, role.value, LABELS[role].en, [role], password_hash=password_hash)
            else:
                await users.set_password(connection, known, password_hash, actor=audit.SYSTEM)
    return [role.value for role in Role]


async def has_readings(database_url: str) -> bool:
    """Whether the city has a history already."""
    async with await AsyncConnection.connect(database_url) as connection:
        cursor = await connection.execute("select exists (select from reading)")
        row = await cursor.fetchone()
    return bool(row and row[0])
