"""Response plans that run: their steps with names and clocks, ticked off one by one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from services.core import jobs
from services.core.incident import Incident
from services.core.organisation import OrganisationRole
from services.core.response_plan import ActivatedStep, KeptPlan, PlanActivation, Roster, marked, who, whose
from services.core.store import audit, events, response_plans
from services.core.text import Text

EVENT = "plan-activation"
ACTIVATED, OVERDUE = "plan.activated", "plan.step-overdue"


async def activate(
    connection: AsyncConnection,
    plan: KeptPlan,
    incident: Incident,
    roster: Roster,
    *,
    owner: str | None,
    order: UUID | None = None,
    actor: str,
    now: datetime,
) -> PlanActivation:
    """Set a plan going: each step gets its person, as the register names them now, and its moment.

    ``order`` is the work order that an exercise sends out with it.

    Raises:
        psycopg.errors.UniqueViolation: the plan runs for this incident already.
    """
    if plan.version == 0:
        plan = await response_plans.add(
            connection, plan.id, plan.plan, author=audit.SYSTEM, reason="default", now=now, is_default=True
        )
    activation = PlanActivation(
        id=uuid4(),
        plan=plan.id,
        plan_version=plan.version,
        title=marked(plan.plan.title.text, is_exercise=incident.is_exercise),
        incident=incident.id,
        work_order=order,
        is_exercise=incident.is_exercise,
        exclusion_radius_m=plan.plan.exclusion_radius_m,
        public_message=None if plan.plan.public_message is None else plan.plan.public_message.text,
        activated_at=now,
        activated_by=actor,
        ended_at=None,
        ended_by=None,
        steps=_steps(plan, roster, owner, now),
    )
    message = activation.public_message
    await connection.execute(
        """
        insert into plan_activation (id, plan, plan_version, incident, work_order, is_exercise, exclusion_radius_m,
            public_message, activated_at, activated_by)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            activation.id,
            plan.id,
            plan.version,
            incident.id,
            order,
            activation.is_exercise,
            activation.exclusion_radius_m,
            None if message is None else Jsonb(message.as_json()),
            now,
            actor,
        ),
    )
    for step in activation.steps:
        await _add_step(connection, activation.id, step)
    await _recorded(connection, activation, "activate", actor, {"plan": plan.id, "version": plan.version})
    await jobs.defer(connection, jobs.ANNOUNCE, type=ACTIVATED, subject_kind=EVENT, subject=str(activation.id))
    await watch(connection, activation, now)
    return activation


def _steps(plan: KeptPlan, roster: Roster, owner: str | None, now: datetime) -> list[ActivatedStep]:
    found = []
    for number, step in enumerate(plan.plan.steps, start=1):
        organisation = whose(step, plan.plan, roster, owner)
        person = who(step, organisation, roster)
        found.append(
            ActivatedStep(
                number=number,
                label=step.label.text,
                role=step.role,
                organisation=organisation,
                person=None if person is None else person.id,
                person_name=None if person is None else person.name,
                post=None if person is None else person.post,
                phone=None if person is None else person.phone,
                due_at=now + timedelta(seconds=step.within_s),
            )
        )
    return found


