"""Checkpoints, archives and the role that cannot change the trail."""

import gzip
import json
import os
import stat
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg import sql

from services.core.audit_chain import CheckpointError
from services.core.store.audit_checkpoints import NothingToArchiveError, archive, take_checkpoint, verify_archive
from services.core.store.audit_rights import restrict
from services.core.store.audit_verification import verify

NOW = datetime(2026, 7, 14, 6, 0, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()


@pytest.fixture
def trail(database_url: str) -> Iterator[psycopg.Connection]:
    """A trail of ten old lines and five of today."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        for number in range(15):
            connection.execute(
                "insert into audit (at, actor, action, subject_kind, subject) values (%s, 'a', 'step', 'test', 'x')",
                (NOW - timedelta(days=400 if number < 10 else 1),),
            )
        yield connection


def test_old_lines_leave_and_the_rest_stays_verifiable(trail: psycopg.Connection, tmp_path: Path) -> None:
    path = tmp_path / "2025.jsonl.gz"
    held = archive(trail, KEY, path, before=NOW - timedelta(days=366), now=NOW, actor="keeper")
    assert (held.base, held.checkpoint.position, held.lines) == (0, 10, 10)
    verdict = verify(trail, trusted_key=PUBLIC, outside=[verify_archive(path).checkpoint])
    assert verdict.faults == []
    assert (verdict.base, verdict.position) == (10, 16), "five lines, and the one about the archive"
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        trail.execute("delete from audit")
    with pytest.raises(NothingToArchiveError):
        archive(trail, KEY, tmp_path / "again.gz", before=NOW - timedelta(days=366), now=NOW, actor="keeper")
    with pytest.raises(FileExistsError):
        archive(trail, KEY, path, before=NOW, now=NOW, actor="keeper")
    second = archive(trail, KEY, tmp_path / "2026.gz", before=NOW, now=NOW, actor="keeper")
    assert verify_archive(tmp_path / "2026.gz", held.checkpoint).checkpoint == second.checkpoint
    assert verify(trail, trusted_key=PUBLIC).is_whole


@pytest.mark.parametrize(
    "change", ["a line altered", "a line removed", "lines exchanged", "the end cut off", "garbage"]
)
def test_an_archive_that_was_changed_is_refused(trail: psycopg.Connection, tmp_path: Path, change: str) -> None:
    path = tmp_path / "old.gz"
    archive(trail, KEY, path, before=NOW - timedelta(days=366), now=NOW, actor="keeper")
    lines = gzip.decompress(path.read_bytes()).splitlines()
    if change == "a line altered":
        lines[3] = lines[3].replace(b'\\"a\\"', b'\\"b\\"')
    elif change == "a line removed":
        del lines[3]
    elif change == "lines exchanged":
        lines[3], lines[4] = lines[4], lines[3]
    elif change == "the end cut off":
        del lines[-1]
    else:
        lines = [b"not an archive"]
    path.write_bytes(gzip.compress(b"\n".join(lines) + b"\n"))
    with pytest.raises(CheckpointError):
        verify_archive(path)


def test_an_archive_of_lines_that_do_not_fit_the_chain_moves_nothing(trail: psycopg.Connection, tmp_path: Path) -> None:
    trail.execute("set session_replication_role = replica")
    trail.execute("update audit set actor = 'nobody' where id = 5")
    with pytest.raises(CheckpointError, match="position 5"):
        archive(trail, KEY, tmp_path / "old.gz", before=NOW, now=NOW, actor="keeper")
    assert trail.execute("select count(*) from audit").fetchone() == (15,)


def test_nothing_new_is_not_signed_again(trail: psycopg.Connection) -> None:
    first = take_checkpoint(trail, KEY, NOW, if_moved=True)
    assert first is not None
    assert first.position == 15
    assert take_checkpoint(trail, KEY, NOW, if_moved=True) is None
    trail.execute("insert into audit (actor, action, subject_kind, subject) values ('a', 'step', 'test', 'x')")
    second = take_checkpoint(trail, KEY, NOW, if_moved=True)
    assert second is not None
    assert second.position == 17, "the line about the first checkpoint, and the new one"


def test_a_restricted_role_writes_the_trail_and_cannot_change_it(database_url: str) -> None:
    role, password = f"service_{uuid.uuid4().hex[:12]}", uuid.uuid4().hex
    with psycopg.connect(database_url, autocommit=True) as owner:
        make = sql.SQL("create role {} login password {}")
        owner.execute(make.format(sql.Identifier(role), sql.Literal(password)))
        try:
            restrict(owner, role)
            parts = urlsplit(database_url)
            address = f"{role}:{password}@{parts.hostname}:{parts.port}"
            with psycopg.connect(parts._replace(netloc=address).geturl(), autocommit=True) as service:
                service.execute(
                    "insert into audit (actor, action, subject_kind, subject) values ('a', 'step', 'test', 'x')"
                )
                for statement in (
                    "update audit set actor = 'b'",
                    "delete from audit",
                    "truncate audit",
                    "alter table audit disable trigger all",
                    "drop trigger audit_append_only on audit",
                    "insert into audit_link values (7, 7, '', '')",
                    "update audit_link set hash = ''",
                    "update audit_head set position = 0",
                    "update audit_checkpoint set position = 1",
                    "set session_replication_role = replica",
                ):
                    with pytest.raises(psycopg.errors.InsufficientPrivilege):
                        service.execute(statement.encode())
            assert verify(owner, trusted_key=None).lines == 1
            with pytest.raises(LookupError, match="superuser"):
                restrict(owner, parts.username or "")
        finally:
            owner.execute(sql.SQL("drop owned by {0}; drop role {0}").format(sql.Identifier(role)))


def _lifeline(database_url: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"LIFELINE_DATABASE_URL": database_url, "LIFELINE_DATA_DIR": str(folder / "data")}
    return subprocess.run(
        [sys.executable, "-m", "services.cli", "audit", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_command_signs_verifies_and_names(trail: psycopg.Connection, database_url: str, tmp_path: Path) -> None:
    kept = tmp_path / "checkpoint.json"
    signed = _lifeline(database_url, tmp_path, "checkpoint", "--out", str(kept), "--actor", "keeper")
    assert signed.returncode == 0, signed.stderr
    assert json.loads(kept.read_text())["position"] == 15
    key = tmp_path / "data" / "secrets" / "audit-key.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    whole = _lifeline(database_url, tmp_path, "verify", "--checkpoint", str(kept))
    assert (whole.returncode, "nothing was changed" in whole.stdout) == (0, True), whole.stdout + whole.stderr
    trail.execute("set session_replication_role = replica")
    trail.execute("update audit set subject = 'y' where id = 7")
    found = _lifeline(database_url, tmp_path, "verify")
    assert found.returncode == 2
    assert "altered: line 7 is not what was written (position 7 of the chain)" in found.stdout
