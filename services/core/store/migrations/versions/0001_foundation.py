"""Foundation: the register, readings, the loop, the audit trail."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

REGISTER = """
create table organisation (
    id text primary key,
    name_en text not null,
    name_zh text not null,
    role text not null check (role in ('owner', 'regulator', 'emergency', 'centre')),
    lifelines text[] not null default '{}'
);

create table person (
    id text primary key,
    organisation text not null references organisation,
    name text not null,
    post_en text not null,
    post_zh text not null,
    phone text not null
);

create table receiver (
    id text primary key,
    organisation text not null references organisation,
    url text not null,
    secret text not null,
    minimum_severity smallint not null default 1 check (minimum_severity between 0 and 4),
    enabled boolean not null default true
);

create table zone (
    id text primary key,
    lifeline text not null,
    name_en text not null,
    name_zh text not null,
    geometry jsonb
);

create table asset (
    id text primary key,
    lifeline text not null,
    kind text not null,
    zone text not null references zone,
    name_en text not null,
    name_zh text not null,
    organisation text references organisation,
    geometry jsonb not null,
    extent box not null,
    properties jsonb not null default '{}'
);
create index asset_by_zone on asset (zone);
create index asset_by_place on asset using gist (extent);

-- What a map shows behind the assets: the river, streets. One row.
create table map_background (
    id smallint primary key default 1 check (id = 1),
    features jsonb not null
);

create table link (
    source text not null references asset on delete cascade,
    target text not null references asset on delete cascade,
    kind text not null check (kind in ('flow', 'adjacent', 'part-of')),
    length_m double precision not null check (length_m >= 0),
    primary key (source, target, kind)
);
create index link_by_target on link (target);

-- The catalogue is declared by the lifelines' own files and written here when the database is migrated, so that
-- services which may not import one another agree on units, plausible ranges and default thresholds.
create table quantity (
    lifeline text not null,
    name text not null,
    unit text not null,
    label_en text not null,
    label_zh text not null,
    plausible_low double precision not null,
    plausible_high double precision not null,
    thresholds jsonb not null default '[]',
    primary key (lifeline, name)
);

-- What an alert of a kind is called, who grades it in which words, and from which severity a rule may publish it.
create table alert_kind (
    lifeline text not null,
    kind text not null,
    label_en text not null,
    label_zh text not null,
    instruction_en text not null,
    instruction_zh text not null,
    scheme text not null,
    sensor_fault boolean not null,
    publishes_from smallint check (publishes_from between 1 and 4),
    primary key (lifeline, kind)
);

create table sensor (
    key integer generated always as identity primary key,
    id text not null unique,
    lifeline text not null,
    quantity text not null,
    unit text not null,
    asset text not null references asset,
    zone text not null references zone,
    longitude double precision not null,
    latitude double precision not null,
    interval_s double precision not null check (interval_s > 0),
    gateway text,
    plausible_low double precision,
    plausible_high double precision,
    thresholds jsonb,
    foreign key (lifeline, quantity) references quantity
);
create index sensor_by_asset on sensor (asset);
create index sensor_by_zone on sensor (zone);
create index sensor_by_gateway on sensor (gateway);
"""

READINGS = """
create table reading (
    sensor_key integer not null,
    time timestamptz not null,
    value double precision not null,
    quality smallint not null default 0,
    reason text,
    received_at timestamptz not null,
    primary key (sensor_key, time)
);

create table latest (
    sensor_key integer primary key,
    time timestamptz not null,
    value double precision not null,
    quality smallint not null,
    reason text,
    received_at timestamptz not null
) with (fillfactor = 70);

create table rejection (
    id bigint generated always as identity primary key,
    topic text not null,
    payload bytea not null,
    reason text not null,
    detail text not null,
    sensor text,
    received_at timestamptz not null
);
create index rejection_by_time on rejection (received_at desc);
create index rejection_by_reason on rejection (reason, received_at desc);

-- One row per transaction and zone. A reader takes rows whose transaction every other one is past, in
-- (transaction_id, id) order: sequence order alone is not commit order when several writers insert.
create table feed (
    id bigint generated always as identity primary key,
    transaction_id xid8 not null default pg_current_xact_id(),
    zone text not null,
    sensor_keys integer[] not null,
    times timestamptz[] not null,
    "values" double precision[] not null,
    qualities smallint[] not null,
    reasons text[] not null,
    received_at timestamptz not null default now()
);
create index feed_by_order on feed (transaction_id, id);

create table feed_cursor (
    consumer text primary key,
    transaction_id xid8 not null,
    id bigint not null,
    city_time timestamptz
);

