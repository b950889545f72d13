"""Shell scripts of the deployment."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.deploy.stack import DEPLOY, ROOT

SCRIPTS = sorted(path for path in DEPLOY.glob("**/*.sh") if "node_modules" not in path.parts)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_shellcheck_has_nothing_to_say(script: Path, packaged_tools: Path) -> None:
    command = [str(packaged_tools / "shellcheck"), "--external-sources", str(script.relative_to(ROOT))]
    checked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=ROOT)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_a_script_can_be_executed_and_stops_at_the_first_error(script: Path) -> None:
    assert os.access(script, os.X_OK)
    lines = script.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("#!/")
    assert any(line.startswith("set -eu") for line in lines)
