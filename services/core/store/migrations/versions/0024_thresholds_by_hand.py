"""Limits of a sensor that the centre set by hand, which count before those of the city folder.

They are part of the sensor's row, so that its versions say which limits counted at any time; an import leaves them.
"""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them, with who set them, when and why."""
    op.execute(
        """
        alter table sensor add column hand_thresholds jsonb, add column hand_reason text, add column hand_author text,
            add column hand_at timestamptz,
            add constraint sensor_hand_is_whole check (num_nulls(hand_thresholds, hand_reason, hand_author, hand_at)
                in (0, 4))
        """
    )


def downgrade() -> None:
    """Drop them."""
    op.execute(
        """
        alter table sensor drop column hand_thresholds, drop column hand_reason, drop column hand_author,
            drop column hand_at
        """
    )
