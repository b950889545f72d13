"""Device commands: how often a device is asked to report."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

DEVICE_COMMANDS = """
-- A kind with a reporting interval raises no alert: it asks the device to report that often while it lasts.
alter table alert_kind add column report_every_s double precision check (report_every_s > 0);

-- What a device was asked and what it answered. A newer wish for the same sensor takes the place of one that is open.
create table device_command (
    id uuid primary key,
    device text not null,
    sensor text not null,
    interval_s double precision not null check (interval_s > 0),
    finding uuid not null,
    event_time timestamptz not null,
    asked_at timestamptz not null default now(),
    state text not null default 'waiting'
        check (state in ('waiting', 'sent', 'done', 'refused', 'given-up', 'superseded')),
    attempts integer not null default 0,
    sent_at timestamptz,
    answered_at timestamptz,
    answer text,
    check ((state in ('done', 'refused')) = (answered_at is not null))
);
create unique index device_command_open on device_command (sensor) where state in ('waiting', 'sent');
create index device_command_by_sensor on device_command (sensor, asked_at desc);
"""


def upgrade() -> None:
    """Add a table and a column."""
    op.get_bind().exec_driver_sql(DEVICE_COMMANDS)
