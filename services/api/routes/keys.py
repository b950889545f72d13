"""Keys of the API: issued, rotated and revoked by administrators."""

from datetime import UTC, datetime, timedelta

from fastapi import APIRouter

from services.api import problems
from services.api.access_answers import IssuedKeyAnswer, KeyAnswer, KeyRequest, RotateKeyRequest, key_fields
from services.api.security import Administrator, Connection
from services.core.store import api_keys

router = APIRouter(tags=["who may"])


@router.get("/keys", summary="Keys of the API")
async def list_keys(connection: Connection, _: Administrator) -> list[KeyAnswer]:
    """Every key, those that have ended among them; never what opens anything."""
    return [KeyAnswer(**key_fields(key)) for key in await api_keys.load_keys(connection)]


@router.post("/keys", summary="Issue a key", status_code=201, responses=problems.documented(409))
async def issue_key(request: KeyRequest, connection: Connection, caller: Administrator) -> IssuedKeyAnswer:
    """A new key, shown this once."""
    if request.expires_at is not None and request.expires_at <= datetime.now(UTC):
        raise problems.not_valid("body.expires_at", "lies in the past")
    if await api_keys.find_key(connection, request.id) is not None:
        raise problems.exists_already("key", request.id)
    key = api_keys.new_key()
    await api_keys.save_key(
        connection,
        request.id,
        key,
        request.actor,
        sorted(set(request.permissions)),
        limits=request.limits.limits(),
        expires_at=request.expires_at,
        issuer=caller.actor,
    )
    known = await api_keys.find_key(connection, request.id)
    assert known is not None  # noqa: S101 - it was saved just now
    return IssuedKeyAnswer(**key_fields(known), key=key)


@router.post("/keys/{key}/rotate", summary="Replace a key", responses=problems.documented(404))
async def rotate_key(
    key: str, request: RotateKeyRequest, connection: Connection, caller: Administrator
) -> IssuedKeyAnswer:
    """A new key under the same name; the old one works on for the overlap, so that nothing stands still meanwhile."""
    fresh = api_keys.new_key()
    overlap = timedelta(seconds=request.overlap_s)
    try:
        known = await api_keys.rotate_key(connection, key, fresh, overlap=overlap, actor=caller.actor)
    except LookupError:
        raise problems.not_found("key", key) from None
    return IssuedKeyAnswer(**key_fields(known), key=fresh)


@router.post("/keys/{key}/revoke", summary="End a key", responses=problems.documented(404))
async def revoke_key(key: str, connection: Connection, caller: Administrator) -> KeyAnswer:
    """It opens nothing from now on; nothing happens to one that has ended already."""
    try:
        await api_keys.revoke_key(connection, key, actor=caller.actor)
    except LookupError:
        raise problems.not_found("key", key) from None
    known = await api_keys.find_key(connection, key)
    assert known is not None  # noqa: S101 - it was found just now
    return KeyAnswer(**key_fields(known))
