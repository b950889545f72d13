"""The register of a city, written into the database from a city folder."""

from dataclasses import dataclass, replace
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from services.core.checked_rows import CityFolderError
from services.core.city_folder import CityFolder
from services.core.geometry import points_of
from services.core.store import thresholds, works_permits

CHANNEL = "lifeline_register"
"""Notified when sensors or assets changed, so that running services load them again."""


@dataclass(frozen=True, slots=True)
class RegisterCount:
    """How much the register holds after an import."""

    organisations: int
    zones: int
    assets: int
    links: int
    sensors: int


def _extent(geometry: Any) -> str:
    longitudes, latitudes = zip(*points_of(geometry), strict=True)
    return f"(({max(longitudes)},{max(latitudes)}),({min(longitudes)},{min(latitudes)}))"


def lock_register(connection: Connection) -> None:
    """Let one import at a time go on, until the caller's transaction ends."""
    connection.execute("select pg_advisory_xact_lock(hashtext(%s))", (CHANNEL,))


def save_city(connection: Connection, city: CityFolder) -> RegisterCount:
    """Add the folder's contents; what is registered already is brought up to date. One transaction.

    Raises:
        CityFolderError: a sensor measures a quantity or uses a unit that its lifeline does not know, or has the address
            of a registered sensor that is not in the folder.
    """
    with connection.transaction():
        lock_register(connection)
        _check_quantities(connection, city)
        _save_organisations(connection, city)
        _save_assets(connection, city)
        _save_low_points(connection, city)
        works_permits.save(connection, city.works)
        _free_addresses(connection, city)
        _save_sensors(connection, city)
        connection.execute(
            """
            insert into map_background (features) values (%s)
            on conflict (id) do update set features = excluded.features
            """,
            (Jsonb(city.background),),
        )
        connection.execute("select pg_notify(%s, '')", (CHANNEL,))
    return RegisterCount(len(city.organisations), len(city.zones), len(city.assets), len(city.links), len(city.sensors))


def add_to_city(connection: Connection, city: CityFolder) -> RegisterCount:
    """Add what the register lacks of zones, assets, links and sensors; what it has stays as it is. One transaction.

    Returns how much was added.

    Raises:
        CityFolderError: a sensor measures a quantity or uses a unit that its lifeline does not know, or has the address
            of a registered sensor.
    """
    with connection.transaction():
        lock_register(connection)
        known = {
            table: {row[0] for row in connection.execute(f"select id from {table}")}
            for table in ("zone", "asset", "sensor")
        }
        added = {asset.id for asset in city.assets if asset.id not in known["asset"]}
        missing = replace(
            city,
            organisations=[],
            people=[],
            zones=[zone for zone in city.zones if zone.id not in known["zone"]],
            assets=[asset for asset in city.assets if asset.id in added],
            links=[link for link in city.links if link.source in added or link.target in added],
            sensors=[sensor for sensor in city.sensors if sensor.sensor not in known["sensor"]],
        )
        _check_quantities(connection, missing)
        _save_assets(connection, missing)
        works_permits.save(connection, missing.works)
        _free_addresses(connection, missing)
        _save_sensors(connection, missing)
        connection.execute("select pg_notify(%s, '')", (CHANNEL,))
    return RegisterCount(0, len(missing.zones), len(missing.assets), len(missing.links), len(missing.sensors))


def _check_quantities(connection: Connection, city: CityFolder) -> None:
    units = {(row[0], row[1]): row[2] for row in connection.execute("select lifeline, name, unit from quantity")}
    for sensor in city.sensors:
        unit = units.get((sensor.lifeline, sensor.quantity))
        if unit is None:
            raise CityFolderError(
                f"sensors.csv, sensor {sensor.sensor}: {sensor.lifeline} knows no quantity {sensor.quantity!r}"
            )
        if unit != sensor.unit:
            raise CityFolderError(
                f"sensors.csv, sensor {sensor.sensor}: {sensor.quantity} is in {unit}, not in {sensor.unit!r}"
            )


def _save_organisations(connection: Connection, city: CityFolder) -> None:
    cursor = connection.cursor()
    cursor.executemany(
        """
        insert into organisation (id, name_en, name_zh, role, lifelines) values (%s, %s, %s, %s, %s)
        on conflict (id) do update set name_en = excluded.name_en, name_zh = excluded.name_zh,
            role = excluded.role, lifelines = excluded.lifelines
        """,
        [(o.id, o.name.en, o.name.zh, o.role, sorted(o.lifelines)) for o in city.organisations],
    )
    cursor.executemany(
        """
        insert into person (id, organisation, name, post_en, post_zh, phone) values (%s, %s, %s, %s, %s, %s)
        on conflict (id) do update set organisation = excluded.organisation, name = excluded.name,
            post_en = excluded.post_en, post_zh = excluded.post_zh, phone = excluded.phone
        """,
        [(p.id, p.organisation, p.name, p.post.en, p.post.zh, p.phone) for p in city.people],
    )


