"""What was done last time: cases to search, and the root cause of an alert."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add root causes and the library of cases, and remember what has been judged or closed already."""
    for statement in (
        "alter table alert add column root_cause text",
        """
        create table case_record (
            alert uuid primary key references alert on delete cascade,
            lifeline text not null,
            kind text not null,
            zone text not null,
            asset text not null,
            asset_kind text not null,
            asset_name_en text not null,
            asset_name_zh text not null,
            longitude double precision,
            latitude double precision,
            severity smallint not null,
            started_at timestamptz not null,
            ended_at timestamptz,
            verdict text,
            root_cause text,
            explanation_en text not null,
            explanation_zh text not null,
            told text not null,
            words text[] not null
        )
        """,
        "create index case_of_kind on case_record (lifeline, kind, started_at desc)",
        "create index case_of_asset on case_record (asset, started_at desc)",
        "create index case_with_word on case_record using gin (words)",
    ):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Drop them."""
    op.execute("drop table case_record")
    op.execute("alter table alert drop column root_cause")
