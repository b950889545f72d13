"""What is known of a low point as a hollow, and the depths from which water that is expected there is warned of."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_COLUMNS = (
    "contributing_ha",
    "drain_m3_s",
    "storage_m3",
    "expected_15min_cm",
    "expected_30min_cm",
    "expected_60min_cm",
)


def upgrade() -> None:
    """Add the columns; empty is unknown, or the default of the rules."""
    for column in _COLUMNS:
        op.execute(f"alter table low_point add column {column} double precision check ({column} > 0)")


def downgrade() -> None:
    """Drop them."""
    for column in _COLUMNS:
        op.execute(f"alter table low_point drop column {column}")
