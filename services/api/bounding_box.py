"""A box in degrees as the text of a request's parameter."""

from typing import Annotated

from fastapi import Query

from services.api import problems

BoxText = Annotated[str | None, Query(description="west,south,east,north in degrees", max_length=200)]
_WORLD = (-180.0, -90.0, 180.0, 90.0)


def read_box(text: str | None) -> tuple[float, float, float, float] | None:
    """West, south, east, north; ``None`` for no text.

    Raises:
        Problem: it is not four numbers, or not a box on the globe.
    """
    if text is None:
        return None
    try:
        parts = [float(part) for part in text.split(",")]
    except ValueError:
        parts = []
    if len(parts) != len(_WORLD) or not _within_the_world(*parts):
        raise problems.not_valid("query.bbox", "four numbers `west,south,east,north` in degrees")
    return parts[0], parts[1], parts[2], parts[3]


def _within_the_world(west: float, south: float, east: float, north: float) -> bool:
    return _WORLD[0] <= west <= east <= _WORLD[2] and _WORLD[1] <= south <= north <= _WORLD[3]
