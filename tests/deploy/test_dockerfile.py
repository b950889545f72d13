"""The image: small, without rights, from pinned packages."""

import re
import subprocess
from pathlib import Path

from tests.deploy.stack import DEPLOY, ROOT

DOCKERFILE = DEPLOY / "Dockerfile"


def _instructions() -> list[str]:
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [line.strip() for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def _last_stage() -> list[str]:
    instructions = _instructions()
    starts = [number for number, line in enumerate(instructions) if line.startswith("FROM ")]
    return instructions[starts[-1] :]


def test_hadolint_has_nothing_to_say(packaged_tools: Path) -> None:
    command = [packaged_tools / "hadolint", DOCKERFILE]
    checked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_what_it_copies_is_in_the_project_and_let_through_to_the_build() -> None:
    let_through = {
        line.removeprefix("!")
        for line in (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    copied = [line.split()[1:-1] for line in _instructions() if line.startswith("COPY ") and "--from" not in line]
    sources = [source.rstrip("/") for sources in copied for source in sources]
    assert sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert source.split("/")[0] in let_through, f"{source} never reaches the build"


def test_packages_are_installed_by_their_hashes() -> None:
    installs = [line for line in _instructions() if "requirements.lock" in line and line.startswith("RUN")]
    assert len(installs) == 1
    assert "--require-hashes" in installs[0]


def test_the_process_has_no_rights_and_is_asked_to_stop_in_a_way_it_understands() -> None:
    stage = _last_stage()
    users = [line.split()[1] for line in stage if line.startswith("USER ")]
    assert users == ["10001:10001"]
    assert "STOPSIGNAL SIGTERM" in stage
    assert 'ENTRYPOINT ["lifeline"]' in stage


def test_the_image_binds_loopback_and_holds_no_secret_by_itself() -> None:
    given = [line for line in _last_stage() if line.startswith(("ENV ", "ARG "))]
    assert not [line for line in given if re.search(r"LIFELINE_(\w+_)?HOST|PASSWORD|_URL|KEY", line)]
