"""Photos and files of work orders: taken by what they hold, never by what they are called."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response, status
from psycopg import AsyncConnection

from services.api import problems
from services.api.disposal_answers import AttachmentAnswer
from services.api.routes.order_record import find_order, still_running
from services.api.security import Connection, Handler, Reader
from services.core.field_feedback import Attachment
from services.core.file_content import LARGEST_FILE_BYTES, FileRefusedError, inspect, plain_name
from services.core.store import attachments, field_feedbacks

router = APIRouter(tags=["work orders"])
_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}


@router.post(
    "/work-orders/{order}/attachments",
    summary="Put a photo or file to an order",
    status_code=status.HTTP_201_CREATED,
    responses=problems.documented(404, 409),
    max_body_size=LARGEST_FILE_BYTES + 1,
    openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": _BINARY}}},
)
async def attach(
    order: UUID,
    request: Request,
    connection: Connection,
    caller: Handler,
    name: Annotated[str, Query(max_length=500, description="what it is called; a path in it is left out")] = "file",
    feedback: Annotated[UUID | None, Query(description="the message from the field it goes with")] = None,
) -> AttachmentAnswer:
    """The body is the file: JPEG, PNG, WebP, PDF, Word, Excel or UTF-8 text, at most 10 MiB.

    What it is, its content says. Images with too many pixels and archives that unpack to too much are refused.
    """
    known = await find_order(connection, order, lock=True)
    still_running(known)
    if await attachments.count_of(connection, order) >= attachments.MOST_FILES:
        raise problems.not_possible("work order", f"it has {attachments.MOST_FILES} files already")
    said = None if feedback is None else await field_feedbacks.find(connection, feedback)
    if feedback is not None and (said is None or said.work_order != order):
        raise problems.not_valid("query.feedback", "the order has no such feedback")
    content = await request.body()
    try:
        kind = await asyncio.to_thread(inspect, content)
    except FileRefusedError as error:
        raise problems.not_valid("body", str(error)) from None
    kept = await attachments.add(
        connection,
        known,
        name=plain_name(name),
        content=content,
        kind=kind,
        feedback=feedback,
        actor=caller.actor,
        now=datetime.now(UTC),
    )
    return AttachmentAnswer.model_validate(kept)


async def _find(connection: AsyncConnection, order: UUID, attachment: UUID) -> Attachment:
    known = await attachments.find(connection, order, attachment)
    if known is None:
        raise problems.not_found("attachment", attachment)
    return known


@router.get(
    "/work-orders/{order}/attachments/{attachment}",
    summary="A photo or file as it came",
    response_class=Response,
    responses=problems.documented(404) | {200: {"content": {"application/octet-stream": _BINARY}}},
)
async def get_attachment(order: UUID, attachment: UUID, connection: Connection, _: Reader) -> Response:
    """To be saved, never to be shown by the browser as a page of ours."""
    known = await _find(connection, order, attachment)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(known.name, safe='')}",
        "Cache-Control": "private, no-store",
        "ETag": f'"{known.sha256}"',
    }
    return Response(await attachments.content_of(connection, known), media_type=known.media_type, headers=headers)


@router.get(
    "/work-orders/{order}/attachments/{attachment}/thumbnail",
    summary="A small picture of a photo",
    response_class=Response,
    responses=problems.documented(404) | {200: {"content": {"image/jpeg": _BINARY}}},
)
async def get_thumbnail(order: UUID, attachment: UUID, connection: Connection, _: Reader) -> Response:
    """A JPEG that was drawn anew from the photo: it holds the picture and nothing else of the file."""
    known = await _find(connection, order, attachment)
    if not known.has_thumbnail:
        raise problems.not_found("thumbnail of attachment", attachment)
    picture = await attachments.thumbnail_of(connection, known)
    return Response(picture, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})
