"""Who did what, in a chain that shows every change; what sensors and detectors were before they changed."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

CHAIN = """
-- Where an act came from, and the transaction that wrote its line.
alter table audit
    add column address text,
    add column key_name text,
    add column transaction_id xid8 not null default pg_current_xact_id();
create index audit_by_time on audit (at);

-- The chain, beside the trail and in the order of commits: each link holds the digest of its line and one over that and
-- the link before it (services/core/audit_chain.py).
create table audit_link (
    position bigint primary key,
    entry bigint not null unique,
    content_hash bytea not null,
    hash bytea not null
);
create table audit_head (
    id smallint primary key default 1 check (id = 1),
    position bigint not null,
    hash bytea not null
);
insert into audit_head (position, hash) values (0, decode(repeat('00', 32), 'hex'));

-- Statements about the chain that were signed outside the database.
create table audit_checkpoint (
    kind text not null check (kind in ('periodic', 'archive')),
    position bigint not null check (position > 0),
    hash bytea not null,
    at timestamptz not null,
    public_key bytea not null,
    signature bytea not null,
    primary key (kind, position)
);

create function audit_link_after(line audit, head audit_head) returns audit_head language plpgsql as $$
declare
    content bytea := sha256(convert_to(jsonb_build_array(
        line.id, (extract(epoch from line.at) * 1000000)::bigint, line.actor, line.action, line.subject_kind,
        line.subject, line.before, line.after, line.address, line.key_name)::text, 'UTF8'));
begin
    head.position := head.position + 1;
    head.hash := sha256(head.hash || int8send(head.position) || content);
    insert into audit_link (position, entry, content_hash, hash) values (head.position, line.id, content, head.hash);
    return head;
end
$$;

-- Runs when a transaction commits, so that nobody waits for a lock while holding the end of the chain: transactions
-- that write the trail follow one another for the length of a commit, and can never wait for each other in a circle.
-- Its owner's rights are enough, so that a service needs none on the chain itself.
create function audit_seal() returns trigger language plpgsql security definer
set search_path = public, pg_temp set enable_seqscan = off as $$
declare
    head audit_head;
    line audit;
begin
    if exists (select from audit_link where entry = new.id) then
        return null;
    end if;
    select * into strict head from audit_head for update;
    for line in
        select * from audit where id >= new.id and transaction_id = pg_current_xact_id() order by id
    loop
        head := audit_link_after(line, head);
    end loop;
    update audit_head set position = head.position, hash = head.hash;
    return null;
end
$$;

do $$
declare
    head audit_head;
    line audit;
begin
    select * into strict head from audit_head;
    for line in select * from audit order by id loop
        head := audit_link_after(line, head);
    end loop;
    update audit_head set position = head.position, hash = head.hash;
end
$$;

create constraint trigger audit_sealed after insert on audit deferrable initially deferred
    for each row execute function audit_seal();
create trigger audit_link_append_only before update or delete on audit_link
    for each row execute function audit_is_append_only();
create trigger audit_link_no_truncate before truncate on audit_link
    for each statement execute function audit_is_append_only();
create trigger audit_head_stays before delete on audit_head
    for each row execute function audit_is_append_only();
create trigger audit_head_no_truncate before truncate on audit_head
    for each statement execute function audit_is_append_only();
create trigger audit_checkpoint_append_only before update or delete on audit_checkpoint
    for each row execute function audit_is_append_only();
create trigger audit_checkpoint_no_truncate before truncate on audit_checkpoint
    for each statement execute function audit_is_append_only();
"""

VERSIONS = """
-- What the register and the catalogue said before, from the moment on from which it was said. A change of limits is one
-- of configuration and stands in the trail as well.
create table sensor_version (
    sensor text not null,
    version integer not null,
    valid_from timestamptz not null,
    row jsonb not null,
    primary key (sensor, version)
);
create table quantity_version (
    lifeline text not null,
    name text not null,
    version integer not null,
    valid_from timestamptz not null,
    row jsonb not null,
    primary key (lifeline, name, version)
);

create function sensor_keeps_versions() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' or to_jsonb(new) is distinct from to_jsonb(old) then
        insert into sensor_version (sensor, version, valid_from, row)
        select new.id, coalesce(max(version), 0) + 1, clock_timestamp(), to_jsonb(new)
        from sensor_version where sensor = new.id;
    end if;
    if tg_op = 'UPDATE' and (new.thresholds, new.plausible_low, new.plausible_high)
            is distinct from (old.thresholds, old.plausible_low, old.plausible_high) then
        insert into audit (actor, action, subject_kind, subject, before, after) values ('system', 'sensor.limits',
            'sensor', new.id, jsonb_build_object('thresholds', old.thresholds, 'plausible_low', old.plausible_low,
                'plausible_high', old.plausible_high), jsonb_build_object('thresholds', new.thresholds,
                'plausible_low', new.plausible_low, 'plausible_high', new.plausible_high));
    end if;
    return null;
end
$$;
create function quantity_keeps_versions() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and to_jsonb(new) is not distinct from to_jsonb(old) then
        return null;
    end if;
    insert into quantity_version (lifeline, name, version, valid_from, row)
    select new.lifeline, new.name, coalesce(max(version), 0) + 1, clock_timestamp(), to_jsonb(new)
    from quantity_version where lifeline = new.lifeline and name = new.name;
    if tg_op = 'UPDATE' then
        insert into audit (actor, action, subject_kind, subject, before, after) values ('system', 'quantity.limits',
            'quantity', new.lifeline || ' ' || new.name, to_jsonb(old), to_jsonb(new));
    end if;
    return null;
end
$$;
insert into sensor_version select id, 1, now(), to_jsonb(sensor) from sensor;
insert into quantity_version select lifeline, name, 1, now(), to_jsonb(quantity) from quantity;
create trigger sensor_versions after insert or update on sensor
    for each row execute function sensor_keeps_versions();
create trigger quantity_versions after insert or update on quantity
    for each row execute function quantity_keeps_versions();

-- What was known of an alert at any time; a trace that is as before is not written again.
create table alert_version (
    alert uuid not null,
    version integer not null,
    known_at timestamptz not null,
    row jsonb not null,
    trace jsonb,
    primary key (alert, version)
);
create index alert_version_by_time on alert_version (known_at);
create function alert_keeps_versions() returns trigger language plpgsql as $$
begin
    insert into alert_version (alert, version, known_at, row, trace)
    values (new.id, new.version, now(), to_jsonb(new) - 'trace',
        case when tg_op = 'INSERT' or new.trace is distinct from old.trace then new.trace end)
    on conflict (alert, version) do update set known_at = excluded.known_at, row = excluded.row,
        trace = coalesce(excluded.trace, alert_version.trace);
    return null;
end
$$;
insert into alert_version select id, version, now(), to_jsonb(alert) - 'trace', trace from alert;
create trigger alert_versions after insert or update on alert
    for each row execute function alert_keeps_versions();

-- What ever depended on a sensor.
create index finding_by_sensor on finding using gin (sensors);
create index alert_by_sensor on alert using gin (sensors);

-- What the units of detection remembered at some moments, so that what they concluded after one can be done again.
create table detector_state_past (
    unit text not null,
    taken_at timestamptz not null,
    states jsonb not null,
    primary key (unit, taken_at)
);
"""


def upgrade() -> None:
    """Chain what the trail holds, and begin to keep versions."""
    for part in (CHAIN, VERSIONS):
        op.get_bind().exec_driver_sql(part)
