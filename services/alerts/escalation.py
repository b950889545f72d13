"""A warning that nobody has received is told to more and more people, until somebody has it."""

from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection

from services.core import jobs
from services.core.store import audit, duty_shifts, warning_policies, warnings
from services.core.warning import WarningState
from services.core.warning_policy import EscalationStep, tellings

NEWS = "warning.escalated"
_WAITING = frozenset({WarningState.DRAFT, WarningState.PUBLISHED})
"""In these nobody has it yet: to approve, or to receive."""


async def escalate(connection: AsyncConnection, identifier: UUID, step: int, now: datetime) -> None:
    """Take one step of the policy that was in force when the warning was made, in the caller's transaction.

    Comes too early: it waits for its time. Comes when somebody has received the warning: nothing happens any more.
    Taking the same step twice tells nobody twice, because the message of a step has one identifier.
    """
    warning = await warnings.find(connection, identifier, lock=True)
    if warning is None or warning.state not in _WAITING:
        return
    policy = await warning_policies.find(connection, warning.policy_version)
    due = tellings(policy.escalation, warning.severity)
    if step >= len(due):
        return
    after, telling = due[step]
    if now >= warning.created_at + after:
        await _tell(connection, identifier, step, telling, now)
        step += 1
    if step < len(due):
        await jobs.defer(
            connection,
            jobs.ESCALATE,
            queue=jobs.REVIEWS,
            schedule_at=warning.created_at + due[step][0],
            warning=str(identifier),
            step=step,
        )


async def _tell(connection: AsyncConnection, warning: UUID, step: int, telling: EscalationStep, now: datetime) -> None:
    roles = [role.value for role in telling.tell]
    await audit.record(
        connection,
        actor=audit.SYSTEM,
        action="warning.escalate",
        subject_kind=warnings.EVENT,
        subject=warning,
        after={"step": step + 1, "told": roles, "on_duty": await duty_shifts.on_duty_by_role(connection, roles, now)},
    )
    await jobs.defer(
        connection,
        jobs.ANNOUNCE,
        type=NEWS,
        subject_kind=warnings.EVENT,
        subject=str(warning),
        roles=roles,
        occasion=f"step {step + 1}",
    )
