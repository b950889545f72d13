"""Permits for works in the register: saved with the city, loaded by who judges."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg

from services.core.city_folder import CityFolder
from services.core.store import works_permits
from services.core.store.register import save_city
from services.core.works_permit import WorksPermit
from tests.integration.api.harness import connected

START = datetime(2026, 3, 1, tzinfo=UTC)
PERMIT = WorksPermit("WP-1", START, START + timedelta(days=1), 117.28, 31.86, 25.0, "excavation", "Demo Civil Works")


async def test_permits_are_kept_and_brought_up_to_date(city_url: str, city: CityFolder) -> None:
    longer = replace(PERMIT, end=PERMIT.end + timedelta(days=2))
    for permit in (PERMIT, longer):
        with psycopg.connect(city_url) as connection:
            save_city(connection, replace(city, works=(permit,)))
    async with connected(city_url) as connection:
        assert await works_permits.load(connection) == [longer]
