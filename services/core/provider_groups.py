"""What a person may do here, from the groups that an identity provider puts them in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.core.limits import Limits
from services.core.role import Role

_PARTS = ("organisations", "lifelines", "zones")


@dataclass(frozen=True, slots=True)
class ProviderGroups:
    """Which roles each group has, and to what it is confined; ``claim`` says where a token names the groups.

    Raises:
        ValueError: a role, a lifeline or a part of the limits is unknown.
    """

    claim: str = "groups"
    roles: Mapping[str, Sequence[str]] = field(default_factory=dict)
    limits: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for names in self.roles.values():
            for name in names:
                Role(name)
        for parts in self.limits.values():
            if unknown := set(parts) - set(_PARTS):
                raise ValueError(f"{min(unknown)!r} is none of {', '.join(_PARTS)}")
            _limits_of([parts])

    def groups_in(self, claims: Mapping[str, Any]) -> list[str]:
        """The groups that a token names; dots in the claim's name lead into objects, as in ``realm_access.roles``."""
        found: Any = claims
        for part in self.claim.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        if isinstance(found, str):
            return [found]
        return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []

    def roles_of(self, groups: Iterable[str]) -> frozenset[Role]:
        """The roles of all groups together; none where nobody here knows any of them."""
        return frozenset(Role(name) for group in groups for name in self.roles.get(group, ()))

    def limits_of(self, groups: Iterable[str]) -> Limits:
        """The widest of the limits of those groups that give a role: what any of them opens is open."""
        return _limits_of([self.limits.get(group, {}) for group in groups if self.roles.get(group)])


def _limits_of(groups: Sequence[Mapping[str, Sequence[str]]]) -> Limits:
    widest = {
        part: None if any(part not in group for group in groups) else {name for group in groups for name in group[part]}
        for part in _PARTS
    }
    return Limits.of(widest["organisations"], widest["lifelines"], widest["zones"])
