"""Who may dig where and when."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the permits of works in the ground."""
    op.execute(
        """
        create table works_permit (
            id text primary key,
            starts_at timestamptz not null,
            ends_at timestamptz not null,
            longitude double precision not null check (longitude between -180 and 180),
            latitude double precision not null check (latitude between -90 and 90),
            radius_m double precision not null check (radius_m >= 0),
            what text not null,
            contractor text not null,
            check (ends_at > starts_at)
        )
        """
    )


def downgrade() -> None:
    """Drop them."""
    op.execute("drop table works_permit")
