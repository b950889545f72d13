"""Who asks something of the API."""

from dataclasses import dataclass

from services.core.limits import CITY_WIDE, Limits
from services.core.permission import Permission
from services.core.role import Role


@dataclass(frozen=True, slots=True)
class Caller:
    """A user or whoever presented a key: as whom they act, what they may do, and within which limits.

    ``key_name`` names the key in the audit trail; ``user:NAME`` stands there for a user's session. ``roles`` and
    ``label`` are a user's.
    """

    actor: str
    permissions: frozenset[Permission]
    key_name: str = ""
    limits: Limits = CITY_WIDE
    roles: frozenset[Role] = frozenset()
    label: str = ""

    @property
    def is_user(self) -> bool:
        """Whether a person logged in, instead of a key that was presented."""
        return bool(self.roles)