async def _add_step(connection: AsyncConnection, activation: UUID, step: ActivatedStep) -> None:
    await connection.execute(
        """
        insert into plan_step (activation, number, label_en, label_zh, role, organisation, person, person_name, post_en,
            post_zh, phone, due_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            activation,
            step.number,
            step.label.en,
            step.label.zh,
            step.role,
            step.organisation,
            step.person,
            step.person_name,
            None if step.post is None else step.post.en,
            None if step.post is None else step.post.zh,
            step.phone,
            step.due_at,
        ),
    )


async def watch(connection: AsyncConnection, activation: PlanActivation, now: datetime) -> None:
    """Have the clocks looked at when the next step is due; nothing where none is open and not yet told of."""
    waiting = [step.due_at for step in activation.steps if step.done_at is None and step.told_overdue_at is None]
    if activation.ended_at is None and waiting:
        await jobs.defer(
            connection,
            jobs.PLAN_DEADLINE,
            queue=jobs.REVIEWS,
            lock=f"{jobs.PLAN_DEADLINE}/{activation.id}",
            schedule_at=max(min(waiting), now),
            activation=str(activation.id),
        )


async def tell_overdue(connection: AsyncConnection, activation: PlanActivation, now: datetime) -> list[ActivatedStep]:
    """Tell of the open steps that are due, each once; returns them."""
    late = [s for s in activation.steps if s.done_at is None and s.told_overdue_at is None and s.due_at <= now]
    if not late or activation.ended_at is not None:
        return []
    numbers = [step.number for step in late]
    await connection.execute(
        "update plan_step set told_overdue_at = %s where activation = %s and number = any(%s)",
        (now, activation.id, numbers),
    )
    await _recorded(connection, activation, "overdue", audit.SYSTEM, {"steps": numbers})
    roles = sorted({step.role.value for step in late} | {OrganisationRole.CENTRE.value})
    await jobs.defer(
        connection,
        jobs.ANNOUNCE,
        type=OVERDUE,
        subject_kind=EVENT,
        subject=str(activation.id),
        roles=roles,
        occasion=f"steps {'-'.join(str(number) for number in numbers)}",
    )
    return late


async def tick(
    connection: AsyncConnection,
    activation: PlanActivation,
    step: ActivatedStep,
    note: str | None,
    *,
    actor: str,
    now: datetime,
) -> PlanActivation:
    """Say that a step is done."""
    await connection.execute(
        "update plan_step set done_at = %s, done_by = %s, note = %s where activation = %s and number = %s",
        (now, actor, note, activation.id, step.number),
    )
    await _recorded(connection, activation, "step-done", actor, {"step": step.number, "note": note})
    done = replace(step, done_at=now, done_by=actor, note=note)
    return replace(activation, steps=[done if each.number == step.number else each for each in activation.steps])


async def end(
    connection: AsyncConnection, activation: PlanActivation, note: str, *, actor: str, now: datetime
) -> PlanActivation:
    """End a plan, done or not. An exercise whose last plan ends is over, and nobody is reminded of its orders."""
    await connection.execute(
        "update plan_activation set ended_at = %s, ended_by = %s where id = %s", (now, actor, activation.id)
    )
    open_steps = [step.number for step in activation.steps if step.done_at is None]
    await _recorded(connection, activation, "end", actor, {"note": note, "open_steps": open_steps})
    if activation.is_exercise:
        await connection.execute(
            """
            update incident set closed_at = %s, version = version + 1 where id = %s and closed_at is null and not exists
                (select from plan_activation where incident = incident.id and ended_at is null)
            """,
            (now, activation.incident),
        )
    return replace(activation, ended_at=now, ended_by=actor)


async def find(connection: AsyncConnection, activation: UUID, *, lock: bool = False) -> PlanActivation | None:
    """One plan that runs or ran."""
    found = await _some(connection, "plan_activation.id = %s", (activation,), lock=lock)
    return next(iter(found), None)


async def of_incident(connection: AsyncConnection, incident: UUID) -> list[PlanActivation]:
    """The plans of an incident, oldest first."""
    return await _some(connection, "incident = %s", (incident,))


async def newest(connection: AsyncConnection, *, running_alone: bool, limit: int) -> list[PlanActivation]:
    """The newest last; those that run, or all."""
    return (await _some(connection, "ended_at is null or not %s", (running_alone,)))[-limit:]


async def _some(
    connection: AsyncConnection, where: str, parameters: Sequence[Any], *, lock: bool = False
) -> list[PlanActivation]:
    statement = f"""
        select plan_activation.*, response_plan.plan->'title' as title from plan_activation
        join response_plan on response_plan.id = plan_activation.plan and response_plan.version = plan_version
        where {where} order by activated_at, plan_activation.id
        """ + (" for update of plan_activation" if lock else "")
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement.encode(), parameters)
        rows = await cursor.fetchall()
        await cursor.execute(
            "select * from plan_step where activation = any(%s) order by number", ([row["id"] for row in rows],)
        )
        steps: dict[UUID, list[ActivatedStep]] = {}
        for row in await cursor.fetchall():
            steps.setdefault(row["activation"], []).append(_step(row))
    return [_activation(row, steps.get(row["id"], [])) for row in rows]


def _activation(row: Mapping[str, Any], steps: Sequence[ActivatedStep]) -> PlanActivation:
    names = ("id", "plan", "plan_version", "incident", "work_order", "is_exercise", "exclusion_radius_m")
    times = ("activated_at", "activated_by", "ended_at", "ended_by")
    return PlanActivation(
        **{name: row[name] for name in (*names, *times)},
        title=marked(Text(**row["title"]), is_exercise=row["is_exercise"]),
        public_message=None if row["public_message"] is None else Text(**row["public_message"]),
        steps=steps,
    )


def _step(row: Mapping[str, Any]) -> ActivatedStep:
    plain = ("number", "organisation", "person", "person_name", "phone", "due_at", "done_at", "done_by", "note")
    return ActivatedStep(
        **{name: row[name] for name in (*plain, "told_overdue_at")},
        label=Text(row["label_en"], row["label_zh"]),
        role=OrganisationRole(row["role"]),
        post=None if row["post_en"] is None else Text(row["post_en"], row["post_zh"]),
    )


async def _recorded(
    connection: AsyncConnection, activation: PlanActivation, action: str, actor: str, after: Mapping[str, Any]
) -> None:
    await audit.record(
        connection,
        actor=actor,
        action=f"plan.{action}",
        subject_kind=EVENT,
        subject=activation.id,
        after={**after, "is_exercise": activation.is_exercise, "incident": str(activation.incident)},
    )
    await events.announce(connection, EVENT, str(activation.id))
