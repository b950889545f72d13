"""Loopback ports that nobody else listens on."""

import socket

LOOPBACK = "127.0.0.1"
HIGHEST_PORT = 65_535


def is_free(port: int) -> bool:
    """Whether a server could bind this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Servers set it too; without it a port in TIME_WAIT after a restart would look taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def free_port(wanted: int = 0) -> int:
    """The wanted loopback port, or the next higher one that is free; 0 lets the system choose.

    Raises OSError when no port from the wanted one up is free.
    """
    if wanted == 0:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind((LOOPBACK, 0))
            return int(probe.getsockname()[1])
    for port in range(wanted, HIGHEST_PORT + 1):
        if is_free(port):
            return port
    raise OSError(f"no free loopback port from {wanted} up")
