"""rumqttd, from the wheel ``iotcore``, as the embedded broker where Mosquitto is not installed.

What iotcore 0.4 (rumqttd 0.20) does and does not do, found by trying it:

- A plain subscription of a persistent session keeps what is published while its client is away (50 000 messages
  of 4 KB tried) and sends again what was not acknowledged, without the DUP mark, together with everything after it.
- A *shared* subscription does not: a group whose last client leaves with unacknowledged messages stops the
  router ("group must exist"), and after an absence delivery stalls behind the first 100 to 200 messages. So
  subscribe plainly.
- At most 100 messages are in flight to a client, whatever it or the configuration asks for, and they must be
  acknowledged in the order they came, or the client is disconnected.
- Nothing is written to disk: a restart forgets sessions, queues and retained messages.
- A wrong password closes the connection without an answer. Messages of 299 000 bytes pass.
"""

import importlib.util
import sys
from pathlib import Path

from services.demo.directory import DemoError, private_text
from services.demo.ports import LOOPBACK

LARGEST_MESSAGE_BYTES = 300_000
# Full segments are dropped oldest first, read or not: 20 of 32 MB for each topic filter. They fill only as needed.
SEGMENT_BYTES = 32 * 1024 * 1024
SEGMENTS = 20
# rumqttd reports every packet as an error record, hence the silence. When its router stops after an error inside,
# its listener still accepts connections that nobody serves; ending the process lets the supervisor start it anew.
PROGRAM = """
import logging, os, sys, threading
logging.getLogger("rumqttd").setLevel(logging.CRITICAL)
reader, writer = os.pipe()
shown = os.dup(2)
os.dup2(writer, 2)
def watch():
    for line in os.fdopen(reader, "rb", buffering=0):
        os.write(shown, line)
        if b"thread 'router" in line and b"panicked" in line:
            os._exit(70)
threading.Thread(target=watch, daemon=True).start()
from iotcore.iotcore import IotCoreBroker
IotCoreBroker(config_path=sys.argv[1]).run_forever()
"""


def broker_command(configuration: Path) -> list[str]:
    """The command line that runs rumqttd with this configuration in the foreground."""
    # -P keeps the working directory from taking the place of a package.
    return [sys.executable, "-P", "-c", PROGRAM, str(configuration)]


def write_configuration(directory: Path, port: int, user: str, password: str) -> Path:
    """Write ``rumqttd.toml`` into a private directory and return its path.

    Raises DemoError when the wheel is not installed.
    """
    if importlib.util.find_spec("iotcore") is None:
        raise DemoError("no broker: install mosquitto, or pip install 'lifeline[embedded]'")
    configuration = directory / "rumqttd.toml"
    private_text(
        configuration,
        f"""id = 0

[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 200
max_segment_size = {SEGMENT_BYTES}
max_segment_count = {SEGMENTS}

[v5.1]
name = "lifeline"
listen = "{LOOPBACK}:{port}"
next_connection_delay_ms = 1
    [v5.1.connections]
    connection_timeout_ms = 60000
    max_payload_size = {LARGEST_MESSAGE_BYTES}
    max_inflight_count = 100
    dynamic_filters = true
        [v5.1.connections.auth]
        {user} = "{password}"
""",
    )
    return configuration
