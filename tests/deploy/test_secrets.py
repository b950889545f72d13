"""make-secrets.sh: random, private, written once."""

import stat
import subprocess
from pathlib import Path

from tests.deploy.stack import make_secrets, read_variables

SECRETS = {"STACK_POSTGRES_PASSWORD", "STACK_DATABASE_PASSWORD", "STACK_GRAFANA_PASSWORD"}


def test_only_the_owner_may_read_the_secrets(tmp_path: Path) -> None:
    assert stat.S_IMODE(make_secrets(tmp_path).stat().st_mode) == 0o600


def test_every_secret_is_long_and_differs_from_the_others(tmp_path: Path) -> None:
    variables = read_variables(make_secrets(tmp_path))
    secrets = [variables[name] for name in SECRETS]
    assert len(set(secrets)) == len(SECRETS)
    assert all(len(secret) == 48 and set(secret) <= set("0123456789abcdef") for secret in secrets)


def test_two_installations_share_no_secret(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    ours, theirs = (read_variables(make_secrets(directory)) for directory in (first, second))
    assert not {ours[name] for name in SECRETS} & {theirs[name] for name in SECRETS}


def test_a_second_run_keeps_the_secrets_and_leaves_nothing_behind(tmp_path: Path) -> None:
    before = make_secrets(tmp_path).read_bytes()
    assert make_secrets(tmp_path).read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [".env", "make-secrets.sh"]


def test_no_secret_is_printed(tmp_path: Path) -> None:
    file = make_secrets(tmp_path)
    file.unlink()
    printed = subprocess.run([tmp_path / "make-secrets.sh"], check=True, capture_output=True, text=True, timeout=30)
    variables = read_variables(file)
    assert not [name for name in SECRETS if variables[name] in printed.stdout + printed.stderr]
