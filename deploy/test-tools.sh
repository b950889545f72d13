#!/bin/sh
# Installs what the tests use beside Python: Mosquitto with its clients and Chromium. Without the rights to do so,
# or on a system without apt, the tests that need them are skipped and say so.
set -eu
missing=""
command -v mosquitto >/dev/null || [ -x /usr/sbin/mosquitto ] || missing="$missing mosquitto"
command -v mosquitto_pub >/dev/null || missing="$missing mosquitto-clients"
command -v chromium >/dev/null || missing="$missing chromium"
[ -n "$missing" ] || exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "== installing$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >/dev/null
    # The broker must not be started as a system service: the tests bring their own.
    # shellcheck disable=SC2086
    apt-get install -y -qq --no-install-recommends $missing fonts-noto-cjk >/dev/null
else
    echo "== not installed, the tests that need them are skipped:$missing"
fi
