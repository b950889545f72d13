#!/bin/sh
# Sourced by backup.sh and restore.sh: puts the address of the database where PostgreSQL's programs look for it, so that
# no password stands on a command line.
set -eu
# shellcheck disable=SC2034 # the scripts that read this one use it
programs=${PG_PROGRAMS:+$PG_PROGRAMS/}
if [ -n "${LIFELINE_DATABASE_URL:-}" ]; then
    address=$(python3 - <<'PYTHON'
import os, shlex
from urllib.parse import parse_qsl, unquote, urlsplit

url = urlsplit(os.environ["LIFELINE_DATABASE_URL"])
parts = {"PGHOST": url.hostname, "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password,
         "PGDATABASE": url.path.lstrip("/")}
parts |= {f"PG{name.upper()}": value for name, value in parse_qsl(url.query) if name in ("sslmode", "sslrootcert")}
for name, value in parts.items():
    if value not in (None, ""):
        print(f"export {name}={shlex.quote(unquote(str(value)))}")
PYTHON
    )
    eval "$address"
fi
