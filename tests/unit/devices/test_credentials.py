"""Passwords: what is handed out, what is kept, and that real brokers' tools agree."""

import csv
import hashlib
import shutil
import stat
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.devices import credentials, emqx, files, mosquitto
from services.devices.device import Device, DeviceKind
from services.devices.failure import DeviceSecurityError
from services.devices.password import PasswordHash, new_password

NOW = datetime(2026, 7, 14, 6, 0, tzinfo=UTC)
DEVICES = [Device("gw-2", DeviceKind.GATEWAY), Device("gw-1", DeviceKind.GATEWAY), Device("s-1", DeviceKind.SENSOR)]


def test_password_fits_its_hash_and_no_other_password_does() -> None:
    password = new_password()
    kept = PasswordHash.of(password)
    assert kept.fits(password)
    assert not kept.fits(password + "x")
    assert not kept.fits("")
    assert PasswordHash.of(password) != kept, "two hashes of one password can be told to be of one password"


def test_passwords_are_random_and_need_no_quoting() -> None:
    passwords = {new_password() for _ in range(1000)}
    assert len(passwords) == 1000
    assert all(len(password) == 32 and password.replace("-", "").replace("_", "").isalnum() for password in passwords)


@pytest.mark.skipif(shutil.which("mosquitto_passwd") is None, reason="mosquitto is not installed")
def test_hash_of_mosquittos_own_tool_is_understood(tmp_path: Path) -> None:
    path = tmp_path / "passwords"
    path.write_text("gw:secret of the test\n")
    subprocess.run(["mosquitto_passwd", "-U", str(path)], check=True, capture_output=True)
    theirs = PasswordHash(path.read_text().strip().removeprefix("gw:"), *_emqx_part("secret of the test"))
    assert theirs.fits("secret of the test")
    assert not theirs.fits("another secret")


def _emqx_part(password: str) -> tuple[str, str]:
    kept = PasswordHash.of(password)
    return kept.emqx_salt, kept.emqx


def test_emqx_table_holds_salted_pbkdf2_as_its_manual_has_it() -> None:
    kept, passwords = credentials.issue(DEVICES, NOW)
    rows = list(csv.DictReader(emqx.users_csv(kept).splitlines()))
    assert [row["user_id"] for row in rows] == ["gw-1", "gw-2", "s-1"]
    for row in rows:
        wanted = hashlib.pbkdf2_hmac("sha256", passwords[row["user_id"]].encode(), row["salt"].encode(), 101, 32).hex()
        assert row["password_hash"] == wanted
        assert row["is_superuser"] == "false"


def test_what_is_kept_comes_back_and_holds_no_password(tmp_path: Path) -> None:
    kept, passwords = credentials.issue(DEVICES, NOW)
    path = tmp_path / "credentials.csv"
    credentials.write(path, kept)
    assert credentials.read(path) == kept
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not [password for password in passwords.values() if password in path.read_text()]


def test_a_new_password_changes_one_line(tmp_path: Path) -> None:
    kept, _ = credentials.issue(DEVICES, NOW)
    path = tmp_path / "credentials.csv"
    credentials.write(path, kept)
    before = path.read_text().splitlines()
    new, _ = credentials.issue([DEVICES[0]], NOW)
    credentials.write(path, {**new, **{name: one for name, one in kept.items() if name != "gw-2"}})
    after = path.read_text().splitlines()
    assert [line for line in after if line not in before] == [after[2]]
    assert mosquitto.password_file(kept).count("\n") == 3


def test_broken_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "credentials.csv"
    path.write_text("name,kind,issued_at,mosquitto,emqx_salt,emqx\ngw,gateway,yesterday,x,y,z\n")
    with pytest.raises(DeviceSecurityError, match=r"credentials\.csv"):
        credentials.read(path)


def test_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "passwords.csv"
    path.write_text("precious")
    with pytest.raises(DeviceSecurityError, match="not overwritten"):
        files.write_new(path, "other")
    assert path.read_text() == "precious"
