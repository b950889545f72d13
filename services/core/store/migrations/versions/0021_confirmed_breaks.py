"""What a judgement teaches: breaks of assets and judged alerts are found without reading every row."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the few cases that count, and the alerts that people judged."""
    for statement in (
        """
        create index case_of_a_break on case_record (lifeline, asset, root_cause)
            where verdict = 'true-alarm' and root_cause is not null
        """,
        """
        create index alert_judged on alert (created_at, lifeline, detector, kind, zone)
            where verdict in ('true-alarm', 'false-alarm')
        """,
    ):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Drop the indexes."""
    for index in ("case_of_a_break", "alert_judged"):
        op.execute(f"drop index {index}")
