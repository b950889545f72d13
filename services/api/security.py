"""Who may do what: the one place where a request's key is checked."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from psycopg import AsyncConnection

from services.api import problems
from services.core.permission import Permission
from services.core.store import api_keys, audit
from services.core.store.api_keys import Caller, find_caller
from services.core.store.pool import Pool

_bearer = HTTPBearer(auto_error=False, description="An API key, `lk_…`")


def pool_of(request: Request) -> Pool:
    """The application's pool of connections."""
    pool: Pool = request.app.state.pool
    return pool


async def connection_of(pool: Annotated[Pool, Depends(pool_of)]) -> AsyncIterator[AsyncConnection]:
    """A connection with one transaction: committed when the route returns, rolled back when it raises."""
    async with pool.connection(timeout=5.0) as connection:
        yield connection


# Scope "function" ends the transaction before the answer is sent: a caller that reads "closed" may rely on it.
Connection = Annotated[AsyncConnection, Depends(connection_of, scope="function")]


def requires(permission: Permission) -> Callable[..., Awaitable[Caller]]:
    """A dependency that lets a request pass only with a key that carries the permission."""

    async def caller(
        request: Request,
        connection: Connection,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    ) -> Caller:
        found = None if credentials is None else await find_caller(connection, credentials.credentials)
        address = None if request.client is None else request.client.host
        if found is None:
            if credentials is not None and credentials.credentials:
                name, reason = await api_keys.why_refused(connection, credentials.credentials)
                await _note_refusal(request, connection, audit.Origin(address, name), reason, None)
            raise problems.no_key()
        origin = audit.Origin(address, found.key_name)
        if permission not in found.permissions:
            await _note_refusal(request, connection, origin, f"may not {permission}", found.actor)
            raise problems.not_permitted(permission)
        audit.came_from(origin)
        return found

    caller.__name__ = f"requires_{permission.value}"
    return caller


async def _note_refusal(
    request: Request, connection: AsyncConnection, origin: audit.Origin, reason: str, actor: str | None
) -> None:
    """Put a refused key into the trail, unless a line of the last minute stands for it; nothing else is written yet."""
    told = request.app.state.refused_keys.note(origin.address, reason)
    if told is None:
        return
    route = request.scope.get("route")
    with audit.coming_from(origin):
        await audit.record(
            connection,
            actor=actor or "nobody",
            action="key.refused",
            subject_kind=api_keys.SUBJECT,
            subject=origin.key_name or "unknown",
            after={"reason": reason, "method": request.method, "route": getattr(route, "path", "unknown"), **told},
        )
    # The refusal itself ends the transaction without a trace.
    await connection.commit()


_read = requires(Permission.READ)


async def reads_public_messages(
    request: Request,
    connection: Connection,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> None:
    """Whoever may read; anybody where the city publishes its messages to all."""
    if not request.app.state.cap_public:
        await _read(request, connection, credentials)


PublicReader = Annotated[None, Depends(reads_public_messages)]
Reader = Annotated[Caller, Depends(requires(Permission.READ))]
Operator = Annotated[Caller, Depends(requires(Permission.OPERATE))]
Approver = Annotated[Caller, Depends(requires(Permission.APPROVE))]
Reporter = Annotated[Caller, Depends(requires(Permission.REPORT))]
Handler = Annotated[Caller, Depends(requires(Permission.HANDLE))]
Auditor = Annotated[Caller, Depends(requires(Permission.AUDIT))]
Administrator = Annotated[Caller, Depends(requires(Permission.ADMINISTER))]
