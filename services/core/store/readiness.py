"""Whether a database can serve: its schema, whether it takes changes, and what came in last."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncConnection

from services.core.store import current_values


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a database says of itself; ``schema`` is ``None`` where nothing was migrated yet."""

    schema: str | None
    takes_changes: bool
    newest_reading: datetime | None = None
    last_received_at: datetime | None = None

    def reason_against(self, schema: str) -> str | None:
        """Why a service that needs this schema cannot be served; ``None``: it can."""
        if self.schema != schema:
            return f"the schema is {self.schema or 'empty'} but this version needs {schema}: run `lifeline migrate`"
        return None if self.takes_changes else "the database takes no changes (a standby, or read-only)"


async def look(connection: AsyncConnection, schema: str) -> Readiness:
    """The database now; readings are looked for only in the ``schema`` that this version knows."""
    cursor = await connection.execute(
        "select to_regclass('alembic_version') is not null, current_setting('transaction_read_only') = 'off'"
    )
    is_there, takes_changes = await cursor.fetchone() or (False, False)
    found = None
    if is_there:
        cursor = await connection.execute("select version_num from alembic_version")
        row = await cursor.fetchone()
        found = None if row is None else str(row[0])
    if found != schema:
        return Readiness(found, takes_changes)
    return Readiness(found, takes_changes, *await current_values.newest_time(connection))
