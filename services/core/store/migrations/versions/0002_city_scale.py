"""City scale: narrow readings, corrections, grouped rejections, sequence numbers, addresses of foreign devices."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

READINGS = """
-- A reason is a number (services/core/reading.py), so that a row has a fixed width and goes in by binary COPY.
create function reason_code(reason text) returns smallint language sql immutable as $$
    select case reason when 'out-of-range' then 1 when 'device' then 2 else 0 end::smallint
$$;
create function reason_codes(reasons text[]) returns smallint[] language sql immutable as $$
    select coalesce(array_agg(reason_code(reason) order by position), '{}')
    from unnest(reasons) with ordinality as given (reason, position)
$$;
alter table reading alter column reason type smallint using reason_code(reason),
    alter column reason set default 0, alter column reason set not null;
alter table latest alter column reason type smallint using reason_code(reason), alter column reason set not null;
alter table feed alter column reasons type smallint[] using reason_codes(reasons);
drop function reason_codes(text[]);
drop function reason_code(text);

-- Current values are moved by one at a time, so that the order of revisions is the order in which they can be seen.
create sequence latest_revision;
alter table latest add column revision bigint not null default nextval('latest_revision');

-- Measured values hardly compress and are read once: trying to compress them costs more than it saves.
alter table feed
    alter column sensor_keys set storage external,
    alter column times set storage external,
    alter column "values" set storage external,
    alter column qualities set storage external,
    alter column reasons set storage external,
    -- The entry holds new values of moments that were stored before: current values follow it, detection does not.
    add column corrects boolean not null default false;

-- What was believed of a moment before a device said otherwise. The table of readings holds what is believed now.
create table superseded_reading (
    sensor_key integer not null,
    time timestamptz not null,
    value double precision not null,
    received_at timestamptz not null,
    superseded_at timestamptz not null,
    quality smallint not null,
    reason smallint not null
);
create index superseded_reading_by_sensor on superseded_reading (sensor_key, time, received_at);

-- Every reader of the feed is known from the beginning, so that nothing is pruned before it was read.
insert into feed_cursor (consumer, transaction_id, id) values ('alerts', '0', 0), ('latest', '0', 0)
on conflict do nothing;
update feed_cursor set (transaction_id, id) = (select transaction_id, id from feed order by 1 desc, 2 desc limit 1)
where consumer = 'latest' and exists (select from feed);
"""

REJECTIONS = """
-- One row for one kind of trouble of one sender, however often it comes; what arrived is beside it.
create table rejection_group (
    id bigint generated always as identity primary key,
    topic text not null,
    reason text not null,
    sensor text,
    detail text not null,
    sender text,
    count bigint not null check (count > 0),
    first_seen timestamptz not null,
    last_seen timestamptz not null,
    reprocess_requested_at timestamptz,
    reprocess_requested_by text,
    reprocessed_at timestamptz,
    unique nulls not distinct (topic, reason, sensor)
);
create index rejection_group_by_time on rejection_group (last_seen desc);

create table rejected_payload (
    rejection bigint not null references rejection_group on delete cascade,
    id bigint generated always as identity,
    payload bytea not null,
    encoding text not null,
    is_cut boolean not null,
    received_at timestamptz not null,
    primary key (rejection, id)
);

insert into rejection_group (topic, reason, sensor, detail, count, first_seen, last_seen)
select topic, reason, sensor, (array_agg(detail order by id desc))[1], count(*), min(received_at), max(received_at)
from rejection group by topic, reason, sensor;
insert into rejected_payload (rejection, payload, encoding, is_cut, received_at)
select g.id, r.payload, 'json', length(r.payload) >= 4096, r.received_at
from rejection r join rejection_group g
    on g.topic = r.topic and g.reason = r.reason and g.sensor is not distinct from r.sensor
order by r.id;
drop table rejection;
alter table rejection_group rename to rejection;
alter index rejection_group_by_time rename to rejection_by_time;
"""

SOURCES = """
-- Which sequence numbers of a gateway's own buffer are committed; a buffer that lost its counter has a new name.
create table gateway_sequence (
    gateway text not null,
    buffer text not null,
    stored int8multirange not null,
    updated_at timestamptz not null default now(),
    primary key (gateway, buffer)
);

-- The ingest processes that divide a shared subscription. The last to leave keeps its place at the broker.
create table ingest_member (
    instance text primary key,
    seen_at timestamptz not null default now(),
    is_leaving boolean not null default false
);

-- ``device_unit``: what the device sends without naming a unit, where that is not the declared unit.
-- ``address``: what another protocol calls the sensor, for example sparkplug:group/node/device/metric.
alter table sensor add column device_unit text, add column address text unique;
create index sensor_by_place on sensor using gist (point(longitude, latitude));
"""


def upgrade() -> None:
    """Change the tables of the first release, keeping what they hold."""
    for part in (READINGS, REJECTIONS, SOURCES):
        op.get_bind().exec_driver_sql(part)
