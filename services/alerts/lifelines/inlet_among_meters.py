"""The search by inlet flow where more is metered than the inlet."""

from collections.abc import Sequence
from typing import Any, ClassVar

from services.alerts.detectors.contract import Claim, Score, SearchDetector, State
from services.alerts.detectors.inlet_leak import InletLeak


class InletAmongMeters(SearchDetector):
    """Hands the inlet leak search the columns it knows and leaves the other meters out.

    ``columns`` are those of the rows; the search's own are among them.

    Source: that of ``InletLeak``.
    """

    name: ClassVar[str] = "inlet-leak-among-meters"
    version: ClassVar[str] = InletLeak.version

    def __init__(self, search: InletLeak, columns: Sequence[str]) -> None:
        self.columns = tuple(columns)
        self._search = search
        self._positions = [self.columns.index(column) for column in search.columns]

    def configuration(self) -> dict[str, Any]:
        """The search's own, and all columns."""
        return {"columns": list(self.columns), "search": self._search.configuration()}

    def reset(self) -> None:
        """Let the search forget what it has learnt."""
        self._search.reset()

    def score(self, time_s: float, row: Sequence[float]) -> Score:
        """What the search says of its columns."""
        return self._search.score(time_s, [row[position] for position in self._positions])

    def claims(self) -> Sequence[Claim]:
        """The search's claims."""
        return self._search.claims()

    def state(self) -> dict[str, Any]:
        """The search's memory."""
        return self._search.state()

    def restore(self, state: State) -> None:
        """Go on where ``state`` was taken."""
        self._search.restore(state)