def _save_assets(connection: Connection, city: CityFolder) -> None:
    cursor = connection.cursor()
    cursor.executemany(
        """
        insert into zone (id, lifeline, name_en, name_zh, geometry) values (%s, %s, %s, %s, %s)
        on conflict (id) do update set lifeline = excluded.lifeline, name_en = excluded.name_en,
            name_zh = excluded.name_zh, geometry = excluded.geometry
        """,
        [(zone.id, zone.lifeline, zone.name.en, zone.name.zh, Jsonb(zone.geometry)) for zone in city.zones],
    )
    cursor.executemany(
        """
        insert into asset (id, lifeline, kind, zone, name_en, name_zh, organisation, geometry, extent, properties)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s::box, %s)
        on conflict (id) do update set lifeline = excluded.lifeline, kind = excluded.kind, zone = excluded.zone,
            name_en = excluded.name_en, name_zh = excluded.name_zh, organisation = excluded.organisation,
            geometry = excluded.geometry, extent = excluded.extent, properties = excluded.properties
        """,
        [
            (
                asset.id,
                asset.lifeline,
                asset.kind,
                asset.zone,
                asset.name.en,
                asset.name.zh,
                asset.organisation,
                Jsonb(asset.geometry),
                _extent(asset.geometry),
                Jsonb(asset.properties),
            )
            for asset in city.assets
        ],
    )
    cursor.executemany(
        """
        insert into link (source, target, kind, length_m) values (%s, %s, %s, %s)
        on conflict (source, target, kind) do update set length_m = excluded.length_m
        """,
        [(link.source, link.target, link.kind, link.length_m) for link in city.links],
    )


def _save_low_points(connection: Connection, city: CityFolder) -> None:
    connection.cursor().executemany(
        """
        insert into low_point (asset, person, pumps, mobile_pumps, sandbags, barriers, prepare_from, contributing_ha,
            drain_m3_s, storage_m3, expected_15min_cm, expected_30min_cm, expected_60min_cm)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (asset) do update set person = excluded.person, pumps = excluded.pumps,
            mobile_pumps = excluded.mobile_pumps, sandbags = excluded.sandbags, barriers = excluded.barriers,
            prepare_from = excluded.prepare_from, contributing_ha = excluded.contributing_ha,
            drain_m3_s = excluded.drain_m3_s, storage_m3 = excluded.storage_m3,
            expected_15min_cm = excluded.expected_15min_cm, expected_30min_cm = excluded.expected_30min_cm,
            expected_60min_cm = excluded.expected_60min_cm
        """,
        [
            (
                point.asset,
                point.person,
                list(point.pumps),
                point.mobile_pumps,
                point.sandbags,
                point.barriers,
                int(point.prepare_from),
                point.contributing_ha,
                point.drain_m3_s,
                point.storage_m3,
                point.expected_15min_cm,
                point.expected_30min_cm,
                point.expected_60min_cm,
            )
            for point in city.low_points
        ],
    )


def _free_addresses(connection: Connection, city: CityFolder) -> None:
    """Let the folder's sensors exchange their addresses, and see that nobody else has one of them."""
    identifiers = [sensor.sensor for sensor in city.sensors]
    addresses = {sensor.address: sensor.sensor for sensor in city.sensors if sensor.address is not None}
    connection.execute("update sensor set address = null where id = any(%s) and address is not null", (identifiers,))
    for other, address in connection.execute(
        "select id, address from sensor where address = any(%s)", (list(addresses),)
    ):
        raise CityFolderError(
            f"sensors.csv, sensor {addresses[address]}: the registered sensor {other}, which is not in the folder, has "
            f"the address {address!r}"
        )


def _save_sensors(connection: Connection, city: CityFolder) -> None:
    assets = [sensor.asset for sensor in city.sensors]
    zones: dict[str, str] = dict(connection.execute("select id, zone from asset where id = any(%s)", (assets,)))
    connection.cursor().executemany(
        """
        insert into sensor (id, lifeline, quantity, unit, asset, zone, longitude, latitude, interval_s, gateway,
            thresholds, device_unit, address)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (id) do update set lifeline = excluded.lifeline, quantity = excluded.quantity,
            unit = excluded.unit, asset = excluded.asset, zone = excluded.zone, longitude = excluded.longitude,
            latitude = excluded.latitude, interval_s = excluded.interval_s, gateway = excluded.gateway,
            thresholds = excluded.thresholds, device_unit = excluded.device_unit, address = excluded.address
        """,
        [
            (
                sensor.sensor,
                sensor.lifeline,
                sensor.quantity,
                sensor.unit,
                sensor.asset,
                zones[sensor.asset],
                sensor.lon,
                sensor.lat,
                sensor.interval_s,
                sensor.gateway,
                Jsonb(thresholds.to_json(city.thresholds[sensor.sensor])) if sensor.sensor in city.thresholds else None,
                sensor.device_unit,
                sensor.address,
            )
            for sensor in city.sensors
        ],
    )
