"""A trouble of a bridge or of one of its gauges that was told and goes on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Self

from services.alerts.detectors.contract import Claim, Suspect
from services.alerts.structures.supports import suspected
from services.core.finding import FindingState
from services.core.severity import Severity
from services.core.text import Text

_NEAR = 3


@dataclass(frozen=True, slots=True)
class Gauge:
    """A sensor on a bridge, as the search knows it."""

    id: str
    quantity: str
    asset: str
    unit: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """What was told last: ``cause`` and ``key`` stay, all else follows the evidence.

    ``gauges`` are positions among those that are charted, clearest first; ``quiet_days`` counts towards its end.
    """

    cause: str
    key: str
    since_s: float
    raised_s: float
    severity: Severity
    gauges: tuple[int, ...]
    ratio: float
    quiet_days: int = 0

    def state(self) -> list[Any]:
        """As JSON."""
        gauges = list(self.gauges)
        return [
            self.cause,
            self.key,
            self.since_s,
            self.raised_s,
            int(self.severity),
            gauges,
            self.ratio,
            self.quiet_days,
        ]

    @classmethod
    def restored(cls, state: Sequence[Any]) -> Self:
        """Take up what ``state`` returned."""
        cause, key, since_s, raised_s, severity, gauges, ratio, quiet_days = state
        return cls(cause, key, since_s, raised_s, Severity(severity), tuple(gauges), ratio, quiet_days)

    def graver(self, severity: Severity) -> Self:
        """The same with a higher severity."""
        return replace(self, severity=max(severity, self.severity))


@dataclass(frozen=True, slots=True)
class Evidence:
    """The numbers behind a claim: of the clearest gauge its value and what the weather explains, in its unit."""

    value: float | None
    expected: float | None
    seen: Mapping[str, Any]
    fields: Mapping[str, str | Text]


def claim_of(
    trouble: Trouble,
    state: FindingState,
    outcome: str,
    gauges: Sequence[Gauge],
    evidence: Evidence,
    *,
    supports: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Claim:
    """What is told of a trouble; ``gauges`` are those that are charted, ``supports`` what may have sunk below what."""
    shown = [gauges[position] for position in trouble.gauges]
    moved = list(dict.fromkeys(gauge.asset for gauge in shown))
    suspects = suspected(moved, supports)
    assets = moved[:_NEAR]
    places = ", ".join(assets)
    reasons = {each.asset: {"en": each.reason.en, "zh": each.reason.zh} for each in suspects}
    return Claim(
        outcome=outcome,
        key=trouble.key,
        state=state,
        severity=Severity.NORMAL if state is FindingState.CLEARED else trouble.severity,
        score=trouble.ratio,
        since_s=trouble.since_s,
        columns=tuple(gauge.id for gauge in shown),
        suspects=tuple(Suspect(each.asset, each.share) for each in suspects),
        value=evidence.value,
        expected=evidence.expected,
        seen={**evidence.seen, "proposes_closure": trouble.severity is Severity.CRITICAL, "reasons": reasons},
        fields={"place": assets[0], "places": places, "count": str(len(shown)), **evidence.fields},
    )
