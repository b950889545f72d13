"""Entities as SensorThings writes them: with links to themselves, to what is related and to the next page."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import quote, urlencode

from services.core.sensorthings.query_options import QueryOptions
from services.core.sensorthings.tokens import QueryNotValidError, address_part
from services.core.store.sensorthings.entities import SETS, EntitySet
from services.core.store.sensorthings.statement import COUNT, ID, Found

_NEXT = "@iot.nextLink"
_SELF = "@iot.selfLink"
_NAVIGATION = "@iot.navigationLink"
_PLAIN = "$(),;'/=:"
_COMPONENTS = ("id", "phenomenonTime", "resultTime", "result", "resultQuality")


def address_of(root: str, entities: EntitySet, identifier: str) -> str:
    """The address of one entity."""
    return f"{root}/{address_part(entities.name, identifier)}"


def collection(root: str, here: str, entities: EntitySet, found: Found, options: QueryOptions) -> dict[str, Any]:
    """A page of entities; ``here`` is its address without options."""
    page, link = _page(found.entities, here, options)
    answer: dict[str, Any] = {} if found.count is None else {COUNT: found.count}
    answer |= {} if link is None else {_NEXT: link}
    return answer | {"value": [entity(root, entities, one, options) for one in page]}


def entity(root: str, entities: EntitySet, found: Mapping[str, Any], options: QueryOptions) -> dict[str, Any]:
    """One entity with what was asked to stand in it."""
    address = address_of(root, entities, found[ID])
    wanted = set(options.select)
    answer: dict[str, Any] = {}
    if not wanted or wanted & {"id", ID}:
        answer = {ID: found[ID], _SELF: address}
    answer |= {name: found[name] for name in entities.properties if name in found}
    for name, relation in entities.relations.items():
        if name in options.expand:
            inner = found[name]
            if isinstance(inner, list):
                answer |= _related(root, f"{address}/{name}", SETS[relation.target], found, options.expand[name])
            else:
                answer[name] = inner and entity(root, SETS[relation.target], inner, options.expand[name])
        elif not wanted or name in wanted:
            answer[f"{name}{_NAVIGATION}"] = f"{address}/{name}"
    return answer


def _related(
    root: str, here: str, target: EntitySet, found: Mapping[str, Any], options: QueryOptions
) -> dict[str, Any]:
    """What many stand behind a relation, whose name ends the address ``here``."""
    name = here.rpartition("/")[2]
    page, link = _page(found[name], here, options)
    answer: dict[str, Any] = {f"{name}{COUNT}": found[f"{name}{COUNT}"]} if options.count else {}
    answer[name] = [entity(root, target, one, options) for one in page]
    return answer if link is None else answer | {f"{name}{_NEXT}": link}


def _page(
    found: Sequence[Mapping[str, Any]], here: str, options: QueryOptions
) -> tuple[Sequence[Mapping[str, Any]], str | None]:
    """What belongs to the page, and the link to the next one if there is more."""
    if len(found) <= options.top or options.top == 0:
        return found[: options.top], None
    given = options.given | {"$skip": str(options.skip + options.top)}
    written = urlencode(given, quote_via=quote, safe=_PLAIN)
    return found[: options.top], f"{here}?{written}"


def data_array(root: str, here: str, found: Found, options: QueryOptions) -> dict[str, Any]:
    """Observations as rows of each Datastream (18-088, section 12.1): a tenth of the text.

    Raises:
        QueryNotValidError: the rows are to hold more than their own properties.
    """
    if set(options.expand) - {"Datastream"} or (
        "Datastream" in options.expand and options.expand["Datastream"].given.keys() - {"$select"}
    ):
        raise QueryNotValidError("$expand", "nothing stands in a data array but the Observations' own properties")
    components = [name for name in _COMPONENTS if not options.select or name in {*options.select, _id_of(options)}]
    page, link = _page(found.entities, here, options)
    answer: dict[str, Any] = {} if found.count is None else {COUNT: found.count}
    answer |= {} if link is None else {_NEXT: link}
    return answer | {"value": list(_arrays(root, page, components))}


def _id_of(options: QueryOptions) -> str:
    return "id" if ID in options.select else ""


def _arrays(root: str, page: Sequence[Mapping[str, Any]], components: Sequence[str]) -> Iterator[dict[str, Any]]:
    for stream, rows in groupby(page, key=lambda one: str(one["Datastream"][ID])):
        array = [[one[ID if name == "id" else name] for name in components] for one in rows]
        yield {
            f"Datastream{_NAVIGATION}": address_of(root, SETS["Datastreams"], stream),
            "components": list(components),
            f"dataArray{COUNT}": len(array),
            "dataArray": array,
        }
