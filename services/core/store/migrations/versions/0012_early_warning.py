"""Making it few and telling the right ones: silences, inhibitions, comments, judged warnings, duty, escalation."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    alter table alert
        add column suppression jsonb,
        add column explained_by uuid references alert,
        add column reopened integer not null default 0,
        add column assignee text
    """,
    "create index alert_explained on alert (explained_by) where cleared_at is null",
    "create index alert_standing_by_zone on alert (lifeline, zone) where cleared_at is null",
    "create index alert_last_episode on alert (asset, kind, cleared_at desc)",
    """
    create table alert_comment (
        id uuid primary key,
        alert uuid not null references alert,
        at timestamptz not null,
        author text not null,
        text text not null check (length(text) between 1 and 4000)
    )
    """,
    "create index alert_comment_by_alert on alert_comment (alert, at)",
    """
    create table silence (
        id uuid primary key,
        kind text not null check (kind in ('shelving', 'silence', 'maintenance')),
        lifeline text,
        zone text,
        asset text,
        alert_kind text,
        sensor text,
        starts_at timestamptz not null,
        ends_at timestamptz not null check (ends_at > starts_at),
        recurrence text,
        mutes_to smallint not null check (mutes_to between 1 and 4),
        records boolean not null,
        reason text not null,
        author text not null,
        created_at timestamptz not null,
        ended_at timestamptz,
        ended_by text,
        check (coalesce(lifeline, zone, asset, alert_kind, sensor) is not null)
    )
    """,
    "create index silence_in_force on silence (ends_at) where ended_at is null",
    """
    create table inhibition (
        id text primary key,
        lifeline text not null,
        causes text[] not null,
        effects text[] not null,
        reach text not null check (reach in ('sensor', 'asset', 'zone', 'lifeline')),
        mutes_to smallint not null check (mutes_to between 1 and 4),
        reason_en text not null,
        reason_zh text not null,
        enabled boolean not null default true
    )
    """,
    """
    alter table warning
        add column area jsonb,
        add column valid_until timestamptz,
        add column approval text not null default 'none' check (approval in ('none', 'before', 'after')),
        add column approved_at timestamptz,
        add column approved_by text,
        add column ended_reason text,
        add column policy_version integer
    """,
    """
    create table warning_policy (
        version integer primary key,
        policy jsonb not null,
        author text not null,
        reason text not null,
        created_at timestamptz not null
    )
    """,
    """
    create table duty_shift (
        id uuid primary key,
        organisation text not null references organisation,
        role text not null,
        person text not null references person,
        starts_at timestamptz not null,
        ends_at timestamptz not null check (ends_at > starts_at),
        source text not null,
        substitutes text references person
    )
    """,
    """
    create table report (
        id uuid primary key,
        source text not null check (source in ('citizen', 'patrol', 'system')),
        state text not null check (state in ('raised', 'cleared')),
        lifeline text not null,
        kind text not null,
        zone text not null references zone,
        asset text not null references asset,
        target text not null,
        severity smallint not null check (severity between 1 and 4),
        time timestamptz not null,
        text text not null,
        labels jsonb not null default '{}',
        reporter text not null,
        received_at timestamptz not null
    )
    """,
    """
    create table put_by (
        id uuid primary key,
        receiver text not null references receiver,
        news jsonb not null,
        at timestamptz not null,
        told_at timestamptz
    )
    """,
    "create index put_by_receiver on put_by (receiver, told_at)",
    "create table summary_due (receiver text primary key references receiver, due_at timestamptz not null)",
    """
    create table told (
        notification uuid primary key references notification on delete cascade,
        receiver text not null,
        lifeline text not null,
        kind text not null,
        severity smallint not null,
        at timestamptz not null
    )
    """,
    "create index told_lately on told (receiver, at desc)",
    "create index report_by_target on report (target, received_at desc)",
    "create index duty_shift_by_time on duty_shift (organisation, starts_at, ends_at)",
)


def upgrade() -> None:
    """Create and widen."""
    for statement in _STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
