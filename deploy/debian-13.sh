#!/bin/sh
# Debian 13 in a directory of its own, for tests that need what the machine is too old for.
#
#   debian-13.sh DIRECTORY PACKAGES WHAT
#
# PACKAGES are separated by commas, WHAT is named to a person. What is there is kept; what cannot be set up is said in
# one line, and its tests are skipped.
set -eu
directory=$1 packages=$2 what=$3

skip() {
    echo "== $what is not set up, its tests are skipped: $1"
    exit 0
}

[ ! -e "$directory/.ready" ] || exit 0
[ "$(id -u)" -eq 0 ] || skip "it needs root"
command -v apt-get >/dev/null || skip "it needs apt"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq >/dev/null 2>&1 || skip "apt-get update failed"
command -v debootstrap >/dev/null || apt-get install -y -qq --no-install-recommends debootstrap >/dev/null 2>&1 ||
    skip "debootstrap could not be installed"
# shellcheck disable=SC2016
mirror=$(apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Created-By: Packages' |
    sed -n 's/^Debian|Debian|//p' | sort -u | head -n 1)
[ -n "$mirror" ] || skip "apt has no mirror of Debian"
eval "$(apt-config shell http_proxy Acquire::http::Proxy https_proxy Acquire::https::Proxy)"
export http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}"
echo "== setting up $what from Debian 13 (a minute or two)"
# An earlier run that was cut off may have left mounts in it: what they show is not ours to remove.
rm -rf --one-file-system "$directory"
debootstrap --variant=minbase --include="$packages" trixie "$directory" "$mirror" >"$directory.log" 2>&1 ||
    skip "debootstrap failed, see $directory.log"
rm -rf "$directory/var/cache/apt" "$directory/var/lib/apt/lists" "$directory/usr/share/doc" "$directory/usr/share/locale"
find "$directory" -name README.md -delete
touch "$directory/.ready"
