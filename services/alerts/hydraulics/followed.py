"""A leak that a search has found and follows until it is repaired."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from services.alerts.detectors.contract import Suspect
from services.core.severity import Severity

_BY_FLOW_M3H = ((50.0, Severity.CRITICAL), (20.0, Severity.MAJOR), (5.0, Severity.MODERATE))
"""A main burst floods a road; 20 m3/h is a burst service main; 5 m3/h a leak that listening finds at once (IWA's
reported, unreported and background leaks; the limits are defaults)."""
_MATERIAL = 1.5
"""A leak is told anew when its flow has become half as large again, or less by as much."""


def severity_of(flow_m3h: float) -> Severity:
    """How bad a leak of this size is."""
    return next((severity for least_m3h, severity in _BY_FLOW_M3H if flow_m3h >= least_m3h), Severity.MINOR)


@dataclass(frozen=True, slots=True)
class FollowedLeak:
    """Where a found leak is taken to be, how much it loses and since when.

    ``flow_deviation_m3h`` is the standard deviation of the flow; ``onset`` the number of the block in which it begins
    in the model, ``raised`` that of the block that made it known; ``suspects`` the links it may be at. ``located`` is
    the block in which it was placed last, ``stayed`` how many times since then it was tried elsewhere and was not;
    ``refitted`` and ``kept`` are the same for its flows.
    """

    key: str
    asset: str
    flow_m3h: float
    flow_deviation_m3h: float
    onset: int
    raised: int
    since_s: float
    ratio: float
    suspects: tuple[Suspect, ...]
    columns: tuple[str, ...]
    told_flow_m3h: float
    told_severity: Severity
    located: int
    stayed: int = 0
    refitted: int = 0
    kept: int = 0

    @property
    def severity(self) -> Severity:
        """How bad it is now; a flow that wavers about a limit keeps the severity that was told."""
        severity = severity_of(self.flow_m3h)
        if severity > self.told_severity:
            return severity_of(self.flow_m3h / 1.1)
        return severity_of(self.flow_m3h * 1.25) if severity < self.told_severity else severity

    @property
    def changed(self) -> bool:
        """Whether it differs enough from what was told."""
        larger, smaller = self.flow_m3h / _MATERIAL, self.flow_m3h * _MATERIAL
        return self.severity is not self.told_severity or not smaller > self.told_flow_m3h > larger

    def told(self) -> "FollowedLeak":
        """The same, after it was told."""
        return replace(self, told_flow_m3h=self.flow_m3h, told_severity=self.severity)

    def state(self) -> dict[str, Any]:
        """Everything, as JSON."""
        state = asdict(self)
        state["suspects"] = [[suspect.asset, suspect.probability] for suspect in self.suspects]
        state["columns"] = list(self.columns)
        state["told_severity"] = int(self.told_severity)
        return state

    @classmethod
    def restored(cls, state: dict[str, Any]) -> "FollowedLeak":
        """Take up what ``state`` returned."""
        suspects = tuple(Suspect(asset, probability) for asset, probability in state["suspects"])
        severity = Severity(state["told_severity"])
        columns = tuple(state["columns"])
        return cls(**{**state, "suspects": suspects, "columns": columns, "told_severity": severity})
