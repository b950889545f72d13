"""Which suspicions a forecast is made under, and how much each is believed. Pure."""

from collections.abc import Mapping, Sequence

from services.alerts.sewers.pipe_sections import Array
from services.alerts.sewers.suspicions import Cause, Suspicion

_MOST = 5
_LEAST = 0.05
"""A suspicion that is believed less changes no forecast."""


def believed_columns(suspected: Sequence[Suspicion], shares: Array) -> Mapping[int, float]:
    """The columns to look ahead under, with their shares, which add up to 1; the first is that nothing is wrong.

    A gauge that is wrong changes no water: what is believed of that is the share of the first column.
    """
    by_column: dict[int, float] = {0: 0.0}
    for column, (each, share) in enumerate(zip(suspected, shares.tolist(), strict=True)):
        one = 0 if each.cause in {Cause.SOUND, Cause.SENSOR} else column
        by_column[one] = by_column.get(one, 0.0) + share
    ranked = sorted(by_column, key=lambda column: (-by_column[column], column))[:_MOST]
    kept = {column: by_column[column] for column in sorted(ranked) if by_column[column] >= _LEAST}
    # Where belief is spread over many, none of which counts, nothing better is known than the sound sewers.
    total = sum(kept.values())
    return {column: share / total for column, share in kept.items()} if total > 0 else {0: 1.0}
