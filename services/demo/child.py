"""Becomes another program that ends when its parent ends; run as a script between the supervisor and its child.

It drops privileges, asks the kernel for a signal on the parent's death, then executes the command. The order is
a trap: Linux forgets the request when the user changes, so it is made last. The same is asked of nothing but
Linux; elsewhere the request is skipped. It uses the standard library only and is started with ``-I -S``, so it
costs a few milliseconds and nothing in the working directory can take its place.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1
EXIT_NOT_EXECUTED = 127


def launch_command(
    command: Sequence[str], *, death_signal: signal.Signals = signal.SIGKILL, user: tuple[int, int] | None = None
) -> list[str]:
    """The command line that runs ``command`` as a child of *this* process which does not outlive it.

    ``user`` is the numeric user and group to become (root only); ``death_signal`` is what the child gets when
    the thread that started it ends, so start children from a thread that lives as long as the program.
    """
    uid, gid = user or (-1, -1)
    script = str(Path(__file__).resolve())
    settings = [str(os.getpid()), str(int(death_signal)), str(uid), str(gid)]
    return [sys.executable, "-I", "-S", script, *settings, *command]


def main(arguments: Sequence[str]) -> int:
    """Drop privileges, tie the process to its parent, and execute; returns only when that fails."""
    parent, death_signal, uid, gid = (int(argument) for argument in arguments[:4])
    command = list(arguments[4:])
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
        os.umask(0o077)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:  # it died before the kernel knew our wish
        return EXIT_NOT_EXECUTED
    try:
        os.execvp(command[0], command)  # noqa: S606 - the supervisor chose the command; no shell is wanted
    except OSError as error:
        sys.stderr.write(f"cannot execute {command[0]}: {error.strerror}\n")
    return EXIT_NOT_EXECUTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
