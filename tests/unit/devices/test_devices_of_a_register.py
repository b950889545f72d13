"""Which devices a register implies, and what they may do."""

import pytest

from services.devices import emqx, mosquitto
from services.devices.device import Device, DeviceKind, RegisteredSensor, devices_of
from services.devices.failure import DeviceSecurityError


def test_gateways_and_lone_sensors_are_devices_and_sensors_behind_a_gateway_are_not() -> None:
    sensors = [RegisteredSensor("s1", "gw"), RegisteredSensor("s2", "gw"), RegisteredSensor("s3")]
    assert devices_of(sensors) == [Device("gw", DeviceKind.GATEWAY), Device("s3", DeviceKind.SENSOR)]


def test_gateway_with_a_sensor_of_its_own_name_is_one_device() -> None:
    sensors = [RegisteredSensor("gw", "gw"), RegisteredSensor("s1", "gw")]
    assert devices_of(sensors) == [Device("gw", DeviceKind.GATEWAY)]


def test_edge_node_gets_its_own_topics_and_a_name_of_group_and_node() -> None:
    sensors = [RegisteredSensor(f"s{n}", address=f"sparkplug:East/Edge 7/Pump {n}/Pressure") for n in range(3)]
    assert devices_of(sensors) == [Device("East.Edge-7", DeviceKind.EDGE_NODE, ("spBv1.0/East/+/Edge 7/#",))]


def test_edge_node_with_a_gateway_has_the_gateways_name() -> None:
    sensors = [RegisteredSensor("s1", "gw", "sparkplug:城东/节点/压力")]
    assert devices_of(sensors) == [Device("gw", DeviceKind.GATEWAY, ("spBv1.0/城东/+/节点/#",))]


def test_datastream_of_a_lone_sensor_is_its_own() -> None:
    (device,) = devices_of([RegisteredSensor("s1", address="sensorthings:Datastreams(42)")])
    assert device.foreign_topics == ("v1.0/Datastreams(42)/Observations", "v1.1/Datastreams(42)/Observations")


@pytest.mark.parametrize(
    ("sensors", "words"),
    [
        ([RegisteredSensor("a", "b"), RegisteredSensor("c", "a")], "a is a sensor behind gateway b"),
        (
            [RegisteredSensor("s1", address="sparkplug:a b/c/m"), RegisteredSensor("s2", address="sparkplug:a-b/c/m")],
            "a-b.c would be the user name of two devices",
        ),
        ([RegisteredSensor("s1", address="sparkplug:a/c/m"), RegisteredSensor("a.c")], "two devices"),
        ([RegisteredSensor("s1", address="sparkplug:城东/节点/压力")], "makes no user name"),
        ([RegisteredSensor("ingest")], "user name of a service"),
        ([RegisteredSensor("s1", "simulator")], "user name of a service"),
        ([RegisteredSensor("s1", "a/b")], "is no name"),
        ([RegisteredSensor("s1", "+")], "is no name"),
        ([RegisteredSensor("s1", "gw\n")], "is no name"),
    ],
)
def test_names_that_two_would_share_or_nobody_can_have_are_refused(sensors: list[RegisteredSensor], words: str) -> None:
    with pytest.raises(DeviceSecurityError, match=words):
        devices_of(sensors)


@pytest.mark.parametrize("node", ["+", "#", "a#", 'a"b', "a\\b", "${x}", "a\nuser ingest", "", " a"])
def test_address_that_would_reach_further_than_its_node_is_refused(node: str) -> None:
    with pytest.raises(DeviceSecurityError, match="address"):
        devices_of([RegisteredSensor("s1", "gw", f"sparkplug:group/{node}/metric")])


def test_brokers_lists_are_the_same_for_the_same_register() -> None:
    sensors = [RegisteredSensor("s1", "b"), RegisteredSensor("s2", "a", "sparkplug:g/n/m"), RegisteredSensor("s3")]
    there, back = devices_of(sensors), devices_of(reversed(sensors))
    assert mosquitto.acl_file("demo", there) == mosquitto.acl_file("demo", back)
    assert emqx.acl_conf("demo", there) == emqx.acl_conf("demo", back)


def test_rights_that_are_not_everybodys_name_their_user() -> None:
    devices = devices_of([RegisteredSensor("s1", "gw", "sparkplug:g/n/m")])
    block = mosquitto.acl_file("demo", devices).split("\n\n")[-1]
    assert block == "user gw\ntopic readwrite spBv1.0/g/+/n/#\ntopic read spBv1.0/STATE/+\n"
    assert '{allow, {username, "gw"}, all, ["spBv1.0/g/+/n/#"]}.' in emqx.acl_conf("demo", devices)


def test_a_citys_list_does_not_grow_with_its_gateways() -> None:
    few, many = (devices_of([RegisteredSensor(f"s{n}", f"gw{n}") for n in range(count)]) for count in (1, 1000))
    assert mosquitto.acl_file("demo", few) == mosquitto.acl_file("demo", many)


def test_emqx_refuses_what_is_not_allowed() -> None:
    rules = emqx.acl_conf("demo", []).splitlines()
    assert rules[-1] == "{deny, all}."
    assert not [rule for rule in rules[1:-1] if not rule.startswith("{allow, ")]
    assert not [rule for rule in rules if rule.startswith("{allow, all,") and "${username}" not in rule]
