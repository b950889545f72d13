"""One lifeline explains another by the ground they share, in a real database."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection

from services.alerts import lifelines, neighbour_alerts
from services.alerts.suppression.default_inhibitions import default_inhibitions
from services.alerts.suppression.judge import judged
from services.alerts.suppression.review import review
from services.alerts.tracing.neighbour_shares import weighed
from services.core.alert import Alert
from services.core.lifeline import Lifeline
from services.core.report import POWER_OUT
from services.core.severity import Severity
from services.core.store import alerts, audit, inhibitions
from services.core.store.pool import open_pool
from services.core.suppression import SuppressionKind
from services.core.text import Text
from tests.integration.alerts.alert_harness import ask
from tests.integration.api.harness import alert_at, cleared


def _silent(asset: str, lifeline: Lifeline, *sensors: str) -> Alert:
    """A device of this lifeline says nothing any more."""
    return _alert(asset, lifeline, "gateway-silent", 2, sensors=sensors, sensor_fault=True)


def _alert(asset: str, lifeline: Lifeline, kind: str, severity: int, **changes: Any) -> Alert:
    grade = Severity(severity)
    return alert_at(asset, lifeline=lifeline, kind=kind, severity=grade, highest_severity=grade, **changes)


async def _add(url: str, *added: Alert) -> None:
    async with await AsyncConnection.connect(url) as connection:
        for alert in added:
            await alerts.add(connection, alert, audit.SYSTEM)


async def _review(url: str, cause: Alert) -> int:
    async with open_pool(url, 2) as pool:
        return await review(pool, cause.id)


def _why(url: str, alert: Alert) -> dict[str, Any] | None:
    found: dict[str, Any] | None = ask(url, "select suppression from alert where id = %s", alert.id)[0]["suppression"]
    return found


@pytest.fixture
def ruled_url(city_url: str) -> str:
    """The tiny city with the rules of all lifelines."""
    with psycopg.connect(city_url) as connection:
        inhibitions.save_inhibitions(connection, default_inhibitions(lifelines.discover().values()))
    return city_url


async def test_power_out_keeps_devices_around_quiet_until_it_is_back(ruled_url: str) -> None:
    # M-1 stands 190 m from the regulator GR-1 without power; P-1 of another lifeline more than a kilometre.
    near, far = _silent("gateway-1", Lifeline.GAS, "M-1"), _silent("gateway-2", Lifeline.WATER, "P-1")
    out = _alert("GR-1", Lifeline.GAS, POWER_OUT, 2)
    await _add(ruled_url, near, far, out)
    assert await _review(ruled_url, out) == 1
    why = _why(ruled_url, near)
    assert why is not None
    assert (why["kind"], why["source"]) == ("inhibition", str(out.id))
    assert _why(ruled_url, far) is None
    async with await AsyncConnection.connect(ruled_url) as connection:
        known = await alerts.find(connection, out.id, lock=True)
        assert known is not None
        await alerts.save(connection, replace(known, **cleared(known)), before=known, actor="a test", action="clear")
    assert await _review(ruled_url, out) == 1
    assert _why(ruled_url, near) is None, "power is back and the device is still silent: somebody has to be told"


async def test_a_burst_main_explains_what_comes_after_it_in_another_lifeline(ruled_url: str) -> None:
    # The manhole lies over a kilometre from WP-1 in the tiny city; one is dug beside the main.
    with psycopg.connect(ruled_url) as connection:
        connection.execute(
            """
            insert into asset (id, lifeline, kind, zone, name_en, name_zh, geometry, extent)
            select 'MH-near', 'drainage', kind, zone, '', '',
                '{"type": "Point", "coordinates": [117.0021, 31.0101]}', box(point(117.0021, 31.0101))
            from asset where id = 'MH-1'
            """
        )
    burst = _alert("WP-1", Lifeline.WATER, "burst-suspected", 3)
    await _add(ruled_url, burst)
    near, far = (_alert(asset, Lifeline.DRAINAGE, "manhole-surcharge", 2) for asset in ("MH-near", "MH-1"))
    worse = _alert("MH-near", Lifeline.DRAINAGE, "waterlogging", 3)
    async with await AsyncConnection.connect(ruled_url) as connection:
        found = [
            await judged(connection, each, lambda asset: Text(asset, asset), datetime.now(UTC))
            for each in (near, far, worse)
        ]
    assert found[0].suppression is not None
    assert found[0].suppression.kind is SuppressionKind.INHIBITION
    assert found[0].explained_by == burst.id
    assert (found[1].suppression, found[2].suppression) == (None, None), "too far away, or too bad to be kept quiet"


async def test_an_alert_at_a_neighbour_moves_the_trace_of_another_lifeline_and_its_end_moves_it_back(
    ruled_url: str,
) -> None:
    main = {"asset": "WP-1", "part": "water-main", "distance_m": 6.0, "weight": 7.0, "reason": {"en": "", "zh": ""}}
    across = weighed({"endangered": [], "causes": [main], "own_weight": 20.0})
    trace: dict[str, Any] = {"candidates": [], "across": across}
    settling = _alert("BR-1", Lifeline.BRIDGE, "bridge-settlement", 2, trace=trace)
    leak = _alert("WJ-1", Lifeline.WATER, "leak-suspected", 2)
    leak = replace(leak, trace={"candidates": [{"asset": "WP-1", "probability": 0.9}]})
    await _add(ruled_url, settling, leak)
    async with await AsyncConnection.connect(ruled_url) as connection:
        fresh = await neighbour_alerts.shared_with_neighbours(connection, settling, {})
        await neighbour_alerts.tell_neighbours(connection, leak)
        told = await alerts.find(connection, settling.id)
        await neighbour_alerts.tell_neighbours(connection, leak)
        again = await alerts.find(connection, settling.id)
        await alerts.save(connection, replace(leak, **cleared(leak)), before=leak, actor="a test", action="clear")
        await neighbour_alerts.tell_neighbours(connection, leak)
        after = await alerts.find(connection, settling.id)
    assert told is not None
    assert again is not None
    assert after is not None
    assert told.trace == fresh.trace, "it must not matter which of the two alerts opened first"
    assert told.trace is not None
    cause = told.trace["across"]["causes"][0]
    assert cause["alert"] == str(leak.id)
    assert cause["probability"] > 2 * across["causes"][0]["probability"]
    assert again.version == told.version, "nothing has changed, so no new version is kept"
    assert after.trace == trace
