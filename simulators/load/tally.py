"""What was sent, counted: new readings, repetitions, changes, and garbage by kind."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.load.field import Readings, SensorGroup
from simulators.load.garbage import REASONS, Garbage
from simulators.load.plan import LoadPlan

GARBAGE = tuple(Garbage)
COLUMNS = ("new", "late", "duplicates", "changed", *GARBAGE)
"""What is counted of each message; ``late`` ones are among the new."""
_OF = {name: position for position, name in enumerate(COLUMNS)}
Counts = NDArray[np.int64]
"""One number for each of the columns."""


@dataclass
class Tally:
    """Counts what was handed over for sending and what arrived, gateway by gateway."""

    plan: LoadPlan
    messages: int = 0
    unconfirmed: int = 0
    payload_bytes: int = 0
    by_gateway: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.by_gateway = np.zeros((self.plan.gateways, len(COLUMNS)), np.int64)

    def handed_over(self, gateway: int, counts: Counts, payload_bytes: int) -> None:
        """A message is on its way."""
        self.messages += 1
        self.unconfirmed += 1
        self.payload_bytes += payload_bytes
        self.by_gateway[gateway] += counts

    def confirmed(self) -> None:
        """A message that was handed over is taken care of."""
        self.unconfirmed -= 1

    def count(self, name: str) -> int:
        """How many entries of a kind were sent."""
        return int(self.by_gateway[:, _OF[name]].sum())

    @property
    def entries(self) -> int:
        """Everything that was sent, one by one."""
        return sum(self.count(name) for name in COLUMNS if name != "late")

    @property
    def rejections(self) -> dict[str, int]:
        """How many entries have to be refused, by reason."""
        reasons: Counter[str] = Counter()
        for kind in GARBAGE:
            reasons[REASONS[kind]] += self.count(kind)
        return {reason: count for reason, count in sorted(reasons.items()) if count}

    def sent_by(self, gateway: int) -> Readings:
        """The distinct valid readings a gateway has sent, with their first values."""
        return SensorGroup(self.plan, gateway).readings(np.arange(self.by_gateway[gateway, _OF["new"]]))

    def as_json(self) -> dict[str, Any]:
        """Plan and counts, from which every reading can be computed again."""
        plan = self.plan
        return {
            "city": plan.city,
            "prefix": plan.prefix,
            "sensors": plan.sensors,
            "gateways": plan.gateways,
            "start_ms": plan.start_ms,
            "step_ms": plan.step_ms,
            "late_ms": plan.late_ms,
            "batch": plan.batch,
            "seed": plan.seed,
            "forms": [str(form) for form in plan.forms],
            "messages": self.messages,
            "unconfirmed_messages": self.unconfirmed,
            "payload_bytes": self.payload_bytes,
            "sent": {name: self.count(name) for name in COLUMNS},
            "rejections": self.rejections,
            "new_by_gateway": self.by_gateway[:, _OF["new"]].tolist(),
        }

    def write(self, path: Path) -> None:
        """Keep it in a file."""
        path.write_text(json.dumps(self.as_json(), indent=1) + "\n", encoding="utf-8")