create table detector_state (
    zone text not null,
    target text not null,
    state jsonb not null,
    updated_at timestamptz not null default now(),
    primary key (zone, target)
);
"""

LOOP = """
create table finding (
    id uuid primary key,
    state text not null check (state in ('raised', 'changed', 'cleared')),
    lifeline text not null,
    kind text not null,
    zone text not null,
    asset text not null,
    sensors text[] not null,
    severity smallint not null check (severity between 0 and 4),
    time timestamptz not null,
    started_at timestamptz not null,
    score double precision not null,
    value double precision,
    threshold double precision,
    rule text not null,
    detector text not null,
    detector_version text not null,
    explanation_en text not null,
    explanation_zh text not null,
    evidence jsonb not null default '{}',
    alert uuid,
    stored_at timestamptz not null default now()
);
create index finding_by_alert on finding (alert, time);

create table alert (
    id uuid primary key,
    state text not null,
    lifeline text not null,
    kind text not null,
    zone text not null,
    asset text not null,
    sensors text[] not null,
    severity smallint not null,
    highest_severity smallint not null,
    scheme text not null,
    sensor_fault boolean not null,
    started_at timestamptz not null,
    detected_at timestamptz not null,
    last_at timestamptz not null,
    cleared_at timestamptz,
    finding_count integer not null,
    open_rules jsonb not null,
    peak_value double precision,
    peak_at timestamptz,
    threshold double precision,
    rule text not null,
    detector text not null,
    detector_version text not null,
    explanation_en text not null,
    explanation_zh text not null,
    trace jsonb,
    acknowledged_by text,
    acknowledged_at timestamptz,
    verdict text,
    verdict_reason text,
    created_at timestamptz not null default now(),
    version integer not null default 1
);
-- One open episode for one kind of trouble at one asset; two processes that see it at once meet here.
create unique index alert_open_episode on alert (asset, kind) where cleared_at is null;
create index alert_by_time on alert (detected_at desc);

create table warning (
    id uuid primary key,
    alert uuid not null references alert,
    state text not null,
    lifeline text not null,
    zone text not null,
    asset text not null,
    severity smallint not null,
    scheme text not null,
    headline_en text not null,
    headline_zh text not null,
    instruction_en text not null,
    instruction_zh text not null,
    organisation text references organisation,
    policy text not null,
    created_at timestamptz not null default now(),
    published_at timestamptz,
    published_by text,
    received_at timestamptz,
    received_by text,
    lifted_at timestamptz,
    lifted_by text,
    version integer not null default 1
);
create unique index warning_open on warning (alert) where lifted_at is null;
create index warning_by_time on warning (created_at desc);

create table work_order (
    id uuid primary key,
    alert uuid not null references alert,
    warning uuid references warning,
    state text not null,
    lifeline text not null,
    zone text not null,
    asset text not null,
    severity smallint not null,
    organisation text references organisation,
    title_en text not null,
    title_zh text not null,
    feedback text,
    feedback_by text,
    verification text,
    created_at timestamptz not null default now(),
    dispatched_at timestamptz,
    received_at timestamptz,
    on_site_at timestamptz,
    under_control_at timestamptz,
    handled_at timestamptz,
    verified_at timestamptz,
    closed_at timestamptz,
    version integer not null default 1
);
create unique index work_order_open on work_order (alert) where closed_at is null;
create index work_order_by_time on work_order (created_at desc);

create table notification (
    id uuid primary key,
    receiver text not null references receiver,
    type text not null,
    subject_kind text not null,
    subject uuid not null,
    body text not null,
    state text not null check (state in ('pending', 'delivered', 'failed')),
    attempts integer not null default 0,
    created_at timestamptz not null default now(),
    delivered_at timestamptz
);
create index notification_by_subject on notification (subject);
create index notification_by_time on notification (created_at desc);

create table delivery (
    id bigint generated always as identity primary key,
    notification uuid not null references notification,
    attempt integer not null,
    started_at timestamptz not null,
    duration_ms double precision not null,
    status integer,
    response text,
    error text,
    unique (notification, attempt)
);

create table audit (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    actor text not null,
    action text not null,
    subject_kind text not null,
    subject text not null,
    before jsonb,
    after jsonb
);
create index audit_by_subject on audit (subject_kind, subject, id);

create function audit_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'the audit trail is append-only' using errcode = 'insufficient_privilege';
end
$$;
create trigger audit_append_only before update or delete on audit
    for each row execute function audit_is_append_only();
create trigger audit_no_truncate before truncate on audit
    for each statement execute function audit_is_append_only();

-- What live listeners replay from; a notification on channel lifeline_event only wakes them.
create table event (
    id bigint generated always as identity primary key,
    transaction_id xid8 not null default pg_current_xact_id(),
    at timestamptz not null default clock_timestamp(),
    type text not null,
    subject text not null
);
create index event_by_order on event (transaction_id, id);

create table api_key (
    id text primary key,
    hash bytea not null unique,
    actor text not null,
    permissions text[] not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz
);
"""


def upgrade() -> None:
    """Create every table of the first release."""
    for part in (REGISTER, READINGS, LOOP):
        op.get_bind().exec_driver_sql(part)
