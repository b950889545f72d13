"""When the next step of a work order is due, when it is reminded of, and when others are told. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.core.organisation import OrganisationRole
from services.core.work_order import WorkOrder, WorkOrderMove


class DeadlineStage(StrEnum):
    """How far a step has come towards its deadline, or beyond it."""

    SOON = "soon"
    OVERDUE = "overdue"
    LONG_OVERDUE = "long-overdue"
    """As long again as it was allowed to take."""


TOLD: dict[DeadlineStage, tuple[OrganisationRole, ...]] = {
    DeadlineStage.SOON: (OrganisationRole.OWNER,),
    DeadlineStage.OVERDUE: (OrganisationRole.OWNER, OrganisationRole.REGULATOR, OrganisationRole.CENTRE),
    DeadlineStage.LONG_OVERDUE: (OrganisationRole.OWNER, OrganisationRole.REGULATOR, OrganisationRole.EMERGENCY),
}
"""Who hears of it. A default; no published rule for lifelines was found."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """The step that is waited for and its times; a clock that stands still has none."""

    step: WorkOrderMove
    since: datetime
    allowed: timedelta
    due_at: datetime | None
    warns_at: datetime | None
    long_overdue_at: datetime | None
    is_default: bool

    def moment(self, stage: DeadlineStage) -> datetime | None:
        """When a stage is reached; ``None`` while the clock stands still."""
        return {
            DeadlineStage.SOON: self.warns_at,
            DeadlineStage.OVERDUE: self.due_at,
            DeadlineStage.LONG_OVERDUE: self.long_overdue_at,
        }[stage]

    def reached(self, now: datetime) -> list[DeadlineStage]:
        """The stages that are reached, in order."""
        moments = {stage: self.moment(stage) for stage in DeadlineStage}
        return [stage for stage, moment in moments.items() if moment is not None and moment <= now]

    def next_after(self, now: datetime) -> datetime | None:
        """When the next stage is reached."""
        moments = [moment for stage in DeadlineStage if (moment := self.moment(stage)) is not None]
        return min((moment for moment in moments if moment > now), default=None)


def deadline_of(order: WorkOrder) -> Deadline | None:
    """The deadline of the step that an order waits for; ``None`` where there is none."""
    step = order.awaited
    allowed = None if step is None else order.rule.allowed(order.severity, step)
    if step is None or allowed is None or order.step_since is None:
        return None
    if order.paused_since is not None:
        return Deadline(step, order.step_since, allowed, None, None, None, order.rule.is_default)
    began = order.step_since + timedelta(seconds=order.paused_s)
    return Deadline(
        step=step,
        since=order.step_since,
        allowed=allowed,
        due_at=began + allowed,
        warns_at=began + allowed * order.rule.warns_at,
        long_overdue_at=began + allowed * 2,
        is_default=order.rule.is_default,
    )
