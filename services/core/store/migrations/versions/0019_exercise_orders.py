"""Work orders of exercises, which have no alert behind them."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let an order be about nothing that happened; such a one belongs to an incident and carries no warning."""
    for statement in (
        "alter table work_order alter column alert drop not null",
        """
        alter table work_order add constraint work_order_in_earnest_or_exercise check (
            alert is not null or (incident is not null and warning is null))
        """,
    ):
        op.get_bind().exec_driver_sql(statement)
