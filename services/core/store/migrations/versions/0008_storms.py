"""Storms: what the weather service says, low points, and what is prepared at them."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

STORMS = """
-- Places where water collects first (易涝点): who answers for one, and what is brought there.
create table low_point (
    asset text primary key references asset (id) on delete cascade,
    person text references person (id) on delete set null,
    pumps text[] not null default '{}',
    mobile_pumps integer not null default 0 check (mobile_pumps >= 0),
    sandbags integer not null default 0 check (sandbags >= 0),
    barriers integer not null default 0 check (barriers >= 0),
    prepare_from smallint not null default 2 check (prepare_from between 1 and 4)
);

-- Messages of weather services as they came. One that changes or takes back earlier ones ends those.
create table weather_warning (
    id bigint generated always as identity primary key,
    sender text not null,
    identifier text not null,
    sent timestamptz not null,
    message_type text not null check (message_type in ('Alert', 'Update', 'Cancel')),
    is_exercise boolean not null,
    event_en text not null,
    event_zh text not null,
    severity smallint not null check (severity between 0 and 4),
    headline_en text not null,
    headline_zh text not null,
    description_en text not null,
    description_zh text not null,
    instruction_en text not null,
    instruction_zh text not null,
    onset timestamptz not null,
    expires timestamptz not null,
    area_names text[] not null,
    area jsonb,
    brings_water boolean not null,
    message text not null,
    received_at timestamptz not null default now(),
    ended_at timestamptz,
    ended_by bigint references weather_warning (id),
    unique (sender, identifier, sent)
);
create index weather_warning_by_expiry on weather_warning (expires) where ended_at is null;

-- What could not be read, kept to be looked at.
create table weather_refusal (
    id bigint generated always as identity primary key,
    source text not null,
    reason text not null,
    message text not null,
    digest text not null unique,
    received_at timestamptz not null default now(),
    last_at timestamptz not null default now(),
    count integer not null default 1
);

-- What is prepared at a low point because of a warning, with the names and numbers as they were then.
create table storm_task (
    id bigint generated always as identity primary key,
    weather_warning bigint not null references weather_warning (id),
    asset text not null,
    task text not null check (task in ('person', 'mobile-pumps', 'sandbags', 'barriers')),
    quantity integer not null,
    person text,
    phone text,
    is_exercise boolean not null,
    state text not null default 'open' check (state in ('open', 'done', 'stood-down')),
    changed_by text,
    changed_at timestamptz,
    created_at timestamptz not null default now()
);
create unique index storm_task_open on storm_task (asset, task, is_exercise) where state = 'open';
create index storm_task_by_warning on storm_task (weather_warning);
"""


def upgrade() -> None:
    """Add tables."""
    op.get_bind().exec_driver_sql(STORMS)
