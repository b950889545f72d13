"""OGC SensorThings 1.1 for reading, below ``/sta/v1.1``."""

from typing import Annotated, Any
from urllib.parse import parse_qsl

import psycopg
from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from psycopg import AsyncConnection

from services.api import problems
from services.api.security import Connection, Reader
from services.api.sensorthings.answer import collection, data_array, entity
from services.api.sensorthings.service_root import service_root
from services.core.sensorthings.query_options import QueryOptions, parse_options
from services.core.sensorthings.resource_path import Step, parse_path
from services.core.sensorthings.tokens import QueryNotValidError, address_part
from services.core.store.sensorthings.entities import SETS
from services.core.store.sensorthings.statement import Walked, ask, exists, within_budget

PREFIX = "/sta/v1.1"
router = APIRouter(prefix=PREFIX, tags=["sensorthings"])

_ERRORS = problems.documented(400, 404)
_OPTIONS = [
    {"name": name, "in": "query", "required": False, "description": text, "schema": {"type": "string"}}
    for name, text in (
        ("$filter", "for example `properties/lifeline eq 'gas' and startswith(name,'A')`"),
        (
            "$expand",
            "for example `Datastreams($expand=Observations($top=1;$orderby=phenomenonTime desc))`",
        ),
        ("$select", "names of properties, with commas"),
        ("$orderby", "properties, with commas, each with `asc` or `desc` behind it"),
        ("$top", "so many at the most, up to 1000"),
        ("$skip", "so many are left out first"),
        ("$count", "`true`: says how many there are in all"),
        ("$resultFormat", "`dataArray`: Observations as rows"),
    )
]
PathBelow = Annotated[str, Path(description="for example `Things`, `Datastreams('S1')/Observations`")]


def _root_of(request: Request) -> str:
    base: str = request.app.state.api_url or str(request.base_url)
    return base.rstrip("/") + PREFIX


@router.get("", summary="SensorThings: entity sets and what is conformed to")
async def get_root(request: Request, _: Reader) -> dict[str, Any]:
    """The service root of OGC SensorThings 1.1, for reading."""
    return service_root(_root_of(request))


@router.get(
    "/{path:path}",
    summary="SensorThings: entities",
    response_model=dict[str, Any],
    responses=_ERRORS,
    openapi_extra={"parameters": _OPTIONS},
)
async def get_path(path: PathBelow, request: Request, connection: Connection, _: Reader) -> Response:
    """Things, Locations, Datastreams, Sensors, ObservedProperties, Observations and FeaturesOfInterest, by any path."""
    if not path:
        return JSONResponse(service_root(_root_of(request)))
    try:
        steps = parse_path(path)
        options = within_budget(parse_options(parse_qsl(request.url.query, keep_blank_values=True)))
        return await _answer(connection, _root_of(request), steps, options)
    except QueryNotValidError as error:
        raise problems.not_understood(error.option, str(error)) from None
    except psycopg.DataError as error:
        raise problems.not_understood("query", str(error).splitlines()[0]) from None
    except psycopg.errors.QueryCanceled:
        raise problems.not_understood(
            "query", "takes the database too long: ask for less, or of fewer Datastreams"
        ) from None


async def _answer(connection: AsyncConnection, root: str, steps: tuple[Step, ...], options: QueryOptions) -> Response:
    walked, rest = _walk(steps)
    if not rest:
        return await _entities(connection, root, walked, options)
    name = rest[0].name
    if name == "$ref" and len(rest) == 1:
        options.select, options.expand = ("id",), {}
        return await _entities(connection, root, walked, options, links_alone=True)
    entities = walked[-1].entities
    is_value = [step.name for step in rest[1:]] == ["$value"]
    if _is_collection(walked) or name not in entities.properties or rest[0].id or (rest[1:] and not is_value):
        raise problems.not_found("path", "/".join(step.name for step in steps))
    found = await ask(connection, walked, QueryOptions(select=(name,), top=1))
    if not found.entities:
        raise problems.not_found("entity", entities.singular)
    value = found.entities[0][name]
    return PlainTextResponse(str(value)) if is_value else JSONResponse({name: value})


def _is_collection(walked: list[Walked]) -> bool:
    last = walked[-1]
    return last.id is None and (last.by is None or last.by.is_many)


def _walk(steps: tuple[Step, ...]) -> tuple[list[Walked], tuple[Step, ...]]:
    """The steps that lead to entities, and what is asked of them there."""
    first = steps[0]
    if first.name not in SETS:
        raise problems.not_found("entity set", first.name)
    walked = [Walked(first.name, SETS[first.name], first.id)]
    for number, step in enumerate(steps[1:], start=1):
        relation = walked[-1].entities.relations.get(step.name)
        if relation is None or _is_collection(walked):
            return walked, steps[number:]
        if step.id is not None and not relation.is_many:
            raise problems.not_found("path", f"{step.name}({step.id})")
        walked.append(Walked(step.name, SETS[relation.target], step.id, relation))
    return walked, ()


async def _entities(
    connection: AsyncConnection, root: str, walked: list[Walked], options: QueryOptions, *, links_alone: bool = False
) -> Response:
    entities = walked[-1].entities
    here = root + "/" + "/".join(_written(step) for step in walked)
    if options.data_array and (entities.name != "Observations" or not _is_collection(walked)):
        raise QueryNotValidError("$resultFormat", "dataArray is for Observations")
    if not _is_collection(walked):
        found = await ask(connection, walked, options)
        if not found.entities:
            raise problems.not_found("entity", f"{entities.singular} {walked[-1].id or ''}".strip())
        one = entity(root, entities, found.entities[0], options)
        return JSONResponse({"@iot.selfLink": one["@iot.selfLink"]} if links_alone else one)
    if len(walked) > 1 and not await exists(connection, walked[:-1]):
        raise problems.not_found("entity", f"{walked[-2].entities.singular} {walked[-2].id or ''}".strip())
    if options.data_array:
        options.expand.setdefault("Datastream", QueryOptions(select=("id",)))
        return JSONResponse(data_array(root, here, await ask(connection, walked, options), options))
    answer = collection(root, here, entities, await ask(connection, walked, options), options)
    if links_alone:
        answer["value"] = [{"@iot.selfLink": one["@iot.selfLink"]} for one in answer["value"]]
    return JSONResponse(answer)


def _written(step: Walked) -> str:
    return step.name if step.id is None else address_part(step.name, step.id)
