"""Handing over a shift, causes in another lifeline, and which day's report was mailed."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    create table shift_handover (
        id uuid primary key,
        organisation text not null references organisation,
        role text not null,
        outgoing text not null references person,
        incoming text not null references person,
        open jsonb not null,
        note text not null,
        offered_by text not null,
        offered_at timestamptz not null,
        confirmed_by text,
        confirmed_at timestamptz,
        withdrawn_at timestamptz,
        check (outgoing <> incoming),
        check ((confirmed_by is null) = (confirmed_at is null)),
        check (confirmed_at is null or withdrawn_at is null)
    )
    """,
    # Of each post one hand-over waits at the most: nobody shall confirm a list that has been replaced.
    """
    create unique index shift_handover_waiting on shift_handover (organisation, role)
        where confirmed_at is null and withdrawn_at is null
    """,
    "create index shift_handover_newest on shift_handover (offered_at desc, id desc)",
    "alter table inhibition drop constraint inhibition_reach_check",
    """
    alter table inhibition
        add column effect_lifelines text[] not null default '{}',
        add column within_m double precision,
        add constraint inhibition_reach_check check (reach in ('sensor', 'asset', 'zone', 'lifeline', 'nearby')),
        add constraint inhibition_within_check check ((reach = 'nearby') = (within_m is not null)),
        add constraint inhibition_across_check check (effect_lifelines = '{}' or reach = 'nearby')
    """,
    """
    create table day_report (
        day date primary key,
        recipients text[] not null,
        sent_at timestamptz not null
    )
    """,
)


def upgrade() -> None:
    """Create and widen."""
    for statement in _STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
