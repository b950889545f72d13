#!/bin/sh
# Writes the random secrets of compose.yaml into .env beside it, readable by its owner alone. An existing file is kept:
# the database and Grafana remember the passwords they were started with.
set -eu
umask 077
target="$(cd "$(dirname "$0")" && pwd)/.env"

if [ -e "$target" ]; then
    echo "lifeline: $target exists already and is kept"
    exit 0
fi

# 192 random bits in hexadecimal digits, which need no quoting in addresses and files.
secret() {
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}

# A half-written file must never look like a finished one.
draft="$(mktemp "$target.XXXXXX")"
trap 'rm -f "$draft"' EXIT
{
    echo "# Secrets of this installation. Keep a copy where the backups are kept, and out of version control."
    echo "STACK_POSTGRES_PASSWORD=$(secret)"
    echo "STACK_DATABASE_PASSWORD=$(secret)"
    echo "STACK_GRAFANA_PASSWORD=$(secret)"
    echo ""
    echo "# The name of the city in every topic: lifeline/v1/{city}/…"
    echo "LIFELINE_CITY=city"
    echo ""
    echo "# The address of the dashboard as people see it, for the links in notifications."
    echo "LIFELINE_API_URL=http://127.0.0.1:8000"
    echo ""
    echo "# Where devices reach the broker (TLS): the address of this machine it listens on, 0.0.0.0 for all, and the"
    echo "# names and addresses that devices use, which go into its certificate."
    echo "STACK_MQTT_ADDRESS=127.0.0.1"
    echo "STACK_MQTT_NAMES=localhost 127.0.0.1"
} >"$draft"
# A hard link fails where a second run was faster; a rename would overwrite its secrets.
ln "$draft" "$target"
echo "lifeline: wrote $target"
