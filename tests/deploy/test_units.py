"""The systemd units: accepted by systemd itself, hardened, and telling the processes what they need."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from services.core.settings import Settings
from tests.deploy.stack import DEPLOY, ROOT

UNITS = DEPLOY / "systemd"
PROCESSES = [
    "lifeline-migrate.service",
    "lifeline-alerts.service",
    "lifeline-api.service",
    "lifeline-ingest@.service",
    "lifeline-backup.service",
]
MOST_EXPOSURE = 15
"""In tenths, as `systemd-analyze security` counts: below 2.0 it calls a unit OK; ours stand at 1.3."""

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a machine on which Lifeline is installed as README.md says, with an ingest process enabled."""
    root = tmp_path_factory.mktemp("machine")
    system = root / "etc/systemd/system"
    shutil.copytree(UNITS, system)
    (system / "multi-user.target.wants").mkdir()
    for program in ("opt/lifeline/bin/lifeline", "opt/lifeline/deploy/backup.sh", "bin/sh"):
        path = root / program
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n", encoding="utf-8")
        path.chmod(0o755)
    shared = root / "usr/lib/systemd/system"
    shared.mkdir(parents=True)
    for target in ("multi-user", "network-online", "timers", "sysinit", "basic", "shutdown", "time-sync"):
        (shared / f"{target}.target").write_text(f"[Unit]\nDescription={target}\n", encoding="utf-8")
    return root


def _settings(unit: str) -> dict[str, list[str]]:
    """Every assignment of a unit and of the drop-in that holds for all."""
    texts = [(UNITS / unit).read_text(encoding="utf-8")]
    texts += [path.read_text(encoding="utf-8") for path in sorted((UNITS / "lifeline-.service.d").glob("*.conf"))]
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", "\n".join(texts), re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


@needs_systemd
@pytest.mark.parametrize("unit", sorted(path.name for path in UNITS.glob("lifeline*.[st]*") if path.is_file()))
def test_systemd_accepts_the_unit(machine: Path, unit: str) -> None:
    unit = unit.replace("@.", "@ingest-1.")
    command = ["systemd-analyze", "verify", f"--root={machine}", "--man=no", "--recursive-errors=one", unit]
    checked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert checked.returncode == 0, checked.stderr
    assert not checked.stderr.strip()


@needs_systemd
@pytest.mark.parametrize("unit", PROCESSES)
def test_a_process_is_exposed_no_more_than_it_has_to_be(machine: Path, unit: str) -> None:
    unit = unit.replace("@.", "@ingest-1.")
    command = ["systemd-analyze", "security", "--offline=yes", f"--root={machine}", f"--threshold={MOST_EXPOSURE}"]
    checked = subprocess.run([*command, "--no-pager", unit], capture_output=True, text=True, check=False, timeout=60)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("unit", PROCESSES)
def test_every_variable_and_every_secret_is_a_setting(unit: str) -> None:
    settings = _settings(unit)
    variables = [value.split("=")[0] for value in settings.get("Environment", [])]
    secrets = [value.split(":")[0] for value in settings["LoadCredential"]]
    known = {f"lifeline_{name}" for name in Settings.model_fields}
    assert {name.lower() for name in variables} | set(secrets) <= known
    assert "lifeline_database_url" in secrets


def test_the_example_of_the_environment_file_holds_settings_only() -> None:
    text = (UNITS / "example.env").read_text(encoding="utf-8")
    names = re.findall(r"^#?(LIFELINE_\w+)=", text, re.MULTILINE)
    assert names
    assert {name.removeprefix("LIFELINE_").lower() for name in names} <= set(Settings.model_fields)


def test_an_ingest_process_is_named_after_its_unit() -> None:
    settings = _settings("lifeline-ingest@.service")
    assert "LIFELINE_INGEST_INSTANCE=%i" in settings["Environment"]
    assert any(value.startswith("lifeline_mqtt_url:") for value in settings["LoadCredential"])


@pytest.mark.parametrize("unit", PROCESSES)
def test_no_secret_stands_in_the_environment_or_on_a_command_line(unit: str) -> None:
    settings = _settings(unit)
    lines = settings.get("Environment", []) + settings["ExecStart"]
    # What a shell reads from a credential is no secret in itself.
    given = [re.sub(r"\w+=\"\$\$\(cat [^)]*\)\"", "", line) for line in lines]
    assert not [line for line in given if re.search(r"password|secret|_url=|_key=", line, re.IGNORECASE)]


def test_a_process_takes_its_secrets_from_the_files_that_systemd_shows_it(tmp_path: Path) -> None:
    secret = "postgresql://lifeline:of-the-file@127.0.0.1/lifeline"
    (tmp_path / "lifeline_database_url").write_text(f"{secret}\n", encoding="utf-8")
    program = "from services.core.settings import load_settings; print(load_settings().database_url.get_secret_value())"
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path), "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == secret
    given = {**environment, "LIFELINE_DATABASE_URL": "postgresql://of-the-environment/x"}
    ran = subprocess.run(
        [sys.executable, "-c", program], env=given, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == given["LIFELINE_DATABASE_URL"], "a variable goes before a file"
