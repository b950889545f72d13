"""Where a request's path leads: ``Things('a')/Datastreams``, ``Datastreams('b')/Thing/name/$value``."""

import re
from dataclasses import dataclass

from services.core.sensorthings.tokens import QueryNotValidError, split_outside, unquoted

_STEP = re.compile(r"(?P<name>[A-Za-z$]+)(?:\((?P<id>'(?:[^']|'')*'|[^'()]+)\))?")
_LONGEST = 12


@dataclass(frozen=True, slots=True)
class Step:
    """One part of a path: an entity set, a relation, a property, ``$value``, ``$ref``; perhaps with an identifier."""

    name: str
    id: str | None = None


def parse_path(path: str) -> tuple[Step, ...]:
    """The steps of a path below the service root.

    Raises:
        QueryNotValidError: it is none.
    """
    parts = split_outside(path.strip("/"), "/", "path")
    if len(parts) > _LONGEST:
        raise QueryNotValidError("path", f"longer than {_LONGEST} steps")
    return tuple(_step(part) for part in parts)


def _step(text: str) -> Step:
    match = _STEP.fullmatch(text)
    if match is None:
        raise QueryNotValidError("path", f"{text!r} is no step of a path")
    identifier = match["id"]
    if identifier is not None and identifier.startswith("'"):
        identifier = unquoted(identifier)
    return Step(match["name"], identifier)
