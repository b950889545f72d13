"""How the suspicion is shared between a trouble's own network and neighbours of other lifelines. Pure.

It works on a stored trace: an alert that opens or ends at a neighbour moves its shares, and no graph is needed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

OWN_WEIGHT = 20.0
"""A trouble is mostly of its own network's making; against the weight of one neighbour, which is 1 for a new pipe right
beside, 2 for one of twenty years and about 7 for one of old cast iron. A default prior, to be fitted to what a city
finds."""
_OPEN_ALERT = 20.0
"""By so much more a neighbour is suspected at which an alert is open that names it alone; a default."""
_WITHOUT_RAIN, _WITH_RAIN = 0.1, 5.0
"""What water on a road makes of its own network's weight where gauges saw no rain for hours, or saw it; defaults."""


@dataclass(frozen=True, slots=True)
class OpenTrouble:
    """An open alert of another lifeline and its suspicion of one asset, from 0 to 1."""

    alert: UUID
    suspicion: float


def weighed(
    part: Mapping[str, Any], open_troubles: Mapping[str, OpenTrouble] | None = None, *, rained: bool | None = None
) -> dict[str, Any]:
    """The ``across`` part of a trace with shares made from its weights, best first; ``None``: nobody knows of rain.

    ``own`` is what remains for the alert's own network. ``open_troubles`` are by the asset they suspect.
    """
    troubles = open_troubles or {}
    own = float(part["own_weight"]) * (1.0 if rained is None else _WITH_RAIN if rained else _WITHOUT_RAIN)
    weights = {
        each["asset"]: each["weight"]
        * (1.0 + _OPEN_ALERT * troubles[each["asset"]].suspicion if each["asset"] in troubles else 1.0)
        for each in part["causes"]
    }
    total = own + sum(weights.values())
    causes = [
        {
            **each,
            "probability": round(weights[each["asset"]] / total, 4),
            "alert": str(troubles[each["asset"]].alert) if each["asset"] in troubles else None,
        }
        for each in part["causes"]
    ]
    ranked = sorted(causes, key=lambda each: (-each["probability"], each["asset"]))
    return {**part, "causes": ranked, "own": round(own / total, 4), "rained": rained}
