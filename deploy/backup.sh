#!/bin/sh
# Writes the whole database into one file: deploy/backup.sh FILE
#
# The database is that of LIFELINE_DATABASE_URL or, without it, of PostgreSQL's own PG… variables. The services may go
# on meanwhile. pg_dump must be on the PATH (PG_PROGRAMS names another folder) and not older than the server.
set -eu
[ $# -eq 1 ] || { echo "usage: deploy/backup.sh FILE" >&2; exit 2; }
target=$1
here=$(dirname "$0")
# shellcheck source=deploy/database-address.sh
. "$here/database-address.sh"
umask 077
trap 'rm -f "$target.part"' EXIT
# TimescaleDB warns of foreign keys among its own tables, which its restoring takes care of.
"$programs"pg_dump --format=custom --no-owner --no-privileges --file="$target.part" 2>"$target.log" ||
    { cat "$target.log" >&2; rm -f "$target.log"; exit 1; }
rm -f "$target.log"
mv "$target.part" "$target"
echo "lifeline: $(wc -c <"$target" | tr -d ' ') bytes in $target"
