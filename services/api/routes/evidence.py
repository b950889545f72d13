"""Everything behind an alert, as one file."""

import asyncio
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.api import problems
from services.api.question import now
from services.api.security import Auditor, Connection
from services.core.evidence_bundle import pack
from services.core.store import evidence

router = APIRouter(tags=["audit"])


@router.get(
    "/alerts/{alert}/evidence",
    summary="The evidence behind an alert",
    response_class=Response,
    responses={
        200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}},
        **problems.documented(404, 409),
    },
)
async def get_evidence(alert: UUID, request: Request, connection: Connection, caller: Auditor) -> Response:
    """A zip from which `lifeline evidence replay` runs the detection again; the audit trail says who took it."""
    lateness = request.app.state.allowed_lateness
    try:
        bundle = await evidence.gather(connection, alert, now=now(), allowed_lateness=lateness, actor=caller.actor)
    except evidence.UnknownAlertError:
        raise problems.not_found("alert", alert) from None
    except evidence.TooMuchEvidenceError as error:
        raise problems.not_possible("alert", str(error)) from None
    content = await asyncio.to_thread(pack, bundle)
    name = f'attachment; filename="evidence-{alert}.zip"'
    return Response(content, media_type="application/zip", headers={"Content-Disposition": name})
