"""A trouble that the search for leaks has told and follows, and the words of its claims. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from services.alerts.detectors.contract import Claim, Suspect
from services.core.finding import FindingState
from services.core.severity import Severity
from services.core.text import Text

LEAK, SEWER_GAS, DRIFT, LEVEL = (
    "gas-leak-into-ground",
    "gas-from-sewage",
    "gas-methane-device-drifts",
    "gas-methane-explained",
)
ENDED = Text("the methane is gone", "甲烷已消散")
OTHERWISE = Text("something else explains it better by now", "已有更合理的原因可以解释")


@dataclass(slots=True)
class Trouble:
    """What was told last; ``spaces`` are its spaces by number, ``doubted_s`` since when it is believed no more."""

    outcome: str
    key: str
    since_s: float
    spaces: list[int]
    columns: tuple[str, ...]
    severity: Severity = Severity.NORMAL
    probability: float = 0.0
    suspects: tuple[Suspect, ...] = ()
    told_s: float = 0.0
    doubted_s: float | None = None
    place: str = ""
    fields: Mapping[str, str | Text] = field(default_factory=dict)
    seen: Mapping[str, Any] = field(default_factory=dict)

    def claim(self, state: FindingState, value: float | None, ending: Text = ENDED) -> Claim:
        """What is told of it now; ``value`` is what its first sensor shows."""
        return Claim(
            outcome=self.outcome,
            key=self.key,
            state=state,
            severity=Severity.NORMAL if state is FindingState.CLEARED else self.severity,
            score=round(self.probability, 4),
            since_s=self.since_s,
            columns=self.columns,
            suspects=() if state is FindingState.CLEARED else self.suspects,
            value=value,
            seen=dict(self.seen),
            fields={**_WORDLESS, **self.fields, "place": self.place, "ending": ending},
        )

    def state(self) -> list[Any]:
        """What is needed to go on, as JSON; words are made anew."""
        return [
            self.outcome,
            self.key,
            self.since_s,
            self.spaces,
            list(self.columns),
            int(self.severity),
            self.probability,
            [list(suspect) for suspect in self.suspects],
            self.told_s,
            self.doubted_s,
            self.place,
        ]

    @classmethod
    def restored(cls, state: Sequence[Any]) -> Self:
        """Take up what ``state`` returned."""
        outcome, key, since_s, spaces, columns, severity, probability, suspects, told_s, doubted_s, place = state
        found = tuple(Suspect(*each) for each in suspects)
        return cls(
            outcome,
            key,
            since_s,
            list(spaces),
            tuple(columns),
            Severity(severity),
            probability,
            found,
            told_s,
            doubted_s,
            place,
        )


_WORDLESS: Mapping[str, str | Text] = {"probability": "–", "places": "–", "reasons": "–", "causes": "–"}
