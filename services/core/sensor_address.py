"""What other protocols call a sensor, as it stands in the ``address`` column of the register.

Two forms: ``sparkplug:{group}/{edge node}[/{device}]/{metric}`` and ``sensorthings:Datastreams({number})``. A colon is
never part of a sensor's own identifier, so that both can stand in one place.
"""

import re

from services.core import wire

MAX_LENGTH = 512
"""Longer addresses are refused: a register holds a few of them for each sensor of a city in memory."""

_SPARKPLUG = re.compile(r"sparkplug:[^/+#]+/[^/+#]+/.+")
_DATASTREAM = re.compile(r"sensorthings:Datastreams\((\d{1,19}|'(?:[^']|'')+')\)")
_FORMS = "sparkplug:group/node/metric, sparkplug:group/node/device/metric or sensorthings:Datastreams(number)"


def sparkplug_address(group: str, edge_node: str, device: str | None, metric: str) -> str:
    """The address of a Sparkplug metric.

    A metric's name may hold slashes, so ``a/b`` of an edge node and ``b`` of its device ``a`` have the same address.
    """
    return (
        f"sparkplug:{group}/{edge_node}/{metric}"
        if device is None
        else f"sparkplug:{group}/{edge_node}/{device}/{metric}"
    )


def datastream_sensor(identifier: str) -> str:
    """What names the sensor of an OGC SensorThings Datastream, given its identifier as it stands in the brackets.

    A quoted text that may be a sensor's identifier is that; a number, or any other text, makes an address.
    """
    text = identifier[1:-1].replace("''", "'") if identifier.startswith("'") else ""
    return text if wire.NAME.fullmatch(text) else f"sensorthings:Datastreams({identifier})"


def check_address(address: str) -> str:
    """The address itself, when it follows the grammar.

    Raises:
        ValueError: it does not, or could never be sent; the message says what is wrong.
    """
    if len(address) > MAX_LENGTH or not address.isprintable():
        raise ValueError(f"an address has {MAX_LENGTH} printable characters at the most")
    if _SPARKPLUG.fullmatch(address):
        return address
    datastream = _DATASTREAM.fullmatch(address)
    if datastream is None:
        raise ValueError(f"an address reads {_FORMS}")
    if datastream_sensor(datastream[1]) != address:
        raise ValueError("this Datastream needs no address: the sensor's own identifier is its name")
    return address
