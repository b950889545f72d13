"""Who may: users with their sessions, limits of users and keys, and requests that are asked only once."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_LIMITS = "add column organisations text[], add column lifelines text[], add column zones text[]"


def upgrade() -> None:
    """Add users, sessions, attempts to log in, logins under way elsewhere, limits, and answers to repeat."""
    for statement in (
        f"""
        alter table api_key {_LIMITS}, add column previous_hash bytea unique, add column previous_until timestamptz
        """,
        """
        create table user_account (
            name text primary key,
            label text not null,
            password_hash text,
            issuer text,
            subject text,
            roles text[] not null,
            organisations text[],
            lifelines text[],
            zones text[],
            created_at timestamptz not null default now(),
            disabled_at timestamptz,
            version integer not null default 1,
            unique (issuer, subject),
            check ((issuer is null) = (subject is null)),
            check (issuer is null or password_hash is null)
        )
        """,
        """
        create table user_session (
            hash bytea primary key,
            user_name text not null references user_account on delete cascade,
            created_at timestamptz not null default now(),
            seen_at timestamptz not null default now(),
            expires_at timestamptz not null,
            address text,
            browser text
        )
        """,
        "create index user_session_of on user_session (user_name)",
        # Failed attempts alone stay here; a login that succeeds takes its own away.
        """
        create table login_attempt (
            id bigint generated always as identity primary key,
            user_name text not null,
            address text not null,
            at timestamptz not null default clock_timestamp()
        )
        """,
        "create index login_attempt_of on login_attempt (user_name, at)",
        "create index login_attempt_from on login_attempt (address, at)",
        # A login that was sent to the identity provider and has not come back.
        """
        create table provider_login (
            state_hash bytea primary key,
            nonce text not null,
            verifier text not null,
            began_at timestamptz not null default now()
        )
        """,
        # The line is written with the work that it stands for; the answer is added when it is known.
        """
        create table idempotent_request (
            caller text not null,
            key text not null,
            digest bytea not null,
            at timestamptz not null default now(),
            status smallint,
            media_type text,
            body bytea,
            primary key (caller, key)
        )
        """,
        "create index idempotent_request_by_time on idempotent_request (at)",
    ):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Drop them."""
    for table in ("idempotent_request", "provider_login", "login_attempt", "user_session", "user_account"):
        op.execute(f"drop table {table}")
    for column in ("organisations", "lifelines", "zones", "previous_hash", "previous_until"):
        op.execute(f"alter table api_key drop column {column}")
