"""Disposal: incidents, orders that wait, change hands and come back, what the field says, response plans."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_INCIDENTS = (
    """
    create table incident (
        id uuid primary key,
        lifeline text not null,
        asset text not null,
        title_en text not null,
        title_zh text not null,
        is_exercise boolean not null default false,
        opened_at timestamptz not null,
        opened_by text not null,
        closed_at timestamptz,
        lessons text,
        lessons_by text,
        version integer not null default 1
    )
    """,
    "create index incident_by_time on incident (opened_at desc, id desc)",
    """
    create table incident_alert (
        alert uuid primary key references alert,
        incident uuid not null references incident,
        since timestamptz not null
    )
    """,
    "create index incident_alert_by_incident on incident_alert (incident, since)",
    """
    create table incident_cost (
        id uuid primary key,
        incident uuid not null references incident,
        label text not null check (length(label) between 1 and 200),
        amount numeric(14, 2) not null,
        currency text not null check (currency ~ '^[A-Z]{3}$'),
        author text not null,
        at timestamptz not null
    )
    """,
    "create index incident_cost_by_incident on incident_cost (incident, at)",
)

_ORDERS = (
    """
    alter table work_order
        add column incident uuid references incident,
        add column is_joint boolean not null default false,
        add column person text references person,
        add column round integer not null default 1,
        add column held_from text,
        add column rule jsonb,
        add column step_since timestamptz,
        add column paused_s double precision not null default 0,
        add column paused_since timestamptz,
        add column clock integer not null default 0,
        add column transferred integer not null default 0,
        add column reopened integer not null default 0,
        add column escalated integer not null default 0,
        add column workers text[] not null default '{}',
        add column verified_by text,
        add column cannot_tell text,
        add column normal_since timestamptz
    """,
    """
    update work_order set workers = array_remove(array[feedback_by], null),
        step_since = coalesce(verified_at, handled_at, under_control_at, on_site_at, received_at, dispatched_at,
            created_at)
    """,
    # What closed before these rules stays as it was: the rule is asked of every row that is written from now on.
    """
    alter table work_order add constraint work_order_closed_in_earnest check (
        state <> 'closed' or (feedback is not null and verification is not null
            and verified_by is not null and not verified_by = any(workers))) not valid
    """,
    "drop index work_order_open",
    "create unique index work_order_open on work_order (alert) where closed_at is null and not is_joint",
    "create unique index work_order_joint on work_order (incident, organisation) where closed_at is null",
    "create index work_order_by_incident on work_order (incident)",
    "create index work_order_watched on work_order (asset) where state in ('verified', 'closed')",
    """
    create table work_order_step (
        id bigint generated always as identity primary key,
        work_order uuid not null references work_order,
        at timestamptz not null,
        actor text not null,
        move text not null,
        before text,
        after text not null,
        round integer not null,
        organisation text,
        due_at timestamptz,
        note text
    )
    """,
    "create index work_order_step_by_order on work_order_step (work_order, id)",
    """
    create table work_order_notice (
        work_order uuid not null references work_order,
        clock integer not null,
        stage text not null check (stage in ('soon', 'overdue', 'long-overdue')),
        step text not null,
        due_at timestamptz not null,
        at timestamptz not null,
        primary key (work_order, clock, stage)
    )
    """,
    """
    create table supervision (
        id uuid primary key,
        work_order uuid not null references work_order,
        author text not null,
        at timestamptz not null,
        text text not null check (length(text) between 1 and 4000),
        due_at timestamptz not null,
        answer text,
        answered_by text,
        answered_at timestamptz
    )
    """,
    "create index supervision_by_order on supervision (work_order, at)",
    """
    create table disposal_rule (
        lifeline text not null,
        version integer not null,
        rule jsonb not null,
        author text not null,
        reason text not null,
        created_at timestamptz not null,
        primary key (lifeline, version)
    )
    """,
    """
    create table hand_over (
        id uuid primary key,
        organisation text not null references organisation,
        given_by text not null,
        given_at timestamptz not null,
        note text not null,
        standing jsonb not null,
        taken_by text,
        taken_at timestamptz,
        check (taken_by is distinct from given_by)
    )
    """,
    "create index hand_over_by_time on hand_over (given_at desc)",
)

_FIELD = (
    """
    create table field_feedback (
        id uuid primary key,
        work_order uuid not null references work_order,
        round integer not null,
        author text not null,
        at timestamptz not null,
        received_at timestamptz not null,
        text text not null,
        measurements jsonb not null default '[]',
        longitude double precision check (longitude between -180 and 180),
        latitude double precision check (latitude between -90 and 90),
        check ((longitude is null) = (latitude is null))
    )
    """,
    "create index field_feedback_by_order on field_feedback (work_order, at)",
    """
    create table stored_file (
        sha256 bytea primary key check (length(sha256) = 32),
        content bytea not null,
        media_type text not null,
        thumbnail bytea,
        width integer,
        height integer
    )
    """,
    "alter table stored_file alter column content set storage external",
    """
    create table attachment (
        id uuid primary key,
        work_order uuid not null references work_order,
        feedback uuid references field_feedback,
        sha256 bytea not null references stored_file,
        name text not null check (length(name) between 1 and 200),
        size_bytes integer not null check (size_bytes > 0),
        author text not null,
        at timestamptz not null
    )
    """,
    "create index attachment_by_order on attachment (work_order, at)",
)

_PLANS = (
    """
    create table depot (
        id text primary key,
        organisation text not null references organisation,
        name_en text not null,
        name_zh text not null,
        longitude double precision not null check (longitude between -180 and 180),
        latitude double precision not null check (latitude between -90 and 90)
    )
    """,
    """
    create table material (
        depot text not null references depot on delete cascade,
        id text not null,
        name_en text not null,
        name_zh text not null,
        stock double precision not null check (stock >= 0),
        unit text not null,
        counted_at timestamptz not null,
        counted_by text not null,
        primary key (depot, id)
    )
    """,
    """
    create table response_plan (
        id text not null,
        version integer not null,
        plan jsonb not null,
        is_default boolean not null,
        author text not null,
        reason text not null,
        created_at timestamptz not null,
        retired_at timestamptz,
        primary key (id, version)
    )
    """,
    """
    create table plan_activation (
        id uuid primary key,
        plan text not null,
        plan_version integer not null,
        incident uuid not null references incident,
        work_order uuid references work_order,
        is_exercise boolean not null,
        exclusion_radius_m double precision not null,
        public_message jsonb,
        activated_at timestamptz not null,
        activated_by text not null,
        ended_at timestamptz,
        ended_by text,
        foreign key (plan, plan_version) references response_plan
    )
    """,
    "create unique index plan_activation_running on plan_activation (incident, plan) where ended_at is null",
    """
    create table plan_step (
        activation uuid not null references plan_activation,
        number integer not null,
        label_en text not null,
        label_zh text not null,
        role text not null,
        organisation text,
        person text,
        person_name text,
        post_en text,
        post_zh text,
        phone text,
        due_at timestamptz not null,
        done_at timestamptz,
        done_by text,
        note text,
        told_overdue_at timestamptz,
        primary key (activation, number)
    )
    """,
)


def upgrade() -> None:
    """Create and widen."""
    for statement in (*_INCIDENTS, *_ORDERS, *_FIELD, *_PLANS):
        op.get_bind().exec_driver_sql(statement)
