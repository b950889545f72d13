"""The city's register from a folder in a zip: what it would change, and then exactly that."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

import psycopg
from fastapi import APIRouter, Header, Request

from services.api import problems
from services.api.preconditions import LONGEST_TAGS
from services.api.register_answers import RegisterImportAnswer, import_answer
from services.api.security import Administrator
from services.core.checked_rows import CityFolderError
from services.core.city_archive import LARGEST_ARCHIVE_BYTES, CityArchiveError, read_city_archive
from services.core.city_folder import CityFolder
from services.core.store import register_import
from services.core.store.register_import import RegisterChangedError, RegisterImport

router = APIRouter(tags=["register"])
_ZIP: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_LONGEST_BODY = LARGEST_ARCHIVE_BYTES + 1


@router.post(
    "/register/preview",
    summary="What an import of a city folder would change",
    max_body_size=_LONGEST_BODY,
    openapi_extra=_ZIP,
)
async def preview_import(request: Request, _: Administrator) -> RegisterImportAnswer:
    """The body is a zip of the city folder, at most 10 MiB. Nothing is changed and nothing is kept.

    Of what is wrong in its files everything is answered, with file, line and field. `fingerprint` names what was shown.
    """
    return await _of_zip(request, register_import.look_at)


@router.post(
    "/register/import",
    summary="Import a city folder as it was shown",
    responses=problems.documented(412),
    max_body_size=_LONGEST_BODY,
    openapi_extra=_ZIP,
)
async def import_register(
    request: Request,
    caller: Administrator,
    seen: Annotated[
        str,
        Header(alias="If-Match", max_length=LONGEST_TAGS, description="the `fingerprint` of the preview, in quotes"),
    ],
) -> RegisterImportAnswer:
    """The same zip again: what the preview has shown is done, all of it or nothing, and running services take it over.

    Where the file or the register is another one by now, so that other things would change, it is refused with 412.
    """

    def apply(connection: psycopg.Connection, city: CityFolder, content: bytes) -> RegisterImport:
        return register_import.apply(connection, city, content, seen=seen.strip().strip('"'), actor=caller.actor)

    return await _of_zip(request, apply)


async def _of_zip(
    request: Request, deed: Callable[[psycopg.Connection, CityFolder, bytes], RegisterImport]
) -> RegisterImportAnswer:
    content = await request.body()
    database_url: str = request.app.state.database_url

    def done() -> RegisterImportAnswer:
        archive = read_city_archive(content)
        # A connection of its own: the register is written in one go beside the loop, as the command does it.
        with psycopg.connect(database_url) as connection:
            return import_answer(deed(connection, archive.city, content), list(archive.ignored))

    try:
        async with request.app.state.register_imports:
            return await asyncio.to_thread(done)
    except CityArchiveError as error:
        raise problems.not_valid("body", str(error)) from None
    except CityFolderError as error:
        raise problems.wrong_rows(error.faults) from None
    except RegisterChangedError:
        raise problems.register_changed() from None
