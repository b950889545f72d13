"""Searches for unusual operation, which learn from a history first."""

from collections.abc import Mapping
from types import MappingProxyType

from tests.contract.detector_examples import DAY_S, STEP_S, Example

_ARGUMENTS = {
    "columns": ("a", "b", "c"),
    "quantities": ("pressure", "flow", "level"),
    "outcomes": {"level": "tank"},
    "otherwise": "unusual",
    "learn_until_s": 2.5 * DAY_S,
}

EXAMPLES: Mapping[str, Example] = MappingProxyType(
    {
        "channel-residual": Example(
            {**_ARGUMENTS, "switched": ("status",), "step_s": STEP_S}, outcomes=("tank", "unusual")
        ),
        "level-shift": Example(
            {**_ARGUMENTS, "least_shares": (0.02, 0.02, 0.02), "window": 6, "factor": 6.0},
            outcomes=("tank", "unusual"),
        ),
    }
)
