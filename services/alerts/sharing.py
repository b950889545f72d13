"""Who should own which share of the feed. Pure, so that every process comes to the same answer."""

from collections.abc import Mapping, Sequence
from hashlib import sha256

from services.core.store.shares import SHARES, Census

_TOLERATED = 0.2
"""Part of the fair load by which members may differ before shares are moved: moving one costs a second of judging."""
_EMPTY = 0.001
"""What a share weighs beside the sensors in it, so that empty ones are divided too."""


def share_of(unit: str) -> int:
    """The share to which a zone or a supply belongs, for ever the same."""
    return int.from_bytes(sha256(unit.encode()).digest()[:4]) % SHARES


def fair_owners(census: Census) -> dict[int, str]:
    """An owner for every share: as now where that is fair enough, the lightest member for what nobody owns.

    Empty without members. Shares are moved one by one from a heavy member to the lightest, each time the one that evens
    these two out best, until they differ by little or no share is small enough to help.
    """
    if not census.members:
        return {}
    weights = {share: weight + _EMPTY for share, weight in census.weights.items()}
    owners = {share: owner for share, owner in census.owners.items() if owner is not None}
    loads = dict.fromkeys(census.members, 0.0)
    for share, owner in owners.items():
        loads[owner] += weights[share]
    orphans = [share for share, owner in census.owners.items() if owner is None]
    for share in sorted(orphans, key=lambda share: (-weights[share], share)):
        lightest = min(census.members, key=lambda member: (loads[member], member))
        owners[share] = lightest
        loads[lightest] += weights[share]
    while move := _best_move(owners, weights, loads, census.members):
        share, heaviest, lightest = move
        owners[share] = lightest
        loads[heaviest] -= weights[share]
        loads[lightest] += weights[share]
    return owners


def _best_move(
    owners: Mapping[int, str], weights: Mapping[int, float], loads: Mapping[str, float], members: Sequence[str]
) -> tuple[int, str, str] | None:
    """A share, its owner and the member that should have it; the heaviest owner that can give one gives."""
    lightest = min(members, key=lambda member: (loads[member], member))
    tolerated = _TOLERATED * sum(loads.values()) / len(members)
    for owner in sorted(members, key=lambda member: (-loads[member], member)):
        difference = loads[owner] - loads[lightest]
        if difference <= tolerated:
            return None
        helpful = [share for share in owners if owners[share] == owner and weights[share] < difference]
        if helpful:
            return min(helpful, key=lambda share: (abs(difference / 2 - weights[share]), share)), owner, lightest
    return None
