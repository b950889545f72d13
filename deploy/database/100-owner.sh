#!/bin/sh
# Runs once, when the database is made: the services get a role of their own that owns this database and nothing else.
# The superuser keeps what only it may do: the extension and its upgrades.
set -eu
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\getenv password STACK_DATABASE_PASSWORD
create role lifeline_service login password :'password';
alter database :"DBNAME" owner to lifeline_service;
revoke connect, temporary on database :"DBNAME" from public;
SQL
