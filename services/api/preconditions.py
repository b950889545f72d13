"""``ETag`` and ``If-Match``: whoever changes a thing can say which version of it they have seen."""

from fastapi import Request, Response
from psycopg import AsyncConnection

from services.api import problems
from services.core.store.row_versions import VERSIONED, version_of

LONGEST_TAGS = 200


def versioned(path: str) -> str | None:
    """Which thing with a version a route is about: the first that its path names."""
    named = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return named[0] if named and named[0] in VERSIONED else None


def _shows(path: str, thing: str) -> bool:
    """Whether a path is that of the thing, or of its part that is changed on its own."""
    return path.removesuffix("/thresholds").endswith(f"{{{thing}}}")


async def check(request: Request, response: Response, connection: AsyncConnection, path: str) -> None:
    """Answer with the version of the one thing that is shown; refuse a change of another version than was seen.

    The row stays locked until the change is made, so that the version cannot pass in between.

    Raises:
        Problem: 412, the thing is at another version now, or is not there to be replaced; 422, that is no version.
    """
    thing = versioned(path)
    if thing is None:
        return
    name = str(request.path_params[thing])
    if request.method == "GET":
        if _shows(path, thing) and (found := await version_of(connection, thing, name)) is not None:
            # Taken before the thing is read: a change in between makes the tag too old, never too new.
            response.headers["ETag"] = f'"{found}"'
        return
    wanted = request.headers.get("if-match")
    if wanted is None:
        return
    if len(wanted) > LONGEST_TAGS:
        raise problems.not_valid("header.if-match", f"at most {LONGEST_TAGS} characters")
    found = await version_of(connection, thing, name, lock=True)
    if found is None and request.method == "PUT":
        raise problems.changed_since(None)
    tags = [tag.strip() for tag in wanted.split(",")]
    if found is not None and "*" not in tags and f'"{found}"' not in tags:
        raise problems.changed_since(found)
