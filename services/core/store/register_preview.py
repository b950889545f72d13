"""What an import would change in the register: it is done, compared, and taken back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from services.core.city_folder import CityFolder
from services.core.store.register import save_city

_PARTS: Mapping[str, str] = {
    "organisation": "id",
    "person": "id",
    "zone": "id",
    "asset": "id",
    "link": "source || ' → ' || target || ' (' || kind || ')'",
    "sensor": "id",
    "low_point": "asset",
    "works_permit": "id",
}
"""The tables that a folder fills, and what names a row for a person."""
_DERIVED = ("key", "extent")


@dataclass(frozen=True, slots=True)
class RegisterChange:
    """A row that would come or be another one; ``before`` is ``None`` for what comes."""

    part: str
    name: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any]

    def fields(self) -> Iterator[tuple[str, Any, Any]]:
        """What would differ: field, before, after; members of properties by themselves."""
        before = self.before or {}
        for field in sorted({*before, *self.after}):
            old, new = before.get(field), self.after.get(field)
            if old == new:
                continue
            if isinstance(old, dict) and isinstance(new, dict):
                for member in sorted({*old, *new}):
                    if old.get(member) != new.get(member):
                        yield f"{field}.{member}", old.get(member), new.get(member)
            else:
                yield field, old, new


@dataclass(frozen=True, slots=True)
class RegisterPreview:
    """What would change, and by part how many rows there are now. An import takes nothing away."""

    changes: Sequence[RegisterChange]
    registered: Mapping[str, int]

    def added(self, part: str) -> int:
        """How many rows would come."""
        return sum(change.part == part and change.before is None for change in self.changes)

    def changed(self, part: str) -> int:
        """How many rows would be others."""
        return sum(change.part == part and change.before is not None for change in self.changes)

    def unchanged(self, part: str) -> int:
        """How many rows would stay as they are."""
        return self.registered[part] - self.changed(part)


def preview_city(connection: Connection, city: CityFolder) -> RegisterPreview:
    """What ``save_city`` would change; the register stays as it is, and nobody is told.

    Raises:
        CityFolderError: it would be refused.
    """
    rows = " union all ".join(
        f"select '{part}' as part, {name} as name, to_jsonb({part}) - %(derived)s::text[] as row from {part}"
        for part, name in _PARTS.items()
    )
    derived = {"derived": list(_DERIVED)}
    with connection.transaction(force_rollback=True):
        connection.execute(f"create temp table register_before on commit drop as {rows}".encode(), derived)
        save_city(connection, city)
        found = connection.execute(
            f"""
            select part, name, earlier.row, later.row from ({rows}) later
            left join register_before earlier using (part, name)
            where earlier.row is distinct from later.row order by part, name
            """.encode(),
            derived,
        ).fetchall()
        counts: dict[str, int] = dict(connection.execute("select part, count(*) from register_before group by part"))
    return RegisterPreview([RegisterChange(*row) for row in found], {part: counts.get(part, 0) for part in _PARTS})
