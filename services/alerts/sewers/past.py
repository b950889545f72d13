"""What acted on the sewers in the last hours, and states of the sound sewers from which it can be run again."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from services.alerts.sewers.flow_routing import FlowRouting
from services.alerts.sewers.pipe_sections import Array
from services.alerts.sewers.twin import Acting, packed, routing_state, unpacked

_ANCHOR_S = 2 * 3600.0
_ANCHORS = 3


class Past:
    """The rows since the oldest of a few anchors; an anchor is a state of the sound sewers."""

    def __init__(self) -> None:
        self.rows: deque[tuple[Acting, Array]] = deque()
        self._anchors: list[tuple[float, dict[str, Any]]] = []

    def take(self, acting: Acting, heard: Array, routing: FlowRouting) -> None:
        """Keep a row; ``routing`` is the state after it."""
        if not self._anchors or acting.time_s - self._anchors[-1][0] >= _ANCHOR_S:
            self._anchors = [*self._anchors[1 - _ANCHORS :], (acting.time_s, routing_state(routing))]
        self.rows.append((acting, heard))
        while self.rows and self.rows[0][0].time_s <= self._anchors[0][0]:
            self.rows.popleft()

    @property
    def anchor(self) -> Mapping[str, Any]:
        """The state of the sound sewers before the first of the rows."""
        return self._anchors[0][1]

    def state(self) -> dict[str, Any]:
        """All of it, as JSON."""
        return {
            "rows": [_packed_row(acting, heard) for acting, heard in self.rows],
            "anchors": [[time_s, state] for time_s, state in self._anchors],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken."""
        self.rows = deque(_unpacked_row(row) for row in state["rows"])
        self._anchors = [(time_s, anchor) for time_s, anchor in state["anchors"]]


def _packed_row(acting: Acting, heard: Array) -> list[Any]:
    return [acting.time_s, acting.seconds, packed(acting.inflow_m3s), acting.outside_m, acting.is_wet, packed(heard)]


def _unpacked_row(row: Sequence[Any]) -> tuple[Acting, Array]:
    time_s, seconds, inflow, outside_m, is_wet, heard = row
    return Acting(time_s, seconds, unpacked(inflow), dict(outside_m), is_wet), unpacked(heard)
