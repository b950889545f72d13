"""The city's warnings for other warning systems: messages of the Common Alerting Protocol and a feed of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response

from services.api import problems
from services.api.security import Connection, PublicReader
from services.core.cap_alert import MEDIA_TYPE
from services.core.cap_feed import FEED_MEDIA_TYPE, FeedEntry, write_feed
from services.core.store import cap_messages

router = APIRouter(tags=["public warnings"])
_LISTED_FOR = timedelta(days=7)
_MOST_LISTED = 200


def _documented(media_type: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"description": "XML", "content": {media_type: {"schema": {"type": "string"}}}}}


@router.get(
    "/cap.atom",
    summary="Messages of the last seven days",
    response_class=Response,
    responses=_documented(FEED_MEDIA_TYPE),
)
async def get_feed(request: Request, connection: Connection, _: PublicReader) -> Response:
    """An Atom feed, newest first; each change and each cancellation is an entry of its own."""
    now = datetime.now(UTC)
    found = await cap_messages.newest(connection, now - _LISTED_FOR, _MOST_LISTED)
    base = f"{_address(request)}/api/v1"
    entries = [
        FeedEntry(
            identifier=each.identifier,
            address=f"{base}/cap/{each.identifier}.xml",
            title=f"{each.headline_zh} / {each.headline_en}",
            sent=each.sent,
            expires=each.expires,
        )
        for each in found
    ]
    city = request.app.state.city
    updated = found[0].sent if found else now.replace(minute=0, second=0, microsecond=0)
    return Response(write_feed(f"{base}/cap.atom", city, city, entries, updated), media_type=FEED_MEDIA_TYPE)


@router.get(
    "/cap/{identifier}.xml",
    summary="One message",
    response_class=Response,
    responses=_documented(MEDIA_TYPE) | problems.documented(404),
)
async def get_message(identifier: str, connection: Connection, _: PublicReader) -> Response:
    """A message as it went out; it never changes."""
    found = await cap_messages.find(connection, identifier)
    if found is None:
        raise problems.not_found("message", identifier)
    return Response(found.message, media_type=MEDIA_TYPE)


def _address(request: Request) -> str:
    """Where others reach us: what the city says, else as the caller did."""
    return str(request.app.state.api_url or request.base_url).rstrip("/")
