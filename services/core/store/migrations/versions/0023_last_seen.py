"""When a user last came in and a key was last used, so that those nobody needs any more are found and ended."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both; sessions that are open now are the last logins that are known."""
    op.execute("alter table user_account add column last_login_at timestamptz")
    op.execute("alter table api_key add column last_used_at timestamptz")
    op.execute(
        """
        update user_account set last_login_at = newest.at
        from (select user_name, max(created_at) as at from user_session group by user_name) newest
        where newest.user_name = name
        """
    )


def downgrade() -> None:
    """Drop them."""
    op.execute("alter table user_account drop column last_login_at")
    op.execute("alter table api_key drop column last_used_at")
