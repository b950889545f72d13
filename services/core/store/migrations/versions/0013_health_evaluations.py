"""How bridges were doing, twice a day."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the evaluations of bridges."""
    op.get_bind().exec_driver_sql(
        """
        create table health_evaluation (
            zone text not null references zone on delete cascade,
            evaluated_at timestamptz not null,
            grade smallint not null check (grade between 0 and 4),
            reasons_en text[] not null,
            reasons_zh text[] not null,
            alerts uuid[] not null,
            sensors integer not null check (sensors >= 0),
            heard integer not null check (heard between 0 and sensors),
            overloads integer not null check (overloads >= 0),
            proposes_closure boolean not null,
            primary key (zone, evaluated_at),
            check (cardinality(reasons_en) = cardinality(reasons_zh))
        )
        """
    )


def downgrade() -> None:
    """Drop them."""
    op.execute("drop table health_evaluation")
