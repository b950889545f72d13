"""Hydraulic models in the database, and the supplies that the alert process makes of them."""

import psycopg
import pytest
from psycopg import AsyncConnection

from services.core.lifeline import Lifeline
from services.core.network_file import NetworkFile, NetworkFormat
from services.core.store.networks import RegisteredNetwork, forget_network, load_networks, save_network
from tests.integration.alerts.alert_harness import ask, at, store
from tests.integration.alerts.test_alert_feed import follow_to_the_end, following

MODEL = RegisteredNetwork(Lifeline.WATER, NetworkFile("tiny", NetworkFormat.EPANET, "[JUNCTIONS]\nWJ-1 0\n"), ("W1",))


async def test_a_model_is_kept_replaced_and_forgotten(city_url: str) -> None:
    newer = RegisteredNetwork(Lifeline.WATER, NetworkFile("tiny", NetworkFormat.EPANET, "[JUNCTIONS]\n"), ("W1", "W2"))
    with psycopg.connect(city_url) as connection:
        assert save_network(connection, MODEL)
        assert not save_network(connection, MODEL), "the same model again is no news"
        connection.commit()
        async with await AsyncConnection.connect(city_url) as reader:
            assert await load_networks(reader) == [MODEL]
        assert save_network(connection, newer)
        connection.commit()
        async with await AsyncConnection.connect(city_url) as reader:
            assert await load_networks(reader) == [newer]
        assert forget_network(connection, "tiny")
        assert not forget_network(connection, "tiny")


async def test_a_changed_model_tells_running_services(city_url: str) -> None:
    with psycopg.connect(city_url, autocommit=True) as listener, psycopg.connect(city_url) as connection:
        listener.execute("listen lifeline_register")
        save_network(connection, MODEL)
        connection.commit()
        assert [notice.channel for notice in listener.notifies(timeout=5, stop_after=1)] == ["lifeline_register"]


async def test_a_model_that_no_program_can_read_stops_nobody(city_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    broken = RegisteredNetwork(Lifeline.WATER, NetworkFile("broken", NetworkFormat.EPANET, "no model\x01"), ("W1",))
    with psycopg.connect(city_url) as connection:
        save_network(connection, broken)
    await store(city_url, [("M-1", at(0), 30.0), *[("P-1", at(minute), 60.0) for minute in range(12)]])
    async with following(city_url) as follower:
        await follow_to_the_end(follower)
        assert follower.readings_judged >= 13
    kinds = {row["kind"] for row in ask(city_url, "select kind from alert")}
    assert kinds == {"methane-high", "pressure-low"}
