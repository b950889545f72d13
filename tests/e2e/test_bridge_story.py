"""A support settles while a cold front crosses three bridges: from simulated gauges over the broker to the pages."""

from typing import Any

import pytest

from tests.fixtures.demo import eventually, running_demo
from tests.fixtures.processes import reachable_directory

SETTLES, OTHERS = "B2", {"B1", "B3"}
A_STORY_S = 240.0


@pytest.mark.slow
@pytest.mark.timeout(540)
def test_a_settled_support_is_named_behind_a_cold_front_that_the_other_bridges_cross_quietly() -> None:
    arguments = ("--scenario", "settlement-over-cold-front", "--speed", "2880")
    with (
        reachable_directory("bridges") as directory,
        running_demo(directory / "state", *arguments) as demo,
        demo.client() as client,
    ):

        def told() -> list[dict[str, Any]]:
            alerts = client.get("/alerts", params={"limit": 500}).raise_for_status().json()["items"]
            return [each for each in alerts if each["zone"] == SETTLES and not each["sensor_fault"]]

        first, *_ = reversed(eventually(told, A_STORY_S))
        assert first["kind"] == "bridge-settlement", first["explanation"]["en"]
        assert first["asset"] == "BR-2-E2", first["trace"]
        # The front has fallen as far as it does by now: nothing could settle within fewer days.
        alerts = client.get("/alerts", params={"limit": 500}).raise_for_status().json()["items"]
        assert [each for each in alerts if each["zone"] in OTHERS] == []
        for zone in (SETTLES, *OTHERS):
            health = client.get(f"/bridges/{zone}/health").raise_for_status().json()
            assert health, f"{zone} was not evaluated"
        modes = eventually(lambda: client.get(f"/bridges/{SETTLES}/modes").raise_for_status().json(), 90.0)
        assert 1.4 < modes[0]["frequency_hz"] < 1.7
        worse = eventually(lambda: client.get(f"/bridges/{SETTLES}/health").json()[0]["alerts"], 90.0)
        assert first["id"] in worse
