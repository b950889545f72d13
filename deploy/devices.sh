#!/bin/sh
# Runs in the `devices` service of compose.yaml. Without arguments it makes what the broker, ingest and alerts need to
# know each other, once, and brings the topic rights up to date with the register. With arguments it is `lifeline devices`.
set -eu
umask 077
home="${DEVICES_HOME:-/devices}"

if [ $# -gt 0 ]; then
    exec lifeline devices "$@"
fi

if [ ! -e "$home/authority.pem" ]; then
    # Several names, and no name has a space in it.
    # shellcheck disable=SC2086
    lifeline devices authority "$home" broker ${STACK_MQTT_NAMES:-localhost}
fi

if [ ! -e "$home/mosquitto/password_file" ]; then
    lifeline devices credentials "$home" --out "$home/passwords.csv"
else
    lifeline devices rights "$home"
fi

# Each gets its own key and no other: beside it lie the keys of all devices.
hand_out() {
    if [ ! -e "$home/certificates/$1.pem" ]; then
        lifeline devices certificate "$home" "$1"
    fi
    mkdir -p "$home/$2"
    cp "$home/certificates/$1.pem" "$home/certificates/$1.key" "$home/mosquitto/authority.pem" "$home/$2/"
}

hand_out ingest services
hand_out alerts alerts
