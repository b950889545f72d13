"""Shared feed: several alert processes divide the zones, and hydraulic models span them."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SHARES = """
-- The alert processes that divide the feed. One that was not seen for some seconds is gone, or at once when the server
-- process of the connection on which it says that it is there has ended.
create table alert_member (
    instance text primary key,
    seen_at timestamptz not null default now(),
    backend integer
) with (fillfactor = 50);

-- Each zone belongs to one of these by its name. ``transaction_id`` and ``id`` are how far the feed was judged for it,
-- ``city_time`` the event time of the whole city there, ``weight`` how much work it is.
create table alert_share (
    share smallint primary key,
    owner text,
    transaction_id xid8 not null,
    id bigint not null,
    city_time timestamptz,
    weight integer not null default 0
) with (fillfactor = 50);

insert into alert_share (share, transaction_id, id, city_time)
select share, coalesce(c.transaction_id, '0'), coalesce(c.id, 0), c.city_time
from generate_series(0, 31) share left join feed_cursor c on c.consumer = 'alerts';
delete from feed_cursor where consumer = 'alerts';
alter table feed_cursor drop column city_time;
"""

NETWORKS = """
-- A hydraulic model in the text of its file, and the zones whose assets are its nodes and links.
create table hydraulic_network (
    name text primary key,
    lifeline text not null,
    format text not null check (format in ('epanet', 'swmm')),
    text text not null,
    fingerprint text not null,
    zones text[] not null,
    updated_at timestamptz not null default now()
);
"""


def upgrade() -> None:
    """Add tables; the alert process goes on where it was."""
    for part in (SHARES, NETWORKS):
        op.get_bind().exec_driver_sql(part)
