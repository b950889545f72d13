"""Forecasts: what was expected of sensors, and when."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

FORECASTS = """
-- What was expected stays beside what came, so that people see how good the forecasts are.
create table forecast (
    sensor_key integer not null references sensor (key) on delete cascade,
    issued_at timestamptz not null,
    target_time timestamptz not null check (target_time >= issued_at),
    value double precision not null,
    low double precision not null,
    high double precision not null,
    detector text not null,
    detector_version text not null,
    model text,
    primary key (sensor_key, issued_at, target_time),
    check (low <= value and value <= high)
);
create index forecast_by_age on forecast using brin (issued_at);
"""


def upgrade() -> None:
    """Add a table."""
    op.get_bind().exec_driver_sql(FORECASTS)
