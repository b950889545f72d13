"""The whole loop: every cause of the story ends in a published warning, a verified webhook and a closed order."""

import json
import os
import subprocess
import sys

import pytest

from tests.fixtures.processes import reachable_directory


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_cause_of_the_story_goes_through_the_whole_loop() -> None:
    with reachable_directory("story") as directory:
        done = subprocess.run(
            [sys.executable, "-m", "services.cli", "demo", "--once", "--json", "--speed", "90"],
            env={**os.environ, "LIFELINE_DATA_DIR": str(directory / "state")},
            capture_output=True,
            text=True,
            timeout=840,
            check=False,
        )
    summary = json.loads(done.stdout)
    open_chapters = [chapter["id"] for chapter in summary["chapters"] if not chapter["passed"]]
    assert not open_chapters, done.stderr
    assert done.returncode == 0
    assert [alarm for alarm in summary["false_alarms"] if alarm["published"]] == []
    kinds = {chapter["kind"] for chapter in summary["chapters"]}
    assert kinds >= {"water-leak", "gas-leak", "waterlogging", "overload", "sensor-fault", "gateway-outage"}
