"""To which part of the city a user or a key is confined."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.core.lifeline import Lifeline


def _named(names: Iterable[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)


@dataclass(frozen=True, slots=True)
class Limits:
    """Organisations, lifelines and zones, each a set or ``None`` for all; a thing must fall within all three."""

    organisations: frozenset[str] | None = None
    lifelines: frozenset[Lifeline] | None = None
    zones: frozenset[str] | None = None

    @classmethod
    def of(
        cls,
        organisations: Iterable[str] | None,
        lifelines: Iterable[str] | None,
        zones: Iterable[str] | None,
    ) -> "Limits":
        """Limits from plain names.

        Raises:
            ValueError: a lifeline is unknown.
        """
        known = None if lifelines is None else frozenset(Lifeline(name) for name in lifelines)
        return cls(_named(organisations), known, _named(zones))

    @property
    def is_city_wide(self) -> bool:
        """Whether nothing is out of reach."""
        return self.organisations is None and self.lifelines is None and self.zones is None

    def names(self) -> Mapping[str, list[str] | None]:
        """The limits as they are stored and shown, each sorted."""
        parts = {"organisations": self.organisations, "lifelines": self.lifelines, "zones": self.zones}
        return {part: None if names is None else sorted(names) for part, names in parts.items()}


CITY_WIDE = Limits()
