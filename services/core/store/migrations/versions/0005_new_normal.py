"""New normals: what a person wants a rule to learn afresh."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NEW_NORMAL = """
-- A person says that what a rule reports is normal from now on. The process that judges the target takes it up, in the
-- transaction in which it stores that it begins to learn afresh; until then the outcome is open.
create table new_normal (
    id bigint generated always as identity primary key,
    alert uuid not null references alert (id),
    zone text not null,
    rule text not null,
    target text not null,
    actor text not null,
    reason text not null check (reason <> ''),
    asked_at timestamptz not null default now(),
    outcome text check (outcome in ('taken', 'refused')),
    taken_at timestamptz,
    check ((outcome is null) = (taken_at is null))
);
create unique index new_normal_waiting on new_normal (zone, rule, target) where outcome is null;
"""


def upgrade() -> None:
    """Add a table."""
    op.get_bind().exec_driver_sql(NEW_NORMAL)
