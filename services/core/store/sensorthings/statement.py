"""One statement for a whole question: the database writes the entities with all that was asked to stand in them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from psycopg import AsyncConnection

from services.core.sensorthings.query_options import QueryOptions
from services.core.sensorthings.tokens import QueryNotValidError
from services.core.store.sensorthings.condition import Names, condition, ordering
from services.core.store.sensorthings.entities import SETS, EntitySet, Kind, Relation

ID = "@iot.id"
COUNT = "@iot.count"
_LONGEST_S = 8
_MOST_ENTITIES = 50_000
"""One answer holds no more of the innermost; what is left out is behind links."""


@dataclass(frozen=True, slots=True)
class Walked:
    """One step of a path that leads to entities: what it is called there, which one of them, and how it leads there."""

    name: str
    entities: EntitySet
    id: str | None = None
    by: Relation | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Entities as JSON objects, one more than asked for where there are more; ``count`` of all, if it was asked for."""

    entities: list[dict[str, Any]]
    count: int | None


async def ask(connection: AsyncConnection, walked: Sequence[Walked], options: QueryOptions) -> Found:
    """The entities that a path leads to and options ask for.

    Raises:
        QueryNotValidError: an option names what is not there.
        psycopg.errors.QueryCanceled: it takes the database too long.
    """
    names = Names()
    alias = names.alias()
    entities = walked[-1].entities
    where = _where(walked, alias, names)
    if options.filter is not None:
        where += " and " + condition(entities, alias, options.filter, names)
    rows = _ordered(entities, alias, where, options, names)
    counted = f"select count(*) from ({entities.source}) {alias} where {where}" if options.count else "select null"
    statement = f"select ({counted}), (select coalesce(json_agg(one), '[]') from ({rows}) page)"
    await connection.execute(f"set local statement_timeout = {_LONGEST_S * 1000}")
    cursor = await connection.execute(statement.encode(), names.parameters)
    row = await cursor.fetchone()
    if row is None:
        raise AssertionError("a statement without from has one row")
    return Found(row[1], row[0])


async def exists(connection: AsyncConnection, walked: Sequence[Walked]) -> bool:
    """Whether a path leads to something; relations of nothing are not there."""
    names = Names()
    alias = names.alias()
    source = walked[-1].entities.source
    cursor = await connection.execute(
        f"select exists (select from ({source}) {alias} where {_where(walked, alias, names)})".encode(),
        names.parameters,
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


def within_budget(options: QueryOptions, beside: int = 1) -> QueryOptions:
    """The options with pages short enough that all of them together stay within what one answer holds."""
    top = min(options.top, max(1, _MOST_ENTITIES // beside))
    expand = {name: within_budget(inner, beside * max(1, top)) for name, inner in options.expand.items()}
    return replace(options, top=top, expand=expand)


def _where(walked: Sequence[Walked], alias: str, names: Names) -> str:
    """What the steps of a path say of the entities at its end."""
    step, before = walked[-1], walked[:-1]
    parts = []
    if step.id is not None:
        read = step.entities.read_id(step.id)
        if read is None:
            return "false"
        name = names.keep(list(read) if isinstance(read, tuple) else read)
        parts.append(step.entities.by_id.format(near=alias, id=name))
    if before and step.by is not None:
        outer = names.alias()
        inner = _where(before, outer, names)
        # A path leads on from one entity alone, and equality with one value lets the key of the readings be used.
        one = f"(select {outer}.{step.by.near} from ({before[-1].entities.source}) {outer} where {inner})"
        parts.append(f"{alias}.{step.by.far} = {one}")
    return " and ".join(parts) or "true"


def _ordered(entities: EntitySet, alias: str, where: str, options: QueryOptions, names: Names) -> str:
    """A statement that yields each entity of a page, and the one behind it, as a column ``one``."""
    order = [
        f"{ordering(entities, alias, part.by, names)} {'desc' if part.descending else 'asc'}"
        for part in options.orderby
    ]
    # Without this a page could repeat what the one before it ended with.
    order += [f"{alias}.{column}" for column in entities.order]
    return f"""select {_object(entities, alias, options, names)} as one from ({entities.source}) {alias}
        where {where} order by {", ".join(order)} limit {options.top + 1} offset {options.skip}"""


def _object(entities: EntitySet, alias: str, options: QueryOptions, names: Names) -> str:
    """An entity as JSON. The identifier is always there, for its links are made of it."""
    pairs = [f"'{ID}', {alias}.id"]
    wanted = _selected(entities, options)
    pairs += [
        f"'{name}', {_written(alias, column, kind)}"
        for name, (column, kind) in entities.properties.items()
        if name in wanted
    ]
    for name, inner in options.expand.items():
        relation = entities.relations.get(name)
        if relation is None:
            raise QueryNotValidError("$expand", f"{entities.name} have no relation {name!r}")
        pairs += _expanded(relation, name, alias, inner, names)
    return f"json_build_object({', '.join(pairs)})"


def _selected(entities: EntitySet, options: QueryOptions) -> frozenset[str]:
    known = entities.properties.keys() | entities.relations.keys() | {"id", ID}
    for name in options.select:
        if name not in known:
            raise QueryNotValidError("$select", f"{entities.name} have no property {name!r}")
    return frozenset(options.select or entities.properties)


def _written(alias: str, column: str, kind: Kind) -> str:
    if kind is Kind.MOMENT:
        return f"""to_char({alias}.{column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
    return f"{alias}.{column}"


def _expanded(relation: Relation, name: str, alias: str, options: QueryOptions, names: Names) -> list[str]:
    """The pairs of an object that hold what a relation leads to."""
    target, far = SETS[relation.target], names.alias()
    where = relation.joins(alias, far)
    if options.filter is not None:
        where += " and " + condition(target, far, options.filter, names)
    if not relation.is_many:
        one = _object(target, far, options, names)
        return [f"'{name}', (select {one} from ({target.source}) {far} where {where})"]
    rows = _ordered(target, far, where, options, names)
    page = f"'{name}', (select coalesce(json_agg({far}page.one), '[]') from ({rows}) {far}page)"
    count = f"'{name}{COUNT}', (select count(*) from ({target.source}) {far} where {where})"
    return [page, count] if options.count else [page]
