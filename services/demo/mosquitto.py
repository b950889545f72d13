"""Debian's Mosquitto as the embedded broker: its configuration file and its password file."""

import os
import shutil
import subprocess
from pathlib import Path

from services.demo.directory import DemoError, private_text
from services.demo.ports import LOOPBACK

# Larger than any message of the wire contract, small enough that one client cannot fill the memory.
LARGEST_MESSAGE_BYTES = 1_048_576
# MQTT's own maximum, so that the receive maximum a subscriber asks for is the limit in force.
MOST_IN_FLIGHT = 65_535


def find_mosquitto() -> Path | None:
    """The program, where Debian puts it or anywhere on the PATH; None when it is not installed."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")
    return Path(found) if found else None


def write_configuration(directory: Path, port: int, user: str, password: str) -> Path:
    """Write ``mosquitto.conf`` and its password file into a private directory; returns the former.

    Queues and sessions are kept on disk: saved at an orderly stop and every half minute, so a killed broker
    forgets at most that much. Raises DemoError when the password cannot be hashed.
    """
    passwords = directory / "passwords"
    private_text(passwords, f"{user}:{password}\n")
    _hash_passwords(passwords)
    lines = [
        f"listener {port} {LOOPBACK}",
        "allow_anonymous false",
        f"password_file {passwords}",
        "persistence true",
        f"persistence_location {directory}/",
        "autosave_interval 30",
        "max_queued_messages 100000000",
        "max_queued_bytes 0",
        f"max_inflight_messages {MOST_IN_FLIGHT}",
        f"message_size_limit {LARGEST_MESSAGE_BYTES}",
        "set_tcp_nodelay true",
        "log_dest stderr",
        "log_timestamp_format %Y-%m-%dT%H:%M:%S",
        "log_type error",
        "log_type warning",
        "log_type notice",
    ]
    if os.geteuid() == 0:
        # Otherwise it becomes the user `mosquitto`, who cannot read the private files written above.
        lines.append("user root")
    configuration = directory / "mosquitto.conf"
    private_text(configuration, "\n".join(lines) + "\n")
    return configuration


def _hash_passwords(passwords: Path) -> None:
    """In place and without the password on a command line, where every user of the machine could read it."""
    tool = shutil.which("mosquitto_passwd") or "/usr/bin/mosquitto_passwd"
    try:
        subprocess.run([tool, "-U", str(passwords)], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise DemoError(f"mosquitto_passwd failed ({error}); LIFELINE_BROKER=iotcore does without it") from error
