"""What was signed about the audit trail."""

from datetime import datetime

from fastapi import APIRouter
from psycopg.rows import class_row

from services.api.schemas import Answer
from services.api.security import Auditor, Connection
from services.core.audit_chain import Checkpoint, CheckpointKind

router = APIRouter(tags=["audit"])


class CheckpointAnswer(Answer):
    """A signed statement about the trail, as its file holds it: digests, key and signature as hexadecimal text."""

    format: str
    kind: CheckpointKind
    position: int
    hash: str
    at: datetime
    public_key: str
    signature: str


@router.get("/audit/checkpoints", summary="What was signed about the trail")
async def list_checkpoints(connection: Connection, _: Auditor) -> list[CheckpointAnswer]:
    """The last hundred, newest first; kept elsewhere, each one shows whether the trail was rewritten since."""
    async with connection.cursor(row_factory=class_row(Checkpoint)) as cursor:
        await cursor.execute(
            """
            select kind, position, hash, at, public_key, signature from audit_checkpoint
            order by position desc, kind limit 100
            """
        )
        rows = await cursor.fetchall()
    return [
        CheckpointAnswer.model_validate(
            Checkpoint(
                CheckpointKind(row.kind), row.position, row.hash, row.at, row.public_key, row.signature
            ).as_json()
        )
        for row in rows
    ]
