"""Who decides that a warning is published, how long it holds, and who hears of one that nobody has received. Pure."""

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.core.alert_kind import AlertKind
from services.core.lifeline import Lifeline
from services.core.organisation import OrganisationRole
from services.core.severity import Severity
from services.core.warning import Approval

_Name = Annotated[str, Field(min_length=1, max_length=200)]


class Decision(StrEnum):
    """Who publishes."""

    RULE = "rule"
    """The rule, at once."""
    RULE_THEN_APPROVED = "rule-then-approved"
    """The rule, at once; somebody confirms it afterwards. For dangers to life."""
    APPROVED_FIRST = "approved-first"
    """The rule makes a draft, which somebody has to approve."""
    PERSON = "person"
    """Only a person."""


APPROVALS = {
    Decision.RULE: Approval.NONE,
    Decision.RULE_THEN_APPROVED: Approval.AFTER,
    Decision.APPROVED_FIRST: Approval.BEFORE,
}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PublishingRule(_Part):
    """How warnings of some alerts come about; what is not given fits everything."""

    lifeline: Lifeline | None = None
    kind: _Name | None = None
    zone: _Name | None = None
    severity_from: int = Field(default=1, ge=1, le=4)
    decision: Decision

    def fits(self, lifeline: Lifeline, kind: str, zone: str, severity: Severity) -> bool:
        """Whether the rule speaks of such an alert."""
        return (
            self.lifeline in {None, lifeline}
            and self.kind in {None, kind}
            and self.zone in {None, zone}
            and severity >= self.severity_from
        )


class EscalationStep(_Part):
    """After so long without anybody having received the warning, these are told, and again every so often."""

    after_s: float = Field(ge=0, le=86_400)
    tell: tuple[OrganisationRole, ...] = Field(min_length=1)
    severity_from: int = Field(default=1, ge=1, le=4)
    repeats: int = Field(default=0, ge=0, le=10, description="how often they are told again, as long apart as after_s")


class WarningPolicy(_Part):
    """Data that the centre keeps, by version; a warning names the version that was in force when it was made.

    The first rule that fits decides. Where none does, the kind of alert says from which severity its rule publishes.
    """

    rules: tuple[PublishingRule, ...] = Field(default=(), max_length=200)
    escalation: tuple[EscalationStep, ...] = Field(default=(), max_length=20)
    valid_for_s: float | None = Field(default=None, gt=0, le=30 * 86_400)

    def decision(self, kind: AlertKind, zone: str, severity: Severity) -> Decision:
        """Who publishes a warning of such an alert."""
        for rule in self.rules:
            if rule.fits(kind.lifeline, kind.kind, zone, severity):
                return rule.decision
        by_rule = kind.publishes_from is not None and severity >= kind.publishes_from
        return Decision.RULE if by_rule else Decision.PERSON

    @property
    def valid_for(self) -> timedelta | None:
        """How long a warning holds unless it is lifted before."""
        return None if self.valid_for_s is None else timedelta(seconds=self.valid_for_s)


def tellings(steps: Iterable[EscalationStep], severity: Severity) -> list[tuple[timedelta, EscalationStep]]:
    """When to tell whom as long as nobody has received a warning of this severity, each time once, in order."""
    due = [
        (timedelta(seconds=step.after_s * (again + 1)), step)
        for step in steps
        if severity >= step.severity_from
        for again in range(step.repeats + 1)
    ]
    return sorted(due, key=lambda each: each[0])


DEFAULT_POLICY = WarningPolicy(
    escalation=(
        EscalationStep(after_s=300, tell=(OrganisationRole.CENTRE, OrganisationRole.OWNER), repeats=1),
        EscalationStep(after_s=900, tell=(OrganisationRole.REGULATOR,), severity_from=2),
        EscalationStep(after_s=900, tell=(OrganisationRole.EMERGENCY,), severity_from=3, repeats=2),
    )
)
"""In force until the centre keeps a policy of its own: nobody approves, and what nobody receives within five minutes is
told again, after a quarter of an hour to those above. A default; no published rule for lifelines was found."""
