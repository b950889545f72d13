"""Where material and equipment lie (应急物资)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.core.text import Text


@dataclass(frozen=True, slots=True)
class Material:
    """So much of something; ``stock`` is in ``unit``, as it was last counted."""

    id: str
    name: Text
    stock: float
    unit: str
    counted_at: datetime
    counted_by: str


@dataclass(frozen=True, slots=True)
class Depot:
    """A place where an organisation keeps material, and from which its crews start; longitude, latitude (WGS 84)."""

    id: str
    organisation: str
    name: Text
    position: tuple[float, float]
    materials: Sequence[Material] = ()
    version: int | None = None
    """Another one after each change; ``None``: it is not kept yet."""
