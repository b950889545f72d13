"""``fields``: lists with the fields alone that are asked for, for callers that want a few of many."""

import asyncio
from collections.abc import Iterable
from typing import Any, get_args
from urllib.parse import parse_qsl

import msgspec
from fastapi import Request, status
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api import problems
from services.api.page_links import is_page

PARAMETER = "fields"
_BLOCKING_BYTES = 1 << 18
"""A larger answer is chosen from beside the loop that serves everybody else."""
_BELONGS_TO_BODY = frozenset({b"content-length"})


def names_asked(query: Iterable[tuple[str, str]]) -> frozenset[str]:
    """The fields that a query asks for; none where it does not use the parameter."""
    return frozenset(name.strip() for key, value in query if key == PARAMETER for name in value.split(","))


def names_there(page: Any) -> frozenset[str]:
    """The fields of the things in a page, by their names in the answer."""
    item = get_args(page.model_fields["items"].annotation)[0]
    return frozenset(field.serialization_alias or name for name, field in item.model_fields.items())


async def known_fields(request: Request) -> None:
    """Refuse names that the things of a list do not have, before anything is read.

    Raises:
        Problem: 422, with the names that there are.
    """
    page = getattr(request.scope.get("route"), "response_model", None)
    if not is_page(page):
        return
    asked, there = names_asked(request.query_params.multi_items()), names_there(page)
    if unknown := sorted(asked - there):
        known = ", ".join(sorted(there))
        raise problems.not_valid(PARAMETER, f"there is no field {unknown[0]!r} here; there are {known}")


def describe(operation: dict[str, Any], models: dict[str, Any]) -> None:
    """Add the parameter and the shorter answers to the description of a route that answers with a page."""
    answer = operation["responses"]["200"]["content"]["application/json"]
    page = models[_name(answer["schema"])]
    item = models[_name(page["properties"]["items"]["items"])]
    names = {"type": "string", "enum": sorted(item["properties"])}
    shorter = page["properties"] | {"items": {"type": "array", "items": {"type": "object", "propertyNames": names}}}
    answer["schema"] = {"anyOf": [answer["schema"], {"type": "object", "properties": shorter, "required": ["items"]}]}
    operation.setdefault("parameters", []).append(
        {
            "name": PARAMETER,
            "in": "query",
            "required": False,
            "style": "form",
            "explode": False,
            "schema": {"type": "array", "items": names, "minItems": 1},
            "description": "only these fields of each thing, by commas; all where it is left out",
        }
    )


def _name(reference: dict[str, str]) -> str:
    return reference["$ref"].rpartition("/")[2]


class ChosenFields:
    """Takes from the things of a page what was not asked for."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on but a page, of which fields were asked for."""
        if scope["type"] != "http" or not (asked := _asked(scope)):
            await self._app(scope, receive, send)
            return
        # A page that a route packs itself could not be read; what stands around this packs the rest of it.
        scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        head: Message | None = None

        async def chosen(message: Message) -> None:
            nonlocal head
            if message["type"] == "http.response.start" and message["status"] == status.HTTP_200_OK and _is_list(scope):
                head = message
                return
            if head is not None:
                message["body"] = await _chosen(message["body"], asked)
                kept = [(name, value) for name, value in head["headers"] if name.lower() not in _BELONGS_TO_BODY]
                head["headers"] = [*kept, (b"content-length", str(len(message["body"])).encode())]
                held, head = head, None
                await send(held)
            await send(message)

        await self._app(scope, receive, chosen)


def _asked(scope: Scope) -> frozenset[str]:
    return names_asked(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))


def _is_list(scope: Scope) -> bool:
    return is_page(getattr(scope.get("route"), "response_model", None))


async def _chosen(body: bytes, asked: frozenset[str]) -> bytes:
    if len(body) < _BLOCKING_BYTES:
        return _choose(body, asked)
    return await asyncio.to_thread(_choose, body, asked)


def _choose(body: bytes, asked: frozenset[str]) -> bytes:
    page = msgspec.json.decode(body)
    page["items"] = [{name: value for name, value in item.items() if name in asked} for item in page["items"]]
    return msgspec.json.encode(page)
