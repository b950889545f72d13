"""Which addresses a message may be sent to. A name is resolved once, and what was checked is what is connected to.

Whoever may describe a receiver could otherwise make the service call what only the service can reach: its database's
host, a router, a cloud's metadata. Redirects are never followed, so that the check cannot be walked around.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import httpcore
import httpx

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host for a port, in the order in which they are to be tried."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_LONGEST_CONNECT_S = 5.0


class TargetRefusedError(Exception):
    """The receiver's address is not one the service may call."""


async def resolved(host: str, port: int) -> list[str]:
    """What the system says a host's addresses are.

    Raises:
        OSError: it knows none.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether an address is anybody's: no private, loopback, link-local, multicast or reserved one.

    An IPv4 address inside an IPv6 one (mapped, 6to4, Teredo, NAT64) counts as what it leads to.
    """
    # A zone, as in fe80::1%eth0, names a link of this machine.
    known = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    if isinstance(known, ipaddress.IPv6Address):
        inner = known.ipv4_mapped or known.sixtofour
        if inner is None and known.teredo is not None:
            inner = known.teredo[1]
        if inner is None and known in _NAT64:
            inner = ipaddress.IPv4Address(int(known) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(str(inner))
    return known.is_global and not known.is_multicast and not known.is_reserved and not known.is_unspecified


class CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to the address it has checked and to no other; the host's name stays what TLS and HTTP see."""

    def __init__(self, *, private_allowed: bool, resolve: Resolve = resolved) -> None:
        """Refuse what is not public unless ``private_allowed``."""
        self._private_allowed = private_allowed
        self._resolve = resolve
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # the interface's own parameter
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers.

        Raises:
            TargetRefusedError: the host has an address that must not be called; one is enough.
            OSError: it has none.
            httpcore.ConnectError: none of them answers.
        """
        addresses = await self._resolve(host, port)
        if not self._private_allowed:
            for address in addresses:
                if not is_public(address):
                    raise TargetRefusedError(f"{host} is at {address}, which is not a public address")
        failure: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in addresses:
            try:
                return await self._network.connect_tcp(
                    address,
                    port,
                    timeout=min(timeout or _LONGEST_CONNECT_S, _LONGEST_CONNECT_S),
                    local_address=local_address,
                    socket_options=socket_options,
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"{host} has no address")


def checked_client(
    *,
    private_allowed: bool,
    timeout_s: float,
    resolve: Resolve = resolved,
    tls: ssl.SSLContext | None = None,
) -> httpx.AsyncClient:
    """A client that connects to checked addresses alone, follows no redirect and knows no proxy."""
    context = tls or httpx.create_ssl_context()
    transport = httpx.AsyncHTTPTransport(verify=context, trust_env=False)
    network = CheckedNetwork(private_allowed=private_allowed, resolve=resolve)
    # The transport has no parameter for the network it uses; without this, name and address could part again.
    transport._pool = httpcore.AsyncConnectionPool(  # noqa: SLF001
        ssl_context=context,
        max_connections=100,
        max_keepalive_connections=20,
        keepalive_expiry=5.0,
        network_backend=network,
    )
    return httpx.AsyncClient(transport=transport, timeout=timeout_s, follow_redirects=False, trust_env=False)
