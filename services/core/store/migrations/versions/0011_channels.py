"""Channels: by which way a receiver is told, its secrets, how it is doing, and the CAP messages that went out."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

CHANNELS = """
alter table receiver
    add column channel text not null default 'webhook',
    add column settings jsonb not null default '{}';

-- What nobody is shown again. A signing secret that was changed stays valid until it ends.
create table receiver_secret (
    id bigint generated always as identity primary key,
    receiver text not null references receiver on delete cascade,
    name text not null,
    value text not null,
    created_at timestamptz not null default now(),
    ends_at timestamptz
);
create unique index receiver_secret_valid on receiver_secret (receiver, name) where ends_at is null;
create index receiver_secret_ending on receiver_secret (receiver, ends_at) where ends_at is not null;
insert into receiver_secret (receiver, name, value) select id, 'signing', secret from receiver where secret <> '';
alter table receiver drop column secret;

-- How a receiver is doing: failures in a row, until when it is left alone, who tries it first after that, and from
-- when on its pace allows another message.
create table receiver_health (
    receiver text primary key references receiver on delete cascade,
    failures integer not null default 0,
    pauses integer not null default 0,
    paused_until timestamptz,
    tried_until timestamptz,
    free_at timestamptz,
    last_success_at timestamptz,
    last_failure_at timestamptz,
    last_error text
);

alter table notification
    add column lane text,
    add column retried_at timestamptz,
    add column attempts_before integer not null default 0;
create index notification_by_receiver on notification (receiver, created_at);
create index notification_undelivered on notification (created_at desc) where state <> 'delivered';

alter table delivery add column request jsonb;

-- What sirens and signs answered to a message.
create table acknowledgement (
    notification uuid not null references notification,
    device text not null,
    done boolean not null,
    reason text,
    at timestamptz not null default now(),
    primary key (notification, device)
);

-- Messages of the Common Alerting Protocol as they went out: each update and each cancellation is one of its own.
create table cap_message (
    id bigint generated always as identity primary key,
    identifier text not null unique,
    warning uuid not null references warning,
    sender text not null,
    sent timestamptz not null,
    message_type text not null check (message_type in ('Alert', 'Update', 'Cancel')),
    expires timestamptz not null,
    headline_en text not null,
    headline_zh text not null,
    message text not null
);
create index cap_message_by_warning on cap_message (warning, id);
create index cap_message_by_time on cap_message (sent desc, id desc);
create function cap_message_never_changes() returns trigger language plpgsql as $$
begin
    raise exception 'a message that went out never changes' using errcode = 'insufficient_privilege';
end
$$;
create trigger cap_message_fixed before update on cap_message
    for each row execute function cap_message_never_changes();
"""


def upgrade() -> None:
    """Add tables."""
    op.get_bind().exec_driver_sql(CHANNELS)
