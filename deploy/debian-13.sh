# shellcheck shell=sh
# Debian 13 in a directory of its own, for tests that need what the machine is too old for. To be sourced.

skip() { echo "== $1 is not set up, its tests are skipped: $2"; }

# set_up_debian DIRECTORY PACKAGES WHAT: WHAT is named to a person. What is there is kept.
# The mirror is the one that apt uses on this machine; its address is shown nowhere.
set_up_debian() {
    [ -e "$1/.ready" ] && return 0
    [ "$(id -u)" -eq 0 ] || { skip "$3" "it needs root"; return 0; }
    command -v apt-get >/dev/null || { skip "$3" "it needs apt"; return 0; }
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >/dev/null 2>&1 || { skip "$3" "apt-get update failed"; return 0; }
    command -v debootstrap >/dev/null || apt-get install -y -qq --no-install-recommends debootstrap >/dev/null 2>&1 ||
        { skip "$3" "debootstrap could not be installed"; return 0; }
    # shellcheck disable=SC2016
    mirror=$(apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Created-By: Packages' |
        sed -n 's/^Debian|Debian|//p' | sort -u | head -n 1)
    [ -n "$mirror" ] || { skip "$3" "apt has no mirror of Debian"; return 0; }
    eval "$(apt-config shell http_proxy Acquire::http::Proxy https_proxy Acquire::https::Proxy)"
    export http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}"
    echo "== setting up $3 from Debian 13 (a minute or two)"
    rm -rf "$1"
    debootstrap --variant=minbase --include="$2" trixie "$1" "$mirror" >"$1.log" 2>&1 ||
        { skip "$3" "debootstrap failed, see $1.log"; return 0; }
    rm -rf "$1/var/cache/apt" "$1/var/lib/apt/lists" "$1/usr/share/doc" "$1/usr/share/locale"
    find "$1" -name README.md -delete
    touch "$1/.ready"
}
