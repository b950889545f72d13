"""Raw vibration of bridges, the modes that were identified in it, and when each was seen."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add windows, modes and sightings."""
    connection = op.get_bind()
    connection.exec_driver_sql(
        """
        create table vibration_window (
            number bigint generated always as identity primary key,
            zone text not null,
            gateway text not null,
            sensors text[] not null check (cardinality(sensors) > 0),
            started_at timestamptz not null,
            rate_hz double precision not null check (rate_hz > 0),
            samples bytea not null,
            event text,
            received_at timestamptz not null,
            identified_at timestamptz,
            modes_found smallint,
            unique (gateway, started_at, sensors)
        )
        """
    )
    connection.exec_driver_sql(
        "create index vibration_window_waiting on vibration_window (started_at) where identified_at is null"
    )
    connection.exec_driver_sql(
        """
        create table bridge_mode (
            zone text not null references zone on delete cascade,
            number smallint not null check (number > 0),
            sensors text[] not null,
            shape double precision[] not null,
            frequency_hz double precision not null check (frequency_hz > 0),
            sightings integer not null check (sightings > 0),
            missed integer not null check (missed >= 0),
            is_confirmed boolean not null,
            first_seen_at timestamptz not null,
            last_seen_at timestamptz not null,
            primary key (zone, number),
            check (cardinality(sensors) = cardinality(shape))
        )
        """
    )
    connection.exec_driver_sql(
        """
        create table mode_sighting (
            zone text not null,
            number smallint not null,
            seen_at timestamptz not null,
            frequency_hz double precision not null check (frequency_hz > 0),
            likeness double precision not null check (likeness between 0 and 1),
            event text,
            primary key (zone, number, seen_at),
            foreign key (zone, number) references bridge_mode on delete cascade
        )
        """
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("mode_sighting", "bridge_mode", "vibration_window"):
        op.execute(f"drop table {table}")
