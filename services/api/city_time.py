"""Times as people of the city read them on printed pages."""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import Depends, Request

_UTC = ZoneInfo("UTC")


def zone_named(name: str) -> ZoneInfo:
    """The time zone of a name such as Asia/Shanghai; UTC where nobody knows it, as the report of the day does."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return _UTC


async def _zone_of(request: Request) -> ZoneInfo:
    zone: ZoneInfo = request.app.state.city_zone
    return zone


CityZone = Annotated[ZoneInfo, Depends(_zone_of)]


def in_words(moment: datetime, now: datetime, *, seconds: bool) -> str:
    """A moment on the clock of ``now``, which is the city's."""
    return f"{moment.astimezone(now.tzinfo):{'%Y-%m-%d %H:%M:%S' if seconds else '%Y-%m-%d %H:%M'}}"


def stamp(now: datetime, *, seconds: bool) -> str:
    """``now`` with its distance from UTC, from which all other times of a page can be read."""
    offset = now.strftime("%z") or "+0000"
    return f"{in_words(now, now, seconds=seconds)} (UTC{offset[:3]}:{offset[3:5]})"
