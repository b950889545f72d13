"""Which topics a user may publish to and read: the wire contract seen from the broker's door."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.core import wire
from services.devices.device import SERVICES, SIMULATOR, Device, DeviceKind

NAME_OF_USER = "\0"
"""Stands for the user's own name in the rights that everybody has; each broker has its own sign for it."""


class Access(StrEnum):
    """What may be done with a topic."""

    READ = "read"
    WRITE = "write"
    BOTH = "readwrite"


@dataclass(frozen=True, slots=True)
class Right:
    """One line of an access list; ``topic`` is a topic filter."""

    access: Access
    topic: str


def rights_of_everybody(city: str) -> list[Right]:
    """What a device may do with the topics that carry its own name.

    It is one list with a place for the name, and not one list a device: Mosquitto 2.0 looks through all users for
    every line it loads, so that 20 000 devices with five lines each kept it from serving anybody for 28 s.
    """
    own = NAME_OF_USER
    status = wire.device_status_topic(city, own)
    return [
        Right(Access.WRITE, wire.sensor_readings_topic(city, own)),
        Right(Access.WRITE, wire.gateway_readings_topic(city, own)),
        Right(Access.WRITE, wire.gateway_windows_topic(city, own)),
        Right(Access.READ, wire.gateway_acknowledgement_topic(city, own)),
        Right(Access.WRITE, status),
        Right(Access.READ, wire.device_command_topic(city, own)),
        Right(Access.WRITE, wire.device_answer_topic(city, own)),
        Right(Access.WRITE, f"v1.1/Datastreams('{own}')/Observations"),
        Right(Access.WRITE, f"v1.0/Datastreams('{own}')/Observations"),
    ]


def rights_of_device(device: Device) -> list[Right]:
    """What a device may do beyond its own name's topics: those of another protocol.

    A Sparkplug edge node publishes, and hears its commands, under its group and name; whether the host is there is
    everybody's to know.
    """
    rights = [Right(Access.BOTH, topic) for topic in device.foreign_topics]
    if any(topic.startswith("spBv1.0/") for topic in device.foreign_topics):
        rights.append(Right(Access.READ, "spBv1.0/STATE/+"))
    return rights


def rights_of_service(name: str, city: str) -> list[Right]:
    """What one of our own services may do.

    Ingest subscribes for every city at once, so it may read and acknowledge in every city.
    """
    anything = f"{wire.ROOT}/{city}/+/+"
    return {
        "ingest": [
            *(Right(Access.READ, topic) for topic in wire.READINGS_FILTERS),
            Right(Access.READ, wire.WINDOWS_FILTER),
            Right(Access.READ, wire.device_status_topic("+", "+")),
            Right(Access.WRITE, wire.gateway_acknowledgement_topic("+", "+")),
            Right(Access.READ, "spBv1.0/#"),
            Right(Access.WRITE, "spBv1.0/+/NCMD/+"),
            Right(Access.WRITE, "spBv1.0/STATE/+"),
            Right(Access.READ, "v1.1/#"),
            Right(Access.READ, "v1.0/#"),
        ],
        "alerts": [
            Right(Access.BOTH, wire.warning_topic(city, "+", "+")),
            Right(Access.READ, wire.warning_answer_topic(city, "+", "+")),
            Right(Access.READ, wire.device_status_topic(city, "+")),
            Right(Access.WRITE, wire.device_command_topic(city, "+")),
            Right(Access.READ, wire.device_answer_topic(city, "+")),
        ],
        "reader": [Right(Access.READ, wire.warning_topic(city, "+", "+"))],
        SIMULATOR: [
            Right(Access.WRITE, f"{anything}/readings"),
            Right(Access.WRITE, f"{anything}/windows"),
            Right(Access.WRITE, f"{anything}/status"),
            Right(Access.READ, f"{anything}/ack"),
            Right(Access.READ, wire.device_command_topic(city, "+")),
            Right(Access.WRITE, wire.device_answer_topic(city, "+")),
        ],
    }[name]


def rights_by_user(city: str, devices: Sequence[Device]) -> dict[str, list[Right]]:
    """The rights that are not everybody's, by user name; the services first."""
    by_user = {name: rights_of_service(name, city) for name in SERVICES}
    for device in devices:
        if device.kind is DeviceKind.SERVICE:
            by_user[device.name] = rights_of_service(device.name, city)
        elif rights := rights_of_device(device):
            by_user[device.name] = rights
    return by_user
