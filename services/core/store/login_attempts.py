"""Attempts to log in, counted by account and by address, so that passwords cannot be tried out."""

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from psycopg import AsyncConnection

WINDOW = timedelta(minutes=15)
"""How long a failed attempt counts."""
OF_ACCOUNT, FROM_ADDRESS = 10, 30
"""Failed attempts in that time after which an account, or an address, has to wait."""
_IPV6_NETWORK = 64


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that may go on; it counts as failed until it is forgotten."""

    user: str
    address: str


def counted_address(address: str | None) -> str:
    """What an address is counted as: an IPv6 address as its network, for whoever has one has all of it."""
    try:
        known = ip_address(address or "")
    except ValueError:
        return address or "unknown"
    return str(ip_network((known, _IPV6_NETWORK), strict=False)) if isinstance(known, IPv6Address) else str(known)


async def begin(connection: AsyncConnection, user: str, address: str | None) -> Attempt | timedelta:
    """Count an attempt before the password is looked at, so that many at once gain nothing; else how long to wait."""
    sender = counted_address(address)
    # Both are held until the count is committed, in an order that cannot deadlock.
    for subject in sorted({f"login user {user}", f"login address {sender}"}):
        await connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", (subject,))
    await connection.execute("delete from login_attempt where at < clock_timestamp() - %s", (WINDOW,))
    cursor = await connection.execute(
        """
        select max(freed - clock_timestamp()) from (
            (select at + %(window)s as freed from login_attempt where user_name = %(user)s
                order by at desc offset %(of_account)s limit 1)
            union all
            (select at + %(window)s from login_attempt where address = %(address)s
                order by at desc offset %(from_address)s limit 1)
        ) blocked
        """,
        {
            "window": WINDOW,
            "user": user,
            "address": sender,
            "of_account": OF_ACCOUNT - 1,
            "from_address": FROM_ADDRESS - 1,
        },
    )
    row = await cursor.fetchone()
    if row is not None and row[0] is not None:
        wait: timedelta = row[0]
        return max(wait, timedelta(seconds=1))
    await connection.execute("insert into login_attempt (user_name, address) values (%s, %s)", (user, sender))
    return Attempt(user, sender)


async def succeeded(connection: AsyncConnection, attempt: Attempt) -> None:
    """Forget what this user got wrong from this address; what others tried goes on counting."""
    await connection.execute(
        "delete from login_attempt where user_name = %s and address = %s", (attempt.user, attempt.address)
    )
