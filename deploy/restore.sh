#!/bin/sh
# Reads a backup into an empty database: deploy/restore.sh FILE
#
# The database is that of LIFELINE_DATABASE_URL or, without it, of PostgreSQL's own PG… variables; it exists and is
# empty, and no service uses it yet. A backup with TimescaleDB needs the same version of TimescaleDB on the server.
# The role needs to be a superuser where TimescaleDB is in the backup.
set -eu
[ $# -eq 1 ] || { echo "usage: deploy/restore.sh FILE" >&2; exit 2; }
source=$1
[ -r "$source" ] || { echo "lifeline: $source cannot be read" >&2; exit 1; }
here=$(dirname "$0")
# shellcheck source=deploy/database-address.sh
. "$here/database-address.sh"
query() { "$programs"psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 "$@"; }

tables=$(query --command="select count(*) from pg_tables where schemaname = 'public'")
[ "$tables" -eq 0 ] || { echo "lifeline: the database is not empty, nothing was restored" >&2; exit 1; }

has_timescale=no
"$programs"pg_restore --list "$source" | grep -q 'EXTENSION - timescaledb$' && has_timescale=yes
if [ "$has_timescale" = yes ]; then
    query --command="create extension if not exists timescaledb" --command="select timescaledb_pre_restore()" >/dev/null
fi
"$programs"pg_restore --no-owner --no-privileges --exit-on-error --dbname="${PGDATABASE:?}" "$source"
if [ "$has_timescale" = yes ]; then
    query --command="select timescaledb_post_restore()" >/dev/null
fi

# Positions in the feed and among the events are numbers of transactions, which begin anew on another server. What is
# there is numbered again in its order, as if this transaction had written it, and each reader keeps its place.
query >/dev/null <<'SQL'
begin;
create temporary table entry on commit drop as
    select *, row_number() over (order by transaction_id, id) as place from feed;
create temporary table reader on commit drop as
    select c.consumer, count(e.place) as place
    from feed_cursor c left join entry e on (e.transaction_id, e.id) <= (c.transaction_id, c.id) group by c.consumer;
truncate feed restart identity;
insert into feed (zone, sensor_keys, times, "values", qualities, reasons, received_at, corrects)
    select zone, sensor_keys, times, "values", qualities, reasons, received_at, corrects from entry order by place;
update feed_cursor c set transaction_id = pg_current_xact_id(), id = r.place from reader r where r.consumer = c.consumer;
create temporary table happened on commit drop as
    select *, row_number() over (order by transaction_id, id) as place from event;
truncate event restart identity;
insert into event (at, type, subject) select at, type, subject from happened order by place;
commit;
analyze;
SQL
echo "lifeline: restored from $source"
