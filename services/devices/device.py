"""Which devices a city's register implies: its gateways, edge nodes, and the sensors that report by themselves."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from services.core import wire
from services.devices.failure import DeviceSecurityError

SERVICES = ("alerts", "ingest", "reader")
"""Our own users at the broker; ``reader`` is for sirens, signs and other systems that follow the warnings."""
SIMULATOR = "simulator"
"""A user that may publish for every device; only for test environments, made only on request."""

_SPARKPLUG = "sparkplug:"
_SENSORTHINGS = "sensorthings:"
_NOT_IN_A_LEVEL = frozenset('+#/"\\$')
"""Wildcards, the level's end, and what means something else in the brokers' own files."""


class DeviceKind(StrEnum):
    """What stands behind a user name."""

    GATEWAY = "gateway"
    SENSOR = "sensor"
    EDGE_NODE = "edge-node"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class RegisteredSensor:
    """What the register says about one sensor's way to us.

    ``gateway`` publishes for it, if any does. ``address`` is what another protocol calls it, for example
    ``sparkplug:group/node/device/metric``.
    """

    sensor: str
    gateway: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """Something that connects to the broker: its user name, which is also the common name of its certificate.

    ``foreign_topics`` are topics of another protocol that belong to it alone, as filters.
    """

    name: str
    kind: DeviceKind
    foreign_topics: tuple[str, ...] = ()


def devices_of(sensors: Iterable[RegisteredSensor]) -> list[Device]:
    """The devices that report for these sensors, by name. A sensor behind a gateway is none.

    Raises:
        DeviceSecurityError: two devices would have one user name, or a name or an address cannot be used.
    """
    found: dict[str, _Reporter] = {}
    topics: dict[str, set[str]] = {}
    behind: dict[str, str] = {}
    for sensor in sensors:
        reporter = _reporter(sensor)
        found[reporter.name] = reporter.joined_with(found.get(reporter.name))
        topics.setdefault(reporter.name, set()).update(reporter.topics)
        if sensor.gateway and sensor.gateway != sensor.sensor:
            behind[sensor.sensor] = sensor.gateway
    for name in sorted(found.keys() & behind.keys()):
        raise DeviceSecurityError(
            f"{name} is a sensor behind gateway {behind[name]} and the user name of another device; rename one of them"
        )
    return [Device(name, found[name].kind, tuple(sorted(topics[name]))) for name in sorted(found)]


@dataclass(frozen=True, slots=True)
class _Reporter:
    """Whatever publishes one sensor's readings."""

    name: str
    kind: DeviceKind
    topics: tuple[str, ...]
    edge_node: tuple[str, str] | None = None
    """Group and node, where the name was made of them."""

    def joined_with(self, other: "_Reporter | None") -> "_Reporter":
        """The one device that reports for both; a gateway may have a sensor of its own name built in."""
        _check_device_name(self)
        if other is None:
            return self
        if self.edge_node != other.edge_node:
            raise DeviceSecurityError(f"{self.name} would be the user name of two devices; {_REMEDY}")
        return other if other.kind is DeviceKind.GATEWAY else self


_REMEDY = "give the sensors of the edge node a gateway in the register, whose name they then have"


def _reporter(sensor: RegisteredSensor) -> _Reporter:
    address = sensor.address or ""
    topics: tuple[str, ...] = ()
    if address.startswith(_SPARKPLUG):
        group, node = _edge_node(address)
        topics = (f"spBv1.0/{group}/+/{node}/#",)
        if not sensor.gateway:
            name = re.sub(r"[^A-Za-z0-9_.\-]", "-", f"{group}.{node}")
            return _Reporter(name, DeviceKind.EDGE_NODE, topics, (group, node))
    elif address.startswith(_SENSORTHINGS):
        datastream = _level(address.removeprefix(_SENSORTHINGS), address)
        topics = (f"v1.0/{datastream}/Observations", f"v1.1/{datastream}/Observations")
    if sensor.gateway:
        return _Reporter(sensor.gateway, DeviceKind.GATEWAY, topics)
    return _Reporter(sensor.sensor, DeviceKind.SENSOR, topics)


def _edge_node(address: str) -> tuple[str, str]:
    group, _, rest = address.removeprefix(_SPARKPLUG).partition("/")
    return _level(group, address), _level(rest.partition("/")[0], address)


def _level(text: str, address: str) -> str:
    if not text or text != text.strip() or not text.isprintable() or _NOT_IN_A_LEVEL & set(text):
        raise DeviceSecurityError(f"address {address!r}: {text!r} cannot stand in a broker's list of topics")
    return text


def check_user_name(name: str) -> None:
    """See that a certificate or a password may be issued to this name.

    Raises:
        DeviceSecurityError: it does not follow the grammar of names.
    """
    if not wire.NAME.fullmatch(name):
        raise DeviceSecurityError(f"{name!r} is no name: letters, digits, _ . and -, 64 at the most")


def _check_device_name(reporter: _Reporter) -> None:
    if reporter.name in {*SERVICES, SIMULATOR}:
        raise DeviceSecurityError(f"{reporter.name} is the user name of a service; a device must be called otherwise")
    if reporter.edge_node is not None and not wire.NAME.fullmatch(reporter.name):
        raise DeviceSecurityError(f"edge node {'/'.join(reporter.edge_node)} makes no user name; {_REMEDY}")
    check_user_name(reporter.name)
