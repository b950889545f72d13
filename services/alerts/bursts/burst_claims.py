"""What the search for bursts tells of what it found: a loss, a draw, a valve, an instrument or a source."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, Self

from services.alerts.detectors.contract import Claim, Suspect
from services.alerts.hydraulics.followed import severity_of
from services.core.finding import FindingState
from services.core.severity import Severity
from services.core.text import Text

BURST = "water-burst-located"
DRAW = "water-draw-unusual"
VALVE = "water-valve-moved"
PRESSURE_OFF = "water-gauge-off-model"
METER_OFF = "water-meter-off-model"
SOURCE = "water-source-head-changed"
NIGHT = "water-night-draw"

METHOD = "burst-search"
HYDRANT_M3H = 72.0
"""20 L/s, what one hydrant gives to two hoses or a filling tanker; from background knowledge, to be confirmed on site.
"""
HYDRANT_LASTS_S = 10800.0
"""Three hours: a fire is reckoned with two hours of water in dwellings and three in large buildings, a main is flushed
in less; from background knowledge, to be confirmed on site."""
HYDRANT_OPENS_S = 3600.0
"""A hydrant is opened within minutes; what takes longer than this to show has grown."""
_SURE_AT = 40.0
"""Seven rows at the cut of eight deviations, as for the residuals among neighbours."""
_NEAR = 3
ENDED = Text("it has ended", "已结束")
GOES_ON = Text("it goes on for longer than water is drawn from hydrants", "持续时间已超过消火栓正常取水时间")
EXPLAINED = Text("something else explains it better", "已有更合理的原因可以解释")


@dataclass(frozen=True, slots=True)
class ToldLoss:
    """What was told last about a loss that goes on; ``outcome`` is ``BURST`` or ``DRAW``."""

    outcome: str
    key: str
    since_s: float
    severity: Severity
    columns: tuple[str, ...]
    suspects: tuple[Suspect, ...]
    flow_m3h: float
    misfit: float

    def claim(self, state: FindingState, score: float, off: float, ending: Text = ENDED) -> Claim:
        """What is told; ``off`` is by how much the first column is off, in its unit, ``ending`` why it is cleared."""
        near = [suspect.asset for suspect in self.suspects[:_NEAR]]
        return Claim(
            outcome=self.outcome,
            key=self.key,
            state=state,
            severity=Severity.NORMAL if state is FindingState.CLEARED else self.severity,
            score=score,
            since_s=self.since_s,
            columns=self.columns,
            suspects=self.suspects,
            seen={
                "leak_m3h": round(self.flow_m3h, 1),
                "misfit": round(self.misfit, 1),
                "method": METHOD,
                **({"off": {self.columns[0]: round(off, 3)}} if isfinite(off) else {}),
            },
            fields={
                "flow": f"{self.flow_m3h:.0f}",
                "place": near[0],
                "places": ", ".join(near),
                "ending": ending,
            },
        )

    def state(self) -> list[Any]:
        """The same as JSON."""
        suspects = [list(suspect) for suspect in self.suspects]
        shown = [self.flow_m3h, self.misfit]
        return [self.outcome, self.key, self.since_s, int(self.severity), list(self.columns), suspects, *shown]

    @classmethod
    def restored(cls, state: Sequence[Any]) -> Self:
        """Take up what ``state`` returned."""
        outcome, key, since_s, severity, columns, suspects, *rest = state
        found = tuple(Suspect(*each) for each in suspects)
        return cls(outcome, key, since_s, Severity(severity), tuple(columns), found, *rest)


def severity(outcome: str, score: float, flow_m3h: float) -> Severity:
    """How bad a loss is: by its flow, but no more than moderate before it has lasted and while it may be a hydrant."""
    by_flow = severity_of(flow_m3h)
    return by_flow if score >= _SURE_AT and outcome == BURST else min(by_flow, Severity.MODERATE)


def is_like_a_hydrant(flow_m3h: float, since_s: float, told_s: float) -> bool:
    """Whether a loss that was noticed at ``told_s`` may be water that somebody takes, and not a burst."""
    return flow_m3h <= HYDRANT_M3H and told_s - since_s <= HYDRANT_OPENS_S


@dataclass(frozen=True, slots=True)
class ToldChange:
    """A valve, an instrument, a source or a night's draw that is not as it was, told until it is again.

    ``size`` is by how much: metres of a source's head, m3/h of a draw.
    """

    outcome: str
    since_s: float
    columns: tuple[str, ...]
    assets: tuple[str, ...]
    size: float | None = None
    severity: Severity = Severity.MINOR
    key: str = ""

    def named(self, key: str) -> Self:
        """The same with its key."""
        return replace(self, key=key)

    def claim(self, state: FindingState, score: float) -> Claim:
        """What is told."""
        share = 1.0 / len(self.assets)
        size = 0.0 if self.size is None else self.size
        return Claim(
            outcome=self.outcome,
            key=self.key,
            state=state,
            severity=Severity.NORMAL if state is FindingState.CLEARED else self.severity,
            score=score,
            since_s=self.since_s,
            columns=self.columns,
            suspects=tuple(Suspect(asset, share) for asset in self.assets),
            seen={"method": METHOD, **({} if self.size is None else {"change": round(self.size, 3)})},
            fields={
                "place": self.assets[0],
                "places": ", ".join(self.assets[:_NEAR]),
                "change": f"{abs(size):.1f}",
                "direction": Text("above", "高于") if size > 0 else Text("below", "低于"),
            },
        )

    def state(self) -> list[Any]:
        """The same as JSON."""
        shown = [list(self.columns), list(self.assets), self.size]
        return [self.outcome, self.since_s, *shown, int(self.severity), self.key]

    @classmethod
    def restored(cls, state: Sequence[Any]) -> Self:
        """Take up what ``state`` returned."""
        outcome, since_s, columns, assets, size, grade, key = state
        return cls(outcome, since_s, tuple(columns), tuple(assets), size, Severity(grade), key)
